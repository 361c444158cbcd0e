"""A series set up whole from its Working Group session: days, hours, rooms, call, letters. Room: missions.

`proposal` says how it could be, by the dates of the session and by how an earlier series was; staff change it as they
like. `look` tells every date that would follow, mailings and how many they go to included: it takes the very steps that
`set_up` takes and undoes them, so that what was looked at is what will be. `set_up` is one transaction: all of it or
nothing.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from applications.models import Call
from missions.steps import as_one, undone
from presessions.mail import registry, schedule, texts
from presessions.mail.admin import people, timeline
from presessions.mail.models import Mailing, SeriesText
from presessions.upr import dates
from presessions.upr.dates import GENEVA, geneva
from presessions.upr.models import CountryMeeting, Series, WorkingGroupSession
from presessions.upr.rules import overlaps, propose_hours, working_days

# How it is where no earlier series says otherwise.
WEEKS_AHEAD = timedelta(days=34)  # from the first day, a Tuesday, to the Working Group's Monday
LENGTH = timedelta(days=3)
TIMES = (time(10), time(11, 30), time(14, 30), time(16))
CALL_MONTHS = 3  # before the Working Group session
CALL_DAYS = timedelta(days=28)  # as long as the call's mail goes before the deadline
DECIDING = timedelta(days=21)  # between the deadline and the first meeting: then statements are asked for
RULE = ("anchor", "months", "days", "hour", "latest_anchor", "latest_days")


@dataclass(frozen=True)
class Hour:
    """One State in a plan. starts_at -- None while it is not set; is_held -- False: no meeting about this State"""

    review: Any
    starts_at: datetime | None = None
    room: str = ""
    is_held: bool = True


@dataclass(frozen=True)
class Plan:
    """A series as staff would have it. facts -- of the Series; call -- of its Call; like -- whose letters it takes."""

    session: WorkingGroupSession
    facts: dict
    hours: tuple[Hour, ...]
    minutes: int
    call: dict
    like: Series | None = None


def sessions():
    """The sessions that can be set up, the next one first: without a series, and with States."""
    waiting = WorkingGroupSession.objects.filter(series=None, states_under_review__isnull=False).distinct()
    return waiting.order_by("number")


def reviews(session):
    """The States expected in a session, in the order of their reviews where that is known."""
    expected = session.states_under_review.expected().select_related("state")
    return sorted(expected, key=lambda review: (review.review_order or 999, review.state.sort_key))


def models_for(session):
    """The series that a new one may be set up like, the newest first."""
    earlier = Series.objects.filter(session__number__lt=session.number).select_related("session")
    return earlier.order_by("-session__number")


# --- How it could be --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proposal:
    """The first thing that staff see: values for the form, and the States in order."""

    values: dict
    hours: list[Hour] = field(default_factory=list)


def proposal(session, like, now):
    """How the Pre-sessions of a session could be. like -- an earlier series, or None"""
    times, rooms, minutes = _habits(like)
    first, last = _days(session, like)
    values = {
        "first_day": first,
        "last_day": last,
        "venue": like.venue if like else "",
        "format": like.format if like else Series.Format.IN_PERSON,
        "reply_to": like.reply_to if like else "",
        "times": ", ".join(f"{at:%H:%M}" for at in times),
        "minutes": minutes,
        "rooms": ", ".join(rooms),
        **_call(session, like, first, now),
    }
    return Proposal(values, laid_out(reviews(session), first, last, times, rooms, minutes))


def laid_out(states, first, last, times, rooms, minutes):
    """Hour after hour for each State that has a meeting, the rooms in turn. Raises ValueError where times overlap.

    states -- reviews, in order; those for which no hour is left stay without
    """
    found = iter(propose_hours(working_days(first, last), times, len(states), minutes=minutes))
    hours = []
    for number, review in enumerate(states):
        day, at = next(found, (None, None))
        starts_at = geneva(day, at.hour, at.minute) if day else None
        room = rooms[number % len(rooms)] if rooms and starts_at else ""
        hours.append(Hour(review, starts_at, room))
    return hours


def _days(session, like):
    """(first, last) day: what the sources say, else as long before the session as last time."""
    first, last = session.presessions_start_on, session.presessions_end_on
    ahead, length = WEEKS_AHEAD, LENGTH
    if like and like.first_day and like.last_day:
        length = like.last_day - like.first_day
        if like.session.starts_on:
            ahead = like.session.starts_on - like.first_day
    if first is None and session.starts_on:
        first = session.starts_on - ahead
    return first, last or (first and first + length)


def _habits(like):
    """(times, rooms, minutes) of the meetings of an earlier series: those times that leave each other room."""
    meetings = [one for one in like.meetings().going_ahead() if one.starts_at] if like else []
    if not meetings:
        return TIMES, (), 60
    minutes = Counter(one.minutes for one in meetings).most_common(1)[0][0]
    times = []
    for at, _number in Counter(one.starts_at.astimezone(GENEVA).time() for one in meetings).most_common():
        if all(abs((at.hour - other.hour) * 60 + at.minute - other.minute) >= minutes for other in times):
            times.append(at)
    rooms = tuple(dict.fromkeys(one.room for one in meetings if one.room))
    return tuple(sorted(times)), rooms, minutes


def _call(session, like, first, now):
    """The call's values: its dates as far from the session and from the first day as last time."""
    before = Call.objects.filter(series=like).first() if like else None
    values = {"minimum": 3, "statement_lead_days": 14, "confirm_days": 10}
    if before:
        values = {name: getattr(before, name) for name in values}
    opens_on, hour = _opens_on(session, like, before)
    tomorrow = dates.day_of(now) + timedelta(days=1)
    opens_on = opens_on and max(opens_on, tomorrow)  # what is past already would be held, and staff asked
    last = _last_day(like, before, first, opens_on)
    return {
        **values,
        "opens_at": geneva(opens_on, hour) if opens_on else None,
        "closes_at": last and dates.closes_after(last),
    }


