"""What the mails of this room ask about time. Room: applications."""

from django.utils import timezone

from presessions.mail import corrections, registry


def unless_off(meeting, instant):
    return instant if meeting.goes_ahead else registry.OFF


def moment(mailing):
    """The instant that a mailing speaks of: when it is written, or, looked at before, when it will be."""
    return mailing.writing_at or max(timezone.now(), mailing.due_at or timezone.now())


def was(mailing):
    """The date that people were told of this meeting; None if none."""
    return corrections.changes(mailing, moment(mailing)).get(mailing.meeting.uid)
