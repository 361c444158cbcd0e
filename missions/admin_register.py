"""The register of Permanent Missions on the staff's desk: the list, one mission, its addresses. Room: missions."""

from functools import partial

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.exporting import Exports, kept
from applications.listing import moment, pill
from missions import checking, desk_register, exports, keeping
from missions.listing import number_of
from missions.models import MissionAddress, MissionTask, PermanentMission, RegisterCheck
from presessions import vault
from presessions.trail import words

CHECKS = "missions.view_registercheck"
MOST_CHECKS = 10  # on a mission's page


class AddressesFormSet(forms.BaseInlineFormSet):
    def clean(self):
        """The same address twice would be one letter twice, one day."""
        super().clean()
        seen = set()
        for form in self.forms:
            email = form.cleaned_data.get("email") if hasattr(form, "cleaned_data") else None
            if not email or form.cleaned_data.get("DELETE"):
                continue
            if vault.normal_email(email) in seen:
                form.add_error("email", _("This address stands here already."))
            seen.add(vault.normal_email(email))


class MissionForm(forms.ModelForm):
    def clean(self):
        """Of a State it can be proved that it was invited, or that nobody could be: who says so must be known."""
        said = super().clean()
        if said.get("in_geneva") == PermanentMission.InGeneva.NO and not said.get("source", "").strip():
            self.add_error("source", _("Who says that there is no mission in Geneva? Name the list, or the person."))
        return said


class AddressInline(admin.StackedInline):
    model = MissionAddress
    formset = AddressesFormSet
    fields = (("email", "role", "position"), ("valid_from", "valid_until"), "bounced_at")
    extra = 0
    verbose_name_plural = gettext_lazy("addresses: letters go to the first that is valid and has not bounced")


class ReachedFilter(admin.SimpleListFilter):
    title = gettext_lazy("can be written to")
    parameter_name = "reached"

    def lookups(self, request, model_admin):
        return [("yes", _("yes")), ("no", _("no"))]

    def queryset(self, request, missions):
        today = timezone.localdate()
        if self.value() == "yes":
            return missions.reachable(today)
        return missions.not_reachable(today) if self.value() == "no" else missions


class CheckedFilter(admin.SimpleListFilter):
    title = gettext_lazy("checked")
    parameter_name = "checked"

    def lookups(self, request, model_admin):
        return [("no", _("not for a year")), ("yes", _("within a year"))]

    def queryset(self, request, missions):
        recent = Q(checked_at__gt=timezone.now() - checking.A_YEAR)
        if self.value() == "yes":
            return missions.filter(recent)
        return missions.exclude(recent) if self.value() == "no" else missions


class AddressesFilter(admin.SimpleListFilter):
    title = gettext_lazy("addresses")
    parameter_name = "stand"

    def lookups(self, request, model_admin):
        return [("bounced", _("one has bounced")), ("none", _("none at all"))]

    def queryset(self, request, missions):
        addresses = MissionAddress.objects.filter(mission=OuterRef("pk"))
        if self.value() == "bounced":
            return missions.filter(Exists(addresses.exclude(bounced_at=None)))
        return missions.filter(~Exists(addresses)) if self.value() == "none" else missions


