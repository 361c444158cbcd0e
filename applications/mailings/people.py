"""Letters to one person because of something they did, and what mail asks about people and links.

Room: applications.
"""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from applications import afterwards, at_risk, decisions, letters
from applications.kept import LINK_DAYS
from applications.models import Application, Contact
from presessions.mail import registry
from presessions.upr import dates

Status = Application.Status

CONFIRM_WITHIN = timedelta(days=7)

STILL = {  # kinds that only those who stand there now want
    "unfinished_draft": (Status.DRAFT,),
    "correction_draft": (Status.DRAFT,),
    "extension_draft": (Status.DRAFT,),
    "statement_due": Application.HOLDS_SEAT,
    "correction_statement": Application.HOLDS_SEAT,
    "thanks_speakers": Application.HOLDS_SEAT,
    "agenda": Application.HOLDS_SEAT,
    "more_information": (Status.SUBMITTED,),
    "late_link": (Status.DRAFT,),
    # An answer that no longer holds does not leave any more.
    "decision_accepted": Application.HOLDS_SEAT,
    "decision_waitlisted": (Status.WAITLISTED,),
    "decision_declined": (Status.DECLINED,),
    "answer_changed_accepted": Application.HOLDS_SEAT,
    "answer_changed_waitlisted": (Status.WAITLISTED,),
    "answer_changed_declined": (Status.DECLINED,),
}


def still_an_application(letter):
    """An application that lives, and stands where the letter speaks of; once sent, nobody is told to send it."""
    wanted = Application.objects.filter(reference=letter.recipient_id)
    if letter.kind == "withdrawn":
        return wanted.exists()
    if letter.kind == "more_information":  # answered meanwhile, or taken back
        wanted = wanted.filter(requests__ended_at=None)
    return wanted.filter(status__in=STILL.get(letter.kind, Application.LIVE)).exists()


def note_opening(request, letter):
    """Where a letter went tells who applied: its page is a part of the application."""
    for application in Application.objects.filter(reference=letter.recipient_id, at_risk=True):
        at_risk.note_opening(request, application, now=timezone.now())


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
    contact = Contact.objects.filter(reference=letter.recipient_id, left_at=None, bounced_at=None).first()
    return contact and letters.of_contact(contact)


def when_links_end(link):
    """Thirty days after the Working Group; open while that date is unknown."""
    link.opens = application = Application.objects.with_state().filter(reference=link.target_id).first()
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
    masked=at_risk.masked_among,
    opened=note_opening,
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

# --- Decisions, and what goes before them: see decisions.py, reversal.py, asking.py, late.py -------------------------

for _kind, _label, _recipient in (
    ("decision_accepted", _("answer: accepted"), letters.acceptance),
    ("decision_waitlisted", _("answer: waiting list"), decisions.told_place),
    ("decision_declined", _("answer: declined"), letters.of_application),
    ("answer_changed_accepted", _("changed answer: accepted"), letters.acceptance),
    ("answer_changed_waitlisted", _("changed answer: waiting list"), letters.of_application),
    ("answer_changed_declined", _("changed answer: declined"), letters.of_application),
    ("more_information", _("question for more information"), letters.asked_for_more),
    ("late_link", _("link with more time for one applicant"), letters.more_time),
    (afterwards.LETTER, _("what became of recommendations"), afterwards.recipient),
):
    registry.occasion(_kind, label=_label, template=f"mail/{_kind}", link="application", rewrite=again(_recipient))
