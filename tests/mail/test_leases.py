"""Workers that die, sleep, or work at the same time. Real connections, real processes, real commits."""

import signal
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from presessions.mail import delivery, schedule
from presessions.mail.delivery import NotAnyMore
from presessions.mail.models import Letter, Mailing, Switch
from presessions.mail.wire import Wire
from tests.mail.factories import LONG_BEFORE, make_mailing, put, put_now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]
real_commits = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
NOW = LONG_BEFORE


def fresh(letter):
    return Letter.objects.get(pk=letter.pk)


def let_lease_end(letter):
    Letter.objects.filter(pk=letter.pk).update(lease_until=Now() - timedelta(seconds=1))


def at_once(number, work):
    """Run `work(n)` in so many threads that start together; what they returned or raised, in order."""
    results, start = [None] * number, threading.Barrier(number)

    def run(n):
        try:
            start.wait()
            results[n] = work(n)
        except Exception as error:
            results[n] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# --- Dead workers -------------------------------------------------------------------------------------------------


def test_a_lease_that_runs_is_respected():
    put()
    assert delivery.claim(NOW)
    delivery.recover(NOW + timedelta(days=1))  # leases run by the database's clock, not by ours
    assert delivery.claim(NOW + timedelta(days=1)) is None


def test_a_lease_is_longer_than_every_legal_wait(settings):
    assert settings.MAIL_LEASE > settings.MAIL_FINAL_DOT_TIMEOUT + settings.MAIL_COMMAND_TIMEOUT


def test_dead_before_the_mark_nothing_was_offered_and_it_is_simply_tried_again(sink):
    letter = put()
    delivery.claim(NOW)
    let_lease_end(letter)
    assert delivery.drain(0, now=lambda: NOW) == {"sent": 1}
    assert (fresh(letter).resends, fresh(letter).uncertain_at) == (0, None)


def test_dead_after_the_mark_nobody_can_know(sink):
    letter = put()
    delivery._mark(delivery.claim(NOW), NOW)
    let_lease_end(letter)
    delivery.recover(NOW)
    doubtful = fresh(letter)
    assert (doubtful.state, doubtful.resends, doubtful.uncertain_at) == ("deferred", 1, NOW)
    assert doubtful.next_attempt_at == NOW + timedelta(minutes=15)


def test_dead_after_the_mark_of_the_repeat_it_waits_for_staff(sink):
    letter = put()
    for now in (NOW, NOW + timedelta(minutes=15)):
        delivery._mark(delivery.claim(now), now)
        let_lease_end(letter)
        delivery.recover(now)
    assert fresh(letter).state == "uncertain"


# --- Sleeping workers: the mark is a fence ------------------------------------------------------------------------


def test_a_worker_that_slept_past_its_lease_hangs_up_before_data(sink):
    letter = put()
    asleep = delivery.claim(NOW)
    let_lease_end(letter)
    delivery.recover(NOW)
    with Wire() as wire:
        assert delivery.send(asleep, wire, lambda: NOW) == "lost"
    assert sink.mails == []
    assert fresh(letter).state == "deferred"


def test_a_worker_that_slept_while_another_has_the_letter_touches_nothing(sink):
    put()
    asleep = delivery.claim(NOW)
    let_lease_end(asleep)
    delivery.recover(NOW)
    other = delivery.claim(NOW)
    with pytest.raises(NotAnyMore):
        delivery._mark(asleep, NOW)
    assert fresh(other).lease_token == other.lease_token


def test_a_worker_marks_once():
    put()
    letter = delivery.claim(NOW)
    delivery._mark(letter, NOW)
    with pytest.raises(NotAnyMore):
        delivery._mark(letter, NOW)


def test_a_worker_that_slept_over_the_answer_still_tells_the_truth_if_nobody_has_tried_since(sink, monkeypatch):
    letter = put()
    asleep = delivery.claim(NOW)
    settle = delivery._settle

    def settle_late(*args):
        let_lease_end(letter)
        delivery.recover(NOW)
        return settle(*args)

    monkeypatch.setattr(delivery, "_settle", settle_late)
    with Wire() as wire:
        assert delivery.send(asleep, wire, lambda: NOW) == "sent"
    assert (fresh(letter).state, fresh(letter).uncertain_at) == ("sent", NOW)
    assert fresh(letter).next_attempt_at is None


def test_a_worker_that_slept_over_the_answer_says_nothing_while_another_tries(sink, monkeypatch):
    letter = put()
    asleep = delivery.claim(NOW)
    settle = delivery._settle

    def settle_late(*args):
        let_lease_end(letter)
        delivery.recover(NOW)
        assert delivery.claim(NOW + timedelta(minutes=15))
        return settle(*args)

    monkeypatch.setattr(delivery, "_settle", settle_late)
    with Wire() as wire:
        assert delivery.send(asleep, wire, lambda: NOW) == "lost"
    assert fresh(letter).state == "sending"


def test_a_late_refusal_does_not_undo_a_success(sink):
    put()
    letter = delivery.claim(NOW)
    Letter.objects.update(state="sent", lease_token=None)
    assert delivery._finish(letter, "failed", NOW, "550") == "lost"


