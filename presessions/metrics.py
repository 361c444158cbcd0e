"""Figures for whoever keeps an eye on many machines, in the text form of Prometheus. Wiring: sees every room.

At /metrics, for who brings METRICS_TOKEN along as a bearer token; without that setting there is no such page. Numbers
and our own words only: no name, no address, no State, no reference. Everything here is asked of indexes that do not
grow with what is settled, so it may be asked every few seconds, in a database of ten years too.

A process keeps nothing of its own to tell here: with several of them, each would tell another truth.
"""

from django.conf import settings
from django.db.models import Count, Min
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache

from applications.models import Attachment
from presessions.mail import troubles
from presessions.mail.models import Alarm, Letter, Mailing, Pulse, Switch

TEXT = "text/plain; version=0.0.4; charset=utf-8"
WAITING = (Letter.State.PENDING, Letter.State.DEFERRED)


@never_cache
def metrics(request):
    """The page. Without the token nobody learns that there is one."""
    offered = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not constant_time_compare(offered, f"Bearer {settings.METRICS_TOKEN}"):
        raise Http404
    return HttpResponse(text_of(families(timezone.now())), content_type=TEXT)


def families(now):
    """(name, what it says, {labels: number}) for each figure; a number is None where there is nothing to measure."""
    yield "letters", "Letters that are not settled, or not delivered within eight days, by state.", _letters(now)
    late = Letter.objects.filter(state__in=WAITING, next_attempt_at__lte=now).aggregate(at=Min("next_attempt_at"))["at"]
    yield (
        "oldest_due_letter_seconds",
        "For how long the oldest letter has been due; 0 when none is.",
        {(): _seconds(late, now) or 0},
    )
    yield (
        "mailings",
        "Mailings that have not gone or are going, by state.",
        _by("state", Mailing.objects.filter(state__in=("planned", "held", "writing", "sending"))),
    )
    yield (
        "mail_stopped",
        "1 while all mail is stopped, by staff or by a fault.",
        {(): int(Switch.objects.filter(paused_at__isnull=False).exists())},
    )
    yield "alarms", "Alarms that are open, by what is wrong: see docs/alarms.md.", _alarms()
    waiting = troubles.ask_redis()
    yield "redis_up", "1 when Redis answers.", {(): int(waiting is not None)}
    yield "bells_waiting", "Rings of the bell that no worker has taken.", {(): waiting}
    yield (
        "files_waiting",
        "Files in quarantine, not looked through yet.",
        {(): Attachment.objects.filter(state=Attachment.State.QUARANTINE).count()},
    )
    parts = Pulse.objects.exclude(part__startswith="?").values_list("part", "at")
    ages = {(("part", part),): _seconds(at, now) for part, at in sorted(parts)}
    yield (
        "sign_of_life_age_seconds",
        "Since when nothing was heard of a part; of the backup: since the last whole one.",
        ages,
    )


def text_of(found):
    """The figures as text, one line each, every family with what it says."""
    lines = []
    for name, help_text, samples in found:
        lines += [f"# HELP presessions_{name} {help_text}", f"# TYPE presessions_{name} gauge"]
        for labels, number in samples.items():
            if number is not None:
                inside = ",".join(f'{label}="{value}"' for label, value in labels)
                lines.append(f"presessions_{name}{f'{{{inside}}}' if inside else ''} {number:g}")
    return "\n".join(lines) + "\n"


def _letters(now):
    """By state, each of them named: a figure that vanishes is no zero."""
    unsettled = Letter.objects.unsettled()
    lost = Letter.objects.filter(state__in=("failed", "bounced", "expired"), created_at__gt=now - troubles.RECENT)
    states = [*Letter.UNSETTLED, "failed", "bounced", "expired"]
    return {(("state", str(state)),): 0 for state in states} | _by("state", unsettled) | _by("state", lost)


def _alarms():
    """By the word before the colon: the number of a mailing is none of Prometheus's business."""
    found = {(("what", what),): 0 for what in troubles.TITLES}
    for code in Alarm.objects.filter(ended_at=None).values_list("code", flat=True):
        label = (("what", code.partition(":")[0]),)
        found[label] = found.get(label, 0) + 1
    return found


def _by(field, rows):
    counted = rows.order_by().values_list(field).annotate(n=Count("pk"))
    return {((field, value),): number for value, number in counted}


def _seconds(since, now):
    return None if since is None else max(0, round((now - since).total_seconds()))
