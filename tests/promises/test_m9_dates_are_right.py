"""M9: dates are right. Month ends, leap years, both changes of clocks, sessions that move or are entered late; ten
planners at once; and the fourteen real series, lived through from the first mail to the last."""

import csv
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connections

from applications.models import Call
from missions.models import Invitation
from presessions.mail import registry, schedule
from presessions.mail.due import due
from presessions.mail.models import Letter, Mailing
from presessions.upr.dates import GENEVA, geneva
from presessions.upr.management.commands.load_calendar import CARRIED
from presessions.upr.models import Series, StateUnderReview, WorkingGroupSession
from tests.missions.factories import MissionFactory
from tests.upr.factories import CountryMeetingFactory, SeriesFactory, StateFactory

# --- By hand: what a date minus months and days is, on Geneva's clock -------------------------------------------------

# anchor; months and days before it; hour; when it goes. A day alone begins at midnight in Geneva.
BY_HAND = """
    month ends
    2027-01-18        1  0   9   2026-12-18T09:00+01:00
    2027-03-28        1  0   9   2027-02-28T09:00+01:00
    2027-03-29        1  0   9   2027-02-28T09:00+01:00
    2027-03-30        1  0   9   2027-02-28T09:00+01:00
    2027-03-31        1  0   9   2027-02-28T09:00+01:00
    2026-05-31        3  0   9   2026-02-28T09:00+01:00
    2026-05-31        1  0   9   2026-04-30T09:00+02:00
    2026-07-31        1  0   9   2026-06-30T09:00+02:00
    2026-08-31        1  0   9   2026-07-31T09:00+02:00
    2026-10-31        1  0   9   2026-09-30T09:00+02:00
    2026-12-31        1  0   9   2026-11-30T09:00+01:00
    2027-01-31        1  0   9   2026-12-31T09:00+01:00
    2027-01-31        2  0   9   2026-11-30T09:00+01:00
    2027-01-31        3  0   9   2026-10-31T09:00+01:00
    2027-01-31       11  0   9   2026-02-28T09:00+01:00
    2027-01-01        1  0   9   2026-12-01T09:00+01:00
    2027-03-31        1  1   9   2027-02-27T09:00+01:00
    2026-01-31       -1  0   9   2026-02-28T09:00+01:00
    2026-11-30       -3  0   9   2027-02-28T09:00+01:00
    2026-12-15       -1  0   9   2027-01-15T09:00+01:00

    leap years, and a century without a leap day
    2028-03-29        1  0   9   2028-02-29T09:00+01:00
    2028-03-30        1  0   9   2028-02-29T09:00+01:00
    2028-03-31        1  0   9   2028-02-29T09:00+01:00
    2028-03-31        1  1   9   2028-02-28T09:00+01:00
    2028-05-31        3  0   9   2028-02-29T09:00+01:00
    2028-02-29       12  0   9   2027-02-28T09:00+01:00
    2028-02-29       48  0   9   2024-02-29T09:00+01:00
    2028-01-31       -1  0   9   2028-02-29T09:00+01:00
    2100-03-31        1  0   9   2100-02-28T09:00+01:00
    2028-03-01        0  1   9   2028-02-29T09:00+01:00
    2024-03-28        0 28   9   2024-02-29T09:00+01:00

    days
    2026-03-01        0  1   9   2026-02-28T09:00+01:00
    2026-01-01        0  1   9   2025-12-31T09:00+01:00
    2026-04-14        0 28   9   2026-03-17T09:00+01:00
    2026-12-15        0 28   9   2026-11-17T09:00+01:00
    2025-03-28        0 28   9   2025-02-28T09:00+01:00
    2026-04-16        0 -1   9   2026-04-17T09:00+02:00
    2026-12-31        0 -1   9   2027-01-01T09:00+01:00
    2028-02-28        0 -1   9   2028-02-29T09:00+01:00
    2027-02-28        0 -1   9   2027-03-01T09:00+01:00
    2026-04-14T23:30  0 21   9   2026-03-24T09:00+01:00
    2026-04-14T00:10  0 21   9   2026-03-24T09:00+01:00

    spring: on 29 March 2026 two o'clock is three o'clock
    2026-04-28        1  0   9   2026-03-28T09:00+01:00
    2026-04-29        1  0   9   2026-03-29T09:00+02:00
    2026-04-29        1  0   1   2026-03-29T01:00+01:00
    2026-04-29        1  0   2   2026-03-29T03:00+02:00
    2026-04-29        1  0   3   2026-03-29T03:00+02:00
    2026-03-30        0  1   0   2026-03-29T00:00+01:00
    2026-04-25        0 28   9   2026-03-28T09:00+01:00
    2026-04-26        0 28   9   2026-03-29T09:00+02:00
    2027-04-28        1  0   2   2027-03-28T03:00+02:00
    2028-04-26        1  0   2   2028-03-26T03:00+02:00

    autumn: on 25 October 2026 there are two two o'clocks, of which the first counts
    2026-11-24        1  0   9   2026-10-24T09:00+02:00
    2026-11-25        1  0   9   2026-10-25T09:00+01:00
    2026-11-25        1  0   0   2026-10-25T00:00+02:00
    2026-11-25        1  0   1   2026-10-25T01:00+02:00
    2026-11-25        1  0   2   2026-10-25T02:00+02:00
    2026-11-25        1  0   3   2026-10-25T03:00+01:00
    2026-11-22        0 28   9   2026-10-25T09:00+01:00
    2027-11-28        0 28   2   2027-10-31T02:00+02:00
    2027-11-30        1  0   9   2027-10-30T09:00+02:00
    2027-12-01        1  0   9   2027-11-01T09:00+01:00
"""

