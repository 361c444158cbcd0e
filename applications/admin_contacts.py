"""Contacts on the staff's desk: the list, one by hand, many from a list, and the end of one. Room: applications.

An address stands on no list; it is found whole, by its hash, and read on the page of its contact.
"""

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from applications import contact_import, exports, importing
from applications.exporting import Exports
from applications.forms.doors import EMAIL, AddressField
from applications.listing import Readable, by_reference_or_address, moment, pill
from applications.models import Contact
from applications.models.contact import OnTheList
from presessions.mail import languages
from presessions.private_search import SearchedInPrivate
from presessions.trail import words
from presessions.upr.models import State


class SourceField(forms.CharField):
    def __init__(self, **kwargs):
        super().__init__(
            label=gettext_lazy("Where the address comes from"),
            max_length=300,
            widget=forms.TextInput(attrs={"class": "vTextField"}),
            help_text=gettext_lazy(
                "For instance: asked by e-mail on 3 May; workshop in Dakar, May 2026, list of who agreed."
            ),
            **kwargs,
        )


class ContactForm(forms.ModelForm):
    email = AddressField(label=gettext_lazy("E-mail address"), max_length=254, error_messages=EMAIL)
    source = SourceField()

    class Meta:
        model = Contact
        fields = ("email", "language", "states", "source")
        widgets = {"states": forms.SelectMultiple(attrs={"size": 12})}
        help_texts = {"states": gettext_lazy("None means all.")}

    def clean_email(self):
        email = self.cleaned_data["email"]
        there = Contact.objects.of_address(email).confirmed().first()
        if there:
            raise forms.ValidationError(str(OnTheList(there)))
        return email


class ContactsForm(importing.ListForm):
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=settings.MAIL_LANGUAGES,
        help_text=gettext_lazy("Of lines that name none."),
    )
    source = SourceField()


class InTheListFilter(admin.SimpleListFilter):
    title = gettext_lazy("on the list")
    parameter_name = "on"

    def lookups(self, request, model_admin):
        return [
            ("confirmed", _("confirmed")),
            ("waiting", _("not confirmed yet")),
            ("bounced", _("bounced")),
            ("left", _("left")),
        ]

    def queryset(self, request, queryset):
        if self.value() == "confirmed":
            return queryset.confirmed()
        if self.value() == "waiting":
            return queryset.waiting()
        if self.value() == "bounced":
            return queryset.filter(left_at=None).exclude(bounced_at=None)
        return queryset.exclude(left_at=None) if self.value() == "left" else queryset


class NamedStateFilter(admin.SimpleListFilter):
    """The States that anybody has named; who named none is told of all."""

    title = gettext_lazy("State of interest")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        named = State.objects.filter(pk__in=Contact.states.through.objects.values("state"))
        states = [(state.pk, state.name) for state in named.sorted_by_name(get_language())]
        return [("none", _("all States (none named)")), *states]

    def queryset(self, request, queryset):
        if self.value() == "none":
            return queryset.filter(states=None)
        return queryset.filter(states=self.value()) if self.value() else queryset


class EndForm(ActionForm):
    reason = forms.CharField(label=gettext_lazy("Reason:"), required=False, max_length=300)


STATES = {
    "left": ("quiet", gettext_lazy("left")),
    "bounced": ("bad", gettext_lazy("bounced")),
    "waiting": ("late", gettext_lazy("not confirmed yet")),
    "confirmed": ("done", gettext_lazy("confirmed")),
}


def standing(contact):
    if contact.has_left:
        return "left"
    if contact.bounced_at:
        return "bounced"
    return "confirmed" if contact.confirmed_at else "waiting"


