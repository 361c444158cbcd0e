"""An answer that was released is changed: rarely, with a reason for staff, and with a letter that does not pretend that
it was never given. Room: applications; imports its letters and models.

Somebody on the waiting list hears good or bad news as everybody does, by `decisions`. Here stand the answers that
people rely on: a seat that is taken back, and one that is offered after all.
"""

from django.utils.translation import gettext as _

from applications import asking, letters, seat
from applications.decisions import BECOMES, told_place
from applications.models import Application, Needs, Seat
from applications.steps import refusals_noted
from presessions.mail import outbox
from presessions.mail.letters import Unwritable
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep

Decision, Status = Application.Decision, Application.Status

CHANGES = {  # what may become of an answer that stands
    Status.ACCEPTED: (Decision.WAITLIST, Decision.DECLINE),
    Status.CONFIRMED: (Decision.WAITLIST, Decision.DECLINE),
    Status.DECLINED: (Decision.ACCEPT, Decision.WAITLIST),
    Status.RELEASED: (Decision.ACCEPT, Decision.WAITLIST),
}
LETTERS = {
    Decision.ACCEPT: "answer_changed_accepted",
    Decision.WAITLIST: "answer_changed_waitlisted",
    Decision.DECLINE: "answer_changed_declined",
}


def choices(application):
    """The decisions that may take the place of the answer that stands; none where it is not ours to change."""
    return CHANGES.get(application.status, ())


def kind_of_letter(application, decision):
    """Who loses a seat reads another letter than who never had one."""
    if decision == Decision.WAITLIST and not application.holds_seat:
        return "decision_waitlisted"
    return LETTERS[decision]


def preview(application, decision, *, now):
    """The letter as it would leave now, in the applicant's language; None where it cannot be written."""
    application.confirm_by = seat.confirm_by(application, now)
    try:
        return outbox.preview(kind_of_letter(application, decision), _recipient(application, decision))
    except Unwritable:
        return None


def _recipient(application, decision):
    return letters.acceptance(application) if decision == Decision.ACCEPT else told_place(application)


def why_not(application, decision, now):
    """Why this answer cannot be changed to that one, in words; "" where it can."""
    if decision not in choices(application):
        words = {"application": application, "status": application.get_status_display()}
        return _("%(application)s is %(status)s, and cannot be changed to that.") % words
    return asking.closed_for(application.meeting, now)


def reverse(application, decision, *, seen, reason, by, now):
    """Change the answer, and write to the applicant. Raises WrongStep.

    seen -- the status that the page showed: somebody who has confirmed meanwhile is not turned away unseen
    reason -- for staff, kept in the history
    """
    code = f"reversed_{decision}"
    with refusals_noted(application, code, now=now, by=by, reason=reason):
        if refusal := why_not(application, decision, now):
            raise WrongStep(refusal)
        if not reason.strip():
            raise WrongStep(_("Please say why the answer changes; the reason stays with staff."))
        had_seat, kind = application.holds_seat, kind_of_letter(application, decision)

        def also():
            if had_seat:  # what was told for it is forgotten at once, as when somebody gives a seat up
                Needs.objects.filter(application=application).delete()
                Seat.leave(application, now=now, by=by)
            outbox.put(
                kind=kind,
                key=f"{kind}:{application.reference}:{int(now.timestamp())}",  # may change again, and back
                recipient=_recipient(application, decision),
                now=now,
            )

        confirm_by = seat.confirm_by(application, now) if decision == Decision.ACCEPT else None
        application.step(
            (seen,) if seen in CHANGES else (), code, now=now, by=by, reason=reason, also=also,
            status=BECOMES[decision], prepared="", released_at=now, confirm_by=confirm_by, seat_answered_at=None,
            cleared_at=None,
        )  # fmt: skip


def changed_at(application):
    """When the answer that stands took the place of another one; None where it is the first."""
    about = Event.objects.about(application).filter(refused=False)
    last = about.filter(code__regex=r"^(released|reversed)_").order_by("-at", "-pk").first()
    return last.at if last and last.code.startswith("reversed_") else None
