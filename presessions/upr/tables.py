"""The carried tables: what each cell may hold, and every row that is wrong. Room: upr; pure, imports nothing of ours.

read(STATES, content) -> [{"iso2": "AF", ...}, ...], or WrongTable with all that is wrong in it
"""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any


class WrongTable(Exception):
    """A table cannot be taken. `problems` are sentences that name file, line and reason, in the order of the file."""

    def __init__(self, problems):
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Table:
    """One file.

    columns -- by name in the order of the header line, how a cell is read: its value, or ValueError with the reason
    unique -- groups of columns whose cells, taken together, may stand in one row only
    periods -- pairs of columns, first day and last day, either of which may be unknown
    """

    name: str
    columns: dict[str, Callable[[str], Any]]
    unique: tuple[tuple[str, ...], ...]
    periods: tuple[tuple[str, str], ...] = ()


# --- Cells ----------------------------------------------------------------------------------------------------------


def text(cell, longest=2000):
    """Any words in one line, or none."""
    if len(cell) > longest:
        raise ValueError(f"is longer than {longest} characters")
    if not cell.isprintable():
        raise ValueError("holds a character that cannot be printed")
    return cell


def matching(pattern, described, cell):
    if not re.fullmatch(pattern, cell):
        raise ValueError(f"{cell!r} is not {described}")
    return cell


def one_of(words, cell):
    if cell not in words:
        raise ValueError(f"{cell!r} is none of {', '.join(words)}")
    return cell


def number(cell):
    """A whole number from 1 to 9999."""
    return int(matching("[1-9][0-9]{0,3}", "a whole number from 1 to 9999", cell))


def day(cell):
    """A date such as 2026-11-02."""
    matching("[0-9]{4}-[0-9]{2}-[0-9]{2}", "a date such as 2026-11-02", cell)
    try:
        return date.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"{cell} is not in the calendar") from None


def required(read_cell, cell):
    if not cell:
        raise ValueError("is empty")
    return read_cell(cell)


def maybe(read_cell, cell):
    return read_cell(cell) if cell else None


ISO2 = partial(matching, "[A-Z]{2}", "a code of two capital letters")
ISO3 = partial(matching, "[A-Z]{3}", "a code of three capital letters")
M49 = partial(matching, "[0-9]{3}", "a code of three digits")
NAME = partial(required, partial(text, longest=100))
FORMAL_NAME = partial(text, longest=150)
ARTICLE = partial(text, longest=5)


# --- Tables ---------------------------------------------------------------------------------------------------------

STATES = Table(
    "states.csv",
    {
        "iso2": ISO2,
        "iso3": ISO3,
        "m49": M49,
        "name_en": NAME,
        "name_fr": NAME,
        "name_es": NAME,
        "name_ar": NAME,
        "name_zh": NAME,
        "name_ru": NAME,
        "article_en": ARTICLE,
        "article_fr": ARTICLE,
        "article_es": ARTICLE,
        "formal_en": FORMAL_NAME,
        "formal_fr": FORMAL_NAME,
        "formal_es": FORMAL_NAME,
        "regional_group": partial(one_of, ("African", "Asia-Pacific", "EEG", "GRULAC", "WEOG")),
    },
    unique=(("iso2",), ("iso3",), ("m49",), ("name_en",)),
)
SESSIONS = Table(
    "upr_sessions.csv",
    {
        "number": number,
        "cycle": number,
        "start_date": partial(maybe, day),
        "end_date": partial(maybe, day),
        "month_label": partial(text, longest=40),
        "presession_start": partial(maybe, day),
        "presession_end": partial(maybe, day),
        "stakeholder_submission_deadline": partial(maybe, day),
        "source": text,
        "note": text,
    },
    unique=(("number",),),
    periods=(("start_date", "end_date"), ("presession_start", "presession_end")),
)
STATES_UNDER_REVIEW = Table(
    "upr_states_under_review.csv",
    {
        "session_number": partial(maybe, number),
        "iso2": ISO2,
        "review_order": partial(maybe, number),
        "status": partial(one_of, ("reviewed", "scheduled", "rescheduled", "postponed")),
        "basis": partial(one_of, ("sourced", "inferred")),
        "source": text,
        "note": text,
    },
    unique=(("session_number", "iso2"), ("session_number", "review_order")),
)
ROUNDS = Table(
    "presession_rounds.csv",
    {
        "session_number": number,
        "call_opened": partial(maybe, day),
        "application_deadline": partial(maybe, day),
        "presession_start": partial(maybe, day),
        "presession_end": partial(maybe, day),
        "wg_start": partial(maybe, day),
        "wg_end": partial(maybe, day),
        "format": partial(one_of, ("in person", "virtual", "")),
        "meetings_held": partial(maybe, number),
        "speakers": text,
        "missions_total": partial(maybe, number),
        "missions_average_per_meeting": partial(maybe, number),
        "source": text,
        "note": text,
    },
    unique=(("session_number",),),
    periods=(("presession_start", "presession_end"), ("wg_start", "wg_end"), ("call_opened", "application_deadline")),
)


