"""A house full of old rows: one in every table that keeps something of the vault, each encrypted column of it filled.

    rows = old_rows.fill()          {(model, key): {column: its plain words}}, written by SQL under the present key
    old_rows.read(rows)             the same, as it reads now

Whatever else a row needs gets some value that fits; foreign keys point nowhere. A model that is added later is filled
by itself.
"""

from datetime import date, timedelta
from uuid import uuid4

from django.db import connection, models

from presessions import vault
from presessions.rotation.tables import tables
from tests.applications.factories import MONDAY

ROWS = 3  # in each table


def fill():
    filled = {}
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # neither foreign keys nor triggers
        for table in tables():
            only_one = table.model._meta.pk.has_default()
            table.model._base_manager.filter(pk=1).delete() if only_one else None
            for number in range(1 if only_one else ROWS):
                row = _row(table, number)
                table.model._base_manager.bulk_create([row])
                filled[table.model, row.pk] = _words(row, table)
        cursor.execute("SET session_replication_role = DEFAULT")
    return filled


def read(rows):
    return {
        (model, key): _words(model._base_manager.get(pk=key), next(one for one in tables() if one.model is model))
        for model, key in rows
    }


def _words(row, table):
    return {name: getattr(row, name) for name in table.fields}


def _row(table, number):
    row = table.model()
    for one in table.model._meta.local_concrete_fields:
        if not one.primary_key:
            setattr(row, one.attname, _value(one, table, number))
    for column, index in table.indexes.items():
        setattr(row, column, vault.blind_index(index.kind, index.part(getattr(row, index.of))))
    return row


def _value(field, table, number):
    if isinstance(field, vault.EncryptedBytesField):
        return f"bytes of {table.label} {number}".encode()
    if isinstance(field, vault.EncryptedTextField):
        return f"{field.attname}.{number}@{table.label}.example.org"
    unique = field.unique or field.attname.endswith("_id")
    if isinstance(field, models.DateTimeField):
        return MONDAY + timedelta(minutes=number)
    if isinstance(field, models.DateField):
        return date(2026, 3, 2 + number)
    if isinstance(field, models.UUIDField):
        return uuid4()
    if field.is_relation or isinstance(field, models.IntegerField):
        return 900_000 + number if unique and field.is_relation else 1 + number
    if isinstance(field, models.BooleanField):
        return False
    if isinstance(field, models.BinaryField):
        return bytes([number])
    if isinstance(field, models.JSONField):
        return {}
    return f"{number}{uuid4().hex}"[: field.max_length or 40]
