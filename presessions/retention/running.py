"""Carrying the rules out: each night by itself, and whenever staff say so. Room: retention.

A night's round writes down the tombstones that are missing, forgets again what a restored backup has brought back, and
carries out every rule. It is begun after NIGHT o'clock in Geneva, once a day; the bell and `send_due` both ask for it,
so it takes place without Redis too. It goes on where it was cut off.
"""

import logging
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from functools import partial
from time import monotonic

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Min
from django.utils import timezone

from presessions import retention
from presessions.retention import tombstones
from presessions.retention.models import Run

log = logging.getLogger(__name__)

NIGHT = 4  # o'clock in Geneva
LATE = timedelta(hours=48)  # without a round, and something is wrong
LEAP = timedelta(days=40)  # without one, and only staff begin again: longer than any backup that is restored is old
RUNS_KEPT = timedelta(days=730)
LOCK = 0x666F_7267_6574  # "forget", for pg_try_advisory_lock


def run(rule, now, *, by=None, seconds=None, tick=None):
    """Carry one rule out; returns the Run, which is kept where anything was due. Whatever cannot be forgotten for an
    error is passed by, counted, and tried again the next time.

    by -- the member of staff who asks; None: the clock. seconds -- stop after so many, and leave the rest
    tick(rows) -- told after each step how many rows it was about
    """
    done, began, last = Run(rule=rule.name, at=now, by=by), monotonic(), None
    while keys := _next(rule, now, last):
        last = keys[-1]
        try:
            rule.forget(rule.kept().model._default_manager.filter(pk__in=keys), now=now)
            done.rows += len(keys)
        except Exception as error:  # names nobody: an error's own words may
            done.failed += len(keys)
            log.error("%s rows of “%s” were not forgotten: %s", len(keys), rule.name, type(error).__name__)
        if tick:
            tick(len(keys))
        if seconds is not None and monotonic() - began > seconds:
            break
    if done.rows or done.failed:
        done.save()
    return done


def _next(rule, now, last):
    rows = rule.due(now).order_by("pk")
    rows = rows if last is None else rows.filter(pk__gt=last)
    return list(rows.values_list("pk", flat=True)[: rule.once])


def night(now, *, seconds=None):
    """The round of a night. Returns (forgotten, failed), or None where somebody else is at it; not finished within the
    seconds, it is not written down as done, and goes on at the next call."""
    with _alone() as alone:
        if not alone:
            return None
        began, rows, failed = monotonic(), 0, 0

        def left():
            return None if seconds is None else max(0.0, seconds - (monotonic() - began))

        steps = [lambda: tombstones.catch_up(now) and None, lambda: tombstones.again(now, seconds=left())]
        steps += [partial(_carried_out, rule, now, left) for rule in retention.rules()]
        for step in [*steps, lambda: tombstones.expire(now) and None]:
            some = _tried(step)
            rows, failed = rows + some[0], failed + some[1]
        Run.objects.filter(at__lt=now - RUNS_KEPT).delete()
        if left() != 0.0:
            note(now, rows, failed)
        return rows, failed


def _carried_out(rule, now, left):
    done = run(rule, now, seconds=left())
    return done.rows, done.failed


def _tried(step):
    """(rows, failed) of a step of the round. One that falls over, such as on a folder that cannot be read, is counted,
    which is an alarm, and keeps none of the others."""
    try:
        return step() or (0, 0)
    except Exception as error:
        log.error("a step of the round failed: %s", type(error).__name__)
        return 0, 1


def night_if_due(now, *, seconds=None):
    """The round, where it is after NIGHT o'clock and today's has not taken place."""
    return night(now, seconds=seconds) if is_due(now) and not has_leapt(now) else None


def has_leapt(now):
    """Whether so long has passed since the last round that it may be the clock which is wrong: a year that has not gone
    by would erase everybody, so nobody is forgotten until staff say so, by hand. It is an alarm meanwhile."""
    last = last_round()
    return last is not None and now - last.at > LEAP


def is_due(now):
    return now >= _began(now) and not Run.objects.filter(rule="", at__gte=_began(now)).exists()


def next_round(now):
    """The instant from which the next round is due; now, where today's has not taken place."""
    today = _began(now)
    return max(now, today) if now < today or is_due(now) else _began(now + timedelta(days=1))


def last_round():
    return Run.objects.filter(rule="").first()


def is_late(now):
    """Whether no round has taken place for two days, or none at all since there is a table for them."""
    last = last_round()
    if last is None:
        begun = MigrationRecorder.Migration.objects.filter(app=Run._meta.app_label).aggregate(at=Min("applied"))["at"]
        return begun is not None and now - begun > LATE
    return now - last.at > LATE


def note(now, rows, failed):
    """Write a round down as done, by whomever."""
    Run.objects.create(at=now, rows=rows, failed=failed)


def _began(now):
    return datetime.combine(now.astimezone(settings.GENEVA).date(), time(NIGHT), settings.GENEVA)


@contextmanager
def _alone():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        alone = cursor.fetchone()[0]
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def ring():
    """What the bell does. Less than a minute at a time: letters are sent by the same workers."""
    return night_if_due(timezone.now(), seconds=40)
