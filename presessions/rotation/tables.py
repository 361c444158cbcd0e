"""Which models keep something of the vault, and how its bytes are read without opening them. Room: rotation, wiring."""

from collections.abc import Callable
from dataclasses import dataclass

from django.apps import apps
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
from django.db.models.lookups import Exact, GreaterThan

from presessions import vault

AT_ONCE = 100  # rows that are read, and moved in one transaction


@dataclass(frozen=True)
class Index:
    """A blind index: of what kind, and of which column, or of what part of it."""

    kind: str
    of: str
    part: Callable = str


def domain(address):
    return address.rpartition("@")[2].strip().lower()


INDEXES = {
    "mail.Letter.to_index": Index("email", "to"),
    "mail.Letter.domain_index": Index("domain", "to", domain),
    "applications.Application.email_index": Index("email", "email"),
    "applications.Contact.email_index": Index("email", "email"),
    "missions.MissionAddress.email_index": Index("email", "email"),
    "missions.Colleague.email_index": Index("email", "email"),
}
# Indexes of words that stand in no column of their row, and what they are there for.
PROOFS_ONLY = {
    "accounts.RecoveryCode.code_index": "codes of staff on paper",
    "accounts.Try.who": "tries at log-in, which go within a day",
    "accounts.Try.where": "tries at log-in, which go within a day",
    "applications.KnownName.name_index": "names of organisations",  # moved where the words are still known
    "mail.Pace.domain_index": "turns of domains, which begin anew",
}


class Unknown(Exception):
    """An index in a model of which nobody has said here what it is the index of."""


@dataclass(frozen=True)
class Table:
    """A model with something of the vault in it."""

    model: type
    fields: dict  # {column: its encrypted field}
    indexes: dict  # {column: Index}

    @property
    def label(self):
        return self.model._meta.label

    @property
    def sources(self):
        return {index.of for index in self.indexes.values()}

    def number_of_rows(self):
        return self._rows().count()

    def rows(self):
        """Lists of rows to look at, in the order of their keys: {"pk": …, column: its bytes}, where a column that the
        primary key has written, and that is the source of no index, is None. A page is read when it is asked for."""
        bytes_of = {name: Stored(name) if name in self.sources else Case(When(is_stale(name), then=Stored(name)))
                    for name in self.fields}  # fmt: skip
        aliases = {f"stored_{name}": one for name, one in bytes_of.items()}
        rows = self._rows().order_by("pk").annotate(**aliases).values("pk", *self.indexes, *aliases)
        last = 0
        while page := list(rows.filter(pk__gt=last)[:AT_ONCE]):
            yield [{name.removeprefix("stored_"): value for name, value in row.items()} for row in page]
            last = page[-1]["pk"]

    def _rows(self):
        """Whether an index is old can only be seen beside its words, so that all rows with one are looked at."""
        if self.indexes:
            return self.model._base_manager.all()
        stale = Q()
        for name in self.fields:
            stale |= Q(is_stale(name))
        return self.model._base_manager.filter(stale)


def tables():
    """Every Table, the outbox last: it is the longest. Raises Unknown."""
    found = []
    for model in apps.get_models():
        fields = {one.attname: one for one in model._meta.local_concrete_fields}
        blind = {name: f"{model._meta.label}.{name}" for name, one in fields.items() if _is_blind(one)}
        if strange := sorted({*blind.values()} - {*INDEXES, *PROOFS_ONLY}):
            raise Unknown(f"Say in presessions/rotation/tables.py what {strange[0]} is the index of.")
        sealed = {name: one for name, one in fields.items() if isinstance(one, vault._EncryptedField)}
        if sealed:
            indexes = {name: INDEXES[label] for name, label in blind.items() if label in INDEXES}
            found.append(Table(model, sealed, indexes))
    return sorted(found, key=lambda table: (table.model._meta.app_label == "mail", table.label))


def proofs():
    """(what it is there for, model, column) of each index that is never moved."""
    for label, what in PROOFS_ONLY.items():
        model, _dot, column = label.rpartition(".")
        yield what, apps.get_model(model), column


def _is_blind(field):
    return isinstance(field, vault.BlindIndexField)


# --- Bytes as they are stored -----------------------------------------------------------------------------------------


class Stored(Func):
    """An encrypted column as bytes."""

    template = "%(expressions)s"
    output_field = models.BinaryField()


def beginning(column, length):
    return Func(F(column), Value(1), length, function="substr", output_field=models.BinaryField())


def length_of(column):
    return Func(F(column), function="length", output_field=models.IntegerField())


def is_stale(column):
    """Whether a column holds something that the primary key has not written."""
    begin = vault.written_by_primary()
    ours = Exact(beginning(column, Value(len(begin))), Value(begin, output_field=models.BinaryField()))
    return Q(GreaterThan(length_of(column), 0)) & ~Q(ours)
