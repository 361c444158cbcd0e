"""What of the mail waits for staff, and what goes out next, in numbers for the home page. Room: mail; reads, never
writes. The same few queries whatever lies in the tables.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.urls import reverse

from presessions.mail import registry, wording
from presessions.mail.models import Letter, Mailing

MOST = 5_000  # letters that are counted; the list counts no further either
NEXT = 4  # mailings that are told ahead of their hour
PROBLEMS = (Letter.State.FAILED, Letter.State.BOUNCED, Letter.State.UNCERTAIN, Letter.State.EXPIRED)


def letters_to_look_at():
    """{state: number} of the letters that need a person, in the order in which staff are told of them."""
    waiting = Letter.objects.to_look_at().filter(replaced_by=None).order_by()
    found = Counter(waiting.values_list("state", flat=True)[:MOST])
    return {state: found[state] for state in PROBLEMS if found[state]}


def address_of(state):
    """The outbox with exactly those letters."""
    return f"{reverse('admin:mail_letter_changelist')}?eyes=look&state__exact={state}"


@dataclass(frozen=True)
class Next:
    """What goes out at one hour: a mailing, or the same one of several meetings."""

    mailings: tuple[Any, ...]
    number: int | None  # of people, as the audience is today; None where nobody has said how to count them

    @property
    def first(self):
        return self.mailings[0]

    @property
    def at(self) -> datetime:
        return self.first.due_at

    @property
    def what(self):
        step = self.first.step
        return f"{self.first.label} ({step})" if step else str(self.first.label)

    @property
    def where(self):
        """The States of its meetings; of a mailing for the whole series none."""
        return [mailing.meeting.state.name for mailing in self.mailings if mailing.meeting_id]

    @property
    def to(self):
        return wording.to_whom(self.first, self.number)

    @property
    def url(self):
        return reverse("admin:mail_mailing_change", args=[self.first.pk])


def next_of_series(series, now):
    """{series' key: [Next, ...]}: the next hours at which mail of each of these series goes out, the nearest first.
    What goes to single people of a meeting is told only where it has somebody to go to."""
    ahead = Mailing.objects.with_series().filter(series__in=series, state=Mailing.State.PLANNED, due_at__gt=now)
    ahead = list(ahead.order_by("due_at", "pk"))
    numbers, hours, found = _numbers(ahead), {}, {}
    for mailing in ahead:
        hours.setdefault((mailing.series_id, mailing.due_at, mailing.kind, mailing.step), []).append(mailing)
    for (pk, *_hour), mailings in hours.items():
        number = _in_all(mailings, numbers)
        those, theirs = found.setdefault(pk, []), [one for one in mailings if numbers.get(one.pk) != 0]
        if len(those) < NEXT and (number != 0 or not mailings[0].meeting_id):
            those.append(Next(tuple(theirs or mailings), number))
    return found


def _numbers(mailings):
    """{mailing's key: number}, asked once of each that counts. Whoever cannot count leaves its mailings out."""
    by_count, found = {}, {}
    for mailing in mailings:
        count = registry.NUMBERS.get(mailing.kind)
        if count:
            by_count.setdefault(count, []).append(mailing)
    for count, those in by_count.items():
        found |= count(those)
    return found


def _in_all(mailings, numbers):
    known = [numbers[mailing.pk] for mailing in mailings if mailing.pk in numbers]
    return sum(known) if len(known) == len(mailings) else None


def held():
    """How many mailings wait for somebody to let them go."""
    return Mailing.objects.held().aggregate(number=Count("pk"))["number"]


def held_address():
    return f"{reverse('admin:mail_mailing_changelist')}?state__exact={Mailing.State.HELD}"
