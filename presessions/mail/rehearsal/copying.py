"""A copy of the database on the same server, made and dropped again. Room: mail; imports nothing of ours.

The real database is read in one transaction that may not write, so that the copy is of one moment and people go on
working meanwhile. The copy is made by our own migrations and filled table by table: that needs a role that may make
databases, and no program of PostgreSQL's. Ours may not, where it is deployed as it should be; then the environment
names another one in REHEARSAL_DATABASE_URL, which needs no right in the real database at all.
"""

import os
import secrets
import shlex
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import psycopg2
from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from psycopg2 import errors, sql

PREFIX = "presessions_rehearsal_"
COMMENT = "A rehearsal of the mails of Pre-sessions. Nobody needs it once the command has ended."
EMPTY = ("django_session",)  # nobody is logged in to a copy
MAKES_COPIES = "REHEARSAL_DATABASE_URL"
NOWHERE = 9  # "discard": nobody listens there


class NoCopy(Exception):
    """The copy cannot be made, or this is none. str() says what to do."""


@contextmanager
def copy_of_this_database(say):
    """Make a copy; give the environment of a process that knows nothing but the copy, and its name. It is dropped
    whatever happens inside. Raises NoCopy.

    say -- told each table, with its number and how many there are
    """
    _insist_on_all_migrations()
    name = PREFIX + secrets.token_hex(4)
    with ExitStack() as undoing:
        server = undoing.enter_context(closing(_connect()))
        server.autocommit = True
        _drop_what_was_left(server)
        _run(server, "CREATE DATABASE {}", name)
        undoing.callback(_run, server, "DROP DATABASE {} WITH (FORCE)", name)
        copy = undoing.enter_context(closing(_connect(name)))  # to the end: no other command takes it for one left over
        _run(server, "COMMENT ON DATABASE {} IS {}", name, text=COMMENT)
        folder = Path(undoing.enter_context(tempfile.TemporaryDirectory(prefix="rehearsal-")))
        environment = _environment(name, folder)
        _migrate(environment)
        _fill(copy, say)
        yield environment, name


def insist_on_copy(name):
    """Nothing below runs anywhere else. Raises NoCopy."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_database(), shobj_description(oid, 'pg_database') FROM pg_database"
            " WHERE datname = current_database()"
        )
        here, comment = cursor.fetchone()
    if here != name or not here.startswith(PREFIX) or comment != COMMENT:
        raise NoCopy("This is not the copy that the command has made: nothing is rehearsed here.")


def _insist_on_all_migrations():
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NoCopy("This database waits for migrations: run manage.py migrate first.")


def _connect(name=None):
    known = {"dsn": os.environ[MAKES_COPIES]} if os.environ.get(MAKES_COPIES) else connection.get_connection_params()
    return psycopg2.connect(**(known | {"cursor_factory": None} | ({"dbname": name} if name else {})))


def _run(server, statement, name, text=None):
    words = [sql.Identifier(name)] + ([sql.Literal(text)] if text else [])
    try:
        with server.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(*words))
    except errors.InsufficientPrivilege:
        raise NoCopy(
            f"This role may not make databases. Name one that may in {MAKES_COPIES}: docs/rehearsal.md says how."
        ) from None


def _drop_what_was_left(server):
    """By a command that was killed. A copy in which somebody is at work is not ours to drop."""
    with server.cursor() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database d WHERE datname LIKE %s AND shobj_description(oid, 'pg_database') = %s"
            " AND pg_has_role(datdba, 'MEMBER') AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)",
            [PREFIX.replace("_", r"\_") + "%", COMMENT],
        )
        left = [name for (name,) in cursor.fetchall()]
    for name in left:
        _run(server, "DROP DATABASE IF EXISTS {}", name)


def _environment(name, folder):
    """What the process in the copy knows: the keys, to read whom it would write to, and no way out."""
    url = os.environ.get(MAKES_COPIES) or os.environ["DATABASE_URL"]
    (folder / "private").mkdir()
    return {
        **os.environ,
        "DATABASE_URL": urlsplit(url)._replace(path=f"/{name}").geturl(),
        **dict.fromkeys(("DATABASE_APP_ROLE", "DATABASE_READER_ROLE", "DATABASE_BACKUP_ROLE"), ""),  # nobody else looks
        "REDIS_URL": f"redis://127.0.0.1:{NOWHERE}/0",
        "SMTP_URL": f"smtp://127.0.0.1:{NOWHERE}",
        "ALERT_SMTP_URL": "",
        "ALERT_TO": "",
        "INBOX_URL": "",
        "MAIL_DOMAIN_PER_MINUTE": "0",
        "MAIL_TWO_PERSONS_ABOVE": "0",
        "PRIVATE_FILES": str(folder / "private"),
        **dict.fromkeys(("S3_BUCKET", "S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY"), ""),
        "CLAMAV_URL": "none",
        "MAIL_JOURNAL": str(folder / "journal"),
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "presessions.settings"),
    }


def command(*arguments):
    """Our own command line, as this process was started."""
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


def _migrate(environment):
    words = command("migrate", "--verbosity=0", "--no-input")
    done = subprocess.run(words, env=environment, capture_output=True, text=True)  # noqa: S603 -- our own
    if done.returncode:
        raise NoCopy(f"{shlex.join(words)} failed in the copy:\n{done.stderr[-2000:]}")


# --- Rows -------------------------------------------------------------------------------------------------------------


def _fill(copy, say):
    """Every row of this database, as of one moment, in the place of those that the migrations have put there."""
    with _one_moment() as ours, copy, copy.cursor() as theirs:
        tables = _tables(theirs)
        for table in tables:  # rows that nobody may change are still to be put there
            theirs.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
        theirs.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, tables))))
        for number, (table, columns) in enumerate(tables.items(), start=1):
            say(table, number, len(tables))
            if table not in EMPTY:
                _pour(ours, theirs, table, columns)
        theirs.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            theirs.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(table)))
        ours.execute("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()")
        for name, last in ours.fetchall():
            if last is not None:
                theirs.execute("SELECT setval(quote_ident(%s)::regclass, %s)", [name, last])


@contextmanager
def _one_moment():
    """A cursor that sees the real database as it is now, until the end, and can write nothing."""
    is_first = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_first:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield cursor


def _tables(cursor):
    """{table: its columns that hold what was put there}, in the order of their names."""
    cursor.execute(
        "SELECT c.table_name, array_agg(c.column_name::text ORDER BY c.ordinal_position)"
        " FROM information_schema.columns c"
        " JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'"
        " GROUP BY c.table_name ORDER BY c.table_name"
    )
    return dict(cursor.fetchall())


def _pour(ours, theirs, table, columns):
    """One table, through a pipe: nothing of it touches a disk of ours, however long it is."""
    words = {"table": sql.Identifier(table), "columns": sql.SQL(", ").join(map(sql.Identifier, columns))}
    out, into = (
        sql.SQL(text).format(**words).as_string(theirs)
        for text in ("COPY {table} ({columns}) TO STDOUT", "COPY {table} ({columns}) FROM STDIN")
    )
    reader, writer = (os.fdopen(end, mode) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True))
    failed = []

    def give():
        try:
            with writer:
                ours.copy_expert(out, writer)
        except Exception as error:  # told below, in the thread that waits
            failed.append(error)

    giver = Thread(target=give)
    giver.start()
    try:
        with reader:
            theirs.copy_expert(into, reader)
    finally:
        giver.join()
    if failed:
        raise failed[0]
