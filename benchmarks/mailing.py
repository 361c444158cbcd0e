"""A mailing from its hour to the last letter: the invitation to 193 missions, the call to 50,000 contacts.

Written and sent by one process as a worker runs it, over real SMTP, with durable commits; the pace that spares a domain
is off. For each: letters a second, the most memory that the process held, questions to the database for one letter.
What grows must be the time and nothing else: bars are a ratio of 1.1 for questions, and 32 MiB for memory.

MAILING_CONTACTS=5000 for fewer.
"""

import gc
import os
import re
import time
from pathlib import Path

from benchmarks.room import mail_server
from benchmarks.serving import house, machine

CONTACTS = int(os.environ.get("MAILING_CONTACTS", "50000"))
MORE_SQL, MORE_MEMORY = 1.1, 32  # ratio; MiB


def main():
    with house(), mail_server():
        from django.conf import settings
        from django.db import connection
        from django.db.backends.signals import connection_created

        settings.MAIL_DOMAIN_PER_MINUTE = 0
        connection_created.connect(count_here)
        connection.execute_wrappers.append(COUNT)
        series = set_up()
        few = mail(series, "invitation", "193 States' missions")
        many = mail(series, "call", f"{CONTACTS:,} contacts")
        for what, (before, after) in {"written": (few[0], many[0]), "sent": (few[1], many[1])}.items():
            ratio, more = after["sql"] / before["sql"], after["memory"] - before["memory"]
            print(f"mailing: {what}: SQL for one letter, ratio {ratio:.2f} (bar {MORE_SQL}); "
                  f"{more:+.0f} MiB (bar {MORE_MEMORY})")  # fmt: skip
            assert ratio <= MORE_SQL
            assert more <= MORE_MEMORY
        connection.close()
    print(f"mailing: {machine()}")


class Count:
    """Questions asked over every connection of this process."""

    number = 0

    def __call__(self, execute, sql, params, many, context):
        self.number += 1
        return execute(sql, params, many, context)


COUNT = Count()


def count_here(connection, **_kwargs):
    connection.execute_wrappers.append(COUNT)


def set_up():
    """A series of which both mailings are due, the missions with an address each, the contacts."""
    from datetime import timedelta

    from django.db import connection
    from django.utils import timezone

    from applications.models import Contact
    from benchmarks import lists
    from missions.models import MissionAddress, PermanentMission
    from presessions import vault

    _browser, world = lists.set_up()
    from django.core.management import call_command

    call_command("load_missions", verbosity=0)
    now = timezone.now()
    for mission in PermanentMission.objects.all():
        to = f"mission@{mission.code.lower()}.example"
        MissionAddress.objects.create(mission=mission, email=to, email_index=vault.blind_index("email", to))
    Contact.objects.all().delete()
    for start in range(0, CONTACTS, 1000):
        emails = [f"c{number}@d{number % 300}.example" for number in range(start, min(start + 1000, CONTACTS))]
        Contact.objects.bulk_create(
            Contact(
                email=one, email_index=vault.blind_index("email", one), asked_at=now, confirmed_at=now - timedelta(1)
            )
            for one in emails
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return world["series"]


def mail(series, kind, whom):
    """What writing and sending took."""
    from django.conf import settings
    from django.utils import timezone

    from presessions.mail import delivery, writing
    from presessions.mail.models import Mailing

    now = timezone.now()
    Mailing.objects.exclude(series=series, kind=kind).update(due_at=None)
    assert Mailing.objects.filter(series=series, kind=kind).update(due_at=now, state=Mailing.State.PLANNED)
    written = measured(lambda: writing.write_due(now))
    sent = measured(lambda: delivery.drain(0, hands=settings.MAIL_HANDS)["sent"])
    for what, took in (("written", written), ("sent", sent)):
        print(
            f"mailing: {whom}: {took['letters']:,} letters {what} in {took['seconds']:.0f} s, "
            f"{took['letters'] / took['seconds']:.0f} a second, {took['sql']:.1f} SQL and {took['cpu']:.1f} ms of "
            f"processor time each, {took['memory']:.0f} MiB at most",
            flush=True,
        )
    return written, sent


def measured(work):
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the most memory held is counted from now on
    began, computed, asked = time.perf_counter(), time.process_time(), COUNT.number
    letters = work()
    assert letters, "nothing was due"
    status = Path("/proc/self/status").read_text()
    return {
        "letters": letters,
        "seconds": time.perf_counter() - began,
        "cpu": (time.process_time() - computed) * 1000 / letters,
        "sql": (COUNT.number - asked) / letters,
        "memory": int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024,
    }
