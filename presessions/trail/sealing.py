"""The chain over all events: what was taken out, put in or changed is named. Room: trail, basement.

An event says by its own code that it is ours (`signing`); the chain says that none is missing. The bell adds each event
that has become visible to the chain, in that order, as a Seal over the one before it and the event. How far the chain
goes is written outside the database too, beside the journal of mail, so that its end cannot be cut off unnoticed.

`check` goes through all of it; `manage.py check_trail` prints what it finds.
"""

import json
import logging
import os
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Exists, Max, Min, OuterRef

from presessions import vault
from presessions.trail import signing
from presessions.trail.models import Event, Reason, Seal, Unsealed

log = logging.getLogger(__name__)

AT_ONCE = 5_000  # events that one ring seals, or one step of a check looks at
LOCK = 0x7472_6169_6C00  # "trail", for pg_try_advisory_xact_lock


# --- Sealing ----------------------------------------------------------------------------------------------------------


def seal(now):
    """Add what has become visible to the chain; returns how many. Two bells at once: one does it."""
    with transaction.atomic():
        if not _alone():
            return 0
        waiting = list(Unsealed.objects.order_by("event_id").values_list("event_id", flat=True)[:AT_ONCE])
        if not waiting:
            return 0
        sealed, last = _add(waiting, now)
    if sealed:
        _write_head(last)
    return len(sealed)


def _alone():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return cursor.fetchone()[0]


def _add(waiting, now):
    """Seals for those of the waiting events that are ours. What is not ours gets none, and what is gone keeps its place
    among the waiting: both are named by `check`."""
    events, last = Event.objects.in_bulk(waiting), Seal.objects.order_by("-number").first()
    seals, odd = [], [key for key in waiting if key not in events]
    for key in waiting:
        if key in odd:
            continue
        if not _is_ours(events[key]):
            odd.append(key)
            continue
        last = _next(last, events[key], now)
        seals.append(last)
    Seal.objects.bulk_create(seals)
    Unsealed.objects.filter(event_id__in=[key for key in waiting if key in events]).delete()
    if odd:
        log.error("trail: %s events are not ours or gone; see manage.py check_trail", len(odd))
    return seals, last


def _next(before, event, now):
    number, link = (before.number + 1, before.code) if before else (1, "")
    return Seal(
        number=number, event_id=event.pk, at=now, code=signing.code(*_link(number, link, event.pk, event.signed))
    )


def _link(number, before, event_id, signed):
    return "seal", number, before, event_id, signed


def _is_ours(event):
    try:
        return signing.is_ours(event)
    except vault.Unreadable:
        return False


# --- Outside the database ---------------------------------------------------------------------------------------------


def _folder():
    return Path(settings.MAIL_JOURNAL)  # never in the database's backup


def _write_head(last):
    """Write down how far the chain goes. Where the head there knows more than the chain, a backup was restored or
    somebody cut it off: that head is kept beside the new one."""
    try:
        _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        path = _folder() / "trail.json"
        old = _read(path)
        if old and not _is_in_chain(old):
            path.replace(_folder() / f"trail.{old['number']}.json")
            log.error("trail: the head outside the database knows seal %s, the chain does not", old["number"])
        fresh = _folder() / f"trail.{uuid.uuid4().hex}.new"
        with fresh.open("w") as file:
            file.write(json.dumps({"number": last.number, "code": last.code, "at": last.at.isoformat()}))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        log.error("trail: the head cannot be written outside the database: %s", type(error).__name__)


def _read(path):
    with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
        found = json.loads(path.read_text())
        return {"number": int(found["number"]), "code": str(found["code"]), "at": str(found["at"])}
    return None


def heads():
    """What was written down outside the database: the newest, and those that a chain of its own has overtaken."""
    return list(filter(None, map(_read, sorted(_folder().glob("trail*.json")))))


def _is_in_chain(head):
    return Seal.objects.filter(number=head["number"], code=head["code"]).exists()


# --- Checking ---------------------------------------------------------------------------------------------------------


@dataclass
class Findings:
    """What a check has seen: `wrong` in words, one line for each row; and what was counted."""

    wrong: list = field(default_factory=list)
    events: int = 0
    seals: int = 0
    waiting: int = 0

    @property
    def is_whole(self):
        return not self.wrong


