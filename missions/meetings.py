"""Calling a meeting off, or giving it another date or place, and telling whom it concerns, in one transaction. Room:
missions.

`look_at_*` take the same steps and undo them, so that what staff have looked at is what will be. Missions that were
told the earlier date and have not answered get the correction that mail proposes, once staff let it go.
"""

import hashlib
from dataclasses import dataclass

from django.utils.translation import gettext as _

from missions import notices, together
from missions.steps import as_one, undone
from presessions import trail
from presessions.trail.steps import WrongStep
from presessions.upr.dates import day_in_words, day_of
from presessions.upr.models import CountryMeeting
from presessions.upr.rules import overlaps
from presessions.upr.signals import in_sum, listening


@dataclass(frozen=True)
class Seen:
    """What a step would do: who is told what, and what becomes of mailings."""

    notices: list  # (notices.Notice, its texts by language)
    consequences: list
    mark: str  # says whether what staff have looked at is what would happen
    warnings: tuple = ()  # what should make staff stop
    missions_told: bool = False  # whether letters have told missions the earlier date


def call_off(meeting, why, *, by, now, reason=""):
    """The meeting will not take place; applicants and missions that answered are told. Returns the notices.

    why -- one of CountryMeeting.NotHeld; reason -- more words, for the trail. Raises WrongStep once held or called off.
    """
    with as_one(meeting, "called off", by=by, now=now, reason=reason):
        found = _called_off(meeting, why, by=by, now=now, reason=reason)
        for notice in found:
            notice.put(now)
    return found


def _called_off(meeting, why, *, by, now, reason):
    meeting.call_off(why, now=now, by=by, reason=reason)
    return notices.of_calling_off(_fresh(meeting), now=now)


def look_at_calling_off(meeting, why, *, by, now):
    with undone(), listening() as heard:
        found = _called_off(meeting, why, by=by, now=now, reason="")
        seen = _seen(found, heard, missions_told=notices.missions_know_dates(meeting.series))
    meeting.refresh_from_db()
    return seen


def move(meeting, starts_at, *, by, now, reason="", **place):
    """Give the meeting another start, another place, or both; speakers who have a seat and missions that answered are
    told, in one letter. One that was called off will be held after all: then whoever was told that is told this.
    Returns the notices.

    place -- room and online_link, where they change. Raises WrongStep once held, and where nothing would change.
    """
    with as_one(meeting, "changed", by=by, now=now, reason=reason):
        found = _moved(meeting, starts_at, by=by, now=now, reason=reason, **place)
        for notice in found:
            notice.put(now)
    return found


def _moved(meeting, starts_at, *, by, now, reason, **place):
    was_off = not meeting.goes_ahead
    was = None if was_off else meeting.starts_at
    if starts_at <= now:
        raise WrongStep(_("This start lies in the past."))
    place = {name: value for name, value in place.items() if value != getattr(meeting, name)}
    if was == starts_at and not place:
        raise WrongStep(_("The meeting begins at that time already."))
    if was == starts_at:
        meeting.reschedule(now=now, by=by, reason=reason, **place)
        return notices.of_new_place(_fresh(meeting), now=now, for_applicants="room" in place)
    if was_off:
        meeting.reinstate(now=now, by=by)
    meeting.reschedule(now=now, by=by, reason=reason, starts_at=starts_at, **place)
    return notices.of_moving(_fresh(meeting), was=was, was_off=was_off, now=now)


def look_at_moving(meeting, starts_at, *, by, now, **place):
    other_hour = not meeting.goes_ahead or meeting.starts_at != starts_at
    with undone(), listening() as heard:
        found = _moved(meeting, starts_at, by=by, now=now, reason="", **place)
        told = other_hour and notices.missions_know_dates(meeting.series)
        seen = _seen(found, heard, _warnings(_fresh(meeting)), missions_told=told)
    meeting.refresh_from_db()
    return seen


def _warnings(meeting):
    """What speaks against a meeting's start, and does not forbid it."""
    series, day = meeting.series, day_of(meeting.starts_at)
    found = [
        _("At the same time as the meeting about %(other)s: nobody can follow both.") % {"other": other}
        for pair in overlaps(series.meetings().with_state())
        for other in pair
        if meeting in pair and other != meeting
    ]
    if series.first_day and series.last_day and not series.first_day <= day <= series.last_day:
        words = {"first": day_in_words(series.first_day), "last": day_in_words(series.last_day)}
        found.append(_("The Pre-sessions take place from %(first)s to %(last)s.") % words)
    return tuple(found)


def tell(meeting, *, by, now, only_place=False):
    """Tell those who do not know yet how the meeting stands: it was changed where nobody is told. Returns the notices;
    raises WrongStep where everybody knows.

    only_place -- its hour is as it was
    """
    with as_one(meeting, "told", by=by, now=now):
        CountryMeeting.objects.select_for_update().get(pk=meeting.pk)  # two at once would tell twice
        found = notices.not_told_yet(_fresh(meeting), now=now, only_place=only_place)
        if not found:
            raise WrongStep(_("There is nobody to tell."))
        trail.record(meeting, "told", now=now, by=by)
        for notice in found:
            notice.put(now)
    return found


def look_at_telling(meeting, *, now, only_place=False):
    return _seen(notices.not_told_yet(_fresh(meeting), now=now, only_place=only_place), [])


def tell_of_several(series, keys, *, by, now, only_place=()):
    """The same for several meetings of a series, with one letter to each mission about all of them.

    keys -- of the meetings; only_place -- of those whose hour is as it was. Raises WrongStep where everybody knows.
    """
    with as_one(series, "told", by=by, now=now):
        list(CountryMeeting.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk"))
        found = together.not_told_yet(_those(series, keys), now=now, only_place=only_place)
        if not found:
            raise WrongStep(_("There is nobody to tell."))
        trail.record(series, "told", now=now, by=by)
        for notice in found:
            notice.put(now)
    return found


def look_at_telling_of_several(series, keys, *, now, only_place=()):
    return _seen(together.not_told_yet(_those(series, keys), now=now, only_place=only_place), [])


def _those(series, keys):
    return list(series.meetings().with_state().filter(pk__in=keys))


def _fresh(meeting):
    return CountryMeeting.objects.with_state().get(pk=meeting.pk)


def _seen(found, heard, warnings=(), **more):
    shown, consequences = [(notice, notice.shown()) for notice in found], in_sum(heard)
    people = [(notice.kind, [person.id for person in notice.people]) for notice in found]
    facts = (people, [(one.what, one.where, one.before, one.after) for one in consequences])
    return Seen(shown, consequences, hashlib.sha256(repr(facts).encode()).hexdigest()[:32], warnings, **more)
