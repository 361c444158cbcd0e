"""Mailings in words, for the people who answer for them: when each goes, why then, and what would be on another day.

Room: mail. Reads, never writes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from presessions.mail import registry
from presessions.mail.due import anchors_of, due
from presessions.mail.models import Mailing
from presessions.upr.dates import day_of, in_words

State, Held, Decided = Mailing.State, Mailing.Held, Mailing.Decided

SHORT_NOTICE = timedelta(days=14)
GONE = (State.WRITING, State.SENDING, State.DONE)


def explain(mailing, *, count=None, anchors=None):
    """Why it goes when it goes.

    "1 month before the Working Group session would be Fri 18 December 2026, 09:00 Geneva time, 3 days before the first
    meeting; goes out Mon 23 November 2026, 09:00 Geneva time to 181 Permanent Missions."

    count -- how many people it goes to, where that is known
    """
    anchors = anchors or anchors_of([mailing])
    found = due(mailing, anchors)
    if mailing.corrects_id:
        return _explain_correction(mailing, found, count)
    if mailing.date_may_change and found.at is None:
        return _waits(mailing, found)
    goes = _goes(mailing, found, count)
    rule = {"rule": in_rule(mailing), "at": found.rule_at and in_words(found.rule_at), "goes": goes}
    decided_by = found.decided_by if mailing.date_may_change else mailing.decided_by
    if decided_by == Decided.MOVED:
        return _("Moved by staff: %(goes)s.") % rule
    distance = decided_by == Decided.LATEST and found.rule_at and _distance(found.rule_at, mailing, anchors)
    if not distance:
        return _("%(rule)s: %(goes)s.") % rule
    latest = _("at the latest %(days)s before %(anchor)s") % {
        "days": _in_days(mailing.latest_days or 0),
        "anchor": _anchor_label(mailing.latest_anchor),
    }
    rule |= {"distance": distance, "latest": latest}
    return _("%(rule)s would be %(at)s, %(distance)s; %(goes)s (%(latest)s).") % rule


def _waits(mailing, found):
    dates = _(" and ").join(str(_anchor_label(name)) for name in found.unknown)
    words = {"why": mailing.get_held_reason_display(), "dates": dates}
    if mailing.state == State.HELD:
        return _("Held (%(why)s). Waits for a date: %(dates)s.") % words
    return _("Waits for a date: %(dates)s.") % words


def _explain_correction(mailing, found, count):
    line = registry.find_plan(mailing.kind, mailing.step)
    words = {"to": to_whom(mailing, count), "told": mailing.corrects.label}
    if line and line.because and mailing.state != State.NOT_NEEDED:
        because = line.because(mailing)
        if mailing.held_reason == Held.PROPOSED:
            return because + " " + _("Let it go, and it is sent to %(to)s.") % words
        return f"{because} {capfirst(_goes(mailing, found, count))}."
    if mailing.state == State.HELD and mailing.held_reason == Held.PROPOSED:
        proposed = _("Proposed, because dates have changed since this went out: %(told)s.") % words
        return proposed + " " + _("Let it go, and it is sent to %(to)s.") % words
    if mailing.state == State.NOT_NEEDED and mailing.series.closed_at:
        return capfirst(mailing.get_state_display())
    if mailing.state == State.NOT_NEEDED:
        return _("Not needed: the dates told are right again (%(told)s).") % words
    words["goes"] = _goes(mailing, found, count)
    return _("Because dates have changed (%(told)s): %(goes)s.") % words


def in_rule(mailing):
    """The rule alone: "1 month before the Working Group session"."""
    before = mailing.months > 0 or mailing.days >= 0
    parts = []
    if mailing.months:
        months = abs(mailing.months)
        parts.append(ngettext("%(n)s month", "%(n)s months", months) % {"n": months})
    if mailing.days or not parts:
        parts.append(_in_days(abs(mailing.days)))
    words = {"offset": _(" and ").join(parts), "anchor": _anchor_label(mailing.anchor)}
    return _("%(offset)s before %(anchor)s") % words if before else _("%(offset)s after %(anchor)s") % words


def to_whom(mailing, count=None):
    """Its audience in words: "181 Permanent Missions", or "every Permanent Mission" where nobody has counted."""
    line = registry.find_plan(mailing.kind, mailing.step)
    if line is None or count is None:
        return mailing.audience
    if count == 0:
        return _("nobody for now")
    return line.counted % {"n": count} if line.counted else f"{count} · {line.audience}"


def standing(mailing):
    """Where it stands, in a few words, to compare before and after: "goes out Tue 15 December 2026, 09:00 …"."""
    words = {"at": mailing.due_at and in_words(mailing.due_at), "why": mailing.get_held_reason_display()}
    if mailing.state in (State.NOT_NEEDED, State.CANCELLED):
        return mailing.get_state_display()
    if mailing.held_reason == Held.PROPOSED:
        return words["why"]
    if mailing.due_at is None:
        return _("held (%(why)s)") % words if mailing.state == State.HELD else _("waits for a date")
    if mailing.state == State.HELD:
        return _("held (%(why)s): was to go out %(at)s") % words
    return went_out(mailing) if _has_gone(mailing) else _("goes out %(at)s") % words


def _has_gone(mailing):
    """Not while its letters are only being written, to be looked at."""
    return mailing.state in GONE and mailing.held_reason != Held.LOOK


def went_out(mailing):
    return _("went out %(at)s") % {"at": in_words(mailing.writing_at or mailing.due_at)}


def short_notice(mailing, anchors=None):
    """A warning when people would have less than 14 days before the meetings begin, or "" when there is none."""
    if mailing.latest_anchor != "first_meeting" or not mailing.due_at or mailing.state in GONE:
        return ""  # only what must come so long before the meetings
    start = (anchors or anchors_of([mailing])).at("first_meeting", mailing)
    if start and timedelta(0) < start - mailing.due_at < SHORT_NOTICE:
        days = (day_of(start) - day_of(mailing.due_at)).days
        return _("Short notice: only %(days)s before the first meeting.") % {"days": _in_days(days)}
    return ""


def _goes(mailing, found, count):
    at = found.at if mailing.date_may_change else mailing.due_at
    if mailing.state in GONE and mailing.writing_at:
        at = max(mailing.writing_at, mailing.due_at)  # it may be written long before it goes, to be looked at
    words = {"at": in_words(at), "to": to_whom(mailing, count), "why": mailing.get_held_reason_display()}
    if mailing.state == State.NOT_NEEDED:
        return _("would go out %(at)s, but is not needed in this series") % words
    if mailing.state == State.CANCELLED:
        return _("would have gone out %(at)s to %(to)s; cancelled") % words
    if mailing.held_reason == Held.LOOK:
        return _("once somebody lets it go, it goes out %(at)s to %(to)s") % words
    if mailing.state == State.HELD:
        return _("held (%(why)s): was to go out %(at)s to %(to)s") % words
    if mailing.state in (State.SENDING, State.DONE):
        return _("went out %(at)s to %(to)s") % words
    return _("goes out %(at)s to %(to)s") % words


def _distance(instant, mailing, anchors):
    """How far an instant lies from the anchor of "at the latest", in the reader's words; "" once nobody knows."""
    anchor = anchors.at(mailing.latest_anchor, mailing)
    if anchor is None:
        return ""
    days = (day_of(anchor) - day_of(instant)).days
    words = {"days": _in_days(abs(days)), "anchor": _anchor_label(mailing.latest_anchor)}
    if days == 0:
        return _("the day of %(anchor)s") % words
    return _("%(days)s before %(anchor)s") % words if days > 0 else _("%(days)s after %(anchor)s") % words


