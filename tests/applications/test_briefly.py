"""The home page is made once a second for all who open it, and never shows one person what is another's."""

from datetime import timedelta

import pytest
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.test import Client, RequestFactory

from applications import briefly
from presessions.upr.models import WorkingGroupSession

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(settings, monkeypatch):
    """`clock.now` in seconds, of which a page is kept for one. Nothing was kept before."""
    settings.PAGE_KEPT = 1
    clock = type("Clock", (), {"now": 10_000.0})
    monkeypatch.setattr(briefly, "monotonic", lambda: clock.now)
    yield clock
    clock.now += timedelta(days=1).total_seconds()


@pytest.fixture(autouse=True)
def one_session(clock):
    return WorkingGroupSession.objects.create(number=54)


HOME = "/en/"


def test_within_a_second_nobody_asks_the_database(clock, django_assert_num_queries):
    first = Client().get(HOME, HTTP_HOST="localhost").content
    with django_assert_num_queries(0):
        assert Client().get(HOME, HTTP_HOST="localhost").content == first


def test_after_a_second_it_is_made_anew(clock):
    Client().get(HOME, HTTP_HOST="127.0.0.1")
    WorkingGroupSession.objects.create(number=955)
    assert "955" not in Client().get(HOME, HTTP_HOST="127.0.0.1").content.decode()
    clock.now += 1.01
    assert "955" in Client().get(HOME, HTTP_HOST="127.0.0.1").content.decode()


def test_each_language_has_its_own(clock):
    pages = {Client().get(f"/{language}/").content for language in ("en", "fr", "ar")}
    assert len(pages) == 3


def test_what_is_said_to_one_person_is_said_to_nobody_else(clock):
    browser = Client()
    words = CookieStorage(RequestFactory().get("/"))._encode([Message(constants.SUCCESS, "For you alone.")])
    browser.cookies["messages"] = words
    assert "For you alone." in browser.get(HOME).content.decode()
    assert "For you alone." not in Client().get(HOME).content.decode()