# A deadline is the first instant too late: its day is the one that ends there.
DEADLINES_BY_HAND = """
    2026-03-23T00:00  0  7   9   2026-03-15T09:00+01:00
    2026-03-23T00:00  0  2   9   2026-03-20T09:00+01:00
    2026-03-22T12:01  0  7   9   2026-03-15T09:00+01:00
    2026-03-30T00:00  0  7   9   2026-03-22T09:00+01:00
    2026-03-30T00:00  0  2   9   2026-03-27T09:00+01:00
    2026-10-26T00:00  0  2   9   2026-10-23T09:00+02:00
    2026-10-26T00:00  0 28   9   2026-09-27T09:00+02:00
    2027-03-08T00:00  0  7   9   2027-02-28T09:00+01:00
    2028-03-01T00:00  0  7   9   2028-02-22T09:00+01:00
    2026-01-01T00:00  0  7   9   2025-12-24T09:00+01:00
"""

# Working Group; first meeting; when the invitation goes (1 month before the one, at the latest 28 days before the
# other), and which of the two decides. A tie is the rule's.
LATEST_BY_HAND = """
    2027-01-18  2026-12-15   2026-11-17T09:00+01:00  latest
    2027-01-18  2027-01-14   2026-12-17T09:00+01:00  latest
    2027-01-18  2027-01-15   2026-12-18T09:00+01:00  rule
    2027-01-18  2027-01-16   2026-12-18T09:00+01:00  rule
    2028-03-31  2028-03-28   2028-02-29T09:00+01:00  rule
    2028-03-31  2028-03-27   2028-02-28T09:00+01:00  latest
    2026-04-29  2026-04-25   2026-03-28T09:00+01:00  latest
    2026-04-29  2026-04-27   2026-03-29T09:00+02:00  rule
    2026-11-25  2026-11-22   2026-10-25T09:00+01:00  rule
    2026-11-25  2026-11-21   2026-10-24T09:00+02:00  latest
"""


def cases(table):
    return [line.split() for line in table.splitlines() if line.strip()[:1] == "2"]


def instant(text):
    return datetime.fromisoformat(text).replace(tzinfo=GENEVA)


class Given:
    """The dates of a case, instead of a series'."""

    def __init__(self, **instants):
        self.instants = instants

    def at(self, name, mailing):
        return self.instants.get(name)


def test_the_table_has_more_than_sixty_cases():
    assert len(cases(BY_HAND)) + len(cases(DEADLINES_BY_HAND)) + len(cases(LATEST_BY_HAND)) > 80


