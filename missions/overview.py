"""Who was invited to a series, who was not reached and why, and who answered what. Room: missions; reads, never writes.

The same few queries for one mission and for two hundred. "Fetched" is what we know of a page being opened, which a
mail filter does too; only "answered" is counted.
"""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from missions.models import Delegate, Invitation, MissionAddress, MissionTask, PermanentMission, Reply
from presessions.mail.models import Letter, LinkVisit


@dataclass
class Line:
    """One mission in one series."""

    mission: Any
    has_address: bool
    has_valid_address: bool
    invitation: Any = None
    letter: dict | None = None  # the newest invitation written to it: state, sent_at, pk
    visits: int = 0
    surely_visits: int = 0  # those that do not look like a mail filter's
    replies: dict = field(default_factory=dict)
    delegates: int = 0
    by_other_means: bool = False  # somebody has said how it was reached

    @property
    def answered(self):
        return bool(self.invitation and self.invitation.answered_at)

    @property
    def reached(self):
        by_mail = bool(self.letter and self.letter["state"] == Letter.State.SENT)
        return self.answered or by_mail or self.by_other_means

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
    """The answers to one meeting, counted."""

    meeting: Any
    counts: dict  # by Reply.Answer
    own: Any = None  # the reply of the mission of the State under Review

    @property
    def coming(self):
        return sum(self.counts[answer] for answer in Reply.COMES)


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
        for meeting in self.meetings:
            given = [line.replies[meeting.pk] for line in self.lines if meeting.pk in line.replies]
            counts = {answer: sum(reply.answer == answer for reply in given) for answer in Reply.Answer}
            own = next((line for line in self.lines if line.mission.state_id == meeting.state.pk), None)
            yield Tally(meeting, counts, own and own.replies.get(meeting.pk))

    def rows(self):
        """(line, its reply or None for each meeting) of those that answered."""
        return [(line, [line.replies.get(meeting.pk) for meeting in self.meetings]) for line in self.answered]


def of(series, *, now):
    """The Overview of a series as it stands; every mission of the register is in it exactly once."""
    today = now.astimezone(settings.GENEVA).date()
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
    _add_visits(by_reference)
    for reply in Reply.objects.filter(invitation__series=series).select_related("invitation"):
        lines[reply.invitation.mission_id].replies[reply.meeting_id] = reply
    people = Delegate.objects.filter(invitation__series=series).order_by().values_list("invitation__mission")
    for mission, number in people.annotate(Count("pk")):
        lines[mission].delegates = number
    for mission in MissionTask.objects.filter(series=series).exclude(done_at=None).values_list("mission", flat=True):
        lines[mission].by_other_means = True
    return Overview(series, list(series.meetings().with_state()), list(lines.values()))


def _add_letters(series, lines):
    letters = Letter.objects.filter(mailing__series=series, kind="invitation", recipient_kind="mission")
    for letter in letters.order_by("pk").values("pk", "recipient_id", "state", "sent_at"):
        line = lines.get(int(letter["recipient_id"]))
        if line:
            line.letter = letter


def _add_visits(by_reference):
    visits = LinkVisit.objects.filter(link__purpose="invitation", link__target_id__in=by_reference)
    counted = (
        visits.order_by()
        .values("link__target_id")
        .annotate(number=Count("pk"), surely=Count("pk", filter=Q(maybe_filter=False)))
    )
    for row in counted:
        line = by_reference[row["link__target_id"]]
        line.visits, line.surely_visits = row["number"], row["surely"]
