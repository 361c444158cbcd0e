"""The timetable as staff read it: what went out, what is due, what is held and why, what comes next. Room: mail.

The same few queries for one series and for fifty; nobody is counted but letters that are written.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from presessions.mail import wording
from presessions.mail.admin import people
from presessions.mail.admin.steps import pill
from presessions.mail.due import anchors_of
from presessions.mail.models import Letter, Mailing
from presessions.upr.dates import day_of, in_words

State = Mailing.State
MOST_SERIES = 6
MOST_PLACES = 4
LIVE = (State.PLANNED, State.HELD, State.WRITING, State.SENDING)
AS_ON = {"due": "today", "next": "ahead"}
NEEDS_EYES = (Letter.State.FAILED, Letter.State.BOUNCED, Letter.State.UNCERTAIN, Letter.State.EXPIRED)


@dataclass(frozen=True)
class Item:
    """One line of a timeline; one for several meetings when it says the same of each."""

    row: Any  # wording.Row
    where: list[str]
    pill: str
    counts: str

    @property
    def at(self):
        """When it went or goes, in words; "" while a date is unknown."""
        mailing = self.row.mailing
        at = mailing.writing_at if self.row.when == "gone" and mailing.writing_at else mailing.due_at
        return in_words(at) if at else ""

    @property
    def place(self):
        """The States of its meetings; of many, how many."""
        if len(self.where) <= MOST_PLACES:
            return ", ".join(self.where)
        return ngettext("%(n)s meeting", "%(n)s meetings", len(self.where)) % {"n": len(self.where)}

    @property
    def is_plain(self):
        """Whether its date says it all."""
        return self.row.when in ("gone", "not_needed", "cancelled")

    @property
    def mark(self):
        """The class of its line, which is its colour."""
        return {"held": "bad", "due": "due now", "today": "due now", "next": "due next", "ahead": "due"}.get(
            self.row.when, self.row.when
        )


def of(series, now):
    """The timeline of one series."""
    return _items(wording.timeline(series, now))


def live(now):
    """(series, its timeline) for each series whose mailings are not all over; the one that is due first comes first."""
    mailings = Mailing.objects.with_series().select_related("corrects").order_by("due_at", "pk")
    first = Mailing.objects.filter(state__in=LIVE).order_by("series__session__number").values_list("series", flat=True)
    chosen = list(dict.fromkeys(first))[:MOST_SERIES]
    mailings = list(mailings.filter(series__in=chosen))
    anchors, by_series = anchors_of(mailings), {}
    for mailing in mailings:
        by_series.setdefault(mailing.series_id, []).append(mailing)
    counts = _counts([mailing.pk for mailing in mailings])
    return [
        (theirs[0].series, _items(wording.rows_of(theirs, now, anchors), counts))
        for theirs in (by_series[pk] for pk in chosen)
    ]


def as_on(instant):
    """What would be at an instant, for the page that asks: what is open, and the mailings by what becomes of them."""
    found = wording.as_on(instant)
    groups = {}
    for row in found.mailings:
        groups.setdefault(AS_ON.get(row.when, row.when), []).append(row)
    groups = {name: _items(rows) for name, rows in groups.items()}
    day = [(item, people.count_of(item.row.mailing)) for item in groups.get("today", ())]
    return {"at": instant, "open": found.open, "day": day, "groups": groups}


def _items(rows, counts=None):
    counts = _counts([row.mailing.pk for row in rows]) if counts is None else counts
    same = {}
    for row in rows:  # of several meetings, those that say the same
        key = (row.what, row.when, row.words, row.warning, row.mailing.held_reason) if row.where else row.mailing.pk
        same.setdefault(key, []).append(row)
    return [_item(together, counts) for together in same.values()]


def _item(rows, counts):
    sums = {}
    for row in rows:
        for state, number in counts.get(row.mailing.pk, {}).items():
            sums[state] = sums.get(state, 0) + number
    return Item(rows[0], [row.where for row in rows if row.where], pill_of(rows[0].mailing), in_numbers(sums))


def _counts(mailings):
    """{mailing: {state: how many letters}}, in one query by an index."""
    found = {}
    letters = Letter.objects.filter(mailing__in=mailings).order_by().values_list("mailing", "state")
    for mailing, state, number in letters.annotate(number=Count("pk")):
        found.setdefault(mailing, {})[state] = number
    return found


def counts_of(mailing):
    return _counts([mailing.pk]).get(mailing.pk, {})


def in_numbers(counts):
    """{state: number} as staff read it: "182 of 193 sent, 2 failed"; "" when nothing is written."""
    if not counts:
        return ""
    words = {"sent": counts.get(Letter.State.SENT, 0), "all": sum(counts.values())}
    parts = [_("%(sent)s of %(all)s sent") % words]
    for state in NEEDS_EYES:
        if counts.get(state):
            parts.append(f"{counts[state]} {Letter.State(state).label}")
    return ", ".join(parts)


def distance(mailing, instant):
    """How far an instant lies from the first meeting, in words; "" while that is unknown."""
    first = mailing.anchor_at("first_meeting")
    if first is None:
        return ""
    days = (day_of(first) - day_of(instant)).days
    words = {"n": abs(days)}
    if days == 0:
        return _("That is the day of the first meeting.")
    if days > 0:
        return (
            ngettext(
                "That is %(n)s day before the first meeting.", "That is %(n)s days before the first meeting.", days
            )
            % words
        )
    return (
        ngettext("That is %(n)s day after the first meeting.", "That is %(n)s days after the first meeting.", -days)
        % words
    )


def pill_of(mailing):
    words = mailing.get_state_display()
    if mailing.state == State.WRITING and mailing.held_reason:
        words = _("being written, to be looked at before it goes")
    elif mailing.held_reason:
        words = _("%(state)s: %(reason)s") % {"state": words, "reason": mailing.get_held_reason_display()}
    return pill(mailing.state, words)
