"""An answer that was released is changed, on a page of its own: what it would be, the letter, why. Room: applications;
part of `desk`."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from applications import asking, at_risk, reversal
from applications.desk import PILLS, require
from applications.models import Application
from presessions.accounts.proof import proved
from presessions.trail.steps import WrongStep


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@proved
def reverse(request, site, pk):
    """GET with ?to=decline shows the letter that would leave; POST sends it."""
    require(request, "view_application", "decide")
    now = timezone.now()
    application = get_object_or_404(Application.objects.with_state().exclude(submitted_at=None), pk=pk)
    chosen, reason = request.POST.get("to") or request.GET.get("to", ""), request.POST.get("reason", "").strip()[:2000]
    if chosen not in ("", *Application.Decision.values):
        raise Http404
    if request.method == "POST":
        try:
            reversal.reverse(
                application, chosen, seen=request.POST.get("seen", ""), reason=reason, by=request.user, now=now
            )
        except WrongStep as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The answer is changed. The letter leaves within seconds."))
            return redirect("admin:applications_application_change", pk)
    offered = [Application.Decision(one) for one in reversal.choices(application)]
    chosen = next((one for one in offered if one == chosen), None)
    context = {
        **site.each_context(request),
        "opts": Application._meta,
        "title": _("Change the answer for %(reference)s") % {"reference": application.reference},
        "application": application,
        "name": at_risk.visible_name(request, application),
        "pill": PILLS[application.status],
        "offered": offered,
        "chosen": chosen,
        "closed": asking.closed_for(application.meeting, now),
        "text": reversal.preview(application, chosen, now=now) if chosen else None,
        "takes_seat": application.holds_seat,
        "reason": reason,
    }
    return TemplateResponse(request, "admin/applications/decisions/reverse.html", context)


PAGES = [("<int:pk>/answer/", reverse, "reverse")]
