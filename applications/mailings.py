"""What this room sends, registered with mail at start. Room: applications; imports mail, its letters and models."""

from collections import defaultdict
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from applications import letters, seat
from applications.models import Application, Attachment, Call, Contact, StateCall
from presessions.mail import corrections, registry
from presessions.upr import dates
from presessions.upr.models import CountryMeeting

Status = Application.Status
SPEAKS = seat.HOLDS

LINK_DAYS = 30  # an applicant's link opens so many days after the end of the Working Group
CONFIRM_WITHIN = timedelta(days=7)


# --- The call, to those who asked for it -----------------------------------------------------------------------------


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
    return {call.meeting.uid: _unless_off(call.meeting, call.deadline) for call in _state_calls(mailing.series)}


def _unless_off(meeting, instant):
    return instant if meeting.goes_ahead else registry.OFF


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
    was, reached = corrections.changes(mailing, _moment(mailing)), corrections.reached(mailing)
    state_calls = _state_calls(mailing.series)
    facts = {
        "changed": [(one, was[one.meeting.uid]) for one in state_calls if one.meeting.uid in was],
        "unchanged": any(one.meeting.goes_ahead and one.meeting.uid not in was for one in state_calls),
    }
    for contact in Contact.objects.confirmed().interested_in(mailing.series).iterator():
        if ("contact", contact.reference) in reached:
            yield letters.of_contact(contact, **facts)


def _moment(mailing):
    """The instant that a mailing speaks of: when it is written, or, looked at before, when it will be."""
    return mailing.writing_at or max(timezone.now(), mailing.due_at or timezone.now())


# --- To those who have begun and not sent -----------------------------------------------------------------------------


def _told_to_drafts(mailing, at):
    return {mailing.meeting.uid: _unless_off(mailing.meeting, at("deadline"))}


def _drafts(mailing):
    drafts = Application.objects.filter(status=Status.DRAFT).for_meeting(mailing.meeting)
    return drafts.with_state().order_by("pk")


# The second one: two days of Geneva's calendar before the last day, at nine, so that 48 hours and more are left of a
# call that closes at 23:59.
for _step, _days in (("7 days", 7), ("48 hours", 2)):

    @registry.mailing(
        "unfinished_draft",
        step=_step,
        label=_("unfinished draft"),
        audience=_("applicants who have begun and not sent"),
        counted=ngettext_lazy("%(n)s applicant with a draft", "%(n)s applicants with a draft", "n"),
        template="mail/unfinished_draft",
        days_before=("deadline", _days),
        pointless_after="deadline",
        lapses=True,
        per_meeting=True,
        link="application",
        tells=_told_to_drafts,
        order=40,
    )
    def unfinished_drafts(mailing):
        """Drafts on one State, before that State's own deadline. Whoever has sent is left alone."""
        for application in _drafts(mailing):
            yield letters.of_application(application, state_call=application.state_call)


@registry.correction(
    "correction_draft",
    corrects=("unfinished_draft",),
    label=_("correction for drafts"),
    audience=_("applicants who were told another last minute"),
    counted=ngettext_lazy("%(n)s applicant with a draft", "%(n)s applicants with a draft", "n"),
    template="mail/correction_draft",
    link="application",
)
def correction_of_drafts(mailing):
    was, reached = _was(mailing), corrections.reached(mailing)
    for application in _drafts(mailing):
        if ("application", application.reference) in reached:
            call = application.state_call
            yield letters.of_application(application, state_call=call, meeting=call.meeting, was=was)


def _was(mailing):
    """The date that people were told of this meeting; None if none."""
    return corrections.changes(mailing, _moment(mailing)).get(mailing.meeting.uid)


# --- To those who will speak, and who spoke ---------------------------------------------------------------------------


def _told_to_speakers(mailing, at):
    return {mailing.meeting.uid: _unless_off(mailing.meeting, at("meeting"))}


