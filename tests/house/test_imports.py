"""What comes into the house is text and nothing else: formulas, macros and bombs stop at the door, in words."""

import io
import time
import tracemalloc
import zipfile
from datetime import date, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from presessions import exports, imports
from presessions.exports import CSV, XLSX, Table
from presessions.imports import Unreadable
from presessions.upr.names import fold
from tests.promises.test_a9_exports_are_harmless import HOSTILE
from tests.tables import with_part, workbook

COLUMNS = {"name": {"name"}, "words": {"words", "texte"}}
SHEET = "xl/worksheets/sheet1.xml"


def rows(content):
    return imports.read(imports.text_of(content), COLUMNS, fold=fold, most=1000).rows


def refusal(content):
    with pytest.raises(Unreadable) as refused:
        imports.text_of(content)
    return str(refused.value)


# --- Reading ----------------------------------------------------------------------------------------------------------


def test_a_workbook_is_read_as_a_person_reads_it():
    cells = [
        "Ω",
        12,
        12.5,
        True,
        date(2026, 3, 2),
        datetime(2026, 3, 2, 9, 30),
        "two\nlines",
        "=no formula, a text",
        None,
    ]

    def as_text(book):
        book.active["H2"].data_type = "s"

    content = workbook([[f"c{n}" for n in range(9)], cells], change=as_text)
    known = {f"c{n}": {f"c{n}"} for n in range(9)}
    ((line, read),) = imports.read(imports.text_of(content), known, fold=fold, most=10).rows
    assert line == 2
    assert list(read.values()) == [
        *("Ω", "12", "12.5", "yes", "2026-03-02", "2026-03-02 09:30", "two\nlines", "=no formula, a text", ""),
    ]


def test_half_a_sign_does_no_harm():
    content = workbook([["name", "words"], ["a", "_xD800_ _x0000_"]])
    assert rows(content) == [(2, {"name": "a", "words": "_xD800_"})]


def test_lines_are_the_rows_of_the_workbook_whatever_their_cells_hold():
    content = workbook([["name", "words"], [], ["a", "one\ntwo\nthree"], [], ["b", ""]])
    assert rows(content) == [(3, {"name": "a", "words": "one\ntwo\nthree"}), (5, {"name": "b", "words": ""})]


def test_only_the_first_visible_sheet_is_read():
    def hidden(book):
        book.create_sheet("secret", 0).append(["name", "words"])
        book.worksheets[0].append(["no", "no"])
        book.worksheets[0].sheet_state = "hidden"

    assert rows(workbook([["name", "words"], ["a", "b"]], change=hidden)) == [(2, {"name": "a", "words": "b"})]


@pytest.mark.parametrize("format", [CSV, XLSX])
def test_what_goes_out_comes_back_to_the_letter_formulas_too(format):
    hostile = [text.strip() for text in HOSTILE if "\x01" not in text and "\x00" not in text]
    hostile = [text for text in hostile if text and not text.startswith("\ufeff")]
    table = Table("t", ["name", "words"], [["x", text] for text in hostile])
    read = [cells["words"] for _line, cells in rows(exports.write(table, format))]
    assert read == [text.replace("\r\n", "\n").replace("\r", "\n").strip() for text in hostile]


def test_columns_that_nobody_knows_are_named_and_not_read():
    read = imports.read("Name;Phone;Texte\na;1;b\n", COLUMNS, fold=fold, most=10)
    assert (read.unread, read.rows) == (["Phone"], [(2, {"name": "a", "words": "b"})])


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-03-02", date(2026, 3, 2)),
        ("2026-03-02 00:00", date(2026, 3, 2)),
        ("2.3.2026", date(2026, 3, 2)),
        ("02/03/2026", date(2026, 3, 2)),  # the day first: Geneva
        ("31/02/2026", None),
        ("3 March", None),
        ("", None),
    ],
)
def test_a_day_is_read_as_geneva_writes_it(text, read):
    assert imports.day(text) == read


# --- At the door ------------------------------------------------------------------------------------------------------


def test_a_formula_is_named_by_its_cell_and_never_carried_out():
    content = workbook([["name", "words"], ["a", "=1+1"]])
    assert refusal(content) == "Cell B2 holds a formula. Copy the table, and paste it as values only."


