"""More time for one applicant alone, with a reason: for a draft that was not sent, or for somebody who has not begun.
Room: applications; imports its letters and models.

It is a date and no key: the guard of every step reads it (`models.deadlines`), beside the deadline of the State.
"""

from django.db import transaction
from django.utils.translation import gettext as _

from applications import asking, letters
from applications.models import Application, StateCall
from applications.steps import refusals_noted
from presessions import trail
from presessions.trail.steps import WrongStep

Status = Application.Status


class Sent(WrongStep):
    """This one was sent already: `application`."""

    def __init__(self, application):
        super().__init__(_("This application was sent already. Ask for more information instead."))
        self.application = application


def allow(application, *, until, reason, by, now):
    """Let a draft be finished until an instant, and mail its link. Raises WrongStep; Sent once it was sent."""
    with refusals_noted(application, "late_allowed", now=now, by=by, reason=reason):
        if application.status == Status.SUBMITTED:
            raise Sent(application)
        if application.received_at:
            raise WrongStep(_("Staff enter this one from an e-mail. It can be sent at any time."))
        if refusal := why_not(application.state_call, until, reason, now):
            raise WrongStep(refusal)
        _allow(application, until=until, reason=reason, by=by, now=now)


def begin(state_call, *, email, language, until, reason, by, now):
    """Let somebody apply until an instant who has not begun in time; a draft of that address is taken up. Returns the
    application. Raises WrongStep; Sent where that address has sent one."""
    if refusal := why_not(state_call, until, reason, now):
        trail.record(state_call, "late_allowed", now=now, by=by, reason=reason, refused=True)
        raise WrongStep(refusal)
    with transaction.atomic():
        application = Application.objects.live().filter(state_call=state_call).of_address(email).with_state().first()
        application = application or Application._begin(state_call, email, language, now)[0]
        if application.status == Status.DRAFT:
            _allow(application, until=until, reason=reason, by=by, now=now)
    if application.status != Status.DRAFT:
        trail.record(application, "late_allowed", now=now, by=by, reason=reason, refused=True)
        raise Sent(application)
    return application


def _allow(application, *, until, reason, by, now):
    application.step(
        (Status.DRAFT,), "late_allowed", now=now, by=by, reason=reason, late_until=until,
        also=lambda: letters.send_late_link(application, now=now),
    )  # fmt: skip


def why_not(state_call, until, reason, now):
    """Why more time cannot be given, in words; "" where it can."""
    opens_at, deadline = state_call.call.opens_at, state_call.deadline
    if not reason.strip():
        return _("Please say why; the reason stays with staff.")
    if not opens_at or now < opens_at:
        return _("The call for this State is not open yet.")
    if deadline and until <= deadline:
        return _("The call for this State is open longer than that. Choose a later moment.")
    return asking.closed_for(state_call.meeting, now) or asking.too_late_for(state_call.meeting, until, now)


def open_drafts(queryset, now):
    """Drafts that may still be sent although the call for their State has closed."""
    closed = StateCall.objects.open(now).values("pk")
    return queryset.filter(status=Status.DRAFT, late_until__gt=now).exclude(state_call__in=closed)
