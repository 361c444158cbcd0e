"""Writing a due mailing: every letter is rendered and frozen before the first may leave. Room: mail.

Letters are written in small transactions, each under the mailing's row lock, and none has a `next_attempt_at` until the
last is written. So a writer may be killed anywhere and the next one goes on where it stopped, and two writers at once
write every letter once: the key is unique.
"""

import logging
from datetime import timedelta
from itertools import islice

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q

from presessions import trail
from presessions.mail import corrections, outbox, registry
from presessions.mail.models import Letter, Mailing

log = logging.getLogger(__name__)

State, Held = Mailing.State, Mailing.Held
BATCH = 100


class NoAudience(Exception):
    """The room above could not list its people. str() is the kind of error: its words may name somebody."""


def write_due(now):
    """Begin what is due, write on where somebody stopped, close what is settled. Returns the letters written. A mailing
    that breaks is held, and the others go on: only a database that is away stops them all."""
    due = Q(state__in=(State.PLANNED, State.SENDING), due_at__lte=now)
    active = Mailing.objects.filter(due | Q(state=State.WRITING))  # written early when staff want to look at it first
    written = 0
    for pk, state in active.values_list("pk", "state"):
        try:
            if state == State.SENDING:
                _finish(pk, now)
            elif state == State.WRITING or _begin(pk, now):
                written += _write(pk, now)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            _hold_broken(pk, type(error).__name__, now)
    return written


def catch_up(mailing, now, *, by=None):
    """Write to those who joined the audience of a mailing after it went. Raises WrongStep."""
    mailing.catch_up(by=by, now=now)
    return _write(mailing.pk, now)


def missing(mailing):
    """The people of the audience, as it is today, that this mailing has not been written to."""
    return mailing.unwritten(mailing.people())


def _begin(pk, now):
    """Start writing, or hold a mailing that must not go out by itself; True when writing may go on."""
    with transaction.atomic():
        mailing = _locked(pk, State.PLANNED)
        if mailing is None or mailing.due_at is None or mailing.due_at > now:
            return False
        reason = _why_not(mailing, now)
        if reason:
            mailing.state, mailing.held_reason = State.HELD, reason
            log.error("mailing %s is held: %s", pk, reason)
        else:
            mailing.state, mailing.writing_at = State.WRITING, now
        mailing.save(update_fields=["state", "held_reason", "writing_at"])
        trail.record(mailing, f"held_{reason}" if reason else "writing", now=now)
    return not reason


def _why_not(mailing, now):
    if mailing.is_pointless(now):
        return Held.POINTLESS
    since = max(mailing.due_at, mailing.resumed_at or mailing.due_at)
    if now - since > timedelta(days=settings.MAIL_GRACE_DAYS):
        return Held.LATE
    if mailing.needs_two_persons() and not mailing.two_persons_agreed:
        return Held.SECOND
    return ""


def _write(pk, now):
    """Write every letter that is not there yet; then let them all go."""
    written = 0
    mailing = Mailing.objects.with_series().get(pk=pk)
    try:
        for batch in _batches(mailing):
            number = _write_batch(pk, batch, now)
            if number is None:  # held, cancelled, or in somebody else's hands
                return written
            written += number
    except NoAudience as trouble:
        _hold_broken(pk, trouble, now)
        return written
    _let_go(pk, now)
    return written


def _hold_broken(pk, trouble, now):
    """Whoever it is written to, or the dates it hangs on, cannot be told: it waits for staff. What is written already
    goes on; then there is nothing to hold."""
    held = {"state": State.HELD, "held_reason": Held.AUDIENCE}
    moved = [_change(pk, state, "held_audience", now, **held) for state in (State.PLANNED, State.WRITING)]
    log.error("mailing %s is held: it raised %s" if any(moved) else "mailing %s raised %s", pk, trouble)


def _let_go(pk, now):
    """All letters are there: they may leave at the mailing's hour, or wait until staff have looked at them."""
    with transaction.atomic():
        mailing = Mailing.objects.select_for_update().filter(pk=pk, state=State.WRITING).first()
        if mailing and mailing.held_reason == Held.LOOK:
            _change(pk, State.WRITING, "frozen", now, state=State.HELD, written_at=now)
        elif mailing and _change(pk, State.WRITING, "written", now, state=State.SENDING, written_at=now):
            waiting = Letter.objects.filter(mailing=pk, state__in=(Letter.State.PENDING, Letter.State.DEFERRED))
            waiting.filter(next_attempt_at=None).update(next_attempt_at=mailing.due_at)


def _batches(mailing):
    """The audience in portions. Raises NoAudience when the room above cannot list it."""
    try:
        corrections.note(mailing)
        recipients = iter(registry.plan_of(mailing).recipients(mailing))
        while batch := list(islice(recipients, BATCH)):
            yield batch
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        raise NoAudience(type(error).__name__) from None


def _write_batch(pk, batch, now):
    """Write some letters in one transaction; None when the mailing is not ours to write."""
    with transaction.atomic():
        mailing = _locked(pk, State.WRITING)
        if mailing is None:
            return None
        recipients = {f"{mailing.kind}:{pk}:{recipient.kind}:{recipient.id}": recipient for recipient in batch}
        known = set(Letter.objects.filter(key__in=recipients).values_list("key", flat=True))
        end = mailing.anchor_at(mailing.pointless_after) if mailing.pointless_after else None
        fresh = [key for key in recipients if key not in known]
        for key in fresh:
            outbox.put(
                kind=mailing.kind,
                key=key,
                recipient=recipients[key],
                now=now,
                due_at=mailing.due_at,
                not_after=end or max(now, mailing.due_at) + timedelta(days=settings.MAIL_LIFETIME_DAYS),
                mailing=mailing,
                is_new=True,
            )
        return len(fresh)


def _finish(pk, now):
    """Close a mailing once no letter of it is left unsettled."""
    unsettled = Letter.objects.filter(mailing=pk).unsettled()
    if not unsettled.exists():
        _change(pk, State.SENDING, "done", now, state=State.DONE, done_at=now)


def _change(pk, before, code, now, **facts):
    with transaction.atomic():
        moved = Mailing.objects.filter(pk=pk, state=before).update(**facts)
        if moved:
            trail.record(Mailing(pk=pk), code, now=now)
    return moved


def _locked(pk, state):
    mailings = Mailing.objects.with_series().select_for_update(skip_locked=True, of=("self",))
    return mailings.filter(pk=pk, state=state).first()
