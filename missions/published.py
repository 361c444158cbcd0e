"""What UPR Info publishes after a series: the panels' figures, and the missions that came. Room: missions; reads, never
writes.

Only meetings that are marked as held count, and of these, for the missions, those at whose door somebody noted. A
mission counts once however many people it sends: missions and people are never added up together. Numbers that would
name a person are not told: `applications.small_numbers` has the rule.
"""

from dataclasses import dataclass, field
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from applications import figures
from missions.models import DoorNote
from missions.report import mean, percent, questions_at

LANGUAGES = (("en", "English"), ("fr", "Français"))  # in which UPR Info publishes its news


@dataclass
class Held:
    """One meeting that was held.

    panel -- figures.Tally; missions -- keys of those that came; people -- of them all
    noted -- whether somebody noted at the door; asked -- questions from (missions, others)
    """

    meeting: Any
    panel: Any
    missions: set = field(default_factory=set)
    people: int = 0
    noted: bool = False
    own: bool = False  # the State under Review was there
    own_spoke: bool = False
    asked: tuple = (0, 0)


@dataclass
class Published:
    """The figures of one series."""

    figures: Any  # of applications
    meetings: list  # of Held
    fates: Any = None  # of recommendations, where whoever reads may know them

    @property
    def series(self):
        return self.figures.series

    @property
    def panel(self):
        return self.figures.total

    @property
    def noted(self):
        return [one for one in self.meetings if one.noted]

    @property
    def different(self):
        """Missions that came at least once."""
        return len(set().union(*(one.missions for one in self.meetings)))

    @property
    def mean(self):
        return mean(sum(len(one.missions) for one in self.noted), len(self.noted))

    @property
    def most(self):
        return max((len(one.missions) for one in self.noted), default=None)

    @property
    def best(self):
        """The meetings to which most missions came: one, or several alike."""
        return [one for one in self.noted if self.most and len(one.missions) == self.most]

    @property
    def people(self):
        return sum(one.people for one in self.meetings)

    @property
    def mean_people(self):
        return mean(self.people, len(self.noted))

    @property
    def present(self):
        """Meetings at which the State under Review was there."""
        return sum(one.own for one in self.meetings)

    @property
    def spoke(self):
        return sum(one.own_spoke for one in self.meetings)

    @property
    def questions(self):
        return sum(sum(one.asked) for one in self.meetings)

    @property
    def of_missions(self):
        return sum(one.asked[0] for one in self.meetings)

    @property
    def national_share(self):
        return percent(self.panel.national, self.panel.speakers)

    @property
    def women(self):
        """None where the number would name somebody."""
        return self.panel.shown["women"]

    @property
    def women_share(self):
        return None if self.women is None else percent(self.women, self.panel.speakers)

    def sentences(self):
        """Ready to be published, in the active language. Nothing counts less than the whole series."""
        if not self.meetings:
            return []
        return [*self.figures.sentences(), *_missions(self), *_people(self), *_under_review(self), *_asked(self)]

    def ready(self):
        """[(code, name of the language, the text)] in the languages of UPR Info's news."""
        found = []
        for code, name in LANGUAGES:
            with translation.override(code):
                found.append((code, name, " ".join(self.sentences())))
        return found


def _missions(one):
    """As UPR Info prints it: "68 Permanent Missions attended, 38 on average per meeting and up to 52 (Kenya)"."""
    number = one.different
    if not one.noted:
        return []
    if len(one.noted) == 1 or not number:
        words = ngettext("%(n)d Permanent Mission attended.", "%(n)d Permanent Missions attended.", number)
        return [words % {"n": number}]
    words = ngettext(
        "%(n)d Permanent Mission attended, %(mean)d on average per meeting and up to %(most)d (%(states)s).",
        "%(n)d Permanent Missions attended, %(mean)d on average per meeting and up to %(most)d (%(states)s).",
        number,
    )
    states = ", ".join(held.meeting.state.name for held in one.best)
    told = [words % {"n": number, "mean": one.mean, "most": one.most, "states": states}]
    if len(one.noted) < len(one.meetings):
        words = _("Attendance was counted at %(noted)d of %(held)d meetings.")
        told.append(words % {"noted": len(one.noted), "held": len(one.meetings)})
    return told


def _people(one):
    if not one.people:
        return []
    words = ngettext(
        "Together they sent %(n)d person on average to a meeting.",
        "Together they sent %(n)d people on average to a meeting.",
        one.mean_people,
    )
    return [words % {"n": one.mean_people}]


def _under_review(one):
    if not one.noted:
        return []
    words = ngettext(
        "The State under Review was present at %(present)d of %(n)d meeting and took the floor at %(spoke)d.",
        "The State under Review was present at %(present)d of %(n)d meetings and took the floor at %(spoke)d.",
        len(one.noted),
    )
    return [words % {"present": one.present, "spoke": one.spoke, "n": len(one.noted)}]


def _asked(one):
    if not one.questions:
        return []
    if one.questions == one.of_missions:
        words = ngettext(
            "%(n)d question was put from the floor, by a Permanent Mission.",
            "%(n)d questions were put from the floor, all by Permanent Missions.",
            one.questions,
        )
    else:
        words = ngettext(
            "%(n)d question was put from the floor, %(missions)d by Permanent Missions.",
            "%(n)d questions were put from the floor, %(missions)d by Permanent Missions.",
            one.questions,
        )
    return [words % {"n": one.questions, "missions": one.of_missions}]


# --- Counting --------------------------------------------------------------------------------------------------------


def of(series):
    """The Published figures of a series: the same few queries for one mission and for two hundred."""
    return of_many([series])[0]


def of_many(series):
    """Those of each of several series, at the cost of one."""
    found = figures.of_many(series)
    held = {
        meeting.pk: Held(meeting, tally)
        for one in found
        for meeting, tally in one.meetings
        if meeting.status == figures.HELD
    }
    meetings = [one.meeting for one in held.values()]
    for note in DoorNote.objects.filter(meeting__in=meetings).current().select_related("mission"):
        _count(held[note.meeting_id], note)
    for meeting, asked in questions_at(meetings).items():
        held[meeting].asked = asked
    return [
        Published(one, [held[meeting.pk] for meeting, _tally in one.meetings if meeting.pk in held]) for one in found
    ]


def _count(held, note):
    """A note that nobody of a mission was there says at least that somebody counted."""
    held.noted = True
    if not note.people:
        return
    held.missions.add(note.mission_id)
    held.people += note.people
    if note.mission.state_id == held.meeting.state.pk:
        held.own, held.own_spoke = True, note.spoke