@pytest.mark.parametrize(("anchor", "months", "days", "hour", "goes"), cases(BY_HAND))
def test_a_date_is_what_the_table_says(anchor, months, days, hour, goes):
    rule = Mailing(anchor="working_group", months=int(months), days=int(days), hour=int(hour))
    assert due(rule, Given(working_group=instant(anchor))).at.isoformat(timespec="minutes") == goes


@pytest.mark.parametrize(("anchor", "months", "days", "hour", "goes"), cases(DEADLINES_BY_HAND))
def test_so_is_one_that_hangs_on_a_deadline(anchor, months, days, hour, goes):
    rule = Mailing(anchor="deadline", months=int(months), days=int(days), hour=int(hour))
    assert due(rule, Given(deadline=instant(anchor))).at.isoformat(timespec="minutes") == goes


@pytest.mark.parametrize(("wg", "first", "goes", "decided_by"), cases(LATEST_BY_HAND))
def test_so_is_one_that_goes_at_the_latest_before_another(wg, first, goes, decided_by):
    rule = Mailing(anchor="working_group", months=1, latest_anchor="first_meeting", latest_days=28)
    found = due(rule, Given(working_group=instant(wg), first_meeting=instant(first)))
    assert (found.at.isoformat(timespec="minutes"), found.decided_by) == (goes, decided_by)


# --- Sessions that move, and series that are entered late -------------------------------------------------------------


def a_series(*, number=54, starts_on, first_day, last_day=None, now, meetings=("KE", "PE")):
    """Two meetings, on the first and on the last day; a call that closes twelve weeks before the first."""
    session = WorkingGroupSession.objects.create(
        number=number, starts_on=starts_on, ends_on=starts_on + timedelta(days=11)
    )
    for code in meetings:
        StateUnderReview.objects.create(session=session, state=StateFactory(iso2=code))
    last_day = last_day or first_day + timedelta(days=2)
    series = Series.open_for(session, now=now, first_day=first_day, last_day=last_day)
    for meeting, day in zip(series.meetings().with_state(), (first_day, last_day), strict=True):
        meeting.reschedule(now=now, starts_at=geneva(day, 10))
    closes_at = geneva(first_day - timedelta(weeks=8))
    Call.open_for(series, opens_at=closes_at - timedelta(weeks=4), closes_at=closes_at, now=now)
    return series


def standing(series, *kinds):
    mailings = series.mailings.filter(kind__in=kinds).order_by("kind")
    return [(mailing.kind, mailing.due_at and mailing.due_at.astimezone(GENEVA).isoformat(timespec="minutes"),
             mailing.held_reason or mailing.state) for mailing in mailings]  # fmt: skip


@pytest.mark.django_db
def test_a_session_that_moves_takes_its_mailings_along_across_both_changes_of_clocks():
    now = geneva(date(2026, 1, 5))
    series = a_series(starts_on=date(2026, 5, 4), first_day=date(2026, 4, 14), now=now)
    story = [
        (date(2026, 5, 4), "2026-04-04T09:00+02:00"),
        (date(2026, 4, 29), "2026-03-29T09:00+02:00"),
        (date(2026, 4, 28), "2026-03-28T09:00+01:00"),
        (date(2026, 11, 25), "2026-10-25T09:00+01:00"),
        (date(2028, 3, 31), "2028-02-29T09:00+01:00"),
        (date(2026, 5, 31), "2026-04-30T09:00+02:00"),
    ]
    for starts_on, goes in story:
        series.session.reschedule(now=now, starts_on=starts_on, ends_on=starts_on + timedelta(days=11))
        assert standing(series, "briefing") == [("briefing", goes, "planned")]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("entered", "call", "invitation", "briefing"),
    [
        # Working Group 4 May 2026, first meeting 14 April; the call closes on 16 February and is due 28 days before
        ("2026-01-19T08:59", "planned", "planned", "planned"),
        ("2026-01-19T09:00", "past", "planned", "planned"),
        ("2026-03-17T08:59", "past", "planned", "planned"),
        ("2026-03-17T09:00", "past", "past", "planned"),
        ("2026-04-04T09:00", "past", "past", "past"),
        ("2026-06-01T09:00", "past", "past", "past"),
    ],
)
def test_a_series_entered_late_holds_what_is_past_to_the_minute_and_blasts_nobody(entered, call, invitation, briefing):
    now = instant(entered)
    MissionFactory(iso2="BR")
    series = a_series(starts_on=date(2026, 5, 4), first_day=date(2026, 4, 14), now=now)
    assert [state for _kind, _goes, state in standing(series, "call", "invitation", "briefing")] == [
        briefing,
        call,
        invitation,
    ]
    assert schedule.write_due(now) == 0


