"""What an applicant can do once there is an application: see the receipt and where it stands, take it back, have
everything erased, take everything home. Room: applications.

Like the form's, these pages show the application of this session and no other.
"""

from contextlib import suppress
from functools import wraps

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import prefetch_related_objects
from django.shortcuts import redirect, render
from django.urls import reverse

from applications import afterwards, asking, erasure, everything, feedback, reversal, seat
from applications.forms import WithdrawForm
from applications.forms.after import EraseForm
from applications.models import Application, Attachment
from applications.views.form import applicants_page, asked
from presessions import trail
from presessions.trail.steps import WrongStep
from presessions.upr.models import CountryMeeting

Status = Application.Status
IN_PLAY = (Status.SUBMITTED, Status.ACCEPTED, Status.WAITLISTED, Status.CONFIRMED)  # a seat is held, or still hoped for


def own_hand(view):
    """For steps that staff do not take in an applicant's place: who enters an application has others at the desk."""

    @wraps(view)
    def page(request, application, now):
        if application.by:
            raise PermissionDenied
        return view(request, application, now)

    return page


@applicants_page(together=["attachments"])
def receipt(request, application, now):
    """What proves that we received the application, to be kept and printed."""
    if not application.was_sent:
        return redirect("applications:tasks")
    file = application.last_sent(Attachment.Kind.UPR_SUBMISSION)
    return render(request, "applications/receipt.html", {"application": application, "file": file})


@applicants_page(together=["attachments", "requests"])
def status(request, application, now):
    """Where it stands, what happens next and by when, and what the applicant can do now."""
    if not application.was_sent and not application.is_withdrawn:
        return redirect("applications:tasks")
    prefetch_related_objects([application], "attachments", "requests")
    meeting, closed = application.meeting, seat.why_closed(application.meeting, now)
    files = [file for kind in Attachment.Kind if (file := application.last_sent(kind))]
    context = {
        "application": application,
        "meeting": meeting,
        "place": seat.place(meeting),
        "first_day": application.state_call.series.first_day,
        "in_play": application.status in IN_PLAY,
        "held": _is_held(meeting),
        "open": application.can_change(now),
        "asked": asked(application, now),
        "thanked": any(one.answered_at for one in application.requests.all()),
        "changed_at": reversal.changed_at(application) if application.is_decided else None,
        "grace": application.grace_ends_at(now),
        "replace_until": application.replace_until(now),
        "closed": closed,
        "late": seat.is_late(application, now),
        "due_on": seat.due_on(application),
        "has_statement": application.newest(Attachment.Kind.STATEMENT) is not None,
        "own": afterwards.own(application),
        "feedback_asked": feedback.may_give(application, now),
        "files": [(file, _where_to_change(application, file.kind, now, closed)) for file in files],
    }
    return render(request, "applications/status.html", context)


@applicants_page
@own_hand
def more_given(request, application, now):
    """The one button under what staff have asked for: it is answered, and read-only again."""
    if request.method == "POST":
        try:
            asking.answer(application, now=now)
        except WrongStep as refusal:
            messages.warning(request, str(refusal))
    return redirect("applications:status")


def _is_held(meeting):
    return meeting.status == CountryMeeting.Status.HELD


def _where_to_change(application, kind, now, closed):
    """The page on which another version of a file can be sent, or "" where none can."""
    if kind == Attachment.Kind.UPR_SUBMISSION:
        return reverse("applications:section", args=["file"]) if application.can_send_file(now) else ""
    return reverse(f"applications:{kind}") if application.holds_seat and not closed else ""


@applicants_page
@own_hand
def withdraw(request, application, now):
    """Until the meeting is held: who has spoken has spoken, and may have everything erased."""
    if application.is_withdrawn or _is_held(application.meeting):
        return redirect("applications:status")
    form = WithdrawForm(request.POST or None, application=application)
    if form.is_valid():
        with suppress(WrongStep):  # it is withdrawn already, and the status page says so
            application.withdraw(now=now)
        return redirect("applications:status")
    return render(request, "applications/withdraw.html", {"application": application, "form": form})


@applicants_page
@own_hand
def erase(request, application, now):
    """Says what goes and what stays; one tick, and it is gone. This device forgets it too."""
    form = EraseForm(request.POST or None, application=application)
    if form.is_valid():
        erasure.erase(application, now=now)
        request.session.flush()
        return render(request, "applications/erased.html", {"reference": application.reference})
    return render(request, "applications/erase.html", {"application": application, "form": form})


@applicants_page
@own_hand
def download(request, application, now):
    """Says what is in it; the button hands it over. That it was taken stands in the history."""
    if request.method == "POST":
        trail.record(application, "everything_downloaded", now=now)
        return everything.response(application, now=now)
    return render(request, "applications/everything.html", {"application": application})
