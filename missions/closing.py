"""Closing a series: into the books once nothing is left to do, and out of them again. Room: missions.

A closed series takes no applications and leaves the home page. Nobody may be left without an answer: that is asked in
the transaction that closes, and a refusal leaves its event outside of what it undoes. Its mailings stop with it, in
that transaction too: see `schedule.is_stopped`.
"""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import ngettext

from applications import decisions
from applications.models import StateCall
from missions.steps import as_one, undone
from presessions.mail import schedule
from presessions.mail.models import Mailing
from presessions.trail.steps import WrongStep
from presessions.upr.models import CountryMeeting, Series


@dataclass(frozen=True)
class Left:
    """Something that is left to do before a series can be closed: in words, and where to do it."""

    words: str
    url: str


def left_to_do(series, now):
    """What stands in the way of closing it: a list of Left, empty when it can be closed."""
    return [one for one in (_ahead(series), _open(series, now), _unanswered(series, now)) if one]


def _ahead(series):
    meetings = series.meetings().filter(status__in=CountryMeeting.AHEAD).count()
    words = ngettext(
        "%(n)s meeting has neither been marked as held nor called off.",
        "%(n)s meetings have neither been marked as held nor called off.",
        meetings,
    )
    url = reverse("admin:upr_series_change", args=[series.pk]) + "#programme"
    return meetings and Left(words % {"n": meetings}, url)


def _open(series, now):
    calls = StateCall.objects.open(now).filter(call__series=series).count()
    words = ngettext("The call is still open for %(n)s State.", "The call is still open for %(n)s States.", calls)
    url = f"{reverse('admin:applications_statecall_changelist')}?series={series.pk}"
    return calls and Left(words % {"n": calls}, url)


def _unanswered(series, now):
    try:
        decisions.refuse_undecided(series, now)
    except WrongStep as refusal:
        return Left(str(refusal), f"{reverse('admin:applications_application_changelist')}?series={series.pk}")
    return None


def look(series, *, by, now):
    """What would become of its mailings: a Consequence for each that would stop, and for each that goes on because its
    letters are being written or sent."""
    begun = (Mailing.State.WRITING, Mailing.State.SENDING)
    with undone():
        series.close(now=now, by=by)
        found = [one for one in schedule.plan(series, now) if one.before and one.before != one.after]
    series.refresh_from_db()
    for mailing in series.mailings.with_series().filter(state__in=begun):
        found.append(schedule.goes_on(mailing))
    return found


def close(series, *, by, now, reason=""):
    """Close a series. Raises WrongStep, in the words of what is left to do, and where it is closed already."""
    with as_one(series, "closed", by=by, now=now, reason=reason):
        Series.objects.select_for_update(no_key=True).get(pk=series.pk)  # whoever plans its mailings meanwhile may end
        left = left_to_do(series, now)
        if left:
            raise WrongStep(" ".join(one.words for one in left))
        series.close(now=now, by=by, reason=reason)
        schedule.plan(series, now)


def reopen(series, *, by, now, reason=""):
    """Take a series out of the books again, with the mailings that closing stopped: those that were to go meanwhile are
    held. Raises WrongStep unless it is closed."""
    with as_one(series, "reopened", by=by, now=now, reason=reason):
        series.reopen(now=now, by=by, reason=reason)
        schedule.plan(series, now)
