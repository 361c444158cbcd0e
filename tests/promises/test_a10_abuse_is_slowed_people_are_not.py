"""A10: abuse is slowed, people are not.

1,000 scripted posts from one address: at most 30 an hour are acted on, in whatever hour one looks. 30 honest NGOs
behind one address: 30 of 30, and what they save and upload afterwards is not counted at all.
"""

from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from applications import throttle
from applications.models import Application, Contact
from presessions.mail.models import Letter
from tests.applications.factories import MONDAY, PDF, ApplicationFactory, StateCallFactory, answers
from tests.applications.test_journey import hidden, open_session, path_in, posted
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

SCRIPTED, HONEST = 1000, 30
HOUR = timedelta(hours=1)


@pytest.fixture
def clock():
    cache.clear()
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def kenya(clock):
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))


def doors():
    return {
        "start": reverse("applications:start", args=[54, "KE"]),
        "lost_link": reverse("applications:lost_link"),
        "sign_up": reverse("applications:contact_signup"),
        "receipt": reverse("applications:receipt_check"),
    }


class Sender:
    """Somebody at one address, with a fresh browser for each post: no cookie tells them apart."""

    def __init__(self, address, clock):
        self.address, self.clock, self.shown = address, clock, {}

    def post(self, door, number):
        """One post of a form that was looked at long enough ago."""
        browser = Client(REMOTE_ADDR=self.address)
        if door not in self.shown:
            self.shown[door] = hidden(browser.get(doors()[door]))
            self.clock.shift(timedelta(seconds=20))
        facts = {"email": f"script{number}@example.org", "language": "en", "shown": self.shown[door]}
        facts |= {"reference": "K7QF2-9MXA4", "fingerprint": "a" * 64}
        return browser.post(doors()[door], facts).status_code


def busiest_hour(moments):
    """The most of them that fall into any sixty minutes."""
    return max(sum(moment <= other < moment + HOUR for other in moments) for moment in moments)


# --- Slowed ----------------------------------------------------------------------------------------------------------


def test_of_a_thousand_scripted_posts_thirty_an_hour_are_acted_on_in_whatever_hour_one_looks(kenya, clock, rf):
    """A patient script: a post every 9 seconds, for two hours and a half. Some are posted to the page; of the others
    the gate is asked that the page asks, as to render a thousand refusals is no part of the promise."""
    script, request, accepted = Sender("192.0.2.1", clock), rf.get("/", REMOTE_ADDR="192.0.2.1"), []
    for number in range(SCRIPTED):
        is_posted = number % 50 == 0
        if script.post("start", number) == 302 if is_posted else throttle.allows(request, "start", now=timezone.now()):
            accepted.append(timezone.now())
        clock.shift(timedelta(seconds=9))
    assert busiest_hour(accepted) == HONEST
    assert 2 * HONEST <= len(accepted) <= 3 * HONEST


@pytest.mark.parametrize("door", ["start", "lost_link", "sign_up", "receipt"])
def test_every_door_that_anybody_may_knock_at_is_slowed(kenya, clock, door, monkeypatch):
    monkeypatch.setattr(throttle, "PER_ADDRESS", 5)
    script = Sender("192.0.2.1", clock)
    statuses = Counter(script.post(door, number) for number in range(12))
    assert statuses == {429: 7, (200 if door == "receipt" else 302): 5}
    rows = {"start": Application, "lost_link": Letter, "sign_up": Contact}.get(door)
    assert rows is None or rows.objects.count() == 5


def test_a_house_full_of_ipv6_addresses_is_one_sender(kenya, clock, monkeypatch):
    monkeypatch.setattr(throttle, "PER_ADDRESS", 5)
    statuses = [Sender(f"2001:db8:1:2::{number:x}", clock).post("start", number) for number in range(1, 9)]
    assert Counter(statuses) == {302: 5, 429: 3}
    assert Sender("2001:db8:1:3::1", clock).post("start", 99) == 302


