"""The register of organisations on the staff's desk: found by an exact name, put right, merged. Room: applications.

Names stand on no list; they are read on the page of one organisation, and not while all that it sent is masked.
"""

from functools import partial

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from applications import at_risk, organisations
from applications.listing import by_reference_or_address
from applications.models import Application, Organisation
from presessions import trail, vault
from presessions.mail.admin.listing import OnlyFilters
from presessions.private_search import SearchedInPrivate
from presessions.trail.references import read_reference
from presessions.trail.steps import WrongStep

CHANGE = "applications.change_organisation"
MOST_REASON = 2000


class OrganisationForm(forms.ModelForm):
    class Meta:
        widgets = {
            **dict.fromkeys(("name", "name_latin"), forms.TextInput(attrs={"class": "vTextField", "dir": "auto"})),
            "note": forms.Textarea(attrs={"class": "vLargeTextField", "rows": 4, "dir": "auto"}),
        }


@admin.register(Organisation)
class OrganisationAdmin(SearchedInPrivate, OnlyFilters, admin.ModelAdmin):
    form = OrganisationForm
    list_display = ("known_as", "kind", "applications", "last_series")
    list_filter = ("kind",)
    search_fields = ("reference",)
    search_hint = gettext_lazy("A whole name, a reference or its beginning, or a whole e-mail address.")
    ordering = ("reference",)
    fields = ("reference", "name", "name_latin", "kind", "note")
    readonly_fields = ("reference",)
    change_list_template = "admin/applications/change_list.html"
    change_form_template = "admin/applications/organisation/change_form.html"
    actions = None
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    # Names and notes are not fetched, and not decrypted, for a list.
    UNREAD = ("name", "name_latin", "note")

    def get_queryset(self, request):
        theirs = at_risk.seen_by(request, Application.objects.filter(organisation=OuterRef("pk"))).sent()
        theirs = theirs.order_by().values("organisation")
        last = theirs.annotate(last=Max("state_call__call__series__session__number")).values("last")
        number = Coalesce(Subquery(theirs.annotate(number=Count("pk")).values("number")), 0)
        found = super().get_queryset(request).annotate(application_count=number, last_number=Subquery(last))
        is_list = request.resolver_match.url_name.endswith("_changelist")
        return found.defer(*self.UNREAD) if is_list else found

    def get_search_results(self, request, queryset, search_term):
        words = search_term.replace("\0", "").strip()
        if not words:
            return queryset, False
        theirs = organisations.visible(request, queryset)
        if "@" in words:
            sent = at_risk.seen_by(request, Application.objects.all())
            sent = sent.filter(email_index__in=vault.blind_indexes("email", words))
            return theirs.filter(pk__in=sent.values("organisation")), False
        named = theirs.filter(pk__in=Organisation.objects.known_as(words).values("pk"))
        called = by_reference_or_address(queryset, words)
        found = named.order_by().values("pk").union(called.order_by().values("pk"))  # an OR would read the whole table
        return queryset.filter(pk__in=found), False

    # What one may do with a row

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not (obj and self._masked(request, obj))

    def has_delete_permission(self, request, obj=None):
        """One that has applied is not deleted: it is merged, or goes with its last application."""
        return bool(obj) and super().has_delete_permission(request, obj) and not obj.applications.exists()

    def _masked(self, request, obj):
        if not hasattr(obj, "is_masked"):
            obj.is_masked = organisations.is_masked_for(request, obj)
        return obj.is_masked

    def get_fields(self, request, obj=None):
        return ("reference", "kind") if obj and self._masked(request, obj) else self.fields

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        obj.learn(obj.name, obj.name_latin)
        trail.record(obj, "changed" if change else "entered", now=timezone.now(), by=request.user)

    def delete_model(self, request, obj):
        trail.record(obj, "deleted", now=timezone.now(), by=request.user)
        super().delete_model(request, obj)

    # Its page

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj:
            masked = self._masked(request, obj)
            context |= {
                "masked": masked,
                "sent": [] if masked else list(organisations.applications_of(request, obj)),
                "suggestions": [] if masked else organisations.suggestions(request, obj),
                "may_merge": self.has_change_permission(request, obj),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def history_view(self, request, object_id, extra_context=None):
        return redirect("admin:applications_organisation_change", object_id)  # our history is part of the page

    def get_urls(self):
        def page(route, view, name):
            return path(route, self.admin_site.admin_view(partial(view, desk=self)), name=f"applications_{name}")

        return [
            page("<int:pk>/merge/", merge, "organisation_merge"),
            page("<int:pk>/split/", split, "organisation_split"),
            *super().get_urls(),
        ]

    # Columns

    @admin.display(description=gettext_lazy("reference"), ordering="reference")
    def known_as(self, organisation):
        return format_html('<span class="reference">{}</span>', organisation.reference)

    @admin.display(description=gettext_lazy("applications"), ordering="application_count")
    def applications(self, organisation):
        return organisation.application_count

    @admin.display(description=gettext_lazy("last series"), ordering="last_number")
    def last_series(self, organisation):
        return organisation.last_number or self.get_empty_value_display()


# --- Merge and split -------------------------------------------------------------------------------------------------


def _one(request, pk):
    """An organisation that whoever asks may change, or 404; 403 without the right, and while it is masked."""
    if not request.user.has_perms([CHANGE, "applications.view_application"]):
        raise PermissionDenied
    found = get_object_or_404(Organisation, pk=pk)
    if organisations.is_masked_for(request, found):
        raise PermissionDenied
    return found


@require_http_methods(["GET", "POST"])
def merge(request, pk, desk):
    """Two of the register side by side, and what would become of them; the POST merges what was seen."""
    kept = _one(request, pk)
    other = _asked_for(request, kept, request.POST.get("with") or request.GET.get("with", ""))
    if other is None:
        return redirect("admin:applications_organisation_change", pk)
    if request.method == "POST":
        return _merge(request, kept, other)
    plan = organisations.merging(kept, other)
    context = {
        **desk.admin_site.each_context(request),
        "opts": desk.opts,
        "title": _("Merge two organisations"),
        "kept": kept,
        "other": other,
        "plan": plan,
        "stay": list(organisations.applications_of(request, kept)),
        "move": list(organisations.applications_of(request, other)),
    }
    return TemplateResponse(request, "admin/applications/organisation/merge.html", context)


def _asked_for(request, kept, words):
    """The other one, by its reference or its exact name; None, and a message, where that leads to none or to many."""
    others = organisations.visible(request, Organisation.objects.exclude(pk=kept.pk))
    found = list(others.filter(reference=read_reference(words))[:1]) or list(others.known_as(words)[:2])
    if len(found) == 1:
        return found[0]
    if found:
        messages.error(request, _("Several organisations have this name: give the reference of the one you mean."))
    else:
        messages.error(request, _("No other organisation has this reference or exactly this name."))
    return None


def _merge(request, kept, other):
    try:
        organisations.merge(
            kept,
            other,
            by=request.user,
            now=timezone.now(),
            seen=request.POST.get("seen", ""),
            take_names=request.POST.get("names") == "other",
            reason=request.POST.get("reason", "").strip()[:MOST_REASON],
        )
    except WrongStep as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Merged: all applications stand here now."))
    return redirect("admin:applications_organisation_change", kept.pk)


@require_POST
def split(request, pk, desk):
    """One of its applications is of another organisation, which only has the same name."""
    register = _one(request, pk)
    asked = request.POST.get("application", "")
    if not asked.isdecimal():
        raise Http404
    application = get_object_or_404(organisations.applications_of(request, register), pk=int(asked))
    try:
        own = organisations.split(application, by=request.user, now=timezone.now())
    except WrongStep as refusal:
        messages.error(request, str(refusal))
        return redirect("admin:applications_organisation_change", pk)
    messages.success(request, _("%(application)s has an organisation of its own now.") % {"application": application})
    return redirect("admin:applications_organisation_change", own.pk)
