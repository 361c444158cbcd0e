"""What missions are written to: the invitation, the briefing, and the confirmation of their answer. Room: missions.

Both mailings go to every Permanent Mission with an address, the State under Review's included, in the same words. No
applicant is named in them, nor how many there are.
"""

from django.conf import settings
from django.db.models import Prefetch
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from missions.models import Invitation, MissionAddress, PermanentMission
from missions.rules import LINK_OPENS_AFTER, takes_answers
from presessions.mail import registry
from presessions.mail.models import Mailing
from presessions.mail.registry import Recipient
from presessions.upr.dates import closes_after


@registry.mailing(
    "invitation",
    label=_("invitation"),
    audience=_("every Permanent Mission"),
    template="mail/invitation",
    months_before=("working_group", 1),
    latest=("first_meeting", 28),
    pointless_after="last_meeting",
    link="invitation",
    order=20,
)
def invitations(mailing):
    """Every Permanent Mission in the register that can be written to, the State under Review's included."""
    return _to_every_mission(mailing)


@registry.mailing(
    "briefing",
    label=_("briefing"),
    audience=_("every Permanent Mission"),
    template="mail/briefing",
    months_before=("working_group", 1),
    unless_later="invitation",
    link="invitation",
    order=30,
)
def briefings(mailing):
    """The same audience a month before the Working Group: the agenda ahead, or what was held."""
    return _to_every_mission(mailing)


def _to_every_mission(mailing):
    """One letter to each mission, at the first address that is valid that day.

    The Invitation that the letter's link opens is written down when the letters are; a preview or a count writes none.
    """
    writing = mailing.state == Mailing.State.WRITING
    now = mailing.writing_at if writing else timezone.now()
    today = now.astimezone(settings.GENEVA).date()
    missions = list(
        PermanentMission.objects.reachable(today)
        .with_state()
        .prefetch_related(Prefetch("addresses", MissionAddress.objects.valid(today), to_attr="valid_addresses"))
    )
    invitations = Invitation.objects
    known = invitations.write_down(mailing.series, missions, now) if writing else invitations.by_mission(mailing.series)
    meetings = list(mailing.series.meetings().with_state())
    programme = {
        "meetings": [meeting for meeting in meetings if takes_answers(meeting, now)],
        "held": [meeting for meeting in meetings if meeting.goes_ahead and not takes_answers(meeting, now)],
        "called_off": [meeting for meeting in meetings if not meeting.goes_ahead],
    }
    for mission in missions:
        invitation = known.get(mission.pk)
        yield Recipient(
            kind="mission",
            id=str(mission.pk),
            to=mission.valid_addresses[0].email,
            language=mission.language,
            context={"mission": mission, "own": _own(mission, meetings), **programme},
            link_target=invitation and invitation.reference,
        )


def _own(mission, meetings):
    """The meeting on the mission's own State, if this series has one."""
    return next((meeting for meeting in meetings if meeting.state.pk == mission.state_id), None)


def _confirmed_again(letter):
    """For "send again": what the invitation says today, to where its mission is reached today."""
    invitation = Invitation.objects.with_names().get(reference=letter.key.split(":")[1])
    return invitation.confirmation(now=timezone.now())


registry.occasion(
    "reply_confirmed",
    label=_("answers received"),
    template="mail/reply_confirmed",
    link="invitation",
    rewrite=_confirmed_again,
)


def _still_wanted(letter):
    """Whether the address is still one of the mission's: staff may have struck it out since the letter was written."""
    addresses = MissionAddress.objects.filter(mission=letter.recipient_id).with_email(letter.to)
    return addresses.filter(bounced_at=None).exists()


def _admin_url(letter):
    return reverse("admin:missions_permanentmission_change", args=[letter.recipient_id])


def _find(text):
    """Missions by their own name or their State's, in any of the six languages."""
    return PermanentMission.objects.named_like(text).values_list("pk", flat=True)


def _label(letters):
    asked = {letter.recipient_id for letter in letters if letter.recipient_id.isdecimal()}
    return {str(mission.pk): mission.name for mission in PermanentMission.objects.with_state().filter(pk__in=asked)}


registry.recipient("mission", still_wanted=_still_wanted, admin_url=_admin_url, find=_find, label=_label)


def _expires(link):
    """30 days after the Working Group, which the briefing serves; open as long as its dates are unknown."""
    invitation = Invitation.objects.select_related("series__session").get(reference=link.target_id)
    ends_on = invitation.series.session.ends_on
    return ends_on and closes_after(ends_on) + LINK_OPENS_AFTER


def _answered(link):
    return Invitation.objects.filter(reference=link.target_id).values_list("answered_at", flat=True).first()


registry.link_purpose(
    "invitation",
    path=lambda token: reverse("missions:invitation", args=[token]),
    expires=_expires,
    answered=_answered,
)
