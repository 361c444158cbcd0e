"""When a mailing is due: the dates it hangs on, and the arithmetic between them. Room: mail; imports upr.

Reads and computes, writes nothing. `schedule` writes down what is found here, `wording` puts it into words.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Min
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from presessions.mail import registry
from presessions.mail.models import Mailing
from presessions.trail.steps import WrongStep
from presessions.upr.dates import day_of, geneva, months_before
from presessions.upr.models import CountryMeeting

Decided = Mailing.Decided

# --- The calendar's own anchors; rooms above add theirs, such as the deadline -----------------------------------------


def _start_of(day):
    return geneva(day) if day else None


@registry.anchor("working_group", gettext_lazy("the Working Group session"))
def working_group(series, meeting):
    return _start_of(series.session.starts_on)


@registry.anchor("working_group_end", gettext_lazy("the end of the Working Group session"))
def working_group_end(series, meeting):
    return _start_of(series.session.ends_on)


def _of_each(aggregate, day):
    """Series.first_meeting_at and last_meeting_at for many series in one query."""

    def every(all_series):
        meetings = CountryMeeting.objects.going_ahead().filter(state_under_review__session__series__in=all_series)
        by_series = meetings.order_by().values_list("state_under_review__session__series")
        starts = dict(by_series.annotate(start=aggregate("starts_at")))
        return {(one.pk, None): starts.get(one.pk) or _start_of(getattr(one, day)) for one in all_series}

    return every


@registry.anchor("first_meeting", gettext_lazy("the first meeting"), every=_of_each(Min, "first_day"))
def first_meeting(series, meeting):
    return series.first_meeting_at()


@registry.anchor("last_meeting", gettext_lazy("the last meeting"), every=_of_each(Max, "last_day"))
def last_meeting(series, meeting):
    return series.last_meeting_at()


@registry.anchor("meeting", gettext_lazy("the meeting"), by_meeting=True)
def this_meeting(series, meeting):
    return meeting and meeting.starts_at


class Anchors:
    """The dates of some series, each asked for once, however many mailings hang on it."""

    def __init__(self, all_series):
        self._series = {series.pk: series for series in all_series}
        self._found = {}
        self._asked = set()

    def at(self, name, mailing):
        """The instant of an anchor for this mailing, or None while it is unknown or nobody registered it."""
        known = registry.ANCHORS.get(name)
        if known is None:
            return None
        if known.every and name not in self._asked:
            self._asked.add(name)
            self._found |= {(name, *key): at for key, at in known.every(list(self._series.values())).items()}
        key = (name, mailing.series_id, mailing.meeting_id if known.by_meeting else None)
        if key not in self._found:
            meeting = mailing.meeting if known.by_meeting else None
            self._found[key] = None if known.every and meeting else known.find(mailing.series, meeting)
        return self._found[key]

    def is_pointless(self, mailing, now):
        """Mailing.is_pointless, without a query for each."""
        end = self.at(mailing.pointless_after, mailing) if mailing.pointless_after else None
        return end is not None and end <= now


def anchors_of(mailings):
    """Anchors for the series of these mailings."""
    return Anchors({mailing.series_id: mailing.series for mailing in mailings}.values())


# --- Arithmetic -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Due:
    """What the dates known today say about a mailing."""

    at: datetime | None  # None: waits for a date
    decided_by: str = ""
    rule_at: datetime | None = None  # what the rule alone says
    latest_at: datetime | None = None  # what "at the latest" alone says
    unknown: tuple[str, ...] = ()  # anchors without a date

    @property
    def known_at(self):
        """The earliest moment that the known dates already ask for."""
        return min(filter(None, (self.rule_at, self.latest_at)), default=None)


def due(mailing, anchors=None):
    """Compute when a mailing goes: moved by staff, or the earlier of its rule and its "at the latest". A correction
    has no rule: it goes when staff let it go. Raises WrongStep where a rule leads outside the calendar."""
    if mailing.corrects_id:
        return Due(mailing.moved_to or mailing.due_at, Decided.MOVED if mailing.moved_to else Decided.RULE)
    anchors = anchors or anchors_of([mailing])
    rule_at = _before(mailing, mailing.anchor, mailing.months, mailing.days, anchors)
    unknown = () if rule_at else (mailing.anchor,)
    latest_at = None
    if mailing.latest_anchor and mailing.latest_days is not None:
        latest_at = _before(mailing, mailing.latest_anchor, 0, mailing.latest_days, anchors)
        unknown += () if latest_at else (mailing.latest_anchor,)
    if mailing.moved_to:
        return Due(mailing.moved_to, Decided.MOVED, rule_at, latest_at, unknown)
    if unknown:
        return Due(None, "", rule_at, latest_at, unknown)
    if latest_at and latest_at < rule_at:
        return Due(latest_at, Decided.LATEST, rule_at, latest_at)
    return Due(rule_at, Decided.RULE, rule_at, latest_at)


def _before(mailing, name, months, days, anchors):
    instant = anchors.at(name, mailing)
    if instant is None:
        return None
    if registry.ANCHORS[name].too_late:
        instant -= timedelta(microseconds=1)
    day = day_of(instant)
    try:
        return geneva(months_before(day, months) - timedelta(days=days), mailing.hour)
    except (ValueError, OverflowError) as error:
        raise WrongStep(_("That leads to a day outside the calendar.")) from error
