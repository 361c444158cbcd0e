"""Series and meetings: set up in one step, changed by steps that tell the floors above, refused in words."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import GENEVA, geneva
from presessions.upr.models import CountryMeeting, Series, StateUnderReview
from presessions.upr.rules import overlaps
from presessions.upr.signals import dates_changed
from tests.accounts.factories import StaffFactory
from tests.upr.factories import (
    CountryMeetingFactory,
    SeriesFactory,
    SessionFactory,
    StateFactory,
    StateUnderReviewFactory,
)

pytestmark = pytest.mark.django_db

Status, NotHeld = CountryMeeting.Status, CountryMeeting.NotHeld
TUESDAY, THURSDAY = date(2026, 4, 14), date(2026, 4, 16)


@pytest.fixture
def announced():
    """The series whose dates were announced, each time whether that was inside a transaction."""
    heard = []

    def hear(series, now, **kwargs):
        heard.append((series.number, connection.in_atomic_block))

    dates_changed.connect(hear)
    yield heard
    dates_changed.disconnect(hear)


# --- Setting up -----------------------------------------------------------------------------------------------------


def test_a_series_has_a_meeting_for_each_state_expected_in_its_session(now):
    session = SessionFactory()
    for iso2, status in (("KE", "scheduled"), ("CI", "rescheduled"), ("FR", "moved"), ("PE", "reviewed")):
        StateUnderReviewFactory(session=session, state=StateFactory(iso2=iso2), status=status)
    StateUnderReviewFactory(session=SessionFactory(number=55), state=StateFactory(iso2="SN"))
    series = Series.open_for(session, now=now, venue="Palais des Nations")
    assert (str(series), series.venue) == ("Pre-sessions 54", "Palais des Nations")
    assert [meeting.state.iso2 for meeting in series.meetings()] == ["CI", "KE"]


def test_setting_up_announces_the_dates_and_leaves_its_event(now, announced):
    staff = StaffFactory()
    series = Series.open_for(SessionFactory(), now=now, by=staff)
    assert announced == [(54, True)]
    assert Event.objects.about(series).values_list("code", "staff_id", "refused").get() == ("opened", staff.pk, False)


def test_a_series_is_set_up_once(now, announced):
    session = SessionFactory()
    series = Series.open_for(session, now=now)
    with pytest.raises(WrongStep, match="Pre-sessions 54 are already set up"):
        Series.open_for(session, now=now, venue="Elsewhere")
    assert Series.objects.get().venue == ""
    assert list(Event.objects.about(series).values_list("refused", flat=True)) == [False, True]
    assert len(announced) == 1


def test_a_series_takes_the_days_that_the_sources_know(now):
    session = SessionFactory(presessions_start_on=TUESDAY, presessions_end_on=THURSDAY)
    assert Series.open_for(session, now=now).first_day == TUESDAY
    other = SessionFactory(number=55, presessions_start_on=TUESDAY, presessions_end_on=THURSDAY)
    assert Series.open_for(other, now=now, first_day=None).first_day is None


def test_two_meetings_never_share_an_identifier_in_calendars():
    assert CountryMeetingFactory().uid != CountryMeetingFactory().uid


# --- First and last meeting -----------------------------------------------------------------------------------------


def test_first_and_last_are_the_known_starts_of_meetings_not_called_off(now):
    series = SeriesFactory()
    for hour in (9, 11, 15):
        CountryMeetingFactory(series=series, starts_at=geneva(TUESDAY, hour))
    CountryMeetingFactory(series=series, starts_at=None)
    assert (series.first_meeting_at(), series.last_meeting_at()) == (geneva(TUESDAY, 9), geneva(TUESDAY, 15))
    series.meetings()[0].call_off(NotHeld.TOO_FEW, now=now)
    assert series.first_meeting_at() == geneva(TUESDAY, 11)


def test_without_known_starts_the_series_days_count():
    series = SeriesFactory()
    CountryMeetingFactory(series=series, starts_at=None)
    assert (series.first_meeting_at(), series.last_meeting_at()) == (geneva(TUESDAY), geneva(THURSDAY))


def test_without_any_date_the_first_meeting_is_unknown():
    series = SeriesFactory(first_day=None, last_day=None)
    assert (series.first_meeting_at(), series.last_meeting_at()) == (None, None)


def test_the_programme_is_in_order_of_time_and_then_of_states():
    series = SeriesFactory()
    for iso2, starts_at in (("ET", None), ("CI", None), ("KE", geneva(TUESDAY, 11)), ("FR", geneva(TUESDAY, 9))):
        CountryMeetingFactory(series=series, state=StateFactory(iso2=iso2), starts_at=starts_at)
    assert [meeting.state.iso2 for meeting in series.meetings()] == ["FR", "KE", "CI", "ET"]


@pytest.mark.parametrize("count", [1, 4])
def test_a_programme_with_states_and_series_costs_one_query(count, django_assert_num_queries):
    for _ in range(count):
        CountryMeetingFactory()
    series = Series.objects.select_related("session").get()
    with django_assert_num_queries(1):
        assert len([(meeting.state.name, meeting.series.pk) for meeting in series.meetings().with_state()]) == count


# --- Steps ----------------------------------------------------------------------------------------------------------


def test_a_new_start_is_announced_and_raises_the_version_in_calendars(now, announced):
    meeting, staff = CountryMeetingFactory(), StaffFactory()
    meeting.reschedule(now=now, by=staff, starts_at=geneva(THURSDAY, 15), room="XX", minutes=45)
    assert (meeting.starts_at, meeting.room, meeting.sequence) == (geneva(THURSDAY, 15), "XX", 1)
    assert meeting.ends_at == geneva(THURSDAY, 15, 45)
    assert announced == [(54, True)]
    assert Event.objects.about(meeting).get().staff_id == staff.pk


def test_a_date_and_what_hangs_on_it_change_together_or_not_at_all(now):
    def fail(**kwargs):
        raise RuntimeError

    meeting = CountryMeetingFactory()
    dates_changed.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            meeting.reschedule(now=now, starts_at=geneva(THURSDAY, 15))
    finally:
        dates_changed.disconnect(fail)
    meeting.refresh_from_db()
    assert (meeting.starts_at, meeting.sequence) == (geneva(TUESDAY, 10), 0)
    assert not Event.objects.about(meeting).exists()


def test_listeners_get_the_dates_as_they_are_now(now):
    series = SeriesFactory()
    heard = []

    def hear(series, now, **kwargs):
        heard.append(series.session.starts_on)

    dates_changed.connect(hear)
    try:
        SessionFactory().reschedule(now=now, starts_on=date(2026, 5, 11), ends_on=date(2026, 5, 22))
        series.announce_dates(now=now)  # our own copy of the session still has the old day
    finally:
        dates_changed.disconnect(hear)
    assert heard == [date(2026, 5, 11), date(2026, 5, 11)]


def test_a_session_without_series_is_rescheduled_in_silence(now, announced):
    SessionFactory().reschedule(now=now, starts_on=None, ends_on=None)
    assert announced == []


def test_a_new_venue_raises_the_version_of_every_meeting(now, announced):
    meeting = CountryMeetingFactory()
    meeting.series.reschedule(now=now, venue="CICG")
    meeting.refresh_from_db()
    assert (meeting.sequence, announced) == (1, [(54, True)])
    meeting.series.reschedule(now=now, days_confirmed=True)
    meeting.refresh_from_db()
    assert meeting.sequence == 1


STEPS = {
    "reschedule": lambda meeting, now: meeting.reschedule(now=now, room="XX"),
    "confirm": lambda meeting, now: meeting.confirm(now=now),
    "mark_held": lambda meeting, now: meeting.mark_held(now=now),
    "call_off": lambda meeting, now: meeting.call_off(NotHeld.POSTPONED, now=now),
    "reinstate": lambda meeting, now: meeting.reinstate(now=now),
}


@pytest.mark.parametrize(
    ("before", "step", "after"),
    [
        ("planned", "reschedule", "planned"),
        ("planned", "confirm", "confirmed"),
        ("planned", "mark_held", "held"),
        ("planned", "call_off", "not_held"),
        ("confirmed", "reschedule", "confirmed"),
        ("confirmed", "mark_held", "held"),
        ("confirmed", "call_off", "not_held"),
        ("not_held", "reinstate", "planned"),
    ],
)
def test_steps_that_lead_on(before, step, after, now, announced):
    meeting = CountryMeetingFactory(status=before, not_held_reason="too_few" if before == "not_held" else "")
    STEPS[step](meeting, now)
    assert (meeting.status, meeting.goes_ahead, meeting.sequence) == (after, after != "not_held", 1)
    assert meeting.not_held_reason == ("postponed" if after == "not_held" else "")
    assert announced == [(54, True)]


@pytest.mark.parametrize(
    ("before", "step"),
    [
        ("planned", "reinstate"),
        ("confirmed", "confirm"),
        ("confirmed", "reinstate"),
        ("held", "reschedule"),
        ("held", "confirm"),
        ("held", "mark_held"),
        ("held", "call_off"),
        ("held", "reinstate"),
        ("not_held", "reschedule"),
        ("not_held", "confirm"),
        ("not_held", "mark_held"),
        ("not_held", "call_off"),
    ],
)
def test_steps_that_are_refused_in_words_and_noted(before, step, now, announced):
    meeting = CountryMeetingFactory(status=before, state=StateFactory(iso2="KE"))
    with pytest.raises(
        WrongStep, match=r"The meeting about Kenya \(54\) is already (planned|confirmed|held|not held)\."
    ):
        STEPS[step](meeting, now)
    assert (CountryMeeting.objects.get().sequence, announced) == (0, [])
    assert Event.objects.about(meeting).get().refused


def test_of_two_steps_at_once_one_wins(now):
    meeting = CountryMeetingFactory()
    same = CountryMeeting.objects.get()
    meeting.call_off(NotHeld.TOO_FEW, now=now, reason="Two applications came.")
    with pytest.raises(WrongStep, match="already not held"):
        same.confirm(now=now)
    history = Event.objects.about(meeting)
    assert list(history.values_list("code", "refused")) == [("called off", False), ("confirmed", True)]
    assert history[0].reason.text == "Two applications came."


def test_a_meeting_is_called_off_for_one_of_the_known_reasons(now):
    with pytest.raises(ValueError):
        CountryMeetingFactory().call_off("nobody came", now=now)


# --- What the database itself refuses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: SessionFactory(number=60, starts_on=date(2026, 5, 15), ends_on=date(2026, 5, 4)),
        lambda: SeriesFactory(first_day=THURSDAY, last_day=TUESDAY),
        lambda: [StateUnderReviewFactory(state=StateFactory(iso2="KE")) for _ in range(2)],
        lambda: [StateUnderReviewFactory(state=StateFactory(iso2="KE"), session=None) for _ in range(2)],
    ],
)
def test_impossible_rows_are_refused(wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        wrong()


def test_half_known_days_are_no_contradiction():
    SessionFactory(number=60, ends_on=None)
    SeriesFactory(first_day=None, last_day=THURSDAY)


# --- Meetings at the same time --------------------------------------------------------------------------------------


def meetings_at(*starts, minutes=60):
    return [CountryMeeting(pk=pk, starts_at=start, minutes=minutes) for pk, start in enumerate(starts)]


def at(hour, minute=0):
    return geneva(TUESDAY, hour, minute)


@pytest.mark.parametrize(
    ("meetings", "pairs"),
    [
        (meetings_at(at(9), at(10), at(11)), []),  # one ends where the next begins
        (meetings_at(at(9), at(9, 59)), [(0, 1)]),
        (meetings_at(at(10), at(9, 30)), [(1, 0)]),
        (meetings_at(at(9), at(9)), [(0, 1)]),
        (meetings_at(at(9), at(9, 30), at(10)), [(0, 1), (1, 2)]),
        (meetings_at(at(9), at(10), at(11), minutes=150), [(0, 1), (0, 2), (1, 2)]),
        (meetings_at(at(9), None, None), []),
        (meetings_at(at(9), datetime(2026, 4, 14, 7, 30, tzinfo=UTC)), [(0, 1)]),
        # 02:30 comes twice in that night, an hour apart
        (meetings_at(geneva(date(2026, 10, 25), 2, 30), datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=GENEVA)), []),
    ],
)
def test_meetings_at_the_same_time_are_found(meetings, pairs):
    assert [(first.pk, second.pk) for first, second in overlaps(meetings)] == pairs


def test_a_meeting_called_off_is_in_nobodys_way():
    first, second = meetings_at(at(9), at(9))
    second.status = Status.NOT_HELD
    assert overlaps([first, second]) == []


# --- A State that moves ---------------------------------------------------------------------------------------------


@pytest.fixture
def place():
    """Kenya's place in session 54, with its meeting."""
    return CountryMeetingFactory(state=StateFactory(iso2="KE")).state_under_review


