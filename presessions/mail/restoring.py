"""Bringing a restored database up to what has really been sent, out of the journal. Room: mail; imports the journal.

Staff have forgotten again what was forgotten since (`forget_again`), see what differs (`compare`), let it be written
down (`reconcile`), and only then start the mail (`resume`). What the journal knows to be accepted becomes "sent", with
its key: so nothing of it is written or sent a second time, and everything else goes out as if nothing had happened.
"""

import uuid
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from django.db import transaction
from django.db.models import Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from presessions import trail
from presessions.mail import journal, registry, watch
from presessions.mail.models import Attempt, Journal, Letter, Mailing, Switch
from presessions.retention import tombstones
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep

BATCH = 500
CODE = "journal"  # of a letter that the journal says was accepted


@dataclass
class Difference:
    """What the journal knows and the database does not, counted by kind of mail and mailing."""

    agreed: int
    settled: Counter  # (kind, mailing's number or None) -> letters that wait here and have gone
    written: Counter  # the same -> letters that this database has never heard of

    @property
    def is_empty(self):
        return not self.settled and not self.written

    @property
    def lines(self):
        """One per kind and mailing: (label, settled, written)."""
        both = sorted(self.settled.keys() | self.written.keys(), key=str)
        mailings = Mailing.objects.with_series().in_bulk([pk for _kind, pk in both if pk])
        return [
            (str(mailings.get(pk) or _label(kind)), self.settled[kind, pk], self.written[kind, pk]) for kind, pk in both
        ]


def why():
    """Why mail is stopped: journal.OLDER, ANOTHER or MISSING; "" when it is not."""
    switch = Switch.objects.filter(code=journal.RESTORED, paused_at__isnull=False).first()
    return switch.why_to_compare if switch else ""


def compare():
    """What differs, without changing anything."""
    found = Difference(0, Counter(), Counter())
    for line, letter in _pairs():
        _note(found, line, letter)
    return found


def reconcile(*, by, now, reason=""):
    """Write down what the journal knows and the database does not. May be cut off, and done again. Raises WrongStep."""
    if not why():
        raise WrongStep(_("Mail is not stopped because of a restored database."))
    found = Difference(0, Counter(), Counter())
    kinds = dict(Mailing.objects.values_list("pk", "kind"))
    pairs = _pairs()
    while batch := list(islice(pairs, BATCH)):
        with transaction.atomic():
            for line, letter in batch:
                change = _note(found, line, letter)
                if change:
                    change(line, letter, kinds, now)
    trail.record(Switch.get(), "reconciled", now=now, by=by, reason=reason)
    return found


def come_back():
    """How many things that were forgotten this database holds again; each must be forgotten again before any mail
    leaves. None while the folder of the tombstones cannot be read."""
    try:
        return len(tombstones.standing())
    except OSError:
        return None


def forget_again(*, by, now, reason="", seconds=20):
    """Forget what has come back; a page does as much as it can in its time. Returns how many are left. Raises
    WrongStep."""
    if come_back() is None:
        raise WrongStep(_("What was forgotten cannot be read from the folder of the journal."))
    _done, left = tombstones.again(now, seconds=seconds)
    trail.record(Switch.get(), "forgotten_again", now=now, by=by, reason=reason)
    return left


def resume(*, by, now, reason=""):
    """Start all mail again: from here on this database and this folder belong together. What staff had stopped
    themselves stays stopped. Raises WrongStep."""
    if not why():
        raise WrongStep(_("Mail is not stopped because of a restored database."))
    if come_back() != 0:
        raise WrongStep(_("What was forgotten has come back with this database: have it forgotten again first."))
    if not compare().is_empty:
        raise WrongStep(_("The journal knows of letters that this database does not: write them down first."))
    ours = journal.mark()
    row, _made = Journal.objects.get_or_create(pk=Journal.ONLY)
    row.installation = (ours or {}).get("installation") or row.installation or uuid.uuid4().hex
    row.epoch = max(row.epoch, (ours or {}).get("epoch", 0)) + 1
    row.save()
    journal.write_mark(row.installation, row.epoch)  # the folder is told last, as always
    Switch.compared(by=by, now=now, reason=reason)
    watch.ended(journal.RESTORED, now=now)


def resumed_at():
    """When mail was resumed after the last restore, None where there was none. Where staff had stopped all mail before
    the restore, it is the moment of the comparison."""
    steps = Event.objects.about(Switch(pk=Switch.ONLY))
    stopped = steps.filter(code="stop_restored").last()
    after = steps.filter(pk__gt=stopped.pk) if stopped else steps.none()
    resumed = after.filter(code="start").first() or after.filter(code="reconciled").last()
    return resumed and resumed.at


def _pairs():
    """Each letter of the journal, its last line, with this database's letter of that key or None."""
    last = {line["key"]: line for line in sorted(journal.lines(), key=lambda line: line["at"])}
    lines = iter(last.values())
    while batch := list(islice(lines, BATCH)):
        letters = Letter.objects.defer(*Letter.SEALED).in_bulk([line["key"] for line in batch], field_name="key")
        for line in batch:
            yield line, letters.get(line["key"])


def _note(found, line, letter):
    """Count one pair; return what would make both agree, or None when they do."""
    which = line["kind"], line["mailing"]
    if letter is None:
        found.written[which] += 1
        return _write
    if letter.state in Letter.UNSETTLED or letter.attempts < line["attempt"]:
        found.settled[which] += 1
        return _settle
    found.agreed += 1
    return None


def _settle(line, letter, kinds, now):
    """It has gone: here it still waits, or was lost before it was tried."""
    facts = {"sent_at": parse_datetime(line["at"]), "message_id": line["message_id"]}
    letter.attempts = facts["attempts"] = max(letter.attempts, line["attempt"])
    letter.step(Q(), state=Letter.State.SENT, now=now, code=CODE, **facts)


def _write(line, letter, kinds, now):
    """A letter that was written after the backup. Its text and address are lost; that it went is not."""
    at, (recipient_kind, recipient_id) = parse_datetime(line["at"]), line["recipient"]
    letter = Letter.objects.create(
        key=line["key"],
        kind=line["kind"],
        mailing_id=line["mailing"] if kinds.get(line["mailing"]) == line["kind"] else None,
        recipient_kind=recipient_kind,
        recipient_id=recipient_id,
        copy=line["copy"],
        language=line["language"],
        priority=registry.Priority.BULK if line["mailing"] else registry.Priority.NOW,
        to="",
        to_index="",
        subject="",
        frozen=b"",
        kept="",
        message_id=line["message_id"],
        created_at=at,
        due_at=at,
        not_after=at,
        state=Letter.State.SENT,
        attempts=line["attempt"],
        last_code=CODE,
        sent_at=at,
    )
    Attempt.objects.create(letter=letter, at=now, number=letter.attempts, state=letter.state, code=CODE)


def _label(kind):
    known = registry.KINDS.get(kind)
    return known.label if known else kind
