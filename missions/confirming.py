"""Telling a mission what it has answered, with the meetings it comes to for its calendar. Room: missions; imports mail,
the calendar and this room's models.

The letter goes to the mission, whoever of it has answered; and to the colleague whose link the answer came by. No
delegate is named in it, and no question.

Answers may be changed as often as anybody likes, and we do not write as often: after the first letter the next ones
wait, longer each time, and of those that wait only the newest leaves.
"""

from datetime import timedelta

from django.db.models import Count, Max
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from missions import calendar
from missions.models import Colleague, Invitation
from missions.rules import takes_answers
from presessions.mail import languages, outbox, registry
from presessions.mail.models import Letter
from presessions.mail.registry import Recipient
from presessions.upr.dates import day_of

TO_MISSION, TO_COLLEAGUE = "reply_confirmed", "colleague_confirmed"
PAUSE = timedelta(minutes=10)  # after the first letter of a day; after the second twice as long, and so on


def confirm(invitation, colleague, *, now):
    """Write the letters of an answer that was just kept. colleague -- whose link it came by, or None"""
    receipt, version = to_mission(invitation, now=now), invitation.version
    if receipt:
        _put(TO_MISSION, f"{TO_MISSION}:{invitation.reference}:", version, receipt, now)
    if colleague:
        receipt = to_colleague(colleague, invitation, now=now)
        _put(TO_COLLEAGUE, f"{TO_COLLEAGUE}:{colleague.reference}:", version, receipt, now)


def _put(kind, whose, version, recipient, now):
    outbox.put(kind=kind, key=f"{whose}{version}", recipient=recipient, now=now, due_at=_due(whose, now))


def _due(whose, now):
    """When the next letter under these keys may leave: at once where none has for a day."""
    left = Letter.objects.filter(key__startswith=whose, due_at__gt=now - timedelta(days=1))
    left = left.exclude(state__in=(Letter.State.PENDING, Letter.State.CANCELLED))  # those will not, or did not
    number, last = left.aggregate(number=Count("pk"), last=Max("due_at")).values()
    return max(now, last + number * PAUSE) if number else now


def is_overtaken(letter):
    """Whether a letter says what was answered, and a newer one says what was answered since."""
    if letter.kind not in (TO_MISSION, TO_COLLEAGUE):
        return False
    whose = letter.key.rpartition(":")[0]
    return Letter.objects.filter(key__startswith=f"{whose}:", pk__gt=letter.pk).exists()


def to_mission(invitation, *, now):
    """The mission as the recipient of what it has answered, or None while no address of it is valid."""
    mission = invitation.mission
    address = mission.addresses.valid(day_of(now)).first()
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
