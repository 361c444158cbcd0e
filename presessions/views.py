"""Pages that belong to no room: health, and what people see when something went wrong."""

from time import monotonic

from django.db import connection
from django.http import JsonResponse, UnreadablePostError
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from presessions.mail import troubles

FRESH = 5  # seconds for which the health of the mail is not looked at again: anybody may ask, as often as they like
_told = None  # (when this process looked, what it found)


@require_safe
@never_cache
def live(request):
    """The process answers. For a container's liveness check; touches nothing."""
    return JsonResponse({"live": True})


@require_safe
@never_cache
def ready(request):
    """Whether this process can serve pages, for a load balancer: the database answers. The rest is named and no more: a
    dead Redis or a silent mail server stops neither applications nor `send_due`."""
    connection.ensure_connection()
    return JsonResponse({"database": True, "redis": troubles.ask_redis() is not None})


@require_safe
@never_cache
def mail(request):
    """Whether mail leaves, for whoever must be woken: 503 within five minutes of the silence of beat, worker, Redis or
    the mail server, and says which. Numbers and codes only, in English whoever asks."""
    global _told
    if _told is None or monotonic() - _told[0] >= FRESH:
        with translation.override("en"):
            _told = monotonic(), troubles.report(timezone.now())
    report = _told[1]
    return JsonResponse(report, status=503 if report["status"] == "red" else 200)


def forget():
    """For tests: this process has told nobody how the mail is."""
    global _told
    _told = None


def csrf_failure(request, reason=""):
    """Cookies were lost or the page was open for very long: say so, what to do, and give back what was typed."""
    return render(request, "403_csrf.html", {"typed": _typed(request)}, status=403)


def _typed(request):
    """(label, text) of what was posted, where the view says by its `typed` how its texts are called. Nothing of the
    view runs: whoever made the browser post this gets the person's own words shown to that person, and no more."""
    match = getattr(request, "resolver_match", None)
    tell = match and getattr(match.func, "typed", None)
    try:
        return tell(request, **match.kwargs) if tell else []
    except UnreadablePostError:  # the line dropped; nobody is left to read this
        return []