def test_macros_are_refused():
    content = with_part(workbook([["name"], ["a"]]), "xl/vbaProject.bin", b"Sub Auto_Open()")
    assert refusal(content) == "The file holds macros. Save it as XLSX, without macros."


def test_a_bomb_is_refused_before_it_is_unpacked():
    content = with_part(workbook([["name"]]), SHEET, b"<worksheet>" + b" " * (500 * 1024 * 1024 // 10))
    assert len(content) < imports.MOST_BYTES
    tracemalloc.start()
    began = time.perf_counter()
    assert "The workbook is too large." in refusal(content)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (most < 5 * 1024 * 1024, time.perf_counter() - began < 1) == (True, True)


def of_one_text(text, *, rows, cells):
    """A workbook whose cells all refer to the same text, so that it weighs next to nothing."""
    shared = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="1" uniqueCount="1">'
        f"<si><t>{text}</t></si></sst>"
    )
    row = "<row>" + '<c t="s"><v>0</v></c>' * cells + "</row>"
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{row * rows}</sheetData></worksheet>"
    )
    content = workbook([["name"]])
    types = zipfile.ZipFile(io.BytesIO(content)).read("[Content_Types].xml").decode()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    types = types.replace("</Types>", f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>')
    for name, part in {"xl/sharedStrings.xml": shared, SHEET: sheet, "[Content_Types].xml": types}.items():
        content = with_part(content, name, part.encode())
    return content


@pytest.mark.parametrize(
    ("letters", "rows", "says"),
    [
        (9_000_000, 10, "Line 1 has a cell with more than 5000 letters."),
        (imports.MOST_LETTERS, 400, "more than 2 MB of text"),
    ],
)
def test_one_text_that_many_cells_refer_to_is_not_written_out_for_each(letters, rows, says):
    content = of_one_text("a" * letters, rows=rows, cells=50)
    assert len(content) < 40_000
    tracemalloc.start()
    assert says in refusal(content)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 60 * 1024 * 1024  # the one text, as bytes and as letters, a few times


def test_many_parts_are_refused():
    content = workbook([["name"]])
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as archive:
        for number in range(imports.MOST_PARTS):
            archive.writestr(f"xl/media/{number}.png", b"")
    assert "The workbook is too large." in refusal(out.getvalue())


@pytest.mark.parametrize(
    "entities",
    [
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_entities_are_refused(entities):
    sheet = (
        f'<?xml version="1.0"?>{entities}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>'
    )
    assert "cannot be opened as a workbook" in refusal(with_part(workbook([["name"]]), SHEET, sheet.encode()))


def test_a_sheet_that_says_it_is_endless_is_read_to_its_end():
    content = workbook([["name", "words"], ["a", "b"]])
    sheet = zipfile.ZipFile(io.BytesIO(content)).read(SHEET).replace(b'ref="A1:B2"', b'ref="A1:XFD1048576"')
    assert b"XFD" in sheet
    assert rows(with_part(content, SHEET, sheet)) == [(2, {"name": "a", "words": "b"})]
    far = workbook([["name"], ["a"]], change=lambda book: book.active.cell(1048576, 1, "z"))
    assert "lines; at most" in refusal(far)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04 torn", "is no Excel workbook"),
        (workbook([["name"], ["a"]])[:900], "is no Excel workbook"),
        (with_part(workbook([["name"]]), SHEET, b"<no xml"), "cannot be opened as a workbook"),
        (with_part(workbook([["name"]]), "xl/workbook.xml", b"<x/>"), "cannot be opened as a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel file, or one with a password"),
        ("é".encode("latin-1"), "neither XLSX nor UTF-8 text"),
        (b"a\0b", "neither XLSX nor UTF-8 text"),
    ],
)  # fmt: skip
def test_what_is_no_table_says_what_to_do(content, says):
    assert says in refusal(content)


def test_large_files_are_refused_unread():
    with pytest.raises(Unreadable, match="larger than 1 MB"):
        imports.uploaded(SimpleUploadedFile("list.csv", b"a" * (imports.MOST_BYTES + 1)))
    many = workbook([["x" * 4000] * 50] * 20)
    assert len(many) < imports.MOST_BYTES
    with pytest.raises(Unreadable, match="more than 2 MB of text"):
        imports.uploaded(SimpleUploadedFile("list.xlsx", many))
