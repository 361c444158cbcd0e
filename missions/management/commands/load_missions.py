"""The register's first filling: a mission for each State and observer, without any address. Room: missions.

    manage.py load_missions             reads presessions/upr/data/{missions,observers}.csv
    manage.py load_missions --folder X  reads the same two files from elsewhere

May be run as often as one likes. A row that staff have changed since it was loaded is left alone, and counted.
"""

import csv
import re
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from missions.models import PermanentMission
from presessions import upr
from presessions.upr.models import State

DATA = Path(upr.__file__).parent / "data"
AS_OF = re.compile(r"(\d{4}(-\d{2}-\d{2})?)?")
NAMES = ("name_en", "name_fr", "name_es", "name_ar", "name_zh", "name_ru")
FACTS = ("has_geneva_mission", "basis", "source", "as_of")


class Refused(Exception):
    """A row that cannot be right. str() names file, line and reason."""


class Command(BaseCommand):
    help = "Fill the register of Permanent Missions from the carried tables. Addresses are never part of them."

    def add_arguments(self, parser):
        parser.add_argument("--folder", type=Path, default=DATA, help="where missions.csv and observers.csv are")

    def handle(self, *, folder, **options):
        try:
            rows = [*states(folder / "missions.csv"), *observers(folder / "observers.csv")]
        except Refused as error:
            raise CommandError(str(error)) from error
        with transaction.atomic():
            done = [load(code, facts) for code, facts in rows]
        report = {word: done.count(word) for word in ("added", "changed", "unchanged", "kept as staff changed it")}
        self.stdout.write("Permanent Missions: " + ", ".join(f"{number} {word}" for word, number in report.items()))


def states(path):
    """(code, facts) for each row of missions.csv. Raises Refused."""
    known = set(State.objects.values_list("pk", flat=True))
    for where, row in rows_of(path, ("iso2", *FACTS)):
        if row["iso2"] not in known:
            raise Refused(f"{where}: no State {row['iso2']!r} in the calendar; run load_calendar first.")
        yield row["iso2"], {"kind": "state", "state_id": row["iso2"], **facts_of(where, row)}


def observers(path):
    """(code, facts) for each row of observers.csv. Raises Refused."""
    known = set(State.objects.values_list("pk", flat=True))
    for where, row in rows_of(path, ("code", *NAMES, *FACTS)):
        if not re.fullmatch("[A-Z]{2}", row["code"]) or row["code"] in known:
            raise Refused(f"{where}: {row['code']!r} is not a code for an observer.")
        if not row["name_en"]:
            raise Refused(f"{where}: an observer needs its name in English.")
        yield row["code"], {"kind": "observer", **{name: row[name] for name in NAMES}, **facts_of(where, row)}


def rows_of(path, columns):
    """(file and line, row) for each row of a table that has exactly these columns, and each first cell once."""
    seen = set()
    with path.open(encoding="utf-8", newline="") as file:
        table = csv.DictReader(file, restkey="too many")
        if tuple(table.fieldnames or ()) != columns:
            raise Refused(f"{path.name}, line 1: the columns must be {', '.join(columns)}.")
        for row in table:
            where, key = f"{path.name}, line {table.line_num}", row[columns[0]]
            if "too many" in row or None in row.values():
                raise Refused(f"{where}: {len(columns)} cells are needed.")
            if key in seen:
                raise Refused(f"{where}: {key!r} stands here twice.")
            seen.add(key)
            yield where, row


def facts_of(where, row):
    if row["has_geneva_mission"] not in PermanentMission.InGeneva.values:
        raise Refused(f"{where}: has_geneva_mission must be yes, no or unknown.")
    if not AS_OF.fullmatch(row["as_of"]):
        raise Refused(f"{where}: as_of must be a year, a date like 2026-03-02, or empty.")
    if row["has_geneva_mission"] == "no" and not row["source"]:
        raise Refused(f"{where}: that a State has no mission needs its source.")
    source = f"{row['source']} ({row['basis']})" if row["source"] else ""
    return {"in_geneva": row["has_geneva_mission"], "source": source, "as_of": row["as_of"]}


def load(code, facts):
    """Write one mission; say what was done. What staff changed since the last time stays as it is."""
    mission = PermanentMission.objects.select_for_update(of=("self",)).filter(code=code).first()
    if mission is None:
        PermanentMission.objects.create(code=code, loaded=facts, **facts)
        return "added"
    if {name: getattr(mission, name) for name in mission.loaded} != mission.loaded or not mission.loaded:
        return "kept as staff changed it"
    if mission.loaded == facts:
        return "unchanged"
    for name, value in facts.items():
        setattr(mission, name, value)
    mission.loaded = facts
    mission.save()
    return "changed"
