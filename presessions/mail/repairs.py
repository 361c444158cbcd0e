"""What staff may do with one letter: send it again, say that it arrived, drop it. Room: mail.

Each step is guarded, leaves an event in the trail even when refused, and refuses in words. Whoever settles a letter by
hand says why: the mail server did not.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from presessions import trail
from presessions.mail import outbox, registry
from presessions.mail.models import Letter, Mailing
from presessions.trail.steps import WrongStep

State = Letter.State
MAY_BE_DROPPED = (State.UNCERTAIN, State.PENDING, State.DEFERRED, State.FAILED, State.BOUNCED, State.EXPIRED)


def send_again(letter, *, by, now, reason=""):
    """Repeat an uncertain letter byte for byte, or write a settled one anew, with a new link. Returns the letter
    that will go. Raises WrongStep."""
    if letter.state == State.UNCERTAIN:
        facts = {"next_attempt_at": now, "not_after": max(letter.not_after, _life_from(now))}
        _step(letter, "send_again", [State.UNCERTAIN], State.DEFERRED, by=by, now=now, reason=reason, **facts)
        return letter
    how = registry.KINDS.get(letter.kind)
    if letter.state not in Letter.SETTLED:
        _refuse(letter, _("%(letter)s is not settled yet: it will be tried by itself."), by=by, now=now)
    if letter.mailing and letter.mailing.state in (Mailing.State.HELD, Mailing.State.CANCELLED):
        _refuse(letter, _("The mailing of %(letter)s is held or cancelled."), by=by, now=now)
    if letter.replaced_by.exists():
        _refuse(letter, _("%(letter)s has already been sent again."), by=by, now=now)
    if how is None or how.rewrite is None:
        _refuse(letter, _("A letter of this kind is sent again from the page of what it is about."), by=by, now=now)
    recipient = None if letter.forgotten_at else how.rewrite(letter)
    if recipient is None:
        _refuse(letter, _("%(letter)s has nobody to go to any more."), by=by, now=now)
    with transaction.atomic():
        trail.record(letter, "send_again", now=now, by=by, reason=reason)
        return outbox.put(
            kind=letter.kind,
            key=f"{letter.key.split('/')[0]}/{letter.copy + 1}",
            recipient=recipient,
            now=now,
            not_after=_life_from(now),
            mailing=letter.mailing,
            replaces=letter,
        )


def arrived(letter, *, by, now, reason):
    """Somebody knows that an uncertain letter is there. Raises WrongStep."""
    _insist(letter, "arrived", reason, by=by, now=now)
    _step(letter, "arrived", [State.UNCERTAIN], State.SENT, by=by, now=now, reason=reason, sent_at=now)


def drop(letter, *, by, now, reason):
    """Give up a letter that has not gone, or of which nobody knows; one that failed needs nobody any more after it.
    Raises WrongStep."""
    _insist(letter, "drop", reason, by=by, now=now)
    _step(letter, "drop", MAY_BE_DROPPED, State.CANCELLED, by=by, now=now, reason=reason)


def _insist(letter, code, reason, *, by, now):
    if not reason.strip():
        _refuse(letter, _("Say in a few words why; nobody will know later."), by=by, now=now, code=code)


def _step(letter, code, before, state, *, by, now, reason, **facts):
    with transaction.atomic():
        moved = letter.step(Q(state__in=before), state=state, now=now, code=code, **facts)
        letter.refresh_from_db()
        trail.record(letter, code, now=now, by=by, refused=not moved, reason=reason)
    if not moved:
        words = {"letter": letter, "state": letter.get_state_display()}
        raise WrongStep(_("%(letter)s is already %(state)s.") % words)


def _refuse(letter, words, *, by, now, code="send_again"):
    trail.record(letter, code, now=now, by=by, refused=True)
    raise WrongStep(words % {"letter": letter})


def _life_from(now):
    return now + timedelta(days=settings.MAIL_LIFETIME_DAYS)