def check():
    """Go through everything. Reads only; takes a few seconds for 100,000 events."""
    found, known, alone = Findings(), heads(), not connection.in_atomic_block
    with transaction.atomic():
        if alone:  # all of it as it is at one moment, however long we look
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for look in (_chain, _waiting, _unsealed, _copies, _reasons):
            found.wrong += look(found)
        found.wrong += _heads(known)
    return found


def _chain(found):
    before, link = 0, ""
    for seals in _in_steps(Seal.objects.order_by("number"), "number"):
        events = Event.objects.in_bulk([one.event_id for one in seals])
        for one in seals:
            found.seals += 1
            if one.number != before + 1:
                yield f"{one.number - before - 1} seals are missing before seal {one.number}"
                link = None  # it cannot be compared with what is gone
            event = events.get(one.event_id)
            yield from _sealed(one, link, event)
            before, link = one.number, one.code


def _sealed(one, link, event):
    if event is None:
        yield f"event {one.event_id} is missing (seal {one.number})"
        return
    try:
        if not signing.is_ours(event):
            yield f"event {event.pk} was changed (seal {one.number})"
        elif link is not None and not signing.fits(one.code, *_link(one.number, link, event.pk, event.signed)):
            yield f"seal {one.number} does not fit: it, the one before it or event {event.pk} was exchanged"
    except vault.Unreadable:
        yield f"event {event.pk} cannot be checked: its key is not in the keyset"


def _waiting(found):
    """Events that the next ring will seal, so far as they are there."""
    found.waiting = Unsealed.objects.count()
    for keys in _in_steps(Unsealed.objects.order_by("event_id"), "event_id"):
        events = Event.objects.in_bulk([one.event_id for one in keys])
        yield from (
            f"event {one.event_id} is missing (it waited for its seal)" for one in keys if one.event_id not in events
        )


def _unsealed(found):
    """Events without a seal: those that wait for it must be ours already, and all others must have one."""
    found.events = Event.objects.count()
    waiting = set(Unsealed.objects.values_list("event_id", flat=True))
    sealed = Seal.objects.filter(event_id=OuterRef("pk"))
    for events in _in_steps(Event.objects.filter(~Exists(sealed)).order_by("pk"), "pk"):
        for event in events:
            if not _is_ours(event):
                yield f"event {event.pk} is foreign: it was not written by this application"
            elif event.pk not in waiting:
                yield f"event {event.pk} is foreign: it was put in beside the chain"


def _copies(found):
    """An event of ours put in once more fits its own code."""
    alike = Event.objects.values("nonce").annotate(number=Count("pk"), first=Min("pk"), last=Max("pk"))
    for one in alike.filter(number__gt=1).order_by("first"):
        yield f"event {one['last']} is foreign: a copy of event {one['first']}"


def _reasons(found):
    for reasons in _in_steps(Reason.objects.select_related("event").defer("text").order_by("pk"), "pk"):
        with suppress(vault.Unreadable):  # then each is read for itself, so that the one is found
            texts = dict(Reason.objects.filter(pk__in=[one.pk for one in reasons]).values_list("pk", "text"))
            for one in reasons:
                one.text = texts.get(one.pk, "")
        for reason in reasons:
            try:
                if not signing.reason_is_ours(reason):
                    yield f"the reason of event {reason.event_id} was changed"
            except vault.Unreadable:
                yield f"the reason of event {reason.event_id} cannot be read"


def _heads(known):
    """The chain must go at least as far as was known outside before we began to look."""
    last = Seal.objects.aggregate(last=Max("number"))["last"] or 0
    for head in known:
        if head["number"] > last:
            yield f"the chain ends at seal {last}; outside the database {head['number']} were known on {head['at']}"
        elif not _is_in_chain(head):
            yield f"seal {head['number']} is another one than was known outside the database on {head['at']}"


def _in_steps(rows, key):
    """Lists of a few thousand rows, in the order of a unique column."""
    last = None
    while step := list((rows if last is None else rows.filter(**{f"{key}__gt": last}))[:AT_ONCE]):
        yield step
        last = getattr(step[-1], key)
