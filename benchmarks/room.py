"""A place for a benchmark of mail: a PostgreSQL whose commits are durable, the product's settings, a mail server."""

import multiprocessing
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import django

from presessions import devservers


@contextmanager
def room():
    """A migrated database of its own, and the product ready to run in this process."""
    with (
        devservers.throwaway_environment() as environment,
        devservers.temporary_folder() as folder,
        devservers.Postgres(folder, durable=True) as postgres,
    ):
        journal = str(Path(folder) / "journal")
        os.environ.update(environment, DATABASE_URL=postgres.url, MAIL_JOURNAL=journal)
        os.environ["DJANGO_SETTINGS_MODULE"] = "presessions.settings"
        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        try:
            yield
        finally:
            connection.close()


@contextmanager
def mail_server():
    """The tests' own server in a process of its own; all mail goes to it."""
    from django.conf import settings

    from tests.mail.fixtures import SinkProcess

    with tempfile.TemporaryDirectory() as folder:
        sink = SinkProcess(Path(folder))
        settings.SMTP_URL = sink.url
        try:
            yield sink
        finally:
            sink.stop()


def write(number, *, domains=300, priority=None, due_at=None, about="benchmark", **fields):
    """Letters in the outbox, encrypted; returns them with their bytes."""
    from django.utils import timezone

    from presessions.mail import outbox
    from presessions.mail.registry import Priority, Recipient

    now = timezone.now()
    text = {"subject": "Benchmark", "body": "A line of an ordinary letter, about so long.\n" * 30}
    return [
        outbox.put(
            kind="django",
            key=f"{about}:{time.monotonic_ns()}:{person}",
            recipient=Recipient("address", f"{person}", to=f"p{person}@d{person % domains}.example", context=text),
            now=now,
            due_at=due_at or now,
            priority=Priority.BULK if priority is None else priority,
            **fields,
        )
        for person in range(number)
    ]


def drained_by(processes, *, hands, seconds=0):
    """Let so many worker processes empty the outbox; returns the seconds that took and the letters sent."""
    from django.db import connections

    connections.close_all()  # a fork must not share our connection
    start, counts = multiprocessing.Barrier(processes + 1), multiprocessing.Queue()
    workers = [
        multiprocessing.get_context("fork").Process(target=_work, args=(start, counts, hands, seconds))
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    start.wait()
    began = time.perf_counter()
    sent = sum(counts.get() for _ in workers)
    took = time.perf_counter() - began
    for worker in workers:
        worker.join()
    return took, sent


def _work(start, counts, hands, seconds):
    from django.db import connection

    from presessions.mail import delivery

    connection.ensure_connection()
    start.wait()
    counts.put(delivery.drain(seconds, hands=hands)["sent"])
    connection.close()