# --- Ten planners at once ---------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_ten_planners_and_writers_at_once_leave_one_row_and_one_letter_per_key():
    now = geneva(date(2026, 3, 17), 9)
    series = SeriesFactory()
    for code in ("KE", "PE", "TR"):
        CountryMeetingFactory(series=series, state=StateFactory(iso2=code))
        MissionFactory(iso2=code)
    together = Barrier(10)

    def plans_and_writes(_number):
        try:
            together.wait()
            for round_ in range(10):
                schedule.plan(series, now - timedelta(days=60))
                schedule.write_due(now - timedelta(days=60) if round_ < 5 else now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(plans_and_writes, range(10))) == [None] * 10
    by_the_clock = [line for line in registry.PLANS.values() if not line.corrects and not line.instead_of]
    keys = Counter(Mailing.objects.values_list("kind", "meeting", "step"))
    assert set(keys.values()) == {1}
    assert len(keys) == sum(3 if line.per_meeting else 1 for line in by_the_clock)
    invitations = Letter.objects.filter(kind="invitation")
    assert Counter(invitations.values_list("recipient_id", flat=True)).most_common(1)[0][1] == 1
    assert (invitations.count(), Invitation.objects.count()) == (3, 3)


# --- The real series --------------------------------------------------------------------------------------------------


def real_rounds():
    """The series of the past for which both dates are known: number, first and last day, Working Group."""
    with (CARRIED / "presession_rounds.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["presession_start"] and row["wg_start"]]
    days = ("presession_start", "presession_end", "wg_start")
    return [(int(row["session_number"]), *(date.fromisoformat(row[day]) for day in days)) for row in rows]


A_MONTH_BEFORE = {  # the Working Group, by hand
    20: "2014-09-27", 21: "2014-12-19", 22: "2015-04-04", 24: "2015-12-18", 25: "2016-04-02", 26: "2016-09-30",
    27: "2017-04-01", 28: "2017-10-06", 29: "2017-12-15", 31: "2018-10-05", 36: "2020-10-02", 40: "2021-12-24",
    43: "2023-04-01", 46: "2024-03-29",
}  # fmt: skip


def live_through(series, until):
    """Ring the bell at each moment that something is due, and let what it writes arrive."""
    waiting = series.mailings.filter(state="planned", due_at__lte=until).order_by("due_at")
    while moment := waiting.values_list("due_at", flat=True).first():
        schedule.write_due(moment)
        Letter.objects.filter(state="pending").update(state="sent", sent_at=moment)
        schedule.write_due(moment)


def test_there_are_fourteen_of_them():
    assert [number for number, *_days in real_rounds()] == list(A_MONTH_BEFORE)
    assert len(A_MONTH_BEFORE) == 14


@pytest.mark.django_db
@pytest.mark.parametrize(("number", "first", "last", "wg"), real_rounds())
def test_in_each_real_series_every_mission_is_invited_in_time_and_briefed_a_month_before(number, first, last, wg):
    for code in ("BR", "KE"):
        MissionFactory(iso2=code)
    series = a_series(number=number, starts_on=wg, first_day=first, last_day=last, now=geneva(date(wg.year - 2, 6, 1)))
    live_through(series, until=geneva(wg + timedelta(days=30)))
    sent = {
        kind: [letter.sent_at.astimezone(GENEVA) for letter in Letter.objects.filter(kind=kind)]
        for kind in ("invitation", "reminder", "briefing")
    }
    in_time = geneva(first - timedelta(days=28), 9)
    assert sent["invitation"] == [in_time] * 2
    assert sent["reminder"] == [geneva(first - timedelta(days=7), 9)] * 2
    assert sent["briefing"] == [geneva(date.fromisoformat(A_MONTH_BEFORE[number]), 9)] * 2
    assert set(series.mailings.values_list("state", flat=True)) == {"done"}  # nothing was held, nothing is left
