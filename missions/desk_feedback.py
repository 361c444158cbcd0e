"""The page with what missions and speakers said afterwards, and its file. Room: missions; hangs under SeriesAdmin's
addresses.

Each half is seen by whoever has the right to it: the mission desk sees no word of a speaker. Words of speakers stand
without a name, a State or a reference; of those at risk they are masked.
"""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from applications import at_risk, small_numbers
from applications import feedback as of_speakers
from applications.exporting import FORMATS, as_file
from applications.forms.feedback import MARKS
from missions import feedback as of_missions
from presessions import exports, trail
from presessions.accounts.proof import proved
from presessions.upr.models import Series

OF_MISSIONS, OF_SPEAKERS = "missions.view_missionfeedback", "applications.view_speakerfeedback"
TAKE = {OF_MISSIONS: "missions.change_permanentmission", OF_SPEAKERS: "applications.export"}


@dataclass(frozen=True)
class Said:
    """What one of them said. who -- the mission; "" for speakers, who are not named"""

    useful: int | None
    words: str
    who: str = ""
    masked: bool = False

    @property
    def mark(self):
        """The mark in words; "" where none was given, and where it is masked."""
        return "" if self.masked or not self.useful else str(dict(MARKS)[str(self.useful)])

    @property
    def told(self):
        return str(at_risk.MASKED) if self.masked else self.words


@dataclass(frozen=True)
class Half:
    """All that missions, or speakers, have said. number -- of marks that are not masked; mean -- theirs, None where
    they are too few to tell"""

    rows: list
    number: int
    mean: float | None

    @classmethod
    def of(cls, rows, marked):
        number, mean = of_speakers.mean(marked)
        return cls(rows, number, mean if number >= small_numbers.LEAST else None)

    @property
    def with_words(self):
        return [row for row in self.rows if row.told]

    @property
    def without_words(self):
        return len(self.rows) - len(self.with_words)


def _missions(request, series):
    if not request.user.has_perm(OF_MISSIONS):
        return None
    rows = of_missions.of_series(series)
    return Half.of([Said(row.useful, row.words, row.invitation.mission.name) for row in rows], rows)


def _speakers(request, series):
    if not request.user.has_perm(OF_SPEAKERS):
        return None
    said, marked = [], []
    for row in of_speakers.of_series(series):
        masked = at_risk.is_masked_for(request, row.application)
        marked += [] if masked else [row]  # a mean over all would say what the others leave over
        said.append(Said(row.useful, "" if masked else row.words, masked=masked))
    said.sort(key=lambda one: one.masked)  # where the masked ones stand tells nothing about the others
    return Half.of(said, marked)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@proved
def page(request, site, pk):
    """Both halves; POST gives one as a file."""
    if not any(map(request.user.has_perm, TAKE)):
        raise PermissionDenied
    series = get_object_or_404(Series.objects.select_related("session"), pk=pk)
    if request.method == "POST":
        return _file(request, series)
    context = {
        **site.each_context(request),
        "opts": Series._meta,
        "title": _("Feedback: %(series)s") % {"series": series},
        "series": series,
        "halves": [
            (name, title, half, request.user.has_perm(TAKE[right]))
            for name, title, right, half in (
                ("missions", _("Missions"), OF_MISSIONS, _missions(request, series)),
                ("speakers", _("Speakers"), OF_SPEAKERS, _speakers(request, series)),
            )
            if half is not None
        ],
        "window": of_speakers.window(series),
        "formats": FORMATS.items(),
    }
    return TemplateResponse(request, "admin/missions/report/feedback.html", context)


def _file(request, series):
    now, format, half = timezone.now(), request.POST.get("format", ""), request.POST.get("half", "")
    right = OF_SPEAKERS if half == "speakers" else OF_MISSIONS
    allowed = format in FORMATS and request.user.has_perms([right, TAKE[right]])
    reason = f"{_('Feedback')} · {series} · {half[:10]} · {format[:10]}"
    trail.record(request.user, "exported", now=now, by=request.user, refused=not allowed, reason=reason)
    if not allowed:
        raise PermissionDenied
    found = _speakers(request, series) if half == "speakers" else _missions(request, series)
    if half == "speakers":
        headings, rows = (
            [_("useful, from 1 to 5"), _("in words")],
            [[None if one.masked else one.useful, one.told] for one in found.rows],
        )
    else:
        headings = [_("mission"), _("useful, from 1 to 5"), _("in words")]
        rows = [[one.who, one.useful, one.words] for one in found.rows]
    table = exports.Table(title=str(series), headings=headings, rows=rows)
    return as_file(exports.write(table, format), format, f"feedback-{half}-{series.number}-{now:%Y-%m-%d}")


PAGES = (("<int:pk>/feedback/", page, "series_feedback"),)
