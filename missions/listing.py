"""What the lists of this room share on the staff's desk. Room: missions."""

from django.contrib import admin
from django.db.models import Count, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy

from presessions.upr.models import Series

CHANGE_LIST = "admin/applications/change_list.html"  # with the hint under the search


class SeriesFilter(admin.SimpleListFilter):
    """path -- from a row to its series"""

    title = gettext_lazy("series")
    parameter_name = "series"
    path = "series"

    def lookups(self, request, model_admin):
        return [(series.pk, str(series)) for series in Series.objects.select_related("session")]

    def queryset(self, request, rows):
        chosen = self.value()
        return rows.filter(**{self.path: chosen}) if chosen and chosen.isdecimal() else rows


def number_of(rows, owner):
    """How many rows belong to each row of a list, as a subquery: a join would count whole tables for one page."""
    return Coalesce(Subquery(rows.order_by().values(owner).annotate(number=Count("pk")).values("number")), 0)
