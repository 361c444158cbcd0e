"""Delivery: take a due letter under a lease, mark it right before DATA, close it after the 250. Room: mail.

    pending, deferred --claim, commit--> sending/claimed --mark, commit--> sending/data --250, commit--> sent

No transaction is open while we talk to a server. A worker may die anywhere: before the mark its letter is safe to try
again; after it nobody can know, so the same bytes go once more (or not at all, per kind), and then staff decide.
Leases run by the database's clock; what is due is measured by `now`.
"""

import logging
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from presessions.mail import bounces, journal, registry, schedule, verp, watch
from presessions.mail.forgetting import FORGOTTEN
from presessions.mail.models import PUT_OFF, Letter, Mailing, Switch
from presessions.mail.wire import Verdict, Wire

log = logging.getLogger(__name__)

State, Phase = Letter.State, Letter.Phase
POLL_SECONDS = 1
GONE = "gone"  # the code of a letter whose address is no longer its recipient's


class NotAnyMore(Exception):
    """Right before DATA: the lease is lost, or staff have stopped the letter meanwhile. Hang up, hand nothing over."""


class Hand:
    """One connection to the mail server, and what goes over it. A worker with several waits for less: while one hand
    waits for the server, another has the disk write down what became of its letter."""

    def __init__(self, now, ending, wire=Wire):
        self.now, self.ending = now, ending
        self.wire, self.counts, self.work = wire(), Counter(), None

    def empty(self, letter):
        """Send this letter and all others that are due, or until the time is up."""
        while letter:
            self.counts[send(letter, self.wire, self.now, self.go_on)] += 1
            letter = letter.next if letter.next is not PUT_OFF else self.go_on() and claim(self.now())

    def go_on(self):
        """Whether to take another letter. A server that is not there is not asked for each, but once a second."""
        return not (self.ending() or self.wire.unreachable)

    def help(self):
        """The same in a thread of its own, which has a connection of its own to the database."""
        try:
            _insist_on_durable_commits()
            self.empty(claim(self.now()))
        except Exception as error:  # the drain that asked for help may end long after, or by something else
            log.error("a helping hand stopped: %s", type(error).__name__)
            raise
        finally:
            connection.close()


def drain(seconds, now=None, stop=None, hands=1, wire=Wire):
    """Write and send what is due, looking again each second, until the time is up. Returns a count per outcome.

    seconds -- 0 empties what is due once
    now -- a callable for the time, or None for the clock
    stop -- a threading.Event that ends it after the letters in hand
    hands -- how many letters may be in hand at once
    wire -- what makes a connection for each hand; a rehearsal has one that leads nowhere
    """
    now, ends, over = now or timezone.now, time.monotonic() + seconds, threading.Event()

    def ending():
        return over.is_set() or (stop and stop.is_set()) or (seconds and time.monotonic() >= ends)

    _insist_on_durable_commits()
    written, first, others = 0, Hand(now, ending, wire), [Hand(now, ending, wire) for _ in range(hands - 1)]
    with ExitStack() as closing:
        for hand in (first, *others):
            closing.enter_context(hand.wire)
        threads = closing.enter_context(ThreadPoolExecutor(hands))
        closing.callback(over.set)  # whatever ends us, the others finish what they have in hand
        while True:
            letter = None
            if not journal.restored(now()):
                written += schedule.write_due(now())
                recover(now())
                letter = claim(now())
            if letter:
                for hand in others:
                    if hand.work is None or hand.work.done():
                        hand.work = threads.submit(hand.help)
                first.empty(letter)
            else:
                _listen(first.wire, now())
            watch.seen("drain", now())
            left = ends - time.monotonic()
            if left <= 0 or (stop and stop.is_set()):
                break
            time.sleep(min(POLL_SECONDS, left))
        for hand in others:
            if hand.work:
                hand.work.result()  # or what stopped it
    return +sum((hand.counts for hand in (first, *others)), Counter(written=written))