@admin.register(Contact)
class ContactAdmin(SearchedInPrivate, Exports, Readable):
    """Added by hand for somebody who asked: see Contact.enter."""

    audiences = (exports.CONTACTS,)
    form = ContactForm
    action_form = EndForm
    list_display = ("known_as", "stands", "language", "named", "asked", "entered_by")
    list_filter = (InTheListFilter, "language", NamedStateFilter)
    list_select_related = ("entered_by",)
    search_fields = ("reference",)
    search_hint = gettext_lazy("A reference or its beginning, or a whole e-mail address.")
    ordering = ("-asked_at", "-pk")
    actions = ("take_off",)
    change_list_template = "admin/applications/contact/change_list.html"
    change_form_template = "admin/applications/contact/change_form.html"
    fields = (
        "known_as", "stands", "email", "language", "states", "source", "entered_by", "asked", "confirmed", "bounced",
        "left",
    )  # fmt: skip

    def has_add_permission(self, request):
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_fields(self, request, obj=None):
        return self.fields if obj else ContactForm.Meta.fields

    def get_queryset(self, request):
        return super().get_queryset(request).defer("email", "source").prefetch_related("states")

    def get_search_results(self, request, queryset, search_term):
        words = search_term.strip()
        return (by_reference_or_address(queryset, words) if words else queryset), False

    def get_urls(self):
        ours = path("import/", self.admin_site.admin_view(self.import_view), name="applications_contact_import")
        return [ours, *super().get_urls()]

    # One by hand

    def save_model(self, request, obj, form, change):
        contact = Contact.enter(**form.cleaned_data, by=request.user, now=timezone.now())
        obj.pk = contact.pk
        obj.refresh_from_db()

    def save_related(self, request, form, formsets, change):
        """The step has named the States already."""

    def log_addition(self, request, obj, message):
        """The trail keeps who did what."""

    def response_add(self, request, obj, post_url_continue=None):
        if obj.confirmed_at:
            messages.success(request, _("On the list from now on: %(contact)s.") % {"contact": obj})
        else:
            words = _("This address has left the list, or our mail came back. Its owner is asked by mail: %(contact)s.")
            messages.warning(request, words % {"contact": obj})
        return redirect("admin:applications_contact_change", obj.pk)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except OnTheList as known:  # entered this very moment by somebody else
            messages.warning(request, str(known))
            return redirect("admin:applications_contact_change", known.contact.pk)

    # One page

    def history_view(self, request, object_id, extra_context=None):
        return redirect("admin:applications_contact_change", object_id)  # our history is part of the page

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context |= {
            "may_end": obj is not None and not obj.has_left and self.has_delete_contact_permission(request),
        }
        return super().render_change_form(request, context, add, change, form_url, obj)

    @admin.action(description=gettext_lazy("Take off the list and forget the address"), permissions=["delete_contact"])
    def take_off(self, request, queryset):
        reason, now = request.POST.get("reason", "").strip()[:300], timezone.now()
        if not reason:
            messages.error(request, _("Please say why they are taken off the list."))
            return
        for contact in queryset:
            contact.leave(now=now, by=request.user, reason=reason)
        messages.success(request, _("Taken off the list."))

    def has_delete_contact_permission(self, request):
        return request.user.has_perm("applications.delete_contact")

    # Many from a list

    def import_view(self, request):
        if not self.has_add_permission(request):
            raise PermissionDenied
        return _import(request, self)

    # Columns

    @admin.display(description=gettext_lazy("reference"), ordering="reference")
    def known_as(self, contact):
        return format_html('<span class="reference">{}</span>', contact.reference)

    @admin.display(description=gettext_lazy("on the list"))
    def stands(self, contact):
        return pill(*STATES[standing(contact)])

    @admin.display(description=gettext_lazy("States of interest"))
    def named(self, contact):
        names = sorted(state.name for state in contact.states.all())
        if not names:
            return _("all") if standing(contact) in ("confirmed", "waiting") else self.get_empty_value_display()
        shown, more = ", ".join(names[:3]), len(names) - 3
        if more <= 0:
            return shown
        words = ngettext("%(names)s and %(n)s more", "%(names)s and %(n)s more", more)
        return words % {"names": shown, "n": more}

    @admin.display(description=gettext_lazy("signed up"), ordering="asked_at")
    def asked(self, contact):
        return moment(contact.asked_at)

    @admin.display(description=gettext_lazy("confirmed"))
    def confirmed(self, contact):
        return moment(contact.confirmed_at)

    @admin.display(description=gettext_lazy("bounced"))
    def bounced(self, contact):
        return moment(contact.bounced_at)

    @admin.display(description=gettext_lazy("left"))
    def left(self, contact):
        return moment(contact.left_at)


EVENTS = {
    "asked": gettext_lazy("signed up"),
    "confirmed": gettext_lazy("confirmed"),
    "entered": gettext_lazy("entered by hand"),
    "imported": gettext_lazy("imported from a list"),
    "replaced": gettext_lazy("replaced by a newer sign-up"),
    "bounced": gettext_lazy("our mail came back"),
    "left": gettext_lazy("left the list"),
}


words.give("applications.contact", EVENTS)


# --- The import -------------------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def _import(request, desk):
    """A list is shown line by line before anything is written; what is written is what was shown."""
    first = {"language": languages.spoken(get_language())}
    form = ContactsForm(request.POST or None, request.FILES or None, initial=first)
    number, shown, status = importing.answer(
        request, form, plan=contact_import.plan, carry_out=contact_import.carry_out
    )
    if number is not None:
        return _imported(request, number)
    context = {
        **desk.admin_site.each_context(request),
        "opts": desk.opts,
        "title": _("Import contacts"),
        "most": contact_import.MOST,
        **shown,
    }
    return TemplateResponse(request, "admin/applications/contact/import.html", context, status=status)


def _imported(request, number):
    words = ngettext("%(n)s contact is on the list now.", "%(n)s contacts are on the list now.", number)
    messages.success(request, words % {"n": number})
    return redirect(f"{reverse('admin:applications_contact_changelist')}?on=confirmed")
