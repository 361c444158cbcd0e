"""What the roles of the database may do with each table: granted at the end of every `migrate`, by the owner. Wiring.

deploy/roles.sql makes the roles. `migrate` finds their names in DATABASE_APP_ROLE and DATABASE_READER_ROLE; where both
are empty, as in `make run`, whoever logs in is the owner and nothing is granted.
"""

from django.apps import apps
from django.conf import settings
from django.db import connections, transaction
from psycopg2.sql import SQL, Identifier

# Added to and never changed, triggers or no triggers. Table -> the columns that may be written all the same.
APPEND_ONLY = {
    "trail_event": [],
    "trail_seal": [],
    "mail_attempt": ["answer"],  # the server's words, which can name people: emptied after a while
}
NOT_FOR_THE_APP = {"django_migrations"}  # to look at
# With what is in these the reader could come in as somebody else.
NOT_FOR_THE_READER = {"django_session", "accounts_authenticator", "accounts_recoverycode", "mail_personallink"}
WITHOUT = {"accounts_user": {"password"}}  # the reader sees the rest of the table


def grant(using="default", **signal):
    """After every migration. Whole or not at all, so that no other session meets a table between two states."""
    with transaction.atomic(using), connections[using].cursor() as cursor:
        tables = set(connections[using].introspection.table_names(cursor))
        if settings.DATABASE_APP_ROLE:
            _to_app(cursor, Identifier(settings.DATABASE_APP_ROLE), tables)
        if settings.DATABASE_READER_ROLE:
            _to_reader(cursor, Identifier(settings.DATABASE_READER_ROLE), tables)
        if settings.DATABASE_BACKUP_ROLE:  # reads by pg_read_all_data (deploy/roles.sql), and says that it lives
            _do(cursor, "GRANT INSERT, UPDATE ON mail_pulse TO {}", Identifier(settings.DATABASE_BACKUP_ROLE))


def _to_app(cursor, role, tables):
    _do(cursor, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}", role)
    _do(cursor, "GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {}", role)
    for table in tables & NOT_FOR_THE_APP:
        _do(cursor, "REVOKE INSERT, UPDATE, DELETE ON {} FROM {}", Identifier(table), role)
    for table in tables & APPEND_ONLY.keys():
        _do(cursor, "REVOKE UPDATE, DELETE ON {} FROM {}", Identifier(table), role)
        for column in APPEND_ONLY[table]:
            _do(cursor, "GRANT UPDATE ({}) ON {} TO {}", Identifier(column), Identifier(table), role)


def _to_reader(cursor, role, tables):
    _do(cursor, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}", role)
    for table in tables & (NOT_FOR_THE_READER | WITHOUT.keys()):
        _do(cursor, "REVOKE SELECT ON {} FROM {}", Identifier(table), role)
    for model in apps.get_models():
        table = model._meta.db_table
        if table in tables & WITHOUT.keys():
            for field in model._meta.local_concrete_fields:
                if field.column not in WITHOUT[table]:
                    _do(cursor, "GRANT SELECT ({}) ON {} TO {}", Identifier(field.column), Identifier(table), role)


def _do(cursor, words, *names):
    cursor.execute(SQL(words).format(*names))