def claim(now):
    """Take the most urgent due letter, or None. One short transaction; two workers never get the same one."""
    while (letter := Letter.take(now)) is PUT_OFF:
        pass
    if letter is None and Switch.trial_is_due(now):
        with transaction.atomic():
            letter = Letter.take(now, trial=True)
            if letter in (None, PUT_OFF) or not Switch.begin_trial(now):
                transaction.set_rollback(True)
                return None
        letter.is_trial = True
    return letter


def send(letter, wire, now, go_on=lambda: False):
    """Bring a claimed letter to its next state; returns that state, or "lost" when its lease was lost.

    go_on -- asked once it was accepted: whether to take the `next` one in the commit that closes this one
    """
    reason = _unsendable(letter, now())
    if reason:
        state, code = reason
        return _finish(letter, state, now(), code, next_attempt_at=None)
    try:
        sender = verp.sender(letter)
        answer = wire.deliver(letter.to, letter.frozen, before_data=lambda: _mark(letter, now()), sender=sender)
    except NotAnyMore:
        # Claimed, and nothing offered: whoever claims it next finds out why. When the lease was lost, nobody does here.
        again = now() + timedelta(seconds=POLL_SECONDS)  # not at once, or we might do nothing else
        moved = letter.step(_mine(letter), state=State.DEFERRED, now=now(), code="stopped", next_attempt_at=again)
        return State.DEFERRED if moved else "lost"
    if answer.is_of_server:
        watch.seen("smtp", now())
    if answer.verdict is Verdict.OURS:
        log.error("all mail is stopped: the server refuses us with %s at %s", answer.code, answer.stage)
        Switch.fault_is_ours(now=now(), code=answer.code, answer=answer.text)
        watch.alarm("stopped", now=now())
    elif letter.is_trial and answer.reached_recipients:
        Switch.trial_passed()
    return _settle(letter, answer, now(), go_on)


def recover(now):
    """Take back letters whose worker is gone or asleep. Before the mark that is safe; after it, doubt.

    A worker that fell asleep in the middle of a commit holds the lock of its letter: pass by, and look again later.
    """
    with transaction.atomic():
        lost = Letter.objects.filter(state=State.SENDING, lease_until__lt=Now()).defer(*Letter.SEALED)
        for letter in lost.select_for_update(skip_locked=True)[:100]:
            if letter.phase == Phase.DATA:
                _doubt(letter, _mine(letter), now, "lease")
            else:
                letter.step(_mine(letter), state=State.DEFERRED, now=now, code="lease", next_attempt_at=now)


def _unsendable(letter, now):
    """(state, code) for a letter that must not or cannot go, else None. Asked at each claim."""
    if now > letter.not_after:  # one that may have arrived does not get a better answer from age
        return (State.UNCERTAIN if letter.uncertain_at else State.EXPIRED), "not_after"
    try:
        letter.open()
        if letter.mailing_state == Mailing.State.CANCELLED:
            return State.CANCELLED, "mailing"
        if letter.forgotten_at:  # it was in the hands of a worker when that happened, and came back
            return State.CANCELLED, FORGOTTEN
        if not registry.recipient_kind(letter.recipient_kind).still_wanted(letter):
            return State.CANCELLED, "unwanted"
        if not registry.recipient_kind(letter.recipient_kind).has_address(letter):
            return State.FAILED, GONE
    except DatabaseError:
        raise
    except Exception as error:  # bytes that no key opens, or a room's question that fails: this letter only
        log.error("letter %s cannot be sent: %s", letter.pk, type(error).__name__)
        return State.FAILED, "unreadable"
    return None


def _mark(letter, now):
    """Commit that the bytes are about to be handed over. Whoever may not hand them over stops here."""
    if not letter.mark(now):
        raise NotAnyMore


