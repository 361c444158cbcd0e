"""Panel figures of a series, as UPR Info publishes them after each. Room: applications; reads, never writes.

One application is one speaker. Before a meeting was held, those count who have a seat; of a held one those who had
confirmed it. NHRIs are national by what they are. Missions' figures stand on a floor above.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from applications import small_numbers
from applications.models import Application, Speaker, Theme
from presessions.upr.models import CountryMeeting

Kind, Scope, Gender, Attends = Application.Kind, Application.Scope, Speaker.Gender, Speaker.Attends
HELD = CountryMeeting.Status.HELD


@dataclass
class Tally:
    """Speakers, counted: of one meeting, or of all."""

    speakers: int = 0
    csos: int = 0
    nhris: int = 0
    national: int = 0
    women: int = 0
    men: int = 0
    other: int = 0
    not_said: int = 0
    remote: int = 0
    institutions: set = field(default_factory=set)
    themes: Counter = field(default_factory=Counter)

    def count(self, row, themes):
        self.speakers += 1
        self.csos += row["kind"] == Kind.CSO
        self.nhris += row["kind"] == Kind.NHRI
        self.national += row["kind"] == Kind.NHRI or row["scope"] == Scope.NATIONAL
        self.women += row["gender"] == Gender.WOMAN
        self.men += row["gender"] == Gender.MAN
        self.other += row["gender"] == Gender.OTHER
        self.not_said += row["gender"] in (None, "", Gender.NOT_SAID)
        self.remote += row["attends"] == Attends.REMOTE
        # Of one institution whose name is forgotten, each still points to the same one of them.
        same = row["same_as"] or (None if row["organisation"] else row["pk"])
        self.institutions.add(f"application {same}" if same else row["organisation"])
        self.themes.update(themes)

    @property
    def shown(self):
        """What is told of people beside their number, or None where it would name one of them. Women stand apart from
        all others first, so that one who did not say does not hide them."""
        women = small_numbers.told({"women": self.women, "others": self.speakers - self.women})
        genders = {"women": self.women, "men": self.men, "other": self.other, "not_said": self.not_said}
        remote = small_numbers.told({"remote": self.remote, "others": self.speakers - self.remote})
        return small_numbers.told(genders) | {"women": women["women"], "remote": remote["remote"]}

    @property
    def international(self):
        return self.speakers - self.national

    def share(self, number):
        """In whole percent of all speakers; None of nobody."""
        return round(100 * number / self.speakers) if self.speakers else None


@dataclass
class Figures:
    """Those of one series.

    meetings -- [(meeting, its Tally)] in the order of the programme, those not held with an empty one
    held -- whether meetings have been held, so that only they count; before that it is all that are to be
    """

    series: Any
    meetings: list
    total: Tally
    held: bool
    theme_names: dict

    @property
    def counted(self):
        """Meetings that the figures are about."""
        return [meeting for meeting, _tally in self.meetings if counts(meeting, self.held)]

    @property
    def not_held(self):
        return [meeting for meeting, _tally in self.meetings if not meeting.goes_ahead]

    def themes(self):
        """[(theme, speakers on it)], the most frequent first."""
        return [(self.theme_names[key], number) for key, number in self.total.themes.most_common()]

    def sentences(self):
        """As they can be published: nobody is named, and nothing counts less than the whole series."""
        total, facts = self.total, {"series": self.series, "meetings": len(self.counted)}
        if self.held:
            words = ngettext(
                "%(series)s: %(meetings)d meeting was held.", "%(series)s: %(meetings)d meetings were held.",
                facts["meetings"],
            )  # fmt: skip
        else:
            words = ngettext(
                "%(series)s, as planned today: %(meetings)d meeting.",
                "%(series)s, as planned today: %(meetings)d meetings.", facts["meetings"],
            )  # fmt: skip
        told = [words % facts]
        if total.speakers:
            told += [_speakers(total, self.held), _who_they_are(total), _themes(total)]
        return told


def _speakers(total, held):
    number = len(total.institutions)
    institutions = ngettext("%(n)d institution", "%(n)d institutions", number) % {"n": number}
    if held:
        words = ngettext(
            "%(n)d speaker from %(institutions)s took the floor: %(csos)d for civil society and %(nhris)d for national "
            "human rights institutions.",
            "%(n)d speakers from %(institutions)s took the floor: %(csos)d for civil society and %(nhris)d for "
            "national human rights institutions.",
            total.speakers,
        )
    else:
        words = ngettext(
            "%(n)d speaker from %(institutions)s is to take the floor: %(csos)d for civil society and %(nhris)d for "
            "national human rights institutions.",
            "%(n)d speakers from %(institutions)s are to take the floor: %(csos)d for civil society and %(nhris)d for "
            "national human rights institutions.",
            total.speakers,
        )
    return words % {"n": total.speakers, "institutions": institutions, "csos": total.csos, "nhris": total.nhris}


def _who_they_are(total):
    """From where, and how many of them women as far as that names nobody."""
    told = total.shown
    facts = {"share": total.share(total.national), "n": total.national, "all": total.speakers}
    if told["women"] is None:
        words = _(
            "%(share)d%% of the speakers (%(n)d of %(all)d) belong to national or local institutions; how many are "
            "women is not shown, the numbers are too small."
        )
        return words % facts
    facts |= {"part": total.share(total.women), "women": total.women, "silent": told["not_said"]}
    if told["not_said"]:
        words = _(
            "%(share)d%% of the speakers (%(n)d of %(all)d) belong to national or local institutions, and %(part)d%% "
            "(%(women)d of %(all)d) are women; %(silent)d did not say."
        )
    else:
        words = _(
            "%(share)d%% of the speakers (%(n)d of %(all)d) belong to national or local institutions, and %(part)d%% "
            "(%(women)d of %(all)d) are women."
        )
    return words % facts


def _themes(total):
    number = len(total.themes)
    return ngettext("They address %(n)d theme.", "They address %(n)d themes.", number) % {"n": number}


# --- Counting --------------------------------------------------------------------------------------------------------


def counts(meeting, held):
    """Whether a meeting is one that the figures are about. held -- whether any of its series has been held"""
    return meeting.status == HELD if held else meeting.goes_ahead


def of(series):
    """The Figures of a series: the same few queries for one speaker and for a hundred."""
    return of_many([series])[0]


def of_many(series):
    """The Figures of each of several series, at the cost of one."""
    sessions = {one.session_id: one for one in series}
    meetings = {}
    chosen = CountryMeeting.objects.filter(state_under_review__session__in=sessions).with_state()
    for meeting in chosen.order_by("starts_at", "state_under_review__state__sort_key"):
        meetings.setdefault(meeting.state_under_review.session_id, []).append(meeting)
    speaking, themes = _speaking([one for some in meetings.values() for one in some])
    names = {theme.pk: theme.name for theme in Theme.objects.all()}
    return [_figures(one, meetings.get(one.session_id, []), speaking, themes, names) for one in series]


def _figures(series, meetings, speaking, themes, names):
    held, total, lines = any(meeting.status == HELD for meeting in meetings), Tally(), []
    for meeting in meetings:
        tally = Tally()
        for row in speaking.get(meeting.pk, ()) if counts(meeting, held) else ():
            tally.count(row, themes.get(row["pk"], ()))
            total.count(row, themes.get(row["pk"], ()))
        lines.append((meeting, tally))
    return Figures(series, lines, total, held, names)


def _speaking(meetings):
    """({meeting: rows of those who speak there}, {application: its themes})"""
    held = [meeting.pk for meeting in meetings if meeting.status == HELD]
    ahead = [meeting.pk for meeting in meetings if meeting.status in CountryMeeting.AHEAD]
    confirmed = Application.objects.filter(state_call__meeting__in=held, status=Application.Status.CONFIRMED)
    seated = Application.objects.filter(state_call__meeting__in=ahead, status__in=Application.HOLDS_SEAT)
    people = Speaker.objects.filter(application=OuterRef("pk"), role=Speaker.Role.SPEAKER, replaced_at=None)
    rows = (confirmed | seated).annotate(
        gender=Subquery(people.values("gender")[:1]), attends=Subquery(people.values("attends")[:1])
    )
    found = {}
    facts = ("pk", "kind", "scope", "organisation", "same_as", "gender", "attends", "state_call__meeting")
    for row in rows.values(*facts):
        found.setdefault(row["state_call__meeting"], []).append(row)
    themes = {}
    chosen = Application.themes.through.objects.filter(application__in=(confirmed | seated).values("pk"))
    for application, theme in chosen.values_list("application", "theme"):
        themes.setdefault(application, []).append(theme)
    return found, themes
