"""Every letter of a mailing is written before the first one leaves, wherever a writer is killed."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction

from presessions.mail import delivery, outbox, schedule
from presessions.mail.models import Letter, Mailing
from presessions.mail.registry import Recipient
from presessions.trail.models import Event
from tests.mail.factories import GENEVA, geneva, make_mailing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

DUE = geneva(2026, 11, 17, 9)


class Killed(BaseException):
    """As sudden as SIGKILL."""


@pytest.fixture
def kill_after(monkeypatch):
    """Kill the writer after so many letters, at the end of a batch or in the middle of it."""

    def kill_after(number, *, batch):
        monkeypatch.setattr("presessions.mail.writing.BATCH", batch)
        put, calls = outbox.put, iter(range(number))

        def put_or_die(**letter):
            if next(calls, None) is None:
                raise Killed
            return put(**letter)

        monkeypatch.setattr(outbox, "put", put_or_die)

    return kill_after


def taken(now):
    """Every letter that may leave now, the first first."""
    return list(iter(lambda: Letter.take(now), None))


def test_nothing_is_written_before_it_is_due():
    make_mailing()
    assert schedule.write_due(DUE - timedelta(seconds=1)) == 0
    assert not Letter.objects.exists()


def test_when_due_every_person_gets_one_letter_and_all_may_leave():
    mailing = make_mailing()
    assert schedule.write_due(DUE) == 3
    mailing.refresh_from_db()
    assert (mailing.state, mailing.writing_at, mailing.written_at) == ("sending", DUE, DUE)
    assert len(taken(DUE)) == 3
    assert {letter.key for letter in mailing.letters.all()} == {
        f"invitation:{mailing.pk}:mission:{number}" for number in (1, 2, 3)
    }


def test_writing_twice_writes_once(people):
    make_mailing()
    people.append(people[0])
    assert [schedule.write_due(DUE), schedule.write_due(DUE)] == [3, 0]


@pytest.mark.parametrize("batch", [1, 2])
def test_killed_in_the_middle_none_leaves_and_the_next_writer_goes_on(kill_after, monkeypatch, batch):
    mailing = make_mailing()
    with monkeypatch.context():
        kill_after(2, batch=batch)
        with pytest.raises(Killed):
            schedule.write_due(DUE)
    mailing.refresh_from_db()
    assert (mailing.state, mailing.letters.count()) == ("writing", 2)
    assert taken(DUE + timedelta(days=1)) == []
    assert delivery.claim(DUE + timedelta(days=1)) is None

    monkeypatch.undo()


def test_after_a_killed_writer_the_next_one_writes_only_what_is_missing(kill_after, monkeypatch, timetable, people):
    make_mailing()
    put = outbox.put
    kill_after(2, batch=1)
    with pytest.raises(Killed):
        schedule.write_due(DUE)
    monkeypatch.setattr(outbox, "put", put)
    assert schedule.write_due(DUE + timedelta(minutes=1)) == 1
    assert len(taken(DUE + timedelta(minutes=1))) == 3


def test_held_while_it_is_written_the_writer_stops(monkeypatch, timetable, user):
    monkeypatch.setattr("presessions.mail.writing.BATCH", 1)

    def audience(mailing):
        yield Recipient("mission", "1", to="a@example.org")
        Mailing.objects.get(pk=mailing.pk).hold(by=user, now=DUE)
        yield Recipient("mission", "2", to="b@example.org")

    texts = {"label": "gala", "audience": "all", "template": "plain"}
    timetable.mailing("gala", days_before=("working_group", 9), **texts)(audience)
    gala = make_mailing("gala")
    assert schedule.write_due(gala.due_at) >= 1
    gala.refresh_from_db()
    assert (gala.state, gala.letters.count()) == ("held", 1)


def test_letters_die_with_the_mailing_s_last_useful_moment():
    mailing = make_mailing()
    schedule.write_due(DUE)
    assert {letter.not_after.astimezone(GENEVA) for letter in mailing.letters.all()} == {geneva(2026, 12, 17)}


def test_without_such_a_moment_they_die_after_a_week():
    mailing = make_mailing("briefing")
    schedule.write_due(mailing.due_at)
    assert {letter.not_after for letter in mailing.letters.all()} == {mailing.due_at + timedelta(days=7)}


# --- Late, past, pointless ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("late_by", "state", "reason"),
    [
        (timedelta(days=3), "sending", ""),
        (timedelta(days=3, seconds=1), "held", "late"),
        (timedelta(days=70), "held", "pointless"),
    ],
)
def test_late_mail_goes_within_its_grace_while_it_is_of_use_and_waits_for_staff_otherwise(late_by, state, reason):
    mailing = make_mailing()
    schedule.write_due(DUE + late_by)
    mailing.refresh_from_db()
    assert (mailing.state, mailing.held_reason) == (state, reason)
    assert bool(taken(DUE + late_by)) is (state == "sending")


def test_a_call_is_held_from_the_moment_of_its_deadline(dates):
    dates["deadline"] = geneva(2026, 11, 16)
    call = make_mailing("call")
    dates["deadline"] = call.due_at + timedelta(hours=5)
    schedule.write_due(call.due_at + timedelta(hours=5))
    call.refresh_from_db()
    assert (call.state, call.held_reason) == ("held", "pointless")


def test_staff_let_a_late_mailing_go(user):
    mailing = make_mailing()
    late = DUE + timedelta(days=4)
    schedule.write_due(late)
    mailing.refresh_from_db()
    mailing.resume(by=user, now=late)
    schedule.write_due(late + timedelta(minutes=1))
    mailing.refresh_from_db()
    assert mailing.state == "sending"


# --- One that breaks ------------------------------------------------------------------------------------------------


def divide_by_zero(*args):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1/0")


def gone_away(*args):
    raise OperationalError("server closed the connection unexpectedly")


def first_of_two(timetable, audience):
    """A mailing of this audience, due with the invitation and written before it; and the invitation."""
    texts = {"label": "gala", "audience": "all", "template": "plain"}
    timetable.mailing("gala", months_before=("working_group", 1), **texts)(audience)
    gala = make_mailing("gala")
    invitation = gala.series.mailings.get(kind="invitation")
    Mailing.objects.filter(pk=gala.pk).update(due_at=DUE)
    Mailing.objects.exclude(pk__in=(gala.pk, invitation.pk)).delete()
    return gala, invitation


@pytest.mark.parametrize("audience", [divide_by_zero, lambda mailing: 1 / 0])
def test_an_audience_that_fails_holds_its_mailing_and_stops_no_other(timetable, audience, sink):
    gala, invitation = first_of_two(timetable, audience)
    assert schedule.write_due(DUE) == 3
    gala.refresh_from_db(), invitation.refresh_from_db()
    assert (gala.state, gala.held_reason, invitation.state) == ("held", "audience", "sending")
    assert delivery.drain(0, now=lambda: DUE) == {"sent": 3}


@pytest.mark.parametrize("find", [divide_by_zero, lambda *args: 1 / 0])
def test_a_date_that_fails_holds_its_mailing_and_stops_no_other(timetable, people, find):
    gala, invitation = first_of_two(timetable, lambda mailing: people)
    timetable.anchor("broken", "a broken date")(find)
    Mailing.objects.filter(pk=gala.pk).update(pointless_after="broken")
    assert schedule.write_due(DUE) == 3
    gala.refresh_from_db(), invitation.refresh_from_db()
    assert (gala.state, gala.held_reason, invitation.state) == ("held", "audience", "sending")
    assert not Event.objects.about(gala).filter(code="writing").exists()


def test_a_mailing_whose_letters_would_outlive_the_calendar_is_held_and_stops_no_other(timetable, people):
    gala, invitation = first_of_two(timetable, lambda mailing: people)
    Mailing.objects.filter(pk=gala.pk).update(state="writing", due_at=geneva(9999, 12, 30))
    assert schedule.write_due(DUE) == 3
    gala.refresh_from_db(), invitation.refresh_from_db()
    assert (gala.state, gala.held_reason, invitation.state) == ("held", "audience", "sending")


def test_what_is_being_sent_is_not_held_when_it_cannot_be_closed(monkeypatch):
    mailing = make_mailing()
    schedule.write_due(DUE)
    monkeypatch.setattr("presessions.mail.writing._finish", divide_by_zero)
    assert schedule.write_due(DUE) == 0
    assert Mailing.objects.get(pk=mailing.pk).state == "sending"


def test_a_database_that_is_away_holds_nothing(timetable):
    gala, _invitation = first_of_two(timetable, gone_away)
    with pytest.raises(OperationalError):
        schedule.write_due(DUE)
    gala.refresh_from_db()
    assert (gala.state, gala.held_reason) == ("writing", "")


# --- Settled, and late joiners ------------------------------------------------------------------------------------


def test_a_mailing_is_done_when_its_last_letter_is_settled():
    mailing = make_mailing()
    schedule.write_due(DUE)
    mailing.letters.filter(recipient_id__in=("1", "2")).update(state="sent")
    mailing.letters.filter(recipient_id="3").update(state="uncertain")
    schedule.write_due(DUE)
    assert Mailing.objects.get(pk=mailing.pk).state == "sending"  # nobody knows about the third yet
    mailing.letters.update(state="sent")
    schedule.write_due(DUE)
    assert Mailing.objects.get(pk=mailing.pk).state == "done"


def test_a_mailing_to_nobody_is_done(people):
    people.clear()
    mailing = make_mailing()
    schedule.write_due(DUE)
    schedule.write_due(DUE)
    assert Mailing.objects.get(pk=mailing.pk).state == "done"


def test_late_joiners_are_listed_and_caught_up_under_the_same_keys(people, user):
    mailing = make_mailing()
    schedule.write_due(DUE)
    Letter.objects.update(state="sent")
    schedule.write_due(DUE)
    people.append(Recipient("mission", "4", to="new@example.org"))
    mailing.refresh_from_db()
    assert [person.id for person in schedule.missing(mailing)] == ["4"]
    assert schedule.catch_up(mailing, DUE + timedelta(days=1), by=user) == 1
    assert schedule.missing(mailing) == []
    assert [letter.recipient_id for letter in taken(DUE + timedelta(days=1))] == ["4"]


def test_every_step_of_the_clock_is_in_the_trail():
    mailing = make_mailing()
    schedule.write_due(DUE)
    Letter.objects.update(state="sent")
    schedule.write_due(DUE)
    assert [event.code for event in Event.objects.about(mailing)] == ["writing", "written", "done"]
