"""What everybody may read: live calls, a series, a State's meeting, what this is about. No names, nobody's data."""

from itertools import groupby

from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from applications.models import StateCall
from presessions.upr.models import CountryMeeting, Series
from presessions.upr.names import fold


@require_safe
def home(request):
    now = timezone.now()
    state_calls = StateCall.objects.not_over(now).with_state().order_by("call__series__session__number")
    live = [
        {"series": series, "state_calls": _by_name(group, now), "opens_at": series.call.opens_at}
        for series, group in groupby(state_calls, key=lambda state_call: state_call.series)
    ]
    return render(request, "applications/home.html", {"live": live, "now": now})


def _by_name(state_calls, now):
    """In the order of the States' names in the reader's language, each with what its card says."""
    for state_call in (found := list(state_calls)):
        state_call.open_now, state_call.days = state_call.is_open(now), state_call.days_left(now)
    return sorted(found, key=lambda state_call: fold(state_call.state.name))


@require_safe
def about(request):
    return render(request, "applications/about.html")


@require_safe
def privacy(request):
    return render(request, "applications/privacy.html")


@require_safe
def series(request, number):
    now = timezone.now()
    one = get_object_or_404(Series.objects.select_related("session"), session__number=number)
    meetings = list(one.meetings().going_ahead().select_related("state_call__call", "state_under_review__state"))
    for meeting in meetings:
        meeting.open_call = _call_of(meeting, now)
    return render(request, "applications/series.html", {"series": one, "meetings": meetings})


@require_safe
def meeting(request, number, iso2):
    now = timezone.now()
    one = get_object_or_404(
        CountryMeeting.objects.with_state().select_related("state_call__call"),
        state_under_review__session__number=number,
        state_under_review__session__series__isnull=False,
        state_under_review__state=iso2,
    )
    context = {"meeting": one, "series": one.series, "open_call": _call_of(one, now)}
    return render(request, "applications/meeting.html", context)


def _call_of(meeting, now):
    """The meeting's call with what a page says of it, if it is open."""
    state_call = getattr(meeting, "state_call", None)
    if state_call is None or not state_call.is_open(now):
        return None
    state_call.days = state_call.days_left(now)
    return state_call
