"""A guarded UPDATE and its event in one statement: neither without the other, and one way to the database for both.
Room: trail, basement."""

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models.sql import UpdateQuery


def move(rows, facts, event):
    """UPDATE the rows of a guarded queryset and write the event if there was one; returns whether there was.

    rows -- a queryset that fits one row at most; facts -- what to write, as `update` takes it
    event -- signed and not written yet; its key is set
    """
    query = rows.query.chain(UpdateQuery)
    query.add_update_values(facts)
    query.clear_ordering(force=True)
    try:
        update, update_params = query.get_compiler(rows.db).as_sql()
    except EmptyResultSet:
        return False
    connection = connections[rows.db]
    quote = connection.ops.quote_name
    fields = [field for field in event._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(quote(field.column) for field in fields)
    # Without its length: a cast cuts off what is too long, and the event would not be what was signed.
    values = ", ".join(f"%s::{field.db_type(connection).partition('(')[0]}" for field in fields)
    params = [field.get_db_prep_save(getattr(event, field.attname), connection) for field in fields]
    table, key = quote(event._meta.db_table), quote(event._meta.pk.column)
    insert = f"INSERT INTO {table} ({columns}) SELECT {values} FROM moved RETURNING {key}"  # noqa: S608 (names of ours)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH moved AS ({update} RETURNING 1) {insert}", [*update_params, *params])
        written = cursor.fetchone()
    if written:
        event.pk, event._state.adding, event._state.db = written[0], False, rows.db
    return bool(written)
