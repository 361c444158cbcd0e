"""How much hangs on which key of the keyset. Room: rotation, wiring; reads only."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import models
from django.db.models import Case, Count, F, Func, Value, When
from django.db.models.functions import Left
from django.db.models.lookups import GreaterThan

from applications.uploads import FILES
from presessions import vault
from presessions.rotation.tables import beginning, length_of, proofs, tables
from presessions.trail.models import Event, Seal

CODE = 65  # a colon and 64 digits, after the name of the key that an event is signed by


@dataclass
class Uses:
    """What hangs on each key, by its name; what lives by proofs, by what it is there for."""

    columns: Counter = field(default_factory=Counter)
    indexes: Counter = field(default_factory=Counter)
    files: Counter = field(default_factory=Counter)
    unnamed: Counter = field(default_factory=Counter)  # files that no row names: on their way, or swept within a day
    events: Counter = field(default_factory=Counter)  # and seals
    proofs: Counter = field(default_factory=Counter)

    def of(self, name):
        """How much would be lost with a key."""
        return self.columns[name] + self.indexes[name] + self.files[name] + self.unnamed[name]


def look(tick=lambda what, done, of: None):
    """Count all of it; returns Uses. tick(what, done, of) is told how far it is; of 0 where nobody knows yet."""
    uses = Uses()
    for table in tables():
        for column in table.fields:
            uses.columns.update(_keys_of(table, column))
        if table.indexes:
            _indexes(table, uses, tick)
    for what, model, column in proofs():
        uses.proofs[what] += model.objects.exclude(**{column: ""}).count()
    for model, column in ((Event, "signed"), (Seal, "code")):
        signed_by = model.objects.annotate(key=Left(column, -Value(CODE))).order_by().values("key")
        uses.events.update({row["key"]: row["number"] for row in signed_by.annotate(number=Count("pk"))})
    _files(uses, tick)
    return uses


def _keys_of(table, column):
    """{name of a key: how many values of a column it has written}."""
    first = Func(F(column), Value(1), function="get_byte", output_field=models.IntegerField())
    begin = Case(When(GreaterThan(length_of(column), 1), then=beginning(column, first + Value(2))))
    rows = table.model._base_manager.order_by().annotate(begin=begin).exclude(begin=None).values("begin")
    return {_name(row["begin"]): row["number"] for row in rows.annotate(number=Count("pk"))}


def _name(begin):
    try:
        return vault.key_name(begin)
    except vault.Unreadable:
        return ""


def _indexes(table, uses, tick):
    done, of = 0, table.number_of_rows()
    for rows in table.rows():
        for row in rows:
            for column, index in table.indexes.items():
                if not row[column]:
                    continue
                if row[index.of]:
                    uses.indexes[_key_of_index(table, row, column, index)] += 1
                else:
                    uses.proofs["addresses that have left, as keyed hashes"] += 1
        done += len(rows)
        tick(table.label, done, max(done, of))


def _key_of_index(table, row, column, index):
    """The name of the key that an index was made under, "" where it is that of none."""
    names = vault.keyset().newest_first()
    try:
        words = index.part(vault.decrypt(row[index.of], table.fields[index.of].place).decode())
    except vault.Unreadable:
        return ""
    made = dict(zip(vault.blind_indexes(index.kind, words), names, strict=False))
    return made.get(row[column], "")


def _files(uses, tick):
    named = set()
    for model, column in FILES:
        named |= set(model.objects.exclude(**{column: ""}).values_list(column, flat=True).iterator())
    for number, (name, _path, _changed) in enumerate(vault.storage.kept(), start=1):
        with suppress(FileNotFoundError, vault.Unreadable):  # moved, removed, or still on its way in
            key = vault.storage.key_of(name)
            (uses.files if name in named else uses.unnamed)[key] += 1
        tick("files", number, 0)
