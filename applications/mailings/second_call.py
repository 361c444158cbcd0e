"""A second call for a State that too few have applied for, to the contacts who named it. Room: applications.

Proposed three weeks and one week before the State's deadline (`thin`); it goes once staff let it go, and is taken back
by itself when enough have applied. It says nothing of how many have: that would tell who is alone. It repeats a date
and changes none, so that no correction waits for it.
"""

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from applications import letters, thin
from applications.models import Application, Contact, StateCall
from presessions.mail import corrections, registry, schedule
from presessions.mail.models import Mailing

KIND = "second_call"
Held, State = Mailing.Held, Mailing.State


def _state_call(mailing):
    return StateCall.objects.with_state().get(meeting=mailing.meeting_id)


def _tells(mailing, at):
    return {mailing.meeting.uid: at("deadline") if mailing.meeting.goes_ahead else registry.OFF}


def _because(mailing):
    state_call = thin.counted(StateCall.objects.with_state()).get(meeting=mailing.meeting_id)
    words = {
        "state": state_call.state.name,
        "number": state_call.application_count,
        "minimum": state_call.call.minimum,
        "deadline": state_call.deadline_in_words,
    }
    return gettext("%(state)s has %(number)s of %(minimum)s applications; its deadline: %(deadline)s.") % words


@registry.announcement(
    KIND,
    instead_of="correction_call",
    tells=_tells,
    because=_because,
    label=_("second call"),
    audience=_("contacts who named this State and have not applied"),
    counted=ngettext_lazy("%(n)s contact", "%(n)s contacts", "n"),
    template="mail/second_call",
    unsubscribe="leave",
)
def to_contacts(mailing):
    state_call = _state_call(mailing)
    asked = Contact.objects.confirmed().filter(_has_named(mailing.meeting) & ~_has_applied(mailing.meeting))
    for contact in asked.order_by("pk").iterator():
        yield letters.of_contact(contact, state_call=state_call)


@registry.number_of(KIND)
def number(mailings):
    return _numbers({mailing.pk: mailing.meeting for mailing in mailings})


def _numbers(meetings):
    """{key: how many contacts would be written to about the meeting of that key}, in one query."""
    asked = {f"n{key}": Count("pk", filter=_has_named(one) & ~_has_applied(one)) for key, one in meetings.items()}
    found = Contact.objects.confirmed().aggregate(**asked) if asked else {}
    return {key: found[f"n{key}"] for key in meetings}


def _has_named(meeting):
    named = Contact.states.through.objects.filter(contact=OuterRef("pk"))
    return Q(Exists(named.filter(state=meeting.state.pk)))


def _has_applied(meeting):
    living = Application.objects.live().for_meeting(meeting)
    return Q(Exists(living.filter(email_index=OuterRef("email_index"))))


# --- Proposing it -----------------------------------------------------------------------------------------------------


@registry.looked_at
def look(now):
    """Propose a second call for each State that is thin now, and take back what is not needed any more."""
    calls = StateCall.objects.with_state().filter(call__series__closed_at=None)
    found = {one.meeting_id: one for one in thin.thin(calls, now)}
    series = {one.call.series_id for one in found.values()}
    called = {one.series_id: one for one in Mailing.objects.with_series().filter(kind="call", series__in=series)}
    called = {pk: one for pk, one in called.items() if corrections.has_told(one)}
    numbers = _numbers({one.pk: one.meeting for one in found.values()})
    for one in found.values():
        if numbers[one.pk] and one.call.series_id in called:
            propose(one, called[one.call.series_id], now)
    for proposal in Mailing.objects.with_series().filter(**corrections.OPEN_PROPOSAL, kind=KIND):
        if proposal.meeting_id not in found:
            corrections.take_back(proposal, now=now)


def propose(state_call, call, now):
    """Once in the time before its deadline that `thin.looked_at_from` names; returns the mailing, or None."""
    since = thin.looked_at_from(state_call, now)
    if since is None:
        return None
    with transaction.atomic():  # the row is held, so that of two who look at once only one proposes
        StateCall.objects.select_for_update().get(pk=state_call.pk)
        there = Mailing.objects.filter(kind=KIND, meeting=state_call.meeting_id).exclude(state=State.NOT_NEEDED)
        if any(corrections.since(one) >= since for one in there):
            return None
        return corrections.announce(KIND, state_call.meeting, corrects=call, was={}, now=now)


# --- For the home page ------------------------------------------------------------------------------------------------


def of_meetings(meetings):
    """{meeting's key: (its newest second call, to how many it would go)}, in two queries."""
    mailings = Mailing.objects.with_series().filter(kind=KIND, meeting__in=meetings).exclude(state=State.NOT_NEEDED)
    newest = {mailing.meeting_id: mailing for mailing in mailings.order_by("pk")}
    numbers = number(list(newest.values()))
    return {pk: (mailing, numbers[mailing.pk]) for pk, mailing in newest.items()}


def in_words(mailing, contacts):
    """What there is to do about it, or what was done."""
    if mailing.held_reason == Held.PROPOSED:
        words = ngettext(
            "Second call proposed, to %(n)s contact: read it and let it go",
            "Second call proposed, to %(n)s contacts: read it and let it go",
            contacts,
        )
        return words % {"n": contacts}
    return gettext("Second call: %(standing)s") % {"standing": schedule.standing(mailing)}
