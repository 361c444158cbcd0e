"""docs/alarms.md says of every alarm what it means and what to do: none is missing there, and none is invented."""

import ast
import re
from pathlib import Path

from presessions.mail import troubles

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/alarms.md").read_text()
ROWS = {row[1]: row for row in re.findall(r"^(\| `(\w+)` \|(.*?)\|(.*?)\|(.*?)\|(.*?)\|)$", PAGE, re.MULTILINE)}
CALLS = ("alarm", "_alarm", "ended", "Trouble")


def raised():
    """Every code that our programs give to an alarm as a word of their own."""
    for top in ("presessions", "applications", "missions"):
        for path in (ROOT / top).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and _name(node.func) in CALLS and node.args:
                    yield from _words(node.args[0])


def _name(function):
    return getattr(function, "attr", getattr(function, "id", ""))


def _words(code):
    if isinstance(code, ast.JoinedStr):  # f"held:{mailing.pk}"
        code = code.values[0]
    if isinstance(code, ast.Constant) and re.fullmatch(r"[a-z]+(:.*)?", str(code.value)):  # an error has a sentence
        yield code.value.partition(":")[0]


def test_every_alarm_has_a_row_with_what_to_do_and_no_other_has():
    assert ROWS.keys() == troubles.TITLES.keys()
    assert all(len(cell.strip()) > 3 for row in ROWS.values() for cell in row[3:])


def test_every_code_that_a_program_opens_is_known_by_a_title():
    found = set(raised())
    assert {"files", "stopped", "smtp", "unreached"} <= found
    assert found <= troubles.TITLES.keys()


def test_the_page_says_which_of_them_turn_the_health_red():
    red = {code for code, row in ROWS.items() if row[2].strip() == "red"}
    assert red == set(troubles.RED) - {"paused"}  # staff know of that one
