"""A pytest plugin: PostgreSQL and Redis of this test run, started before pytest-django reads the settings.

Loaded by `-p tests.servers` in pyproject.toml, so plain `pytest` works. The controller starts the servers and its
xdist workers inherit their addresses; each worker has a database, a Redis database and a private folder of its own.
DATABASE_URL and REDIS_URL of the caller are ignored: tests must never reach a database that somebody uses.
"""

import atexit
import os
import secrets
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from presessions import devservers

HOME = Path(__file__).resolve().parent.parent
LOCALE = HOME / "locale"
servers = ExitStack()
atexit.register(servers.close)  # also after Ctrl-C, and when a broken setting stops pytest before it has begun


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests():
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        compile_messages()
        os.environ.update(servers.enter_context(devservers.throwaway_environment()))
        os.environ.update(make_roles(os.environ["DATABASE_URL"]))
    else:
        number = int(worker.removeprefix("gw")) + 1
        os.environ["REDIS_URL"] = os.environ["REDIS_URL"].removesuffix("/0") + f"/{number}"
        folder = Path(os.environ["PRIVATE_FILES"]) / worker
        folder.mkdir(exist_ok=True)
        os.environ["PRIVATE_FILES"] = str(folder)
    return (yield)


def make_roles(url, **passwords):
    """The roles of a deployment, by its own script; tests of the rooms work as the application's (tests/conftest.py).
    Returns the settings by which `migrate` knows them."""
    passwords = {f"{who}_PASSWORD": secrets.token_urlsafe(24) for who in ("OWNER", "APP", "BACKUP")} | passwords
    psql = [devservers.programs() / "psql", "--no-psqlrc", f"--file={HOME / 'deploy' / 'roles.sql'}", url]
    subprocess.run(psql, env=passwords, check=True, capture_output=True)
    return {f"DATABASE_{who}_ROLE": f"presessions_{who.lower()}" for who in ("APP", "READER", "BACKUP")}


def compile_messages():
    """What `make` does before it calls us, for those who call pytest themselves."""
    for source in LOCALE.glob("*/LC_MESSAGES/*.po"):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            with source.open("rb") as po, compiled.open("wb") as mo:
                write_mo(mo, read_po(po))
