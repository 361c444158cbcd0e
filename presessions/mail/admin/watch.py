"""Alarms in the admin, the signs of life, and what staff do after a backup was restored. Room: mail."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from presessions.mail import restoring, troubles, watch
from presessions.mail.admin.steps import MOST_WORDS
from presessions.mail.models import Alarm, Pulse
from presessions.trail.steps import WrongStep
from presessions.upr.dates import in_words

SIGNS = {
    "bell": gettext_lazy("a worker heard the bell"),
    "drain": gettext_lazy("somebody looked for letters"),
    "smtp": gettext_lazy("the mail server answered"),
    "redis": gettext_lazy("Redis answered"),
    "watch": gettext_lazy("somebody watched"),
    "inbox": gettext_lazy("the inbox was read"),
}


@admin.register(Alarm)
class AlarmAdmin(admin.ModelAdmin):
    list_display = ("title", "since", "told", "end")
    list_display_links = None
    search_fields = ("code",)
    actions = ("is_dealt_with",)
    ordering = (F("ended_at").desc(nulls_first=True), "-pk")
    show_full_result_count = False
    list_per_page = 50
    change_list_template = "admin/mail/alarm/change_list.html"

    @admin.display(description=gettext_lazy("what"), ordering="code")
    def title(self, alarm):
        return troubles.Trouble(alarm.code).title

    @admin.display(description=gettext_lazy("since"), ordering="since_at")
    def since(self, alarm):
        return in_words(alarm.since_at)

    @admin.display(description=gettext_lazy("staff told"))
    def told(self, alarm):
        if not alarm.told_by:
            return _("not yet") if alarm.ended_at is None else self.admin_site.empty_value_display
        return f"{in_words(alarm.told_at)}, {alarm.get_told_by_display()}"

    @admin.display(description=gettext_lazy("ended"), ordering="ended_at")
    def end(self, alarm):
        return in_words(alarm.ended_at) if alarm.ended_at else _("lasts")

    @admin.action(description=gettext_lazy("Dealt with: end these alarms"), permissions=["change"])
    def is_dealt_with(self, request, alarms):
        now = timezone.now()
        for code in alarms.values_list("code", flat=True):
            watch.ended(code, now=now)

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("mail.view_mailing")

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("mail.change_mailing")

    def change_view(self, request, object_id, form_url="", extra_context=None):
        return redirect("admin:mail_alarm_changelist")

    def changelist_view(self, request, extra_context=None):
        last = dict(Pulse.objects.values_list("part", "at"))
        signs = [(words, last.get(part)) for part, words in SIGNS.items() if part != "inbox" or part in last]
        return super().changelist_view(request, {"signs": signs, **(extra_context or {})})

    def get_urls(self):
        restored = path("restored/", self.admin_site.admin_view(self.restored_view), name="mail_restored")
        return [restored, *super().get_urls()]

    def restored_view(self, request):
        """Compare this database with the journal, write down what has gone, start the mail. A GET changes nothing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            if not self.has_change_permission(request):
                raise PermissionDenied
            step = restoring.resume if request.POST.get("step") == "resume" else restoring.reconcile
            try:
                step(by=request.user, now=timezone.now(), reason=request.POST.get("reason", "")[:MOST_WORDS])
            except WrongStep as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(request, _("Done."))
            return redirect("admin:mail_restored")
        why = restoring.why()
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("After a restored backup"),
            "why": why,
            "found": restoring.compare() if why else None,
            "may_change": self.has_change_permission(request),
        }
        return TemplateResponse(request, "admin/mail/alarm/restored.html", context)
