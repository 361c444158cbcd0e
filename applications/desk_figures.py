"""The page of panel figures, and its file. Room: applications; part of `desk`."""

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from applications import figures, small_numbers
from applications.exporting import FORMATS, as_file
from applications.models import Application, StateCall
from presessions import exports, trail
from presessions.accounts.proof import proved
from presessions.upr.models import Series

NEWEST = 12  # series beside each other: four years


@require_http_methods(["GET", "HEAD"])
def index(request, site):
    """One line for each series, the newest first."""
    _require(request, "applications.view_application")
    with_meetings = Series.objects.filter(Exists(StateCall.objects.filter(call__series=OuterRef("pk"))))
    series = list(with_meetings.select_related("session").order_by("-session__number")[:NEWEST])
    context = {
        **site.each_context(request),
        "opts": Application._meta,
        "title": _("Panel figures"),
        "all": figures.of_many(series),
    }
    return TemplateResponse(request, "admin/applications/figures/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@proved
def of_series(request, site, series_pk):
    """What can be published of a series; POST gives it as a file."""
    _require(request, "applications.view_application")
    series = get_object_or_404(Series.objects.select_related("session"), pk=series_pk)
    if request.method == "POST":
        return _file(request, series)
    context = {
        **site.each_context(request),
        "opts": Application._meta,
        "title": _("Panel figures: %(series)s") % {"series": series},
        "series": series,
        "figures": figures.of(series),
        "formats": FORMATS.items(),
        "may_export": request.user.has_perm("applications.export"),
    }
    return TemplateResponse(request, "admin/applications/figures/series.html", context)


def _require(request, right):
    if not request.user.has_perm(right):
        raise PermissionDenied


def _file(request, series):
    now, format = timezone.now(), request.POST.get("format", "")
    allowed = request.user.has_perm("applications.export") and format in FORMATS
    reason = f"{_('Panel figures')} · {series} · {format[:10]}"
    trail.record(request.user, "exported", now=now, by=request.user, refused=not allowed, reason=reason)
    if not allowed:
        raise PermissionDenied
    found = figures.of(series)
    table = exports.Table(
        title=str(series),
        headings=[_("State"), _("where it stands"), *(str(words) for words, _value in _columns())],
        rows=[
            *([meeting.state.name, meeting.get_status_display(), *_line(tally)] for meeting, tally in found.meetings),
            [_("All"), "", *_line(found.total)],
        ],
        about=[(sentence,) for sentence in [*found.sentences(), small_numbers.rule()]],
    )
    return as_file(exports.write(table, format), format, f"figures-{series.number}-{now:%Y-%m-%d}")


def _columns():
    return [
        (_("speakers"), lambda tally: tally.speakers),
        (_("different institutions"), lambda tally: len(tally.institutions)),
        ("CSO", lambda tally: tally.csos),
        ("NHRI", lambda tally: tally.nhris),
        (_("national or local"), lambda tally: tally.national),
        (_("international or regional"), lambda tally: tally.international),
        (_("women"), lambda tally: small_numbers.in_words(tally.shown["women"])),
        (_("men"), lambda tally: small_numbers.in_words(tally.shown["men"])),
        (_("in another way"), lambda tally: small_numbers.in_words(tally.shown["other"])),
        (_("did not say"), lambda tally: small_numbers.in_words(tally.shown["not_said"])),
        (_("remotely"), lambda tally: small_numbers.in_words(tally.shown["remote"])),
        (_("themes"), lambda tally: len(tally.themes)),
    ]


def _line(tally):
    return [value(tally) for _words, value in _columns()]


PAGES = [  # under ApplicationAdmin's addresses: route, view, name
    ("figures/", index, "figures"),
    ("figures/<int:series_pk>/", of_series, "figures_series"),
]
