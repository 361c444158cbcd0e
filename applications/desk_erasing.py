"""Staff erase an application for the person it belongs to, who asked for it by other means. Room: applications."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from applications import erasure
from applications.desk import require
from applications.models import Application
from presessions.accounts.proof import proved


@require_POST
@proved
def erase(request, site, pk):
    """Needs a reason, a tick and a fresh proof: nobody can bring it back."""
    require(request, "view_application", "decide")
    application = get_object_or_404(Application, pk=pk)
    reason = request.POST.get("reason", "").strip()[:2000]
    if not reason:
        messages.error(request, _("Say in a few words why it is erased, without anybody’s name."))
    elif "sure" not in request.POST:
        messages.error(request, _("Nothing was erased: tick the box if you are sure."))
    else:
        erasure.erase(application, now=timezone.now(), by=request.user, reason=reason)
        messages.success(request, _("Everything is erased. No mail is sent about it."))
    return redirect("admin:applications_application_change", pk)
