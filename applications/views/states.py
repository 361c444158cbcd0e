"""The calendar as everybody may read it: every State and its reviews, and every series of Pre-sessions, past ones too.

Room: applications. Nothing here knows of an application. A page costs two queries, whatever it lists.
"""

from itertools import groupby

from django.db.models import F, Prefetch, Q
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from applications.views.calls import by_name, call_of
from presessions.upr.dates import day_of
from presessions.upr.models import State, StateUnderReview, WorkingGroupSession
from presessions.upr.names import fold, initial


@require_safe
def states(request):
    """All Member States with the review that comes next, or came last; `q` finds a part of any of their names."""
    today = day_of(timezone.now())
    wanted = request.GET.get("q", "").strip()[:100]
    places = StateUnderReview.objects.exclude(status=StateUnderReview.Status.MOVED).select_related("session__series")
    found = State.objects.defer("loaded").prefetch_related(Prefetch("reviews", places, to_attr="places"))
    if key := fold(wanted):
        found = found.filter(search_key__contains=key)
    listed = found.sorted_by_name(get_language())
    for state in listed:
        state.review = _next_or_last(state.places, today)
        state.review_is_ahead = bool(state.review and lies_ahead(state.review, today))
    by_session = request.GET.get("by") == "session"
    groups = _by_session(listed) if by_session else _by_letter(listed)
    context = {"groups": groups, "wanted": wanted, "by_session": by_session, "number": len(listed), "today": today}
    return render(request, "applications/states.html", context)


def _next_or_last(places, today):
    """Of a State's places, the first that lies ahead; else the last one. None where the calendar has none."""
    in_order = sorted(places, key=_when)
    ahead = [place for place in in_order if lies_ahead(place, today)]
    return next(iter(ahead), None) or next(reversed(in_order), None)


def lies_ahead(place, today):
    """Whether a State will still be reviewed there; where no session is known, it will."""
    expected = place.status in StateUnderReview.EXPECTED
    return expected and not (place.session and place.session.is_over(today))


def _when(place):
    return place.session.number if place.session else 10_000  # not known yet: after all that is known


def _by_letter(listed):
    """By the letter under which a list in the reader's language has them."""
    language = get_language() or "en"
    first = groupby(listed, key=lambda state: initial(state.listed_name_in(language), language))
    return [(letter, list(group)) for letter, group in first]


def _by_session(listed):
    """By session, the newest first; a review whose session is not known stands before all."""
    ordered = sorted((state for state in listed if state.review), key=lambda state: -_when(state.review))
    return [(session, list(group)) for session, group in groupby(ordered, key=lambda state: state.review.session)]


@require_safe
def state(request, iso2):
    """When this State was and will be reviewed, and its Pre-sessions."""
    now = timezone.now()
    today = day_of(now)
    one = get_object_or_404(State, pk=iso2)
    places = list(
        one.reviews.select_related("session__series", "meeting__state_call__call__series", "meeting__outcome").order_by(
            F("session__number").desc(nulls_first=True)
        )
    )
    for place in places:
        place.state = one
        place.our_meeting = getattr(place, "meeting", None)
        place.open_call = call_of(place.our_meeting, now) if place.our_meeting else None
    ahead = [place for place in reversed(places) if lies_ahead(place, today)]
    past = [place for place in places if place not in ahead]
    return render(request, "applications/state.html", {"state": one, "ahead": ahead, "past": past, "now": now})


@require_safe
def all_series(request):
    """Every series with its days and its States, newest first; of older sessions the days that the sources have."""
    today = day_of(timezone.now())
    places = StateUnderReview.objects.exclude(status=StateUnderReview.Status.MOVED).select_related("state", "meeting")
    sessions = WorkingGroupSession.objects.filter(
        Q(series__isnull=False) | Q(presessions_start_on__isnull=False)
    ).select_related("series")
    ahead, past = [], []
    for session in sessions.prefetch_related(Prefetch("states_under_review", places, to_attr="places")):
        session.ours = getattr(session, "series", None)
        session.first_day = session.ours.first_day if session.ours else session.presessions_start_on
        session.last_day = session.ours.last_day if session.ours else session.presessions_end_on
        session.places = sorted(filter(_took_or_takes_place, session.places), key=lambda one: by_name(one.state))
        (past if session.is_over(today) else ahead).append(session)
    return render(request, "applications/all_series.html", {"ahead": ahead, "past": past})


def _took_or_takes_place(place):
    """Where we have a meeting of our own, it was not called off; else the session's list is all we know."""
    meeting = getattr(place, "meeting", None)
    return meeting is None or meeting.goes_ahead
