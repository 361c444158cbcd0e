"""O3. Migrations keep data: filled databases of earlier releases go forward to today's code step by step, and at each
step every column that survives it holds what it held.

The snapshots are the demonstrations of those releases (tests/setup/take_snapshot.py); how long each step locks a table
of 100,000 rows is `python -m benchmarks migrations`.
"""

import gzip
import json
import subprocess

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations import operations
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from presessions import devservers
from presessions.trail.models import Event
from tests.backups import django_in
from tests.setup.take_snapshot import KEYSET, SNAPSHOTS

RELEASES = sorted(path.name.removesuffix(".sql.gz") for path in SNAPSHOTS.glob("*.sql.gz"))

# Columns that a step is there to change. Everything else holds what it held.
MEANT = {
    ("applications", "0006_themes_in_six_languages"): {
        f"applications_theme.name_{to}" for to in ("ar", "es", "ru", "zh")
    },
    ("applications", "0007_back_to_quarantine"): {
        f"applications_attachment.{name}" for name in ("state", "checked_at", "next_look_at")
    },
    ("applications", "0009_whoever_wrote_a_note_is_masked"): {"applications_application.at_risk"},
}
# Steps that take something away wait until a release has gone by whose code did not use it: {migration: that release}.
TAKEN_AWAY = {}
DESTRUCTIVE = (operations.RemoveField, operations.DeleteModel, operations.RenameField, operations.RenameModel)


@pytest.fixture(params=RELEASES)
def released(request, django_db_blocker, settings):
    """The database of that release, in which Django works."""
    settings.VAULT_KEYSET = KEYSET
    known = connection.settings_dict
    server = f"postgres://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}"
    name = f"o3_{known['NAME']}_{request.param}"
    psql = [devservers.programs() / "psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1"]
    ours = {"check": True, "env": devservers.Server.environment, "stdout": subprocess.DEVNULL}
    subprocess.run([*psql, f'--command=CREATE DATABASE "{name}"', f"{server}/postgres"], **ours)
    try:
        words = gzip.decompress((SNAPSHOTS / f"{request.param}.sql.gz").read_bytes())
        subprocess.run([*psql, f"{server}/{name}"], input=words, **ours)
        with django_db_blocker.unblock(), django_in(f"{server}/{name}"):
            yield
    finally:
        subprocess.run([*psql, f'--command=DROP DATABASE "{name}" WITH (FORCE)', f"{server}/postgres"], **ours)


def columns():
    """{"table.column": a hash over all its values in the order of the rows, and how many there are}"""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table == "django_migrations":
                continue
            key = connection.introspection.get_primary_key_column(cursor, table)
            names = [column.name for column in connection.introspection.get_table_description(cursor, table)]
            sums = [f"""md5(string_agg(coalesce(md5("{name}"::text), '-'), '' ORDER BY "{key}"))""" for name in names]
            cursor.execute(f'SELECT count(*), {", ".join(sums)} FROM "{table}"')
            rows, *sums = cursor.fetchone()
            found |= {f"{table}.{name}": (rows, each) for name, each in zip(names, sums, strict=True)}
    return found


def test_every_step_forward_keeps_every_value_that_it_is_not_there_to_change(released):
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    state = executor._create_project_state(with_applied_migrations=True)
    before = columns()
    assert sum(rows for rows, _sum in before.values()) > 10_000
    for migration, _backwards in plan:
        state = executor.migrate(None, plan=[(migration, False)], state=state)
        after, key = columns(), (migration.app_label, migration.name)
        changed = {name for name in before.keys() & after.keys() if before[name] != after[name]}
        assert changed - MEANT.get(key, set()) == set(), key
        gone = before.keys() - after.keys()
        assert not gone or key in TAKEN_AWAY, (key, gone)
        before = after
    assert not MigrationExecutor(connection).migration_plan(executor.loader.graph.leaf_nodes())
    everything_can_be_read()


def everything_can_be_read():
    """By today's models, what is encrypted too; and nobody has touched the trail."""
    for model in apps.get_models():
        if model._meta.managed and model._meta.app_label != "contenttypes":
            for row in model._base_manager.iterator():
                for field in model._meta.concrete_fields:
                    getattr(row, field.attname)
    assert Event.objects.exists()


def test_migrations_say_all_that_the_models_say(released):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_nothing_is_taken_away_that_the_last_release_still_uses(released):
    """A web process of the last release works on while the tables are changed under it."""
    loader = MigrationLoader(connection)
    unreleased = [loader.disk_migrations[key] for key in loader.disk_migrations if key not in loader.applied_migrations]
    taking = {
        (migration.app_label, migration.name)
        for migration in unreleased
        for operation in migration.operations
        if isinstance(operation, DESTRUCTIVE)
        or (isinstance(operation, operations.RunSQL) and "DROP TABLE" in str(operation.sql).upper())
    }
    assert taking == set(TAKEN_AWAY)


def test_a_step_that_loses_a_value_would_be_seen(released):
    before = columns()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE upr_state SET name_en = name_en || ' ' WHERE iso2 = 'CH'")
    after = columns()
    assert {name for name in before if before[name] != after[name]} == {"upr_state.name_en"}


def test_the_snapshots_are_small_and_hold_no_keys():
    assert RELEASES
    for path in SNAPSHOTS.iterdir():
        assert path.stat().st_size < 1_000_000
        assert json.loads(KEYSET)["keys"]["snapshot"].encode() not in gzip.decompress(path.read_bytes())
