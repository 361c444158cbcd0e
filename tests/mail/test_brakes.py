"""What holds letters back: the pace of a domain, letters that fail in a row, and staff who stop what is in hand."""

from datetime import timedelta

import pytest

from presessions.mail import delivery, steering
from presessions.mail.models import PUT_OFF, Alarm, Letter, Pace, Switch
from presessions.mail.registry import Priority, Recipient
from presessions.mail.wire import Wire
from tests.mail.factories import LONG_BEFORE, make_mailing, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

NOW = LONG_BEFORE
SECOND = timedelta(seconds=1)


def drain(now=NOW):
    return delivery.drain(0, now=lambda: now)


def fresh(letter):
    return Letter.objects.get(pk=letter.pk)


def bulk(number, domain="gmail.example", **fields):
    """Letters of a mailing to so many people of one domain."""
    return [put("note", to=f"p{n}@{domain}", priority=Priority.BULK, **fields) for n in range(number)]


def turns():
    """When those that wait for their turn may go, in seconds from NOW."""
    waiting = Letter.objects.filter(paced=True).order_by("next_attempt_at")
    return [(turn - NOW) / SECOND for turn in waiting.values_list("next_attempt_at", flat=True)]


@pytest.fixture
def pace(settings):
    settings.MAIL_DOMAIN_PER_MINUTE = 60


# --- The pace of a domain -----------------------------------------------------------------------------------------


def test_a_large_domain_gets_a_handful_at_once_then_its_pace_and_blocks_nobody(sink, pace):
    bulk(20)
    bulk(1, "mission.example")
    assert drain() == {"sent": 7}
    assert sink.recipients[-1] == "p0@mission.example"
    assert turns() == list(range(1, 15))
    assert [drain(NOW + n * SECOND)["sent"] for n in range(1, 15)] == [1] * 14
    assert len(set(sink.recipients)) == 21


def test_each_is_put_off_once_and_nobody_walks_over_those_that_wait(sink, pace, django_assert_num_queries):
    bulk(40)
    taken = []
    while (letter := Letter.take(NOW)) is not None:
        taken.append(letter)
    assert taken.count(PUT_OFF) == 34
    with django_assert_num_queries(1):
        assert Letter.take(NOW) is None
    (other,) = bulk(1, "mission.example")
    with django_assert_num_queries(1):
        assert Letter.take(NOW) == other


def test_a_letter_that_somebody_waits_for_is_never_paced(sink, pace):
    for n in range(20):
        put("note", to=f"p{n}@gmail.example")
    assert drain() == {"sent": 20}
    assert not Pace.objects.exists()


def test_after_a_day_without_workers_a_domain_is_not_flooded_with_all_the_turns_it_missed(sink, pace):
    bulk(20)
    drain()
    tomorrow = NOW + timedelta(days=1)
    assert drain(tomorrow) == {"sent": 6}
    assert [drain(tomorrow + n * SECOND)["sent"] for n in range(1, 9)] == [1] * 8


def test_a_turn_is_good_for_a_minute(sink, pace):
    bulk(7)
    drain()
    assert drain(NOW + 60 * SECOND) == {"sent": 1}


def test_a_letter_that_was_refused_for_now_takes_another_turn(sink, pace):
    bulk(7)
    drain()
    sink.order(RCPT=["450 later"])
    assert drain(NOW + SECOND) == {"deferred": 1}
    (letter,) = Letter.objects.filter(state="deferred")
    assert not letter.paced
    bulk(6, now=letter.next_attempt_at)
    drain(letter.next_attempt_at)
    assert fresh(letter).state == "sent"  # the longest due goes first


def test_domains_have_their_own_pace_whoever_writes_them_in_capitals(sink, pace):
    bulk(6, "gmail.example")
    bulk(6, "GMAIL.example")
    assert drain() == {"sent": 6}


def test_without_a_pace_all_go_at_once(sink, settings):
    settings.MAIL_DOMAIN_PER_MINUTE = 0
    bulk(20)
    assert drain() == {"sent": 20}


def test_whom_a_hold_has_met_waiting_for_a_turn_takes_another_when_it_is_resumed(sink, pace, people, user):
    people[:] = [Recipient("mission", str(n), to=f"m{n}@gmail.example") for n in range(20)]
    mailing = make_mailing()
    due = mailing.due_at
    assert drain(due) == {"written": 20, "sent": 6}
    mailing.refresh_from_db()
    mailing.hold(by=user, now=due)
    later = due + timedelta(hours=1)
    assert drain(later) == {}
    mailing.resume(by=user, now=later)
    assert drain(later) == {"sent": 6}


def test_no_domain_can_be_read_from_its_pace(sink, pace):
    bulk(1)
    drain()
    assert "gmail" not in Pace.objects.get().domain_index


# --- The breaker --------------------------------------------------------------------------------------------------


@pytest.fixture
def crowd(people, settings):
    """A mailing to ten people, held after three failures in a row; it is due, and nothing of it has gone."""
    settings.MAIL_BREAKER = 3
    people[:] = [Recipient("mission", str(n), to=f"m{n}@m{n}.example") for n in range(10)]
    return make_mailing()


