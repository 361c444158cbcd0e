"""Applications, calls and contacts on the staff's desk. Room: applications; its own pages are in `desk`.

What happened is changed by steps and never typed over, so most rows are only read here. Names and addresses of
applicants stand on no list: a row is known by its random reference.
"""

from functools import partial

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications import (
    admin_contacts,  # noqa: F401 -- contacts register themselves, and so do organisations
    admin_organisations,  # noqa: F401
    at_risk,
    desk,
    desk_agenda,
    desk_asking,
    desk_at_risk,
    desk_decisions,
    desk_entering,
    desk_erasing,
    desk_figures,
    desk_late,
    desk_matrix,
    desk_panel,
    desk_recommendations,
    desk_reversal,
    desk_review,
    desk_seat,
    exports,
    thin,
    work,
)
from applications.exporting import Exports
from applications.forms.last_minute import LastMinuteField
from applications.listing import Readable, by_reference_or_address, moment, pill
from applications.mailings import extension
from applications.models import Application, Assessment, Call, StateCall, Theme
from presessions.mail import schedule
from presessions.private_search import SearchedInPrivate
from presessions.upr.dates import last_minute_words
from presessions.upr.dialogue import AsksBeforeMovingDates
from presessions.upr.models import Series, State
from presessions.upr.names import fold


class SeriesFilter(admin.SimpleListFilter):
    title = gettext_lazy("series")
    parameter_name = "series"

    def lookups(self, request, model_admin):
        return [(series.pk, str(series)) for series in Series.objects.exclude(call=None).select_related("session")]

    def queryset(self, request, queryset):
        chosen = self.value() or ""
        return self.of_series(queryset, int(chosen)) if chosen.isdecimal() and len(chosen) < 10 else queryset

    def of_series(self, applications, series):
        """By the few calls of its States: through all the tables between, 100,000 would be sorted."""
        state_calls = StateCall.objects.filter(call__series=series).values_list("pk", flat=True)
        return applications.filter(state_call__in=list(state_calls))


class SeriesOfCallFilter(SeriesFilter):
    def of_series(self, state_calls, series):
        return state_calls.filter(call__series=series)


class ThinFilter(admin.SimpleListFilter):
    title = gettext_lazy("applications")
    parameter_name = "thin"

    def lookups(self, request, model_admin):
        return [("yes", _("too few, and the deadline near or past"))]

    def queryset(self, request, state_calls):
        return thin.thin(state_calls, timezone.now()) if self.value() == "yes" else state_calls


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("State")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        states = State.objects.filter(reviews__meeting__state_call__isnull=False).distinct()
        return [(state.pk, state.name) for state in states]

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        state_calls = StateCall.objects.filter(meeting__state_under_review__state=self.value())
        return queryset.filter(state_call__in=list(state_calls.values_list("pk", flat=True)))


class WorkFilter(admin.SimpleListFilter):
    """Opens on what waits for staff; a search looks everywhere."""

    title = gettext_lazy("where it stands")
    parameter_name = "stands"

    def lookups(self, request, model_admin):
        statuses = [(value, label) for value, label in Application.Status.choices if value != "submitted"]
        return [*((one.code or None, one.label) for one in work.WORK), *statuses, ("all", _("all"))]

    def choices(self, changelist):
        for lookup, title in self.lookup_choices:
            yield {
                "selected": self.value() == lookup,
                "query_string": changelist.get_query_string(
                    {self.parameter_name: lookup} if lookup else {}, [self.parameter_name]
                ),
                "display": title,
            }

    def queryset(self, request, queryset):
        chosen = self.value()
        if chosen is None and request.GET.get("q"):
            return queryset
        if found := work.find(chosen):
            return found.rows(queryset, timezone.now(), request.user)
        return queryset.filter(status=chosen) if chosen in Application.Status else queryset


DESKS = (  # each names its own PAGES
    desk_decisions, desk_reversal, desk_asking, desk_late, desk_review, desk_matrix, desk_figures,
    desk_recommendations,
)  # fmt: skip


