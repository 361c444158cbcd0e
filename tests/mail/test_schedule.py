"""When mailings go, and what is said about it."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import translation

from presessions import upr
from presessions.mail import schedule
from presessions.mail.models import Mailing
from presessions.trail.steps import WrongStep
from presessions.upr.dates import months_before
from presessions.upr.models import CountryMeeting, State, StateUnderReview
from tests.mail.factories import LONG_BEFORE, WG, geneva, make_mailing, make_series

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

ROUNDS = Path(upr.__file__).parent / "data" / "presession_rounds.csv"


def dated(text):
    return date.fromisoformat(text) if text else None


def real_rounds():
    """The series of the past for which both dates are known."""
    with ROUNDS.open() as file:
        rows = [row for row in csv.DictReader(file) if row["presession_start"] and row["wg_start"]]
    days = ("presession_start", "presession_end", "wg_start")
    return [(int(row["session_number"]), *(dated(row[day]) for day in days)) for row in rows]


def again(mailing):
    return Mailing.objects.with_series().get(pk=mailing.pk)


# --- The timetable ------------------------------------------------------------------------------------------------


def test_a_new_series_has_its_default_mailings_in_the_order_of_the_timetable(dates):
    dates["deadline"] = geneva(2026, 11, 16)
    series = make_series()
    assert list(series.mailings.order_by("due_at").values_list("kind", flat=True)) == ["call", "invitation", "briefing"]
    assert set(series.mailings.values_list("state", flat=True)) == {"planned"}


@pytest.mark.parametrize(
    ("wg", "first_day", "due", "decided_by"),
    [
        # "Working Group - 1 month" is 18 December, three days after the meetings began: "at the latest" decides
        (date(2027, 1, 18), date(2026, 12, 15), geneva(2026, 11, 17, 9), "latest"),
        # the meetings come 28 days after "Working Group - 1 month" or later: the rule decides, a tie included
        (date(2027, 1, 18), date(2027, 1, 15), geneva(2026, 12, 18, 9), "rule"),
        (date(2027, 1, 18), date(2027, 1, 16), geneva(2026, 12, 18, 9), "rule"),
        # month ends: 31 March - 1 month
        (date(2027, 3, 31), date(2027, 4, 20), geneva(2027, 2, 28, 9), "rule"),
        (date(2028, 3, 31), date(2028, 4, 20), geneva(2028, 2, 29, 9), "rule"),
        # nine o'clock in Geneva on both sides of a change of clocks: 07:00 and 08:00 UTC
        (date(2026, 4, 29), date(2026, 4, 27), geneva(2026, 3, 29, 9), "rule"),
        (date(2026, 11, 25), date(2026, 11, 23), geneva(2026, 10, 25, 9), "rule"),
    ],
)
def test_an_invitation_goes_a_month_before_the_working_group_or_four_weeks_before_the_meetings(
    wg, first_day, due, decided_by
):
    mailing = make_mailing(starts_on=wg, first_day=first_day, now=geneva(2025, 1, 6))
    assert (mailing.due_at, mailing.decided_by) == (due, decided_by)


def test_the_clock_in_geneva_shows_nine_in_summer_and_in_winter():
    summer = make_mailing(starts_on=date(2026, 7, 20), first_day=date(2026, 7, 20), number=1)
    winter = make_mailing(starts_on=date(2027, 1, 18), first_day=date(2027, 1, 18), number=2)
    assert [f"{mailing.due_at:%H:%M %Z}" for mailing in (again(summer), again(winter))] == ["07:00 UTC", "08:00 UTC"]


@pytest.mark.parametrize(("number", "first", "last", "wg"), real_rounds())
def test_in_each_real_series_the_invitation_comes_four_weeks_early_and_the_briefing_a_month_before(
    number, first, last, wg
):
    long_before = geneva(wg.year - 1, 1, 6)
    series = make_series(number=number, starts_on=wg, first_day=first, last_day=last, now=long_before)
    invitation, briefing = series.mailings.get(kind="invitation"), series.mailings.get(kind="briefing")
    assert invitation.due_at.date() == first - timedelta(days=28)
    assert briefing.due_at.date() == months_before(wg, 1)
    assert (invitation.state, briefing.state) == ("planned", "planned")
    assert schedule.short_notice(invitation) == ""


def test_the_real_series_are_the_fourteen_the_design_speaks_of():
    after = [first for _number, first, _last, wg in real_rounds() if months_before(wg, 1) > first]
    assert (len(real_rounds()), len(after)) == (14, 6)


def test_the_call_keeps_its_distance_from_the_last_day_to_apply_not_from_the_midnight_after_it(dates):
    dates["deadline"] = geneva(2026, 10, 16)  # "until 23:59 on 15 October"
    call = make_mailing("call")
    assert (call.due_at, call.decided_by) == (geneva(2026, 9, 17, 9), "latest")


@pytest.mark.parametrize(("meetings", "state"), [(date(2027, 1, 15), "not_needed"), (date(2027, 1, 14), "planned")])
def test_a_briefing_is_not_needed_where_the_invitation_itself_goes_then_or_later(meetings, state):
    assert make_mailing("briefing", first_day=meetings).state == state


def test_a_briefing_is_needed_again_when_the_invitation_moves_forward():
    series = make_series(first_day=date(2027, 1, 15))
    series.reschedule(now=LONG_BEFORE, first_day=date(2027, 1, 11))
    assert series.mailings.get(kind="briefing").state == "planned"


def test_a_briefing_that_staff_move_is_wanted(user):
    briefing = make_mailing("briefing", first_day=date(2027, 1, 15))
    briefing.move_to(geneva(2027, 1, 4, 9), by=user, now=LONG_BEFORE)
    assert (briefing.state, briefing.decided_by) == ("planned", "moved")


def test_a_kind_that_this_series_does_not_plan_has_no_mailing(timetable):
    texts = {"label": "gala", "audience": "all", "template": "plain"}
    timetable.mailing("gala", days_before=("first_meeting", 3), planned=lambda series: False, **texts)(list)
    assert not make_series().mailings.filter(kind="gala").exists()


def test_steps_of_one_kind_and_meetings_of_one_series_are_mailings_of_their_own(timetable):
    texts = {"label": "reminder", "audience": "speakers", "template": "plain"}
    for step, days in (("7 days", 7), ("48 hours", 2)):
        timetable.mailing("draft", step=step, days_before=("first_meeting", days), **texts)(lambda mailing: [])
    timetable.mailing("statement", per_meeting=True, days_before=("meeting", 21), **texts)(lambda mailing: [])
    series = make_series()
    for code in ("KE", "ML"):
        state = State.objects.create(iso2=code, iso3=code + "X", m49=code, name_en=code, regional_group="African")
        StateUnderReview.objects.create(session=series.session, state=state)
    series.add_meetings(now=LONG_BEFORE)
    CountryMeeting.objects.filter(state_under_review__state="KE").update(starts_at=geneva(2026, 12, 16, 14))
    series.announce_dates(now=LONG_BEFORE)
    assert [f"{m.step} {m.due_at.date()}" for m in series.mailings.filter(kind="draft").order_by("due_at")] == [
        "7 days 2026-12-09",  # the first known start now counts, not the first day
        "48 hours 2026-12-14",
    ]
    kenya, mali = series.mailings.filter(kind="statement").order_by("meeting__state_under_review__state")
    assert (kenya.due_at, mali.due_at) == (geneva(2026, 11, 25, 9), None)


# --- Dates that are unknown, and dates that move ------------------------------------------------------------------


@pytest.mark.parametrize(("wg", "first_day"), [(None, date(2026, 12, 15)), (WG, None), (None, None)])
def test_a_mailing_waits_while_any_date_it_hangs_on_is_unknown(wg, first_day):
    mailing = make_mailing(starts_on=wg, first_day=first_day)
    assert (mailing.state, mailing.due_at) == ("planned", None)
    assert "Waits for a date" in schedule.explain(again(mailing))


def test_waiting_becomes_a_worry_once_the_known_dates_make_it_due(dates):
    dates["deadline"] = geneva(2026, 12, 20)
    mailing = make_mailing(first_day=None)  # the Working Group alone says 18 December
    assert schedule.worries(geneva(2026, 12, 18, 8, 59)) == []
    assert schedule.worries(geneva(2026, 12, 18, 9)) == [mailing]


def test_a_date_that_changes_takes_its_mailings_along():
    mailing = make_mailing()
    mailing.series.reschedule(now=LONG_BEFORE, first_day=date(2026, 12, 8))
    assert again(mailing).due_at == geneva(2026, 11, 10, 9)
    mailing.series.session.reschedule(now=LONG_BEFORE, starts_on=date(2026, 11, 2))
    assert (again(mailing).due_at, again(mailing).decided_by) == (geneva(2026, 10, 2, 9), "rule")


def test_a_change_that_is_undone_leaves_the_mailing_as_it_was():
    mailing = make_mailing()
    with transaction.atomic():
        mailing.series.reschedule(now=LONG_BEFORE, first_day=date(2026, 12, 8))
        transaction.set_rollback(True)
    assert again(mailing).due_at == geneva(2026, 11, 17, 9)


@pytest.mark.parametrize("state", ["writing", "sending", "done", "cancelled"])
def test_once_writing_has_begun_the_date_stays(state):
    mailing = make_mailing()
    Mailing.objects.update(state=state)
    mailing.series.reschedule(now=LONG_BEFORE, first_day=date(2026, 12, 8))
    assert again(mailing).due_at == geneva(2026, 11, 17, 9)


def test_planning_again_changes_nothing():
    series = make_series()
    before = list(Mailing.objects.order_by("pk").values())
    schedule.plan(series, LONG_BEFORE)
    assert list(Mailing.objects.order_by("pk").values()) == before


def test_staff_move_outranks_the_rule_until_it_is_cleared(user):
    mailing = make_mailing()
    mailing.move_to(geneva(2026, 11, 20, 15, 30), by=user, now=LONG_BEFORE)
    mailing.series.reschedule(now=LONG_BEFORE, first_day=date(2026, 12, 8))
    assert (again(mailing).due_at, again(mailing).decided_by) == (geneva(2026, 11, 20, 15, 30), "moved")
    again(mailing).follow_rule(by=user, now=LONG_BEFORE)
    assert (again(mailing).due_at, again(mailing).decided_by) == (geneva(2026, 11, 10, 9), "latest")


def test_each_part_of_the_rule_is_data_of_the_series(user):
    mailing = make_mailing()
    mailing.change_rule(by=user, now=LONG_BEFORE, months=2, hour=14, latest_anchor="", latest_days=None)
    assert (again(mailing).due_at, again(mailing).decided_by) == (geneva(2026, 11, 18, 14), "rule")
    schedule.plan(mailing.series, LONG_BEFORE)
    assert again(mailing).months == 2


# --- Never a surprise blast ---------------------------------------------------------------------------------------


def test_what_was_due_before_the_series_was_entered_waits_for_staff(dates):
    dates["deadline"] = geneva(2027, 2, 1)
    mailing = make_mailing(now=geneva(2026, 11, 17, 9))
    assert (mailing.state, mailing.held_reason) == ("held", "past")
    assert mailing in schedule.worries(geneva(2026, 11, 17, 9))


def test_what_a_new_date_puts_into_the_past_waits_for_staff():
    mailing = make_mailing()
    mailing.series.reschedule(now=geneva(2026, 11, 12), first_day=date(2026, 12, 8))
    assert again(mailing).held_reason == "past"


def test_what_was_held_for_its_date_is_planned_again_when_the_date_moves_ahead():
    mailing = make_mailing(now=geneva(2026, 11, 18))
    mailing.series.session.reschedule(now=geneva(2026, 11, 18), starts_on=date(2027, 3, 1), ends_on=date(2027, 3, 12))
    mailing.series.reschedule(now=geneva(2026, 11, 18), first_day=date(2027, 1, 25), last_day=date(2027, 1, 27))
    assert (again(mailing).state, again(mailing).held_reason) == ("planned", "")


def test_what_staff_hold_stays_held_whatever_date_changes(user):
    mailing = make_mailing()
    mailing.hold(by=user, now=LONG_BEFORE)
    mailing.series.reschedule(now=LONG_BEFORE, first_day=date(2027, 1, 4), last_day=date(2027, 1, 5))
    assert (again(mailing).state, again(mailing).held_reason) == ("held", "staff")


# --- In words -----------------------------------------------------------------------------------------------------


def test_the_page_says_which_part_decided():
    assert schedule.explain(make_mailing(), count=181) == (
        "1 month before the Working Group session would be Fri 18 December 2026, 09:00 Geneva time, "
        "3 days after the first meeting; goes out Tue 17 November 2026, 09:00 Geneva time "
        "to 181 · every Permanent Mission (at the latest 28 days before the first meeting)."
    )


def test_the_page_says_it_plainly_when_the_rule_decides():
    assert schedule.explain(make_mailing(first_day=date(2027, 1, 16))) == (
        "1 month before the Working Group session: "
        "goes out Fri 18 December 2026, 09:00 Geneva time to every Permanent Mission."
    )


def test_the_page_says_who_moved_it_what_it_waits_for_and_what_is_not_needed(user):
    series = make_series(starts_on=None, first_day=date(2027, 1, 15))
    invitation, briefing = series.mailings.get(kind="invitation"), series.mailings.get(kind="briefing")
    assert schedule.explain(invitation) == "Waits for a date: the Working Group session."
    invitation.move_to(geneva(2026, 12, 1, 9), by=user, now=LONG_BEFORE)
    assert schedule.explain(invitation).startswith("Moved by staff: goes out Tue 1 December 2026, 09:00")
    series.session.reschedule(now=LONG_BEFORE, starts_on=WG)
    again(invitation).follow_rule(by=user, now=LONG_BEFORE)
    assert "is not needed in this series" in schedule.explain(again(briefing))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"anchor": "last_meeting", "months": 0, "days": -1}, "1 day after the last meeting"),
        ({"anchor": "deadline", "months": 0, "days": 7}, "7 days before the deadline"),
        ({"anchor": "first_meeting", "months": 0, "days": 0}, "0 days before the first meeting"),
        ({"anchor": "working_group", "months": 2, "days": 3}, "2 months and 3 days before the Working Group session"),
    ],
)
def test_a_rule_in_words(rule, words):
    assert schedule.in_rule(Mailing(**rule)) == words


def test_what_is_held_does_not_read_as_if_it_went_out(user):
    mailing = make_mailing(first_day=date(2027, 1, 16))
    mailing.hold(by=user, now=LONG_BEFORE)
    assert schedule.explain(mailing, count=3) == (
        "1 month before the Working Group session: held (held by staff): was to go out "
        "Fri 18 December 2026, 09:00 Geneva time to 3 · every Permanent Mission."
    )
    waits = make_mailing(starts_on=None, number=55)
    waits.hold(by=user, now=LONG_BEFORE)
    assert schedule.explain(waits) == "Held (held by staff). Waits for a date: the Working Group session."


def test_what_has_gone_says_when_it_really_went():
    mailing = make_mailing()
    schedule.write_due(geneva(2026, 11, 18, 8, 30))
    assert "went out Wed 18 November 2026, 08:30 Geneva time to" in schedule.explain(again(mailing))


def test_an_empty_audience_is_nobody_and_not_zero():
    assert "goes out Tue 17 November 2026, 09:00 Geneva time to nobody for now" in schedule.explain(
        make_mailing(), count=0
    )


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"hour": 14}, "goes out Tue 17 November 2026, 14:00 Geneva time to 181"),
        ({"latest_days": 35}, "goes out Tue 10 November 2026, 09:00 Geneva time to 181"),
        (
            {"latest_anchor": "", "latest_days": None},
            "1 month before the Working Group session: goes out Fri 18 December 2026, 09:00 Geneva time to 181",
        ),
        ({"anchor": "first_meeting", "months": 0, "days": 40}, "goes out Thu 5 November 2026, 09:00 Geneva time"),
        ({"moved_to": geneva(2026, 12, 1, 15, 30)}, "Moved by staff: goes out Tue 1 December 2026, 15:30 Geneva time"),
        ({"anchor": "deadline"}, "Waits for a date: the deadline."),
    ],
)
def test_what_another_rule_would_make_of_it_is_said_before_it_is_saved(rule, words):
    mailing = make_mailing()
    before = list(Mailing.objects.order_by("pk").values())
    found = schedule.would(mailing, now=LONG_BEFORE, count=181, **rule)
    assert words in found.words
    assert list(Mailing.objects.order_by("pk").values()) == before


def test_a_rule_that_leads_into_the_past_would_hold_it_and_short_notice_is_warned_of():
    mailing = make_mailing()
    late = schedule.would(mailing, now=geneva(2026, 11, 1), latest_days=60)
    assert "held (already past when the date was entered): was to go out" in late.words
    short = schedule.would(mailing, now=LONG_BEFORE, latest_days=3, months=0, days=3, anchor="first_meeting")
    assert short.warning == "Short notice: only 3 days before the first meeting."


@pytest.mark.parametrize("rule", [{"months": 32767}, {"months": 0, "days": 32767 * 30}])
def test_a_rule_that_leads_out_of_the_calendar_is_refused_in_words(rule, user):
    mailing = make_mailing()
    with pytest.raises(WrongStep, match="outside the calendar"):
        schedule.would(mailing, now=LONG_BEFORE, **rule)
    if abs(rule.get("days", 0)) < 2**15:
        with pytest.raises(WrongStep, match="outside the calendar"):
            mailing.change_rule(by=user, now=LONG_BEFORE, **rule)
        assert again(mailing).months == 1


def test_the_timeline_stands_in_the_order_of_its_days_and_says_what_is_next(dates, user):
    dates["deadline"] = geneva(2026, 11, 16)
    series = make_series()
    assert [(row.mailing.kind, row.when) for row in schedule.timeline(series, LONG_BEFORE)] == [
        ("call", "next"),
        ("invitation", "ahead"),
        ("briefing", "ahead"),
    ]
    schedule.write_due(geneva(2026, 10, 18, 9))
    series.mailings.get(kind="invitation").hold(by=user, now=geneva(2026, 10, 19))
    rows = schedule.timeline(series, geneva(2026, 12, 18, 9))
    assert [(row.mailing.kind, row.when) for row in rows] == [
        ("call", "gone"),
        ("invitation", "held"),
        ("briefing", "due"),
    ]


def test_words_are_translated_when_they_are_said():
    mailing = make_mailing()
    with translation.override("fr"):
        assert schedule.explain(mailing)


def test_short_notice_is_said_with_its_days(user):
    mailing = make_mailing()
    mailing.move_to(geneva(2026, 12, 2, 9), by=user, now=LONG_BEFORE)
    assert schedule.short_notice(mailing) == "Short notice: only 13 days before the first meeting."
