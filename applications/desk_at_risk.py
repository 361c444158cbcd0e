"""Who is at risk, on the staff's desk: the masked page, revealing it, marking. Room: applications; part of `desk`.

Each view takes a POST with a reason; what is refused says so in a message and stands in the history all the same.
"""

from functools import partial

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from applications import (
    at_risk,
    events,  # noqa: F401 -- gives its words
    organisations,
)
from applications.models import Application, Organisation
from presessions.accounts.proof import proved
from presessions.trail import history, words
from presessions.trail.steps import WrongStep


def context(request, application):
    """For the page of one application."""
    return {
        "may_mark": not application.at_risk and not application.erased_at and at_risk.may_mark(request.user),
        "may_reveal": request.user.has_perm(at_risk.RIGHT),
        "revealed_until": at_risk.revealed(request).get(application.reference) if application.at_risk else None,
    }


def masked_page(request, site, application):
    """What everybody may see of it."""
    from applications import desk

    shown = {
        **site.each_context(request),
        "opts": Application._meta,
        "title": _("Application %(reference)s") % {"reference": application.reference},
        "application": application,
        "pill": desk.PILLS[application.status],
        "may": {"decide": request.user.has_perm("applications.decide")},
        "history": history.of(application, request, locked=True),
        **context(request, application),
    }
    return TemplateResponse(request, "admin/applications/application/masked.html", shown)


@require_POST
def reveal(request, site, pk):
    """Show it to whoever asks, in this session, for a while. Who may not is not asked for a proof first."""
    application = _found(request, pk)
    if not request.user.has_perm(at_risk.RIGHT):
        raise at_risk.refuse(application, "revealed", by=request.user, now=timezone.now())
    return _reveal(request, application)


@proved
def _reveal(request, application):
    step = partial(at_risk.reveal, request, application)
    return _take(request, application, step, _("It is shown to you for half an hour. Each time you open it is noted."))


@require_POST
def hide(request, site, pk):
    """Mask it again before the half hour is over."""
    application = _found(request, pk)
    at_risk.hide(request, application, now=timezone.now())
    messages.success(request, _("It is masked again."))
    return redirect("admin:applications_application_change", pk)


@require_POST
def mark(request, site, pk):
    """Somebody is at risk: from now on it is masked for all."""
    application = _found(request, pk)
    step = partial(at_risk.mark, application, by=request.user)
    return _take(request, application, step, _("It is masked from now on. A safety officer may reveal it."))


@require_POST
def unmark(request, site, pk):
    """Nobody is at risk any more: it is shown like others."""
    application = _found(request, pk)
    if not request.user.has_perm(at_risk.RIGHT):
        raise at_risk.refuse(application, "unmarked_at_risk", by=request.user, now=timezone.now())
    return _unmark(request, application)


@proved
def _unmark(request, application):
    step = partial(at_risk.unmark, application, by=request.user)
    return _take(request, application, step, _("It is shown like others again."))


def _found(request, pk):
    from applications import desk

    desk.require(request, "view_application")
    return get_object_or_404(Application, pk=pk)


def _take(request, application, step, done):
    try:
        step(reason=request.POST.get("reason", "").strip()[:2000], now=timezone.now())
    except WrongStep as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect("admin:applications_application_change", application.pk)


def masked_organisations(request, references):
    """Those of some organisations whose every application is masked for whoever asks."""
    asked = Organisation.objects.filter(reference__in=references)
    return set(references) - set(organisations.visible(request, asked).values_list("reference", flat=True))


# Staff's own words may name somebody.
words.lock_reasons(Application, at_risk.masked_among)
words.lock_reasons(Organisation, masked_organisations)
