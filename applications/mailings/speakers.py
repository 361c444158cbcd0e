"""To those who will speak, and who spoke. Room: applications."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from applications import agenda, letters, rules, seat
from applications.mailings.moments import moment, unless_off, was
from applications.models import Application, Attachment, Call
from presessions.mail import corrections, registry
from presessions.upr import dates
from presessions.upr.models import CountryMeeting


def _told_to_speakers(mailing, at):
    return {mailing.meeting.uid: unless_off(mailing.meeting, at("meeting"))}


@registry.mailing(
    "statement_due",
    label=_("statement due"),
    audience=_("accepted speakers whose statement we do not have"),
    counted=ngettext_lazy("%(n)s accepted speaker", "%(n)s accepted speakers", "n"),
    template="mail/statement_due",
    days_before=("meeting", rules.STATEMENT_ASKED_DAYS),
    pointless_after="meeting",
    lapses=True,
    per_meeting=True,
    link="application",
    tells=_told_to_speakers,
    order=50,
)
def statement_due(mailing):
    """Accepted speakers of one meeting, unless we hold their statement: one that was refused is none."""
    yield from _speakers(mailing, _accepted(mailing).exclude(pk__in=seat.with_paper(Attachment.Kind.STATEMENT)))


@registry.correction(
    "correction_statement",
    corrects=("statement_due",),
    label=_("correction for speakers"),
    audience=_("accepted speakers who were told another date"),
    counted=ngettext_lazy("%(n)s accepted speaker", "%(n)s accepted speakers", "n"),
    template="mail/correction_statement",
    link="application",
)
def correction_of_statement_due(mailing):
    before, reached = was(mailing), corrections.reached(mailing)
    for recipient in _speakers(mailing, _accepted(mailing), was=before):
        if (recipient.kind, recipient.id) in reached:
            yield recipient


def _accepted(mailing):
    return Application.objects.filter(status__in=Application.HOLDS_SEAT).for_meeting(mailing.meeting)


def _speakers(mailing, applications, **context):
    """Each with the meeting's hour and place, the minutes to speak, and the last day for the statement."""
    meeting = CountryMeeting.objects.with_state().get(pk=mailing.meeting_id)
    facts = {
        "meeting": meeting,
        "place": seat.place(meeting),
        "statement_on": _statement_on(meeting, moment(mailing)),
        **context,
    }
    own, usual = agenda.own_lines(meeting), seat.minutes_each(meeting)
    for application in applications.with_state().order_by("pk"):
        line = own.get(application.reference)
        yield letters.of_application(application, minutes=line.minutes if line else usual, **facts)


def _statement_on(meeting, now):
    """The last day for statements; None once it is past, and while the hour of the meeting is not known."""
    lead = Call.objects.filter(series=meeting.series).values_list("statement_lead_days", flat=True).first()
    day = seat.papers_due_on(meeting, lead)
    return day if day and day >= dates.day_of(now) else None


@registry.mailing(
    "thanks_speakers",
    label=_("thanks to speakers"),
    audience=_("speakers of the meetings that took place"),
    counted=ngettext_lazy("%(n)s speaker", "%(n)s speakers", "n"),
    template="mail/thanks_speakers",
    days_after=("last_meeting", 1),
    pointless_after="working_group_end",
    lapses=True,
    outlives=True,
    link="application",
    order=70,
)
def thanks_to_speakers(mailing):
    """Those who were accepted for a meeting that was not called off."""
    accepted = Application.objects.filter(status__in=Application.HOLDS_SEAT, state_call__call__series=mailing.series)
    held = CountryMeeting.objects.for_series(mailing.series).going_ahead()
    for application in (
        accepted.filter(state_call__meeting__in=held.order_by().values("pk")).with_state().order_by("pk")
    ):
        yield letters.of_application(application)
