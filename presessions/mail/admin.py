"""Staff see every timed mail before it goes and what became of it. Room: mail.

Nothing here is edited: what may be done is a step, a POST form on the row's own page, guarded in the models.
"""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from presessions.mail import outbox, registry, repairs, schedule
from presessions.mail.forms import MoveForm, RuleForm
from presessions.mail.letters import Unwritable
from presessions.mail.models import Attempt, Letter, Mailing, Switch
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import in_words

MOST_WORDS = 500  # of a reason

PILLS = {
    Mailing.State.HELD: "late",
    Mailing.State.DONE: "done",
    Mailing.State.WRITING: "open",
    Mailing.State.SENDING: "open",
    Mailing.State.NOT_NEEDED: "quiet",
    Mailing.State.CANCELLED: "quiet",
    Letter.State.SENT: "done",
    Letter.State.FAILED: "bad",
    Letter.State.BOUNCED: "bad",
    Letter.State.UNCERTAIN: "late",
    Letter.State.EXPIRED: "late",
    Letter.State.DEFERRED: "open",
}


def pill(state, label):
    return format_html('<span class="pill pill-{}">{}</span>', PILLS.get(state, "open"), label)


class StepsAdmin(admin.ModelAdmin):
    """A list to read, and a page whose buttons are steps. Subclasses give `steps` and `page`."""

    actions = None
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """The row's own page. A GET changes nothing."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        context = {}
        if request.method == "POST":
            if not self.has_change_permission(request, row):
                raise PermissionDenied
            context = self.take_step(request, row)
            if context is None:
                return redirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(row),
            "row": row,
            "may_change": self.has_change_permission(request, row),
            "events": Event.objects.about(row),
            **self.page(row),
            **context,
        }
        return TemplateResponse(request, self.change_form_template, context)

    def take_step(self, request, row):
        """Take the step whose button was pressed; a dict of bound forms when what was typed cannot be used."""
        reason = request.POST.get("reason", "")[:MOST_WORDS]
        step = self.steps(row, request).get(request.POST.get("step"))
        if step is None:
            raise Http404
        try:
            wrong = step(by=request.user, now=timezone.now(), reason=reason)
        except WrongStep as refusal:
            messages.error(request, str(refusal))
        else:
            if wrong:
                return wrong
            messages.success(request, _("Done."))
        return None


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


class EyesFilter(admin.SimpleListFilter):
    """The list opens on what needs a person; a search looks everywhere."""

    title = gettext_lazy("what to see")
    parameter_name = "eyes"

    def lookups(self, request, model_admin):
        return [("all", _("all")), ("waiting", _("on its way")), ("settled", _("settled"))]

    def choices(self, changelist):
        first, *others = super().choices(changelist)
        return [{**first, "display": _("to look at")}, *others]

    def queryset(self, request, letters):
        if self.value() == "waiting":
            return letters.unsettled()
        if self.value() == "settled":
            return letters.settled()
        return letters if self.value() == "all" or request.GET.get("q") else letters.to_look_at()


class KindFilter(admin.SimpleListFilter):
    """The registered kinds: asking the table for its own would read all of it."""

    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request, model_admin):
        return [(kind.name, kind.label) for kind in registry.KINDS.values()]

    def queryset(self, request, letters):
        return letters.filter(kind=self.value()) if self.value() else letters


@admin.register(Letter)
class LetterAdmin(StepsAdmin):
    list_display = ("key", "label", "recipient", "state_pill", "last_code", "attempts", "created_at", "sent_at")
    list_filter = (EyesFilter, "state", KindFilter)
    search_fields = ("key",)
    ordering = ("-created_at",)
    change_list_template = "admin/mail/letter/change_list.html"
    change_form_template = "admin/mail/letter/page.html"

    def get_queryset(self, request):
        letters = super().get_queryset(request).select_related("mailing")
        return letters.defer(*Letter.SEALED) if request.resolver_match.url_name.endswith("changelist") else letters

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": _("Outbox"), **(extra_context or {})})

    def get_search_results(self, request, letters, term):
        """Addresses are found by their blind index: whole, or not at all."""
        term = term.strip()
        if not term:
            return letters, False
        if "@" in term and not term.startswith("<"):
            return letters.to_address(term), False
        return letters.filter(Q(key__startswith=term) | Q(recipient_id=term[:64]) | Q(message_id=term)), False

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def label(self, letter):
        return letter.label

    @admin.display(description=gettext_lazy("recipient"))
    def recipient(self, letter):
        return f"{letter.recipient_kind} {letter.recipient_id}"

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_pill(self, letter):
        words = letter.get_state_display()
        if letter.uncertain_at and letter.state != Letter.State.UNCERTAIN:
            words = _("%(state)s, perhaps twice") % {"state": words}
        return pill(letter.state, words)

    def steps(self, letter, request):
        return {
            "send_again": partial(self._send_again, letter, request),
            "arrived": partial(repairs.arrived, letter),
            "drop": partial(repairs.drop, letter),
        }

    def _send_again(self, letter, request, **why):
        fresh = repairs.send_again(letter, **why)
        if fresh.pk != letter.pk:
            page = reverse("admin:mail_letter_change", args=[fresh.pk])
            messages.info(request, format_html('{} <a href="{}">{}</a>', _("A new letter was written:"), page, fresh))

    def page(self, letter):
        state, State, newer = letter.state, Letter.State, letter.replaced_by.first()
        may_go_again = state == State.UNCERTAIN or (state in Letter.SETTLED and newer is None)
        steps = [
            ("arrived", _("It arrived"), state == State.UNCERTAIN),
            ("send_again", _("Send again"), may_go_again),
            ("drop", _("Drop"), state in (State.UNCERTAIN, State.PENDING, State.DEFERRED)),
        ]
        return {
            "state_pill": self.state_pill(letter),
            "recipient": self.recipient(letter),
            "recipient_url": registry.recipient_kind(letter.recipient_kind).admin_url(letter),
            "history": Attempt.objects.filter(letter=letter),
            "visits": [visit for link in letter.links.prefetch_related("visits") for visit in link.visits.all()],
            "newer": newer,
            "steps": [(step, words) for step, words, possible in steps if possible],
        }
