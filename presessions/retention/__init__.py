"""How long what is kept: each room registers its rules here, and one runner carries them out. Room: retention, basement;
imports nothing of ours.

    @retention.rule("not_selected", what=_("Applications that were not selected"), when=ngettext_lazy(...), due=due_rows,
                    after=last_days, stays=_("the State, the steps and their moments"), once=1)
    def forget(rows, *, now):
        ...

How many days stands in the setting KEEP_DAYS, by the rule's name. The page of staff, the public page on privacy and
`manage.py forget` all read from here, so that none of them says what the code does not do.

    retention.days("not_selected")                30
    retention.RULES["not_selected"].in_words      "30 days after the last day of the Pre-sessions"
    retention.rules()                             all of them, in the order in which they are shown
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings


@dataclass(frozen=True)
class Rule:
    """What is forgotten, and when.

    what -- the kind of thing, in words; when -- words with "%(days)s", counted by ngettext_lazy on "days"
    due(now, days) -> queryset of what is to be forgotten at that instant
    forget(rows, now=) -- does it for some of them, in one transaction; again is no harm. Returns nothing
    after(now, days) -> the next instant at which something becomes due, None where none is known
    stays -- what is left of it, in words; "" where nothing is
    once -- how many rows `forget` is given at a time
    buried(rows) -> [str]: names of rows for the tombstones outside the database (random references), or None where
        the row's own date makes it due again after a restored backup
    """

    name: str
    what: Any
    when: Any
    due: Callable[..., Any]
    forget: Callable[..., None]
    after: Callable[..., Any] | None = None
    stays: Any = ""
    once: int = 500
    buried: Callable[..., list] | None = None

    @property
    def days(self):
        return days(self.name)

    @property
    def in_words(self):
        """Its rule in the active language, with the number of days."""
        return self.when % {"days": self.days}

    def due_at(self, now):
        return self.due(now, self.days)

    def next_after(self, now):
        return self.after(now, self.days) if self.after else None


RULES: dict[str, Rule] = {}

# In which order they are shown: people first, machinery last. Every rule stands here, and every name in KEEP_DAYS.
ORDER = (
    "drafts", "not_selected", "selected", "needs", "notes", "contacts_unconfirmed", "delegates", "addresses",
    "letters", "reports", "visits", "uploads", "reasons", "staff", "alarms", "sessions", "tries",
)  # fmt: skip


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
