"""O4, the mail's half: workers and beat are restarted one after the other while letters leave (SIGTERM, as a deployment
does it): none is lost, none goes twice, and the letters in hand are finished.

Two rounds; with STORM=full the twenty of the promise. Real workers, a real beat, a real Redis; the mail server takes
its time over each letter, so that one is always in hand.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from presessions import devservers
from presessions.mail.leaving import leaving
from presessions.mail.models import Attempt, Letter
from tests.mail.factories import put

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[2]
CELERY = [sys.executable, "-m", "celery", "--app=presessions", "--quiet"]
WORKER = [*CELERY, "worker", "--concurrency=1", "--without-gossip", "--without-mingle", "--loglevel=warning"]
BEAT = [*CELERY, "beat", "--pidfile=", "--loglevel=warning"]
LETTERS, ROUNDS = (1000, 20) if os.environ.get("STORM") == "full" else (80, 2)


@pytest.fixture
def start(settings, sink, tmp_path):
    """Start a program of ours on the database and the servers of this test."""
    known, started = connection.settings_dict, []
    url = f"postgres://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
    with devservers.Redis(tmp_path / "redis") as redis, (tmp_path / "log").open("w") as log:
        environment = {**os.environ, "DATABASE_URL": url, "SMTP_URL": sink.url, "REDIS_URL": redis.url}
        settings.REDIS_URL = redis.url

        def start(command):
            started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
            return started[-1]

        yield start
        for process in started:
            process.kill()
            process.wait()


def wait_for(condition, seconds=90):
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("It never happened.")


def end(process):
    """Ask it to end, and say how long it took."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)
    return time.monotonic() - began


def put_many(many):
    for number in range(many):
        message = {"context": {"subject": "S", "body": "B"}}
        put("django", to=f"p{number}@example.org", now=timezone.now(), person=message)


def sent():
    return Letter.objects.filter(state="sent").count()


def test_a_rolling_restart_under_load_loses_nothing_repeats_nothing_and_finishes_the_letter_in_hand(sink, start):
    sink.order(slow=0.1)
    put_many(LETTERS)
    workers, beat = [start(WORKER), start(WORKER)], start(BEAT)
    wait_for(lambda: sent() >= 5)
    for round_ in range(ROUNDS):
        end(workers[round_ % 2])
        workers[round_ % 2] = start(WORKER)
        end(beat)
        beat = start(BEAT)
        before = sent()
        wait_for(lambda before=before: sent() >= min(before + 10, LETTERS))
    wait_for(lambda: sent() == LETTERS)
    assert Counter(sink.recipients) == Counter(f"p{number}@example.org" for number in range(LETTERS))
    assert set(Attempt.objects.values_list("number", flat=True)) == {1}  # no letter was left in the middle


def test_a_worker_in_the_middle_of_its_bell_ends_soon_with_no_letter_in_its_hands(sink, start):
    sink.order(slow=1)
    put_many(400)
    worker = start(WORKER)
    start(BEAT)
    wait_for(lambda: sent() >= 1)
    assert end(worker) < 20  # it would ring for 50 seconds
    assert worker.returncode == 0
    assert not Letter.objects.filter(state="sending").exists()
    assert 0 < len(sink.mails) == sent() < 400


def test_the_byte_that_a_worker_shares_with_its_children_says_when_to_end():
    child = os.fork()
    if child == 0:
        while not leaving.is_set():
            time.sleep(0.01)
        os._exit(7)
    leaving.set()
    try:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    finally:
        leaving.clear()


def test_beat_rings_as_soon_as_it_starts_and_a_half_written_schedule_file_stops_it_not(start, settings, tmp_path):
    (tmp_path / "schedule").write_bytes(b"\0" * 100)
    beat = start([*BEAT, f"--schedule={tmp_path / 'schedule'}"])
    redis = devservers.redis_client.Redis.from_url(settings.REDIS_URL)
    wait_for(lambda: redis.llen("celery") > 0, 30)
    assert beat.poll() is None
