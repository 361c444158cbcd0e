"""How long each step from the last release to today's code locks a table of 100,000 rows.

The snapshot of that release (tests/setup/snapshots), its great tables filled up; then each migration by itself, while
for each of these tables one connection asks again and again for the lock that a page needs to write. The longest wait
is what somebody would have seen. The bar is 2 seconds. MIGRATIONS_FROM=2026-11-24 goes from an older release.
"""

import gzip
import os
import subprocess
import threading
import time

import django

from presessions import devservers

ROWS = 100_000
BAR = 2.0  # seconds
EVERY = 0.01  # seconds between two tries for a lock


def main():
    from tests.setup.take_snapshot import KEYSET, SNAPSHOTS

    release = os.environ.get("MIGRATIONS_FROM") or max(path.name for path in SNAPSHOTS.glob("*.gz")).split(".")[0]
    with (
        devservers.throwaway_environment() as environment,
        devservers.temporary_folder() as folder,
        devservers.Postgres(folder) as postgres,
    ):
        os.environ.update(environment, DATABASE_URL=postgres.url, VAULT_KEYSET=KEYSET)
        os.environ["DJANGO_SETTINGS_MODULE"] = "presessions.settings"
        django.setup()
        words = gzip.decompress((SNAPSHOTS / f"{release}.sql.gz").read_bytes())
        psql = [postgres.programs / "psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", postgres.url]
        subprocess.run(psql, input=words, check=True, stdout=subprocess.DEVNULL)
        from django.db import connection

        say(f"from the release of {release}, {', '.join(f'{table} {rows:,}' for table, rows in fill().items())}")
        measure()
        connection.close()


def measure():
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    state = executor._create_project_state(with_applied_migrations=True)
    state.apps  # noqa: B018  as `migrate` does: rendered once, and not in the first step
    worst = 0.0
    for migration, _backwards in plan:
        with Waiting() as waiting:
            began = time.perf_counter()
            state = executor.migrate(None, plan=[(migration, False)], state=state)
            took = time.perf_counter() - began
        table, wait = waiting.longest()
        worst = max(worst, wait)
        say(f"{migration}: {took:.2f} s; longest wait {wait:.2f} s, for {table}")
    say(f"{len(plan)} steps; the longest lock {worst:.2f} s; the bar is {BAR} s")
    assert worst < BAR


class Waiting:
    """Somebody who wants to read and write in every great table, again and again, and how long that took at most."""

    def __enter__(self):
        self.waits, self.over = dict.fromkeys(GREAT, 0.0), threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(table,)) for table in GREAT]
        for thread in self.threads:
            thread.start()
        time.sleep(0.2)
        return self

    def __exit__(self, *failure):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def _ask(self, table):
        from django.db import connections

        connection = connections.create_connection("default")
        try:
            while not self.over.is_set():
                began = time.perf_counter()
                with connection.cursor() as cursor:
                    cursor.execute(f"BEGIN; LOCK TABLE {table} IN ROW EXCLUSIVE MODE; COMMIT")
                self.waits[table] = max(self.waits[table], time.perf_counter() - began)
                time.sleep(EVERY)
        finally:
            connection.close()

    def longest(self):
        return max(self.waits.items(), key=lambda wait: wait[1])


# Great tables: what differs from row to row where the table asks for it. `n` counts the new rows.
GREAT = {
    "applications_application": {"reference": "'X' || n", "email_index": "md5('a' || n)", "form_key": "'X' || n"},
    "applications_speaker": {"application_id": "NEW"},
    "applications_attachment": {"application_id": "NEW"},
    "applications_recommendation": {"application_id": "NEW"},
    "applications_contact": {"reference": "'X' || n", "email_index": "md5('c' || n)"},
    "mail_letter": {"key": "'X' || n", "message_id": "'X' || n", "envelope": "md5('e' || n)"},
    "mail_attempt": {},
    "mail_personallink": {"token_hash": "sha256(n::text::bytea)"},
    "trail_event": {"nonce": "md5('n' || n)"},
}


def fill():
    """{table: its rows}"""
    from django.db import connection

    rows = {}
    with connection.cursor() as cursor:
        for table, changed in GREAT.items():
            description = connection.introspection.get_table_description(cursor, table)
            names = [column.name for column in description if column.name != "id"]
            new = "(SELECT max(id) FROM applications_application) - n + 1"  # those that have nothing of theirs yet
            values = [changed.get(name, f'"{name}"').replace("NEW", new) for name in names]
            listed = ", ".join(f'"{name}"' for name in names)
            cursor.execute(
                f'INSERT INTO "{table}" ({listed}) SELECT {", ".join(values)} '
                f'FROM (SELECT * FROM "{table}" ORDER BY id LIMIT 1) one, generate_series(1, {ROWS}) n'
            )
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            (rows[table],) = cursor.fetchone()
        cursor.execute("ANALYZE")
    return rows


def say(words):
    print(f"migrations: {words}", flush=True)
