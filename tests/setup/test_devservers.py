"""The servers out of wheels: real, private, and gone with their owner."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg2
import pytest
import redis

from presessions import devservers

HOME = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder():
    with devservers.temporary_folder() as folder:
        yield folder


def ask(url, question):
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


def test_postgres_is_18_speaks_unicode_and_keeps_its_word_when_durable(folder):
    with devservers.Postgres(folder, durable=True) as postgres:
        assert ask(postgres.url, "SHOW server_version").startswith("18.")
        assert ask(postgres.url, "SELECT lower('É')") == "é"
        assert ask(postgres.url, "SHOW fsync") == ask(postgres.url, "SHOW synchronous_commit") == "on"


def test_what_postgres_committed_survives_a_kill_on_the_same_port(folder):
    with devservers.Postgres(folder, durable=True) as postgres:
        ask(postgres.url, "CREATE TABLE kept AS SELECT 54 AS number")
        before = postgres.url
        for _ in range(3):
            postgres.kill()
            assert not postgres.alive
            postgres.start()
        assert postgres.url == before
        assert ask(postgres.url, "SELECT number FROM kept") == 54


def test_data_is_kept_between_two_runs_in_the_same_folder(folder):
    with devservers.Postgres(folder) as postgres:
        ask(postgres.url, "CREATE TABLE kept AS SELECT 54 AS number")
    with devservers.Postgres(folder) as postgres:
        assert ask(postgres.url, "SELECT number FROM kept") == 54


def test_redis_forgets_and_comes_back_on_the_same_port(folder):
    with devservers.Redis(folder) as server:
        client = redis.Redis.from_url(server.url)
        client.set("bell", "rung")
        server.restart()
        assert client.get("bell") is None


def test_nobody_enters_without_the_password(folder):
    with devservers.Postgres(folder, durable=False) as postgres, devservers.Redis(folder) as server:
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(postgres.url.replace(postgres.password, "guess"))
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=server.port, retry=None).ping()


def test_a_server_that_cannot_start_says_why(folder):
    with devservers.Redis(folder) as server, pytest.raises(devservers.CannotStart, match="Address already in use"):
        devservers.Redis(folder, port=server.port).start()


def test_servers_die_with_their_owner_even_when_it_is_killed(folder):
    program = (
        "import sys, time; from presessions import devservers\n"
        f"with devservers.Postgres({str(folder)!r}) as postgres, devservers.Redis({str(folder)!r}) as redis:\n"
        "    print(postgres.process.pid, redis.process.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], cwd=HOME, stdout=subprocess.PIPE, text=True)
    servers = [int(pid) for pid in owner.stdout.readline().split()]
    assert len(servers) == 2
    assert all(map(runs, servers))
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    deadline = time.monotonic() + 10
    while any(map(runs, servers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(runs, servers))


def test_a_secret_file_is_its_owners_alone(folder):
    devservers.write_secret(folder / "secret", "hush")
    assert os.stat(folder / "secret").st_mode & 0o777 == 0o600


def test_a_command_beside_throwaway_servers_has_all_settings_and_leaves_its_exit_status():
    program = "import os, sys, psycopg2; psycopg2.connect(os.environ['DATABASE_URL']); sys.exit(7)"
    done = subprocess.run([sys.executable, "-m", "presessions.devservers", "-c", program], cwd=HOME)
    assert done.returncode == 7


def runs(pid):
    """A zombie that its new parent has not collected yet is dead to us."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
