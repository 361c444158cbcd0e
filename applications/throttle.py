"""Slows down who posts very often, without keeping who they are. Room: applications.

Per address of the sender: counts in the cache under a keyed hash that changes every day; generous, because a whole
conference may share one address. If Redis is down that limit opens, and the ceiling over all rows of the last hour in
the database remains. Only the doors that anybody may knock at are counted: what is saved and uploaded once a personal
link has been opened is not.
"""

from contextlib import contextmanager
from datetime import timedelta
from time import perf_counter, sleep

from django.core.cache import cache
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from applications.models import Application, Contact
from presessions.accounts.sender import sender
from presessions.mail.models import Letter

HOUR = timedelta(hours=1)
STEP = timedelta(minutes=1)  # each is counted by itself, so that an hour may begin and end at any of them
PER_ADDRESS = 30  # posts that are acted on in any hour, of each kind of form
TOO_MANY = _("Very many forms came from your network within an hour. Please try again in an hour, or write to us.")
# Rows in an hour from all addresses together. A whole series brings some hundreds of applicants; a flood that comes
# from everywhere shall not fill the mailboxes of the world, and shall not easily shut the door on people either.
CEILING = 2000
TAKES = 0.25  # seconds; far more than the letters of anybody's applications take to be written


@contextmanager
def in_equal_time():
    """What is done inside takes as long for an address with many applications as for one that has none, so that the
    clock tells nobody which it was."""
    began = perf_counter()
    yield
    sleep(max(0, TAKES - (perf_counter() - began)))


def allows(request, what, *, now):
    """Whether a post may be acted on; counts it if so. what -- names the form, such as "start" """
    return _below_ceiling(what, now) and _counted(sender(request), what, now)


def _counted(address, what, now):
    """Whether this one is among the first of its hour; what is refused does not keep the door shut for longer."""
    mine, *others = _keys(address, what, now)
    try:
        cache.add(mine, 0, timeout=(HOUR + 2 * STEP).total_seconds())
        count = cache.incr(mine) + sum(cache.get_many(others).values())
        if count > PER_ADDRESS:
            cache.decr(mine)
        return count <= PER_ADDRESS
    except (RedisError, ValueError):  # it does not answer; ValueError: the count ended between two questions
        return True


def _keys(address, what, now):
    """Where the hour until now is counted, the newest step first. Nobody can tell from a key which address it was, and
    tomorrow not even whether it is the same."""
    steps = [now - number * STEP for number in range(HOUR // STEP + 1)]
    scrambled = {
        day: salted_hmac(f"throttle {day:%Y-%m-%d}", address, algorithm="sha256").hexdigest()
        for day in {step.date() for step in steps}
    }
    return [f"{what}:{int(step.timestamp() // STEP.total_seconds())}:{scrambled[step.date()]}" for step in steps]


def _below_ceiling(what, now):
    """Each form has a ceiling of its own: who floods one does not shut the others."""
    since = now - HOUR
    rows = {
        "start": Application.objects.filter(created_at__gt=since),
        "sign_up": Contact.objects.filter(asked_at__gt=since, entered_by=None),
        "lost_link": Letter.objects.filter(created_at__gt=since, kind__in=("application_link", "no_application")),
        "invitation_link": Letter.objects.filter(created_at__gt=since, kind="invitation_link"),
    }
    return what not in rows or rows[what][:CEILING].count() < CEILING
