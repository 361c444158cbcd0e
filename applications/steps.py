"""A step over more than one row, in one transaction, whose refusal still leaves its event. Room: applications."""

from contextlib import contextmanager

from django.db import transaction

from applications.models import Application
from presessions import trail
from presessions.trail.steps import WrongStep


@contextmanager
def refusals_noted(application, code, *, now, by=None, reason=""):
    """A refusal takes back all that the step had begun to write; the event of it is written afterwards. The row is
    read anew then, because somebody else has changed it."""
    try:
        with transaction.atomic():
            yield
    except WrongStep:
        application.refresh_from_db(from_queryset=Application.objects.with_state())
        trail.record(application, code, now=now, by=by, reason=reason, refused=True)
        raise
