"""Pages that belong to no room: health, and what people see when something went wrong."""

from django.conf import settings
from django.db import connection
from django.http import JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from redis import Redis
from redis.exceptions import RedisError


@never_cache
def live(request):
    """The process answers. For a container's liveness check; touches nothing."""
    return JsonResponse({"live": True})


@never_cache
def ready(request):
    """Database and Redis answer. A dead Redis does not stop applications or `send_due`, so it is named and no more."""
    connection.ensure_connection()
    try:
        Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, retry=None).ping()
        redis = True
    except RedisError:
        redis = False
    return JsonResponse({"database": True, "redis": redis})


def csrf_failure(request, reason=""):
    """Cookies were lost or the page was open for very long: say so, and what to do."""
    return render(request, "403_csrf.html", status=403)
