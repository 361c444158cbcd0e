"""Slows down who posts very often, without keeping who they are. Room: applications.

Per address of the sender: a count in the cache under a keyed hash that changes every day; generous, because a whole
conference may share one address. If Redis is down that limit opens, and the ceiling over all rows of the last hour in
the database remains.
"""

from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from applications.models import Application, Contact

HOUR = timedelta(hours=1)
PER_ADDRESS = 30  # posts an hour that are acted on, of each kind of form
TOO_MANY = _("Very many forms came from your network within an hour. Please try again in an hour, or write to us.")
CEILING = 600  # drafts, and sign-ups, an hour from all addresses together


def allows(request, what, *, now):
    """Whether a post may be acted on; counts it. what -- names the form: "start", "lost_link", "sign_up" """
    return _count(_key(request, what, now)) <= PER_ADDRESS and _below_ceiling(now)


def _key(request, what, now):
    """Nobody can tell from it which address it was, and tomorrow not even whether it is the same."""
    digest = salted_hmac(f"throttle {now:%Y-%m-%d}", sender(request), algorithm="sha256").hexdigest()
    return f"{what}:{now:%H}:{digest}"


def sender(request):
    """The address that the nearest machine we trust has seen."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_PROXY else ""
    return forwarded.rsplit(",", 1)[-1].strip() or request.META.get("REMOTE_ADDR", "")


def _count(key):
    """How often this key was asked for in its hour, this time included; 0 when Redis does not answer."""
    try:
        cache.add(key, 0, timeout=HOUR.total_seconds())
        return cache.incr(key)
    except (RedisError, ValueError):  # ValueError: it ended between the two
        return 0


def _below_ceiling(now):
    since = now - HOUR
    return (
        Application.objects.filter(created_at__gt=since)[:CEILING].count() < CEILING
        and Contact.objects.filter(asked_at__gt=since, entered_by=None)[:CEILING].count() < CEILING
    )
