"""The published agenda and the moderator's sheet as PDFs. Room: applications; imports the paper.

Made when they are asked for and never stored.
"""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm

from applications import seat
from applications.paper import BOLD, LABEL, TEXT, VALUE, paragraph, table, typeset
from presessions.upr import dates

TIME = ParagraphStyle("time", VALUE, fontName="Helvetica-Bold", fontSize=10.5, leading=15)
NAME = ParagraphStyle("name", VALUE, fontName="Times-Bold")
SMALL = ParagraphStyle("small", LABEL, leading=12.5)
WIDTHS = [16 * mm, 16 * mm, None]


def agenda(meeting, version, shown):
    """The bytes of a published agenda. shown -- its lines as everybody may read them"""
    title = _("Agenda: %(state)s") % {"state": meeting.state.name}
    words = {"number": version.number, "moment": dates.in_words(version.published_at)}
    rows = [[*_when(one.line), [paragraph(one.title, NAME if one.is_name else VALUE), *_small(one.person)]]
            for one in shown]  # fmt: skip
    story = [
        *_head(meeting, title),
        table(rows, widths=WIDTHS),
        paragraph(_("Version %(number)s, published %(moment)s.") % words, SMALL),
        paragraph(_("Speakers are named where they have agreed to it."), SMALL),
    ]
    return typeset(story, title=title)


def sheet(meeting, note, parts, sections=()):
    """The bytes of the moderator's sheet. parts -- of `desk_agenda`; sections -- of `added`"""
    title = _("Moderator’s sheet: %(state)s") % {"state": meeting.state.name}
    story = [
        *_head(meeting, title),
        paragraph(_("For the moderator only. It names people who may not be named outside: destroy it "
                    "afterwards."), SMALL),
        table([[*_when(part.line), _part(part)] for part in parts], widths=WIDTHS),
    ]  # fmt: skip
    if note:
        story += [paragraph(_("Note"), BOLD), paragraph(note)]
    for section in sections:
        story += [paragraph(section.title, BOLD), *_small(section.note), *map(paragraph, section.paragraphs)]
    return typeset(story, title=title)


def _head(meeting, title):
    yield paragraph(title, BOLD)
    lines = [_("Pre-sessions %(number)s") % {"number": meeting.series.number}]
    lines += [dates.in_words(meeting.starts_at)] if meeting.starts_at else []
    lines += filter(None, [seat.place(meeting)])
    yield paragraph("\n".join(lines), TEXT)


def _when(line):
    minutes = ngettext("%(n)s min", "%(n)s min", line.minutes) % {"n": line.minutes}
    at = f"{line.at.astimezone(dates.GENEVA):%H:%M}" if line.at else ""
    return paragraph(at, TIME), paragraph(minutes, LABEL)


def _part(part):
    about = [f"{part.person}, {part.position}".strip(", "), part.themes]
    about += [_("speaks from afar")] if part.is_remote else []
    about += ["; ".join(part.forbidden)] if part.forbidden else []
    return [
        paragraph(f"{part.title} ({part.kind})" if part.kind else part.title, NAME if part.person else VALUE),
        *_small(*about),
    ]


def _small(*texts):
    return [paragraph(text, SMALL) for text in texts if text]
