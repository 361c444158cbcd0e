"""What is wrong with the mail at this moment, in words that name the culprit. Room: mail; imports models.

A part is silent when its last sign of life (`watch.seen`) is older than MAIL_SILENCE. Who is to blame is read from
Redis, by whoever asks: no answer, and it is Redis; bells that wait, and nobody takes them; no bell, and nobody rings.
The same number of queries whatever lies in the tables.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from redis import Redis
from redis.exceptions import RedisError

from presessions.mail.models import Alarm, Letter, Mailing, Pulse, Switch
from presessions.upr.dates import in_words

PARTS = ("bell", "drain", "smtp", "redis", "watch")  # each says that it lives; inbox and backup too, where they are
INBOX_SILENCE = timedelta(minutes=30)
RECENT = timedelta(days=8)  # a letter lives for a week; older failures are history
UNKNOWN = object()  # nobody asked Redis

# While one of these lasts, mail may not leave: they are told by the second relay, and turn the health red.
VITAL = ("redis", "beat", "worker", "drain", "smtp", "watch", "stopped", "restored", "journal", "paused")
# Turns the health red as well, though mail leaves: M13 asks it of each part that may fall silent.
RED = (*VITAL, "scanner", "backup")
SILENCES = ("redis", "beat", "worker", "drain", "smtp", "watch", "inbox", "backup")
# Alarms that are ours to end, because `find` says at each look whether they last.
FOUND = (*VITAL, "inbox", "backup", "uncertain", "failed")

TITLES = {
    "redis": gettext_lazy("Redis is silent"),
    "beat": gettext_lazy("beat is silent"),
    "worker": gettext_lazy("the workers are silent"),
    "drain": gettext_lazy("the workers fail"),
    "smtp": gettext_lazy("the mail server is silent"),
    "inbox": gettext_lazy("the inbox is silent"),
    "backup": gettext_lazy("the backup is silent"),
    "returned": gettext_lazy("mail that came back could not be dealt with"),
    "watch": gettext_lazy("nobody watches"),
    "stopped": gettext_lazy("the mail server refuses us"),
    "paused": gettext_lazy("all mail has been stopped by staff"),
    "restored": gettext_lazy("the database may be a restored copy"),
    "journal": gettext_lazy("the journal of the mail cannot be used"),
    "uncertain": gettext_lazy("letters that may have arrived"),
    "failed": gettext_lazy("letters that could not be delivered"),
    "held": gettext_lazy("a mailing is held"),
    "overdue": gettext_lazy("a mailing waits for a date although it is due"),
    "unreached": gettext_lazy("a mailing has not reached everybody"),
    "forgetting": gettext_lazy("what should be forgotten is not"),
    "scanner": gettext_lazy("the virus scanner is silent"),
    "files": gettext_lazy("files wait in quarantine"),
}


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong. Words are made when they are read, in the reader's language."""

    code: str
    since: datetime | None = None
    number: int = 0
    mailing: Mailing | None = None
    detail: str = ""

    @property
    def what(self):
        return self.code.split(":")[0]

    @property
    def is_vital(self):
        return self.what in VITAL

    @property
    def title(self):
        title = TITLES.get(self.what, self.what)
        return f"{title}: {self.mailing}" if self.mailing else str(title)

    @property
    def words(self):
        facts = {
            "since": in_words(self.since) if self.since else _("the beginning"),
            "n": self.number,
            "mailing": self.mailing or self.code,
            "reason": self.mailing.get_held_reason_display() if self.mailing else "",
        }
        return str(_sentence(self.what, self.number) or self.title[:1].upper() + self.title[1:] + ".") % facts

    @property
    def url(self):
        if self.mailing:
            return reverse("admin:mail_mailing_change", args=[self.mailing.pk])
        if self.what == "uncertain":
            return f"{reverse('admin:mail_letter_changelist')}?state__exact=uncertain"
        if self.what == "failed":
            return f"{reverse('admin:mail_letter_changelist')}?state__in=failed,expired"
        if self.what in ("stopped", "paused"):
            return reverse("admin:mail_mailing_changelist")
        if self.what == "restored":
            return reverse("admin:mail_restored")
        if self.what == "forgetting":
            return reverse("admin:retention")
        return reverse("admin:mail_alarm_changelist")


