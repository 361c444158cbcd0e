"""What an operator and staff do before a storm: make the tables, set up a series, give each mailing its moment.

python -m tests.storm.begin SECONDS_BETWEEN_MAILINGS
"""

import sys
from datetime import timedelta

import django


def begin(apart):
    from django.core.management import call_command
    from django.utils import timezone

    from presessions.upr.models import Series, WorkingGroupSession

    call_command("migrate", verbosity=0)
    insist_on_the_real_thing()
    session = WorkingGroupSession.objects.create(number=54)  # no dates: the product's own mailings wait for them
    series = Series.open_for(session, now=timezone.now())
    now = timezone.now()
    for number, mailing in enumerate(series.mailings.filter(kind="storm").order_by("pk")):
        mailing.move_to(now + timedelta(seconds=0.3 + apart * number), by=None, now=now)


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
    begin(float(sys.argv[1]))
