"""What programs look for at fixed addresses: whom to tell of a weakness, and what not to walk through. Wiring."""

from datetime import datetime, timedelta
from datetime import time as time_of_day

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from presessions.tongues import prefix

GOOD_FOR = timedelta(days=180)  # RFC 9116 2.5.5: less than a year


@require_safe
def security_txt(request):
    """RFC 9116: whom to tell of a weakness. It expires half a year after the day on which it is fetched, because it is
    written from the settings that are in force on that day."""
    day = datetime.combine((timezone.now() + GOOD_FOR).date(), time_of_day())
    with translation.override("en"):
        policy = f"{settings.PUBLIC_URL}{reverse('applications:safety')}#report"
    fields = [
        *(("Contact", _as_address(one)) for one in settings.SECURITY_CONTACT),
        ("Expires", f"{day:%Y-%m-%dT%H:%M:%SZ}"),
        ("Preferred-Languages", ", ".join(prefix(code) for code, _name in settings.STAFF_LANGUAGES)),
        ("Canonical", f"{settings.PUBLIC_URL}{reverse('security_txt')}"),
        ("Policy", policy),
    ]
    return _plain([f"{name}: {value}" for name, value in fields])


def _as_address(contact):
    """RFC 9116 2.5.3 wants a URI."""
    return contact if contact.partition(":")[0] in ("https", "mailto", "tel") else f"mailto:{contact}"


@require_safe
def robots_txt(request):
    """Only what is for nobody outside. Pages behind personal links are not named: each says by itself that it is not to
    be listed, which a program that stays away never learns."""
    return _plain(["User-agent: *", "Disallow: /admin/", "Disallow: /health/"])


def _plain(lines):
    return HttpResponse("".join(f"{line}\n" for line in lines), content_type="text/plain; charset=utf-8")
