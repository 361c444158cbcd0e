"""What a mission may still answer. Room: missions; pure functions, imports nothing of ours."""

from datetime import timedelta

LINK_OPENS_AFTER = timedelta(days=30)  # after the end of the Working Group: the briefing is read while it sits


def takes_answers(meeting, now):
    """Whether the answer to a meeting may be given or changed: until it starts, unless it will not take place.

    meeting -- anything with `starts_at` (None: not known yet, so still to come) and `goes_ahead`
    """
    return meeting.goes_ahead and (meeting.starts_at is None or now < meeting.starts_at)


def answers_offered(meeting, series_format):
    """Which of the four answers make sense at a meeting: online where it can be followed so, in person where there is
    a room.

    meeting -- anything with `online_link`; series_format -- "in_person", "virtual" or "hybrid"
    """
    in_person = series_format != "virtual"
    online = series_format != "in_person" or bool(meeting.online_link)
    return [*["in_person"] * in_person, *["online"] * online, "undecided", "no"]


def shortened(address):
    """An e-mail address by which its owner knows it again, and nobody else learns it: "h…@example.org"."""
    box, _at, domain = address.rpartition("@")
    return f"{box[:1]}…@{domain}" if box else f"{address[:1]}…"
