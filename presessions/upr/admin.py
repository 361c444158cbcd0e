"""The calendar on the staff's desk. Nothing in it is deleted: a State is moved, a meeting called off.

Dates change by the models' own steps, which announce them in the transaction of the page. The Series page stands in
missions, the highest floor that it shows.
"""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ValidationError
from django.db import models
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from presessions.trail import record
from presessions.trail.steps import WrongStep
from presessions.upr import events  # noqa: F401 -- gives its words
from presessions.upr.dates import day_in_words, in_words
from presessions.upr.dialogue import AsksBeforeMovingDates
from presessions.upr.models import CountryMeeting, Series, State, StateUnderReview, WorkingGroupSession
from presessions.upr.names import fold
from presessions.upr.rules import overlaps


class CalendarAdmin(AsksBeforeMovingDates, admin.ModelAdmin):
    """What all pages of the calendar share."""

    show_full_result_count = False

    def has_delete_permission(self, request, obj=None):
        return False

    def get_search_results(self, request, queryset, search_term):
        """States are found in any language, without accents, case and articles."""
        return super().get_search_results(request, queryset, fold(search_term))

    def step_each(self, request, rows, step, done):
        """Take a step with each row that was ticked; a refusal is said and stops no other."""
        taken = 0
        for row in rows:
            try:
                step(row, now=timezone.now(), by=request.user)
                taken += 1
            except WrongStep as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
        if taken:
            self.message_user(request, done(taken), messages.SUCCESS)


@admin.register(State)
class StateAdmin(CalendarAdmin):
    list_display = ("name", "iso2", "regional_group")
    list_filter = ("regional_group",)
    search_fields = ("search_key", "=iso2")
    ordering = ("sort_key",)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    @admin.display(description=_("name"), ordering="sort_key")
    def name(self, state):
        return state.name


class StatesInline(admin.StackedInline):
    """Who is reviewed in this session."""

    model = StateUnderReview
    fields = ("status", "review_order", "note")
    show_change_link = True
    can_delete = False

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("state", "session")

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False


class NewStateForm(forms.ModelForm):
    """Django leaves the constraint out here, because the session comes from the page around the form."""

    def clean_state(self):
        session, state = self.instance.session, self.cleaned_data["state"]
        if session and session.states_under_review.filter(state=state).exists():
            raise ValidationError(_("This State is already in this session."))
        return state


class NewStatesInline(admin.StackedInline):
    """One more State; apart from the others, so that their page does not ask for a list of all States for each."""

    model = StateUnderReview
    form = NewStateForm
    fields = ("state", "review_order", "source", "note")
    verbose_name_plural = _("add a State to this session")
    extra = 1
    can_delete = False

    def get_queryset(self, request):
        return super().get_queryset(request).none()


@admin.register(WorkingGroupSession)
class WorkingGroupSessionAdmin(CalendarAdmin):
    list_display = ("__str__", "first", "last", "month_label", "cycle", "demonstration")
    list_filter = ("cycle", "demonstration")
    search_fields = ("number", "month_label")
    ordering = ("-number",)
    inlines = (StatesInline, NewStatesInline)

    @admin.display(description=_("first day"), ordering="starts_on")
    def first(self, session):
        return session.starts_on and day_in_words(session.starts_on)

    @admin.display(description=_("last day"), ordering="ends_on")
    def last(self, session):
        return session.ends_on and day_in_words(session.ends_on)

    def get_readonly_fields(self, request, obj=None):
        return ("demonstration", "number") if obj else ("demonstration",)

    def save_model(self, request, obj, form, change):
        now = timezone.now()
        if change and form.changed_data:
            obj.reschedule(now=now, by=request.user, **_changes(form))
        elif not change:
            super().save_model(request, obj, form, change)
            record(obj, "added", now=now, by=request.user)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        now = timezone.now()
        added = [state for formset in formsets for state in formset.new_objects]
        for state_under_review in added:
            record(state_under_review, "added", now=now, by=request.user)
        for series in Series.objects.filter(session=form.instance) if added else ():
            series.add_meetings(now=now, by=request.user)


class MoveForm(ActionForm):
    """Beside the choice of action: where the ticked States go."""

    to_session = forms.ModelChoiceField(
        WorkingGroupSession.objects.all(), required=False, label=_("to"), empty_label=_("a session not known yet")
    )