@admin.register(Application)
class ApplicationAdmin(SearchedInPrivate, Exports, Readable):
    audiences = exports.AUDIENCES
    list_display = ("known_as", "state", "institution", "status_pill", "assessments", "prepared_pill", "sent")
    list_filter = (WorkFilter, SeriesFilter, StateFilter, "at_risk")
    search_fields = ("reference",)
    search_hint = gettext_lazy("A reference or its beginning, or a whole e-mail address.")
    ordering = ("-submitted_at",)
    change_list_template = "admin/applications/application/change_list.html"

    def get_queryset(self, request):
        counted = Assessment.objects.filter(application=OuterRef("pk")).order_by().values("application")
        counted = Coalesce(Subquery(counted.annotate(number=Count("pk")).values("number")), 0)
        return super().get_queryset(request).with_state().without_words().annotate(assessment_count=counted)

    def get_search_results(self, request, queryset, search_term):
        words = search_term.strip()
        found = by_reference_or_address(queryset, words) if words else queryset
        return (at_risk.found_by_address(request, found) if "@" in words else found), False

    @admin.display(description=gettext_lazy("reference"), ordering="reference")
    def known_as(self, application):
        masked = pill("bad", _("at risk")) if application.at_risk else ""
        return format_html('<span class="reference">{}</span> {}', application.reference, masked)

    @admin.display(
        description=gettext_lazy("State"), ordering="state_call__meeting__state_under_review__state__sort_key"
    )
    def state(self, application):
        return application.state_call.state.name

    @admin.display(description=gettext_lazy("institution"), ordering="kind")
    def institution(self, application):
        return application.short_kind or self.admin_site.empty_value_display

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_pill(self, application):
        return pill(desk.PILLS[application.status], application.get_status_display())

    @admin.display(description=gettext_lazy("assessments"), ordering="assessment_count")
    def assessments(self, application):
        return application.assessment_count

    @admin.display(description=gettext_lazy("prepared"), ordering="prepared")
    def prepared_pill(self, application):
        open_to_it = application.prepared and application.status in Application.ANSWERABLE
        return pill("late", application.get_prepared_display()) if open_to_it else self.admin_site.empty_value_display

    @admin.display(description=gettext_lazy("sent"), ordering="submitted_at")
    def sent(self, application):
        return moment(application.submitted_at)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        return desk.application_page(request, self.admin_site, self.get_key(object_id))

    history_view = change_view  # our history is part of the page

    def get_key(self, object_id):
        return int(object_id) if str(object_id).isdecimal() else 0

    def get_urls(self):
        def page(route, view, name):
            return path(
                route, self.admin_site.admin_view(partial(view, site=self.admin_site)), name=f"applications_{name}"
            )

        return [
            page("<int:pk>/assess/", desk.assess, "assess"),
            page("<int:pk>/prepare/", desk.prepare, "prepare"),
            page("<int:pk>/document/<int:attachment_pk>/", desk.document, "document"),
            page("<int:pk>/security-note/", desk.security_note, "security_note"),
            page("<int:pk>/passport/", desk_seat.passport, "passport"),
            page("<int:pk>/reveal/", desk_at_risk.reveal, "reveal"),
            page("<int:pk>/hide/", desk_at_risk.hide, "hide"),
            page("<int:pk>/at-risk/", desk_at_risk.mark, "mark_at_risk"),
            page("<int:pk>/not-at-risk/", desk_at_risk.unmark, "unmark_at_risk"),
            page("<int:pk>/erase/", desk_erasing.erase, "erase"),
            page("enter/", desk_entering.enter, "enter"),
            page("enter/stop/", desk_entering.stop, "enter_stop"),
            page("<int:pk>/enter/", desk_entering.go_on, "enter_go_on"),
            *(page(*one) for room in DESKS for one in room.PAGES),
            *(page(*one) for one in (*desk_panel.PAGES, *desk_agenda.PAGES)),
            *super().get_urls(),
        ]


# --- Calls -----------------------------------------------------------------------------------------------------------


