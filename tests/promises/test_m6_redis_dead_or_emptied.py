"""M6. Redis dead, frozen or emptied: letters leave, none is lost or doubled, and forms work.

What a form does without Redis stands in tests/applications/test_throttle.py; how a worker comes back, in the storm.
"""

import socket
from collections import Counter
from contextlib import ExitStack

import pytest
import redis
from django.conf import settings

from presessions.mail.models import Letter
from tests.mail.factories import put_now

LETTERS = 40


@pytest.fixture
def refused():
    return "redis://127.0.0.1:1/0"


@pytest.fixture
def frozen():
    """It takes connections and never says a word."""
    with ExitStack() as closing:
        server = closing.enter_context(socket.create_server(("127.0.0.1", 0)))
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture
def emptied():
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
    return settings.REDIS_URL


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", ["refused", "frozen", "emptied"])
def test_two_timers_at_once_send_every_letter_once_whatever_becomes_of_redis(sink, send_due, state, request):
    put_now(LETTERS)
    url = request.getfixturevalue(state)
    processes = [send_due("--once", REDIS_URL=url) for _ in range(2)]
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0]
    assert Counter(sink.recipients) == Counter(f"p{n}@example.org" for n in range(LETTERS))
    assert set(Letter.objects.filter(key__startswith="django:").values_list("state", "attempts")) == {("sent", 1)}
