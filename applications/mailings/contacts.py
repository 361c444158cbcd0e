"""Whom the call goes to, and what people can use then. Room: applications."""

from collections import defaultdict

from django.urls import reverse
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from applications import letters
from applications.mailings.moments import moment, unless_off
from applications.models import Contact, StateCall
from presessions.mail import corrections, registry
from presessions.upr import dates


def _deadlines(all_series):
    """{(series, meeting): deadline}, and {(series, None): the latest of them}; nothing where none is set."""
    found = {}
    calls = StateCall.objects.with_deadline().filter(call__series__in=all_series, deadline_in_force__isnull=False)
    for series, meeting, deadline in calls.values_list("call__series", "meeting", "deadline_in_force"):
        found[series, meeting] = deadline
        found[series, None] = max(found.get((series, None), deadline), deadline)
    return found


@registry.anchor("deadline", _("the deadline for applications"), too_late=True, by_meeting=True, every=_deadlines)
def deadline(series, meeting):
    """The latest deadline of the series' States, or one State's; unknown while none is set."""
    return _deadlines([series]).get((series.pk, meeting and meeting.pk))


def _state_calls(series):
    calls = StateCall.objects.with_state().filter(call__series=series)
    return list(calls.order_by("meeting__starts_at", "meeting__state_under_review__state__sort_key"))


def _told_by_the_call(mailing, at):
    return {call.meeting.uid: unless_off(call.meeting, call.deadline) for call in _state_calls(mailing.series)}


@registry.mailing(
    "call",
    label=_("call for applications"),
    audience=_("confirmed contacts who asked for one of its States, or for all"),
    counted=ngettext_lazy("%(n)s confirmed contact", "%(n)s confirmed contacts", "n"),
    template="mail/call",
    months_before=("working_group", 3),
    latest=("deadline", 28),
    pointless_after="deadline",
    unsubscribe="leave",
    tells=_told_by_the_call,
    order=10,
)
def call(mailing):
    """Everybody who confirmed a wish to be told, and wants one of these States or all."""
    state_calls = [one for one in _state_calls(mailing.series) if one.meeting.goes_ahead]
    for contact in Contact.objects.confirmed().interested_in(mailing.series).iterator():
        yield letters.of_contact(contact, state_calls=state_calls)


@registry.correction(
    "correction_call",
    corrects=("call",),
    label=_("correction of the call"),
    audience=_("contacts who were sent the call"),
    counted=ngettext_lazy("%(n)s contact", "%(n)s contacts", "n"),
    template="mail/correction_call",
    unsubscribe="leave",
)
def correction_of_call(mailing):
    """Those who were sent the call and are still on the list."""
    was = corrections.changes(mailing, moment(mailing))
    elsewhere = corrections.changes(mailing, moment(mailing), announced=False).keys() - was.keys()
    reached, state_calls = corrections.reached(mailing, about=was), _state_calls(mailing.series)
    stays = any(one.meeting.goes_ahead and one.meeting.uid not in was for one in state_calls)
    facts = {
        "changed": [(one, was[one.meeting.uid]) for one in state_calls if one.meeting.uid in was],
        "unchanged": stays and not elsewhere,
    }
    for contact in Contact.objects.confirmed().interested_in(mailing.series).iterator():
        if ("contact", contact.reference) in reached:
            yield letters.of_contact(contact, **facts)


@registry.open_at
def open_calls(instant):
    """Each series that takes applications at that instant, and for which States."""
    by_call = defaultdict(list)
    for state_call in StateCall.objects.open(instant).with_state():
        by_call[state_call.call].append(state_call)
    for one, state_calls in by_call.items():
        names = ", ".join(sorted((each.state.name for each in state_calls), key=str.casefold))
        last = dates.last_minute_words(max(each.deadline for each in state_calls))
        words = {"states": names, "last": last}
        yield registry.Open(
            gettext("Call for applications, %(series)s") % {"series": one.series},
            gettext("%(states)s; the last of them closes %(last)s") % words,
            reverse("admin:applications_call_change", args=[one.pk]),
        )
