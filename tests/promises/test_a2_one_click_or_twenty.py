"""A2: one click or twenty, one application.

Over real connections: twenty threads post the same thing to a running server at the same moment. What
they then find is one row and one mail, and every one of them is told that it worked.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from threading import Barrier
from urllib.parse import urlencode, urlsplit

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from applications.models import Application, Recommendation
from presessions.mail.models import Letter
from presessions.trail.models import Event
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.applications.test_journey import open_session
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db(transaction=True)

CLICKS = 20
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(autouse=True)
def clock():
    """The hour does not matter, but all clicks fall into the same five minutes."""
    with time_machine.travel(MONDAY, tick=True) as clock:
        yield clock


class Browser:
    """One person's cookies, over plain connections."""

    def __init__(self, server, client=None):
        self.host, self.cookies = urlsplit(server.url).netloc, {}
        if client:
            self.cookies = {name: morsel.value for name, morsel in client.cookies.items()}

    def ask(self, method, path, body=None, *, patience=30, hear=True):
        """(status, where it leads, page) of one request, over a connection of its own."""
        headers = {**FORM, "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        connection = HTTPConnection(self.host, timeout=patience)
        try:
            connection.request(method, path, body, headers)
            if not hear:
                return None
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("Set-Cookie") or ():
                name, value = re.match(r"([^=]+)=([^;]*)", cookie).groups()
                self.cookies[name] = value
            return answer.status, answer.getheader("Location"), answer.read().decode()
        finally:
            connection.close()

    def form(self, path, **answers):
        """What the page's own form would post, with these answers."""
        page = self.ask("GET", path)[2]
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
        return urlencode(dict(hidden) | answers)

    def click(self, path, body, times=CLICKS):
        """Post the same body so often at the same moment; what each click was told."""
        gate = Barrier(times)

        def one(_number):
            gate.wait()
            return self.ask("POST", path, body)[:2]

        with ThreadPoolExecutor(times) as crowd:
            return list(crowd.map(one, range(times)))


@pytest.fixture
def kenya():
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))


@pytest.fixture
def open_form(live_server):
    """The browser of somebody who has a complete draft open."""
    client = Client()
    open_session(client, ApplicationFactory())
    return Browser(live_server, client)


def test_twenty_starts_at_once_are_one_draft_and_one_mail(live_server, kenya, clock):
    browser, path = Browser(live_server), reverse("applications:start", args=[54, "KE"])
    body = browser.form(path, email="a@example.org", language="en")
    clock.shift(5)
    assert set(browser.click(path, body)) == {(302, reverse("applications:link_sent"))}
    assert (Application.objects.count(), Letter.objects.count()) == (1, 1)
    assert Event.objects.filter(code="begun").count() == 1


def test_twenty_clicks_on_send_are_one_application_and_one_receipt(open_form):
    path = reverse("applications:check")
    assert set(open_form.click(path, open_form.form(path, understood="on"))) == {(302, reverse("applications:receipt"))}
    assert Application.objects.sent().count() == 1
    assert Letter.objects.filter(kind="receipt").count() == 1
    assert Event.objects.filter(code="submitted", refused=False).count() == 1


def test_twenty_saves_at_once_keep_one_set_of_answers(open_form):
    path = reverse("applications:section", args=["recommendations"])
    texts = {f"recommendation_{number}": f"Close prison {number} by 2028." for number in range(1, 6)}
    told = open_form.click(path, open_form.form(path, **texts))
    assert {status for status, _where in told} == {302}
    assert [row.text for row in Recommendation.objects.all()] == list(texts.values())


@pytest.mark.parametrize("times", [1, 3])
def test_a_retry_after_a_timeout_is_the_same_application(open_form, times):
    """The line dies while the answer is on its way: nobody heard it, and the person presses the button again."""
    path = reverse("applications:check")
    body = open_form.form(path, understood="on")
    for _unheard in range(times):
        open_form.ask("POST", path, body, hear=False)
    assert open_form.ask("POST", path, body)[:2] == (302, reverse("applications:receipt"))
    assert Letter.objects.filter(kind="receipt").count() == 1
    reference = Application.objects.get().reference
    assert reference in open_form.ask("GET", reverse("applications:receipt"))[2]


def test_a_start_that_was_not_heard_is_the_same_draft(live_server, kenya, clock):
    browser, path = Browser(live_server), reverse("applications:start", args=[54, "KE"])
    body = browser.form(path, email="a@example.org", language="en")
    clock.shift(5)
    browser.ask("POST", path, body, hear=False)
    assert browser.ask("POST", path, body)[0] == 302
    assert (Application.objects.count(), Letter.objects.count()) == (1, 1)