@pytest.mark.parametrize(
    ("address", "known_as"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("", ""),
        ("nonsense", "nonsense"),
    ],
)
def test_a_sender_is_known_by_address_or_network(rf, address, known_as):
    assert throttle.sender(rf.get("/", REMOTE_ADDR=address)) == known_as


def test_what_was_refused_does_not_keep_the_door_shut(kenya, clock, monkeypatch):
    """Others behind the same address get their turn as soon as the hour is over, however long the script goes on."""
    monkeypatch.setattr(throttle, "PER_ADDRESS", 1)
    script = Sender("192.0.2.1", clock)
    assert script.post("start", 0) == 302
    for number in range(1, 7):
        clock.shift(timedelta(minutes=10))
        script.post("start", number)
    clock.shift(timedelta(minutes=1))
    assert script.post("start", 9) == 302


# --- And people are not ----------------------------------------------------------------------------------------------


def test_thirty_honest_ngos_behind_one_address_all_get_in_and_go_on(kenya, clock):
    office = Sender("192.0.2.7", clock)
    for number in range(HONEST):
        assert office.post("start", number) == 302
    assert Application.objects.count() == HONEST
    for letter in Letter.objects.order_by("pk")[::10]:
        browser = Client(REMOTE_ADDR="192.0.2.7")
        assert browser.post(path_in(letter)).status_code == 302
        saved = browser.post(reverse("applications:section", args=["issues"]), posted(answers()["issues"]))
        assert saved.status_code == 302


def test_what_is_saved_and_uploaded_is_never_counted(kenya, clock, monkeypatch):
    """As many saves as anybody likes, and a file in pieces, while the address may do nothing else any more."""
    monkeypatch.setattr(throttle, "PER_ADDRESS", 0)
    browser = Client(REMOTE_ADDR="192.0.2.7")
    open_session(browser, ApplicationFactory(state_call=kenya, complete=False))
    section = reverse("applications:section", args=["institution"])
    facts = posted(answers()["institution"])
    assert {browser.post(section, facts).status_code for _ in range(HONEST + 1)} == {302}
    page = reverse("applications:section", args=["file"])
    file = SimpleUploadedFile("submission.pdf", PDF)
    assert browser.post(page, {"file": file}).status_code == 302
    assert Sender("192.0.2.7", clock).post("start", 1) == 429


def test_a_script_elsewhere_concerns_nobody_else(kenya, clock):
    script, honest = Sender("192.0.2.1", clock), Sender("192.0.2.7", clock)
    statuses = [script.post("start", number) for number in range(HONEST + 5)]
    assert statuses.count(429) == 5
    assert honest.post("start", 1000) == 302


def test_who_floods_one_form_does_not_shut_the_others(kenya, clock, monkeypatch):
    monkeypatch.setattr(throttle, "CEILING", 3)
    for number in range(4):
        Sender(f"192.0.2.{number + 1}", clock).post("sign_up", number)
    assert Sender("192.0.2.9", clock).post("sign_up", 9) == 429
    for number, door in enumerate(("start", "lost_link", "receipt")):
        assert Sender("192.0.2.9", clock).post(door, number) in (200, 302)


# --- Without Redis ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["start", "lost_link", "sign_up"])
def test_with_redis_down_the_ceiling_remains(kenya, clock, door, monkeypatch):
    dead = RedisCache("redis://127.0.0.1:1/0", {"OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}})
    monkeypatch.setattr(throttle, "cache", dead)
    monkeypatch.setattr(throttle, "CEILING", 40)
    script = Sender("192.0.2.1", clock)
    statuses = [script.post(door, number) for number in range(HONEST + 15)]
    assert statuses == [302] * 40 + [429] * 5


def test_the_ceiling_is_far_above_a_rush_of_people():
    """14 States, and three times as many applicants as ever, all in the last hour."""
    assert throttle.CEILING > 14 * 100
