"""Answers to the yearly check, on the staff's desk: the list opens on those that ask for changes. Room: missions."""

import hashlib
from functools import partial

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from applications.listing import moment, pill
from missions import checking
from missions.listing import CHANGE_LIST
from missions.models import PermanentMission, RegisterCheck
from presessions.mail.admin.steps import Question, StepsAdmin
from presessions.trail import words

Status = RegisterCheck.Status
PILLS = {Status.ASKED: "quiet", Status.CHANGES: "late", Status.LEFT: "quiet"}


class WhatFilter(admin.SimpleListFilter):
    title = gettext_lazy("what to see")
    parameter_name = "what"

    def lookups(self, request, model_admin):
        return [("asked", _("not answered")), ("settled", _("settled, or all as it was")), ("all", _("all"))]

    def choices(self, changelist):
        first, *others = super().choices(changelist)
        return [{**first, "display": _("changes to look at")}, *others]

    def queryset(self, request, checks):
        if self.value() == "all" or request.GET.get("q"):
            return checks
        if self.value() == "asked":
            return checks.filter(status=Status.ASKED)
        if self.value() == "settled":
            return checks.exclude(status__in=(Status.ASKED, Status.CHANGES))
        return checks.filter(status=Status.CHANGES)


@admin.register(RegisterCheck)
class RegisterCheckAdmin(StepsAdmin):
    change_list_template = CHANGE_LIST
    change_form_template = "admin/missions/registercheck/page.html"
    list_display = ("mission", "year", "status_pill", "asked", "answered")
    list_filter = (WhatFilter, "year")
    list_select_related = ("mission__state",)
    search_fields = ("mission__search_key",)
    search_hint = gettext_lazy("A mission’s name in any language, a code, or a whole e-mail address")
    ordering = ("-asked_at", "-pk")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("mission__state").defer("answer")

    def get_object(self, request, object_id, from_field=None):
        """The answer is read here alone."""
        checks = RegisterCheck.objects.select_related("mission__state", "settled_by")
        return checks.filter(pk=object_id).first() if str(object_id).isdecimal() else None

    def get_search_results(self, request, checks, term):
        if not term:
            return checks, False
        found = PermanentMission.objects.found_by(term)
        return checks.filter(mission__in=found.values("pk")), False

    def changelist_view(self, request, extra_context=None):
        number = checking.to_settle().count()
        title = ngettext("%(number)d mission asks for changes", "%(number)d missions ask for changes", number)
        title = title % {"number": number} if number else _("No mission asks for changes")
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_pill(self, check):
        return pill(PILLS.get(check.status, "done"), check.get_status_display())

    @admin.display(description=gettext_lazy("asked"), ordering="asked_at")
    def asked(self, check):
        return moment(check.asked_at)

    @admin.display(description=gettext_lazy("answered"), ordering="answered_at")
    def answered(self, check):
        return moment(check.answered_at)

    # One check

    def steps(self, check, request):
        return {"take_over": partial(checking.take_over, check), "leave": partial(checking.leave, check)}

    def question(self, check, step, request):
        """Asked again where the register, or what the mission wants, is not as it was shown."""
        if step != "take_over" or check.status != Status.CHANGES:
            return None
        said = [_("Before: %(before)s. After: %(after)s.") % {"before": one.before or "–", "after": one.after or "–"}
                for one in checking.differences(check)]  # fmt: skip
        title = _("Take the changes of %(mission)s over?") % {"mission": check.mission}
        return Question(title, said, _("Take the changes over"), _seen(check), sends=False)

    def page(self, check):
        return {
            "title": f"{check.mission}, {check.year}",
            "differences": checking.differences(check),
            "waits": check.status == Status.CHANGES,
            "seen": _seen(check),
            "by": check.settled_by,
        }


def _seen(check):
    """What was shown of it, in one word."""
    told = [(one.what, one.before, one.after) for one in checking.differences(check)]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


words.give(
    "missions.registercheck",
    {
        "asked": gettext_lazy("asked"),
        "same": gettext_lazy("answered: all as it was"),
        "changes": gettext_lazy("answered: asks for changes"),
        "taken_over": gettext_lazy("changes taken over"),
        "left": gettext_lazy("changes not taken over"),
    },
)
