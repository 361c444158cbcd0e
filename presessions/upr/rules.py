"""What staff are told about a programme. Room: upr, ground floor; pure functions, imports nothing of ours."""

from itertools import combinations


def overlaps(meetings):
    """Pairs of meetings that take place at the same time, earlier start first.

    meetings -- anything with `starts_at` (None: not known yet), `ends_at` and `goes_ahead`
    A pair is worth a warning and no error: missions wish to follow every State, but two rooms may be what there is.
    """
    timed = [meeting for meeting in meetings if meeting.starts_at and meeting.goes_ahead]
    timed.sort(key=lambda meeting: meeting.starts_at)
    return [
        (first, second)
        for first, second in combinations(timed, 2)
        if first.starts_at < second.ends_at and second.starts_at < first.ends_at
    ]
