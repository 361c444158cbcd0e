"""How many people the mailings of this room go to, for pages that show many of them. Room: applications.

Each asks as its audience does; tests/applications/test_home_numbers.py compares them.
"""

from django.db.models import Count, Exists, OuterRef, Q

from applications import seat
from applications.models import Application, Attachment, Contact
from presessions.mail import registry
from presessions.upr.models import CountryMeeting


@registry.number_of("call")
def of_call(mailings):
    contacts = Contact.objects.confirmed()
    named = Contact.states.through.objects.filter(contact=OuterRef("pk"))
    asked = {}
    for mailing in mailings:
        ours = CountryMeeting.objects.for_series(mailing.series).order_by().values("state_under_review__state")
        wanted = Exists(named.filter(state__in=ours))
        asked[f"n{mailing.pk}"] = Count("pk", filter=~Exists(named) | wanted)
    found = contacts.aggregate(**asked)
    return {mailing.pk: found[f"n{mailing.pk}"] for mailing in mailings}


@registry.number_of("unfinished_draft")
def of_drafts(mailings):
    drafts = Application.objects.filter(status=Application.Status.DRAFT, received_at=None)
    return _by_meeting(drafts, mailings)


@registry.number_of("statement_due")
def of_statements_due(mailings):
    holders = Application.objects.filter(status__in=Application.HOLDS_SEAT)
    return _by_meeting(holders.exclude(pk__in=seat.with_paper(Attachment.Kind.STATEMENT)), mailings)


@registry.number_of("thanks_speakers")
def of_thanks(mailings):
    holders = Application.objects.filter(status__in=Application.HOLDS_SEAT)
    held = ~Q(state_call__meeting__status=CountryMeeting.Status.NOT_HELD)
    rows = holders.filter(held, state_call__call__series__in=[mailing.series_id for mailing in mailings])
    found = dict(rows.order_by().values_list("state_call__call__series").annotate(Count("pk")))
    return {mailing.pk: found.get(mailing.series_id, 0) for mailing in mailings}


def _by_meeting(applications, mailings):
    rows = applications.filter(state_call__meeting__in=[mailing.meeting_id for mailing in mailings])
    found = dict(rows.order_by().values_list("state_call__meeting").annotate(Count("pk")))
    return {mailing.pk: found.get(mailing.meeting_id, 0) for mailing in mailings}
