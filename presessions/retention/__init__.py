"""How long what is kept: each room registers its rules here, and one runner carries them out (`running`). Room:
retention, basement; imports the vault.

    @retention.rule("not_selected", what=_("Applications that were not selected"), when=ngettext_lazy(...), dated=True,
                    kept=not_selected, stays=_("the State and the steps"), once=1)
    def forget_not_selected(rows, *, now):
        ...

How many days stands in the setting KEEP_DAYS, by the rule's name. The page of staff, the public page on privacy and
`manage.py forget` all read from here, so that none of them says what the code does not do.

    retention.days("not_selected")                30
    retention.RULES["not_selected"].in_words      "30 days after the last day of the Pre-sessions"
    retention.rules()                             all of them, in the order in which they are shown
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Func, IntegerField, Min, Q
from django.db.models.lookups import GreaterThan

from presessions import vault

# In which order they are shown: people first, machinery last. Every rule stands here, and every name in KEEP_DAYS.
ORDER = (
    "drafts", "not_selected", "selected", "needs", "notes", "contacts_unconfirmed", "delegates", "questions", "tasks",
    "checks", "addresses", "letters", "visitors", "reports", "visits", "uploads", "reasons", "history", "staff",
    "alarms", "sessions", "tries",
)  # fmt: skip

AT_ONCE = date(2000, 1, 1)  # the day from which a dated rule counts what is due whatever the calendar says
MOST_DAYS = 3650
A_YEAR = 365


@dataclass(frozen=True)
class Rule:
    """What is forgotten, and when.

    what -- the kind of thing, in words; when -- words with "%(days)s", counted by ngettext_lazy on "days"
    kept() -> queryset of what the rule will still have to forget, with `kept_since`: the instant from which its days
        count, or the day in Geneva where `dated`; NULL where no date is known yet, so that it waits
    forget(rows, now=) -- does it for a queryset of some of them, in transactions of its own; again is no harm
    stays -- what is left, in words; "" where nothing is
    once -- how many rows `forget` is given at a time
    """

    name: str
    what: Any
    when: Any
    kept: Callable[[], Any]
    forget: Callable[..., None]
    dated: bool = False
    stays: Any = ""
    once: int = 500

    @property
    def days(self):
        return days(self.name)

    @property
    def in_words(self):
        """Its rule in the active language, with the number of days."""
        return self.when % {"days": self.days}

    def due(self, now):
        return self.kept().filter(kept_since__lt=self._limit(now))

    def is_over(self, since, now):
        """Whether what counts from then is due."""
        return since < self._limit(now)

    def next_at(self, now):
        """The instant at which something more becomes due; None where no date of it is known."""
        later = self.kept().filter(kept_since__gte=self._limit(now)).annotate(since=F("kept_since"))
        first = later.order_by().aggregate(first=Min("since"))["first"]
        if first is None or not self.dated:
            return first and first + timedelta(days=self.days)
        return datetime.combine(first + timedelta(days=self.days + 1), time(), settings.GENEVA)

    def without_date(self):
        """What waits for a date that nobody knows yet."""
        return self.kept().filter(kept_since=None)

    def _limit(self, now):
        """What counts from before it is due. A day is over when it is over in Geneva."""
        if self.dated:
            return now.astimezone(settings.GENEVA).date() - timedelta(days=self.days)
        return now - timedelta(days=self.days)


RULES: dict[str, Rule] = {}


def rule(name, **facts):
    """Register a rule; decorates its `forget(rows, *, now)`."""
    if name not in ORDER:
        raise ValueError(f"{name} is not in retention.ORDER")

    def register(forget):
        RULES[name] = Rule(name, forget=forget, **facts)
        return forget

    return register


def rules():
    return [RULES[name] for name in ORDER if name in RULES]


def days(name):
    """How many days, as this installation keeps it. Raises KeyError for a name that is none."""
    return settings.KEEP_DAYS[name]


def wrong_days():
    """What is wrong with KEEP_DAYS, in sentences for whoever starts it."""
    for name, number in settings.KEEP_DAYS.items():
        if name not in ORDER:
            yield f"KEEP_DAYS names “{name}”, which is no rule. The rules are: {', '.join(ORDER)}."
        elif not 1 <= number <= MOST_DAYS:
            yield f"KEEP_DAYS says {number} days for “{name}”: give a number from 1 to {MOST_DAYS}."


# --- What rules have in common ----------------------------------------------------------------------------------------


def delete(rows, *, now):
    """The `forget` of a rule that leaves nothing."""
    rows.delete()


def empty(rows, *, now):
    """The `forget` of a rule that takes the words and leaves the row."""
    rows.update(**vault.emptied(rows.model))


def a_year_after(column, *, rule):
    """From when the days of that rule count, so that it is due a year after what the column says."""
    return F(column) + timedelta(days=max(0, A_YEAR - days(rule)))


class OctetLength(Func):
    function = "octet_length"
    output_field = IntegerField()


def with_words(model, *, but=()):
    """A condition: something in one of the encrypted columns of a row. but -- names of columns that do not count"""
    condition = Q()
    for name in vault.emptied(model):
        if name not in but:
            condition |= Q(GreaterThan(OctetLength(F(name)), 0))
    return condition
