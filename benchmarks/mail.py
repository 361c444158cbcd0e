"""Letters a second: one process draining the outbox, as a ratio to raw smtplib over one kept connection.

The letters are encrypted, every commit is durable, and both sides hand the same bytes to the same server process. The
bar is 0.4; each letter costs us three commits, and the peer that commits as often reaches 60 letters a second.
"""

import os
import smtplib
import statistics
import tempfile
import time
from pathlib import Path

import django

from presessions import devservers

LETTERS = 500
ROUNDS = 3
BAR = 0.4


def main():
    with (
        devservers.throwaway_environment() as environment,
        devservers.temporary_folder() as folder,
        devservers.Postgres(folder, durable=True) as postgres,
    ):
        os.environ.update(environment, DATABASE_URL=postgres.url, DJANGO_SETTINGS_MODULE="presessions.settings")
        django.setup()
        compare()


def compare():
    from django.core.management import call_command

    from tests.mail.fixtures import SinkProcess

    call_command("migrate", verbosity=0)
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        sink = SinkProcess(Path(folder))
        try:
            for number in range(ROUNDS):
                letters = write(number)
                plain, ours = raw(sink, letters), drained(sink)
                ratios.append(ours / plain)
                print(f"mail: {ours:5.0f} letters a second drained, {plain:5.0f} by raw smtplib: {ours / plain:.2f}")
        finally:
            sink.stop()
    print(f"mail: {statistics.median(ratios):.2f} of raw smtplib (bar {BAR}), one process, durable commits, encrypted")


def write(number):
    """Put the letters of one round into the outbox; returns where each goes and its bytes."""
    from django.utils import timezone

    from presessions.mail import outbox
    from presessions.mail.registry import Recipient

    letters = []
    for person in range(LETTERS):
        recipient = Recipient(
            "address",
            f"{number}-{person}",
            to=f"person{person}@example.org",
            context={"subject": "Benchmark", "body": "A line of an ordinary letter, about so long.\n" * 30},
        )
        letter = outbox.put(kind="django", key=f"benchmark:{number}:{person}", recipient=recipient, now=timezone.now())
        letters.append((recipient.to, letter.frozen))
    return letters


def raw(sink, letters):
    from django.conf import settings

    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", sink.port) as smtp:
        for to, message in letters:
            smtp.sendmail(settings.MAIL_FROM, to, message)
    return len(letters) / (time.perf_counter() - began)


def drained(sink):
    from django.conf import settings

    from presessions.mail import delivery

    settings.SMTP_URL = sink.url
    began = time.perf_counter()
    counts = delivery.drain(0)
    seconds = time.perf_counter() - began
    assert counts["sent"] == LETTERS, counts
    return LETTERS / seconds
