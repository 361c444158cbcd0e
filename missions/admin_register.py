"""The register of Permanent Missions on the staff's desk: the list, one mission, its addresses. Room: missions."""

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.exporting import Exports
from missions import exports
from missions.listing import CHANGE_LIST, number_of, pill
from missions.models import MissionAddress, MissionTask, PermanentMission
from presessions import trail, vault


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


class AddressInline(admin.StackedInline):
    model = MissionAddress
    formset = AddressesFormSet
    fields = (("email", "role", "position"), ("valid_from", "valid_until"), "bounced_at")
    extra = 0


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


@admin.register(PermanentMission)
class PermanentMissionAdmin(Exports, admin.ModelAdmin):
    audiences = (exports.REGISTER,)
    change_list_template = CHANGE_LIST
    list_display = ("name", "code", "in_geneva_pill", "language", "addresses", "is_reached")
    list_filter = (ReachedFilter, "in_geneva", "kind", "language")
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
                "description": gettext_lazy("Empty: the usual one, “Excellency,” in the language of the letter."),
                "fields": ("address_form_en", "address_form_fr"),
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
        if "@" in term:
            return missions.with_email(term), False
        return (missions.named_like(term) if term else missions), False

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        now = timezone.now()
        trail.record(form.instance, "changed" if change else "added", now=now, by=request.user)
        if any(formset.has_changed() for formset in formsets):
            trail.record(form.instance, "addresses_changed", now=now, by=request.user)

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
