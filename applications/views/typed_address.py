"""The address that somebody has just typed, shown to them once on the page behind: who sees a typo there need not wait
for a mail that cannot come. Room: applications.

It comes back whoever it belongs to, so that known and unknown addresses are answered alike. It waits in a cookie of
this one page, sealed, and goes when the page is shown: it stands in no address, no log and no session.
"""

import base64
import binascii

from django.conf import settings
from django.shortcuts import redirect, render
from django.urls import reverse

from applications.kept import TYPED_SECONDS
from presessions import vault

COOKIE = "typed"
PLACE = "cookie.typed"


def lead_to(page, email):
    """The way to `page`, which will show the address."""
    answer = redirect(page)
    sealed = base64.urlsafe_b64encode(vault.encrypt(email.encode(), PLACE)).decode()
    answer.set_cookie(
        COOKIE,
        sealed,
        max_age=TYPED_SECONDS,
        path=reverse(page),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return answer


def show(request, page, template):
    """`page` with the address, where one was just typed."""
    answer = render(request, template, {"typed_address": _read(request.COOKIES.get(COOKIE, ""))})
    if COOKIE in request.COOKIES:
        answer.delete_cookie(COOKIE, path=reverse(page), samesite="Lax")
    return answer


def _read(sealed):
    try:
        return vault.decrypt(base64.urlsafe_b64decode(sealed), PLACE).decode() if sealed else ""
    except (vault.Unreadable, binascii.Error, ValueError):
        return ""
