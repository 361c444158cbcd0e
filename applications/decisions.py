"""Answers of one meeting: prepared, seen as each applicant will get them, then released together. Room: applications.

A decision is noted on the application, where nobody hears of it (`Application.prepare`). Release is one transaction:
every prepared answer and its letter, or nothing. Imports mail and this room's letters and models; an answer that was
released is changed by `reversal`.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from applications import asking, letters, seat
from applications.models import Application, Seat
from presessions import trail
from presessions.mail import outbox
from presessions.mail.letters import Text, Unwritable
from presessions.trail.steps import WrongStep

Decision, Status = Application.Decision, Application.Status

BECOMES = {
    Decision.ACCEPT: Status.ACCEPTED,
    Decision.WAITLIST: Status.WAITLISTED,
    Decision.DECLINE: Status.DECLINED,
}
LETTERS = {
    Decision.ACCEPT: "decision_accepted",
    Decision.WAITLIST: "decision_waitlisted",
    Decision.DECLINE: "decision_declined",
}


@dataclass(frozen=True)
class Preview:
    """What one applicant will get; `text` is None where it cannot be written."""

    application: Application
    text: Text | None
    place: tuple = ()  # on the waiting list, where the letter tells it

    @property
    def decision(self):
        return Decision(self.application.prepared)

    @property
    def seen(self):
        return what_is_seen(self.application, self.place)


def what_is_seen(application, place=()):
    """What a page showed, to compare with what there is when its button is pressed."""
    return ":".join([application.reference, application.prepared, *map(str, place)])


def _place_told(application, places):
    """(place, of how many) that the letter tells; () where it tells none."""
    return places.get(application.pk, ()) if application.prepared == Decision.WAITLIST else ()


def prepared(meeting):
    """Applications of a meeting whose answer waits for release, in the order they were sent."""
    waiting = Application.objects.for_meeting(meeting).filter(status__in=Application.ANSWERABLE)
    return waiting.exclude(prepared="").with_state().order_by("submitted_at", "pk")


def prepare_many(meeting, choices, *, seen, by, now, reason=""):
    """Note several answers at once, all or none, without telling anybody; returns how many were changed. Raises
    WrongStep.

    choices -- {reference: decision, or "" for none}; seen -- `what_is_seen` of each application when it was chosen
    """
    with transaction.atomic():
        rows = Application.objects.for_meeting(meeting).filter(reference__in=choices).select_related("prepared_by")
        known = {row.reference: row for row in rows.order_by("pk").select_for_update(of=("self",))}
        refusal = _why_not_prepared(choices, known, seen, reason)
        trail.record(meeting, "answers_prepared", now=now, by=by, refused=bool(refusal))
        changed = [] if refusal else [row for name, row in known.items() if choices[name] != row.prepared]
        for row in changed:
            why = reason if choices[row.reference] == Decision.DECLINE else ""
            row.prepare(choices[row.reference], by=by, now=now, reason=why)
    if refusal:  # outside the block: a refusal must not undo its own event
        raise WrongStep(refusal)
    return len(changed)


def _why_not_prepared(choices, known, seen, reason):
    """Why these answers cannot be noted, in words; "" where they can."""
    for reference, decision in choices.items():
        row = known.get(reference)
        if row is None or row.status not in Application.ANSWERABLE or what_is_seen(row) not in seen:
            words = {"application": reference, "by": (row and row.prepared and row.prepared_by) or _("somebody else")}
            return _("%(application)s was changed by %(by)s meanwhile. Nothing is noted; please look again.") % words
        if decision == Decision.WAITLIST and row.status == Status.WAITLISTED:
            return _("%(application)s is on the waiting list already, and knows it.") % {"application": reference}
        if decision == Decision.DECLINE and row.prepared != decision and not reason.strip():
            return _("Please give a reason for declining. It stays with staff.")
    return ""


def preview(meeting, *, now):
    """A Preview for each prepared answer, as if it were released now. Nothing is written and no link is minted."""
    places = waiting_places(meeting)
    return [
        Preview(application, _text(application, places, now), _place_told(application, places))
        for application in prepared(meeting)
    ]


def _text(application, places, now):
    application.confirm_by = seat.confirm_by(application, now)
    try:
        return outbox.preview(LETTERS[Decision(application.prepared)], _recipient(application, places))
    except Unwritable:
        return None


def _recipient(application, places):
    if application.prepared == Decision.WAITLIST:
        return letters.on_waiting_list(application, *_place_told(application, places))
    return letters.acceptance(application)


def waiting_places(meeting):
    """{application's key: (place, of how many)} on the list as it will be once what is prepared is released. Empty
    unless staff have put everybody who waits into an order: half an order would promise what nobody has decided."""
    waits = Q(prepared=Decision.WAITLIST, status=Status.SUBMITTED) | Q(prepared="", status=Status.WAITLISTED)
    everybody = Application.objects.for_meeting(meeting).filter(waits)
    rows = list(everybody.order_by("seat__position").values_list("pk", "seat__place"))
    if any(place != Seat.Place.WAITING for _pk, place in rows):
        return {}
    return {pk: (number, len(rows)) for number, (pk, _place) in enumerate(rows, start=1)}


def told_place(application):
    """The recipient of the letter about the waiting list, as it stands now: for who sends it again."""
    return letters.on_waiting_list(application, *waiting_places(application.meeting).get(application.pk, ()))


def release(meeting, *, by, now, seen=None, while_open=True):
    """Release all prepared answers of a meeting, each with its letter; returns how many. Raises WrongStep.

    seen -- the `Preview.seen` of each answer somebody looked at: when something has changed since, nothing is released
    while_open -- whether somebody may be accepted although the call for this State is still open
    """
    with transaction.atomic():
        # Locked, so that of two clicks at once the second one finds nothing prepared any more.
        waiting = list(prepared(meeting).select_for_update(of=("self",)))
        places = waiting_places(meeting)
        refusal = _refusal(meeting, waiting, places, seen) or ("" if while_open else _still_open(waiting, now))
        trail.record(meeting, "decisions_released", now=now, by=by, refused=bool(refusal))
        if not refusal:
            for application in waiting:
                _release(application, places, by=by, now=now)
    if refusal:  # outside the block: a refusal must not undo its own event
        raise WrongStep(refusal)
    return len(waiting)


def _refusal(meeting, waiting, places, seen):
    """Why nothing can be released, in words; "" when it can."""
    if not waiting:
        return _("No answer is prepared for this meeting.")
    if seen is not None and seen != {what_is_seen(one, _place_told(one, places)) for one in waiting}:
        return _("The prepared answers have changed since you saw them. Please look at them again.")
    if not meeting.goes_ahead and any(application.prepared == Decision.ACCEPT for application in waiting):
        return _("This meeting does not take place, so nobody can be accepted for it.")
    return ""


def _still_open(waiting, now):
    """Why nobody can be accepted yet, in words; "" when no acceptance waits, or nobody can apply any more."""
    if any(application.prepared == Decision.ACCEPT and application.state_call.is_open(now) for application in waiting):
        return _("The call is still open. To accept people all the same, tick the box above the button.")
    return ""


def _release(application, places, *, by, now):
    decision = Decision(application.prepared)
    facts = {"status": BECOMES[decision], "prepared": "", "released_at": now}
    if decision == Decision.ACCEPT:
        facts |= {"confirm_by": seat.confirm_by(application, now), "seat_answered_at": None, "cleared_at": None}
    Application.objects.filter(pk=application.pk).update(**facts)
    application.confirm_by = facts.get("confirm_by")
    asking.end(application, now)
    if decision == Decision.DECLINE:
        Seat.leave(application, now=now, by=by)
    event = trail.record(application, f"released_{decision}", now=now, by=by)
    outbox.put(
        kind=LETTERS[decision],
        key=f"decision:{application.reference}:{event.pk}",
        recipient=_recipient(application, places),
        now=now,
    )


def undecided(series):
    """Applications of a series that were sent and have no released answer yet."""
    return Application.objects.undecided().filter(state_call__call__series=series)


def refuse_undecided(series, now=None):
    """The guard of whoever closes a series: raises WrongStep while anybody is left without an answer, or would be.

    now -- given, drafts that may still be sent by a late link count too
    """
    waiting = undecided(series).count()
    if waiting:
        raise WrongStep(
            ngettext(
                "%(count)s applicant is still without an answer.",
                "%(count)s applicants are still without an answer.",
                waiting,
            )
            % {"count": waiting}
        )
    of_series = Application.objects.filter(state_call__call__series=series)
    noted = of_series.filter(status__in=Application.ANSWERABLE).exclude(prepared="").count()
    if noted:
        raise WrongStep(
            ngettext(
                "%(count)s answer is prepared and was not released. Release it, or take it back.",
                "%(count)s answers are prepared and were not released. Release them, or take them back.",
                noted,
            )
            % {"count": noted}
        )
    late = of_series.filter(status=Status.DRAFT, late_until__gt=now).count() if now else 0
    if late:
        raise WrongStep(
            ngettext(
                "%(count)s applicant still has a late link and may send an application.",
                "%(count)s applicants still have a late link and may send an application.",
                late,
            )
            % {"count": late}
        )
