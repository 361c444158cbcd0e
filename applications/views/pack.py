"""The briefing packs, as everybody may read them: once a meeting is over, its papers too. Room: applications.

What missions read behind their invitation is the same with papers from the evening before: `missions.pack_views` hands
these functions the other audience. Nothing may be kept by whoever hands it on, because leave can be taken back.
"""

from contextlib import suppress
from functools import wraps

from django.conf import settings
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from applications import archive, files, pack
from applications.pack import Audience
from presessions.upr.models import CountryMeeting, Series


def _for_everybody(view):
    @require_safe
    @never_cache
    @wraps(view)
    def page(request, number, **where):
        answer = view(request, number, now=timezone.now(), **where)
        answer["X-Robots-Tag"] = "noindex, noarchive"
        return answer

    return page


@_for_everybody
def all_of_series(request, number, *, now):
    series = get_object_or_404(Series.objects.select_related("session"), session__number=number)
    above = [(reverse("applications:series", args=[number]), series)]
    return list_of(request, series, Audience.EVERYBODY, now, above)


@_for_everybody
def page(request, number, *, iso2, now):
    meeting = find(number, iso2)
    above = [
        (reverse("applications:packs", args=[number]), meeting.series),
        (reverse("applications:meeting", args=[number, iso2]), meeting.state.name),
    ]
    return page_of(request, meeting, Audience.EVERYBODY, now, above)


@_for_everybody
def file(request, number, *, iso2, key, now):
    pack_at = reverse("applications:pack", args=[number, iso2])
    return file_of(request, find(number, iso2), key, Audience.EVERYBODY, now, pack_at)


@_for_everybody
def download(request, number, *, iso2, now):
    return download_of(request, find(number, iso2), Audience.EVERYBODY, now)


# --- For either audience ----------------------------------------------------------------------------------------------
# above -- (address, words) of the pages that lead to this one


def find(number, iso2):
    meetings = CountryMeeting.objects.with_state().filter(state_under_review__session__series__isnull=False)
    return get_object_or_404(meetings, state_under_review__session__number=number, state_under_review__state=iso2)


def list_of(request, series, audience, now, above):
    """Every State of a series, with what there is of it."""
    found = pack.of(list(series.meetings().with_state()), audience, now)
    packs = [(request.path.replace("/pack/", f"/{one.meeting.state.pk}/pack/"), one) for one in found]
    context = {"series": series, "packs": packs, "above": above, "for_missions": audience is Audience.MISSIONS}
    return render(request, "applications/packs.html", context)


def page_of(request, meeting, audience, now, above):
    context = _context(meeting, audience, now) | {"above": above, "here": request.path}
    return render(request, "applications/pack.html", context)


def file_of(request, meeting, key, audience, now, pack_at):
    """One paper. Where there is none the answer is the same, whether there was one, will be one, or never was."""
    (found,) = pack.of([meeting], audience, now)
    paper = pack.paper(found, key)
    if paper:
        with suppress(FileNotFoundError):  # erased a moment ago
            return files.stream(paper.file, inline=False, name=f"{_name(meeting)}-{paper.file_name}")
    return render(request, "applications/paper_gone.html", {"meeting": meeting, "pack_at": pack_at}, status=404)


def download_of(request, meeting, audience, now):
    """A ZIP: the pack as a page that needs nothing else, and the papers beside it."""
    online = settings.PUBLIC_URL + reverse("applications:pack", args=[meeting.series.number, meeting.state.pk])
    context = _context(meeting, audience, now) | {"online": online}
    page = render_to_string("applications/pack_inside.html", context, request)
    papers = [(paper.file_name, paper.file.cleaned) for paper in context["pack"].papers]
    return archive.response(archive.pieces({"pack.html": page}, papers, now=now), f"{_name(meeting)}.zip")


def _name(meeting):
    return f"pre-session-{meeting.series.number}-{meeting.state.pk}"


def _context(meeting, audience, now):
    (found,) = pack.of([meeting], audience, now)
    return {"pack": found, "meeting": meeting, "series": meeting.series, "now": now}
