"""Which application is open in a session, and that application with its session in one question. Room: applications.

Every page of the form asks both, so the session store puts the application's number in front of what it has signed:
"12|eyJhcHBsa…". The number is a hint for the database and nothing more. What counts is what the session says once it
has been read, by which the hint is checked.
"""

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.models import Session
from django.db.models import BigIntegerField, F, Func, Subquery, Value
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.crypto import get_random_string

OPEN = "application"  # in an applicant's session: the key of the one that a personal link has opened
HINT = r"^(\d{1,18})\|"


class SessionStore(db.SessionStore):
    """Django's own, with the hint in front."""

    _written = None

    def encode(self, session_dict):
        return f"{session_dict.get(OPEN, '')}|{super().encode(session_dict)}"

    def decode(self, session_data):
        return super().decode(session_data.rpartition("|")[2])

    def _get_new_session_key(self):
        """Writing it says whether there is such a key; there are more of them than atoms in a room."""
        return get_random_string(32, VALID_KEY_CHARS)

    def save(self, must_create=False):
        """What has been written already is not written again: a new key is written with all that it opens."""
        now = self.session_key, self.serializer().dumps(self._get_session(no_load=must_create))
        if must_create or self._written != now:
            super().save(must_create)
            self._written = now

    def is_read(self):
        """Whether the database has been asked for it already."""
        return hasattr(self, "_session_cache")

    def take(self, session_data):
        """Be read from what has come with another question."""
        self._session_cache, self.accessed = self.decode(session_data), True


def opened(session, applications):
    """The one of these applications that is open in a session, or None.

    applications -- a queryset
    """
    if session.session_key and not session.is_read():
        here = Session.objects.filter(session_key=session.session_key, expire_date__gt=timezone.now())
        hinted = here.values(hint=Cast(Func(F("session_data"), Value(HINT), function="substring"), BigIntegerField()))
        with_session = applications.annotate(of_session=Subquery(here.values("session_data")))
        application = with_session.filter(pk__in=hinted).first()
        if application:
            session.take(application.of_session)
            if session.get(OPEN) == application.pk:
                return application
    return applications.filter(pk=session.get(OPEN)).first()
