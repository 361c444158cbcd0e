"""A table is read whole or not at all, and everything wrong in it is said at once."""

from datetime import date

import pytest

from presessions.upr import tables
from presessions.upr.management.commands.load_calendar import CARRIED
from presessions.upr.models import State, StateUnderReview
from presessions.upr.tables import SESSIONS, STATES_UNDER_REVIEW, WrongTable, read

HEADER = "number,cycle,start_date,end_date,month_label,presession_start,presession_end,"
HEADER += "stakeholder_submission_deadline,source,note"
GOOD = "54,4,2027-01-18,2027-01-29,January 2027,,,2026-07-17,somewhere,"


def content(*lines, header=HEADER):
    return "\n".join([header, *lines, ""]).encode()


def problems(table, data, **known):
    with pytest.raises(WrongTable) as wrong:
        read(table, data, **known)
    return wrong.value.problems


def test_cells_become_values():
    [row] = read(SESSIONS, content(GOOD))
    assert (row["number"], row["start_date"], row["presession_start"]) == (54, date(2027, 1, 18), None)
    assert (row["month_label"], row["note"]) == ("January 2027", "")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GOOD.replace("54,", "fifty,"), "number 'fifty' is not a whole number from 1 to 9999"),
        (GOOD.replace("54,", ","), "number '' is not a whole number from 1 to 9999"),
        (GOOD.replace("54,", "0,"), "number '0' is not a whole number from 1 to 9999"),
        (GOOD.replace("54,", "-1,"), "number '-1' is not a whole number from 1 to 9999"),
        (GOOD.replace("54,", "5.4,"), "number '5.4' is not a whole number from 1 to 9999"),
        (GOOD.replace("54,", "٥٤,"), "number '٥٤' is not a whole number from 1 to 9999"),
        (GOOD.replace("2027-01-18", "18.1.2027"), "start_date '18.1.2027' is not a date such as 2026-11-02"),
        (GOOD.replace("2027-01-18", "20270118"), "start_date '20270118' is not a date such as 2026-11-02"),
        (GOOD.replace("2027-01-18", "2027-02-29"), "start_date 2027-02-29 is not in the calendar"),
        (GOOD.replace("2027-01-18", "2027-13-01"), "start_date 2027-13-01 is not in the calendar"),
        (GOOD.replace("2027-01-29", "2027-01-17"), "end_date 2027-01-17 comes before start_date 2027-01-18"),
        (GOOD.replace(",,,", ",2026-12-17,2026-12-15,"), "presession_end 2026-12-15 comes before presession_start"),
        (GOOD.replace("January 2027", "x" * 41), "month_label is longer than 40 characters"),
        (GOOD + "a\x00b", "note holds a character that cannot be printed"),
        (GOOD + "\u202eb", "note holds a character that cannot be printed"),
        (GOOD + ",", "11 cells instead of 10"),
        ("54,4", "2 cells instead of 10"),
    ],
)
def test_a_wrong_row_is_named_with_file_line_and_reason(line, reason):
    [problem] = problems(SESSIONS, content(GOOD.replace("54,", "53,"), line))
    assert problem.startswith(f"upr_sessions.csv, line 3: {reason}")


def test_all_wrong_rows_are_named_at_once_in_their_order():
    data = content("x" + GOOD, GOOD, GOOD.replace("54,4", "53,four"), GOOD)
    assert [problem.split(":")[0] for problem in problems(SESSIONS, data)] == [
        "upr_sessions.csv, line 2",
        "upr_sessions.csv, line 4",
        "upr_sessions.csv, line 5",
    ]


def test_two_wrong_cells_of_a_row_are_both_named():
    assert len(problems(SESSIONS, content(GOOD.replace("54,4", "x,y")))) == 2


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "line 1: the file is empty"),
        (b"\n\n", "line 1: the file is empty"),
        (content(), "line 1: no rows follow the header"),
        (content(GOOD, header=HEADER.replace("cycle,", "")), "line 1: the header must be number,cycle,"),
        (content(GOOD, header=HEADER.replace("number,cycle", "cycle,number")), "line 1: the header must be"),
        (content(GOOD).replace(b"somewhere", "Türkiye".encode("latin-1")), "line 2: is not UTF-8 text"),
        (content(GOOD, '53,4,"never closed'), "line 3: cannot be read: unexpected end of data"),
        (content(GOOD, GOOD), "line 3: number 54 stands already in line 2"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(data, reason):
    [problem] = problems(SESSIONS, data)
    assert problem.startswith(f"upr_sessions.csv, {reason}")


@pytest.mark.parametrize(
    "data",
    [content(GOOD).replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + content(GOOD), content(GOOD).rstrip(), content("", GOOD)],
    ids=["Windows line ends", "byte order mark", "no last line end", "an empty line"],
)
def test_what_spreadsheets_do_to_a_file_does_no_harm(data):
    assert len(read(SESSIONS, data)) == 1


REVIEWS = ",".join(STATES_UNDER_REVIEW.columns)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["54,XX,,scheduled,sourced,,"], "line 2: iso2 XX is not known"),
        (["99,KE,,scheduled,sourced,,"], "line 2: session_number 99 is not known"),
        (["54,ke,,scheduled,sourced,,"], "line 2: iso2 'ke' is not a code of two capital letters"),
        (["54,KE,,maybe,sourced,,"], "line 2: status 'maybe' is none of reviewed, scheduled, rescheduled, postponed"),
        (["54,KE,,moved,sourced,,"], "line 2: status 'moved' is none of"),
        (["54,KE,,scheduled,guessed,,"], "line 2: basis 'guessed' is none of sourced, inferred"),
        (["54,KE,first,scheduled,sourced,,"], "line 2: review_order 'first' is not a whole number"),
        (["54,KE,,scheduled,sourced,,"] * 2, "line 3: session_number 54 iso2 KE stands already in line 2"),
        ([",KE,,postponed,sourced,,"] * 2, "line 3: session_number None iso2 KE stands already in line 2"),
        (
            ["54,KE,3,scheduled,sourced,,", "54,FR,3,scheduled,sourced,,"],
            "line 3: session_number 54 review_order 3 stands already in line 2",
        ),
    ],
)
def test_a_state_under_review_must_be_known_and_stand_once(lines, reason):
    known = {"session_number": {54}, "iso2": {"KE", "FR"}}
    [problem] = problems(STATES_UNDER_REVIEW, content(*lines, header=REVIEWS), known=known)
    assert problem.startswith(f"upr_states_under_review.csv, {reason}")


def test_the_same_order_in_two_sessions_and_unknown_orders_are_no_conflict():
    lines = [
        "53,KE,1,reviewed,sourced,,",
        "54,KE,1,scheduled,sourced,,",
        "54,FR,,scheduled,sourced,,",
        ",PE,,postponed,sourced,,",
    ]
    assert len(read(STATES_UNDER_REVIEW, content(*lines, header=REVIEWS))) == 4


@pytest.mark.parametrize(
    ("table", "rows"),
    [(tables.STATES, 193), (tables.SESSIONS, 14), (tables.STATES_UNDER_REVIEW, 193), (tables.ROUNDS, 17)],
)
def test_the_carried_tables_are_right(table, rows):
    assert len(read(table, (CARRIED / table.name).read_bytes())) == rows


def test_the_tables_speak_the_models_words():
    words = {"regional_group": State.Group, "status": StateUnderReview.Status, "basis": StateUnderReview.Basis}
    for table in (tables.STATES, tables.STATES_UNDER_REVIEW):
        for column in words.keys() & table.columns.keys():
            [in_table] = table.columns[column].args
            assert set(in_table) <= set(words[column].values)