def _sentence(what, number):
    match what:
        case "redis":
            return _(
                "Redis has not answered since %(since)s. The workers hear no bell; letters wait in the database, and "
                "none is lost."
            )
        case "beat":
            return _("Beat has not rung since %(since)s, so nothing begins to send what is due.")
        case "worker":
            return ngettext(
                "No worker has answered the bell since %(since)s; %(n)s ring waits in Redis. The workers are down, or "
                "a slow mail server keeps them all.",
                "No worker has answered the bell since %(since)s; %(n)s rings wait in Redis. The workers are down, or "
                "a slow mail server keeps them all.",
                number,
            )
        case "drain":
            return _("The workers answer the bell, but have looked for no letter since %(since)s. See their logs.")
        case "smtp":
            return _("The mail server has not answered since %(since)s. Letters are tried again by themselves.")
        case "inbox":
            return _("The inbox for returned mail has not been read since %(since)s.")
        case "backup":
            return _(
                "No backup has been whole since %(since)s: see the log of deploy/backup.sh. What is written meanwhile "
                "stands on one disk only."
            )
        case "watch":
            return _(
                "Nobody has watched since %(since)s: manage.py watch is down, and staff would not be told of a silence."
            )
        case "stopped":
            return _(
                "All mail is stopped since %(since)s: the mail server refuses us. One letter is tried every 15 "
                "minutes, and mail goes on by itself when it passes."
            )
        case "paused":
            return _("All mail has been stopped by staff since %(since)s.")
        case "restored":
            return _(
                "All mail is stopped since %(since)s: this database seems to be a restored or a copied one. Compare it "
                "with the journal before mail goes on."
            )
        case "journal":
            return _("The journal of the mail cannot be used since %(since)s: its folder is closed to us, or full.")
        case "uncertain":
            return ngettext(
                "%(n)s letter may or may not have arrived: staff decide what becomes of it.",
                "%(n)s letters may or may not have arrived: staff decide what becomes of them.",
                number,
            )
        case "failed":
            return ngettext(
                "%(n)s letter of the last days could not be delivered.",
                "%(n)s letters of the last days could not be delivered.",
                number,
            )
        case "held":
            return _("Held, and waiting for staff: %(mailing)s (%(reason)s).")
        case "overdue":
            return _("Waits for a date, although the known dates already make it due: %(mailing)s.")
        case "forgetting":
            return _(
                "The nightly round that forgets what is due has not got through since %(since)s. See what waits, and "
                "the logs of the workers."
            )
        case "scanner":
            return _(
                "The virus scanner has not answered as it should since %(since)s, or its signatures are old. Files of "
                "applicants wait in quarantine, nobody can open them, and none is lost."
            )
        case "files":
            return _(
                "Files of applicants have waited in quarantine for more than five minutes since %(since)s. See the "
                "logs of the workers."
            )
        case "unreached":
            return _("Has not reached everybody, and nothing explains why: %(mailing)s.")
    return ""


def ask_redis():
    """How many rings of the bell wait in Redis; None when it does not answer."""
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, retry=None) as redis:
            return redis.llen("celery")
    except RedisError:
        return None


def find(now, waiting):
    """Everything that is wrong, the vital first.

    waiting -- what `ask_redis` said; or UNKNOWN, and then Redis is asked only when the bell is silent
    """
    alarms = {alarm.code: alarm for alarm in Alarm.objects.filter(ended_at=None).order_by("since_at")}
    found = [*_silences(now, waiting, alarms), *_stops(), *_letters(now)]
    known = {trouble.code for trouble in found}
    others = [alarm for alarm in alarms.values() if alarm.code not in known and _stays(alarm.code, waiting)]
    numbers = [alarm.code.partition(":")[2] for alarm in others]
    mailings = Mailing.objects.with_series().in_bulk([int(number) for number in numbers if number.isdigit()])
    for alarm in others:
        number = alarm.code.partition(":")[2]
        mailing = mailings.get(int(number)) if number.isdigit() else None
        found.append(Trouble(alarm.code, alarm.since_at, mailing=mailing, detail=alarm.detail))
    return sorted(found, key=lambda trouble: not trouble.is_vital)


