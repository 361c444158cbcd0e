"""Applications of people at risk: masked for all, until somebody reveals one, with a reason. Room: applications; imports
the trail.

Of a masked one everybody sees its reference, its State and the kind of institution, and may go on working with it by
those: seat it, prepare an answer. Names, texts, addresses and documents are shown only in the session of somebody who
may `reveal`, one application at a time, for a while; the reason and each opening stand in the history.

Whoever shows a name asks `visible_name`, whoever shows anything else that was written asks `is_masked_for` first.
"""

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from presessions import trail
from presessions.trail.steps import WrongStep

MASKED = gettext_lazy("at risk: masked")
RIGHT = "applications.reveal"
REVEALED_FOR = timedelta(minutes=30)  # in that one session; then it is masked again
KEY = "revealed"  # in the session: {reference: until when}; references are random and tell nothing


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
    """References of what is revealed in this session now. Asked of the session once for each request."""
    if not hasattr(request, "revealed_at_risk"):
        now, kept = timezone.now(), request.session.get(KEY, {})
        may = bool(kept) and request.user.has_perm(RIGHT)  # a right that was taken away ends it at once
        request.revealed_at_risk = {name for name, until in kept.items() if may and now < _instant(until)}
    return request.revealed_at_risk


def _instant(text):
    return datetime.fromisoformat(text)


def refuse_masked(request, application):
    """For views of one thing that is masked: a 403, and the try stands in the history."""
    if is_masked_for(request, application):
        trail.record(application, "masked_refused", now=timezone.now(), by=request.user, refused=True)
        raise PermissionDenied


def note_opening(request, application, *, now):
    """Each opening of an application at risk stands in its history: masked or revealed."""
    if application.at_risk:
        code = "opened_masked" if is_masked_for(request, application) else "opened_revealed"
        trail.record(application, code, now=now, by=request.user)


# --- Steps -----------------------------------------------------------------------------------------------------------


def reveal(request, application, *, reason, now):
    """Show it in this session for a while. Raises WrongStep; whoever may not is refused, and that is noted too."""
    by, refusal = request.user, ""
    if not by.has_perm(RIGHT):
        refusal = _("Only a safety officer may reveal who is at risk.")
    elif not reason:
        refusal = _("Say in a few words why you need to see it, without anybody’s name.")
    elif not application.at_risk:
        refusal = _("%(application)s is not masked.") % {"application": application}
    trail.record(application, "revealed", now=now, by=by, refused=bool(refusal), reason=reason)
    if refusal:
        raise WrongStep(refusal)
    still = {name: until for name, until in request.session.get(KEY, {}).items() if now < _instant(until)}
    request.session[KEY] = still | {application.reference: (now + REVEALED_FOR).isoformat()}
    vars(request).pop("revealed_at_risk", None)


def hide(request, application, *, now):
    """Mask it again before its time is over."""
    kept = dict(request.session.get(KEY, {}))
    if kept.pop(application.reference, None):
        request.session[KEY] = kept
        vars(request).pop("revealed_at_risk", None)
        trail.record(application, "hidden_again", now=now, by=request.user)


def mark(application, *, by, now, reason=""):
    """Mask it for everybody. Raises WrongStep when it is masked already, or erased."""
    _turn(application, True, "marked_at_risk", by=by, now=now, reason=reason)


def unmark(application, *, by, now, reason=""):
    """Nobody is at risk any more: it is shown like others. Raises WrongStep when it is not masked, or no reason is
    given."""
    _turn(application, False, "unmarked_at_risk", by=by, now=now, reason=reason, refusal="" if reason else _NO_REASON)


_NO_REASON = gettext_lazy("Say in a few words why nobody is at risk any more.")


def _turn(application, at_risk, code, *, by, now, reason, refusal=""):
    rows = type(application).objects.filter(pk=application.pk, at_risk=not at_risk, erased_at=None)
    with transaction.atomic():
        moved = 0 if refusal else rows.update(at_risk=at_risk)
        trail.record(application, code, now=now, by=by, refused=not moved, reason=reason)
    if not moved:  # outside the block: a refusal must not undo its own event
        words = {"application": application}
        already = _("%(application)s is masked already.") if at_risk else _("%(application)s is not masked.")
        raise WrongStep(str(refusal) or already % words)
    application.at_risk = at_risk
