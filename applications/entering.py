"""An application that came by e-mail, the old way, is entered by staff: through the applicant's own pages, with the
same checks and the same receipt. Room: applications; `views` asks us whose hands are at work.

Two marks in the session never mix. An applicant's holds the key of the application that a personal link has opened;
that of staff holds the key of the one they are entering and their own number. The mark of staff counts only while the
person logged in is the one it names and may still enter applications, and only for a draft that staff have begun:
never for an applicant's own draft, and not once it is sent.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from applications import visits
from applications.models import Application, closed_words
from presessions import trail, vault
from presessions.trail.steps import WrongStep
from presessions.upr.dates import in_words

MARK = "entering"  # in the session of staff: [the application's key, the staff's number]


class Known(WrongStep):
    """This address has an application on this State already: `application`."""

    def __init__(self, application):
        super().__init__(_("This address has an application on this State already."))
        self.application = application


@dataclass(frozen=True)
class Hand:
    """Whose hand fills the form in: a member of staff's, for the applicant."""

    application: Any
    by: Any


def begin(state_call, *, email, language, received_at, reason, by, now):
    """The draft of an application that arrived by e-mail at `received_at`. No mail leaves before it is sent. Raises
    Known; WrongStep, in words, where the mail came too early, too late or from the future."""
    _check(state_call, received_at, now)
    with transaction.atomic():
        known = Application.objects.live().filter(state_call=state_call).of_address(email).first()
        if known is None:
            application, new = Application.objects.get_or_create(
                state_call=state_call,
                email_index=vault.blind_index("email", email),
                status=Application.Status.DRAFT,
                defaults={
                    "email": email,
                    "language": language,
                    "created_at": now,
                    "received_at": received_at,
                    "entered_by": by,
                },
            )
            if new:
                trail.record(application, "received_by_email", now=now, by=by, reason=reason)
                return application
            known = application  # two clicks at once: the other one began it
    raise Known(known)


def _check(state_call, received_at, now):
    opens_at, deadline = state_call.call.opens_at, state_call.deadline
    if received_at > now:
        raise WrongStep(_("That is in the future. Enter when the e-mail arrived."))
    if deadline and received_at >= deadline:
        words = {"deadline": state_call.deadline_in_words}
        raise WrongStep(_("The e-mail arrived after the deadline, %(deadline)s. It cannot be entered.") % words)
    if opens_at and received_at < opens_at:
        words = {"opens": in_words(opens_at)}
        raise WrongStep(_("The e-mail arrived before the call opened, %(opens)s. Enter that moment instead.") % words)
    if not state_call.is_open(received_at):
        raise WrongStep(closed_words(state_call))


def may_be_continued(application):
    """Whether staff may open it in the form: begun by staff, and not sent."""
    return application.received_at is not None and application.status == Application.Status.DRAFT


def open_here(request, application):
    """Open the form for staff in this session. An applicant's page that was open here is closed."""
    leave(request)
    request.session[MARK] = [application.pk, request.user.pk]


def leave(request):
    """Forget which application is open here; staff stay logged in."""
    request.session.pop(MARK, None)
    request.session.pop(visits.OPEN, None)


def opened(request):
    """The key of the application that staff have opened in this session; None where they have opened none."""
    mark = request.session.get(MARK)
    return mark and mark[0]


def is_on(request):
    """Whether staff have opened a form in this session. It may have ended meanwhile: see `hand`."""
    return MARK in request.session


def hand(request):
    """Hand(application, by) while staff may fill it in here; None when that has ended, or never was."""
    mark = request.session.get(MARK)
    staff = getattr(request, "user", None)
    if not mark or staff is None or not staff.is_active or not staff.is_staff or mark[1] != staff.pk:
        return None
    if getattr(staff, "otp_device", None) is None or not staff.has_perm("applications.enter"):
        return None
    application = Application.objects.with_state().filter(pk=mark[0]).first()
    return Hand(application, staff) if application and may_be_continued(application) else None
