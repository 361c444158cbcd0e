"""What a mission may still answer. Room: missions; pure functions, imports nothing of ours."""

from datetime import timedelta

LINK_OPENS_AFTER = timedelta(days=30)  # after the end of the Working Group: the briefing is read while it sits


def takes_answers(meeting, now):
    """Whether the answer to a meeting may be given or changed: until it starts, unless it will not take place.

    meeting -- anything with `starts_at` (None: not known yet, so still to come) and `goes_ahead`
    """
    return meeting.goes_ahead and (meeting.starts_at is None or now < meeting.starts_at)
