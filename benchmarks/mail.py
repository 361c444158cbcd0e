"""Letters a second: worker processes draining the outbox, as a ratio to raw smtplib over one kept connection.

The letters are encrypted and of a mailing's priority, to many domains; every commit is durable, two for each letter;
and all sides hand the same bytes to the same server process. The bar is 0.4 with one worker process as the product runs
it. What more processes bring is bounded by the cores, of which the server and PostgreSQL take their share.
"""

import os
import smtplib
import statistics
import time

from benchmarks.room import drained_by, mail_server, room, write

LETTERS = 2000
ROUNDS = 3
BAR = 0.4


def main():
    with room(), mail_server() as sink:
        from django.conf import settings

        forms = [(1, 1), *((processes, settings.MAIL_HANDS) for processes in (1, 2, 4))]
        ratios = {form: [] for form in forms}
        for _ in range(ROUNDS):
            for form in forms:
                letters = [(letter.to, letter.frozen) for letter in write(LETTERS)]
                plain = raw(sink, letters)
                took, sent = drained_by(form[0], hands=form[1])
                assert sent == LETTERS, sent
                ratios[form].append(LETTERS / took / plain)
                print(f"mail: {LETTERS / took:5.0f} letters a second by {named(form)}, {plain:5.0f} by raw smtplib")
        for form in forms:
            bar = f" (bar {BAR})" if form == forms[1] else ""
            print(f"mail: {statistics.median(ratios[form]):.2f} of raw smtplib with {named(form)}{bar}")
        print(f"mail: durable commits, encrypted, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


def named(form):
    processes, hands = form
    return f"{processes} process{'es' * (processes > 1)} of {hands} hand{'s' * (hands > 1)}"


def raw(sink, letters):
    from django.conf import settings

    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", sink.port) as smtp:
        for to, message in letters:
            smtp.sendmail(settings.MAIL_FROM, to, message)
    return len(letters) / (time.perf_counter() - began)
