"""Tables that come into the house: CSV and XLSX, read as texts and nothing else. Basement; imports only `exports`.

A list goes through a page twice: it is shown line by line first, and written as it was shown. So a workbook becomes CSV
text at the door (`text_of`), which the page carries along; all else reads that text (`records`, `read`).

Whoever sends a file may mean harm. A workbook is a zip of XML: it is measured before anything is unpacked, entities in
it are refused (defusedxml), macros and formulas too, and neither is ever carried out. What `exports` writes can be read
back: the apostrophes that it puts before signs of formulas are taken away again.
"""

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from presessions.exports import guarded, unguarded

MOST_BYTES = 1024 * 1024  # of a file: 5,000 lines are a third of it
MOST_TEXT = 2 * MOST_BYTES  # of what is read from it
MOST_UNPACKED = 10 * 1024 * 1024  # of a workbook
MOST_PARTS = 300
MOST_ROWS = 20_000  # of a sheet, empty ones counted
MOST_COLUMNS = 60
MOST_LETTERS = 5_000  # of a cell
OLD_EXCEL = b"\xd0\xcf\x11\xe0"  # XLS, and a workbook with a password
BETWEEN = (",", ";", "\t")
ESCAPED = re.compile(r"_x(00[01][0-9A-F])_", re.IGNORECASE)  # control signs, as workbooks write them
BREAK = "\u2028"  # a line break inside a cell of a workbook, so that each row stays one line of the text


class Unreadable(Exception):
    """The list as a whole cannot be read. str() says what to do."""


class Changed(Exception):
    """Something has changed since the list was shown: `plan` is what would be done now."""

    def __init__(self, plan):
        super().__init__()
        self.plan = plan


@dataclass(frozen=True)
class Read:
    """A table whose first line names its columns.

    rows -- (line, {column: text}): the line as an editor counts, or the row of a workbook; of columns that we know,
        stripped, "" where empty
    unread -- names of the columns that are not read
    """

    columns: tuple
    unread: list
    rows: list


# --- At the door ------------------------------------------------------------------------------------------------------


def uploaded(file):
    """The CSV text of a file that a form was given. Raises Unreadable."""
    if file.size > MOST_BYTES:
        raise Unreadable(_("The file is larger than 1 MB. Please divide it."))
    text = text_of(file.read())
    if len(text.encode()) > MOST_TEXT:  # the page could not carry it along
        raise Unreadable(_too_much())
    return text


def text_of(content):
    """The CSV text of CSV or XLSX, given as bytes. Raises Unreadable."""
    if content.startswith(OLD_EXCEL):
        raise Unreadable(_("This is an old Excel file, or one with a password. Save it as XLSX without a password."))
    if content.startswith(b"PK"):
        return _text_of_workbook(content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise Unreadable(
            _("The file is neither XLSX nor UTF-8 text. In Excel or LibreOffice, save it as XLSX or “CSV UTF-8”.")
        )
    return text


def _text_of_workbook(content):
    _measure(content)
    import openpyxl  # here: who reads no workbook needs none of its memory

    out = io.StringIO(newline="")
    lines = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheet = next(one for one in book.worksheets if one.sheet_state == "visible")
        sheet.reset_dimensions()  # what the file says of its size may be anything
        for number, row in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS + 1), start=1):
            if number > MOST_ROWS:
                raise Unreadable(_too_many(number))
            lines.writerow(_written(row, number))
            if out.tell() > MOST_TEXT:  # a small file says much where many cells refer to one text
                raise Unreadable(_too_much())
    except Unreadable:
        raise
    except Exception:  # hostile or damaged: there is no end to what may be wrong with it
        raise Unreadable(
            _("The file cannot be opened as a workbook. Open it in Excel or LibreOffice, and save it as XLSX again.")
        ) from None
    return out.getvalue()


def _measure(content):
    """Refuse what would unpack to more than we read, before anything is unpacked: no part gives more than it says."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except Exception:
        parts = []
    names = {part.filename.lower() for part in parts}
    if "xl/workbook.xml" not in names:
        raise Unreadable(_("The file is no Excel workbook. Save the table as XLSX or as “CSV UTF-8”."))
    if any(name.endswith("vbaproject.bin") for name in names):
        raise Unreadable(_("The file holds macros. Save it as XLSX, without macros."))
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise Unreadable(_("The workbook is too large. Copy the one table into a new workbook."))


def _written(row, number):
    """The cells of one row, up to the last that says something."""
    cells = [guarded(_cell(cell, number)).replace("\n", BREAK) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _unescaped(text):
    """Signs that XML does not know stand in a workbook as _x000D_; all others are what was typed."""
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _cell(cell, number):
    """The text of a cell in that row, as a person reads it. Raises Unreadable."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        words = {"cell": cell.coordinate}
        raise Unreadable(_("Cell %(cell)s holds a formula. Copy the table, and paste it as values only.") % words)
    if isinstance(value, str) and len(value) > MOST_LETTERS:  # before a copy is made of it
        raise Unreadable(_too_long(number))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == datetime.min.time() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return normal(_unescaped(str(value))).replace("\0", "")


