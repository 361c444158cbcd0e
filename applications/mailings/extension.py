"""More time for one State: its contacts and its drafts are told, once staff let the mails go. Room: applications.

A mail of its own takes the place of the correction that would tell the same date, so that nobody gets both. Whoever
has a draft and is a contact too is told about the draft.
"""

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from applications import letters
from applications.models import Application, Contact, StateCall
from applications.models.calls import deadline_extended
from presessions.mail import corrections, registry, schedule
from presessions.mail.models import Mailing
from presessions.upr import dates

CONTACTS, DRAFTS = "extension", "extension_draft"


def _state_call(mailing):
    return StateCall.objects.with_state().get(meeting=mailing.meeting_id)


def _tells(mailing, at):
    """One State's last minute; nothing that could still be told when its meeting is called off."""
    return {mailing.meeting.uid: at("deadline") if mailing.meeting.goes_ahead else registry.OFF}


def _was(mailing):
    return corrections.was(mailing)[mailing.meeting.uid]


def _because(mailing):
    words = {
        "state": mailing.meeting.state.name,
        "was": dates.last_minute_words(_was(mailing)),
        "now": _state_call(mailing).deadline_in_words,
    }
    return gettext("%(state)s has more time: until %(now)s; before, until %(was)s.") % words


# --- Whom it concerns -------------------------------------------------------------------------------------------------


def _drafts(mailing):
    """Begun before there was more time, and not sent: a draft begun since has seen the new date. What staff enter for
    somebody is theirs to finish."""
    begun = Application.objects.filter(status=Application.Status.DRAFT, received_at=None)
    return begun.filter(created_at__lte=corrections.since(mailing)).for_meeting(mailing.meeting)


def _contacts(mailing):
    """Who named this State, and who named none and was sent the call; not who has read the new date in the call."""
    since = corrections.since(mailing)
    told = corrections.told_by([mailing.corrects]).filter(recipient_kind="contact")
    before, after = (
        Q(reference__in=those.values("recipient_id"))
        for those in (told.filter(created_at__lte=since), told.filter(created_at__gt=since))
    )
    named = Contact.states.through.objects.filter(contact=OuterRef("pk"))
    this = Exists(named.filter(state=mailing.meeting.state.pk))
    return Contact.objects.confirmed().filter(before & (this | ~Exists(named)) | ~after & this)


def _told_of_their_draft(mailing):
    """Addresses whose draft gets a mail of the same change; not where staff have refused that."""
    about = Mailing.objects.filter(kind=DRAFTS, series=mailing.series, meeting=mailing.meeting_id)
    newest = about.order_by("pk").last()
    if newest is None or newest.state in (Mailing.State.CANCELLED, Mailing.State.NOT_NEEDED):
        return Application.objects.none()
    return _drafts(newest)


# --- The mails --------------------------------------------------------------------------------------------------------


@registry.announcement(
    CONTACTS,
    instead_of="correction_call",
    tells=_tells,
    because=_because,
    label=_("notice of more time"),
    audience=_("contacts who named this State, or were sent the call and named none"),
    counted=ngettext_lazy("%(n)s contact", "%(n)s contacts", "n"),
    template="mail/extension",
    unsubscribe="leave",
)
def to_contacts(mailing):
    facts = {"state_call": _state_call(mailing), "was": _was(mailing)}
    contacts = _contacts(mailing).exclude(email_index__in=_told_of_their_draft(mailing).values("email_index"))
    for contact in contacts.order_by("pk").iterator():
        yield letters.of_contact(contact, **facts)


@registry.announcement(
    DRAFTS,
    instead_of="correction_draft",
    tells=_tells,
    because=_because,
    label=_("notice of more time for drafts"),
    audience=_("applicants who have begun and not sent"),
    counted=ngettext_lazy("%(n)s applicant with a draft", "%(n)s applicants with a draft", "n"),
    template="mail/extension_draft",
    link="application",
)
def to_drafts(mailing):
    was = _was(mailing)
    for application in _drafts(mailing).with_state().order_by("pk"):
        yield letters.of_application(application, state_call=application.state_call, was=was)


# --- Proposing them ---------------------------------------------------------------------------------------------------


def propose(sender, state_call, was, now, **kwargs):
    """Called by StateCall.extend. To contacts once the call has told them the earlier date; until then the call itself
    tells the new one. To drafts where there are any."""
    meeting = state_call.meeting
    known = Mailing.objects.with_series().filter(series=state_call.series)
    was, found = {meeting.uid: was}, []
    call = known.filter(kind="call", meeting=None).first()
    if call and corrections.has_told(call):
        found.append(schedule.announce(CONTACTS, meeting, corrects=call, was=was, now=now))
    reminder = known.filter(kind="unfinished_draft", meeting=meeting).order_by("pk").first()
    drafts = Application.objects.filter(status=Application.Status.DRAFT, received_at=None, state_call=state_call)
    if reminder and drafts.exists():
        found.append(schedule.announce(DRAFTS, meeting, corrects=reminder, was=was, now=now))
    return found


def mails(state_call):
    """The mails that were proposed when this State got more time, for the page of its call; the newest first."""
    about = Mailing.objects.with_series().select_related("corrects").filter(kind__in=(CONTACTS, DRAFTS))
    return about.filter(meeting=state_call.meeting_id).order_by("-pk")


def waiting(state_call):
    """Those of them that staff have to decide about."""
    return mails(state_call).filter(state=Mailing.State.HELD, held_reason=Mailing.Held.PROPOSED)


deadline_extended.connect(propose, dispatch_uid="applications.mailings.extension")