def _in_days(days):
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def _anchor_label(name):
    known = registry.ANCHORS.get(name)
    return known.label if known else name


# --- Lists ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One line of a timetable. when -- gone, today, due, held, next, ahead, waits, not_needed or cancelled"""

    mailing: Any
    when: str
    words: str
    warning: str = ""

    @property
    def url(self):
        return reverse("admin:mail_mailing_change", args=[self.mailing.pk])

    @property
    def what(self):
        """Without the series, which the page has named."""
        label = self.mailing.label
        return f"{label} ({self.mailing.step})" if self.mailing.step else label

    @property
    def where(self):
        return self.mailing.meeting.state.name if self.mailing.meeting_id else ""


def timeline(series, now):
    """Every mailing of a series in the order of its days, with where it stands and why: Row, Row, ... Nobody is
    counted: an audience may be long."""
    mailings = list(series.mailings.with_series().select_related("corrects").order_by("due_at", "pk"))
    return rows_of(mailings, now, anchors_of(mailings))


def rows_of(mailings, now, anchors):
    """The same for mailings of one series that are known already, in that order."""
    rows, is_next = [], True
    for mailing in mailings:
        when = _when(mailing, now)
        if when == "ahead" and is_next:
            when, is_next = "next", False
        rows.append(Row(mailing, when, explain(mailing, anchors=anchors), short_notice(mailing, anchors)))
    return rows