def state_of(mailing):
    mailing.refresh_from_db()
    return mailing.state, mailing.held_reason


def test_a_mailing_whose_letters_fail_in_a_row_is_held_and_the_rest_stays_at_home(sink, crowd):
    sink.order(always={"RCPT": {"m": "550 your kind is not welcome"}})
    alone = put("note", to="amina@example.org", now=crowd.due_at, priority=Priority.BULK, due_at=crowd.due_at + SECOND)
    drain(crowd.due_at)
    assert state_of(crowd) == ("held", "failures")
    drain(crowd.due_at + SECOND)
    assert fresh(alone).state == "sent"  # other mail goes on
    assert sorted(crowd.letters.values_list("state", flat=True)) == ["failed"] * 3 + ["pending"] * 7
    steering.sound_alarms(crowd.due_at)
    assert Alarm.objects.filter(code=f"held:{crowd.pk}", ended_at=None).exists()


def test_staff_let_it_go_on_and_it_is_held_again_when_it_fails_again(sink, crowd, user):
    sink.order(RCPT=["550 no"] * 6)
    drain(crowd.due_at)
    for failed in (6, 6):
        crowd.refresh_from_db()
        crowd.resume(by=user, now=crowd.due_at)
        drain(crowd.due_at)
        assert crowd.letters.filter(state="failed").count() == failed
    assert crowd.letters.filter(state="sent").count() == 4
    assert state_of(crowd)[0] in ("sending", "done")


def test_a_success_in_between_begins_the_count_anew(sink, crowd):
    sink.order(RCPT=["550 no", "550 no", "250 ok", "550 no", "550 no", "250 ok", "550 no"])
    assert drain(crowd.due_at) == {"written": 10, "failed": 5, "sent": 5}
    assert state_of(crowd) == ("sending", "")


def test_what_is_only_put_off_does_not_count(sink, crowd):
    sink.order(always={"RCPT": {"m": "450 later"}})
    assert drain(crowd.due_at) == {"written": 10, "deferred": 10}
    assert state_of(crowd) == ("sending", "")


def test_addresses_that_are_theirs_no_more_do_not_count(sink, crowd, timetable):
    timetable.recipient("mission", has_address=lambda letter: False)
    assert drain(crowd.due_at) == {"written": 10, "failed": 10}
    assert state_of(crowd) == ("sending", "")


def test_the_breaker_can_be_switched_off(sink, crowd, settings):
    settings.MAIL_BREAKER = 0
    sink.order(always={"RCPT": {"m": "550 no"}})
    assert drain(crowd.due_at) == {"written": 10, "failed": 10}


# --- Stopped with a letter in hand --------------------------------------------------------------------------------


def in_hand(sink):
    """A letter of a mailing that a worker has taken, and not handed over yet."""
    mailing = make_mailing()
    delivery.schedule.write_due(mailing.due_at)
    mailing.refresh_from_db()
    return mailing, delivery.claim(mailing.due_at), mailing.due_at


def hold(mailing, user, now):
    mailing.hold(by=user, now=now)


def cancel(mailing, user, now):
    mailing.cancel(by=user, now=now)


def stop_all_mail(mailing, user, now):
    Switch.stop(by=user, now=now)


@pytest.mark.parametrize("stop", [hold, cancel, stop_all_mail])
def test_what_staff_stop_before_the_server_has_it_does_not_leave(sink, user, stop):
    mailing, letter, now = in_hand(sink)
    stop(mailing, user, now)
    with Wire() as wire:
        assert delivery.send(letter, wire, lambda: now) == "deferred"
    drain(now + SECOND)
    assert sink.mails == []
    assert fresh(letter).state == ("cancelled" if stop is cancel else "deferred")


def test_what_was_stopped_in_hand_goes_when_staff_let_it(sink, user):
    mailing, letter, now = in_hand(sink)
    mailing.hold(by=user, now=now)
    with Wire() as wire:
        delivery.send(letter, wire, lambda: now)
    mailing.refresh_from_db()
    mailing.resume(by=user, now=now)
    assert drain(now + SECOND) == {"sent": 3}
    assert (fresh(letter).deferrals, fresh(letter).resends) == (0, 0)


def test_a_letter_whose_last_moment_comes_while_we_connect_does_not_leave(sink):
    letter = put(not_after=NOW + SECOND)
    clock = iter([NOW, *[NOW + 2 * SECOND] * 9])
    with Wire() as wire:
        assert delivery.send(delivery.claim(NOW), wire, lambda: next(clock)) == "deferred"
    assert drain(NOW + 3 * SECOND) == {"expired": 1}
    assert sink.mails == []
    assert fresh(letter).frozen == b""


def test_what_may_have_arrived_does_not_expire_in_silence(sink):
    sink.order(dot=["accept-drop"])
    letter = put(not_after=NOW + SECOND)
    drain()
    assert drain(NOW + timedelta(hours=1)) == {"uncertain": 1}
    assert fresh(letter).frozen
    assert Alarm.objects.filter(code="uncertain", ended_at=None).exists()
