"""What came back, in the admin: the list opens on what a person must read. Room: mail.

The words are a stranger's: they are shown as text, never as a page, and never in the list.
"""

from functools import partial

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from presessions.mail import registry
from presessions.mail.admin import listing
from presessions.mail.admin.steps import StepsAdmin
from presessions.mail.models import Letter, Report
from presessions.private_search import PrivateSearch, SearchedInPrivate
from presessions.upr.dates import in_words

Verdict = Report.Verdict

PILLS = {
    Verdict.HARD: "bad",
    Verdict.LOST: "bad",
    Verdict.FORGED: "bad",
    Verdict.COMPLAINT: "late",
    Verdict.UNKNOWN: "late",
    Verdict.DELIVERED: "done",
}

MEANINGS = {
    Verdict.HARD: gettext_lazy(
        "The letter did not arrive, and nothing more is sent to this address. A mission’s letter goes to its next "
        "address; where there is none, it is a task for somebody."
    ),
    Verdict.LOST: gettext_lazy(
        "The letter did not arrive, but the address may work: a full mailbox, a refusal, a server that stayed away. "
        "The address is not marked."
    ),
    Verdict.SOFT: gettext_lazy("A server has the letter and keeps trying. There is nothing to do."),
    Verdict.DELIVERED: gettext_lazy("The letter arrived."),
    Verdict.AUTOMATIC: gettext_lazy("A machine answered, such as the notice of an absence. There is nothing to do."),
    Verdict.COMPLAINT: gettext_lazy(
        "Somebody called the letter unwanted. A contact is taken off the list; with a mission, somebody should talk."
    ),
    Verdict.FORGED: gettext_lazy(
        "It was sent to an address that we never gave out, or names two different letters: somebody may be trying to "
        "have letters counted as returned. No letter was changed."
    ),
    Verdict.UNKNOWN: gettext_lazy(
        "Our rules do not understand it, or nothing proves which letter it speaks of. It is left unread in the "
        "mailbox. No letter was changed."
    ),
}


class EyesFilter(admin.SimpleListFilter):
    title = gettext_lazy("what to see")
    parameter_name = "eyes"

    def lookups(self, request, model_admin):
        return [("all", _("all"))]

    def choices(self, changelist):
        first, *others = super().choices(changelist)
        return [{**first, "display": _("to read")}, *others]

    def queryset(self, request, reports):
        others = request.GET.get("q") or request.GET.get("verdict__exact")
        return reports if self.value() == "all" or others else reports.for_a_person()


class Inbox(PrivateSearch):
    def get_results(self, request):
        super().get_results(request)
        reports = list(self.result_list)
        listing.name_recipients([report.letter for report in reports if report.letter])
        self.result_list = reports


@admin.register(Report)
class ReportAdmin(SearchedInPrivate, listing.OnlyFilters, StepsAdmin):
    list_display = ("verdict_pill", "recipient", "read", "code", "dealt_with")
    list_filter = (EyesFilter, "verdict")
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("code",)  # what is searched stands below
    search_help_text = gettext_lazy(
        "A code such as 5.1.1, a mission or its State in any language, the beginning of a letter’s key, a Message-ID."
    )
    ordering = ("-read_at", "-pk")
    change_form_template = "admin/mail/report/page.html"

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("mail.view_letter")

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("mail.change_letter")

    def get_queryset(self, request):
        reports = super().get_queryset(request).select_related("letter")
        sealed = [f"letter__{name}" for name in Letter.SEALED]
        in_list = request.resolver_match.url_name.endswith("changelist")
        return reports.defer(*sealed, *(["text"] if in_list else []))

    def get_changelist(self, request, **kwargs):
        return Inbox

    def get_search_results(self, request, reports, term):
        term = term.strip()
        if not term:
            return reports, False
        letters = listing.found(Letter.objects.order_by(), term)
        if listing.is_address(term):
            letters = listing.without_masked(request, letters)
            return reports.filter(letter__in=letters.values("pk")), False
        return reports.filter(Q(code=term[:20]) | Q(letter__in=letters.values("pk"))), False

    def changelist_view(self, request, extra_context=None):
        number = Report.objects.for_a_person().count()
        title = ngettext("Inbox: %(number)d mail to read", "Inbox: %(number)d mails to read", number)
        title = title % {"number": number} if number else _("Inbox: nothing to read")
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    @admin.display(description=gettext_lazy("read"), ordering="read_at")
    def read(self, report):
        return in_words(report.read_at)

    @admin.display(description=gettext_lazy("verdict"), ordering="verdict")
    def verdict_pill(self, report):
        kind = PILLS.get(report.verdict, "quiet")
        return format_html('<span class="pill pill-{}">{}</span>', kind, report.get_verdict_display())

    @admin.display(description=gettext_lazy("letter"))
    def recipient(self, report):
        if report.letter is None:
            return self.admin_site.empty_value_display
        page = reverse("admin:mail_letter_change", args=[report.letter_id])
        return format_html('<a href="{}">{}, {}</a>', page, report.letter.label, report.letter.recipient_words)

    @admin.display(description=gettext_lazy("dealt with"), ordering="handled_at")
    def dealt_with(self, report):
        return _("yes") if report.handled_at else _("not yet")

    def steps(self, report, request):
        return {"deal_with": partial(Report.deal_with, report)}

    def page_for(self, request, report):
        if report.letter:
            registry.recipient_kind(report.letter.recipient_kind).opened(request, report.letter)
        return {**super().page_for(request, report), "masked": listing.is_masked(request, report.letter)}

    def page(self, report):
        letter = report.letter
        recipient = letter and registry.recipient_kind(letter.recipient_kind)
        return {
            "title": _("Mail that came back"),
            "verdict_pill": self.verdict_pill(report),
            "meaning": MEANINGS[report.verdict],
            "is_bad": PILLS.get(report.verdict) == "bad",
            "recipient": letter and (recipient.label([letter]).get(letter.recipient_id) or letter.recipient_id),
            "recipient_url": letter and recipient.admin_url(letter),
            "steps": [("deal_with", _("Dealt with"))] if report.handled_at is None else [],
        }
