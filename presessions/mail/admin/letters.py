"""The outbox in the admin: every letter, its state, its tries and what the servers said. Room: mail."""

from functools import partial

from django.contrib import admin, messages
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from presessions.mail import registry, repairs
from presessions.mail.admin.steps import StepsAdmin, pill
from presessions.mail.models import Attempt, Letter


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
