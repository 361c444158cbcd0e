"""Abuse is slowed down, people are not."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from django.urls import reverse

from applications import throttle
from applications.models import Application
from tests.applications.factories import MONDAY, StateCallFactory
from tests.applications.test_journey import begin, hidden
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    cache.clear()
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def kenya(clock):
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))


def test_thirty_honest_people_behind_one_address_all_get_in_and_the_next_keeps_the_typed(client, clock, kenya):
    page = client.get(reverse("applications:start", args=[54, "KE"]))
    clock.shift(timedelta(seconds=20))
    answers = [
        client.post(
            reverse("applications:start", args=[54, "KE"]),
            {"email": f"ngo{number}@example.org", "language": "en", "shown": hidden(page)},
        )
        for number in range(31)
    ]
    assert [answer.status_code for answer in answers] == [302] * 30 + [429]
    assert "ngo30@example.org" in answers[-1].content.decode()
    assert Application.objects.count() == 30


def test_an_hour_later_the_door_is_open_again(client, clock, kenya, monkeypatch):
    monkeypatch.setattr(throttle, "PER_ADDRESS", 1)
    begin(client, clock)
    assert begin(client, clock).status_code == 429
    clock.shift(timedelta(hours=1))
    assert begin(client, clock).status_code == 302


def test_other_addresses_are_not_concerned(client, clock, kenya, monkeypatch, rf):
    monkeypatch.setattr(throttle, "PER_ADDRESS", 1)
    one, other = rf.get("/", REMOTE_ADDR="192.0.2.1"), rf.get("/", REMOTE_ADDR="192.0.2.2")
    assert [throttle.allows(request, "start", now=MONDAY) for request in (one, one, other)] == [True, False, True]


def test_what_is_counted_tells_no_address_and_changes_every_day():
    today, tomorrow = (throttle._keys("192.0.2.1", "start", MONDAY + timedelta(days=days))[0] for days in (0, 1))
    assert "192.0.2.1" not in today
    assert today.rsplit(":", 1)[1] != tomorrow.rsplit(":", 1)[1]


def test_only_a_proxy_of_ours_is_believed(rf, settings):
    request = rf.get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="6.6.6.6, 192.0.2.1")
    assert throttle.sender(request) == "10.0.0.1"
    settings.BEHIND_PROXY = True
    assert throttle.sender(request) == "192.0.2.1"


def test_a_dead_redis_opens_the_door_at_once_and_the_ceiling_remains(client, clock, kenya, monkeypatch):
    dead = RedisCache("redis://127.0.0.1:1/0", {"OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}})
    monkeypatch.setattr(throttle, "cache", dead)
    started = time.perf_counter()
    assert begin(client, clock).status_code == 302
    assert time.perf_counter() - started < 3
    monkeypatch.setattr(throttle, "CEILING", 1)
    assert begin(client, clock, email="other@example.org").status_code == 429
