"""Signs of life, and alarms: what is wrong, told once. Room: mail; imports models.

Whoever works says that it lives (`seen`). Whoever finds something wrong opens an alarm (`alarm`), and closes it when
it is right again (`ended`). None of these waits for anybody: a process may be stopped in the middle of a commit, and
the others must go on.
"""

import logging
import zlib
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.db.models import Q

from presessions.mail.models import Alarm, Pulse

log = logging.getLogger(__name__)

QUIET = timedelta(minutes=10)  # an alarm that comes back so soon after its end is the same one; then its end is told
FRESH = timedelta(seconds=15)  # a sign of life that is younger is not written again
_said = {}  # part -> when this process last wrote or read its sign of life


def seen(part, now):
    """This part is alive: "bell", "drain", "smtp", "inbox", "watch". Cheap: may be said for each letter.

    deploy/backup.sh says "backup" itself, by SQL."""
    if part in _said and timedelta(0) <= now - _said[part] < FRESH:
        return
    at = Pulse.objects.filter(part=part).values_list("at", flat=True).first()
    if at is None or not timedelta(0) <= now - at < FRESH:
        with transaction.atomic():
            if not alone(f"pulse {part}"):
                return  # somebody else is saying it
            Pulse.objects.update_or_create(part=part, defaults={"at": now})
        at = now
    _said[part] = at


def is_fresh(part, now):
    """Whether a part was heard within MAIL_PROBE seconds."""
    return Pulse.objects.filter(part=part, at__gt=_a_while_before(now)).exists()


def is_quiet(part, now):
    """Whether a part that was heard once has not been heard since."""
    return Pulse.objects.filter(part=part, at__lte=_a_while_before(now)).exists()


def _a_while_before(now):
    return now - timedelta(seconds=settings.MAIL_PROBE)


def alarm(code, *, now, detail="", level=logging.ERROR):
    """Something is wrong. Opens one alarm per code, however often it is called; True when it is news.

    code -- a word such as "restored", with ":" and a number where there may be several ("held:12"); nothing personal
    detail -- words for staff; kept encrypted and shown on the staff desk only, never mailed
    level -- of the line in the log
    """
    if Alarm.objects.filter(code=code, ended_at=None).exists():
        return False
    with transaction.atomic():
        if not alone(f"alarm {code}") or Alarm.objects.filter(code=code, ended_at=None).exists():
            return False
        if Alarm.objects.filter(code=code, ended_at__gt=now - QUIET, end_told_at=None).update(ended_at=None):
            return False
        Alarm.objects.create(code=code, since_at=now, detail=detail)
    log.log(level, "alarm: %s", code)
    return True


def ended(code, *, now):
    """It is right again. True when it was not."""
    if not Alarm.objects.filter(code=code, ended_at=None).update(ended_at=now):
        return False
    log.warning("the alarm has ended: %s", code)
    return True


def staff_to_tell():
    """Members of staff who answer for the mail: active, on the desk, and allowed to steer mailings."""
    may = {"content_type__app_label": "mail", "codename": "change_mailing"}
    permission = Permission.objects.filter(**may).values("pk")
    right = Q(is_superuser=True) | Q(user_permissions__in=permission) | Q(groups__permissions__in=permission)
    return get_user_model().objects.filter(right, is_staff=True, is_active=True).distinct().order_by("pk")


def forget():
    """For tests: this process has said nothing yet."""
    _said.clear()


def alone(about):
    """Whether nobody else does the same at this moment; until the end of the transaction. Never waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [zlib.crc32(about.encode())])
        return cursor.fetchone()[0]