def _settle(letter, answer, now, go_on):
    if answer.verdict is Verdict.ACCEPTED:
        journal.accepted(letter, now)
        return State.SENT if letter.close(now, answer.code, answer.text, and_take=go_on()) else "lost"
    if answer.verdict is Verdict.REFUSED:
        dead = answer.stage == "RCPT" and bounces.is_dead(answer.text)
        return _finish(letter, State.FAILED, now, answer.code, answer.text, dead=dead)
    if answer.verdict is Verdict.UNKNOWN:
        return _doubt(letter, _mine(letter), now, answer.code, answer.text)
    if answer.verdict is Verdict.OURS:  # the recipient is not to blame: no longer wait for it
        return _finish(letter, State.DEFERRED, now, answer.code, answer.text, next_attempt_at=now)
    wait = settings.MAIL_BACKOFF[min(letter.deferrals, len(settings.MAIL_BACKOFF) - 1)]
    again = {"next_attempt_at": now + timedelta(seconds=wait), "deferrals": F("deferrals") + 1}
    return _finish(letter, State.DEFERRED, now, answer.code, answer.text, **again)


def _doubt(letter, guard, now, code, text=""):
    """It was handed over and nobody answered: repeat the same bytes once, then leave it to staff."""
    kind = registry.KINDS.get(letter.kind)
    facts = {"uncertain_at": letter.uncertain_at or now}
    if letter.resends < (kind.resends if kind else 0):
        again = now + timedelta(seconds=settings.MAIL_UNCERTAIN_DELAY)
        facts |= {"state": State.DEFERRED, "resends": letter.resends + 1, "next_attempt_at": again}
    else:
        log.error("letter %s is uncertain: staff must decide", letter.pk)
        facts |= {"state": State.UNCERTAIN, "next_attempt_at": None}
    moved = letter.step(guard, now=now, code=code, answer=text, **facts)
    if moved and facts["state"] == State.UNCERTAIN:
        watch.alarm("uncertain", now=now)
    return facts["state"] if moved else "lost"


def _finish(letter, state, now, code, text="", dead=False, **facts):
    """Write down what became of it, with what follows from that for its recipient."""
    with transaction.atomic():
        if state in (State.FAILED, State.EXPIRED) and letter.mailing_id:  # first, as whoever thaws it does
            Mailing.objects.select_for_update(no_key=True).filter(pk=letter.mailing_id).values_list("pk").first()
        if not letter.step(_mine(letter), state=state, now=now, code=code, answer=text, **facts):
            return "lost"
        if code == GONE or (state == State.FAILED and code.isdigit()) or (state == State.EXPIRED and letter.deferrals):
            _tell_room(letter, now, code, dead)
    if state == State.UNCERTAIN:
        watch.alarm("uncertain", now=now)
    elif Letter.objects.to_look_at().filter(pk=letter.pk, replaced_by=None).exists():
        watch.alarm("failed", now=now)
    if state == State.FAILED and code != GONE:
        _count_failure(letter, now)
    return state


def _tell_room(letter, now, code, dead):
    """It will not arrive: the room may write elsewhere, or ask a person, as when a letter comes back."""
    try:
        with transaction.atomic():
            registry.recipient_kind(letter.recipient_kind).on_bounce(letter, now=now, code=code, dead=dead)
    except (OperationalError, InterfaceError):  # the database is gone: all of it again, later
        raise
    except Exception as error:  # this letter only; staff find it among those to look at
        log.error("nobody was told of letter %s: %s", letter.pk, type(error).__name__)


def _count_failure(letter, now):
    """The breaker: a mailing whose letters fail one after the other is held until staff have looked at it."""
    mailing = Mailing.objects.filter(pk=letter.mailing_id).first()
    if mailing and settings.MAIL_BREAKER and mailing.failed_again() >= settings.MAIL_BREAKER:
        mailing.break_off(now=now)


def _listen(wire, now):
    """Ask a server that had no letter to answer for a while whether it lives, so that staff hear of its silence before
    a letter meets it. One of all workers asks, now and then."""
    if watch.is_quiet("smtp", now) and not watch.is_fresh("probe", now):
        watch.seen("probe", now)
        if wire.answers():
            watch.seen("smtp", now)


def _mine(letter):
    return Q(state=State.SENDING, lease_token=letter.lease_token)


def _insist_on_durable_commits():
    """A commit that a crash can take back would break the promise that a copy is never sent unflagged."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        if cursor.fetchone()[0] == "off":
            cursor.execute("SET synchronous_commit TO on")