@admin.register(StateUnderReview)
class StateUnderReviewAdmin(CalendarAdmin):
    list_display = ("state", "session", "status", "review_order", "basis")
    list_filter = ("status", "session", "basis")
    search_fields = ("state__search_key", "=state__iso2")
    ordering = ("-session__number", "state__sort_key")
    readonly_fields = ("state", "session", "status", "moved_from")
    action_form = MoveForm
    actions = ("move",)

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("state", "session")

    def has_add_permission(self, request):
        return False  # a State is added on the page of its session

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        record(obj, "changed", now=timezone.now(), by=request.user)

    @admin.action(description=_("Move to another session"), permissions=["change"])
    def move(self, request, queryset):
        form = MoveForm(request.POST, auto_id=None)
        session = form.fields["to_session"].clean(request.POST.get("to_session"))

        def step(place, *, now, by):
            place.move_to(session, now=now, by=by)

        self.step_each(
            request, queryset, step, lambda n: ngettext("%(n)s State moved.", "%(n)s States moved.", n) % {"n": n}
        )


@admin.register(CountryMeeting)
class CountryMeetingAdmin(CalendarAdmin):
    list_display = ("__str__", "start", "minutes", "room", "moderator", "status")
    list_filter = ("status", "state_under_review__session")
    search_fields = ("state_under_review__state__search_key", "=state_under_review__state__iso2")
    ordering = ("-state_under_review__session__number", "starts_at", "state_under_review__state__sort_key")
    fields = (
        "state_under_review",
        ("starts_at", "minutes"),
        "room",
        "online_link",
        "moderator",
        ("status", "not_held_reason"),
    )
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    actions = ("confirm", "mark_held", "too_few", "postpone", "reinstate")

    def get_queryset(self, request):
        return super().get_queryset(request).with_state()

    @admin.display(description=_("start"), ordering="starts_at")
    def start(self, meeting):
        return meeting.starts_at and in_words(meeting.starts_at)

    def has_add_permission(self, request):
        return False  # a series has one for each of its States

    def get_readonly_fields(self, request, obj=None):
        facts = ("state_under_review", "status", "not_held_reason")
        if obj and obj.status not in CountryMeeting.AHEAD:
            return (*facts, "starts_at", "minutes", "room", "online_link", "moderator")
        return facts

    def changeform_view(self, request, *args, **kwargs):
        try:
            return super().changeform_view(request, *args, **kwargs)
        except WrongStep as refusal:  # somebody else was faster
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect(request.get_full_path())

    def say_that_nobody_was_told(self, request):
        words = _("This told nobody by itself. Open the meeting and “Who knows of it” to see whom to tell.")
        self.message_user(request, words, messages.WARNING)

    def save_model(self, request, obj, form, change):
        if form.changed_data:
            obj.reschedule(now=timezone.now(), by=request.user, **_changes(form))
        if {"starts_at", "room", "online_link"} & set(form.changed_data):
            self.say_that_nobody_was_told(request)
        for pair in overlaps(obj.series.meetings().with_state()):
            if obj in pair:
                other = next(meeting for meeting in pair if meeting != obj)
                words = _("At the same time as the meeting about %(other)s: nobody can follow both.") % {"other": other}
                self.message_user(request, words, messages.WARNING)

    @admin.action(description=_("Confirm"), permissions=["change"])
    def confirm(self, request, queryset):
        self.step_each(
            request,
            queryset,
            CountryMeeting.confirm,
            lambda n: ngettext("%(n)s meeting confirmed.", "%(n)s meetings confirmed.", n) % {"n": n},
        )

    @admin.action(description=_("Mark as held"), permissions=["change"])
    def mark_held(self, request, queryset):
        self.step_each(
            request,
            queryset,
            CountryMeeting.mark_held,
            lambda n: ngettext("%(n)s meeting marked as held.", "%(n)s meetings marked as held.", n) % {"n": n},
        )

    @admin.action(description=_("Call off: too few applications"), permissions=["change"])
    def too_few(self, request, queryset):
        self._call_off(request, queryset, CountryMeeting.NotHeld.TOO_FEW)

    @admin.action(description=_("Call off: postponed"), permissions=["change"])
    def postpone(self, request, queryset):
        self._call_off(request, queryset, CountryMeeting.NotHeld.POSTPONED)

    def _call_off(self, request, queryset, why):
        def step(meeting, *, now, by):
            meeting.call_off(why, now=now, by=by)

        self.step_each(
            request,
            queryset,
            step,
            lambda n: ngettext("%(n)s meeting called off.", "%(n)s meetings called off.", n) % {"n": n},
        )
        self.say_that_nobody_was_told(request)

    @admin.action(description=_("Plan again"), permissions=["change"])
    def reinstate(self, request, queryset):
        self.step_each(
            request,
            queryset,
            CountryMeeting.reinstate,
            lambda n: ngettext("%(n)s meeting planned again.", "%(n)s meetings planned again.", n) % {"n": n},
        )
        self.say_that_nobody_was_told(request)


def _changes(form):
    return {name: form.cleaned_data[name] for name in form.changed_data}
