"""The reports as tables that leave the house. Room: missions; part of `desk_report`.

Every table says on its second sheet how it was counted. No address, no delegate and no applicant stands in any of them.
"""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications import small_numbers
from missions.exports import group
from missions.report import STAGES
from presessions import exports


def yes_or_nothing(known, value):
    """Yes or no where somebody noted it, and an empty cell where nobody did: nobody noted is not nobody came."""
    return value if known else None


# --- Universality ----------------------------------------------------------------------------------------------------


def universality(report):
    """One line for each mission of the register, the stages it reached, and what it said of each meeting."""
    meetings = report.overview.meetings
    noted = {tally.meeting.pk for tally in report.tallies if tally.noted}
    return exports.Table(
        title=str(report.series),
        headings=[
            _("mission of"),
            _("code"),
            _("regional group"),
            *(str(stage.label) for stage in STAGES[1:]),
            _("perhaps only a mail filter"),
            _("why it was not reached"),
            *(_("%(state)s: said") % {"state": meeting.state.name} for meeting in meetings),
            *(_("%(state)s: people") % {"state": meeting.state.name} for meeting in meetings),
        ],
        rows=[
            [
                line.mission.name,
                line.mission.code,
                group(line.mission) or _("Observers"),
                *(stage.has(line) for stage in STAGES[1:]),
                line.maybe_fetched,
                line.reason,
                *(_answer(line, meeting) for meeting in meetings),
                *(_people(line, meeting) if meeting.pk in noted else None for meeting in meetings),
            ]
            for line in report.overview.lines
        ],
        about=[
            *((sentence,) for sentence in report.sentences()),
            *((str(stage.label), str(stage.words)) for stage in STAGES),
        ],
    )


def _answer(line, meeting):
    reply = line.replies.get(meeting.pk)
    return reply.get_answer_display() if reply else ""


def _people(line, meeting):
    note = line.notes.get(meeting.pk)
    return note.people if note else 0


# --- One meeting -----------------------------------------------------------------------------------------------------


def meeting(tally):
    chosen, noted = tally.meeting, tally.noted
    return exports.Table(
        title=chosen.state.name,
        headings=[
            _("mission of"),
            _("regional group"),
            _("delivered"),
            _("answer"),
            _("came"),
            _("people"),
            _("took the floor"),
        ],
        rows=[
            [
                line.mission.name,
                group(line.mission) or _("Observers"),
                line.delivered,
                _answer(line, chosen),
                yes_or_nothing(noted, line.came_to(chosen)),
                yes_or_nothing(noted, _people(line, chosen)),
                yes_or_nothing(noted, line.came_to(chosen) and line.notes[chosen.pk].spoke),
            ]
            for line in tally.lines
        ],
    )


# --- Published -------------------------------------------------------------------------------------------------------


def figures(found):
    panel = found.panel
    return exports.Table(
        title=str(found.series),
        headings=[
            _("meeting on"),
            _("speakers"),
            _("different institutions"),
            "CSO",
            "NHRI",
            _("national or local"),
            _("themes"),
            _("missions"),
            _("people of missions"),
            _("State under Review present"),
            _("State under Review spoke"),
            _("questions"),
            _("questions of missions"),
        ],
        rows=[
            *([one.meeting.state.name, *_panel(one.panel), *_attendance(one)] for one in found.meetings),
            [
                _("All"),
                *_panel(panel),
                found.different if found.noted else None,
                found.people if found.noted else None,
                found.present if found.noted else None,
                found.spoke if found.noted else None,
                found.questions,
                found.of_missions,
            ],
        ],
        about=[
            *((name, text) for _code, name, text in found.ready()),
            *((sentence,) for sentence in (found.fates.sentences() if found.fates else ())),
            (_("average of missions per meeting"), found.mean),
            (_("most missions at one meeting"), found.most),
            *_people_on_panels(panel),
            (small_numbers.rule(),),
        ],
    )


def _panel(tally):
    return [tally.speakers, len(tally.institutions), tally.csos, tally.nhris, tally.national, len(tally.themes)]


def _attendance(one):
    seen = [len(one.missions), one.people, one.own, one.own_spoke] if one.noted else [None] * 4
    return [*seen, sum(one.asked), one.asked[0]]


def _people_on_panels(panel):
    words = {
        "women": _("women"),
        "men": _("men"),
        "other": _("in another way"),
        "not_said": _("did not say"),
        "remote": _("remotely"),
    }
    return [(words[name], small_numbers.in_words(number)) for name, number in panel.shown.items()]


def _missions(found):
    if not found.noted:
        return [None] * 6
    return [found.different, found.mean, found.most, found.mean_people, found.present, found.spoke]


RECOMMENDATIONS = (
    gettext_lazy("recommendations made"),
    gettext_lazy("supported"),
    gettext_lazy("proposed on panels whose review is entered"),
    gettext_lazy("taken up"),
)


def _fate(total):
    """Where nothing has been entered, nothing is known."""
    return [total.made, total.supported, total.proposed, total.taken_up] if total.made else [None] * 4


def over_series(found):
    with_fates = all(one.fates for one in found)
    return exports.Table(
        title=_("Series"),
        headings=[
            _("series"),
            _("meetings held"),
            _("speakers"),
            "CSO",
            "NHRI",
            _("national or local, %"),
            _("women, %"),
            _("themes"),
            _("different missions"),
            _("on average at a meeting"),
            _("most at one meeting"),
            _("people on average"),
            _("States under Review present"),
            _("States under Review that spoke"),
            _("questions"),
            *(RECOMMENDATIONS if with_fates else ()),
        ],
        rows=[
            [
                one.series.number,
                len(one.meetings),
                one.panel.speakers,
                one.panel.csos,
                one.panel.nhris,
                one.national_share,
                small_numbers.in_words(one.women_share) if one.panel.speakers else None,
                len(one.panel.themes),
                *(
                    [one.different, one.mean, one.most, one.mean_people, one.present, one.spoke]
                    if one.noted
                    else [None] * 6
                ),
                one.questions,
                *(_fate(one.fates.total) if with_fates else ()),
            ]
            for one in found
        ],
        about=[(small_numbers.rule(),)],
    )