def _opens_on(session, like, before):
    """(day, hour) on which the call opens; no day while the session's is not known."""
    hour = before.opens_at.astimezone(GENEVA).hour if before and before.opens_at else 9
    if not session.starts_on:
        return None, hour
    months = dates.months_before(session.starts_on, CALL_MONTHS)
    if not (before and before.opens_at and like.session.starts_on):
        return months, hour
    was = dates.day_of(before.opens_at)
    if was == dates.months_before(like.session.starts_on, CALL_MONTHS):
        return months, hour
    return session.starts_on - (like.session.starts_on - was), hour


def _last_day(like, before, first, opens_on):
    """The last day to apply: as long before the first meeting as last time; at least three weeks before it."""
    if not first or not opens_on:
        return None
    last = min(opens_on + CALL_DAYS, first - DECIDING)
    if before and before.closes_at and like.first_day:
        last = first - (like.first_day - dates.last_day(before.closes_at))
    return last if last > opens_on else None


# --- Setting it up ----------------------------------------------------------------------------------------------------


class Changed(Exception):
    """What would be written is not what staff have looked at; `seen` is what it would be now."""

    def __init__(self, seen):
        super().__init__()
        self.seen = seen


def set_up(plan, *, by, now, mark=None):
    """Write it all down in one transaction: the series, its meetings, the call, the letters. Returns the Series.

    mark -- of what staff have looked at: when something else would be written, nothing is, and Changed is raised.
    Raises WrongStep, and leaves only that event, where somebody was faster or a date leads nowhere.
    """
    with as_one(Series(session=plan.session), "opened", by=by, now=now):
        series = _write(plan, by=by, now=now)
        seen = mark and _seen(series, now)
        if seen and seen.mark != mark:
            raise Changed(seen)
    return series


