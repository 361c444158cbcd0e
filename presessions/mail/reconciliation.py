"""The books are balanced every night: of those whom a mailing should have reached, who was not, and why. Room: mail.

    the audience today - those reached = those whose letter says why + those who came later + the unexplained

The unexplained must be 0; if they are not, an alarm names the mailing. The database is the queue: a mailing carries the
time of its last comparison, so any number of workers compare it once, and what was cut off is done by the next ring.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy

from presessions.mail import registry, watch
from presessions.mail.models import Letter, Mailing
from presessions.upr.dates import GENEVA, geneva

log = logging.getLogger(__name__)

LIVE_FOR = timedelta(days=60)  # after the Working Group nobody can be reached any more in time

REASONS = {
    "waiting": gettext_lazy("their letter is on its way"),
    "uncertain": gettext_lazy("their letter may have arrived: staff must decide"),
    "failed": gettext_lazy("their letter could not be delivered"),
    "bounced": gettext_lazy("their letter came back"),
    "expired": gettext_lazy("their letter was too late"),
    "unwanted": gettext_lazy("they did not want it any more"),
    "dropped": gettext_lazy("staff gave their letter up"),
    "later": gettext_lazy("they came after the letters were written"),
    "address": gettext_lazy("they have no address"),
}


@dataclass(frozen=True)
class Balance:
    """What became of an audience: how many should have been reached, were, and were not for which reason."""

    expected: int
    reached: int
    reasons: dict[str, int]
    unexplained: tuple[tuple[str, str], ...]  # (kind, id) of each recipient

    @property
    def in_words(self):
        """(number, reason) of everybody who was not reached and for whom there is a reason."""
        return [(number, REASONS[why]) for why, number in self.reasons.items()]


def balance(mailing, now):
    """Compare a mailing with its audience as it is today. Whatever the room above raises comes through."""
    people = {(person.kind, str(person.id)): person for person in mailing.people()}
    find = registry.WITHOUT_ADDRESS.get(mailing.kind)
    people |= {who: None for who in (find(mailing, now) if find else ()) if who not in people}
    letters = {}
    rows = mailing.letters.order_by("copy", "pk").values(
        "recipient_kind", "recipient_id", "state", "last_code", "next_attempt_at", "not_after"
    )
    for row in rows:
        who = row["recipient_kind"], row["recipient_id"]
        if letters.get(who, {}).get("state") != Letter.State.SENT:  # who was reached once, was reached
            letters[who] = row
    reached, reasons, unexplained = 0, dict.fromkeys(REASONS, 0), []
    for who, person in people.items():
        letter = letters.get(who)
        if letter and letter["state"] == Letter.State.SENT:
            reached += 1
        elif why := _why(letter, now) if letter else _why_none(person, mailing):
            reasons[why] += 1
        else:
            unexplained.append(who)
    return Balance(
        expected=len(people),
        reached=reached,
        reasons={why: number for why, number in reasons.items() if number},
        unexplained=tuple(unexplained),
    )


def _why(letter, now):
    """Why a letter that is there was not sent, or None when it lies where no bell would ever find it."""
    state = letter["state"]
    if state == Letter.State.CANCELLED:
        return "unwanted" if letter["last_code"] == "unwanted" else "dropped"
    if state in (Letter.State.PENDING, Letter.State.DEFERRED):
        is_on_its_way = letter["next_attempt_at"] is not None and now <= letter["not_after"] + timedelta(days=1)
        return "waiting" if is_on_its_way else None
    return "waiting" if state == Letter.State.SENDING else str(state)


def _why_none(person, mailing):
    """Why somebody has no letter. Who is known to have been there when the letters were written should have one."""
    if person is None:
        return "address"
    was_there = person.since is not None and person.since <= mailing.writing_at
    return None if was_there else "later"


def reconcile_due(now):
    """Compare every mailing of a live series that went before this night and has not been compared since."""
    night = _this_night(now)
    gone = Q(state__in=(Mailing.State.SENDING, Mailing.State.DONE), written_at__lt=night)
    stale = Q(reconciled_at=None) | Q(reconciled_at__lt=night)
    ends_on = "series__session__ends_on"
    live = Q(**{f"{ends_on}__isnull": True}) | Q(**{f"{ends_on}__gte": night.date() - LIVE_FOR})
    for pk in Mailing.objects.filter(gone, stale, live).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            if not watch.alone(f"reconcile {pk}"):
                continue
            mailing = Mailing.objects.with_series().filter(stale, pk=pk).first()
            if mailing:
                reconcile(mailing, now)


def reconcile(mailing, now):
    """Compare one mailing with its audience, note the result, and raise or end its alarm. Returns the Balance."""
    found = None
    try:
        with transaction.atomic():
            found = balance(mailing, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # a room's question that fails must not keep the other mailings from being compared
        log.error("mailing %s could not be compared with its audience: %s", mailing.pk, type(error).__name__)
    unreached = None if found is None else len(found.unexplained)
    Mailing.objects.filter(pk=mailing.pk).update(reconciled_at=now, unreached=unreached)
    if unreached == 0:
        watch.ended(f"unreached:{mailing.pk}", now=now)
    else:
        watch.alarm(f"unreached:{mailing.pk}", now=now)
    return found


def _this_night(now):
    """The latest hour of comparison that has struck in Geneva."""
    local: datetime = now.astimezone(GENEVA)
    night = geneva(local.date(), settings.MAIL_RECONCILED_AT)
    return night if night <= now else geneva(local.date() - timedelta(days=1), settings.MAIL_RECONCILED_AT)
