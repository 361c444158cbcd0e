"""Telling staff what is wrong: once, all of it in one mail, by a way that works. Room: mail; imports the outbox.

`look` is called by `manage.py watch` every half minute and by each tick, so that one of them is enough. What stops the
mail itself goes by the second relay, where there is one; everything else is a letter in the outbox.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy

from presessions.mail import letters, outbox, registry, relay, schedule, troubles, watch
from presessions.mail.models import Alarm, Pulse
from presessions.mail.registry import Recipient

log = logging.getLogger(__name__)

CUT_OFF = timedelta(minutes=5)  # a telling that took so long was cut off
SUSPECTED = "?"  # before the name of what was found silent once
SECOND_LOOK = timedelta(seconds=20)
STALE = timedelta(days=1)  # an alarm that could not leave for so long tells nobody anything
RELAY_TRIES = timedelta(minutes=10)  # then the outbox gets what the second relay does not take

registry.occasion("alarm", label=gettext_lazy("alarm for staff"), template="mail/alarm")


def look(now):
    """Open and end alarms by what is found, and tell staff what is new."""
    waiting = troubles.ask_redis()
    if waiting is not None:
        watch.seen("redis", now)
    _begin_to_listen(now)
    for each in registry.LOOKS:
        try:
            each(now)
        except Exception as error:  # whatever it is, the other troubles are told
            log.error("%s failed: %s", each.__name__, type(error).__name__)
    found = {trouble.code for trouble in troubles.find(now, waiting) if trouble.what in troubles.FOUND}
    found |= {f"overdue:{mailing.pk}" for mailing in schedule.worries(now) if mailing.state != mailing.State.HELD}
    known = set(Alarm.objects.filter(ended_at=None).values_list("code", flat=True))
    for code in _confirmed(found - known, now):
        watch.alarm(code, now=now)
    for code in known - found:
        if _is_ours_to_end(code, waiting):
            watch.ended(code, now=now)
    tell(now)


def _begin_to_listen(now):
    """A part that has never been heard is silent from our first look on, not from the beginning of time."""
    parts = [*troubles.PARTS, "backup"] if settings.BACKUP_MINUTES else troubles.PARTS
    if len(Pulse.objects.filter(part__in=parts)) < len(parts):
        Pulse.objects.bulk_create([Pulse(part=part, at=now) for part in parts], ignore_conflicts=True)


def _confirmed(codes, now):
    """Those that are news. A silence is believed when a second look finds it too: after a restart of everything the
    last signs of life are old, and the next ones a few seconds away."""
    suspected = dict(Pulse.objects.filter(part__startswith=SUSPECTED).values_list("part", "at"))
    silences = {code: SUSPECTED + code for code in codes if code in troubles.SILENCES}
    if suspected:
        Pulse.objects.filter(part__in=suspected.keys() - silences.values()).delete()
    fresh = [Pulse(part=part, at=now) for part in silences.values() if part not in suspected]
    if fresh:
        Pulse.objects.bulk_create(fresh, ignore_conflicts=True)
    return [code for code in codes if code not in silences or now - suspected.get(silences[code], now) >= SECOND_LOOK]


def _is_ours_to_end(code, waiting):
    if waiting is None and code in ("beat", "worker"):
        return False  # with Redis silent, nobody can know
    return code.startswith("overdue:") or (code in troubles.FOUND and code != "journal")


def tell(now):
    """One mail to each of staff about what is new: alarms that have opened, and those that have ended for a while."""
    if not _untold(now).exists() and not _over(now).exclude(told_by="").exists():
        return
    by_code = {trouble.code: trouble for trouble in troubles.find(now, troubles.UNKNOWN)}
    if relay.is_there():
        _tell_by_relay(by_code, now)
    _tell_by_outbox(by_code, now)


def _tell_by_relay(by_code, now):
    opened = _take(_untold(now).filter(code__in=troubles.VITAL), now, told_at=now)
    over = _take(_over(now).filter(told_by=Alarm.Channel.RELAY), now, end_told_at=now)
    if not opened and not over:
        return
    try:
        with translation.override(settings.LANGUAGE_CODE):
            text = letters.render("mail/alarm", _context(by_code, opened, over), settings.LANGUAGE_CODE)
        relay.send(text.subject, text.body, now)
    except Exception as error:  # ALERT_SMTP_URL may hold what no library has words for; the outbox is asked in any case
        log.error("the second relay did not take an alarm: %s", type(error).__name__)
        Alarm.objects.filter(pk__in=[alarm.pk for alarm in opened]).update(told_at=None)
        Alarm.objects.filter(pk__in=[alarm.pk for alarm in over]).update(end_told_at=None)
    else:
        Alarm.objects.filter(pk__in=[alarm.pk for alarm in opened]).update(told_by=Alarm.Channel.RELAY)


def _tell_by_outbox(by_code, now):
    """The letters and the note that they are written stand or fall together."""
    ours = ~Q(code__in=troubles.VITAL) | Q(since_at__lt=now - RELAY_TRIES) if relay.is_there() else Q()
    with transaction.atomic():
        opened = _take(_untold(now).filter(ours), now, told_at=now, told_by=Alarm.Channel.OUTBOX)
        over = _take(_over(now).filter(told_by=Alarm.Channel.OUTBOX), now, end_told_at=now)
        if not opened and not over:
            return
        newest = max(alarm.pk for alarm in (*opened, *over))
        occasion = f"alarm:{newest}" if opened else f"alarm:{newest}:ended"
        for person in watch.staff_to_tell():
            context = _context(by_code, opened, over)
            recipient = Recipient("staff", str(person.pk), to=person.email, language=person.language, context=context)
            key, not_after = f"{occasion}:{person.pk}", now + STALE
            outbox.put(kind="alarm", key=key, recipient=recipient, now=now, not_after=not_after)


def _untold(now):
    """Open alarms that nobody has told, or whose telling was cut off."""
    return Alarm.objects.filter(Q(told_at=None) | Q(told_at__lt=now - CUT_OFF), ended_at=None, told_by="")


def _over(now):
    """Alarms that staff know of and that have been right for a while; what comes back at once is the same alarm."""
    return Alarm.objects.filter(ended_at__lte=now - watch.QUIET, end_told_at=None)


def _take(alarms, now, **facts):
    """Make these alarms ours to tell; of two that watch at once, each gets others. Never waits."""
    with transaction.atomic():
        taken = list(alarms.select_for_update(skip_locked=True).order_by("pk"))
        Alarm.objects.filter(pk__in=[alarm.pk for alarm in taken]).update(**facts)
    return taken


def _context(by_code, opened, over):
    new = {alarm.code for alarm in opened}
    return {
        "opened": [by_code.get(alarm.code) or troubles.Trouble(alarm.code, alarm.since_at) for alarm in opened],
        "still": [trouble for code, trouble in by_code.items() if code not in new] if opened else [],
        "over": [troubles.Trouble(alarm.code, alarm.since_at) for alarm in over],
        "desk": settings.PUBLIC_URL + reverse("admin:index"),
    }
