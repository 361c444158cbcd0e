"""The world of world.py, told once in each process of tests: it takes longer than most files that look at it.

    with told_once() as world:    a transaction in the database where the world stands; undone at the end

The first who asks has the empty database of the tests copied, and tells the world there. Whoever comes later, finds it
as it was then: the rows, the browser of the applicant, the files on the disk, the time on the clock.
"""

import copy
from contextlib import contextmanager
from pathlib import Path

import time_machine
from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from tests.conftest import rights
from tests.house.world import SET_UP, World
from tests.promises.mails import Asked

told = {}  # name of the database: (the world, when its telling ended)


@contextmanager
def told_once():
    rights.take(None)
    usual = connection.settings_dict["NAME"]
    name, files = f"{usual}_world", Path(settings.PRIVATE_FILES) / "world"
    if name not in told:
        copy_database(usual, name)
    with elsewhere(name), override_settings(PRIVATE_FILES=files):
        if name not in told:
            told[name] = tell()
        world, ended = told[name]
        with transaction.atomic(), time_machine.travel(ended, tick=False) as clock:
            yield as_it_was(world, clock)
            transaction.set_rollback(True)


def copy_database(usual, name):
    """Nobody may be in the one that is copied: what threads of earlier tests have left open is closed."""
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [usual])
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # left by a telling that failed
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{usual}"')


def tell():
    Path(settings.PRIVATE_FILES).mkdir(mode=0o700, exist_ok=True)
    with transaction.atomic(), time_machine.travel(SET_UP, tick=False) as clock, Asked().listening() as asked:
        world = World(clock, asked=asked)
        world.tell()
        connection.run_on_commit.clear()  # as after a test: no bell was rung
        return world, timezone.now()


def as_it_was(world, clock):
    """A copy, whose lists, mails and browser may be used up."""
    now = copy.copy(world)
    now.clock, now.mails, now.applicant = clock, list(world.mails), copy.copy(world.applicant)
    now.applicant.cookies = copy.deepcopy(world.applicant.cookies)
    return now


@contextmanager
def elsewhere(name):
    """The one connection of the tests leads to another database."""
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
