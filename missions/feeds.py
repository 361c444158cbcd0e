"""Calendars to subscribe to: of a series, of a meeting, of a State's meetings; and, behind a mission's link, its own.

Room: missions. The public ones stand without a language in their address, because a calendar program keeps it for
years: `?lang=fr` chooses the words, else what the program says it reads. They hold nothing but what the public pages
say, and no name. A program asks every few hours, and hears in one line that nothing has changed.
"""

import hashlib
import re

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_safe

from missions import calendar
from missions.models import Reply
from missions.views import by_invitation
from presessions.mail import languages
from presessions.upr.models import CountryMeeting, Series, State

KEPT = 900  # seconds for which a public calendar may be shown again unasked
STAMP = re.compile(rb"^DTSTAMP:.*\r\n", re.MULTILINE)  # when it was written, which is each time it is read


# --- For everybody ----------------------------------------------------------------------------------------------------


@require_safe
def series(request, number):
    """All meetings of a series."""
    one = get_object_or_404(Series.objects.select_related("session"), session__number=number)
    return _public(request, one.meetings().with_state(), lambda: str(one), f"pre-sessions-{number}")


@require_safe
def meeting(request, number, iso2):
    """One meeting, which moves in the reader's calendar when it moves."""
    found = list(_ours().filter(state_under_review__session__number=number, state_under_review__state=iso2))
    if not found:
        raise Http404
    [one] = found
    return _public(request, found, lambda: f"{one.series} – {one.state.name}", f"pre-session-{number}-{iso2}")


@require_safe
def state(request, iso2):
    """All meetings about one State, those to come included: subscribed to once, it brings them by itself."""
    one = get_object_or_404(State.objects.defer("loaded"), pk=iso2)
    meetings = _ours().filter(state_under_review__state=iso2).order_by("state_under_review__session__number")
    return _public(
        request, meetings, lambda: _("Pre-sessions on %(state)s") % {"state": one.name}, f"pre-sessions-{iso2}"
    )


def _ours():
    return CountryMeeting.objects.exclude(state_under_review__session__series=None).with_state()


def _public(request, meetings, name, filename):
    language = _language(request)
    with translation.override(language):
        source = settings.PUBLIC_URL + request.path
        if "lang" in request.GET:
            source += f"?lang={language[:2]}"
        facts = {"name": name(), "source": source, "busy": False, "for_all": True}
        body = calendar.feed(meetings, now=timezone.now(), **facts)
    response = _file(body, filename)
    response["Content-Language"] = language
    patch_vary_headers(response, ["Accept-Language"])
    etag = f'W/"{hashlib.sha256(STAMP.sub(b"", body)).hexdigest()[:32]}"'
    response["ETag"] = etag
    patch_cache_control(response, public=True, max_age=KEPT)
    return get_conditional_response(request, etag=etag, response=response)


def _language(request):
    """What is asked for, else what the program says it reads; never what somebody has chosen on our pages, because one
    answer is kept for everybody."""
    read = (wish for wish, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")))
    known = dict(settings.MAIL_LANGUAGES)
    asked = (wish.lower()[:2] for wish in (request.GET.get("lang", ""), *read))
    return languages.tag(next(filter(known.__contains__, asked), languages.SOURCE))


def _file(body, filename):
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8; method=PUBLISH")
    response["Content-Disposition"] = f'attachment; filename="{filename}.ics"'
    return response


# --- Behind a mission's link ------------------------------------------------------------------------------------------


@require_safe
@by_invitation(visits=False)
def mine(request, invitation, *, now, token):
    """The meetings that the mission attends; one called off among them is taken out of the calendar."""
    replies = Reply.objects.filter(invitation=invitation, answer__in=Reply.COMES)
    meetings = invitation.series.meetings().with_state().filter(pk__in=replies.values("meeting"))
    body = calendar.feed(meetings, now=now, name=_("Our meetings: %(series)s") % {"series": invitation.series})
    return _file(body, f"our-meetings-{invitation.series.number}")


@require_safe
@by_invitation(visits=False)
def all_meetings(request, invitation, *, now, token):
    """Every meeting of the series, with the way in online."""
    one = invitation.series
    body = calendar.feed(one.meetings().with_state(), now=now, name=str(one), busy=False)
    return _file(body, f"pre-sessions-{one.number}")
