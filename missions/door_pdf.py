"""The door list on paper: a box to tick and a line for the number of people, for each mission. Room: missions; imports
the paper of applications.

Names stand in the language of whoever prints; the fonts are Western, as of all our files (see `applications.paper`).
"""

from django.utils.translation import gettext as _
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Table

from applications import seat
from applications.paper import BOLD, LABEL, RULE, TEXT, VALUE, paragraph, typeset
from presessions.upr import dates

NAME = ParagraphStyle("name at the door", VALUE, fontSize=9.5, leading=11.5)
SMALL = ParagraphStyle("small at the door", LABEL, fontSize=8, leading=10)
COLUMNS = 2
BOX, PEOPLE = 5 * mm, 14 * mm


def made(meeting, door):
    """The bytes of the list. door -- a DoorList"""
    title = _("Door list: %(state)s") % {"state": meeting.state.name}
    lines = [_("Pre-sessions %(number)s") % {"number": meeting.series.number}]
    lines += [dates.in_words(meeting.starts_at)] if meeting.starts_at else []
    lines += filter(None, [seat.place(meeting)])
    story = [
        paragraph(title, BOLD),
        paragraph("\n".join(lines), TEXT),
        paragraph(_("Tick the mission and write how many people came."), SMALL),
    ]
    parts = [(_("The State under Review"), [door.own] if door.own else []), (_("Said that they come"), door.expected),
             (_("All others"), door.others)]  # fmt: skip
    for heading, found in parts:
        if found:
            story += [paragraph(heading, BOLD), _boxes(found, own=found == [door.own])]
    return typeset(story, title=title)


def _boxes(lines, *, own):
    """The missions two by two, so that the alphabet goes on over the page. The State under Review alone."""
    columns = 1 if own else COLUMNS
    height = -(-len(lines) // columns)
    cells = []
    for row in range(height):
        cells.append([])
        for column in range(columns):
            at = columns * row + column
            cells[-1] += ["", *_cell(lines[at])] if at < len(lines) else [None, "", ""]
    boxes = [
        ("BOX", (3 * column, row), (3 * column, row), 0.8, "#000000")
        for row in range(height)
        for column in range(columns)
        if cells[row][3 * column] is not None
    ]
    people = [
        ("LINEBELOW", (3 * column + 2, row), (3 * column + 2, row), 0.5, RULE)
        for row in range(height)
        for column in range(columns)
        if cells[row][3 * column] is not None
    ]
    plain = [("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    plain += [(f"{side}PADDING", (0, 0), (-1, -1), 2) for side in ("TOP", "BOTTOM")]
    cells = [[cell or "" for cell in row] for row in cells]
    width = 160 * mm / columns - BOX - PEOPLE
    return Table(
        cells, colWidths=[BOX, width, PEOPLE] * columns, style=[*plain, *boxes, *people], hAlign="LEFT", spaceAfter=10
    )


def _cell(line):
    said = [line.answer_words] if line.answer_words else []
    said += [_("named: %(n)s") % {"n": line.announced}] if line.announced else []
    said += [_("wishes to take the floor")] if line.wants_floor else []
    said += [_("took the floor: yes / no")] if line.is_own else []
    return [[paragraph(line.mission.name, NAME), *([paragraph(", ".join(map(str, said)), SMALL)] if said else [])], ""]
