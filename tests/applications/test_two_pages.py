"""Two pages at once, in one browser or two: nothing ends up in the wrong application, nothing is undone unseen."""

import re

import pytest
import time_machine
from django.urls import reverse

from applications.models import Application
from tests.applications.factories import MONDAY, ApplicationFactory, answers
from tests.applications.test_journey import open_session, posted

pytestmark = pytest.mark.django_db
ISSUES = "applications:section", ["issues"]


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def application():
    return ApplicationFactory()


def address(name, args=()):
    return reverse(name, args=args)


def typed(client, **changed):
    """What a browser would post from the page as it stands now, with some answers typed over."""
    page = client.get(address(*ISSUES)).content.decode()
    hidden = dict(re.findall(r'type="hidden" name="(application|as_read)" value="([^"]+)"', page))
    return {**posted(answers()["issues"]), **hidden, **changed}


def test_a_page_of_one_application_never_saves_into_another(client, application):
    open_session(client, application)
    form = typed(client, issues="Written for the first one.")
    other = ApplicationFactory()
    open_session(client, other)
    page = client.post(address(*ISSUES), form)
    assert page.status_code == 409
    assert "Written for the first one." in page.content.decode()
    assert "Written for the first one." not in {one.issues for one in Application.objects.all()}


@pytest.mark.parametrize("name", ["applications:check", "applications:withdraw"])
def test_nor_is_another_one_sent_or_taken_back(client, application, name):
    open_session(client, application)
    form = {"application": application.reference, "understood": "on", "sure": "on"}
    assert form["application"] in client.get(address(name)).content.decode()
    other = ApplicationFactory()
    open_session(client, other)
    assert client.post(address(name), form).status_code == 409
    other.refresh_from_db()
    assert other.status == "draft"


def test_what_another_page_saved_is_shown_and_not_undone(client, application):
    open_session(client, application)
    first, second = typed(client, issues="From the first page."), typed(client, issues="From the second page.")
    assert client.post(address(*ISSUES), first).status_code == 302
    page = client.post(address(*ISSUES), second)
    assert page.status_code == 409
    assert "From the first page." in page.content.decode() and "From the second page." in page.content.decode()
    application.refresh_from_db()
    assert application.issues == "From the first page."


def test_saved_again_after_looking_it_counts(client, application):
    open_session(client, application)
    first, second = typed(client, issues="From the first page."), typed(client, issues="From the second page.")
    client.post(address(*ISSUES), first)
    page = client.post(address(*ISSUES), second).content.decode()
    mark = re.search(r'name="as_read" value="([^"]+)"', page)[1]
    assert client.post(address(*ISSUES), {**second, "as_read": mark}).status_code == 302
    application.refresh_from_db()
    assert application.issues == "From the second page."


def test_the_same_answers_sent_twice_are_no_conflict(client, application):
    open_session(client, application)
    form = typed(client, issues="Clicked twice.")
    assert [client.post(address(*ISSUES), form).status_code for _click in range(2)] == [302, 302]
