"""What becomes of a letter, for everything that a mail server may say or fail to say. The server is a real one."""

import hashlib
import logging
import socket
import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from presessions.mail import delivery, schedule, troubles
from presessions.mail.models import Alarm, Attempt, Letter, Switch
from presessions.mail.registry import Recipient
from presessions.mail.wire import Wire
from tests.mail.factories import LONG_BEFORE, make_mailing, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

NOW = LONG_BEFORE
MINUTE = timedelta(minutes=1)


def drain(now=NOW):
    """Send what is due at an instant, once."""
    return delivery.drain(0, now=lambda: now)


def fresh(letter):
    return Letter.objects.get(pk=letter.pk)


def history(letter):
    return [f"{a.state} {a.phase} {a.code}".replace("  ", " ").strip() for a in Attempt.objects.filter(letter=letter)]


# --- The good day -------------------------------------------------------------------------------------------------


def test_a_letter_arrives_as_it_was_frozen(sink):
    letter = put()
    frozen = letter.frozen
    assert drain() == {"sent": 1}
    (mail,) = sink.mails
    assert (mail["to"], mail["message_id"]) == ("amina@example.org", letter.message_id)
    assert mail["data"].encode() == frozen
    assert mail["sha256"] == letter.body_sha256 == hashlib.sha256(frozen).hexdigest()
    assert history(letter) == ["sending claimed", "sending data", "sent 250"]


def test_a_sent_letter_keeps_its_proof_and_not_its_link(sink):
    letter = put()
    drain()
    sent = fresh(letter)
    assert (sent.state, sent.phase, sent.sent_at, sent.lease_token, sent.next_attempt_at) == (
        "sent",
        "",
        NOW,
        None,
        None,
    )
    assert (sent.frozen, sent.last_code) == (b"", "250")
    assert "[struck out]" in sent.kept


def test_lines_that_begin_with_dots_arrive_whole(sink):
    frozen = put("django", person={"context": {"subject": "Dots", "body": ".\n..\n.x\n\n."}}).frozen
    drain()
    assert sink.mails[0]["data"].encode() == frozen


def test_the_urgent_go_first_and_then_the_longest_due(sink):
    put(to="bulk@example.org", priority=9, due_at=NOW - timedelta(hours=5))
    put(to="later@example.org", due_at=NOW)
    put(to="sooner@example.org", due_at=NOW - MINUTE)
    drain()
    assert sink.recipients == ["sooner@example.org", "later@example.org", "bulk@example.org"]


def test_what_is_not_due_stays(sink):
    put(due_at=NOW + timedelta(seconds=1))
    assert drain() == {}


def test_one_connection_carries_many_letters(sink, monkeypatch):
    opened = []
    monkeypatch.setattr("presessions.mail.wire.Connection.connect", _counting(opened))
    for _ in range(5):
        put()
    assert drain() == {"sent": 5}
    assert len(opened) == 1


def _counting(opened):
    from smtplib import SMTP

    def connect(self, *args, **kwargs):
        opened.append(args)
        return SMTP.connect(self, *args, **kwargs)

    return connect


def test_a_connection_that_has_died_meanwhile_is_opened_again_and_the_letter_not_blamed(sink):
    with Wire() as wire:
        one, two = put(), put()
        delivery.send(delivery.claim(NOW), wire, lambda: NOW)
        wire.smtp.sock.shutdown(socket.SHUT_RDWR)
        delivery.send(delivery.claim(NOW), wire, lambda: NOW)
    assert [fresh(letter).state for letter in (one, two)] == ["sent", "sent"]


def test_a_mailing_is_written_sent_and_done_by_the_bell_alone(sink):
    mailing = make_mailing()
    assert drain(mailing.due_at) == {"written": 3, "sent": 3}
    drain(mailing.due_at)
    mailing.refresh_from_db()
    assert mailing.state == "done"
    assert len(sink.mails) == 3


def test_no_server_at_all_is_waited_for(sink):
    sink.stop()
    one, two = put(), put()
    assert drain() == {"deferred": 1}  # and the other is not tried in vain
    assert (fresh(one).last_code, fresh(two).state) == ("refused", "pending")


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "dot"])
def test_after_a_refusal_the_next_letter_goes_over_a_clean_connection(sink, stage):
    sink.order(**{stage: ["451 later"]})
    put(to="first@example.org")
    put(to="second@example.org")
    assert drain() == {"deferred": 1, "sent": 1}
    assert sink.recipients == ["second@example.org"]


def test_the_server_s_words_are_kept_encrypted_and_can_be_emptied(sink):
    sink.order(RCPT=["550 amina@example.org is unknown"])
    letter = put()
    drain()
    attempt = Attempt.objects.filter(letter=letter).last()
    assert attempt.answer == "amina@example.org is unknown"
    with connection.cursor() as cursor:
        cursor.execute("SELECT answer FROM mail_attempt WHERE id = %s", [attempt.pk])
        assert b"amina" not in bytes(cursor.fetchone()[0])
    assert Attempt.objects.filter(pk=attempt.pk).update(answer="") == 1


