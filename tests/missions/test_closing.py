"""A series is closed once nothing is left to do: nobody without an answer, no meeting ahead, no call open."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from applications.models import Call
from missions import closing
from presessions.mail import schedule
from presessions.mail.models import Mailing
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import geneva
from presessions.upr.models import Series
from tests.accounts.factories import StaffFactory
from tests.applications.factories import ApplicationFactory
from tests.upr.factories import SessionFactory, StateFactory, StateUnderReviewFactory

pytestmark = pytest.mark.django_db
SET_UP = datetime(2026, 1, 5, 9, tzinfo=UTC)
CLOSES, START = geneva(date(2026, 3, 10)), geneva(date(2026, 4, 14), 10)
AFTER = START + timedelta(days=7)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(AFTER, tick=False) as clock:
        yield clock


@pytest.fixture
def series():
    """Kenya's meeting was held; nobody had applied."""
    session = SessionFactory()
    StateUnderReviewFactory(session=session, state=StateFactory(iso2="KE"))
    series = Series.open_for(session, now=SET_UP, first_day=date(2026, 4, 14), last_day=date(2026, 4, 16))
    kenya(series).reschedule(now=SET_UP, starts_at=START)
    Call.open_for(series, opens_at=SET_UP, closes_at=CLOSES, now=SET_UP)
    kenya(series).mark_held(now=AFTER)
    return series


def kenya(series):
    return series.meetings().with_state().get()


def applicant(series, **status):
    return ApplicationFactory(state_call=series.call.state_calls.with_state().get(), **status)


def test_with_nothing_left_to_do_it_goes_into_the_books(series):
    for status in ("declined", "waitlisted", "accepted", "withdrawn"):
        applicant(series, **{status: True})
    staff = StaffFactory()
    closing.close(series, by=staff, now=AFTER, reason="All done.")
    series.refresh_from_db()
    assert series.closed_at == AFTER
    event = Event.objects.about(series).get(code="closed")
    assert (event.staff_id, event.refused, event.reason.text) == (staff.pk, False, "All done.")


def test_nobody_may_be_left_without_an_answer(series):
    applicant(series, submitted=True)
    with pytest.raises(WrongStep, match="1 applicant is still without an answer"):
        closing.close(series, by=None, now=AFTER)
    series.refresh_from_db()
    assert series.closed_at is None
    assert Event.objects.about(series).get(code="closed").refused


def test_no_meeting_may_lie_ahead(series):
    kenya_again = StateUnderReviewFactory(session=series.session, state=StateFactory(iso2="PE"))
    series.add_meetings(now=AFTER)
    with pytest.raises(WrongStep, match="1 meeting has neither been marked as held nor called off"):
        closing.close(series, by=None, now=AFTER)
    kenya_again.meeting.call_off("too_few", now=AFTER)
    closing.close(series, by=None, now=AFTER)


def test_no_call_may_be_open(series):
    series.call.move_deadline(AFTER + timedelta(days=1), now=AFTER)
    with pytest.raises(WrongStep, match="still open for 1 State"):
        closing.close(series, by=None, now=AFTER)


def test_a_closed_series_takes_no_application(series):
    closing.close(series, by=None, now=AFTER)
    Call.objects.get().move_deadline(AFTER + timedelta(days=30), now=AFTER)
    state_call = Call.objects.get().state_calls.with_state().get()
    assert not state_call.is_open(AFTER)
    assert not type(state_call).objects.open(AFTER).exists()
    closing.reopen(Series.objects.get(), by=None, now=AFTER)
    assert Call.objects.get().state_calls.with_state().get().is_open(AFTER)


def test_of_two_clicks_one_wins(series):
    closing.close(series, by=None, now=AFTER)
    with pytest.raises(WrongStep, match="closed already"):
        closing.close(series, by=None, now=AFTER)
    assert sorted(Event.objects.about(series).filter(code="closed").values_list("refused", flat=True)) == [False, True]


