"""What was done, in words: who, when, what, why. Room: trail, basement.

`of(row)` is the history of one row, for `templates/admin/_history.html`; `lines(events)` puts any events into words.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils.translation import gettext as _

from presessions.trail import words
from presessions.trail.models import Event

MOST = 300  # lines of one page; the page of events has the others


@dataclass(frozen=True)
class Line:
    """One line of a history."""

    at: datetime
    what: str
    who: str
    refused: bool
    reason: str
    locked: bool = False  # there is a reason, and it is not for whoever asks
    kind: str = ""  # of the row, its reference and its page, where a history tells of several
    reference: str = ""
    url: str = ""

    @property
    def about(self):
        return f"{self.kind} {self.reference}".strip()


@dataclass(frozen=True)
class History:
    """What a page shows: the newest lines, whether there are older ones, and the query that leads to all of them."""

    lines: list
    more: bool
    query: str

    def __iter__(self):
        return iter(self.lines)

    def __len__(self):
        return len(self.lines)


def of(row, request=None, *, locked=False):
    """The history of one row, the newest first.

    request -- whose page it is: some reasons are not shown to everybody; locked -- none is shown
    """
    events = Event.objects.about(row).select_related("reason").order_by("-at", "-pk")
    found = list(events[: MOST + 1])
    told = lines(found[:MOST], request, locked=locked, about=False)
    about = f"{row._meta.label_lower}:{Event.reference_of(row)}"
    return History(told, len(found) > MOST, urlencode({"about": about}, safe=":"))


def by(user, request=None, *, most=20):
    """What a member of staff did last, the newest first, each with what it was about."""
    events = Event.objects.filter(staff_id=user.pk).select_related("reason").order_by("-pk")
    found = list(events[: most + 1])
    told = [replace(line, who="") for line in lines(found[:most], request)]
    return History(told, len(found) > most, urlencode({"who": user.pk}))


def lines(events, request=None, *, locked=False, about=True, always_ask=False):
    """Events in words, in their order; one query for all people, and one for each kind of row that has masks.

    about -- tell of which row; always_ask -- also of kinds with masks that are not among them, so that each page of a
    list costs the same
    """
    staff = get_user_model().objects.in_bulk({0, *(event.staff_id or 0 for event in events)})  # 0: always one query
    references = {room: set() for room in words.rooms_with_locks()} if always_ask else {}
    for event in events:
        references.setdefault(event.room, set()).add(event.reference)
    kinds = {room: words.kind_of(room) for room in references} if about else {}
    closed = {room: words.locked_reasons(request, room, names) for room, names in references.items()} if request else {}
    return [_line(event, staff, kinds, locked or event.reference in closed.get(event.room, ())) for event in events]


def _line(event, staff, kinds, locked):
    reason = event.reason.text if hasattr(event, "reason") else ""
    return Line(
        at=event.at,
        what=words.of(event.room, event.code),
        who=who(event, staff),
        refused=event.refused,
        reason="" if locked else reason,
        locked=bool(locked and reason),
        kind=kinds.get(event.room, ""),
        reference=event.reference if kinds else "",
        url=reverse("admin:trail_event_about", args=[event.pk]) if kinds else "",
    )


def who(event, staff):
    """Whoever did it, by name; "" for the clock and for people without an account."""
    if not event.staff_id:
        return ""
    return str(staff.get(event.staff_id) or _("somebody who is no longer here"))
