"""Pages that belong to no room: health, and what people see when something went wrong."""

from django.db import connection
from django.http import JsonResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache

from presessions.mail import troubles


@never_cache
def live(request):
    """The process answers. For a container's liveness check; touches nothing."""
    return JsonResponse({"live": True})


@never_cache
def ready(request):
    """Whether this process can serve pages, for a load balancer: the database answers. The rest is named and no more: a
    dead Redis or a silent mail server stops neither applications nor `send_due`."""
    connection.ensure_connection()
    return JsonResponse({"database": True, "redis": troubles.ask_redis() is not None})


@never_cache
def mail(request):
    """Whether mail leaves, for whoever must be woken: 503 within five minutes of the silence of beat, worker, Redis or
    the mail server, and says which. Numbers and codes only, in English whoever asks."""
    with translation.override("en"):
        report = troubles.report(timezone.now())
    return JsonResponse(report, status=503 if report["status"] == "red" else 200)


def csrf_failure(request, reason=""):
    """Cookies were lost or the page was open for very long: say so, and what to do."""
    return render(request, "403_csrf.html", status=403)
