"""States with too few applications: seen three weeks and one week before their deadline, and a second call proposed.

Room: applications; imports its models. The mail itself stands in `mailings.second_call`.
"""

from datetime import timedelta

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from applications.models import Application, StateCall
from presessions.upr.dates import closes_after, day_of
from presessions.upr.models import CountryMeeting

DAYS_BEFORE = (21, 7)  # the deadline: then somebody looks, and a second call can still be answered


def counted(state_calls):
    """With `application_count`: how many have applied and have not taken it back. A subquery, not a join."""
    living = Application.objects.sent().live().filter(state_call=OuterRef("pk")).order_by().values("state_call")
    number = Subquery(living.annotate(number=Count("*")).values("number"))
    return state_calls.annotate(application_count=Coalesce(number, 0))


def thin(state_calls, now):
    """Of these, those that fewer than the call's minimum have applied for, from three weeks before their deadline until
    their meeting begins or is called off."""
    today = day_of(now)
    near = closes_after(today + timedelta(days=DAYS_BEFORE[0]))
    ahead = Q(meeting__starts_at=None) | Q(meeting__starts_at__gt=now)
    return (
        counted(state_calls.with_deadline())
        .filter(ahead, deadline_in_force__lte=near, meeting__status__in=CountryMeeting.AHEAD)
        .filter(call__opens_at__lte=now, application_count__lt=F("call__minimum"))
    )


def looked_at_from(state_call, now):
    """The instant from which a second call would be about today: three weeks, or, once that is near, one week before
    the deadline. None before the first and after the deadline."""
    left = state_call.days_left(now)
    days = min((days for days in DAYS_BEFORE if left <= days), default=None)
    if days is None or state_call.deadline <= now:
        return None
    last_day = day_of(state_call.deadline - timedelta(minutes=1))
    return closes_after(last_day - timedelta(days=days + 1))


def of_series(series, now):
    """{series' key: [StateCall, ...]} of those that are thin, the nearest deadline first; one query."""
    found = {}
    calls = StateCall.objects.with_state().filter(call__series__in=series, call__series__closed_at=None)
    for one in thin(calls, now).order_by("deadline_in_force", "meeting__state_under_review__state__sort_key"):
        found.setdefault(one.call.series_id, []).append(one)
    return found
