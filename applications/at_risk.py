"""Applications of people at risk: masked for all, until somebody reveals one, with a reason. Room: applications;
imports its models.

Of a masked one everybody sees its reference, its State and the kind of institution, and may go on working with it by
those: seat it, prepare an answer. Names, texts, addresses and documents are shown only in the session of somebody who
may `reveal`, one application at a time, for a while; the reason and each opening stand in the history.

Whoever shows a name asks `visible_name`, whoever shows anything else that was written asks `is_masked_for` first.
"""

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.models import Application
from presessions import trail
from presessions.trail.steps import WrongStep

MASKED = gettext_lazy("at risk: masked")
RIGHT = "applications.reveal"
MAY_MARK = (RIGHT, "applications.assess", "applications.decide")
REVEALED_FOR = timedelta(minutes=30)  # in that one session; then it is masked again
KEY = "revealed"  # in the session: {reference: until when}; a reference is random and tells nothing


# --- What may be seen ------------------------------------------------------------------------------------------------


def is_masked_for(request, application):
    """Whether only reference, State and kind of this application may be shown to whoever asks."""
    return application.at_risk and application.reference not in revealed(request)


def visible_name(request, application):
    """The institution's name in Latin letters or its own, or that it is masked; "" while it has none."""
    if is_masked_for(request, application):
        return str(MASKED)
    return application.name_latin or application.name


def revealed(request):
    """{reference: until when} of what is revealed in this session now. Asked of the session once for each request."""
    if not hasattr(request, "revealed_at_risk"):
        now, kept = timezone.now(), request.session.get(KEY, {})
        if kept and not request.user.has_perm(RIGHT):  # a right that was taken away ends it at once
            kept = {}
        until = {reference: datetime.fromisoformat(text) for reference, text in kept.items()}
        request.revealed_at_risk = {reference: end for reference, end in until.items() if now < end}
    return request.revealed_at_risk


def seen_by(request, applications):
    """Those that are not masked for whoever asks."""
    return applications.filter(Q(at_risk=False) | Q(reference__in=revealed(request)))


def masked_among(request, references):
    """Those of some references that are masked for whoever asks."""
    masked = Application.objects.filter(at_risk=True, reference__in=set(references) - revealed(request).keys())
    return set(masked.values_list("reference", flat=True))


def refuse_masked(request, application):
    """For views of one thing that is masked: a 403, and the try stands in the history."""
    if is_masked_for(request, application):
        trail.record(application, "masked_refused", now=timezone.now(), by=request.user, refused=True)
        raise PermissionDenied


def found_by_address(request, applications):
    """What somebody's address leads to: nothing that is masked, except for whoever may reveal it, and that is noted."""
    if not request.user.has_perm(RIGHT):
        return applications.filter(at_risk=False)
    for application in applications.filter(at_risk=True):
        trail.record(application, "found_by_address", now=timezone.now(), by=request.user)
    return applications


def one_by_address(request, application):
    """The one that an address leads to, or None, by the same rule."""
    return found_by_address(request, Application.objects.filter(pk=application.pk)).first()


def note_opening(request, application, *, now):
    """Each opening of an application at risk stands in its history: masked or revealed."""
    if application.at_risk:
        code = "opened_masked" if is_masked_for(request, application) else "opened_revealed"
        trail.record(application, code, now=now, by=request.user)


# --- Steps -----------------------------------------------------------------------------------------------------------


def may_mark(user):
    """Whoever reads applications and sees the danger. To show one again takes the right to reveal."""
    return any(user.has_perm(right) for right in MAY_MARK)


def refuse(application, code, *, by, now):
    """Note that somebody tried what they may not do; the 403 for it."""
    trail.record(application, code, now=now, by=by, refused=True)
    return PermissionDenied()


def reveal(request, application, *, reason, now):
    """Show it in this session for a while. Raises WrongStep; whoever may not is refused, and that is noted too."""
    if not request.user.has_perm(RIGHT):
        raise refuse(application, "revealed", by=request.user, now=now)
    refusal = ""
    if not reason:
        refusal = _("Say in a few words why you need to see it, without anybody’s name.")
    elif not application.at_risk:
        refusal = _("%(application)s is not masked.") % {"application": application}
    trail.record(application, "revealed", now=now, by=request.user, refused=bool(refusal), reason=reason)
    if refusal:
        raise WrongStep(refusal)
    _keep(request, revealed(request) | {application.reference: now + REVEALED_FOR})


def hide(request, application, *, now):
    """Mask it again before its time is over; again is no harm."""
    shown = dict(revealed(request))
    if shown.pop(application.reference, None):
        trail.record(application, "hidden_again", now=now, by=request.user)
        _keep(request, shown)


def _keep(request, shown):
    request.revealed_at_risk = shown
    request.session[KEY] = {reference: end.isoformat() for reference, end in shown.items()}


def mark(application, *, by, now, reason=""):
    """Mask it for everybody. Raises WrongStep when it is masked already, or erased."""
    if not may_mark(by):
        raise refuse(application, "marked_at_risk", by=by, now=now)
    _turn(application, True, "marked_at_risk", by=by, now=now, reason=reason)


def unmark(application, *, by, now, reason):
    """Nobody is at risk any more: it is shown like others. Raises WrongStep when it is not masked, or no reason is
    given."""
    if not by.has_perm(RIGHT):
        raise refuse(application, "unmarked_at_risk", by=by, now=now)
    refusal = "" if reason else _("Say in a few words why nobody is at risk any more.")
    _turn(application, False, "unmarked_at_risk", by=by, now=now, reason=reason, refusal=refusal)


def _turn(application, at_risk, code, *, by, now, reason, refusal=""):
    rows = Application.objects.filter(pk=application.pk, at_risk=not at_risk, erased_at=None)
    with transaction.atomic():
        moved = 0 if refusal else rows.update(at_risk=at_risk)
        trail.record(application, code, now=now, by=by, refused=not moved, reason=reason)
    if not moved:  # outside the block: a refusal must not undo its own event
        already = _("%(application)s is masked already.") if at_risk else _("%(application)s is not masked.")
        raise WrongStep(refusal or already % {"application": application})
    application.at_risk = at_risk