@pytest.mark.parametrize("change", [{"code": "250"}, {"state": "sent", "answer": ""}, None])
def test_what_happened_cannot_be_changed_or_deleted(sink, change):
    letter = put()
    drain()
    attempts = Attempt.objects.filter(letter=letter, state="sending")
    with pytest.raises(DatabaseError, match=r"append-only|permission denied"), transaction.atomic():
        attempts.update(**change) if change else attempts.delete()


# --- Trying again -------------------------------------------------------------------------------------------------


def test_it_is_tried_after_1_5_15_60_minutes_and_then_hourly_until_it_expires(sink):
    sink.order(always={"RCPT": {"": "450 busy"}})
    letter, now, waits = put(not_after=NOW + timedelta(hours=4)), NOW, []
    while fresh(letter).state in ("pending", "deferred"):
        drain(now)
        due = fresh(letter).next_attempt_at
        if due:
            waits.append((due - now) // MINUTE)
            now = due
    assert waits == [1, 5, 15, 60, 60, 60, 60]
    assert (fresh(letter).state, fresh(letter).last_code, fresh(letter).frozen) == ("expired", "not_after", b"")


def test_nothing_stale_leaves(sink):
    letter = put(not_after=NOW + MINUTE)
    assert drain(NOW + 2 * MINUTE) == {"expired": 1}
    assert sink.mails == []
    assert fresh(letter).frozen == b""


def test_a_letter_that_is_not_wanted_any_more_is_cancelled_when_its_turn_comes(sink, timetable):
    timetable.recipient("person", still_wanted=lambda letter: letter.recipient_id != "gone")
    gone, here = put(id="gone"), put(id="here")
    assert drain() == {"cancelled": 1, "sent": 1}
    assert [(fresh(letter).state, fresh(letter).last_code) for letter in (gone, here)] == [
        ("cancelled", "unwanted"),
        ("sent", "250"),
    ]


def test_what_was_put_off_until_it_was_too_late_is_shown_to_staff_and_what_was_never_tried_is_not(sink):
    sink.order(RCPT=["452 full"])
    tried = put(not_after=NOW + 2 * MINUTE)
    drain()
    never = put(not_after=NOW + 2 * MINUTE)
    assert drain(NOW + 3 * MINUTE) == {"expired": 2}
    assert list(Letter.objects.to_look_at()) == [tried]
    assert Alarm.objects.get(code="failed").ended_at is None
    assert troubles.count(NOW + 3 * MINUTE)["failed"] == 1
    assert fresh(never).state == "expired"


@pytest.fixture
def told(timetable):
    """What the room above was told of letters that did not arrive: (code, whether the address is dead)."""
    told = []
    timetable.recipient("person", on_bounce=lambda letter, now, code, dead: told.append((code, dead)))
    return told


@pytest.mark.parametrize(
    ("order", "heard"),
    [
        ({"RCPT": ["550 5.1.1 no such user"]}, [("550", True)]),
        ({"RCPT": ["550 no such user"]}, [("550", True)]),
        ({"RCPT": ["550 5.7.1 your kind is not welcome"]}, [("550", False)]),
        ({"RCPT": ["552 5.2.2 mailbox full"]}, [("552", False)]),
        ({"dot": ["554 5.1.1 that is spam"]}, [("554", False)]),
        ({"RCPT": ["450 later"]}, []),
        ({"MAIL": ["550 not you"]}, []),
    ],
)
def test_a_letter_that_is_refused_at_once_is_told_like_one_that_comes_back(sink, told, order, heard):
    sink.order(**order)
    put()
    drain()
    assert told == heard


def test_a_letter_that_was_put_off_for_too_long_is_told_too(sink, told):
    sink.order(RCPT=["452 full"])
    put(not_after=NOW + 2 * MINUTE)
    drain()
    drain(NOW + 3 * MINUTE)
    assert told == [("not_after", False)]


def test_an_address_that_is_theirs_no_more_is_told_and_left_to_staff(sink, timetable):
    told = []
    timetable.recipient(
        "person",
        has_address=lambda letter: False,
        on_bounce=lambda letter, now, code, dead: told.append((code, dead)),
    )
    letter = put()
    assert drain() == {"failed": 1}
    assert told == [("gone", False)]
    assert list(Letter.objects.to_look_at()) == [letter]
    assert sink.mails == []


def test_a_room_that_breaks_over_a_letter_that_did_not_arrive_harms_nothing_else(sink, timetable, caplog):
    timetable.recipient("person", on_bounce=lambda letter, **facts: 1 / 0)
    sink.order(RCPT=["550 no such user"])
    put(), put()
    assert drain() == {"failed": 1, "sent": 1}
    assert "ZeroDivisionError" in caplog.text


def test_a_question_that_fails_harms_its_letter_only(sink, timetable):
    timetable.recipient("person", still_wanted=lambda letter: 1 / int(letter.recipient_id))
    put(id="0"), put(id="1")
    assert drain() == {"failed": 1, "sent": 1}


def test_bytes_that_no_key_opens_harm_their_letter_only(sink):
    broken, _good = put(), put()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE mail_letter SET frozen = '\\x0102' WHERE id = %s", [broken.pk])
    assert drain() == {"failed": 1, "sent": 1}
    assert Letter.objects.defer("frozen").get(pk=broken.pk).last_code == "unreadable"


# --- The switch ---------------------------------------------------------------------------------------------------


def test_when_the_server_refuses_us_all_mail_stops_and_one_letter_is_tried_each_quarter_of_an_hour(sink, caplog):
    sink.order(MAIL=["550 not you", "550 still not you"])
    for number in range(3):
        put(to=f"p{number}@example.org")
    assert drain() == {"deferred": 1}
    assert "all mail is stopped" in caplog.text
    assert drain(NOW + 14 * MINUTE) == {}
    assert drain(NOW + 15 * MINUTE) == {"deferred": 1}
    assert drain(NOW + 16 * MINUTE) == {}
    assert drain(NOW + 30 * MINUTE) == {"sent": 3}
    assert Switch.get().paused_at is None


def test_a_trial_that_finds_no_server_does_not_start_the_mail(sink):
    sink.order(MAIL=["550 not you"], greeting=["220 hello", "drop"])
    put()
    drain()
    drain(NOW + 15 * MINUTE)
    assert Switch.get().paused_at == NOW


def test_a_trial_that_meets_a_dead_address_starts_the_mail(sink):
    sink.order(MAIL=["550 not you"], RCPT=["550 no such user"])
    put(), put()
    drain()
    assert drain(NOW + 15 * MINUTE) == {"failed": 1, "sent": 1}


def test_staff_stop_all_mail_and_only_they_start_it(sink, user):
    put()
    Switch.stop(by=user, now=NOW, reason="wrong list")
    assert drain(NOW + timedelta(days=1)) == {}
    Switch.start(by=user, now=NOW)
    assert drain(NOW + timedelta(days=1)) == {"sent": 1}


def test_a_fault_of_ours_does_not_turn_staff_s_stop_into_one_that_ends_by_itself(user):
    Switch.stop(by=user, now=NOW)
    Switch.fault_is_ours(now=NOW, code="550", answer="")
    Switch.trial_passed()
    assert (Switch.get().paused_at, Switch.get().code) == (NOW, "staff")


@pytest.mark.parametrize(("scheme", "greeting"), [("smtp+tls", None), ("smtps", None), ("smtp://name:secret@", None)])
def test_a_password_or_tls_that_the_server_does_not_offer_never_means_sending_without(sink, settings, scheme, greeting):
    settings.SMTP_URL = (
        sink.url.replace("smtp://", scheme) if "@" in scheme else sink.url.replace("smtp://", f"{scheme}://")
    )
    letter = put()
    drain()
    assert sink.mails == []
    assert fresh(letter).state == "deferred"
    assert bool(Switch.get().paused_at) is (scheme != "smtps")  # there we meet no server that speaks to us


# --- The loop -----------------------------------------------------------------------------------------------------


def test_it_looks_again_each_second_until_its_time_is_up(sink, monkeypatch):
    monkeypatch.setattr(delivery, "POLL_SECONDS", 0.05)
    waits, stop = [], threading.Event()

    def sleep(seconds):
        waits.append(seconds)
        if len(waits) == 2:
            put()
        if len(waits) == 4:
            stop.set()

    monkeypatch.setattr(delivery.time, "sleep", sleep)
    assert delivery.drain(60, now=lambda: NOW, stop=stop) == {"sent": 1}
    assert max(waits) <= 0.05


def test_asked_to_stop_it_finishes_the_letter_in_hand(sink, monkeypatch):
    stop = threading.Event()
    put(), put()
    send = delivery.send

    def send_and_stop(*args):
        stop.set()
        return send(*args)

    monkeypatch.setattr(delivery, "send", send_and_stop)
    assert delivery.drain(60, now=lambda: NOW, stop=stop) == {"sent": 1}


@pytest.mark.django_db(transaction=True)
def test_what_stops_a_helping_hand_is_in_the_log(monkeypatch, caplog):
    hand = delivery.Hand(lambda: NOW, lambda: False)
    monkeypatch.setattr(delivery, "claim", lambda now: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        hand.help()
    assert "ZeroDivisionError" in caplog.text


def test_commits_are_durable_whatever_the_server_is_set_to(sink):
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
        drain()
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone()[0] == "on"


def test_the_log_names_letters_by_number_only(sink, caplog):
    caplog.set_level(logging.DEBUG)
    sink.order(
        dot=["accept-drop", "554 amina@example.org is blocked"], MAIL=["250 ok", "250 ok", "550 amina@example.org"]
    )
    put(), put()
    drain()
    assert "amina" not in caplog.text


def test_people_who_join_late_are_sent_to_when_caught_up(sink, people, user):
    mailing = make_mailing()
    drain(mailing.due_at)
    people.append(Recipient("mission", "4", to="new@example.org"))
    drain(mailing.due_at)
    mailing.refresh_from_db()
    schedule.catch_up(mailing, mailing.due_at, by=user)
    drain(mailing.due_at)
    assert sink.recipients[3:] == ["new@example.org"]