class ReasonForm(forms.ModelForm):
    """A change of dates, and why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=gettext_lazy("Why the date changes; for staff, kept in the history."),
    )


def last_minute_field(help_text):
    return LastMinuteField(label=gettext_lazy("Last minute to apply"), help_text=help_text, required=False)


class NewCallForm(forms.ModelForm):
    closes_at = last_minute_field(gettext_lazy("Geneva time, for instance 23:59."))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "series" in self.fields:
            self.fields["series"].queryset = Series.objects.filter(call=None).select_related("session")

    def clean(self):
        answers = super().clean()
        opens_at, closes_at = answers.get("opens_at"), answers.get("closes_at")
        if opens_at and closes_at and closes_at <= opens_at:
            self.add_error("closes_at", _("The call cannot close before it opens."))
        return answers


class CallForm(NewCallForm, ReasonForm):
    pass


class DatedBySteps(AsksBeforeMovingDates, admin.ModelAdmin):
    """Rows whose dates other things hang on: changed by the model's own step, which announces them."""

    actions = None
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def has_delete_permission(self, request, obj=None):
        return False

    def get_fields(self, request, obj=None):
        fields = super().get_fields(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fields
        return ["closes" if name == "closes_at" else name for name in fields]  # in words, to those who only read

    def in_words(self, closes_at):
        return last_minute_words(closes_at) if closes_at else self.get_empty_value_display()


@admin.register(Call)
class CallAdmin(DatedBySteps):
    list_display = ("series", "opens", "closes", "minimum")
    list_select_related = ("series__session",)
    search_fields = ("series__session__number",)
    ordering = ("-series__session__number",)

    def get_form(self, request, obj=None, change=False, **kwargs):
        return super().get_form(request, obj, change, form=CallForm if obj else NewCallForm, **kwargs)

    def get_readonly_fields(self, request, obj=None):
        return ("series",) if obj else ()

    def save_model(self, request, obj, form, change):
        now, answers = timezone.now(), form.cleaned_data
        if not change:
            # The form has made sure that the series has no call yet.
            opened = Call.open_for(**answers, now=now, by=request.user)
            obj.pk = opened.pk
            obj.refresh_from_db()
            return
        if not form.has_changed():
            return
        plain = {name: answers[name] for name in ("minimum", "statement_lead_days", "confirm_days")}
        Call.objects.filter(pk=obj.pk).update(**plain)
        obj.move_deadline(
            answers["closes_at"], opens_at=answers["opens_at"], now=now, by=request.user, reason=answers["reason"]
        )

    @admin.display(description=gettext_lazy("opens"), ordering="opens_at")
    def opens(self, call):
        return moment(call.opens_at)

    @admin.display(description=gettext_lazy("closes"), ordering="closes_at")
    def closes(self, call):
        return self.in_words(call.closes_at)


class StateCallForm(ReasonForm):
    closes_at = last_minute_field(gettext_lazy("Geneva time, for instance 23:59. Empty: with the series’ call."))

    class Meta:
        model = StateCall
        fields = ("closes_at", "reason")

    def clean(self):
        answers = super().clean()
        if "closes_at" in self.changed_data and not answers.get("reason"):
            self.add_error("reason", _("Please say why this State has a date of its own."))
        return answers


@admin.register(StateCall)
class StateCallAdmin(DatedBySteps):
    form = StateCallForm
    list_display = ("state", "series", "closes", "own_date", "applications", "reason")
    list_filter = (ThinFilter, SeriesOfCallFilter)
    search_fields = ("meeting__state_under_review__state__search_key",)
    ordering = ("-call__series__session__number", "meeting__state_under_review__state__sort_key")
    fields = ("state", "series", "of_the_series", "closes_at", "reason", "mails")
    readonly_fields = ("state", "series", "of_the_series", "mails")

    def has_add_permission(self, request):
        return False

    def get_queryset(self, request):
        return thin.counted(super().get_queryset(request).with_state())

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, fold(search_term))

    def save_model(self, request, obj, form, change):
        if form.has_changed():
            answers = form.cleaned_data
            now = timezone.now()
            obj.extend(answers["closes_at"], now=now, by=request.user, reason=answers["reason"])
            waiting = extension.waiting(obj)
            if waiting:
                words = format_html(_("Waits for your decision: {}"), self._links(waiting))
                messages.info(request, words)

    @admin.display(description=gettext_lazy("State"))
    def state(self, state_call):
        return state_call.state.name

    @admin.display(description=gettext_lazy("series"))
    def series(self, state_call):
        return str(state_call.series)

    @admin.display(description=gettext_lazy("closes"))
    def closes(self, state_call):
        return self.in_words(state_call.deadline)

    @admin.display(description=gettext_lazy("the series’ call closes"))
    def of_the_series(self, state_call):
        return self.in_words(state_call.call.closes_at)

    @admin.display(description=gettext_lazy("a date of its own"), boolean=True)
    def own_date(self, state_call):
        return state_call.closes_at is not None

    @admin.display(description=gettext_lazy("mails about more time"))
    def mails(self, state_call):
        """Those that were proposed when this State got more time, and where each stands."""
        rows = [
            (reverse("admin:mail_mailing_change", args=[one.pk]), one.label, schedule.standing(one))
            for one in extension.mails(state_call)
        ]
        return format_html_join(mark_safe("<br>"), '<a href="{}">{}</a>: {}', rows) or self.get_empty_value_display()

    def _links(self, mailings):
        rows = [(reverse("admin:mail_mailing_change", args=[one.pk]), one.label) for one in mailings]
        return format_html_join(", ", '<a href="{}">{}</a>', rows)

    @admin.display(description=gettext_lazy("applications sent"))
    def applications(self, state_call):
        return state_call.application_count


# --- Themes ----------------------------------------------------------------------------------------------------------


@admin.register(Theme)
class ThemeAdmin(admin.ModelAdmin):
    list_display = ("name_en", "name_fr", "position")
    search_fields = ("name_en", "name_fr")
    prepopulated_fields = {"slug": ("name_en",)}
    show_full_result_count = False
