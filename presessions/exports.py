"""Tables that leave the house: CSV and XLSX in which nothing is ever a formula. Basement; imports nothing of ours.

What applicants type ends in a spreadsheet on somebody's desk. A cell that begins with "=" would be carried out there:
it could send the row next to it to a stranger. So every text is a text, whatever it begins with.

In XLSX a text is marked as one; that is safe by itself. CSV knows no such mark, and each program guesses: an
apostrophe stands before whatever it could take for a formula. A program that expects semicolons divides a line at other
places than we do, so what stands behind a semicolon, a tab or a new line inside a text is guarded alike. `unguarded`
takes the apostrophes away again.
"""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import xlsxwriter
from django.conf import settings
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

# Whatever a program may read as the beginning of a formula: the four signs, and all that look like one of them.
SIGNS = "\u2212" + "".join(
    chr(code) for code in range(0x20, 0xFFFF) if unicodedata.normalize("NFKC", chr(code))[:1] in tuple("=+-@")
)
BLANK = r'"|[^\S\r\n]|[\x00-\x08\x0e-\x1f\x7f\u200b-\u200f\u2060\ufeff]'  # what programs may skip before they look
STARTS = rf"(?=(?:{BLANK})*['{re.escape(SIGNS)}])"
DANGER = re.compile(rf"\A(?=[\t\r\n])|(?:\A|(?<=[;\t\r\n])){STARTS}")
GUARD = re.compile(r"(?:\A|(?<=[;\t\r\n]))'")
MOST_LETTERS = 32_767  # that a cell of a spreadsheet holds
WIDEST, NARROWEST = 60, 8  # columns, in letters

XLSX, CSV = "xlsx", "csv"
TYPES = {XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", CSV: "text/csv; charset=utf-8"}


@dataclass(frozen=True)
class Table:
    """What goes out: a heading for each column, and rows of text, numbers, days, instants and yes or no.

    title -- of the sheet; about -- (what, which) to say on a second sheet of the XLSX; CSV has no place for it
    """

    title: str
    headings: list
    rows: list
    about: list = ()


def write(table, format):
    """The bytes of a file. format -- XLSX or CSV"""
    return _xlsx(table) if format == XLSX else _csv(table)


# --- CSV -------------------------------------------------------------------------------------------------------------


def guarded(text):
    """The text with an apostrophe before each place that a spreadsheet could take for a formula."""
    return DANGER.sub("'", text)


def unguarded(text):
    """What `guarded` was given."""
    return GUARD.sub("", text)


def _csv(table):
    """RFC 4180: commas, every text in quotes, CR LF. The mark in front tells Excel that it is UTF-8."""
    out = io.StringIO(newline="")
    lines = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    for row in [table.headings, *table.rows]:
        lines.writerow([_plain(value) for value in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _plain(value):
    value = _told(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    return guarded(value) if isinstance(value, str) else value


def _told(value: Any):
    """As it goes out: an instant on Geneva's clock and without a zone, yes or no in words, and nothing as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return value.astimezone(settings.GENEVA).replace(tzinfo=None)
    return value if isinstance(value, (int, float, date)) else str(value)


# --- XLSX ------------------------------------------------------------------------------------------------------------


def _xlsx(table):
    """Made in memory alone: a temporary file would leave names on the disk."""
    out = io.BytesIO()
    never = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, {"in_memory": True, **never})
    book.set_properties({"created": datetime.now(UTC).replace(tzinfo=None)})  # and nobody's name
    ink = _ink(book)
    _sheet(book, ink, table.title, table.headings, table.rows)
    if table.about:
        _sheet(book, ink, _("About this file"), (), table.about)
    book.close()
    return out.getvalue()


def _ink(book):
    """The looks of cells. A text that begins like a formula is marked as a text, so that it stays one when somebody
    changes a letter in it."""
    plain = {"valign": "top", "text_wrap": True}
    return {
        "heading": book.add_format({**plain, "bold": True, "bottom": 1, "bg_color": "#EAF0FA"}),
        "text": book.add_format(plain),
        "quoted": book.add_format({**plain, "quote_prefix": True}),
        "number": book.add_format({"valign": "top"}),
        "day": book.add_format({"valign": "top", "num_format": "d mmm yyyy"}),
        "instant": book.add_format({"valign": "top", "num_format": "d mmm yyyy hh:mm"}),
    }


def _sheet(book, ink, title, headings, rows):
    sheet = book.add_worksheet(re.sub(r"[\[\]:*?/\\']", " ", str(title))[:31].strip())
    if get_language_bidi():
        sheet.right_to_left()
    for place, heading in enumerate(headings):
        sheet.write_string(0, place, str(heading), ink["heading"])
    first = 1 if headings else 0
    for number, row in enumerate(rows, start=first):
        for place, value in enumerate(row):
            _cell(sheet, ink, number, place, _told(value))
    for place, width in enumerate(_widths([headings, *rows])):
        sheet.set_column(place, place, width)
    if headings:
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(len(rows), 1), len(headings) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _cell(sheet, ink, row, column, value):
    if isinstance(value, datetime):
        sheet.write_datetime(row, column, value, ink["instant"])
    elif isinstance(value, date):
        sheet.write_datetime(row, column, value, ink["day"])
    elif isinstance(value, str):
        sheet.write_string(row, column, value[:MOST_LETTERS], ink["quoted" if DANGER.match(value) else "text"])
    else:
        sheet.write_number(row, column, value, ink["number"])


def _widths(rows):
    """A width for each column: of its longest line, neither too narrow to read nor wider than a page."""
    widths = {}
    for row in rows:
        for place, value in enumerate(row):
            longest = max((len(line) for line in str(_told(value)).splitlines()), default=0)
            widths[place] = min(max(widths.get(place, NARROWEST), longest + 2), WIDEST)
    return [widths[place] for place in sorted(widths)]
