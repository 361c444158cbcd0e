"""The world of world.py, told once for the tests of a file; what a test does to it is undone after that test."""

import pytest
import redis
import time_machine
from django.conf import settings
from django.db import transaction

from tests.house.world import SET_UP, World


@pytest.fixture(scope="module")
def broker():
    """This worker's Redis, with nothing of other tests in it."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture(scope="module")
def told(django_db_setup, django_db_blocker, broker):
    with django_db_blocker.unblock(), transaction.atomic(), time_machine.travel(SET_UP, tick=False) as clock:
        world = World(clock)
        world.tell()
        yield world
        transaction.set_rollback(True)


@pytest.fixture
def world(told, db):
    return told