def test_what_is_open_cannot_be_opened_again(series):
    with pytest.raises(WrongStep, match="are not closed"):
        closing.reopen(series, by=None, now=AFTER)
    assert Event.objects.about(series).get(code="reopened").refused


# --- Its mailings -----------------------------------------------------------------------------------------------------

EARLY = SET_UP + timedelta(days=1)
THANKS = {"thanks_speakers", "thanks_missions"}


@pytest.fixture
def called_off(clock):
    """Kenya's meeting was called off the day after it was set up: nothing has gone, and everything would."""
    clock.move_to(EARLY)
    session = SessionFactory()
    StateUnderReviewFactory(session=session, state=StateFactory(iso2="KE"))
    series = Series.open_for(session, now=SET_UP, first_day=date(2026, 4, 14), last_day=date(2026, 4, 16))
    Call.open_for(series, opens_at=EARLY + timedelta(days=30), closes_at=CLOSES, now=SET_UP)
    kenya(series).call_off("postponed", now=EARLY)
    return series


def mailing(series, kind):
    return series.mailings.get(kind=kind)


def states(series):
    return {one.kind: one.state for one in series.mailings.filter(meeting=None)}


def test_none_of_its_mailings_goes_out_any_more_and_opened_again_they_do(called_off):
    before = states(called_off)
    assert {"call", "invitation", "briefing", "reminder"} <= {
        kind for kind, is_now in before.items() if is_now == "planned"
    }
    closing.close(called_off, by=None, now=EARLY)
    assert set(states(called_off).values()) == {"not_needed"}
    closing.reopen(called_off, by=None, now=EARLY)
    assert states(called_off) == before


def test_a_date_that_changes_afterwards_brings_none_back(called_off):
    closing.close(called_off, by=None, now=EARLY)
    called_off.reschedule(now=EARLY, first_day=date(2026, 4, 21), last_day=date(2026, 4, 22))
    mailing(called_off, "invitation").send_now(by=StaffFactory(), now=EARLY)
    schedule.write_due(AFTER)
    assert set(states(called_off).values()) == {"not_needed"}


def test_what_was_to_go_meanwhile_waits_for_staff_when_it_is_opened_again(called_off):
    closing.close(called_off, by=None, now=EARLY)
    closing.reopen(called_off, by=None, now=mailing(called_off, "call").due_at + timedelta(days=1))
    assert (mailing(called_off, "call").state, mailing(called_off, "call").held_reason) == ("held", "past")
    assert mailing(called_off, "invitation").state == "planned"


def test_what_staff_held_is_held_again_and_not_planned(called_off):
    mailing(called_off, "invitation").hold(by=StaffFactory(), now=EARLY)
    closing.close(called_off, by=None, now=EARLY)
    assert mailing(called_off, "invitation").state == "not_needed"
    closing.reopen(called_off, by=None, now=EARLY)
    assert (mailing(called_off, "invitation").state, mailing(called_off, "invitation").held_reason) == ("held", "staff")


def test_what_was_written_to_be_looked_at_and_let_go_does_not_leave(called_off):
    invitation = mailing(called_off, "invitation")
    invitation.freeze(by=StaffFactory(), now=EARLY)
    schedule.write_due(EARLY)
    invitation.refresh_from_db()
    invitation.resume(by=StaffFactory(), now=EARLY)
    assert invitation.state == "planned"
    closing.close(called_off, by=None, now=EARLY)
    assert (mailing(called_off, "invitation").state, mailing(called_off, "invitation").held_reason) == ("held", "look")


@pytest.mark.parametrize("state", ["writing", "sending", "done"])
def test_what_has_begun_goes_on_and_is_named(called_off, state):
    Mailing.objects.filter(kind="call").update(state=state, writing_at=EARLY)
    named = {one.what: (one.before, one.after) for one in closing.look(called_off, by=None, now=EARLY)}
    gone = "went out Tue 6 January 2026, 10:00 Geneva time"
    assert named.get(f"call for applications, {called_off}") == (None if state == "done" else (gone, gone))
    closing.close(called_off, by=None, now=EARLY)
    assert mailing(called_off, "call").state == state