def _stays(code, waiting):
    """Whether an open alarm is believed although we did not find it: others open it, or we could not look."""
    if code == "journal" or code not in FOUND:
        return True
    return code in ("redis", "beat", "worker") and waiting is UNKNOWN


def _silences(now, waiting, alarms):
    pulses = dict(Pulse.objects.values_list("part", "at"))

    silence = timedelta(seconds=settings.MAIL_SILENCE)

    def is_silent(part, silence=silence):
        return part not in pulses or now - pulses[part] >= silence

    if waiting is UNKNOWN and is_silent("bell") and not {"redis", "beat", "worker"} & alarms.keys():
        waiting = ask_redis()
    bell = pulses.get("bell")
    if waiting is None and (is_silent("redis") or is_silent("bell")):
        yield Trouble("redis", pulses.get("redis"))
    elif is_silent("bell") and isinstance(waiting, int):
        yield Trouble("worker", bell, waiting) if waiting else Trouble("beat", bell)
    if is_silent("drain") and not is_silent("bell"):
        yield Trouble("drain", pulses.get("drain"))
    # While nobody looks for letters, nobody knows whether the server would answer: it is silent only beside a drain.
    heard, looked = pulses.get("smtp"), pulses.get("drain")
    if looked and not is_silent("drain") and (heard is None or looked - heard >= silence):
        yield Trouble("smtp", pulses.get("smtp"))
    if is_silent("watch"):
        yield Trouble("watch", pulses.get("watch"))
    if settings.INBOX_URL and is_silent("inbox", INBOX_SILENCE):
        yield Trouble("inbox", pulses.get("inbox"))
    if settings.BACKUP_MINUTES and is_silent("backup", timedelta(minutes=settings.BACKUP_MINUTES)):
        yield Trouble("backup", pulses.get("backup"))


def _stops():
    for paused_at, code in Switch.objects.filter(paused_at__isnull=False).values_list("paused_at", "code"):
        yield Trouble({"staff": "paused", "restored": "restored"}.get(code, "stopped"), paused_at)


def _letters(now):
    for code, number in count(now).items():
        if number and code in FOUND:
            yield Trouble(code, number=number)


def count(now):
    """How many letters and mailings need a person."""
    letters, state = Letter.objects, Letter.State
    failed = Q(state=state.FAILED, created_at__gt=now - RECENT) | Q(state=state.EXPIRED, not_after__gt=now - RECENT)
    return {
        "uncertain": letters.filter(state=state.UNCERTAIN).count(),
        "failed": letters.to_look_at().filter(failed, replaced_by=None).count(),
        "held": Mailing.objects.held().filter(~Q(held_reason=Mailing.Held.STAFF)).count(),
    }


def report(now):
    """The health of the mail for a machine: no names, no addresses, no subjects."""
    waiting = ask_redis()
    found = find(now, waiting)
    last = dict(Pulse.objects.values_list("part", "at"))
    stop = next((trouble.code for trouble in found if trouble.code in ("stopped", "paused", "restored")), None)
    is_red = any(trouble.what in RED and trouble.code != "paused" for trouble in found)
    return {
        "status": "red" if is_red else "green",
        "wrong": [trouble.code for trouble in found],
        "why": [trouble.words for trouble in found if trouble.what in RED],
        "stopped": stop,
        "bells_waiting": waiting,
        "seconds_since": {part: round((now - last[part]).total_seconds()) if part in last else None for part in PARTS},
        "letters": count(now),
    }