# --- Reading --------------------------------------------------------------------------------------------------------


def read(table, content, *, known=None):
    """The rows of a table, each a dict of its cells' values. Raises WrongTable naming all that is wrong.

    content -- the bytes of the file; known -- by column, the values it may refer to: {"iso2": {"AF", ...}}
    """
    problems = []

    def wrong(line, reason):
        problems.append(f"{table.name}, line {line}: {reason}")

    rows = []
    lines = _records(table, content, wrong)
    header = next(lines, None)
    if header and header[1] != list(table.columns):
        wrong(header[0], f"the header must be {','.join(table.columns)}")
    elif header:
        rows = [(line, row) for line, cells in lines if (row := _row(table, cells, partial(wrong, line)))]
        if not rows and not problems:
            wrong(header[0], "no rows follow the header")
        _check_unique(table, rows, wrong)
        _check_known(rows, known or {}, wrong)
    elif not problems:
        wrong(1, "the file is empty")
    if problems:
        raise WrongTable(sorted(problems, key=_line_of))
    return [row for _line, row in rows]


def _records(table, content, wrong):
    """Line number and cells of each record; line ends and quotes as in RFC 4180, empty lines passed over."""
    try:
        lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        yield from ((lines.line_num, cells) for cells in lines if cells)
    except UnicodeDecodeError as error:
        wrong(content.count(b"\n", 0, error.start) + 1, "is not UTF-8 text")
    except csv.Error as error:
        wrong(lines.line_num, f"cannot be read: {error}")


def _row(table, cells, wrong):
    """The values of one record, or None when something in it is wrong."""
    if len(cells) != len(table.columns):
        wrong(f"{len(cells)} cells instead of {len(table.columns)}")
        return None
    row = {}
    for (column, read_cell), cell in zip(table.columns.items(), cells, strict=True):
        try:
            row[column] = read_cell(cell)
        except ValueError as error:
            wrong(f"{column} {error}")
    if len(row) < len(cells):
        return None
    for first, last in table.periods:
        if row[first] and row[last] and row[last] < row[first]:
            wrong(f"{last} {row[last]} comes before {first} {row[first]}")
    return row


def _check_unique(table, rows, wrong):
    for columns in table.unique:
        seen = {}
        for line, row in rows:
            key = tuple(row[column] for column in columns)
            if key[-1] is None:  # an order of review that nobody knows
                continue
            if key in seen:
                named = " ".join(f"{column} {row[column]}" for column in columns)
                wrong(line, f"{named} stands already in line {seen[key]}")
            seen.setdefault(key, line)


def _check_known(rows, known, wrong):
    for line, row in rows:
        for column, values in known.items():
            if row[column] is not None and row[column] not in values:
                wrong(line, f"{column} {row[column]} is not known")


def _line_of(problem):
    return int(re.search(r", line (\d+):", problem)[1])
