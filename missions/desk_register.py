"""The register as a whole, on the staff's desk: many missions from a list, and the yearly question. Room: missions."""

from django.contrib import messages
from django.http import QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from applications import importing
from applications.importing import ListForm
from missions import checking, register_import
from missions.models import PermanentMission
from missions.pages import require
from presessions.accounts.proof import proved

KEEPS = "missions.change_permanentmission"
LIST = "admin:missions_permanentmission_changelist"
MOST_NAMES = 30  # on the page that asks


def _page(request, site, template, title, *, status=200, **context):
    context = {**site.each_context(request), "opts": PermanentMission._meta, "title": title, **context}
    return TemplateResponse(request, f"admin/missions/permanentmission/{template}.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def import_list(request, site):
    """A list is shown mission by mission before anything is written; what is written is what was shown."""
    require(request, KEEPS)
    form = ListForm(request.POST or None, request.FILES or None)
    number, shown, status = importing.answer(
        request, form, plan=register_import.plan, carry_out=register_import.carry_out
    )
    if number is not None:
        return _imported(request, number)
    title = _("Import missions and addresses")
    return _page(request, site, "import", title, status=status, most=register_import.MOST, **shown)


def _imported(request, number):
    words = ngettext("%(n)s mission was changed.", "%(n)s missions were changed.", number)
    messages.success(request, words % {"n": number})
    return redirect(LIST)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@proved
def ask(request, site, desk):
    """Whom the yearly question would go to, of the missions that the list shows; a POST sends it."""
    require(request, KEEPS)
    now = timezone.now()
    posted = request.method == "POST"
    asked = QueryDict(request.POST.get("filter", "")) if posted else request.GET
    filtered = desk.filtered(request, asked)
    if filtered is None:
        return redirect(LIST)
    if posted:
        number = checking.ask(filtered.rows, by=request.user, now=now)
        words = ngettext("%(n)s mission is asked.", "%(n)s missions are asked.", number) % {"n": number}
        messages.success(request, words)
        return redirect("admin:missions_registercheck_changelist")
    those = list(checking.to_ask(filtered.rows, now).with_state())
    without = filtered.rows.not_reachable(timezone.localdate(now)).count()
    return _page(
        request,
        site,
        "ask",
        _("The yearly check"),
        filtered=filtered,
        asked=asked.urlencode(),
        back=f"{reverse(LIST)}?{asked.urlencode()}",
        number=len(those),
        names=[mission.name for mission in those[:MOST_NAMES]],
        others=max(0, len(those) - MOST_NAMES),
        already=filtered.count - len(those) - without,
        without=without,
        year=timezone.localdate(now).year,
    )
