"""When mailings go: planned from the registered timetable, computed from the calendar's dates. Room: mail.

Imports upr and the basement. What is due is then written and sent by `writing` and `delivery`. A mailing's date is
computed again in the very transaction that changed a date it hangs on, until its writing begins.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from presessions.mail import registry
from presessions.mail.models import Mailing, mailing_changed
from presessions.mail.writing import catch_up, missing, write_due  # noqa: F401 -- the other half of the schedule
from presessions.upr.dates import GENEVA, geneva, in_words, months_before
from presessions.upr.signals import dates_changed

State, Held, Decided = Mailing.State, Mailing.Held, Mailing.Decided

SHORT_NOTICE = timedelta(days=14)


# --- The calendar's own anchors; rooms above add theirs, such as the deadline ------------------------------------


def _start_of(day):
    return geneva(day) if day else None


@registry.anchor("working_group", gettext_lazy("the Working Group session"))
def working_group(series, meeting):
    return _start_of(series.session.starts_on)


@registry.anchor("working_group_end", gettext_lazy("the end of the Working Group session"))
def working_group_end(series, meeting):
    return _start_of(series.session.ends_on)


@registry.anchor("first_meeting", gettext_lazy("the first meeting"))
def first_meeting(series, meeting):
    return series.first_meeting_at()


@registry.anchor("last_meeting", gettext_lazy("the last meeting"))
def last_meeting(series, meeting):
    return series.last_meeting_at()


@registry.anchor("meeting", gettext_lazy("the meeting"))
def this_meeting(series, meeting):
    return meeting and meeting.starts_at


# --- Arithmetic ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Due:
    """What the dates known today say about a mailing."""

    at: datetime | None  # None: waits for a date
    decided_by: str = ""
    rule_at: datetime | None = None  # what the rule alone says
    latest_at: datetime | None = None  # what "at the latest" alone says
    unknown: tuple[str, ...] = ()  # anchors without a date

    @property
    def known_at(self):
        """The earliest moment that the known dates already ask for."""
        return min(filter(None, (self.rule_at, self.latest_at)), default=None)


def due(mailing):
    """Compute when a mailing goes: moved by staff, or the earlier of its rule and its "at the latest"."""
    rule_at = _before(mailing, mailing.anchor, mailing.months, mailing.days)
    unknown = () if rule_at else (mailing.anchor,)
    latest_at = None
    if mailing.latest_anchor and mailing.latest_days is not None:
        latest_at = _before(mailing, mailing.latest_anchor, 0, mailing.latest_days)
        unknown += () if latest_at else (mailing.latest_anchor,)
    if mailing.moved_to:
        return Due(mailing.moved_to, Decided.MOVED, rule_at, latest_at, unknown)
    if unknown:
        return Due(None, "", rule_at, latest_at, unknown)
    if latest_at and latest_at < rule_at:
        return Due(latest_at, Decided.LATEST, rule_at, latest_at)
    return Due(rule_at, Decided.RULE, rule_at, latest_at)


def _before(mailing, name, months, days):
    instant = mailing.anchor_at(name)
    if instant is None:
        return None
    if registry.ANCHORS[name].too_late:
        instant -= timedelta(microseconds=1)
    day = instant.astimezone(GENEVA).date()
    return geneva(months_before(day, months) - timedelta(days=days), mailing.hour)


# --- Planning -----------------------------------------------------------------------------------------------------


def listen():
    dates_changed.connect(_dates_changed, dispatch_uid="presessions.mail.schedule")
    mailing_changed.connect(_mailing_changed, dispatch_uid="presessions.mail.schedule")


def _dates_changed(series, now, **kwargs):
    plan(series, now)


def _mailing_changed(mailing, now, **kwargs):
    plan(mailing.series, now)
    mailing.refresh_from_db()


def plan(series, now):
    """Give a series its mailings and compute their dates. May be called as often as one likes."""
    with transaction.atomic():
        for line in sorted(registry.PLANS.values(), key=lambda line: line.order):
            if line.planned is None or line.planned(series):
                _add(line, series)
        mailings = list(series.mailings.with_series().select_for_update(of=("self",)).order_by("pk"))
        dates = {mailing.pk: due(mailing) for mailing in mailings}
        for mailing in mailings:
            if mailing.date_may_change:
                _date(mailing, dates[mailing.pk], _is_needed(mailing, mailings, dates), now)


def _add(line, series):
    rule = {
        "anchor": line.anchor,
        "months": line.months,
        "days": line.days,
        "hour": line.hour,
        "latest_anchor": line.latest_anchor,
        "latest_days": line.latest_days,
        "pointless_after": line.pointless_after,
    }
    for meeting in series.meetings() if line.per_meeting else [None]:
        Mailing.objects.get_or_create(kind=line.kind, series=series, meeting=meeting, step=line.step, defaults=rule)


def _is_needed(mailing, mailings, dates):
    line = registry.PLANS.get((mailing.kind, mailing.step))
    if mailing.moved_to or line is None:
        return True
    if line.planned and not line.planned(mailing.series):
        return False
    return not any(
        _comes_no_earlier(other, dates[other.pk], dates[mailing.pk])
        for other in mailings
        if other.kind == line.unless_later and other.state != State.CANCELLED
    )


def _comes_no_earlier(other, others, ours):
    goes_at = others.at if other.date_may_change else other.due_at
    goes_at = goes_at or others.known_at
    return ours.at is not None and goes_at is not None and goes_at >= ours.at


def _date(mailing, found, needed, now):
    """Write down a mailing's new date, and hold it when that date has come too late to be planned."""
    changed = found.at != mailing.due_at or (needed and mailing.state == State.NOT_NEEDED)
    mailing.due_at, mailing.decided_by = found.at, found.decided_by
    held_by_staff = mailing.state == State.HELD and mailing.held_reason == Held.STAFF
    if not held_by_staff:
        if not needed:
            mailing.state, mailing.held_reason = State.NOT_NEEDED, ""
        elif found.at is None or found.at > now:
            mailing.state, mailing.held_reason = State.PLANNED, ""
        elif changed:
            mailing.state, mailing.held_reason = State.HELD, Held.PAST
    mailing.save(update_fields=["due_at", "decided_by", "state", "held_reason"])