@admin.register(PermanentMission)
class PermanentMissionAdmin(Exports, admin.ModelAdmin):
    audiences = (exports.REGISTER,)
    form = MissionForm
    change_list_template = "admin/missions/permanentmission/change_list.html"
    change_form_template = "admin/missions/permanentmission/change_form.html"
    list_display = ("name", "code", "in_geneva_pill", "language", "addresses", "is_reached", "checked")
    list_filter = (ReachedFilter, AddressesFilter, CheckedFilter, "in_geneva", "kind", "language")
    list_per_page = 250  # all of them: people look for a State with the eye first
    search_fields = ("search_key",)
    search_hint = gettext_lazy("A name in any language, a code, or a whole e-mail address")
    ordering = ("sort_key",)
    show_full_result_count = False
    inlines = (AddressInline,)
    actions = None
    fieldsets = (
        (None, {"fields": ("kind", "code", "state", ("in_geneva", "as_of"), "source", "language")}),
        (
            gettext_lazy("Form of address in letters"),
            {
                "description": gettext_lazy(
                    "The first line of each letter in that language, with its comma or colon. "
                    "Empty: the usual one, “Excellency,” in the language of the letter."
                ),
                "fields": exports.FORMS,
            },
        ),
        (
            gettext_lazy("Names of an observer"),
            {
                "classes": ("collapse",),
                "description": gettext_lazy("A State’s names come from the calendar."),
                "fields": ("name_en", "name_fr", "name_es", "name_ar", "name_zh", "name_ru"),
            },
        ),
    )

    def get_urls(self):
        pages = (
            ("import/", desk_register.import_list, "import", {}),
            ("ask/", desk_register.ask, "ask", {"desk": self}),
        )
        ours = [
            path(
                route,
                self.admin_site.admin_view(partial(view, site=self.admin_site, **more)),
                name=f"missions_permanentmission_{name}",
            )
            for route, view, name, more in pages
        ]
        return [*ours, *super().get_urls()]

    def filtered(self, request, asked):
        """The missions that the list shows under the filters of its address, or None where it would show an error."""
        return self._filtered(request, kept(asked))

    def changelist_view(self, request, extra_context=None):
        ours = {"may_keep": self.has_change_permission(request), "asked": request.GET.urlencode()}
        return super().changelist_view(request, {**ours, **(extra_context or {})})

    # One mission

    def history_view(self, request, object_id, extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        return redirect("admin:missions_permanentmission_change", object_id)  # our history is part of the page

    def render_change_form(self, request, context, obj=None, **kwargs):
        if obj:
            checks = RegisterCheck.objects.filter(mission=obj) if request.user.has_perm(CHECKS) else ()
            context["checks"] = checks[:MOST_CHECKS]
        return super().render_change_form(request, context, obj=obj, **kwargs)

    def get_queryset(self, request):
        addresses = MissionAddress.objects.filter(mission=OuterRef("pk"))
        valid = addresses.valid(timezone.localdate())
        counted = {"address_count": number_of(addresses, "mission"), "reached": Exists(valid)}
        return super().get_queryset(request).with_state().annotate(**counted)

    def get_readonly_fields(self, request, obj=None):
        return ("kind", "code", "state", "to_reach") if obj else ()

    def get_fieldsets(self, request, obj=None):
        to_reach = (gettext_lazy("To reach by other means"), {"fields": ("to_reach",)})
        first = (to_reach,) if obj and MissionTask.objects.open().filter(mission=obj).exists() else ()
        return (*first, *super().get_fieldsets(request, obj))

    @admin.display(description=gettext_lazy("tasks"))
    def to_reach(self, mission):
        tasks = MissionTask.objects.open().with_names().filter(mission=mission)
        lines = [
            (reverse("admin:missions_missiontask_change", args=[task.pk]), task.series or "", task.get_reason_display())
            for task in tasks
        ]
        return format_html_join(mark_safe("<br>"), '<a href="{}">{}</a>: {}', lines)

    def has_delete_permission(self, request, obj=None):
        return False

    def get_search_results(self, request, missions, term):
        return (missions.found_by(term) if term else missions), False

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        codes = keeping.codes_of(form.changed_data) if change else ["added"]
        for formset in formsets:
            codes += [keeping.ADDED for _address in formset.new_objects]
            codes += [keeping.code_of_address(*changed) for changed in formset.changed_objects]
            codes += [keeping.REMOVED for _address in formset.deleted_objects]
        keeping.record(form.instance, dict.fromkeys(codes), now=timezone.now(), by=request.user)

    def log_addition(self, request, obj, message):
        """The trail keeps who did what."""

    def log_change(self, request, obj, message):
        """As above."""

    @admin.display(description=gettext_lazy("mission of"), ordering="sort_key")
    def name(self, mission):
        return mission.name

    @admin.display(description=gettext_lazy("in Geneva"), ordering="in_geneva")
    def in_geneva_pill(self, mission):
        kinds = {"yes": "done", "no": "late"}
        return pill(kinds.get(mission.in_geneva, "quiet"), mission.get_in_geneva_display())

    @admin.display(description=gettext_lazy("addresses"))
    def addresses(self, mission):
        return mission.address_count

    @admin.display(description=gettext_lazy("can be written to"), boolean=True)
    def is_reached(self, mission):
        return mission.reached

    @admin.display(description=gettext_lazy("checked"), ordering="checked_at")
    def checked(self, mission):
        return moment(mission.checked_at)


words.give(
    "missions.permanentmission",
    {
        "language_changed": gettext_lazy("language of letters changed"),
        "geneva_changed": gettext_lazy("what is known of a mission in Geneva changed"),
        "form_changed": gettext_lazy("form of address changed"),
        "address_added": gettext_lazy("address added"),
        "address_changed": gettext_lazy("address changed"),
        "address_ended": gettext_lazy("address ended"),
        "address_removed": gettext_lazy("address taken out"),
        "address_works": gettext_lazy("mark of a bounce taken away"),
        "imported": gettext_lazy("changed by a list"),
        "check_asked": gettext_lazy("asked whether all is right"),
        "check_same": gettext_lazy("the mission says that all is right"),
        "check_changes": gettext_lazy("the mission asks for changes"),
        "check_taken_over": gettext_lazy("changes of the mission taken over"),
        "check_left": gettext_lazy("changes of the mission not taken over"),
    },
)
