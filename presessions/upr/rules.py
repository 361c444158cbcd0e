"""What staff are told about a programme. Room: upr, ground floor; pure functions, imports only dates."""

from itertools import combinations

from presessions.upr.dates import time_between


def overlaps(meetings):
    """Pairs of meetings that take place at the same time, earlier start first.

    meetings -- anything with `starts_at` (None: not known yet), `ends_at` and `goes_ahead`
    A pair is a matter for a warning and no error: missions wish to follow every State, but rooms and dates are staff's.
    """
    timed = [meeting for meeting in meetings if meeting.starts_at and meeting.goes_ahead]
    timed.sort(key=lambda meeting: meeting.starts_at)
    return [
        (first, second)
        for first, second in combinations(timed, 2)
        if time_between(second.starts_at, first.ends_at).days >= 0 and second.starts_at < first.ends_at
    ]
