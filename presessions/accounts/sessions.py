"""What a session of staff knows about who sits there: since when, how lately, and how freshly proved. Room: accounts.

Moments are seconds since 1970, because a session is JSON. A session that is idle for half an hour is locked: one code
opens it again, and what was being sent goes on. After ten hours it takes the password as well.
"""

from datetime import timedelta

import django_otp
from django.conf import settings

BEGAN, SEEN, PROVED = "staff_began_at", "staff_seen_at", "staff_proved_at"
SEEN_EVERY = 60  # seconds; between two looks within a minute the session is not written


def enter(request, authenticator, *, now):
    """Both factors have been given: from here on the session is a member of staff."""
    request.session.cycle_key()
    django_otp.login(request, authenticator)
    moment = now.timestamp()
    request.session.update({BEGAN: moment, SEEN: moment, PROVED: moment})


def prove(request, *, now):
    """The person has just shown again that it is she."""
    moment = now.timestamp()
    request.session.update({SEEN: moment, PROVED: moment})


def begin_again(request, *, now):
    """Password and code have been given again after a day's work: the same session, under a new key."""
    request.session.cycle_key()
    prove(request, now=now)
    request.session[BEGAN] = now.timestamp()


def seen(request, *, now):
    """Note that somebody is there."""
    if now.timestamp() - request.session.get(SEEN, 0) >= SEEN_EVERY:
        request.session[SEEN] = now.timestamp()


def is_proved(request, *, now):
    return _younger(request, PROVED, settings.STAFF_PROOF, now)


def is_idle(request, *, now):
    return not _younger(request, SEEN, settings.STAFF_IDLE, now)


def is_over(request, *, now):
    return not _younger(request, BEGAN, settings.STAFF_SESSION, now)


def _younger(request, mark, minutes, now):
    age = timedelta(seconds=now.timestamp() - request.session.get(mark, 0))
    return age < timedelta(minutes=minutes)
