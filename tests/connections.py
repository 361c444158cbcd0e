"""A pytest plugin: tests and what they start reach this machine and nobody else. Promise C8.

Loaded by `-p tests.connections` in pyproject.toml. Whoever connects, sends a datagram or asks for a name elsewhere is
refused, and the test that was running fails and names the address. What a test starts in Python is watched in the same
way (tests/near), unless it is started without our environment.
"""

import os
import sys
import tempfile
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

NEAR = Path(__file__).parent / "near"
sys.path.append(str(NEAR))  # imported as its children import it

import near  # noqa: E402

connect_to_database = psycopg2._connect


def pytest_configure(config):
    folder = Path(tempfile.mkdtemp(prefix="far-"))
    os.environ[near.FOLDER] = str(folder)  # each process of xdist has its own, and so have those that it starts
    paths = [str(NEAR), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    psycopg2._connect = only_near
    near.begin()
    config.pluginmanager.register(Connections(folder), "connections")


def only_near(dsn, *arguments, **options):
    """libpq opens its sockets without telling Python."""
    known = parse_dsn(dsn)
    for host in (*known.get("host", "").split(","), *known.get("hostaddr", "").split(",")):
        if not host.startswith(("/", "@")) and not near.is_near(host):
            near.refuse(host)
    return connect_to_database(dsn, *arguments, **options)


class Connections:
    def __init__(self, folder):
        self.folder = folder

    def wanted(self):
        """Where somebody wanted to go since this was last asked."""
        notes = sorted(self.folder.iterdir())
        found = [note.read_text() for note in notes]
        for note in notes:
            note.unlink()
        return sorted(set(found))

    def _fail_if_far(self):
        if found := self.wanted():
            pytest.fail("reached for another machine: " + ", ".join(found), pytrace=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self):
        yield
        self._fail_if_far()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self):
        try:
            return (yield)
        finally:
            self._fail_if_far()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self):
        result = yield
        self._fail_if_far()
        return result

    def pytest_unconfigure(self):
        if left := self.wanted():  # by what outlived its test
            print("reached for another machine after the tests: " + ", ".join(left), file=sys.stderr)
        self.folder.rmdir()
