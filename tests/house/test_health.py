"""Health: what a machine asks of us, without a language and without a session."""

import pytest

pytestmark = pytest.mark.django_db


def test_the_process_says_that_it_lives(client):
    assert client.get("/health/live").json() == {"live": True}


def test_ready_when_the_database_answers(client):
    assert client.get("/health/ready").json() == {"database": True, "redis": True}


def test_a_dead_redis_is_named_and_stops_nobody(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "redis": False})
