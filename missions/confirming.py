"""Telling a mission what it has answered, with the meetings it comes to for its calendar. Room: missions; imports mail,
the calendar and this room's models.

The letter goes to the mission, whoever of it has answered; and to the colleague whose link the answer came by. No
delegate is named in it, and no question.
"""

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from missions import calendar
from missions.models import Colleague, Invitation
from missions.rules import takes_answers
from presessions.mail import languages, outbox, registry
from presessions.mail.registry import Recipient

TO_MISSION, TO_COLLEAGUE = "reply_confirmed", "colleague_confirmed"


def confirm(invitation, colleague, *, now):
    """Write the letters of an answer that was just kept. colleague -- whose link it came by, or None"""
    receipt, version = to_mission(invitation, now=now), invitation.version
    if receipt:
        outbox.put(kind=TO_MISSION, key=f"{TO_MISSION}:{invitation.reference}:{version}", recipient=receipt, now=now)
    if colleague:
        key = f"{TO_COLLEAGUE}:{colleague.reference}:{version}"
        outbox.put(kind=TO_COLLEAGUE, key=key, recipient=to_colleague(colleague, invitation, now=now), now=now)


def to_mission(invitation, *, now):
    """The mission as the recipient of what it has answered, or None while no address of it is valid."""
    mission = invitation.mission
    address = mission.addresses.valid(now.astimezone(settings.GENEVA).date()).first()
    if address is None:
        return None
    return Recipient(
        kind="mission",
        id=str(mission.pk),
        to=address.email,
        language=mission.language,
        link_target=invitation.reference,
        **_facts(invitation, mission.language, now),
    )


def to_colleague(colleague, invitation, *, now):
    return Recipient(
        kind="colleague",
        id=colleague.reference,
        to=colleague.email,
        language=colleague.language,
        **_facts(invitation, colleague.language, now),
    )


def _facts(invitation, language, now):
    """What the letter says, and the file for the calendar in the reader's language."""
    replies = {reply.meeting_id: reply for reply in invitation.replies.all()}
    meetings = list(invitation.series.meetings().with_state())
    answered = [(meeting, replies[meeting.pk]) for meeting in meetings if meeting.pk in replies]
    open_still = [meeting for meeting in meetings if takes_answers(meeting, now)]
    coming = [meeting for meeting, reply in answered if reply.comes and meeting.goes_ahead and meeting.starts_at]
    with translation.override(languages.tag(languages.spoken(language))):
        entries = calendar.entries(coming, now=now) if coming else b""
    return {
        "calendar": entries,
        "context": {
            "series": invitation.series,
            "mission": invitation.mission,
            "by_colleague": invitation.answered_by_id is not None,
            "answered": answered,
            "coming": len(coming),
            "unanswered": len([meeting for meeting in open_still if meeting.pk not in replies]),
            "delegates": invitation.delegates.count(),
            "questions": invitation.questions.count(),
        },
    }


def _again(letter):
    """For "send again": what the invitation says today, to where its mission is reached today."""
    invitation = Invitation.objects.with_names().get(reference=letter.key.split(":")[1])
    return to_mission(invitation, now=timezone.now())


def _to_colleague_again(letter):
    names = ("invitation__mission__state", "invitation__series__session")
    colleague = Colleague.objects.select_related(*names).filter(reference=letter.key.split(":")[1]).first()
    if colleague is None or colleague.revoked_at:
        return None
    return to_colleague(colleague, colleague.invitation, now=timezone.now())


registry.occasion(
    TO_MISSION, label=_("answers received"), template="mail/reply_confirmed", link="invitation", rewrite=_again
)
registry.occasion(
    TO_COLLEAGUE,
    label=_("answers received, to the colleague who gave them"),
    template="mail/reply_confirmed",
    link="colleague",
    rewrite=_to_colleague_again,
)
