"""Mailings in the admin: the timetable of every series, and each mailing's own page. Room: mail."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from presessions.mail import outbox, registry, schedule
from presessions.mail.admin.steps import MOST_WORDS, StepsAdmin, pill
from presessions.mail.forms import MoveForm, RuleForm
from presessions.mail.letters import Unwritable
from presessions.mail.models import Letter, Mailing, Switch
from presessions.upr.dates import in_words


def _letters_of(**states):
    """How many letters a mailing has, without counting those of the others."""
    letters = Letter.objects.filter(mailing=OuterRef("pk"), **states).order_by().values("mailing")
    return Coalesce(Subquery(letters.annotate(number=Count("pk")).values("number")), 0)


@admin.register(Mailing)
class MailingAdmin(StepsAdmin):
    list_display = ("due", "label", "series", "state_pill", "letters", "audience")
    list_display_links = ("due", "label")
    list_filter = ("state", "kind")
    search_fields = ("kind", "series__session__number")
    ordering = ("due_at", "pk")
    change_list_template = "admin/mail/mailing/change_list.html"
    change_form_template = "admin/mail/mailing/page.html"

    def get_queryset(self, request):
        counted = {"letter_count": _letters_of(), "sent_count": _letters_of(state=Letter.State.SENT)}
        return super().get_queryset(request).with_series().annotate(**counted)

    @admin.display(description=gettext_lazy("goes out"), ordering="due_at")
    def due(self, mailing):
        return in_words(mailing.due_at) if mailing.due_at else _("waits for a date")

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def label(self, mailing):
        parts = [mailing.label, mailing.step, mailing.meeting and mailing.meeting.state.name]
        return ", ".join(filter(None, parts))

    @admin.display(description=gettext_lazy("to"))
    def audience(self, mailing):
        return mailing.audience

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_pill(self, mailing):
        words = mailing.get_state_display()
        if mailing.held_reason:
            words = _("%(state)s: %(reason)s") % {"state": words, "reason": mailing.get_held_reason_display()}
        return pill(mailing.state, words)

    @admin.display(description=gettext_lazy("letters"))
    def letters(self, mailing):
        counts = {"sent": mailing.sent_count, "all": mailing.letter_count}
        return _("%(sent)s of %(all)s sent") % counts if mailing.letter_count else self.admin_site.empty_value_display

    def get_urls(self):
        switch = path("switch/", self.admin_site.admin_view(self.switch_view), name="mail_switch")
        return [switch, *super().get_urls()]

    def switch_view(self, request):
        """Stop and start all mail."""
        if request.method != "POST" or not self.has_change_permission(request):
            raise PermissionDenied
        step = Switch.start if request.POST.get("step") == "start" else Switch.stop
        step(by=request.user, now=timezone.now(), reason=request.POST.get("reason", "")[:MOST_WORDS])
        return redirect("admin:mail_mailing_changelist")

    def changelist_view(self, request, extra_context=None):
        context = {
            "title": _("Timed mail"),
            "switch": Switch.objects.first(),
            "may_change": self.has_change_permission(request),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def steps(self, mailing, request):
        return {
            "move": partial(self._move, mailing, request.POST),
            "soon": lambda now, **why: mailing.move_to(now + timedelta(minutes=2), now=now, **why),
            "rule": partial(self._change_rule, mailing, request.POST),
            "follow_rule": mailing.follow_rule,
            "hold": mailing.hold,
            "resume": mailing.resume,
            "cancel": mailing.cancel,
            "catch_up": mailing.catch_up,
        }

    def _move(self, mailing, data, **why):
        form = MoveForm(data)
        if not form.is_valid():
            return {"step_forms": self._step_forms(mailing, form, RuleForm(instance=mailing))}
        return mailing.move_to(form.cleaned_data["moved_to"], **why)

    def _change_rule(self, mailing, data, **why):
        form = RuleForm(data, instance=Mailing.objects.get(pk=mailing.pk))  # a refused rule must not show as ours
        if not form.is_valid():
            return {"step_forms": self._step_forms(mailing, MoveForm(), form)}
        return mailing.change_rule(**form.cleaned_data, **why)

    def page(self, mailing):
        people, trouble = self._audience(mailing)
        return {
            "explanation": schedule.explain(mailing, count=None if people is None else len(people)),
            "warning": schedule.short_notice(mailing),
            "state_pill": self.state_pill(mailing),
            "trouble": trouble,
            "people": people,
            "unwritten": self._unwritten(mailing, people or []),
            "counts": self._counts(mailing),
            "previews": self._previews(mailing, people or []),
            "step_forms": self._step_forms(mailing, MoveForm(), RuleForm(instance=mailing)),
        }

    def _step_forms(self, mailing, move, rule):
        """(name, heading, form, steps) for each form that this mailing's state allows."""
        state, State = mailing.state, Mailing.State
        moves = [("move", _("Move to this moment")), ("soon", _("Move to in 2 minutes"))]
        moves += [("follow_rule", _("Let the rule decide again"))] if mailing.moved_to else []
        stops = [
            ("hold", _("Hold"), state in (State.PLANNED, State.WRITING, State.SENDING)),
            ("resume", _("Let it go"), state == State.HELD),
            ("catch_up", _("Write to those not yet written to"), state in (State.SENDING, State.DONE)),
            ("cancel", _("Cancel for good"), state not in (State.DONE, State.CANCELLED)),
        ]
        forms = [("stop", _("Stop and go"), None, [(step, words) for step, words, possible in stops if possible])]
        if mailing.date_may_change:
            forms += [("move", _("Move"), move, moves)]
            forms += [("rule", _("Rule of this series"), rule, [("rule", _("Change the rule"))])]
        return [form for form in forms if form[-1]]

    def _audience(self, mailing):
        """(people, trouble): the audience as it is today, or why a room above could not list it."""
        try:
            return list(registry.plan_of(mailing).recipients(mailing)), ""
        except Exception as error:  # the page must open, above all then
            return None, type(error).__name__

    def _unwritten(self, mailing, people):
        known = set(mailing.letters.values_list("recipient_kind", "recipient_id"))
        return [person for person in people if (person.kind, str(person.id)) not in known]

    def _counts(self, mailing):
        states = mailing.letters.order_by().values_list("state").annotate(Count("pk"))
        link = f"{reverse('admin:mail_letter_changelist')}?eyes=all&mailing__id__exact={mailing.pk}&state__exact="
        return [(pill(state, Letter.State(state).label), number, link + state) for state, number in states]

    def _previews(self, mailing, people):
        """The text per language as the first such person would get it; no letter is written, no link minted."""
        previews = []
        for language, name in settings.LANGUAGES:
            person = next((person for person in people if person.language == language), None)
            person = person or (replace(people[0], language=language) if people else None)
            if person:
                previews.append((language, name, *self._preview(mailing, person)))
        return previews

    def _preview(self, mailing, person):
        try:
            text = outbox.preview(mailing.kind, person, mailing=mailing)
        except Unwritable as error:
            return "", "", str(error)
        return text.subject, text.body, ""
