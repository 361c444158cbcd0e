"""When mailings go: planned from the registered timetable, dated anew in the very transaction that changes a date.

Room: mail. `due` computes, `wording` puts into words, `corrections` proposes what a changed date calls for; what is due
is then written and sent by `writing` and `delivery`. A mailing's date stands once its writing begins.
"""

import copy
from dataclasses import dataclass

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from presessions import trail
from presessions.mail import corrections, registry
from presessions.mail.due import Anchors, Due, anchors_of, due
from presessions.mail.models import Mailing, mailing_changed
from presessions.mail.wording import (  # noqa: F401 -- the other half of the schedule
    SHORT_NOTICE,
    AsOn,
    Row,
    as_on,
    explain,
    in_rule,
    short_notice,
    standing,
    timeline,
    to_whom,
    went_out,
    worries,
)
from presessions.mail.writing import catch_up, missing, write_due  # noqa: F401 -- and the third
from presessions.upr.models import CountryMeeting
from presessions.upr.signals import Consequence, dates_changed

State, Held, Decided = Mailing.State, Mailing.Held, Mailing.Decided
STANDS_ON = ("state", "held_reason", "due_at", "writing_at")  # what the words of `standing` are made of


def listen():
    dates_changed.connect(_dates_changed, dispatch_uid="presessions.mail.schedule")
    mailing_changed.connect(_mailing_changed, dispatch_uid="presessions.mail.schedule")


def _dates_changed(series, now, **kwargs):
    return plan(series, now)


def _mailing_changed(mailing, now, **kwargs):
    plan(mailing.series, now)
    mailing.refresh_from_db()


def plan(series, now):
    """Give a series its mailings and compute their dates. May be called as often as one likes, by many at once.

    Returns a Consequence for each mailing that is new or has changed.
    """
    with transaction.atomic():
        known = _add_missing(series)
        mailings = list(series.mailings.with_series().select_for_update(of=("self",)).order_by("pk"))
        _share(mailings)
        anchors = anchors_of(mailings)
        dates = {mailing.pk: due(mailing, anchors) for mailing in mailings}
        before = {mailing.pk: copy.copy(mailing) for mailing in mailings if mailing.pk in known}
        for mailing in mailings:
            if mailing.date_may_change:
                needed = is_needed(mailing, mailings, dates, anchors, now)
                if apply(mailing, dates[mailing.pk], needed, now):
                    mailing.save(update_fields=["due_at", "decided_by", "state", "held_reason"])
            elif (
                mailing.state == State.PLANNED
                and mailing.is_frozen
                and (is_stopped(mailing) or corrections.is_out_of_date(mailing, anchors))
            ):
                # Let go by staff, for its hour; but its series is closed, or what they read is not so any more.
                mailing.state, mailing.held_reason = State.HELD, Held.LOOK
                mailing.save(update_fields=["state", "held_reason"])
                trail.record(mailing, "held_look", now=now)
        found = [_consequence(mailing, before.get(mailing.pk), anchors) for mailing in mailings]
        closed = any(mailing.series.closed_at for mailing in mailings)
        corrected = [] if closed else corrections.follow(mailings, anchors, now)
    return [one for one in found if one] + [_proposed(*pair) for pair in corrected]


def _add_missing(series):
    """Give the series what the timetable has and it has not; returns the keys of those it had."""
    had = list(series.mailings.values_list("kind", "meeting", "step", "pk"))
    there, meetings, new = {row[:3] for row in had}, None, []
    for line in sorted(registry.PLANS.values(), key=lambda line: line.order):
        if line.corrects or (line.planned and not line.planned(series)):
            continue
        if line.per_meeting and meetings is None:
            meetings = list(series.meetings())
        for meeting in meetings if line.per_meeting else [None]:
            if (line.kind, meeting and meeting.pk, line.step) not in there:
                new.append(_new(line, series, meeting))
    Mailing.objects.bulk_create(new, ignore_conflicts=True)  # another planner at the same time may have been faster
    return {row[3] for row in had}


def _new(line, series, meeting):
    return Mailing(
        kind=line.kind,
        series=series,
        meeting=meeting,
        step=line.step,
        anchor=line.anchor,
        months=line.months,
        days=line.days,
        hour=line.hour,
        latest_anchor=line.latest_anchor,
        latest_days=line.latest_days,
        pointless_after=line.pointless_after,
    )


def _share(mailings):
    """One object for each mailing that others correct, so that what is done to one is seen by the other."""
    by_key = {mailing.pk: mailing for mailing in mailings}
    for mailing in mailings:
        if mailing.corrects_id:
            mailing.corrects = by_key[mailing.corrects_id]


def is_needed(mailing, mailings, dates, anchors, now):
    """Whether this series has any use for it. dates -- Due of each of `mailings`, by key"""
    line = registry.find_plan(mailing.kind, mailing.step)
    if is_stopped(mailing):
        return False
    if mailing.corrects_id:
        return True
    if mailing.meeting and not mailing.meeting.goes_ahead:
        return False  # moved by staff or not: there is nothing left to write about
    if mailing.moved_to or line is None:
        return True
    if line.planned and not line.planned(mailing.series):
        return False
    was_never_planned = mailing.due_at is None or mailing.state == State.NOT_NEEDED
    if line.lapses and now and was_never_planned and anchors.is_pointless(mailing, now):
        return False
    return not any(
        _comes_no_earlier(other, dates[other.pk], dates[mailing.pk])
        for other in mailings
        if other.kind == line.unless_later and other.state != State.CANCELLED
    )


