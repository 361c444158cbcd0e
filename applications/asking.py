"""More is asked for: staff name sections of an application that was sent, and they are open again until a date. Room:
applications; imports its letters and models.

What is asked stands on the applicant's page and not in the letter: a mailbox may be watched. The guard of saving reads
the request itself (`models.deadlines`), so that whatever ends it closes the sections at once.
"""

from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from applications import letters, rules, seat
from applications.models import Application, Assessment, InformationRequest
from applications.steps import refusals_noted
from presessions.mail import outbox
from presessions.mail.letters import Unwritable
from presessions.trail.steps import WrongStep

Status = Application.Status

SECTIONS = tuple(name for name in rules.SECTIONS if name != "safety")  # that one is open as long as it lives


# --- Steps -----------------------------------------------------------------------------------------------------------


def ask(application, *, sections, words, until, by, now):
    """Open these sections until an instant, and tell the applicant that we ask for something. Returns the
    InformationRequest. Raises WrongStep."""

    def also():
        _end(application, now, until__lte=now)  # the time of an earlier one is over: this one takes its place
        if application.requests.filter(ended_at=None).exists():  # the UPDATE before us holds the application's row
            raise WrongStep(_("Something is asked of this applicant already. Take that back first."))
        request = InformationRequest.objects.create(
            application=application,
            sections=[name for name in SECTIONS if name in sections],
            words=words,
            until=until,
            asked_at=now,
            asked_by=by,
        )
        letters.send_more_information(application, request, now=now)
        return request

    with refusals_noted(application, "more_asked", now=now, by=by):
        if application.status == Status.SUBMITTED and (refusal := why_not(application, sections, words, until, now)):
            raise WrongStep(refusal)
        return _step(application, "more_asked", now=now, by=by, also=also)


def why_not(application, sections, words, until, now):
    """Why this cannot be asked, in words; "" where it can."""
    if not set(sections) & set(SECTIONS) or not words.strip():
        return _("Choose at least one section, and write what you ask for.")
    return closed_for(application.meeting, now) or too_late_for(application.meeting, until, now)


def preview(application, until):
    """The letter as it would leave now, in the applicant's language; None where it cannot be written."""
    try:
        return outbox.preview("more_information", letters.asked_for_more(application, until))
    except Unwritable:
        return None


def closed_for(meeting, now):
    """Why nobody can be given more time for this meeting any more, in words; "" where somebody can."""
    if meeting.series.closed_at:
        return _("This series is closed. Open it again first.")
    return seat.why_closed(meeting, now)


def too_late_for(meeting, until, now):
    """Why an instant cannot be the last one, in words; "" where it can."""
    if until <= now:
        return _("That is in the past. Choose a later moment.")
    if meeting.starts_at and meeting.starts_at < until:
        return _("The meeting has begun by then. Choose an earlier moment.")
    return ""


def take_back(application, *, by, now):
    """Close the sections again before they were answered. Nobody is written to. Raises WrongStep."""

    def also():
        if not _end(application, now):
            raise WrongStep(_("Nothing is asked of this applicant now."))

    with refusals_noted(application, "more_taken_back", now=now, by=by):
        _step(application, "more_taken_back", now=now, by=by, also=also)


def answer(application, *, now):
    """The applicant has added what was asked for; the sections are read-only again. Raises WrongStep."""

    def also():
        asked = application.requests.open(now, application.opened_at)
        if not asked.update(answered_at=now, ended_at=now):
            raise WrongStep(_("There is no open question any more."))

    with refusals_noted(application, "more_given", now=now):
        _step(application, "more_given", now=now, also=also, changed_at=now)


def end(application, now):
    """For who decides: an answer was released, so that nothing is asked any more."""
    _end(application, now)


def _end(application, now, **which):
    return application.requests.filter(ended_at=None, **which).update(ended_at=now)


def _step(application, code, *, now, also, by=None, **facts):
    facts = facts or {"status": Status.SUBMITTED}  # stays what it is: the UPDATE is the guard
    return application.step((Status.SUBMITTED,), code, now=now, by=by, also=also, **facts)


# --- For lists of staff ----------------------------------------------------------------------------------------------


def waiting(queryset, now):
    """Undecided ones that are asked for more, and may still answer."""
    asked = InformationRequest.objects.open(now)
    return queryset.undecided().filter(pk__in=asked.order_by().values("application"))


def to_read_again(queryset, now):
    """Undecided ones whose applicant has answered, or had time until now, and that nobody has assessed or decided on
    since. Whoever did not press the button may have added something all the same."""
    over = InformationRequest.objects.filter(
        Q(answered_at__isnull=False) | Q(ended_at=None, until__lte=now), application=OuterRef("pk")
    )
    since = Coalesce(Subquery(over.values("answered_at")[:1]), Subquery(over.values("until")[:1]))
    seen = Assessment.objects.filter(application=OuterRef("pk"), saved_at__gt=OuterRef("asked_since"))
    return (
        queryset.undecided()
        .annotate(asked_since=since)
        .filter(~Exists(seen), asked_since__isnull=False)
        .exclude(prepared_at__gt=F("asked_since"))
    )
