"""A series is closed once nothing is left to do: nobody without an answer, no meeting ahead, no call open."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from applications.models import Call
from missions import closing
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