def is_stopped(mailing):
    """Whether it must not begin, because its series has been closed."""
    if not mailing.series.closed_at:
        return False
    line = registry.find_plan(mailing.kind, mailing.step)
    held = CountryMeeting.Status.HELD
    return not (line and line.outlives and mailing.series.meetings().filter(status=held).exists())


def _comes_no_earlier(other, others, ours):
    goes_at = others.at if other.date_may_change else other.due_at
    goes_at = goes_at or others.known_at
    return ours.at is not None and goes_at is not None and goes_at >= ours.at


def apply(mailing, found, needed, now):
    """Give a mailing its new date, and hold it when that date has come too late to be planned; whether that changed
    anything. Saves nothing."""
    stopped = mailing.series.closed_at and not needed
    if mailing.corrects_id and not mailing.moved_to and not stopped:
        return False  # proposed, or let go by staff: no date has a say in it
    before = (mailing.due_at, mailing.decided_by, mailing.state, mailing.held_reason)
    changed = found.at != mailing.due_at or (needed and mailing.state == State.NOT_NEEDED)
    mailing.due_at, mailing.decided_by = found.at, found.decided_by
    held_by_staff = mailing.held_reason == Held.STAFF  # kept while it is stopped, so that it is held again
    if held_by_staff:
        mailing.state = State.NOT_NEEDED if stopped else State.HELD
    elif not needed:
        mailing.state, mailing.held_reason = State.NOT_NEEDED, ""
    elif found.at is None or (now and found.at > now):
        mailing.state, mailing.held_reason = State.PLANNED, ""
    elif changed and now:
        mailing.state, mailing.held_reason = State.HELD, Held.PAST
    return before != (mailing.due_at, mailing.decided_by, mailing.state, mailing.held_reason)


# --- What a change means ----------------------------------------------------------------------------------------------


def _consequence(mailing, was, anchors):
    """What has become of a mailing, or None where nothing has. Words are found for those alone that have changed: most
    have not, and dates are announced often.

    was -- the mailing before; None where it is new
    """
    outdated = mailing.is_frozen and corrections.is_out_of_date(mailing, anchors)
    if was and not outdated and all(getattr(was, name) == getattr(mailing, name) for name in STANDS_ON):
        return None
    before, after, warning = standing(was) if was else "", standing(mailing), ""
    if before != after:
        warning = short_notice(mailing, anchors)
    if outdated:
        warning = _("Its letters are written already and tell the earlier dates: have them written anew.")
    if before == after and not warning:
        return None
    return Consequence(_named(mailing), before, after, _page(mailing), warning, _where(mailing))


def goes_on(mailing):
    """What a change means for a mailing that has begun: nothing."""
    stands = standing(mailing)
    return Consequence(_named(mailing), stands, stands, _page(mailing), "", _where(mailing))


def _proposed(corrected, correction):
    """What a correction that has been proposed, changed or taken back means, told of the mailing it corrects."""
    proposed = correction.state == State.HELD
    if registry.plan_of(correction).instead_of:
        after = announced(correction) if proposed else _("not needed")
        return Consequence(_named(correction), _("proposed"), after, _page(corrected), "", _where(correction))
    gone = went_out(corrected)
    after = _("%(gone)s; a correction is proposed") % {"gone": gone} if proposed else gone
    return Consequence(_named(corrected), gone, after, _page(corrected), "", _where(corrected))


def announced(announcement):
    """What has been announced, or proposed to be, in words: to how many, and why."""
    words = {"to": to_whom(announcement, len(announcement.people()))}
    return _("proposed to %(to)s; held until staff let it go") % words


def announce(kind, meeting, *, corrects, was, now):
    """corrections.announce, and what it means, in words: a Consequence."""
    proposal = corrections.announce(kind, meeting, corrects=corrects, was=was, now=now)
    page = _page(corrects)  # its own may be undone with the change
    return Consequence(_named(proposal), _("no mail"), announced(proposal), page, "", _where(proposal))


def _named(mailing):
    line = registry.find_plan(mailing.kind, mailing.step)
    step = "" if line and line.instead_of else mailing.step  # of these only a number
    label = f"{mailing.label} ({step})" if step else mailing.label
    return f"{label}, {mailing.series}"


def _where(mailing):
    return mailing.meeting.state.name if mailing.meeting_id else ""


def _page(mailing):
    return reverse("admin:mail_mailing_change", args=[mailing.pk])


# --- What would be ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Would:
    """What another rule, or a move, would make of a mailing."""

    due: Due
    words: str
    warning: str = ""


def would(mailing, *, now=None, count=None, **rule):
    """What would be, were this rule saved. Nothing is written. Raises WrongStep where it leads outside the calendar.

    rule -- anchor, months, days, hour, latest_anchor, latest_days, moved_to: those that would change
    """
    tried = copy.copy(mailing)
    for name, value in rule.items():
        setattr(tried, name, value)
    mailings = [tried if other.pk == tried.pk else other for other in mailing.series.mailings.with_series()]
    anchors = Anchors([mailing.series])
    dates = {other.pk: due(other, anchors) for other in mailings}
    if tried.date_may_change:
        apply(tried, dates[tried.pk], is_needed(tried, mailings, dates, anchors, now), now)
    return Would(dates[tried.pk], explain(tried, count=count, anchors=anchors), short_notice(tried, anchors))
