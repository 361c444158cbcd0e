"""How the calendar tells the floors above that a date has changed, and hears what follows. Room: upr, ground floor;
imports nothing of ours."""

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from django.dispatch import Signal

# Sent with `series` and `now`, inside the transaction that changed a date of that series, so that whatever is computed
# from the date changes with it or not at all. Sent by Series.announce_dates(); an exception undoes the change.
# A receiver may return what follows from it: a list of Consequence.
dates_changed = Signal()


@dataclass(frozen=True)
class Consequence:
    """Something above the calendar that a changed date changes too, in words for staff.

    what -- "invitation, Pre-sessions 54"; where -- the State, for what exists once for each meeting
    before, after -- "goes out Mon 3 May 2027, 09:00 Geneva time"
    url -- its own page; warning -- what should make staff stop
    """

    what: str
    before: str
    after: str
    url: str = ""
    warning: str = ""
    where: str = ""


_heard = ContextVar("consequences of changed dates", default=None)


@contextmanager
def listening():
    """Hear what follows from the dates that change in this block: a list, filled as they change."""
    heard = []
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


def tell(answers):
    """Pass on what the receivers of dates_changed have returned."""
    heard = _heard.get()
    if heard is not None:
        heard += [one for _receiver, answer in answers for one in answer or ()]


def in_sum(consequences):
    """What all of them come to: where one thing changed several times, from its first state to its last. What began
    with the change itself (before: "") is nothing that changes."""
    found = {}
    for one in consequences:
        first = found.get((one.what, one.where))
        found[one.what, one.where] = replace(one, before=first.before) if first else one
    return [one for one in found.values() if one.before and (one.before != one.after or one.warning)]