def test_a_move_marks_the_old_place_and_adds_a_new_one(place, now):
    staff = StaffFactory()
    new = place.move_to(SessionFactory(number=55), now=now, by=staff, reason="The State asked for it.")
    assert (place.status, place.session.number) == ("moved", 54)
    assert (new.status, new.session.number, new.state_id, new.moved_from) == ("rescheduled", 55, "KE", place)
    event = Event.objects.about(place).get()
    assert (event.code, event.staff_id, event.reason.text) == ("moved", staff.pk, "The State asked for it.")


def test_a_place_without_a_known_session_is_postponed(place, now):
    new = place.move_to(None, now=now)
    assert (new.status, new.session, str(new)) == ("postponed", None, "Kenya (–)")
    assert new.move_to(SessionFactory(number=55), now=now).status == "rescheduled"


def test_its_meeting_is_called_off_and_the_other_series_gets_one(place, now, announced):
    other = SeriesFactory(session=SessionFactory(number=55))
    place.move_to(other.session, now=now)
    assert (place.meeting.status, place.meeting.not_held_reason) == ("not_held", "moved")
    assert [meeting.state.iso2 for meeting in other.meetings()] == ["KE"]
    assert {number for number, _ in announced} == {54, 55}


def test_a_meeting_that_was_held_stays_held(place, now):
    place.meeting.mark_held(now=now)
    place.move_to(SessionFactory(number=55), now=now)
    assert CountryMeeting.objects.get().status == "held"


