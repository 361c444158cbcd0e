"""What everybody may read: live calls, a series, a State's meeting, what this is about. Nobody's data, and no names but
of those speakers of a published agenda who have agreed to it."""

from itertools import groupby

from django.db.models import OuterRef, Q, Subquery
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from applications import afterwards, public_agenda
from applications.briefly import same_for_all
from applications.models import Agenda, StateCall
from presessions.upr.dates import day_of, months_before
from presessions.upr.models import CountryMeeting, Series, WorkingGroupSession
from presessions.upr.names import place

CALL_BEFORE = 3  # months before the Working Group, when the call of a series usually opens


@require_safe
@same_for_all
def home(request):
    now = timezone.now()
    state_calls = StateCall.objects.not_over(now).with_state().order_by("call__series__session__number")
    live = [
        {"series": series, "opens_at": series.call.opens_at, "deadlines": _by_deadline(group, now)}
        for series, group in groupby(state_calls, key=lambda state_call: state_call.series)
    ]
    coming = _coming({block["series"].number for block in live}, now)
    awaited = any(not session.has_closed for session in coming)  # else no next call would be spoken of
    context = {"live": live, "coming": coming, "awaited": awaited, "now": now}
    return render(request, "applications/home.html", context)


def _by_deadline(state_calls, now):
    """States that share a deadline, the earliest first; each group in the order of names in the reader's language."""
    ordered = sorted(state_calls, key=lambda one: (one.deadline, by_name(one.state)))
    groups = [
        {"deadline": deadline, "state_calls": list(group)}
        for deadline, group in groupby(ordered, key=lambda state_call: state_call.deadline)
    ]
    for group in groups:
        first = group["state_calls"][0]
        group["days"] = first.days_left(now)
        group["extended"] = bool(first.call.closes_at and first.deadline > first.call.closes_at)
    return groups


def by_name(state):
    """Where a State stands in a list of the reader's language."""
    language = get_language() or "en"
    return place(state.listed_name_in(language), language)


def _coming(live, now):
    """Sessions that are not over and have no call open or announced: when that may be, or that it is over."""
    today = day_of(now)
    sessions = WorkingGroupSession.objects.filter(Q(ends_on__gte=today) | Q(ends_on=None)).exclude(number__in=live)
    coming = [one for one in sessions.select_related("series__call").order_by("number") if not one.is_over(today)]
    for session in coming:
        session.ours = getattr(session, "series", None)
        call = getattr(session.ours, "call", None)
        session.has_closed = bool(call and call.closes_at and call.closes_at <= now)
        usually = session.month and months_before(session.starts_on or session.month, CALL_BEFORE)
        session.call_expected_on = usually if usually and usually > today else None
    return coming


@require_safe
def about(request):
    return render(request, "applications/about.html")


@require_safe
def series(request, number):
    now = timezone.now()
    one = get_object_or_404(Series.objects.select_related("session"), session__number=number)
    meetings = list(one.meetings().select_related("state_call__call__series", "state_under_review__state"))
    for meeting in meetings:
        meeting.open_call = call_of(meeting, now)
        meeting.is_past = bool(meeting.ends_at and meeting.ends_at <= now)
    ahead = [meeting for meeting in meetings if meeting.goes_ahead]
    context = {
        "series": one,
        "days": [(day, list(group)) for day, group in groupby(ahead, key=_day)],
        "called_off": [meeting for meeting in meetings if not meeting.goes_ahead],
        "is_past": bool(ahead) and all(meeting.is_past for meeting in ahead),
        "any_open": any(meeting.open_call for meeting in ahead),
    }
    return render(request, "applications/series.html", context)


def _day(meeting):
    """The day in Geneva on which a meeting is; None while that is not known."""
    return meeting.starts_at and day_of(meeting.starts_at)


@require_safe
def meeting(request, number, iso2):
    now = timezone.now()
    newest = Agenda.objects.filter(meeting=OuterRef("pk")).order_by("-number")
    meetings = CountryMeeting.objects.with_state().select_related("state_call__call__series", "outcome")
    one = get_object_or_404(
        meetings.annotate(agenda=Subquery(newest.values("content")[:1]), version=Subquery(newest.values("number")[:1])),
        state_under_review__session__number=number,
        state_under_review__session__series__isnull=False,
        state_under_review__state=iso2,
    )
    context = {
        "meeting": one,
        "series": one.series,
        "open_call": call_of(one, now),
        "is_past": bool(one.ends_at and one.ends_at <= now),
        "agenda": public_agenda.shown(one, one.agenda) if one.agenda and one.goes_ahead else [],
        "recommendations": afterwards.summary(one),
    }
    return render(request, "applications/meeting.html", context)


def call_of(meeting, now):
    """The meeting's call with what a page says of it, if it is open."""
    state_call = getattr(meeting, "state_call", None)
    if state_call is None or not state_call.is_open(now):
        return None
    state_call.days = state_call.days_left(now)
    return state_call
