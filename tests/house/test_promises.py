"""docs/promises.md says of every promise what proves it and what was seen, and names nothing that is not there."""

import re
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
TEXT = (HOME / "docs" / "promises.md").read_text()
ROW = re.compile(r"^\| ([MRACO]\d+) \| (.+) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
LAST = {"M": 13, "R": 4, "A": 10, "C": 10, "O": 5}


def test_every_promise_has_its_test_and_what_was_seen():
    promised = [f"{letter}{number}" for letter, last in LAST.items() for number in range(1, last + 1)]
    assert [row[0] for row in ROW.findall(TEXT)] == promised
    assert all(len(cell) > 4 for row in ROW.findall(TEXT) for cell in row[1:])


def test_what_is_named_is_there():
    named = set(re.findall(r"`((?:tests|benchmarks|docs|deploy)/[\w./-]+)`", TEXT)) | {
        f"docs/{name}" for name in re.findall(r"\]\(([\w-]+\.md)\)", TEXT)
    }
    assert len(named) > 40
    assert [name for name in sorted(named) if not (HOME / name).exists()] == []
    files = {path.name for path in (HOME / "tests").rglob("*.py")}
    assert set(re.findall(r"\btest_\w+\.py\b", TEXT)) <= files
