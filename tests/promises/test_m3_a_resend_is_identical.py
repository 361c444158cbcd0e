"""M3. A letter that may or may not have arrived goes once more with the same bytes, and then staff decide."""

from collections import Counter
from datetime import timedelta

import pytest

from presessions.mail import delivery
from presessions.mail.models import Alarm, Letter
from tests.mail.factories import LONG_BEFORE, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

NOW = LONG_BEFORE
MINUTE = timedelta(minutes=1)


def drain(now=NOW):
    """Send what is due at an instant, once."""
    return delivery.drain(0, now=lambda: now)


def fresh(letter):
    return Letter.objects.get(pk=letter.pk)


def test_a_server_that_always_takes_and_hangs_up_gets_two_equal_copies_of_each_and_staff_an_alarm(sink):
    sink.order(rates={"dot": [["accept-drop", 1.0]]})
    letters = {put(to=f"person{n}@example.org").body_sha256 for n in range(20)}
    for minutes in (0, 15, 60, 24 * 60, 3 * 24 * 60):
        drain(NOW + minutes * MINUTE)
    assert Counter(mail["sha256"] for mail in sink.mails) == dict.fromkeys(letters, 2)
    assert set(Letter.objects.values_list("state", "resends")) == {("uncertain", 1)}
    assert Alarm.objects.filter(code="uncertain", ended_at=None).exists()


def test_accepted_without_an_answer_it_goes_once_more_with_the_same_bytes_and_then_waits_for_staff(sink, caplog):
    sink.order(dot=["accept-drop", "accept-drop"])
    letter = put()
    drain()
    assert drain(NOW + 14 * MINUTE) == {}
    drain(NOW + 15 * MINUTE)
    assert drain(NOW + timedelta(days=3)) == {}
    first, second = sink.mails
    assert first["data"] == second["data"]
    assert {first["sha256"], second["sha256"]} == {letter.body_sha256}
    held = fresh(letter)
    assert (held.state, held.resends, held.uncertain_at, held.next_attempt_at) == ("uncertain", 1, NOW, None)
    assert held.frozen
    assert f"letter {letter.pk} is uncertain" in caplog.text
    assert held in Letter.objects.to_look_at()


def test_a_repeat_that_is_answered_is_sent_and_stays_flagged(sink):
    sink.order(dot=["accept-drop"])
    letter = put()
    drain()
    drain(NOW + 15 * MINUTE)
    assert (fresh(letter).state, fresh(letter).uncertain_at) == ("sent", NOW)


def test_a_repeat_that_is_refused_for_now_is_still_the_only_repeat(sink):
    sink.order(dot=["accept-drop", "452 full", "accept-drop"])
    letter = put()
    for minutes in (0, 15, 16, 60, 120):
        drain(NOW + minutes * MINUTE)
    assert fresh(letter).state == "uncertain"
    assert len(sink.mails) == 2


def test_a_kind_may_forbid_the_repeat(sink):
    sink.order(dot=["accept-drop"])
    letter = put("note")
    drain()
    assert (fresh(letter).state, fresh(letter).resends) == ("uncertain", 0)
