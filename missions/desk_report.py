"""The pages of reports, and their files: a series' universality and published figures, one meeting, all series as a
trend. Room: missions; they hang under SeriesAdmin's addresses.

Whoever sees what missions answer sees them; no applicant is in them but in numbers that may be published. What leaves
the house asks for a proof and stands in the trail.
"""

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from applications import fates, small_numbers
from applications.exporting import FORMATS, as_file
from missions import charts, published, report, report_files
from missions.overview import Tally
from missions.pages import report_page, require
from presessions import exports, trail
from presessions.accounts.proof import proved
from presessions.upr.models import CountryMeeting, Series

LOOK = "missions.view_invitation"
TAKE = ("missions.change_permanentmission", "applications.export")  # either of them
FATES = "applications.view_maderecommendation"  # what became of proposals, which may not be published yet
NEWEST = 24  # series beside each other: eight years
METHODS = ("GET", "HEAD", "POST")


def may_take(user):
    return any(user.has_perm(right) for right in TAKE)


def _series(pk):
    return get_object_or_404(Series.objects.select_related("session"), pk=pk)


def _shown(request, site, template, title, **context):
    context |= {"formats": FORMATS.items(), "may_take": may_take(request.user)}
    return report_page(request, site, template, title, **context)


def _file(request, what, name, make):
    """make -- () -> exports.Table, made only for who may take it"""
    now, format = timezone.now(), request.POST.get("format", "")
    allowed = may_take(request.user) and format in FORMATS
    reason = f"{what} · {format[:10]}"
    trail.record(request.user, "exported", now=now, by=request.user, refused=not allowed, reason=reason)
    if not allowed:
        raise PermissionDenied
    return as_file(exports.write(make(), format), format, f"{name}-{now:%Y-%m-%d}")


# --- One series ------------------------------------------------------------------------------------------------------


@require_http_methods(METHODS)
@proved
def universality(request, site, pk):
    """That all were invited; who was reached, answered, came, by regional group. POST gives it as a file."""
    require(request, LOOK)
    series, now = _series(pk), timezone.now()
    title = _("Universality report: %(series)s") % {"series": series}
    if request.method == "POST":
        name = f"universality-{series.number}"
        return _file(request, title, name, lambda: report_files.universality(report.of(series, now=now)))
    found = report.of(series, now=now)
    tallies = found.tallies
    most = max((max(tally.coming, len(tally.came)) for tally in tallies), default=0)
    return _shown(
        request, site, "universality", title,
        series=series,
        report=found,
        stages=[(stage, number, share, charts.bar(len(found.overview.lines), came=number))
                for stage, number, share in found.all.stages],
        groups=[(row, row.counts, _bar_of_group(row.counts)) for row in found.groups],
        meetings=[(tally, charts.bar(most, said=tally.coming, came=len(tally.came))) for tally in tallies],
    )  # fmt: skip


def _bar_of_group(counts):
    return charts.bar(counts["register"], reached=counts["delivered"], answered=counts["answered"], came=counts["came"])


@require_http_methods(METHODS)
@proved
def figures(request, site, pk):
    """What UPR Info publishes, with the sentence ready to copy. POST gives it as a file."""
    require(request, LOOK)
    series = _series(pk)
    title = _("Published figures: %(series)s") % {"series": series}
    (found,) = with_fates(request, [published.of(series)])
    if request.method == "POST":
        return _file(request, title, f"published-{series.number}", lambda: report_files.figures(found))
    most = found.most or 0
    return _shown(
        request, site, "published", title,
        series=series,
        found=found,
        women=small_numbers.in_words(found.women),
        rule=small_numbers.rule(),
        meetings=[(one, charts.bar(most, came=len(one.missions))) for one in found.meetings],
    )  # fmt: skip


# --- One meeting -----------------------------------------------------------------------------------------------------


@require_http_methods(METHODS)
@proved
def meeting(request, site, pk):
    """Every mission at one meeting: what it said, and whether it came. POST gives it as a file."""
    require(request, LOOK)
    in_a_series = CountryMeeting.objects.exclude(state_under_review__session__series=None)
    chosen = get_object_or_404(in_a_series.with_state(), pk=pk)
    title = _("Missions at the meeting on %(state)s") % {"state": chosen.state.name}
    found = report.of(chosen.series, now=timezone.now())
    tally = next(one for one in found.tallies if one.meeting.pk == chosen.pk)
    if request.method == "POST":
        name = f"missions-{chosen.series.number}-{chosen.state.pk}"
        return _file(request, f"{title} · {chosen.series}", name, lambda: report_files.meeting(tally))
    return _shown(
        request, site, "meeting", title,
        series=chosen.series,
        meeting=chosen,
        tally=tally,
        lines=[(line, line.replies.get(chosen.pk), line.notes.get(chosen.pk)) for line in by_presence(tally)],
        groups=[(row, tally_of(row, chosen)) for row in found.groups],
        asked=found.questions[chosen.pk],
    )  # fmt: skip


def by_presence(tally):
    """Those that came, those that had said so, those that answered, then all others; each by name."""
    key = tally.meeting.pk
    return sorted(
        tally.lines,
        key=lambda line: (not line.came_to(tally.meeting), not line.comes_to(tally.meeting), key not in line.replies),
    )


def tally_of(row, chosen):
    """The part of a regional group in one meeting."""
    return Tally(chosen, row.lines)


# --- All series ------------------------------------------------------------------------------------------------------


@require_http_methods(METHODS)
@proved
def index(request, site):
    """One line for each series with meetings that were held, the newest first, and the trend over them."""
    require(request, LOOK)
    title = _("Reports over all series")
    found = with_fates(request, over_series())
    if request.method == "POST":
        return _file(request, title, "series", lambda: report_files.over_series(found))
    in_order = list(reversed(found))
    names = [one.series.number for one in in_order]
    noted = [one for one in in_order if one.noted]
    attendance = [
        ("different", _("different missions"), [one.different for one in noted]),
        ("most", _("most at one meeting"), [one.most for one in noted]),
        ("mean", _("on average at a meeting"), [one.mean for one in noted]),
    ]
    shares = [
        ("women", _("women among the speakers"), [one.women_share for one in in_order]),
        ("national", _("national or local institutions"), [one.national_share for one in in_order]),
    ]
    live = Series.objects.filter(closed_at=None).select_related("session").order_by("-session__number")
    return _shown(
        request, site, "index", title,
        all=found,
        live=live[:NEWEST],
        with_fates=request.user.has_perm(FATES),
        attendance=len(noted) > 1 and charts.trend([one.series.number for one in noted], attendance),
        shares=len(names) > 1 and charts.trend(names, shares, most=100),
        rule=small_numbers.rule(),
    )  # fmt: skip


def over_series():
    """The Published figures of each series with a meeting that was held, the newest first."""
    held = CountryMeeting.objects.filter(state_under_review__session=OuterRef("session"), status="held")
    series = Series.objects.filter(Exists(held)).select_related("session").order_by("-session__number")
    return published.of_many(list(series[:NEWEST]))


def with_fates(request, found):
    """The Published figures, with what became of recommendations where whoever reads may know it."""
    if request.user.has_perm(FATES):
        for one, of_series in zip(found, fates.of_many([one.series for one in found]), strict=True):
            one.fates = of_series
    return found


PAGES = (
    ("reports/", index, "reports"),
    ("<int:pk>/report/", universality, "series_report"),
    ("<int:pk>/published/", figures, "series_published"),
    ("meetings/<int:pk>/report/", meeting, "meeting_report"),
)
