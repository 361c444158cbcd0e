"""What this room sends, registered with mail at start. Room: applications; imports mail, its letters and models."""

from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from applications import letters
from applications.models import Application, Contact, StateCall
from presessions.mail import registry
from presessions.upr import dates

LINK_DAYS = 30  # an applicant's link opens so many days after the end of the Working Group
CONFIRM_WITHIN = timedelta(days=7)


# --- The call, to those who asked for it -----------------------------------------------------------------------------


@registry.anchor("deadline", _("the deadline for applications"), too_late=True)
def deadline(series, meeting):
    """The latest deadline of the series' States, or one State's; unknown while none is set."""
    calls = StateCall.objects.with_deadline().filter(call__series=series, deadline_in_force__isnull=False)
    if meeting is not None:
        calls = calls.filter(meeting=meeting)
    return calls.order_by("-deadline_in_force").values_list("deadline_in_force", flat=True).first()


@registry.mailing(
    "call",
    label=_("call for applications"),
    audience=_("confirmed contacts who asked for one of its States, or for all"),
    template="mail/call",
    months_before=("working_group", 3),
    latest=("deadline", 28),
    pointless_after="deadline",
    unsubscribe="leave",
    order=10,
)
def call(mailing):
    """Everybody who confirmed a wish to be told, and wants one of these States or all."""
    state_calls = list(
        StateCall.objects.with_state().filter(call__series=mailing.series).order_by("meeting__starts_at", "pk")
    )
    for contact in Contact.objects.confirmed().interested_in(mailing.series).iterator():
        yield letters.of_contact(contact, state_calls=state_calls)


# --- What applicants and contacts get because of something they did --------------------------------------------------


def still_an_application(letter):
    """An application that lives; its withdrawal is confirmed when it does not any more."""
    wanted = Application.objects.filter(reference=letter.recipient_id)
    return (wanted if letter.kind == "withdrawn" else wanted.live()).exists()


def still_a_contact(letter):
    contacts = Contact.objects.filter(reference=letter.recipient_id)
    return (contacts.filter(left_at=None) if letter.kind == "contact_confirm" else contacts.confirmed()).exists()


def applicant_in_admin(letter):
    pk = Application.objects.filter(reference=letter.recipient_id).values_list("pk", flat=True).first()
    return pk and reverse("admin:applications_application_change", args=[pk])


def _again(recipient_of):
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
registry.recipient("contact", still_wanted=still_a_contact, label=_by_reference(_("contact %(reference)s")))
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
    rewrite=_again(letters.of_application),
)
registry.occasion("no_application", label=_("no application found"), template="mail/no_application")
registry.occasion(
    "receipt", label=_("receipt"), template="mail/receipt", link="application", rewrite=_again(letters.receipt)
)
registry.occasion("withdrawn", label=_("withdrawal"), template="mail/withdrawn", rewrite=_again(letters.withdrawal))
registry.occasion(
    "contact_confirm",
    label=_("confirmation of a sign-up"),
    template="mail/contact_confirm",
    link="contact_confirm",
    rewrite=_ask_again,
)

# --- Decisions: see decisions.py -------------------------------------------------------------------------------------

for _kind, _label in (
    ("decision_accepted", _("answer: accepted")),
    ("decision_waitlisted", _("answer: waiting list")),
    ("decision_declined", _("answer: declined")),
):
    registry.occasion(
        _kind, label=_label, template=f"mail/{_kind}", link="application", rewrite=_again(letters.of_application)
    )