# --- Many at once -------------------------------------------------------------------------------------------------


@real_commits
def test_two_workers_never_get_the_same_letter():
    for _ in range(20):
        put()
    claimed = at_once(4, lambda n: [letter.pk for letter in iter(lambda: delivery.claim(NOW), None)])
    assert Counter(pk for mine in claimed for pk in mine) == Counter(Letter.objects.values_list("pk", flat=True))
    assert set(Letter.objects.values_list("attempts", flat=True)) == {1}


@real_commits
def test_one_key_put_down_by_many_is_one_letter():
    letters = at_once(6, lambda n: put(key="receipt:A:1"))
    assert {letter.pk for letter in letters} == set(Letter.objects.values_list("pk", flat=True))
    assert Letter.objects.get().links.count() == 1


@real_commits
def test_two_writers_write_each_letter_once(monkeypatch, people):
    monkeypatch.setattr("presessions.mail.writing.BATCH", 1)
    mailing = make_mailing()
    at_once(4, lambda n: schedule.write_due(mailing.due_at))
    schedule.write_due(mailing.due_at)  # whoever came last may have left it to another
    assert mailing.letters.count() == len(people)
    assert len(list(iter(lambda: Letter.take(mailing.due_at), None))) == len(people)
    assert Mailing.objects.get(pk=mailing.pk).state == "sending"


@real_commits
def test_one_trial_is_made_by_one_worker():
    Switch.fault_is_ours(now=NOW, code="550", answer="")
    later = NOW + timedelta(minutes=15)
    assert at_once(6, lambda n: Switch.begin_trial(later)).count(True) == 1


# --- Processes ----------------------------------------------------------------------------------------------------


def wait_for(condition):
    for _ in range(400):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("It never happened.")


@real_commits
def test_several_processes_share_the_work_and_send_each_letter_once(sink, send_due):
    put_now(60)
    processes = [send_due("--once") for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert Counter(sink.recipients) == Counter(f"p{n}@example.org" for n in range(60))
    assert set(Letter.objects.values_list("state", "attempts")) == {("sent", 1)}
    assert "example.org" not in "".join(said)


@real_commits
def test_a_killed_process_leaves_a_letter_that_is_known_to_be_doubtful(sink, send_due):
    sink.order(dot=["accept-hang"])
    put_now(1)
    process = send_due("--seconds", "60")
    wait_for(lambda: sink.mails)
    process.send_signal(signal.SIGKILL)
    process.wait()
    letter = Letter.objects.get()
    assert (letter.state, letter.phase) == ("sending", "data")
    let_lease_end(letter)
    delivery.recover(timezone.now())
    assert (fresh(letter).state, fresh(letter).resends) == ("deferred", 1)


@real_commits
def test_a_worker_asleep_amid_its_commit_holds_up_nothing_but_its_own_letter():
    """The storm found it: whoever asked for leases that are over waited for the sleeper's lock, and sent nothing."""
    locked, others, awake, asleep = put(), put(), threading.Event(), threading.Event()
    for letter in (delivery.claim(NOW), delivery.claim(NOW)):
        let_lease_end(letter)

    def sleeper():
        with transaction.atomic():
            Letter.objects.filter(pk=locked.pk).update(phase="data")
            asleep.set()
            awake.wait(20)
        connection.close()

    worker = threading.Thread(target=sleeper)
    worker.start()
    asleep.wait(20)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        delivery.recover(NOW)
        assert (fresh(locked).state, fresh(others).state) == ("sending", "deferred")
    finally:
        awake.set()
        worker.join()
        connection.close()


@real_commits
def test_a_process_that_is_asked_to_end_leaves_nothing_half_done(sink, send_due):
    put_now(200)
    process = send_due("--seconds", "60")
    wait_for(lambda: sink.mails)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert set(Letter.objects.values_list("state", flat=True)) <= {"sent", "pending"}
    assert f"{Letter.objects.filter(state='sent').count()} sent" in said


# --- A table full of old letters ----------------------------------------------------------------------------------


def plan_of(queryset):
    return queryset.explain()


def test_what_the_bell_asks_reads_small_indexes_however_many_letters_are_settled():
    put()
    columns = [field.column for field in Letter._meta.fields if field.column not in ("id", "key", "state")]
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO mail_letter (key, state, {names}) SELECT 'old:' || n, 'sent', {names} "
            "FROM mail_letter, generate_series(1, 20000) n"
        )
        cursor.execute("ANALYZE mail_letter")
    assert "letter_claimable" in "".join(Letter.plan_of_take(NOW))
    assert "Seq Scan on mail_letter" not in "".join(Letter.plan_of_take(NOW))
    assert "letter_in_hand" in plan_of(Letter.objects.filter(state="sending", lease_until__lt=Now())[:100])
    assert "letter_to_look_at" in plan_of(Letter.objects.to_look_at().order_by("-created_at")[:50])
    assert "letter_of_mailing" in plan_of(Letter.objects.filter(mailing=7).unsettled()[:1])