# --- In words -----------------------------------------------------------------------------------------------------


def explain(mailing, *, count=None):
    """Why it goes when it goes, for the people who answer for it.

    "1 month before the Working Group session would be Fri 18 December 2026 09:00 Geneva, 3 days before the first
    meeting; goes out Mon 23 November 2026 09:00 Geneva to every Permanent Mission."
    """
    found = due(mailing)
    if mailing.date_may_change and found.at is None:
        dates = _(" and ").join(str(_anchor_label(name)) for name in found.unknown)
        return _("Waits for a date: %(dates)s.") % {"dates": dates}
    goes = _goes(mailing, found, count)
    rule = {"rule": in_rule(mailing), "at": found.rule_at and in_words(found.rule_at), "goes": goes}
    decided_by = found.decided_by if mailing.date_may_change else mailing.decided_by
    if decided_by == Decided.MOVED:
        return _("Moved by staff: %(goes)s.") % rule
    if decided_by == Decided.LATEST:
        rule["distance"] = _distance(found.rule_at, mailing)
        rule["latest"] = _("at the latest %(days)s before %(anchor)s") % {
            "days": _in_days(mailing.latest_days),
            "anchor": _anchor_label(mailing.latest_anchor),
        }
        return _("%(rule)s would be %(at)s, %(distance)s; %(goes)s (%(latest)s).") % rule
    return _("%(rule)s: %(goes)s.") % rule


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


def short_notice(mailing):
    """A warning when people would have less than 14 days before the meetings begin, or "" when there is none."""
    start = mailing.series.first_meeting_at()
    invites = mailing.latest_anchor == "first_meeting"  # a mailing that must come so long before the meetings
    if invites and start and mailing.due_at and timedelta(0) < start - mailing.due_at < SHORT_NOTICE:
        days = (start.astimezone(GENEVA).date() - mailing.due_at.astimezone(GENEVA).date()).days
        return _("Short notice: only %(days)s before the first meeting.") % {"days": _in_days(days)}
    return ""


def worries(now):
    """Mailings that need a person: held, or waiting for a date although the known dates already make them due."""
    waiting = [mailing for mailing in Mailing.objects.waiting().with_series() if _is_overdue(mailing, now)]
    return [*Mailing.objects.held().with_series(), *waiting]


def _is_overdue(mailing, now):
    known_at = due(mailing).known_at
    return known_at is not None and known_at <= now


def _goes(mailing, found, count):
    at = in_words(found.at if mailing.date_may_change else mailing.due_at)
    to = mailing.audience if count is None else f"{count} · {mailing.audience}"
    words = {"at": at, "to": to}
    if mailing.state == State.NOT_NEEDED:
        return _("would go out %(at)s, but is not needed in this series") % words
    if mailing.state == State.CANCELLED:
        return _("would have gone out %(at)s to %(to)s; cancelled") % words
    if mailing.state in (State.SENDING, State.DONE):
        return _("went out %(at)s to %(to)s") % words
    return _("goes out %(at)s to %(to)s") % words


def _distance(instant, mailing):
    """How far an instant lies from the anchor of "at the latest", in the reader's words."""
    anchor = mailing.anchor_at(mailing.latest_anchor)
    days = (anchor.astimezone(GENEVA).date() - instant.astimezone(GENEVA).date()).days
    words = {"days": _in_days(abs(days)), "anchor": _anchor_label(mailing.latest_anchor)}
    if days == 0:
        return _("the day of %(anchor)s") % words
    return _("%(days)s before %(anchor)s") % words if days > 0 else _("%(days)s after %(anchor)s") % words


def _in_days(days):
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def _anchor_label(name):
    known = registry.ANCHORS.get(name)
    return known.label if known else name