def _when(mailing, now):
    plain = {State.HELD: "held", State.NOT_NEEDED: "not_needed", State.CANCELLED: "cancelled"}
    if _has_gone(mailing):
        return "gone"
    if mailing.state in plain:
        return plain[mailing.state]
    if mailing.due_at is None:
        return "waits"
    return "ahead" if mailing.due_at > now else "due"


def together(rows):
    """Rows that say the same of several meetings, as one: (first row, the meetings' States) each."""
    groups = {}
    for row in rows:
        key = (row.what, row.when, row.words, row.warning)
        groups.setdefault(key if row.where else (row.mailing.pk,), []).append(row)
    return [(same[0], [row.where for row in same if row.where]) for same in groups.values()]


def worries(now):
    """Mailings that need a person: held or proposed, or waiting for a date though the known dates make them due."""
    waiting = list(Mailing.objects.waiting().with_series())
    anchors = anchors_of(waiting)
    overdue = [mailing for mailing in waiting if (at := due(mailing, anchors).known_at) is not None and at <= now]
    return [*Mailing.objects.held().with_series().select_related("corrects"), *overdue]


@dataclass(frozen=True)
class AsOn:
    """Another day: what people outside could use at that instant, and what would have become of each mailing."""

    at: datetime
    open: list
    mailings: list


def as_on(instant):
    """What would be at an instant, if nobody changed anything until then. Nothing is written and nothing is sent."""
    mailings = list(Mailing.objects.with_series().select_related("corrects").order_by("due_at", "pk"))
    anchors = anchors_of(mailings)
    rows = [_row_as_on(instant, mailing, anchors) for mailing in mailings]
    return AsOn(instant, [thing for find in registry.OPEN for thing in find(instant)], rows)


def _row_as_on(instant, mailing, anchors):
    if _has_gone(mailing):
        if mailing.writing_at and mailing.writing_at > instant:
            return Row(mailing, "ahead", _("goes out %(at)s") % {"at": in_words(mailing.writing_at)})
        return Row(mailing, "gone", went_out(mailing))
    when = _when(mailing, instant)
    if when != "due":
        return Row(mailing, when, explain(mailing, anchors=anchors))
    if anchors.is_pointless(mailing, mailing.due_at):
        words = {"why": Held.POINTLESS.label, "at": in_words(mailing.due_at)}
        return Row(mailing, "held", _("held (%(why)s): was to go out %(at)s") % words)
    days = [day_of(moment) for moment in (mailing.due_at, instant)]
    return Row(mailing, "today" if days[0] == days[1] else "gone", explain(mailing, anchors=anchors))
