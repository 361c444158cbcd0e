"""Alarms in the admin, the signs of life, and what staff do after a backup was restored. Room: mail."""

from functools import partial

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from presessions import trail
from presessions.mail import restoring, troubles, watch
from presessions.mail.admin.steps import MOST_WORDS, StepsAdmin
from presessions.mail.models import Alarm, Mailing, Pulse
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


def _end(alarm, *, by, now, reason):
    """Staff have dealt with it. What still lasts is found again at the next look, and told again."""
    with transaction.atomic():
        done = watch.ended(alarm.code, now=now)
        trail.record(alarm, "end", now=now, by=by, refused=not done, reason=reason)
    if not done:
        raise WrongStep(_("This alarm has already ended."))


@admin.register(Alarm)
class AlarmAdmin(StepsAdmin):
    list_display = ("title", "since", "told", "end")
    search_fields = ("code",)
    ordering = (F("ended_at").desc(nulls_first=True), "-pk")
    change_list_template = "admin/mail/alarm/change_list.html"
    change_form_template = "admin/mail/alarm/page.html"

    @admin.display(description=gettext_lazy("what"), ordering="code")
    def title(self, alarm):
        return capfirst(troubles.Trouble(alarm.code).title)

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

    def steps(self, alarm, request):
        return {"end": partial(_end, alarm)} if alarm.ended_at is None else {}

    def page(self, alarm):
        number = alarm.code.partition(":")[2]
        mailing = Mailing.objects.with_series().filter(pk=number).first() if number.isdigit() else None
        trouble = troubles.Trouble(alarm.code, alarm.since_at, mailing=mailing, detail=alarm.detail)
        is_ours = trouble.what in troubles.FOUND
        return {
            "title": capfirst(trouble.title),
            "trouble": trouble,
            "told": self.told(alarm),
            "ends_by_itself": is_ours,
        }

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("mail.view_mailing")

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("mail.change_mailing")

    def changelist_view(self, request, extra_context=None):
        last = dict(Pulse.objects.values_list("part", "at"))
        signs = [(words, last.get(part)) for part, words in SIGNS.items() if part != "inbox" or part in last]
        return super().changelist_view(request, {"title": _("Alarms"), "signs": signs, **(extra_context or {})})

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
            steps = {"forget": restoring.forget_again, "resume": restoring.resume}
            step = steps.get(request.POST.get("step"), restoring.reconcile)
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
            "back": restoring.come_back() if why else 0,
            "may_change": self.has_change_permission(request),
        }
        return TemplateResponse(request, "admin/mail/alarm/restored.html", context)
