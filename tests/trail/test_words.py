"""Every code that our source records has words: nobody reads "released_accept" on a page."""

import ast
from pathlib import Path

import pytest

from presessions.trail import words

ROOT = Path(__file__).resolve().parents[2]
APPS = {"accounts": "presessions/accounts", "upr": "presessions/upr", "mail": "presessions/mail",
        "applications": "applications", "missions": "missions"}  # fmt: skip
STEPS = {"record", "record_all", "step", "_step", "_change", "_redate", "refuse", "as_one", "try_step"}


def recorded(folder):
    """The codes that stand as they are in the calls of a room's steps: (code, file)."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                said = [one.value for one in node.args[:3] if isinstance(one, ast.Constant)]
                if name in STEPS:
                    yield from ((code, path.name) for code in said if isinstance(code, str) and code)


@pytest.mark.parametrize("room", APPS)
def test_every_code_of_a_room_has_words(room):
    found = dict(recorded(APPS[room]))
    assert found
    anywhere = {code for known in words._words.values() for code in known}
    assert {code: file for code, file in found.items() if code not in anywhere} == {}
