"""docs/asvs.md answers every item of OWASP ASVS 5.0, levels 1 and 2, and names nothing that is not there."""

import re
from itertools import chain
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
TEXT = (HOME / "docs" / "asvs.md").read_text()
# chapter: how many items of levels 1 and 2 each of its sections has; they come first there, before those of level 3.
ITEMS = {
    1: {1: 2, 2: 9, 3: 11, 4: 3, 5: 2},
    2: {1: 3, 2: 3, 3: 4, 4: 1},
    3: {2: 2, 3: 4, 4: 6, 5: 5, 7: 2},
    4: {1: 3, 2: 1, 3: 2, 4: 4},
    5: {1: 1, 2: 3, 3: 2, 4: 3},
    6: {1: 3, 2: 12, 3: 4, 4: 4, 5: 5, 6: 3, 8: 4},
    7: {1: 3, 2: 4, 3: 2, 4: 5, 5: 2, 6: 2},
    8: {1: 2, 2: 3, 3: 1, 4: 1},
    9: {1: 3, 2: 4},
    10: {1: 2, 2: 2, 3: 4, 4: 11, 5: 5, 6: 2, 7: 3},
    11: {1: 2, 2: 3, 3: 3, 4: 4, 5: 1, 6: 1},
    12: {1: 3, 2: 2, 3: 4},
    13: {1: 1, 2: 5, 3: 2, 4: 5},
    14: {1: 2, 2: 4, 3: 3},
    15: {1: 3, 2: 3, 3: 7},
    16: {1: 1, 2: 5, 3: 4, 4: 3, 5: 3},
    17: {1: 1, 2: 4, 3: 2},
}
WISHED = {"1.2.10", "6.3.8", "14.2.7", "14.2.8"}  # of level 3; 16.3.2 is of level 2, and more of it at level 3
ROW = re.compile(r"^\| (\d[\d., ]+) \|[^|]+\| (\w+) \| (.+) \|$", re.MULTILINE)
ANSWERS = {"test", "setting", "reason", "open"}


def rows():
    return [(found[1].split(", "), found[2], found[3]) for found in ROW.finditer(TEXT)]


def test_every_item_has_one_answer():
    asked = {
        f"{chapter}.{section}.{number}"
        for chapter, sections in ITEMS.items()
        for section, last in sections.items()
        for number in range(1, last + 1)
    }
    assert len(asked) == 70 + 183
    answered = list(chain.from_iterable(items for items, _how, _where in rows()))
    assert sorted(answered) == sorted(set(answered))
    assert set(answered) == asked | WISHED
    assert {how for _items, how, _where in rows()} == ANSWERS


def test_what_is_named_is_there_and_a_test_is_a_test():
    for items, how, where in rows():
        named = re.findall(r"`([\w./-]+/[\w./-]+|\.\w+|docker-compose\.yml)`", where)
        missing = [name for name in named if not name.startswith("/") and not (HOME / name).exists()]
        assert not missing, (items, missing)
        assert how != "test" or any(name.startswith("tests/") for name in named) or "make " in where, items
        assert how != "setting" or named, items


def test_what_is_open_is_said_once_more_at_the_end():
    open_ones = {item for items, how, _where in rows() if how == "open" for item in items}
    end = TEXT.split("## Open")[1]
    assert set(re.findall(r"\d+\.\d+\.\d+", end)) == open_ones
