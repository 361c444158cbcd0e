"""Answers of one meeting: seen as each applicant will get them, then released together. Room: applications.

A decision is prepared on the application, where nobody hears of it (`Application.prepare`). Release is one transaction:
every prepared answer and its letter, or nothing. Imports mail and this room's letters and models.
"""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from applications import letters, seat
from applications.models import Application, Seat
from presessions import trail
from presessions.mail import outbox
from presessions.mail.letters import Text, Unwritable
from presessions.trail.steps import WrongStep

Decision, Status = Application.Decision, Application.Status

OPEN = (Status.SUBMITTED, Status.WAITLISTED)  # an answer can still be prepared and released
BECOMES = {
    Decision.ACCEPT: Status.ACCEPTED,
    Decision.WAITLIST: Status.WAITLISTED,
    Decision.DECLINE: Status.DECLINED,
}
LETTERS = {
    Decision.ACCEPT: "decision_accepted",
    Decision.WAITLIST: "decision_waitlisted",
    Decision.DECLINE: "decision_declined",
}


@dataclass(frozen=True)
class Preview:
    """What one applicant will get; `text` is None where it cannot be written."""

    application: Application
    text: Text | None

    @property
    def decision(self):
        return Decision(self.application.prepared)

    @property
    def seen(self):
        return what_is_seen(self.application)


def what_is_seen(application):
    """What a page showed, to compare with what there is when its button is pressed."""
    return f"{application.reference}:{application.prepared}"


def prepared(meeting):
    """Applications of a meeting whose answer waits for release, in the order they were sent."""
    waiting = Application.objects.for_meeting(meeting).filter(status__in=OPEN)
    return waiting.exclude(prepared="").with_state().order_by("submitted_at", "pk")


def preview(meeting, *, now):
    """A Preview for each prepared answer, as if it were released now. Nothing is written and no link is minted."""
    return [Preview(application, _text(application, now)) for application in prepared(meeting)]


def _text(application, now):
    application.confirm_by = seat.confirm_by(application, now)
    try:
        return outbox.preview(LETTERS[Decision(application.prepared)], letters.acceptance(application))
    except Unwritable:
        return None


def release(meeting, *, by, now, seen=None, while_open=True):
    """Release all prepared answers of a meeting, each with its letter; returns how many. Raises WrongStep.

    seen -- the `Preview.seen` of each answer somebody looked at: when something has changed since, nothing is released
    while_open -- whether somebody may be accepted although the call for this State is still open
    """
    with transaction.atomic():
        # Locked, so that of two clicks at once the second one finds nothing prepared any more.
        waiting = list(prepared(meeting).select_for_update(of=("self",)))
        refusal = _refusal(meeting, waiting, seen) or ("" if while_open else _still_open(waiting, now))
        trail.record(meeting, "decisions_released", now=now, by=by, refused=bool(refusal))
        if not refusal:
            for application in waiting:
                _release(application, by=by, now=now)
    if refusal:  # outside the block: a refusal must not undo its own event
        raise WrongStep(refusal)
    return len(waiting)


def _refusal(meeting, waiting, seen):
    """Why nothing can be released, in words; "" when it can."""
    if not waiting:
        return _("No answer is prepared for this meeting.")
    if seen is not None and seen != {what_is_seen(application) for application in waiting}:
        return _("The prepared answers have changed since you saw them. Please look at them again.")
    if not meeting.goes_ahead and any(application.prepared == Decision.ACCEPT for application in waiting):
        return _("This meeting does not take place, so nobody can be accepted for it.")
    return ""


def _still_open(waiting, now):
    """Why nobody can be accepted yet, in words; "" when no acceptance waits, or nobody can apply any more."""
    if any(application.prepared == Decision.ACCEPT and application.state_call.is_open(now) for application in waiting):
        return _("The call is still open. To accept people all the same, tick the box above the button.")
    return ""


def _release(application, *, by, now):
    decision = Decision(application.prepared)
    facts = {"status": BECOMES[decision], "prepared": "", "released_at": now}
    if decision == Decision.ACCEPT:
        facts |= {"confirm_by": seat.confirm_by(application, now), "seat_answered_at": None, "cleared_at": None}
    Application.objects.filter(pk=application.pk).update(**facts)
    application.confirm_by = facts.get("confirm_by")
    if decision == Decision.DECLINE:
        Seat.leave(application, now=now, by=by)
    event = trail.record(application, f"released_{decision}", now=now, by=by)
    outbox.put(
        kind=LETTERS[decision],
        key=f"decision:{application.reference}:{event.pk}",
        recipient=letters.acceptance(application),
        now=now,
    )


def undecided(series):
    """Applications of a series that were sent and have no released answer yet."""
    return Application.objects.undecided().filter(state_call__call__series=series)


def refuse_undecided(series):
    """The guard of whoever closes a series: raises WrongStep while anybody is left without an answer."""
    waiting = undecided(series).count()
    if waiting:
        raise WrongStep(
            ngettext(
                "%(count)s applicant is still without an answer.",
                "%(count)s applicants are still without an answer.",
                waiting,
            )
            % {"count": waiting}
        )
