"""Fill the register from the carried tables: a mission for each State and observer, never an address."""

from functools import partial
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from missions.models import PermanentMission
from presessions.upr import tables
from presessions.upr.loading import Summary
from presessions.upr.models import State

CARRIED = Path(tables.__file__).parent / "data"
IN_GENEVA = {
    "has_geneva_mission": partial(tables.one_of, PermanentMission.InGeneva.values),
    "basis": tables.text,
    "source": partial(tables.text, longest=200),
    "as_of": partial(tables.matching, r"([0-9]{4}(-[0-9]{2}-[0-9]{2})?)?", "a year or a date such as 2026-11-02"),
}
MISSIONS = tables.Table("missions.csv", {"iso2": tables.ISO2, **IN_GENEVA}, unique=(("iso2",),))
OBSERVERS = tables.Table(
    "observers.csv",
    {
        "code": tables.ISO2,
        "name_en": tables.NAME,
        "name_fr": tables.NAME,
        "name_es": tables.NAME,
        "name_ar": tables.NAME,
        "name_zh": tables.NAME,
        "name_ru": tables.NAME,
        **IN_GENEVA,
    },
    unique=(("code",), ("name_en",)),
)


class Command(BaseCommand):
    help = "Fill the register of Permanent Missions from CSV tables. What staff have changed is left alone."

    def add_arguments(self, parser):
        parser.add_argument("--data", type=Path, default=CARRIED, metavar="FOLDER", help="where the tables are")

    def handle(self, *, data, **options):
        for table, missions_in in ((MISSIONS, of_states), (OBSERVERS, of_observers)):
            try:
                summary = load(table, missions_in, data)
            except tables.WrongTable as wrong:
                raise CommandError("\n".join([*wrong.problems, "Nothing of this file was loaded."])) from None
            self.stdout.write(str(summary))
            for words in summary.left_alone:
                self.stdout.write(f"  left alone: {words}")


def load(table, missions_in, folder):
    """Load one table in one transaction, or nothing of it. Raises WrongTable."""
    try:
        content = (folder / table.name).read_bytes()
    except OSError as error:
        raise tables.WrongTable([f"{table.name}: cannot be read: {error.strerror}"]) from error
    summary = Summary(table.name)
    with transaction.atomic():
        known = {mission.code: mission for mission in PermanentMission.objects.select_for_update()}
        for code, facts in missions_in(content):
            summary.counts[write(code, facts, known.get(code), summary)] += 1
    summary.counts.pop(None, None)
    return summary


def of_states(content):
    """(code, facts) for each State's mission; the States themselves come from load_calendar."""
    known = set(State.objects.values_list("pk", flat=True))
    for row in tables.read(MISSIONS, content, known={"iso2": known}):
        yield row["iso2"], {"kind": "state", "state_id": row["iso2"], **in_geneva(row)}


def of_observers(content):
    """(code, facts) for each observer's mission, with its names."""
    for row in tables.read(OBSERVERS, content):
        names = {column: cell for column, cell in row.items() if column.startswith("name_")}
        yield row["code"], {"kind": "observer", **names, **in_geneva(row)}


def in_geneva(row):
    source = f"{row['source']} ({row['basis']})" if row["source"] else ""
    return {"in_geneva": row["has_geneva_mission"], "source": source, "as_of": row["as_of"]}


def write(code, facts, mission, summary):
    """Write one mission; return what was done, or None when staff have changed it."""
    if mission is None:
        PermanentMission.objects.create(code=code, loaded=facts, **facts)
        return "added"
    if not mission.is_as_loaded():
        summary.left_alone.append(f"{code}: changed by staff")
        return None
    if mission.loaded == facts:
        return "unchanged"
    for name, value in {**facts, "loaded": facts}.items():
        setattr(mission, name, value)
    mission.save()
    return "updated"
