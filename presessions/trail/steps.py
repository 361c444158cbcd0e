"""What every guarded step raises when it cannot be taken, and how the event of a refusal outlives what is undone."""

from contextlib import contextmanager
from contextvars import ContextVar


class WrongStep(Exception):
    """A step was asked of a row that is not there yet, or past it. str() is fit to show to staff."""


_refused = ContextVar("events of refusals in a page that is one transaction", default=None)


@contextmanager
def refusals_kept():
    """Around a page of the stock admin, which is one transaction: a step that is refused in it raises WrongStep and
    undoes all of the page, its own event too. That event is then written once more."""
    from presessions.trail import again

    refused = []
    token = _refused.set(refused)
    try:
        yield
    except WrongStep:
        for event, reason in refused:
            again(event, reason)
        raise
    finally:
        _refused.reset(token)


def note_refusal(event, reason):
    """`trail.record` says that it has written the event of a refusal."""
    refused = _refused.get()
    if refused is not None:
        refused.append((event, reason))
