"""What we keep and who sees it; what could go wrong and what we do about it. Room: applications.

Both pages are words, in templates. Every number on them is read from the code that keeps to it.
"""

from django.conf import settings
from django.shortcuts import render
from django.utils.translation import get_language, ngettext
from django.views.decorators.http import require_safe

from applications import uploads
from applications.mailings.people import LINK_DAYS
from applications.views import typed_address
from presessions import retention
from presessions.upr.models import State


@require_safe
def privacy(request):
    context = {
        "kept": kept(),
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
        "kept": kept(),
        "our_pages": f"{settings.PUBLIC_URL}/",
        "our_mails": settings.MAIL_FROM,
        "security_contacts": [_contact(one) for one in settings.SECURITY_CONTACT],
    }
    return render(request, "applications/safety.html", context)


def kept():
    """{what: how long, in words} of everything of which the pages tell."""
    by_rule = {name: in_days(retention.days(name)) for name in retention.ORDER}
    return by_rule | {
        "backups": in_days(settings.BACKUP_DAYS),
        "links": in_days(LINK_DAYS),
        "uploads": in_hours(uploads.KEPT_FOR.total_seconds() // 3600),
        "form": in_hours(settings.SESSION_COOKIE_AGE // 3600),
        "typed": in_minutes(typed_address.SECONDS // 60),
    }


def in_days(number):
    return ngettext("%(n)s day", "%(n)s days", number) % {"n": number}


def in_hours(number):
    number = int(number)
    return ngettext("%(n)s hour", "%(n)s hours", number) % {"n": number}


def in_minutes(number):
    return ngettext("%(n)s minute", "%(n)s minutes", number) % {"n": number}


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
