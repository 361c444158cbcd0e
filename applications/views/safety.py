"""What we keep and who sees it; what could go wrong and what we do about it. Room: applications.

Both pages are words, in templates; how long what is kept they ask of `kept`.
"""

from django.conf import settings
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from applications.views import typed_address
from presessions.upr.models import State


@require_safe
def privacy(request):
    context = {
        "places": _places(),
        "confirmed_on": settings.PRIVACY_CONFIRMED_ON,
        "cookies": {
            "session": settings.SESSION_COOKIE_NAME,
            "csrf": settings.CSRF_COOKIE_NAME,
            "typed": typed_address.COOKIE,
        },
    }
    return render(request, "applications/privacy.html", context)


@require_safe
def safety(request):
    context = {
        "our_pages": f"{settings.PUBLIC_URL}/",
        "our_mails": settings.MAIL_FROM,
        "security_contacts": [_contact(one) for one in settings.SECURITY_CONTACT],
    }
    return render(request, "applications/safety.html", context)


def _places():
    """Names of the States in which the server and its copies stand; none while nobody has said so."""
    if not settings.HOSTED_IN:
        return []
    language = get_language() or "en"
    return [state.listed_name_in(language) for state in State.objects.filter(iso2__in=settings.HOSTED_IN)]


def _contact(one):
    """Where a report of a weakness goes, as a link and as people read it."""
    kind, _colon, rest = one.partition(":")
    if kind in ("https", "tel"):
        return {"href": one, "words": rest if kind == "tel" else one}
    address = rest if kind == "mailto" else one
    return {"href": f"mailto:{address}", "words": address}
