"""Who was invited to a series, who was not reached and why, who answered what, and who came. Room: missions; reads,
never writes.

The same few queries for one mission and for two hundred. "Fetched" is what we know of a page being opened, which a
mail filter does too; only "answered" is counted. `report` adds this up.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from missions.models import (
    Colleague,
    Delegate,
    DoorNote,
    Invitation,
    MissionAddress,
    MissionTask,
    PermanentMission,
    Reply,
)
from presessions.mail.models import Letter, LinkVisit
from presessions.upr.dates import day_of

WITH_LINK = ("invitation", "briefing")


@dataclass
class Line:
    """One mission in one series."""

    mission: Any
    has_address: bool
    has_valid_address: bool
    invitation: Any = None
    letter: dict | None = None  # the newest invitation written to it: state, sent_at, pk
    delivered: bool = False  # a server has taken a letter with the link, and it has not come back
    visits: int = 0
    surely_visits: int = 0  # those that do not look like a mail filter's
    replies: dict = field(default_factory=dict)
    delegates: int = 0
    by_other_means: bool = False  # somebody has said how it was reached
    notes: dict = field(default_factory=dict)  # by meeting: what was noted at the door, if only that nobody came

    @property
    def invited(self):
        return bool(self.invitation) or self.by_other_means

    @property
    def answered(self):
        return bool(self.invitation and self.invitation.answered_at)

    @property
    def reached(self):
        return self.answered or self.delivered or self.by_other_means

    @property
    def fetched(self):
        """Its page was opened, and not only by something that may be a mail filter."""
        return self.answered or bool(self.surely_visits)

    @property
    def maybe_fetched(self):
        return bool(self.visits) and not self.fetched

    @property
    def says_it_comes(self):
        return any(reply.comes for reply in self.replies.values())

    def comes_to(self, meeting):
        reply = self.replies.get(meeting.pk)
        return bool(reply and reply.comes)

    @property
    def came(self):
        return any(note.people for note in self.notes.values())

    def came_to(self, meeting):
        note = self.notes.get(meeting.pk)
        return bool(note and note.people)

    @property
    def waits(self):
        """Not reached so far, because nothing was written to it that it could get."""
        return not self.reached and not self.letter and self.has_valid_address

    @property
    def reason(self):
        """Why the invitation has not reached it, in words; "" when it has."""
        if self.reached:
            return ""
        if self.letter:
            return _("Letter: %(state)s") % {"state": Letter.State(self.letter["state"]).label}
        if self.has_valid_address:
            return _("Not yet written to")
        if self.has_address:
            return _("Its addresses have ended or bounced")
        if self.mission.in_geneva == PermanentMission.InGeneva.NO:
            return _("No mission in Geneva")
        return _("No address in the register")


@dataclass
class Tally:
    """One meeting: the answers, and who came, counted. Missions are counted, and the people they send beside them."""

    meeting: Any
    lines: list  # of all missions
    own_line: Line | None = None  # of the mission of the State under Review

    @property
    def replies(self):
        return [line.replies[self.meeting.pk] for line in self.lines if self.meeting.pk in line.replies]

    @property
    def counts(self):
        given = Counter(reply.answer for reply in self.replies)
        return {answer: given[answer] for answer in Reply.Answer}

    @property
    def announced(self):
        """Those that have said that they come."""
        return [line for line in self.lines if line.comes_to(self.meeting)]

    @property
    def coming(self):
        return len(self.announced)

    @property
    def own(self):
        """The reply of the State under Review."""
        return self.own_line and self.own_line.replies.get(self.meeting.pk)

    @property
    def own_note(self):
        """What was noted of the State under Review at its meeting."""
        return self.own_line and self.own_line.notes.get(self.meeting.pk)

    @property
    def own_spoke(self):
        return bool(self.own_note and self.own_note.people and self.own_note.spoke)

    @property
    def noted(self):
        """Whether anybody stood at the door and noted: without that, nobody can say that nobody came."""
        return any(self.meeting.pk in line.notes for line in self.lines)

    @property
    def came(self):
        return [line for line in self.lines if line.came_to(self.meeting)]

    @property
    def people(self):
        return sum(line.notes[self.meeting.pk].people for line in self.came)

    @property
    def unannounced(self):
        return [line for line in self.came if not line.comes_to(self.meeting)]

    @property
    def missed(self):
        """Had said that they would come, and did not."""
        return [line for line in self.announced if not line.came_to(self.meeting)] if self.noted else []


@dataclass
class Overview:
    series: Any
    meetings: list
    lines: list

    @property
    def answered(self):
        return [line for line in self.lines if line.answered]

    @property
    def silent(self):
        """Reached, and without an answer."""
        return [line for line in self.lines if line.reached and not line.answered]

    @property
    def not_reached(self):
        return [line for line in self.lines if not line.reached]

    def not_reached_by_reason(self):
        return sorted(self.not_reached, key=lambda line: line.reason)  # stable: by name under each reason

    def tallies(self):
        of_states = {line.mission.state_id: line for line in self.lines if line.mission.state_id}
        for meeting in self.meetings:
            yield Tally(meeting, self.lines, of_states.get(meeting.state.pk))

    def rows(self):
        """(line, its reply or None for each meeting) of those that answered."""
        return [(line, [line.replies.get(meeting.pk) for meeting in self.meetings]) for line in self.answered]


def of(series, *, now):
    """The Overview of a series as it stands; every mission of the register is in it exactly once."""
    today = day_of(now)
    with_address = set(MissionAddress.objects.values_list("mission", flat=True))
    with_valid_address = set(MissionAddress.objects.valid(today).values_list("mission", flat=True))
    lines = {
        mission.pk: Line(mission, mission.pk in with_address, mission.pk in with_valid_address)
        for mission in PermanentMission.objects.with_state()
    }
    by_reference = {}
    for invitation in Invitation.objects.filter(series=series).defer("note"):
        lines[invitation.mission_id].invitation = invitation
        by_reference[invitation.reference] = lines[invitation.mission_id]
    _add_letters(series, lines)
    _add_visits(series, by_reference)
    for reply in Reply.objects.filter(invitation__series=series).select_related("invitation"):
        lines[reply.invitation.mission_id].replies[reply.meeting_id] = reply
    people = Delegate.objects.filter(invitation__series=series).order_by().values_list("invitation__mission")
    for mission, number in people.annotate(Count("pk")):
        lines[mission].delegates = number
    for mission in MissionTask.objects.filter(series=series).exclude(done_at=None).values_list("mission", flat=True):
        lines[mission].by_other_means = True
    meetings = list(series.meetings().with_state())
    for note in DoorNote.objects.filter(meeting__in=meetings).current():
        lines[note.mission_id].notes[note.meeting_id] = note
    return Overview(series, meetings, list(lines.values()))


def _add_letters(series, lines):
    """The briefing carries the link as well, and is all that a mission gets that joined late."""
    letters = Letter.objects.filter(mailing__series=series, kind__in=WITH_LINK, recipient_kind="mission")
    for letter in letters.order_by("pk").values("pk", "kind", "recipient_id", "state", "sent_at"):
        line = lines.get(int(letter["recipient_id"]))
        if line and letter["kind"] == "invitation":
            line.letter = letter
        if line and letter["state"] == Letter.State.SENT:
            line.delivered = True


def _add_visits(series, by_reference):
    """By the mission's own links, and by those of colleagues to whom it was passed on."""
    passed_on = Colleague.objects.filter(invitation__series=series).order_by().values_list("reference", "invitation")
    by_key = {line.invitation.pk: line for line in by_reference.values()}
    by_reference = by_reference | {reference: by_key[invitation] for reference, invitation in passed_on}
    visits = LinkVisit.objects.filter(link__purpose__in=("invitation", "colleague"), link__target_id__in=by_reference)
    counted = (
        visits.order_by()
        .values("link__target_id")
        .annotate(number=Count("pk"), surely=Count("pk", filter=Q(maybe_filter=False)))
    )
    for row in counted:
        line = by_reference[row["link__target_id"]]
        line.visits += row["number"]
        line.surely_visits += row["surely"]