@registry.mailing(
    "statement_due",
    label=_("statement due"),
    audience=_("accepted speakers whose statement we do not have"),
    counted=ngettext_lazy("%(n)s accepted speaker", "%(n)s accepted speakers", "n"),
    template="mail/statement_due",
    days_before=("meeting", 21),
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
    was, reached = _was(mailing), corrections.reached(mailing)
    for recipient in _speakers(mailing, _accepted(mailing), was=was):
        if (recipient.kind, recipient.id) in reached:
            yield recipient


def _accepted(mailing):
    return Application.objects.filter(status__in=SPEAKS).for_meeting(mailing.meeting)


def _speakers(mailing, applications, **context):
    """Each with the meeting's hour and place, the minutes to speak, and the last day for the statement."""
    meeting = CountryMeeting.objects.with_state().get(pk=mailing.meeting_id)
    facts = {
        "meeting": meeting,
        "place": seat.place(meeting),
        "minutes": seat.minutes_each(meeting),
        "statement_on": _statement_on(meeting, _moment(mailing)),
        **context,
    }
    for application in applications.with_state().order_by("pk"):
        yield letters.of_application(application, **facts)


def _statement_on(meeting, now):
    """The last day for statements; None once it is past, and while the hour of the meeting is not known."""
    lead = Call.objects.filter(series=meeting.series).values_list("statement_lead_days", flat=True).first()
    day = seat.papers_due_on(meeting, lead)
    return day if day and day >= now.astimezone(dates.GENEVA).date() else None


@registry.mailing(
    "thanks_speakers",
    label=_("thanks to speakers"),
    audience=_("speakers of the meetings that took place"),
    counted=ngettext_lazy("%(n)s speaker", "%(n)s speakers", "n"),
    template="mail/thanks_speakers",
    days_after=("last_meeting", 1),
    pointless_after="working_group_end",
    lapses=True,
    order=70,
)
def thanks_to_speakers(mailing):
    """Those who were accepted for a meeting that was not called off."""
    accepted = Application.objects.filter(status__in=SPEAKS, state_call__call__series=mailing.series)
    held = CountryMeeting.objects.for_series(mailing.series).going_ahead()
    for application in (
        accepted.filter(state_call__meeting__in=held.order_by().values("pk")).with_state().order_by("pk")
    ):
        yield letters.of_application(application)


# --- What would be open -----------------------------------------------------------------------------------------------


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


# --- What applicants and contacts get because of something they did --------------------------------------------------


STILL = {  # kinds that only those who stand there now want
    "unfinished_draft": (Status.DRAFT,),
    "correction_draft": (Status.DRAFT,),
    "statement_due": SPEAKS,
    "correction_statement": SPEAKS,
    "thanks_speakers": SPEAKS,
}


def still_an_application(letter):
    """An application that lives, and stands where the letter speaks of; once sent, nobody is told to send it."""
    wanted = Application.objects.filter(reference=letter.recipient_id)
    if letter.kind == "withdrawn":
        return wanted.exists()
    return wanted.filter(status__in=STILL.get(letter.kind, Application.LIVE)).exists()


def still_a_contact(letter):
    contacts = Contact.objects.filter(reference=letter.recipient_id)
    return (contacts.filter(left_at=None) if letter.kind == "contact_confirm" else contacts.confirmed()).exists()


def contact_bounced(letter, *, now, code, dead):
    """A full mailbox may be emptied before the next call; one that is not there will not be."""
    for contact in Contact.objects.filter(reference=letter.recipient_id) if dead else ():
        contact.bounce(now=now)


def contact_complained(letter, *, now):
    """Whoever calls the call unwanted does not want the next one either."""
    for contact in Contact.objects.filter(reference=letter.recipient_id):
        contact.leave(now=now)


def applicant_in_admin(letter):
    pk = Application.objects.filter(reference=letter.recipient_id).values_list("pk", flat=True).first()
    return pk and reverse("admin:applications_application_change", args=[pk])


def again(recipient_of):
    """For "send again": the recipient as the application describes it today, or None when it is gone."""

    def rewrite(letter):
        application = Application.objects.with_state().filter(reference=letter.recipient_id).first()
        return application and recipient_of(application)

    return rewrite


def _ask_again(letter):
    contact = Contact.objects.filter(reference=letter.recipient_id, left_at=None).first()
    return contact and letters.of_contact(contact)


def when_links_end(link):
    """Thirty days after the Working Group; open while that date is unknown."""
    application = Application.objects.with_state().filter(reference=link.target_id).first()
    ends_on = application and application.state_call.series.session.ends_on
    return dates.closes_after(ends_on + timedelta(days=LINK_DAYS)) if ends_on else None


def _by_reference(words):
    """For lists of staff: an applicant is named by the reference and by nothing else."""
    return lambda letters: {letter.recipient_id: str(words) % {"reference": letter.recipient_id} for letter in letters}


def when_confirmed(link):
    return Contact.objects.filter(reference=link.target_id).values_list("confirmed_at", flat=True).first()


registry.recipient(
    "application",
    still_wanted=still_an_application,
    admin_url=applicant_in_admin,
    label=_by_reference(_("applicant %(reference)s")),
)
registry.recipient(
    "contact",
    still_wanted=still_a_contact,
    label=_by_reference(_("contact %(reference)s")),
    on_bounce=contact_bounced,
    on_complaint=contact_complained,
)
registry.recipient("visitor", label=_by_reference(_("somebody we do not know")))

registry.link_purpose(
    "application", path=lambda token: reverse("applications:open", args=[token]), expires=when_links_end
)
registry.link_purpose(
    "contact_confirm",
    path=lambda token: reverse("applications:contact_confirm", args=[token]),
    expires=lambda link: link.made_at + CONFIRM_WITHIN,
    answered=when_confirmed,
)
registry.link_purpose("leave", path=lambda token: reverse("applications:contact_leave", args=[token]))

registry.occasion(
    "application_link",
    label=_("link to an application"),
    template="mail/application_link",
    link="application",
    rewrite=again(letters.of_application),
)
registry.occasion("no_application", label=_("no application found"), template="mail/no_application")
registry.occasion(
    "receipt", label=_("receipt"), template="mail/receipt", link="application", rewrite=again(letters.receipt)
)
registry.occasion("withdrawn", label=_("withdrawal"), template="mail/withdrawn", rewrite=again(letters.withdrawal))
registry.occasion(
    "contact_confirm",
    label=_("confirmation of a sign-up"),
    template="mail/contact_confirm",
    link="contact_confirm",
    rewrite=_ask_again,
)

# --- Decisions: see decisions.py -------------------------------------------------------------------------------------

for _kind, _label, _recipient in (
    ("decision_accepted", _("answer: accepted"), letters.acceptance),
    ("decision_waitlisted", _("answer: waiting list"), letters.of_application),
    ("decision_declined", _("answer: declined"), letters.of_application),
):
    registry.occasion(_kind, label=_label, template=f"mail/{_kind}", link="application", rewrite=again(_recipient))
