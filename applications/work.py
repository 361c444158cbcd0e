"""What waits for staff among the applications: a choice of the list, and a number on the home page. Room: applications;
imports its models.

Each kind of work is one queryset. The list's filter and the home page both ask it, so that a number leads to exactly
those rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from applications import asking, rules, seat
from applications.models import Application, Assessment, Attachment
from presessions.trail.models import Event
from presessions.upr.models import CountryMeeting

Status = Application.Status

OPENED = ("document_read", "security_note_read", "opened_revealed")  # events of somebody who reads


@dataclass(frozen=True)
class Work:
    """One kind of work.

    code -- in the list's address: ?stands=<code>; "" is what the list opens on
    label -- its choice beside the list; words -- beside its number on the home page; "" where that does not show it
    right -- who has it to do
    rows -- (applications, now, user) -> those of them that wait
    """

    code: str
    label: Any
    words: Any
    right: str
    rows: Callable


def undecided(applications, now, user):
    return applications.undecided()


def unread(applications, now, user):
    """Sent, undecided, and nobody has opened the document or saved a view."""
    about = Event.objects.filter(room=Application._meta.label_lower, reference=OuterRef("reference"), refused=False)
    opened = Exists(about.filter(code__in=OPENED, staff_id__isnull=False))
    return applications.undecided().filter(~opened, ~Exists(_views()))  # two anti-joins; of an OR it would be none


def not_assessed_by(applications, now, user):
    return applications.undecided().exclude(Exists(_views().filter(by=user)))


def prepared(applications, now, user):
    return applications.filter(status__in=Application.ANSWERABLE).exclude(prepared="")


def asked(applications, now, user):
    """Who was asked for more and may still answer."""
    return asking.waiting(applications, now)


def to_read_again(applications, now, user):
    """Who was asked for more and has answered, or let the time go by, and has not been looked at since."""
    return asking.to_read_again(applications, now)


def unconfirmed(applications, now, user):
    """Those whose seat was not confirmed in time, so that it may be offered to somebody else."""
    return applications.filter(status=Status.ACCEPTED, confirm_by__lte=now)


def without_statement(applications, now, user):
    """Those who have a seat at a meeting that is near, and whose statement we do not hold."""
    near = now, now + timedelta(days=rules.STATEMENT_ASKED_DAYS)
    meetings = CountryMeeting.objects.going_ahead().filter(starts_at__gt=near[0], starts_at__lte=near[1])
    ahead = applications.filter(status__in=Application.HOLDS_SEAT, state_call__meeting__in=meetings.values("pk"))
    return ahead.exclude(pk__in=seat.with_paper(Attachment.Kind.STATEMENT))


def _views():
    return Assessment.objects.filter(application=OuterRef("pk"))


WORK = (
    Work("", _("to do: without an answer"), ngettext_lazy("application without an answer",
         "applications without an answer", "n"),
         "applications.view_application", undecided),
    Work("unread", _("to do: read by nobody"), ngettext_lazy("application that nobody has read",
         "applications that nobody has read", "n"),
         "applications.read_document", unread),
    Work("mine", _("to do: not assessed by me"), ngettext_lazy("application that you have not assessed",
         "applications that you have not assessed", "n"),
         "applications.assess", not_assessed_by),
    Work("again", _("to do: answered what we asked"), ngettext_lazy("answered what we asked, or out of time",
         "answered what we asked, or out of time", "n"), "applications.view_application", to_read_again),
    Work("asked", _("asked for more"), ngettext_lazy("asked for more, may still answer",
         "asked for more, may still answer", "n"), "applications.view_application", asked),
    Work("prepared", _("answer prepared"), ngettext_lazy("answer prepared, not yet released",
         "answers prepared, not yet released", "n"), "applications.decide", prepared),
    Work("unconfirmed", _("to do: seat not confirmed in time"), ngettext_lazy("seat not confirmed in time",
         "seats not confirmed in time", "n"), "applications.decide", unconfirmed),
    Work("statement", _("to do: statement missing"), ngettext_lazy("statement missing", "statements missing", "n"),
         "applications.view_application", without_statement),
)  # fmt: skip


def find(code):
    """The Work of a code, or None."""
    return next((work for work in WORK if work.code == (code or "")), None)


def of_series(series, now, user):
    """{(series' key, code): number} of these series, for whoever asks; one query for each kind of work, and nothing
    where the number is 0."""
    found = {}
    applications = Application.objects.filter(state_call__call__series__in=series)
    for work in WORK:
        if user.has_perm(work.right) and user.has_perm("applications.view_application"):
            rows = work.rows(applications, now, user).order_by().values_list("state_call__call__series")
            found |= {(pk, work.code): number for pk, number in rows.annotate(Count("pk"))}
    return found
