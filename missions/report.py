"""The universality report: that all missions were invited, what reached them, who answered and who came, by regional
group. Room: missions; reads, never writes.

Adds up what `overview` knows, so that the page of answers and this report can never disagree. A stage is counted by
what we know, and not by what we hope: see STAGES.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from missions import overview
from missions.models import FloorQuestion, PermanentMission
from presessions.mail.models import Mailing
from presessions.upr.dates import in_words
from presessions.upr.models import State


@dataclass(frozen=True)
class Stage:
    """One thing that is counted of missions. has -- (Line) -> whether it counts"""

    name: str
    label: Any
    words: Any  # what exactly is counted
    has: Any


STAGES = (
    Stage("register", gettext_lazy("in the register"), gettext_lazy("As it stands today."), lambda line: True),
    Stage(
        "invited",
        gettext_lazy("invited"),
        gettext_lazy("An invitation was written, or somebody noted how it was invited by other means."),
        lambda line: line.invited,
    ),
    Stage(
        "delivered",
        gettext_lazy("delivered"),
        gettext_lazy("The mission’s mail server has taken the letter, and it has not come back."),
        lambda line: line.delivered,
    ),
    Stage(
        "fetched",
        gettext_lazy("page opened"),
        gettext_lazy("By what surely was no mail filter. Mail filters open pages too; such visits are not counted."),
        lambda line: line.fetched,
    ),
    Stage(
        "answered",
        gettext_lazy("answered"),
        gettext_lazy("Somebody of the mission has pressed the button, whatever the answer was."),
        lambda line: line.answered,
    ),
    Stage(
        "announced",
        gettext_lazy("said they come"),
        gettext_lazy("In person or online, to at least one meeting."),
        lambda line: line.says_it_comes,
    ),
    Stage(
        "came",
        gettext_lazy("came"),
        gettext_lazy("Noted at the door of at least one meeting."),
        lambda line: line.came,
    ),
)


@dataclass
class Row:
    """Some of the missions, counted at each stage."""

    label: str
    lines: list

    @property
    def counts(self):
        return {stage.name: sum(stage.has(line) for line in self.lines) for stage in STAGES}

    @property
    def stages(self):
        """[(stage, how many, in percent of those in the register or None)]"""
        counts = self.counts
        return [(stage, counts[stage.name], percent(counts[stage.name], len(self.lines))) for stage in STAGES]


def percent(number, of):
    """In whole percent, half a percent rounded up; None of nothing."""
    return (200 * number + of) // (2 * of) if of else None


def mean(total, number):
    """The whole number nearest to the average, a half rounded up; None of nothing."""
    return (2 * total + number) // (2 * number) if number else None


@dataclass
class Report:
    """The report on one series.

    overview -- of `overview`; unregistered -- Member States that no mission stands for in the register
    questions -- {meeting's key: (from missions, from others)}
    invitation -- its Mailing while nobody is invited yet, or None
    """

    overview: Any
    unregistered: list
    questions: dict
    invitation: Any = None

    @property
    def series(self):
        return self.overview.series

    @property
    def all(self):
        return Row(_("All"), self.overview.lines)

    @property
    def groups(self):
        """A Row for each regional group in the order of the United Nations, and one for the observers."""
        names = [*State.Group.choices, (None, _("Observers"))]
        found = {name: [] for name, _label in names}
        for line in self.overview.lines:
            found[line.mission.state.regional_group if line.mission.state else None].append(line)
        return [Row(str(label), found[name]) for name, label in names if found[name]]

    @property
    def tallies(self):
        return list(self.overview.tallies())

    @property
    def maybe_fetched(self):
        """Missions whose page was only opened by what may have been a mail filter."""
        return sum(line.maybe_fetched for line in self.overview.lines)

    @property
    def not_in_geneva(self):
        return [line for line in self.overview.lines if line.mission.in_geneva == PermanentMission.InGeneva.NO]

    @property
    def waiting(self):
        """Those that only wait for their invitation."""
        return [line for line in self.overview.lines if line.waits]

    @property
    def missed(self):
        """Those that need another way."""
        return [line for line in self.overview.not_reached if not line.waits]

    @property
    def missed_by_reason(self):
        return [line for line in self.overview.not_reached_by_reason() if not line.waits]

    @property
    def came_uninvited(self):
        """Those that the invitation never reached, and that came all the same."""
        return [line for line in self.overview.not_reached if line.came]

    def sentences(self):
        """The proof in words: how many there are, how many the invitation reached, and how many it did not."""
        lines, counts = self.overview.lines, self.all.counts
        states = sum(line.mission.kind == PermanentMission.Kind.STATE for line in lines)
        facts = {
            "states": ngettext("%(n)d State", "%(n)d States", states) % {"n": states},
            "observers": ngettext("%(n)d observer", "%(n)d observers", len(lines) - states)
            % {"n": len(lines) - states},
        }
        told = [_("The register holds the missions of %(states)s and of %(observers)s.") % facts]
        words = ngettext(
            "%(n)d of %(all)d missions has been invited to all meetings of %(series)s.",
            "%(n)d of %(all)d missions have been invited to all meetings of %(series)s.",
            counts["invited"],
        )
        told.append(words % {"n": counts["invited"], "all": len(lines), "series": self.series})
        told += self._waiting_in_words()
        missed = len(self.missed)
        if missed:
            words = ngettext(
                "%(n)d mission has not been reached: why is said below.",
                "%(n)d missions have not been reached: why is said below.",
                missed,
            )
            told.append(words % {"n": missed})
        elif lines and not self.waiting:
            told.append(_("Every one of them has been reached."))
        if self.unregistered:
            names = ", ".join(state.name for state in self.unregistered)
            told.append(_("No mission stands in the register for: %(states)s.") % {"states": names})
        return told

    def _waiting_in_words(self):
        mailing, waiting = self.invitation, len(self.waiting)
        if mailing and mailing.due_at and mailing.state == Mailing.State.PLANNED:
            yield _("The invitation goes out %(moment)s.") % {"moment": in_words(mailing.due_at)}
        elif mailing:
            yield _("The invitation has not gone out yet.")
        if waiting and not mailing:
            words = ngettext("%(n)d mission is not yet written to.", "%(n)d missions are not yet written to.", waiting)
            yield words % {"n": waiting}


def of(series, *, now):
    """The Report on a series as it stands: the same few queries for one mission and for two hundred."""
    seen = overview.of(series, now=now)
    unregistered = State.objects.filter(permanent_mission=None)
    invitation = Mailing.objects.filter(kind="invitation", series=series, meeting=None, writing_at=None).first()
    gone = any(line.letter or line.invitation for line in seen.lines)
    return Report(seen, list(unregistered), questions_at(seen.meetings), None if gone else invitation)


def questions_at(meetings):
    """{meeting's key: (questions from missions, questions from others)} of those put from the floor."""
    found = {meeting.pk: [0, 0] for meeting in meetings}
    asked = FloorQuestion.objects.filter(meeting__in=meetings, taken_back_at=None).order_by()
    for meeting, mission in asked.values_list("meeting", "mission"):
        found[meeting][mission is None] += 1
    return {meeting: tuple(numbers) for meeting, numbers in found.items()}
