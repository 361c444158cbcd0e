"""States, a session, its series and meetings for tests. Without arguments everything belongs to Pre-sessions 54.

StateFactory(iso2="KE")               Kenya, as the carried table has it; without iso2 one State after the other
SessionFactory()                      4 to 15 May 2026
SeriesFactory()                       14 to 16 April 2026; rows only: nothing is announced to the rooms above
CountryMeetingFactory(starts_at=...)  one more State in that series, by default at 10:00 on its first day
"""

import csv
from datetime import date

import factory

from presessions.upr.dates import geneva
from presessions.upr.management.commands.load_calendar import CARRIED
from presessions.upr.models import CountryMeeting, Series, State, StateUnderReview, WorkingGroupSession

with (CARRIED / "states.csv").open(encoding="utf-8", newline="") as table:
    STATES = {row["iso2"]: row for row in csv.DictReader(table)}
CODES = list(STATES)


class StateFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = State
        django_get_or_create = ("iso2",)

    iso2 = factory.Sequence(lambda n: CODES[n % len(CODES)])

    @classmethod
    def _adjust_kwargs(cls, **facts):
        return {**STATES.get(facts["iso2"], {}), **facts}


class SessionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = WorkingGroupSession
        django_get_or_create = ("number",)

    number = 54
    cycle = 4
    starts_on = date(2026, 5, 4)
    ends_on = date(2026, 5, 15)


class SeriesFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Series
        django_get_or_create = ("session",)

    session = factory.SubFactory(SessionFactory)
    first_day = date(2026, 4, 14)
    last_day = date(2026, 4, 16)


class StateUnderReviewFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = StateUnderReview

    session = factory.SubFactory(SessionFactory)
    state = factory.SubFactory(StateFactory)


class CountryMeetingFactory(factory.django.DjangoModelFactory):
    """series=, state=, or the whole state_under_review=."""

    class Meta:
        model = CountryMeeting

    class Params:
        series = factory.SubFactory(SeriesFactory)
        state = factory.SubFactory(StateFactory)

    state_under_review = factory.SubFactory(
        StateUnderReviewFactory,
        session=factory.SelfAttribute("..series.session"),
        state=factory.SelfAttribute("..state"),
    )
    starts_at = geneva(date(2026, 4, 14), 10)