def test_a_proposed_correction_is_taken_back_and_proposed_again(called_off):
    invitation = mailing(called_off, "invitation")
    told = {"at": EARLY.isoformat(), "dates": {kenya(called_off).uid: START.isoformat()}}
    Mailing.objects.filter(pk=invitation.pk).update(state="done", writing_at=EARLY, told=told)
    schedule.plan(called_off, EARLY)
    assert mailing(called_off, "correction_missions").state == "held"
    closing.close(called_off, by=None, now=EARLY)
    called_off.announce_dates(now=EARLY)
    assert mailing(called_off, "correction_missions").state == "not_needed"
    assert "right again" not in schedule.explain(mailing(called_off, "correction_missions"))
    closing.reopen(called_off, by=None, now=EARLY)
    assert mailing(called_off, "correction_missions").state == "held"


def test_whoever_came_to_a_meeting_is_thanked_all_the_same(series, clock):
    clock.move_to(START)
    schedule.plan(series, START - timedelta(days=30))
    assert {mailing(series, kind).state for kind in THANKS} == {"planned"}
    closing.close(series, by=None, now=START)
    stopped = {kind: state for kind, state in states(series).items() if kind not in THANKS}
    assert set(stopped.values()) <= {"not_needed", "cancelled", "done"}
    assert {mailing(series, kind).state for kind in THANKS} == {"planned"}


def test_looking_at_what_would_stop_stops_nothing(called_off):
    before = states(called_off)
    assert closing.look(called_off, by=None, now=EARLY)
    assert states(called_off) == before and called_off.closed_at is None
    assert not Event.objects.about(called_off).filter(code="closed").exists()


# --- By its page ------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(client):
    client.force_login(StaffFactory())
    return client


def test_the_page_says_what_is_left_and_where(desk, series):
    applicant(series, submitted=True)
    page = desk.get(reverse("admin:upr_series_close", args=[series.pk]))
    assert [one.words for one in page.context["left"]] == ["1 applicant is still without an answer."]
    assert page.context["left"][0].url in page.content.decode()


def test_a_button_that_was_there_is_refused_in_words_when_somebody_has_applied_since(desk, series):
    applicant(series, submitted=True)
    answer = desk.post(reverse("admin:upr_series_close", args=[series.pk]), follow=True)
    assert "still without an answer" in answer.content.decode()
    assert Event.objects.about(series).get(code="closed").refused


def test_the_page_lists_the_mailings_that_would_stop(desk, called_off):
    words = " ".join(desk.get(reverse("admin:upr_series_close", args=[called_off.pk])).content.decode().split())
    assert "Mailings that change with it" in words
    assert f"<strong>Invitation, {called_off}</strong>" in words
    assert "<dd>goes out " in words and "<dd><strong>not needed</strong></dd>" in words


def test_what_is_stopped_is_not_offered_to_be_sent(desk, called_off):
    page = reverse("admin:mail_mailing_change", args=[mailing(called_off, "invitation").pk])
    assert "send_now" in desk.get(page).content.decode()
    closing.close(called_off, by=None, now=EARLY)
    assert "send_now" not in desk.get(page).content.decode()


def test_close_and_open_again_by_the_page(desk, series):
    page = reverse("admin:upr_series_close", args=[series.pk])
    desk.post(page, {"reason": "All done."})
    assert "Closed on" in desk.get(page).content.decode()
    desk.post(reverse("admin:upr_series_reopen", args=[series.pk]), {"reason": "One came late."})
    assert Series.objects.get().closed_at is None


@pytest.mark.parametrize("step", ["close", "reopen"])
def test_only_for_those_who_may(client, series, step):
    client.force_login(StaffFactory(is_superuser=False))
    assert client.post(reverse(f"admin:upr_series_{step}", args=[series.pk])).status_code == 403
