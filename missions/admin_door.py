"""What was noted on the day, as lists to look through; the door list itself hangs under them. Room: missions."""

from functools import partial

from django.contrib import admin
from django.db.models import Q
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.listing import ReadOnly
from missions import desk_door
from missions.listing import SeriesFilter
from missions.models import DoorNote, FloorQuestion, PermanentMission
from presessions.upr.dates import in_words
from presessions.upr.names import fold

STATE = "meeting__state_under_review__state"


class NoteSeriesFilter(SeriesFilter):
    path = "meeting__state_under_review__session__series"


class OfTheDay(ReadOnly):
    """Noted at the door and never changed here: a later note counts instead."""

    list_select_related = ("mission__state", "meeting__state_under_review__state", "by")
    list_filter = (NoteSeriesFilter,)
    list_display_links = None
    search_fields = ("mission__search_key",)
    search_hint = gettext_lazy("A mission’s name in any language, or the name of the State under Review")
    change_list_template = "admin/missions/door/change_list.html"
    ordering = ("-noted_at", "-pk")

    def get_search_results(self, request, rows, term):
        if not term:
            return rows, False
        missions = PermanentMission.objects.named_like(term).values("pk")
        return rows.filter(Q(mission__in=missions) | Q(**{f"{STATE}__search_key__contains": fold(term)})), False

    @admin.display(description=gettext_lazy("noted at"), ordering="noted_at")
    def moment(self, row):
        return in_words(row.noted_at)

    @admin.display(description=gettext_lazy("meeting on"), ordering=f"{STATE}__sort_key")
    def state(self, row):
        return row.meeting.state

    @admin.display(description=gettext_lazy("mission of"), ordering="mission__sort_key")
    def mission_of(self, row):
        return row.mission or _("Somebody else in the room")


@admin.register(DoorNote)
class DoorNoteAdmin(OfTheDay):
    list_display = ("moment", "state", "mission_of", "people", "spoke", "by")

    def get_urls(self):
        def page(route, view, name):
            return path(route, self.admin_site.admin_view(partial(view, site=self.admin_site)), name=f"missions_{name}")

        return [*(page(*one) for one in desk_door.PAGES), *super().get_urls()]


@admin.register(FloorQuestion)
class FloorQuestionAdmin(OfTheDay):
    list_display = ("moment", "state", "mission_of", "question", "stands", "by")
    fields = ("meeting", "mission", "words", "noted_at", "by", "taken_back_at")

    @admin.display(description=gettext_lazy("question"))
    def question(self, row):
        return row.words or "–"

    @admin.display(description=gettext_lazy("stands"), boolean=True)
    def stands(self, row):
        return row.taken_back_at is None
