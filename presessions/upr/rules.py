"""How a programme is laid out, and what staff are told about it. Room: upr, ground floor; pure functions, imports
nothing of ours."""

from datetime import timedelta
from itertools import combinations, pairwise

ONE_DAY = timedelta(days=1)
FRIDAY = 4


def working_days(first, last):
    """The days from Monday to Friday between two days, both included; [] while one of them is not known."""
    if not first or not last:
        return []
    days = [first + ONE_DAY * number for number in range((last - first).days + 1)]
    return [day for day in days if day.weekday() <= FRIDAY]


def propose_hours(days, times, meetings, *, minutes):
    """(day, time) for each of so many meetings, in order: one after the other and never two at once, so that every
    mission can follow every State. Spread evenly over the days, the earlier days and hours first.

    days -- dates; times -- when an hour may begin, on each of them; minutes -- how long each meeting takes
    Fewer than asked for where the days do not hold more. Raises ValueError where two of the times overlap.
    """
    days, times = sorted(set(days)), sorted(set(times))
    for earlier, later in pairwise(times):
        if (later.hour - earlier.hour) * 60 + later.minute - earlier.minute < minutes:
            raise ValueError(f"{earlier:%H:%M} and {later:%H:%M} are less than {minutes} minutes apart.")
    meetings = min(meetings, len(days) * len(times))
    if not meetings:
        return []
    each, more = divmod(meetings, len(days))
    return [(day, time) for number, day in enumerate(days) for time in times[: each + (number < more)]]


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