def _write(plan, *, by, now):
    """Dates of many meetings, announced once: by the call, which comes after them."""
    series = Series.open_for(plan.session, now=now, by=by, **plan.facts)
    hours = {hour.review.pk: hour for hour in plan.hours}
    for meeting in series.meetings().with_state():
        hour = hours.get(meeting.state_under_review_id)
        if hour and not hour.is_held:
            meeting.call_off(CountryMeeting.NotHeld.OTHER, now=now, by=by, announce=False)
        elif hour:
            facts = {"starts_at": hour.starts_at, "room": hour.room, "minutes": plan.minutes}
            meeting.reschedule(now=now, by=by, announce=False, **facts)
    Call.open_for(series, now=now, by=by, **plan.call)
    if plan.like:
        _take_over(plan.like, series, by=by, now=now)
    return series


def _take_over(like, series, *, by, now):
    """The letters of an earlier series: the texts that staff wrote for it, and the rules that they changed."""
    ours = {}
    for mailing in series.mailings.with_series().order_by("pk"):
        ours.setdefault((mailing.kind, mailing.step), mailing)
    for kind, step, rule in own_rules(like):
        if (kind, step) in ours:
            ours[kind, step].change_rule(by=by, now=now, **rule)
    by_kind = {kind: mailing for (kind, _step), mailing in ours.items()}
    for text in own_texts(like):
        if text.kind in by_kind:
            source = texts.Source(text.subject, text.body)
            texts.save(by_kind[text.kind], text.language, source, by=by, now=now)


def own_texts(series):
    """The texts that staff wrote for a series in the place of the usual ones."""
    return SeriesText.objects.filter(series=series).order_by("kind", "language")


def own_rules(series):
    """(kind, step, rule) of each mailing of a whole series whose rule staff have changed."""
    for mailing in Mailing.objects.filter(series=series, meeting=None, corrects=None).order_by("pk"):
        line = registry.find_plan(mailing.kind, mailing.step)
        rule = {name: getattr(mailing, name) for name in RULE}
        if line and rule != {name: getattr(line, name) for name in RULE}:
            yield mailing.kind, mailing.step, rule


# --- Looking first ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """What would be: the programme, every mailing in words, and what should make staff stop."""

    meetings: list
    items: list  # (timeline.Item, its words with how many people it goes to)
    warnings: list[str]
    call: Call
    mark: str  # says whether what staff have looked at is what would be written


def look(plan, *, by, now):
    """What `set_up` would make of a plan. Nothing is written. Raises WrongStep where `set_up` would."""
    with undone():
        seen = _seen(_write(plan, by=by, now=now), now)
    return seen


def _seen(series, now):
    meetings = list(series.meetings().with_state())
    items = [(item, _words(item)) for item in timeline.of(series, now)]
    call = Call.objects.get(series=series)
    warnings = [
        _("%(first)s and %(second)s take place at the same time: nobody can follow both.")
        % {"first": first.state.name, "second": second.state.name}
        for first, second in overlaps(meetings)
    ]
    warnings += [
        f"{item.row.what[:1].upper()}{item.row.what[1:]}. {item.row.warning}" for item, _w in items if item.row.warning
    ]
    facts = [(item.row.what, item.where, item.at, item.row.mailing.held_reason) for item, _w in items]
    hours = [(str(one.state.pk), one.starts_at, one.room, one.status) for one in meetings]
    mark = hashlib.sha256(repr((hours, facts, call.opens_at, call.closes_at)).encode()).hexdigest()[:32]
    return Seen(meetings, items, warnings, call, mark)


def _words(item):
    """Why a mailing goes when it goes, and to how many people, as many as there are today."""
    if item.where or item.is_plain:
        return item.row.words
    return schedule.explain(item.row.mailing, count=people.count_of(item.row.mailing))


def without_hour(plan):
    """The plan's States that have a meeting and no hour yet."""
    return [hour.review.state.name for hour in plan.hours if hour.is_held and not hour.starts_at]