# --- The text ---------------------------------------------------------------------------------------------------------


def normal(text):
    """The text as it is read, wherever it comes from: without the mark in front, with one sort of line ends."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def records(text, *, sign, most):
    """[(line, cells)] of the lines that say something, the heading among them. Raises Unreadable.

    sign -- what stands between two cells; most -- lines, without the heading
    """
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    try:
        found = [(lines.line_num, cells) for cells in lines if any(map(str.strip, cells))]
    except csv.Error:
        words = _("Line %(line)s cannot be read: look for a quotation mark without its pair.")
        raise Unreadable(words % {"line": lines.line_num}) from None
    if not found:
        raise Unreadable(_("The list is empty."))
    if len(found) > most + 1:
        raise Unreadable(_too_many(len(found) - 1, most))
    for number, cells in found:
        if len(cells) > MOST_COLUMNS and any(cell.strip() for cell in cells[MOST_COLUMNS:]):
            words = {"line": number, "most": MOST_COLUMNS}
            raise Unreadable(
                _("Line %(line)s has more than %(most)s columns. Please leave out what is not read.") % words
            )
        if any(len(cell) > MOST_LETTERS for cell in cells):
            raise Unreadable(_too_long(number))
    return [(number, [_as_written(cell) for cell in cells]) for number, cells in found]


def sign_between(text, fits):
    """Comma, semicolon or tab: that under which the first line fits best. fits -- (cells) -> anything comparable"""
    line = next((line for line in text.split("\n") if line.strip()), "")
    return max(BETWEEN, key=lambda sign: fits([cell.strip().strip('"') for cell in line.split(sign)]))


def read(text, columns, *, fold, most):
    """A table whose first line names its columns. Raises Unreadable.

    columns -- {name: the words that a heading may be, folded}; fold -- (text) -> text to compare
    """
    text = normal(text)

    def known(heading):
        return next((name for name, words in columns.items() if fold(heading) in words), None)

    sign = sign_between(text, lambda cells: sum(known(cell) is not None for cell in cells))
    (_line, header), *rows = records(text, sign=sign, most=most)
    places = {}
    for place, heading in enumerate(header):
        if known(heading):
            places.setdefault(known(heading), place)
    unread = [cell.strip() for place, cell in enumerate(header) if place not in places.values() and cell.strip()]
    if not places:
        raise Unreadable(_("No column has a name that we know. Name the columns in the first line."))
    if not rows:
        raise Unreadable(_("The list is empty."))
    cells = [
        (number, {name: row[place].strip() if place < len(row) else "" for name, place in places.items()})
        for number, row in rows
    ]
    return Read(tuple(places), unread, cells)


def _as_written(cell):
    """Without the apostrophes that `exports` put there, and with all others."""
    cell = cell.replace(BREAK, "\n")
    bare = unguarded(cell)
    return bare if bare != cell and guarded(bare) == cell else cell


def _too_many(lines, most=MOST_ROWS):
    words = {"lines": lines, "most": most}
    return _("The list has %(lines)s lines; at most %(most)s at a time. Please divide it.") % words


def _too_much():
    return _("The file holds more than 2 MB of text. Please divide it.")


def _too_long(line):
    words = {"line": line, "most": MOST_LETTERS}
    return _("Line %(line)s has a cell with more than %(most)s letters. Please shorten it.") % words


def day(text):
    """A date as people write it: 2026-03-02, 02.03.2026, 2/3/2026; None where it is none. The day comes first."""
    for pattern, order in DAYS:
        if found := pattern.fullmatch(text.strip()):
            year, month, day_of = (int(found.group(place)) for place in order)
            try:
                return date(year, month, day_of)
            except ValueError:
                return None
    return None


DAYS = (
    (re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?: 00:00)?"), (1, 2, 3)),
    (re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4})"), (3, 2, 1)),
)
