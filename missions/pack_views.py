"""The briefing packs behind a mission's invitation: with papers from the evening before each meeting. Room: missions.

Every mission reads the same, the State under Review's own included: nothing here asks whose link it is.
"""

from functools import wraps

from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from applications.pack import Audience
from applications.views import pack
from missions.views import by_invitation


def _behind_a_link(view):
    @require_safe
    @by_invitation
    @wraps(view)
    def page(request, invitation, *, now, token, **where):
        return view(request, invitation.series, now=now, token=token, **where)

    return page


@_behind_a_link
def all_of_series(request, series, *, now, token):
    return pack.list_of(request, series, Audience.MISSIONS, now, _above(token))


@_behind_a_link
def page(request, series, *, now, token, iso2):
    above = [*_above(token), (reverse("missions:packs", args=[token]), _("Briefing packs"))]
    return pack.page_of(request, pack.find(series.number, iso2), Audience.MISSIONS, now, above)


@_behind_a_link
def file(request, series, *, now, token, iso2, key):
    pack_at = reverse("missions:pack", args=[token, iso2])
    return pack.file_of(request, pack.find(series.number, iso2), key, Audience.MISSIONS, now, pack_at)


@_behind_a_link
def download(request, series, *, now, token, iso2):
    return pack.download_of(request, pack.find(series.number, iso2), Audience.MISSIONS, now)


def _above(token):
    return [(reverse("missions:invitation", args=[token]), _("Your invitation"))]
