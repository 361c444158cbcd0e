"""The tower: a floor imports the floors under it, never one above."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = [
    [
        "presessions.accounts",
        "presessions.trail",
        "presessions.vault",
        "presessions.objects",
        "presessions.private_search",
        "presessions.keys",
        "presessions.retention",
        "presessions.logs",
        "presessions.exports",
        "presessions.imports",
    ],
    ["presessions.upr"],
    ["presessions.mail"],
    ["applications"],
    ["missions"],
]
WIRING = len(FLOORS)


def floor(module):
    """0 for the basement, 5 for the wiring, None for what is not ours."""
    for number, rooms in enumerate(FLOORS):
        if any(module == room or module.startswith(f"{room}.") for room in rooms):
            return number
    return WIRING if module == "presessions" or module.startswith("presessions.") else None


def modules():
    for top in ("presessions", "applications", "missions"):
        for path in sorted((ROOT / top).rglob("*.py")):
            if "migrations" not in path.parts:
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def imported(path):
    """Every module a file names, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: we import by full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("module, path", list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_no_room_reaches_up_the_tower(module, path):
    here = floor(module)
    above = [name for name in imported(path) if (there := floor(name)) is not None and there > here]
    assert above == []


def test_basement_rooms_share_only_the_vault_and_the_trail():
    """accounts imports the vault, the trail and retention; trail the vault and retention; retention the vault; the
    vault only its keys; objects and private_search the vault."""
    found = {
        (module.split(".")[1], name.split(".")[1])
        for module, path in modules()
        if floor(module) == 0
        for name in imported(path)
        if floor(name) == 0
    }
    known = {("trail", "vault"), ("trail", "trail"), ("imports", "exports"), ("vault", "keys"), ("objects", "vault")}
    known |= {("private_search", "vault")}
    known |= {("retention", "retention"), ("retention", "vault"), ("trail", "retention"), ("accounts", "retention")}
    assert found <= known | {("accounts", "accounts"), ("accounts", "vault"), ("accounts", "trail")}
