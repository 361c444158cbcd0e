"""The world of world.py, told once; what a test does to it is undone after that test."""

import pytest
import redis
from django.conf import settings

from tests.house.once import told_once


@pytest.fixture(scope="module")
def broker():
    """This worker's Redis, with nothing of other tests in it."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture(scope="module")
def told(django_db_setup, django_db_blocker, broker):
    with django_db_blocker.unblock(), told_once() as world:
        yield world


@pytest.fixture
def world(told, db):
    return told
