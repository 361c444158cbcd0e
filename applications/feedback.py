"""What speakers say afterwards, in two questions. Room: applications; imports our models and the trail.

Open from the end of the last meeting until thirty days later; what was said may be changed until then. Missions answer
the same questions on a floor above, in the same days.
"""

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from applications.models import Application, SpeakerFeedback
from presessions import trail
from presessions.trail.steps import WrongStep
from presessions.upr import dates

DAYS = 30


def window(series):
    """(opens, closes): the instants from which, and before which, feedback is taken; None while no day is known. It
    opens when the last meeting that was not called off is over, and closes with a whole day in Geneva."""
    ends = [meeting.ends_at for meeting in series.meetings() if meeting.goes_ahead and meeting.ends_at]
    if ends:
        opens = max(ends)
    elif series.last_day:
        opens = dates.closes_after(series.last_day)
    else:
        return None
    return opens, dates.closes_after(dates.day_of(opens) + timedelta(days=DAYS))


def is_open(series, now):
    found = window(series)
    return bool(found and found[0] <= now < found[1])


def may_give(application, now):
    """Whether this application is asked: its speaker had a confirmed seat, and the days for it have come."""
    return application.status == Application.Status.CONFIRMED and is_open(application.state_call.series, now)


def closed_words(series, now):
    """Why nothing can be said now."""
    found = window(series)
    if found is None or now < found[0]:
        return _("We ask for your feedback when the last meeting is over.")
    words = _("Feedback was taken until %(moment)s. You may still write to us.")
    return words % {"moment": dates.last_minute_words(found[1])}


def give(application, *, useful, words, now):
    """Keep what a speaker says, in the place of what was said before; True when that changes anything. The same sent
    twice, or twenty times, is once. Raises WrongStep outside the days for it."""
    with transaction.atomic():
        row = Application.objects.select_for_update(of=("self",)).filter(pk=application.pk, erased_at=None).first()
        allowed = row is not None and row.status == Application.Status.CONFIRMED
        allowed = allowed and is_open(application.state_call.series, now)
        whose = {"application": application}
        changed = keep(SpeakerFeedback, allowed=allowed, useful=useful, words=words, now=now, **whose)
    if not allowed:  # outside the block: a refusal must not undo its own event
        raise WrongStep(closed_words(application.state_call.series, now))
    return changed


def keep(rows, *, allowed, useful, words, now, **whose):
    """Write what somebody says, or the refusal; True when that changes anything. Their row is held by whoever calls.

    rows -- SpeakerFeedback, or the missions' model of the same shape; whose -- {its relation: who says it}
    """
    [subject] = whose.values()
    said = rows.objects.filter(**whose).first() if allowed else None
    changed = allowed and (said is None or (said.useful, said.words) != (useful, words))
    if changed:
        rows.objects.update_or_create(**whose, defaults={"useful": useful, "words": words, "given_at": now})
    if changed or not allowed:
        trail.record(subject, "feedback_given", now=now, refused=not allowed)
    return changed


def of_series(series):
    """What the speakers of a series have said, with the application of each for its mask. In no order that tells who
    was first."""
    rows = SpeakerFeedback.objects.filter(application__state_call__call__series=series)
    rows = rows.select_related("application").defer(*(f"application__{name}" for name in Application.written()))
    return sorted(rows, key=lambda row: (-(row.useful or 0), row.words))


def mean(rows):
    """(how many have answered the first question, their mean)."""
    marks = [row.useful for row in rows if row.useful]
    return len(marks), sum(marks) / len(marks) if marks else None
