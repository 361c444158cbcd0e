"""The trail, readable and nothing else: who did what, when, about what, and why. Room: trail, basement."""

from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from presessions.trail import history, words
from presessions.trail.models import Event, Seal, Unsealed

MOST = 5_000  # events that a list counts, and leafs through


class UpToMost(Paginator):
    """Counts no further than `MOST`: nobody reads the last page of a million, but the database would."""

    @cached_property
    def count(self):
        return self.object_list.order_by()[:MOST].count()


class Told(ChangeList):
    """A page of events in words: one query for all people, and those that ask which reasons are masked."""

    def get_results(self, request):
        super().get_results(request)
        events = list(self.result_list)
        for event, line in zip(events, history.lines(events, request, always_ask=True), strict=True):
            event.line = line
        self.result_list = events
        self.is_cut = self.result_count >= MOST


class WhatFilter(admin.SimpleListFilter):
    title = _("what")
    parameter_name = "what"

    def lookups(self, request, model_admin):
        return [
            ("looks", _("read, revealed, downloaded, exported, logged in")),
            ("refused", _("tried and refused")),
            ("staff", _("by staff")),
        ]

    def queryset(self, request, events):
        match self.value():
            case "looks":
                return events.filter(code__in=words.LOOKS)
            case "refused":
                return events.filter(refused=True)
            case "staff":
                return events.filter(staff_id__isnull=False)
        return events


class WhoFilter(admin.SimpleListFilter):
    title = _("who")
    parameter_name = "who"

    def lookups(self, request, model_admin):
        return [(str(user.pk), str(user)) for user in get_user_model().objects.order_by("name", "email")]

    def queryset(self, request, events):
        chosen = self.value() or ""
        return events.filter(staff_id=int(chosen)) if chosen.isdecimal() and len(chosen) < 19 else events


class AboutFilter(admin.SimpleListFilter):
    """All that was done to one row, as its own page links here: `?about=applications.application:K7QF2-9MXA4`."""

    title = _("about")
    parameter_name = "about"

    def lookups(self, request, model_admin):
        room, _colon, reference = request.GET.get(self.parameter_name, "").partition(":")
        return [(f"{room}:{reference}", f"{words.kind_of(room)} {reference}")] if reference else []

    def queryset(self, request, events):
        room, _colon, reference = (self.value() or "").partition(":")
        return events.filter(room=room, reference=reference) if reference else events


class KindFilter(admin.SimpleListFilter):
    """What has a page on the desk: asking the table for its own kinds would read all of it."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request, model_admin):
        models = (model for model in admin.site._registry if words.has_words(model._meta.app_label))
        found = [(model._meta.label_lower, capfirst(str(model._meta.verbose_name))) for model in models]
        return sorted(found, key=lambda one: one[1])

    def queryset(self, request, events):
        return events.filter(room=self.value()) if self.value() else events


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):
    list_display = ("when", "who", "what", "about", "why")
    list_display_links = None
    list_filter = (WhatFilter, AboutFilter, KindFilter, WhoFilter, "at")
    search_fields = ("reference",)  # what is searched stands below
    search_help_text = _("A reference or its beginning, the name of somebody on the staff, or what was done.")
    ordering = ("-pk",)  # in the order in which they were written
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = UpToMost
    actions = None
    fields = readonly_fields = ("when", "who", "what", "about", "why")
    change_list_template = "admin/trail/event/change_list.html"

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("reason")

    def get_changelist(self, request, **kwargs):
        return Told

    def get_object(self, request, object_id, from_field=None):
        event = super().get_object(request, object_id, from_field)
        if event:
            (event.line,) = history.lines([event], request)
        return event

    def get_search_results(self, request, events, term):
        term = term.strip()
        if not term:
            return events, False
        people = get_user_model().objects.filter(Q(name__icontains=term) | Q(email__iexact=term)).values_list("pk")
        said = Q(reference__startswith=term.upper()) | Q(reference=term) | Q(code__in=words.codes_like(term))
        return events.filter(said | Q(staff_id__in=[pk for (pk,) in people])), False

    def changelist_view(self, request, extra_context=None):
        context = {
            "title": _("What was done"),
            "most": MOST,
            "sealed": Seal.objects.order_by("-number").first(),
            "waiting": Unsealed.objects.all()[:MOST].count(),
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def get_urls(self):
        about = path("<int:pk>/about/", self.admin_site.admin_view(self.about_view), name="trail_event_about")
        return [about, *super().get_urls()]

    def about_view(self, request, pk):
        """On to the page of what an event is about; to all events about it where it has none, or is gone."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        event = get_object_or_404(Event, pk=pk)
        page = words.pages_of(event.room, {event.reference}).get(event.reference)
        everything = urlencode({"about": f"{event.room}:{event.reference}"})
        return redirect(page or f"{reverse('admin:trail_event_changelist')}?{everything}")

    @admin.display(description=_("when"), ordering="pk")
    def when(self, event):
        moment = date_format(localtime(event.at), "j M Y H:i:s")
        return format_html('<time datetime="{}">{}</time>', event.at.isoformat(), moment)

    @admin.display(description=_("who"))
    def who(self, event):
        return event.line.who or self.admin_site.empty_value_display

    @admin.display(description=_("what"))
    def what(self, event):
        words_of_it = capfirst(event.line.what)
        if event.refused:
            return format_html('{} <span class="pill pill-bad">{}</span>', words_of_it, _("refused"))
        return words_of_it

    @admin.display(description=_("about"))
    def about(self, event):
        about = format_html('{} <span class="nowrap">{}</span>', capfirst(event.line.kind), event.reference)
        return format_html('<a href="{}">{}</a>', event.line.url, about)

    @admin.display(description=_("why"))
    def why(self, event):
        if event.line.locked:
            return _("masked")
        return event.line.reason or self.admin_site.empty_value_display
