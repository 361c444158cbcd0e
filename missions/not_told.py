"""The missions that nobody has told how meetings stand now, counted for several series at once. Room: missions; reads,
never writes.

The same queries for one series and for six. `together` finds the same missions one by one, where they are told.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.http import urlencode

from missions import notices, standing
from missions.models import MissionAddress, Reply
from presessions.mail import corrections
from presessions.mail.models import Letter
from presessions.upr.dates import day_of
from presessions.upr.models import CountryMeeting

MEETINGS, PLACE = "meetings", "place"  # in addresses: which have changed, and of which only the place


@dataclass
class NotTold:
    """Of one series. meetings -- those that have changed, in the order of the programme; missions -- their keys"""

    series: int
    meetings: list = field(default_factory=list)
    missions: set = field(default_factory=set)
    other_hour: set = field(default_factory=set)  # keys of the meetings of which not only the place is news

    @property
    def number(self):
        return len(self.missions)

    @property
    def address(self):
        """Where they are told."""
        place = [one.pk for one in self.meetings if one.pk not in self.other_hour]
        return address(self.series, [one.pk for one in self.meetings], place)


def address(series, meetings, place):
    """The page on which changes of several meetings are told; all by their keys."""
    asked = {MEETINGS: ",".join(map(str, meetings)), PLACE: ",".join(map(str, place))}
    return f"{reverse('admin:upr_series_tell', args=[series])}?{urlencode(asked)}"


def of_series(series, now):
    """{series' key: NotTold}, only of those in which there is somebody to tell."""
    meetings = {meeting.pk: meeting for meeting in _changed(series, now)}
    replies = list(_replies(meetings, now))
    last = _told_last(meetings.values(), {str(mission) for _meeting, mission, _answer, _at in replies})
    found, concerned = {}, defaultdict(set)
    for key, mission, answer, at in replies:
        meeting = meetings[key]
        said = last.get((key, str(mission)))
        if standing.is_news(meeting, answer, at, said):
            one = found.setdefault(meeting.series.pk, NotTold(meeting.series.pk))
            one.missions.add(mission)
            concerned[meeting.series.pk].add(key)
            if not meeting.goes_ahead or standing.hour_is_news(meeting, at, said):
                one.other_hour.add(key)
    for pk, one in found.items():
        one.meetings = [meetings[key] for key in meetings if key in concerned[pk]]
    return found


def _changed(series, now):
    """Meetings of which there may be something to tell: changed, not held, and not begun."""
    changed = CountryMeeting.objects.filter(state_under_review__session__series__in=series).with_state()
    changed = changed.exclude(hour_changed_at=None, place_changed_at=None).exclude(status=CountryMeeting.Status.HELD)
    ahead = changed.filter(Q(starts_at=None) | Q(starts_at__gt=now))
    return ahead.order_by(F("starts_at").asc(nulls_last=True), "state_under_review__state__sort_key")


def _replies(meetings, now):
    """(meeting, mission, answer, when it was given) of those that can be written to."""
    valid = MissionAddress.objects.valid(day_of(now)).filter(mission=OuterRef("invitation__mission"))
    replies = Reply.objects.filter(Exists(valid), meeting__in=meetings, invitation__revoked_at=None).order_by()
    return replies.values_list("meeting", "invitation__mission", "answer", "at")


def _told_last(meetings, missions):
    """{(meeting, mission): the stand that its last letter told}; see `standing`."""
    by_uid = {meeting.uid: meeting.pk for meeting in meetings}
    by_state = {(str(meeting.series.number), meeting.state.pk): meeting.pk for meeting in meetings}
    letters = Letter.objects.filter(
        kind__in=(*notices.TO_MISSIONS, standing.SEVERAL),
        recipient_kind="mission",
        recipient_id__in=missions,
        state__in=corrections.ARRIVES,
    )
    found = {}
    for mission, kind, key in letters.order_by("pk").values_list("recipient_id", "kind", "key"):
        which = key.split(":")[1]
        if kind == standing.SEVERAL:
            told = {by_state.get((which, state)): said for state, said in standing.told_by(key).items()}
        else:
            told = {by_uid.get(which): key.split(":")[2]}
        found |= {(meeting, mission): said for meeting, said in told.items()}
    return found
