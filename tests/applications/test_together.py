"""A page of the form asks the database once: for the application, its session, and what belongs to it."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from applications import visits
from applications.models import Application, Theme
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.applications.test_journey import open_session

pytestmark = pytest.mark.django_db
ROWS = (*Application.ALL_ROWS, "requests", "uploads")


def columns(row):
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@pytest.fixture
def application():
    one = ApplicationFactory(
        submitted=True, full_name="Amina “Canary” \\x01 ✓", consents=["name", "photo"], recommendation_2="Number 2."
    )
    one.requests.create(sections=["issues", "file"], asked_at=MONDAY, until=MONDAY)
    return one


@pytest.mark.parametrize("name", ROWS)
def test_what_comes_together_is_what_the_database_gives_one_by_one(application, name):
    at_once = Application.objects.together(*ROWS).get()
    assert at_once.standing_consents() == {"name", "photo"}
    there = [columns(row) for row in getattr(Application.objects.get(), name).all()]
    assert [columns(row) for row in getattr(at_once, name).all()] == there
    assert there or name == "uploads"


def test_no_further_question_is_asked_for_it(application, django_assert_num_queries):
    Theme.objects.get_or_create(slug="water", defaults={"name_en": "Water"})
    with django_assert_num_queries(1):
        one = Application.objects.together(*ROWS, offered=Theme.objects.all()).get()
        assert one.speaker.full_name == "Amina “Canary” \\x01 ✓"
        assert one.speaker.application is one
        assert [theme.name_en for theme in one.themes.all()]
        assert len(one.offered) > len(one.themes.all())


def test_rows_of_one_are_not_those_of_another(application):
    other = ApplicationFactory(full_name="B. Other")
    names = {one.pk: one.speaker.full_name for one in Application.objects.together("speakers").order_by("pk")}
    assert names == {application.pk: "Amina “Canary” \\x01 ✓", other.pk: "B. Other"}


# --- The hint in the session ------------------------------------------------------------------------------------------


def shown(client):
    answer = client.get(reverse("applications:section", args=["speaker"]))
    return answer.context and answer.context.get("application")


@pytest.fixture
def two():
    state_call = StateCallFactory()
    return [ApplicationFactory(state_call=state_call, email=f"{name}@example.org") for name in "ab"]


def test_a_page_asks_once(client, two, django_assert_num_queries):
    open_session(client, two[0])
    with django_assert_num_queries(1):
        assert shown(client) == two[0]


@pytest.mark.parametrize("hint", ["{other}", "", "none", "99999999999999999999", "-1"])
def test_a_wrong_hint_opens_nothing(client, two, hint):
    """What the session says counts, which is signed."""
    open_session(client, two[0])
    session = Session.objects.get()
    signed = session.session_data.partition("|")[2]
    Session.objects.update(session_data=f"{hint.format(other=two[1].pk)}|{signed}")
    assert shown(client) == two[0]


def test_a_session_of_before_is_still_read(client, two):
    open_session(client, two[0])
    session = Session.objects.get()
    Session.objects.update(session_data=session.session_data.partition("|")[2])
    assert shown(client) == two[0]


def test_a_session_that_has_ended_opens_nothing(client, two):
    open_session(client, two[0])
    Session.objects.update(expire_date=MONDAY.replace(year=2020))
    assert shown(client) is None


def test_a_hint_without_a_signature_opens_nothing(client, two):
    open_session(client, two[0])
    Session.objects.update(session_data=f"{two[0].pk}|nobody:has:signed")
    assert shown(client) is None


def test_a_key_that_nobody_was_given_opens_nothing(two):
    browser = Client()
    browser.cookies["sessionid"] = "a" * 32
    assert shown(browser) is None


def test_what_a_new_key_opens_is_written_once(django_assert_num_queries):
    store = visits.SessionStore()
    store["application"] = 7
    with django_assert_num_queries(3):  # two of them open and close the block
        store.cycle_key()
        store.save()
    store["application"] = 8
    store.save()
    assert visits.SessionStore(store.session_key)["application"] == 8
