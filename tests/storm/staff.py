"""What an operator and staff do in a storm: make the tables, set up a series, give each mailing its moment.

    python -m tests.storm.staff

Says "ready" once the first mailing is on its way, and moves each further one when the one before is half through. Lets
those go on that are held because too many letters failed: staff have looked, and the addresses are wrong indeed.
"""

import time
from datetime import timedelta

import django

SOON = timedelta(seconds=0.3)


def work():
    from django.core.management import call_command
    from django.db import InterfaceError, OperationalError, connection
    from django.utils import timezone

    from presessions.upr.models import Series, WorkingGroupSession

    call_command("migrate", verbosity=0)
    insist_on_the_real_thing()
    session = WorkingGroupSession.objects.create(number=54)  # no dates: the product's own mailings wait for them
    series = Series.open_for(session, now=timezone.now())
    while True:
        try:
            resume_what_is_held(series)
            mailing = series.mailings.filter(kind="storm", moved_to=None).order_by("pk").first()
            if mailing and half_is_through():
                mailing.move_to(timezone.now() + SOON, by=None, now=timezone.now())
                print("ready", flush=True)
        except (OperationalError, InterfaceError):  # staff see an error page, wait, look again
            connection.close()
        time.sleep(0.2)


def resume_what_is_held(series):
    from django.utils import timezone

    from presessions.mail.models import Mailing

    for mailing in series.mailings.filter(state=Mailing.State.HELD, held_reason=Mailing.Held.FAILURES):
        mailing.resume(by=None, now=timezone.now())
        print("resumed", flush=True)


def half_is_through():
    from django.conf import settings

    from presessions.mail.models import Letter, Mailing

    unwritten = Mailing.objects.filter(moved_to__isnull=False, written_at=None)
    ahead = Letter.objects.filter(state__in=("pending", "sending", "deferred")).count()
    return not unwritten.exists() and ahead < settings.STORM_LETTERS / settings.STORM_MAILINGS / 2


def insist_on_the_real_thing():
    """A storm over an eager Celery, or over a database that forgets, would prove nothing."""
    from django.conf import settings
    from django.db import connection

    from presessions.celery import app

    assert not app.conf.task_always_eager
    assert app.conf.broker_url == settings.REDIS_URL
    with connection.cursor() as cursor:
        for durable in ("fsync", "synchronous_commit", "full_page_writes"):
            cursor.execute(f"SHOW {durable}")
            assert cursor.fetchone() == ("on",), durable


if __name__ == "__main__":
    django.setup()
    work()
