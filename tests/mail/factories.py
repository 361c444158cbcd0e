"""Series with dates, and letters, for the tests of mail."""

import itertools
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from presessions.mail import outbox
from presessions.mail.models import Mailing
from presessions.mail.registry import Recipient
from presessions.upr.models import Series, WorkingGroupSession

GENEVA = ZoneInfo("Europe/Zurich")
numbers = itertools.count(1)

WG = date(2027, 1, 18)
MEETINGS = date(2026, 12, 15)  # three days before "Working Group - 1 month"
LONG_BEFORE = datetime(2026, 1, 5, 10, 0, tzinfo=GENEVA)


def geneva(*parts):
    return datetime(*parts, tzinfo=GENEVA)


def make_series(*, starts_on=WG, first_day=MEETINGS, last_day=None, now=LONG_BEFORE, number=54, **fields):
    """A series as staff set it up: the dates announced, the mailings planned."""
    session = WorkingGroupSession.objects.create(
        number=number, starts_on=starts_on, ends_on=starts_on and starts_on + timedelta(days=11)
    )
    last_day = last_day or (first_day and first_day + timedelta(days=2))
    return Series.open_for(session, now=now, first_day=first_day, last_day=last_day, **fields)


def make_mailing(kind="invitation", **series):
    return make_series(**series).mailings.get(kind=kind)


def put(kind="receipt", *, now=LONG_BEFORE, to="amina@example.org", key=None, **fields):
    """One letter in the outbox."""
    number = next(numbers)
    recipient = Recipient("person", fields.pop("id", str(number)), to=to, **fields.pop("person", {}))
    return outbox.put(kind=kind, key=key or f"{kind}:{number}:1", recipient=recipient, now=now, **fields)


def sending_mailing(**fields):
    """A mailing whose letters are on their way."""
    mailing = make_mailing(**fields)
    Mailing.objects.filter(pk=mailing.pk).update(state=Mailing.State.SENDING)
    mailing.refresh_from_db()
    return mailing


def put_now(number):
    """Letters that a process of its own, which knows the product's kinds only, may send."""
    for n in range(number):
        put("django", to=f"p{n}@example.org", now=timezone.now(), person={"context": {"subject": "S", "body": "B"}})
