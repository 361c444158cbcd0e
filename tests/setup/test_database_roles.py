"""The roles of the database as a deployment has them: made by deploy/roles.sql, granted by `migrate`. What each may do.

That the whole product works with the rights of the application is shown by the tests of the rooms: tests/conftest.py.
"""

import os
import secrets
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from django.db import connection
from psycopg2 import errors
from psycopg2.extensions import make_dsn, parse_dsn

from presessions import database_roles
from tests.servers import make_roles

HOME = Path(__file__).resolve().parents[2]
NAME = "deployed"
PASSWORDS = {f"{who}_PASSWORD": secrets.token_urlsafe(24) for who in ("OWNER", "APP", "BACKUP")}
ALL_OF_IT = {"SELECT", "INSERT", "UPDATE", "DELETE"}


def url_of(role=None, *, name=NAME):
    """Of the cluster of this test run: as its superuser, or as one of the roles."""
    superuser = parse_dsn(os.environ["DATABASE_URL"])
    if role is None:
        return make_dsn(**{**superuser, "dbname": name})
    password = PASSWORDS[f"{role.upper()}_PASSWORD"]
    return f"postgres://presessions_{role}:{password}@{superuser['host']}:{superuser['port']}/{name}"


@contextmanager
def database(name=NAME, *, template="template0"):
    """Made anew and taken away again. It is the cluster that knows roles and their passwords."""
    with asking(url_of(name="postgres")) as ask:
        ask(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield
        ask(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def asking(url):
    connection = psycopg2.connect(url)
    connection.autocommit = True
    cursor = connection.cursor()

    def ask(question, values=None):
        cursor.execute(question, values)
        return cursor.fetchall() if cursor.description else None

    try:
        yield ask
    finally:
        connection.close()


def manage(role, *command):
    environment = {**os.environ, "DATABASE_URL": url_of(role)}
    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=HOME, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def deployed(django_db_setup):
    """A copy of this test's own database, handed over to its owner, who then migrates: there is nothing left to do but
    to grant. (From nothing it is the same, and takes ten times as long.)"""
    connection.close()
    with database(template=connection.settings_dict["NAME"]):
        make_roles(url_of(), **PASSWORDS)
        manage("owner", "migrate", "--verbosity=0")
        yield


@pytest.fixture
def app(deployed):
    with asking(url_of("app")) as ask:
        yield ask


@pytest.fixture
def reader(deployed):
    with asking(url_of()) as ask:
        ask("SET ROLE presessions_reader")
        yield ask


def rights(ask, role):
    """table -> what the role may do with the whole of it."""
    rows = ask(
        "SELECT tablename, verb FROM pg_tables, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE',"
        " 'REFERENCES', 'TRIGGER']) verb"
        " WHERE schemaname = 'public' AND has_table_privilege(%s, tablename::regclass, verb)",
        [role],
    )
    found = {table: set() for (table,) in ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    for table, verb in rows:
        found[table].add(verb)
    return found


def test_no_role_is_a_superuser_or_makes_others(deployed):
    with asking(url_of()) as ask:
        rows = ask(
            "SELECT rolname, rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls, rolcanlogin, rolreplication"
            " FROM pg_roles WHERE rolname LIKE 'presessions\\_%' ORDER BY rolname"
        )
    assert rows == [
        ("presessions_app", False, True, False),
        ("presessions_backup", False, True, True),
        ("presessions_owner", False, True, False),
        ("presessions_reader", False, False, False),
    ]


def test_the_application_works_with_rows_and_with_nothing_else(app):
    found = rights(app, "presessions_app")
    special = {*database_roles.APPEND_ONLY, *database_roles.NOT_FOR_THE_APP}
    assert {table: verbs for table, verbs in found.items() if table not in special and verbs != ALL_OF_IT} == {}
    assert all(found[table] == {"SELECT", "INSERT"} for table in database_roles.APPEND_ONLY)
    assert found["django_migrations"] == {"SELECT"}


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE TEMP TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "ALTER TABLE mail_letter ADD COLUMN mine int",
        "ALTER TABLE trail_event DISABLE TRIGGER ALL",
        "DROP TRIGGER trail_event_append_only ON trail_event",
        "DROP TABLE trail_event",
        "TRUNCATE trail_event CASCADE",
        "TRUNCATE mail_letter CASCADE",
        "UPDATE trail_event SET code = 'nothing'",
        "DELETE FROM trail_event",
        "UPDATE trail_seal SET code = 'nothing'",
        "DELETE FROM trail_seal",
        "UPDATE mail_attempt SET number = 2",
        "DELETE FROM mail_attempt",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('x', 'x', now())",
        "SET session_replication_role = replica",
        "SET ROLE presessions_owner",
        "COPY mail_letter TO '/tmp/letters'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_the_application_is_refused(app, statement):
    with pytest.raises((errors.InsufficientPrivilege, errors.InvalidSchemaName)):
        app(statement)


def test_the_reader_looks_and_sees_no_way_in(reader):
    found = rights(reader, "presessions_reader")
    hidden = {*database_roles.NOT_FOR_THE_READER, *database_roles.WITHOUT}
    assert {table: verbs for table, verbs in found.items() if table not in hidden and verbs != {"SELECT"}} == {}
    assert all(found[table] == set() for table in hidden)
    reader("SELECT id, email, name FROM accounts_user")
    refused = ["SELECT password FROM accounts_user", "UPDATE upr_series SET id = 1", "DELETE FROM mail_letter"]
    ways_in = ["django_session", "accounts_authenticator", "accounts_recoverycode", "mail_personallink"]
    for question in refused + [f"SELECT * FROM {table}" for table in ways_in]:
        with pytest.raises(errors.InsufficientPrivilege):
            reader(question)


def test_whatever_refuses_changes_by_a_trigger_is_refused_by_right_too(app):
    rows = app("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%append_only'")
    assert {table for (table,) in rows} == database_roles.APPEND_ONLY.keys()


def test_everything_belongs_to_the_owner(app):
    rows = app("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
               " AND relowner <> 'presessions_owner'::regrole")  # fmt: skip
    assert rows == []


def test_the_application_logs_in_by_its_password(deployed):
    assert "0 events" in manage("app", "check_trail")


def test_a_database_from_before_there_were_roles_gets_them_and_a_second_time_changes_nothing():
    with database("older"):
        with asking(url_of(name="older")) as ask:
            ask("CREATE TABLE mail_pulse (id bigint GENERATED BY DEFAULT AS IDENTITY, part text)")
            ask("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$")
        for _ in range(2):
            make_roles(url_of(name="older"), **PASSWORDS)
        with asking(url_of("owner", name="older")) as ask:
            ask("ALTER TABLE mail_pulse ADD COLUMN at timestamptz")
            ask("CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$")
        with pytest.raises(errors.InsufficientPrivilege), asking(url_of("app", name="older")) as ask:
            ask("SELECT * FROM mail_pulse")  # until somebody migrates
