"""Several steps that are one for whoever takes them. Room: missions; imports the trail."""

from contextlib import contextmanager

from django.db import transaction

from presessions import trail
from presessions.trail.steps import WrongStep


@contextmanager
def as_one(subject, code, *, by, now, reason=""):
    """All steps of the block, or none of them and the event of the refusal: each step's own event goes with what is
    undone, so that it is written anew outside."""
    try:
        with transaction.atomic():
            yield
    except WrongStep:
        trail.record(subject, code, now=now, by=by, refused=True, reason=reason)
        raise


class _Undone(Exception):
    pass


@contextmanager
def undone():
    """The steps of the block, and then none of them: to look at what would be, with nothing written."""
    try:
        with transaction.atomic():
            yield
            raise _Undone
    except _Undone:
        pass