def test_a_state_that_comes_back_has_its_place_and_meeting_again(place, now):
    away = place.move_to(SessionFactory(number=55), now=now)
    back = away.move_to(place.session, now=now + timedelta(days=1))
    assert (back.pk, back.status, back.moved_from) == (place.pk, "rescheduled", away)
    assert CountryMeeting.objects.get().status == "planned"
    assert StateUnderReview.objects.count() == 2


@pytest.mark.parametrize("status", ["reviewed", "moved"])
def test_what_is_over_does_not_move(status, now):
    place = StateUnderReviewFactory(state=StateFactory(iso2="KE"), status=status)
    with pytest.raises(WrongStep, match=rf"Kenya \(54\) is already {status}\."):
        place.move_to(SessionFactory(number=55), now=now)
    assert StateUnderReview.objects.get().status == status
    assert Event.objects.about(place).get().refused


@pytest.mark.parametrize("number", [54, 55])
def test_a_state_does_not_move_to_where_it_is(place, number, now):
    session = SessionFactory(number=number)
    if number == 55:
        StateUnderReviewFactory(state=place.state, session=session)
    with pytest.raises(WrongStep, match="Kenya already has a place there"):
        place.move_to(session, now=now)
    place.refresh_from_db()
    assert place.status == "scheduled"
    assert CountryMeeting.objects.get().status == "planned"
