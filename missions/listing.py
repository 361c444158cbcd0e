"""What the lists of this room share on the staff's desk. Room: missions."""

from django.db.models import Count, Subquery
from django.db.models.functions import Coalesce
from django.utils.html import format_html

CHANGE_LIST = "admin/applications/change_list.html"  # with the hint under the search


def pill(kind, label):
    return format_html('<span class="pill pill-{}">{}</span>', kind, label)


def number_of(rows, owner):
    """How many rows belong to each row of a list, as a subquery: a join would count whole tables for one page."""
    return Coalesce(Subquery(rows.order_by().values(owner).annotate(number=Count("pk")).values("number")), 0)
