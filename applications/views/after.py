"""What an applicant can do once the application was sent: see the receipt and where it stands, take it back.
Room: applications.

Like the form's, these pages show the application of this session and no other.
"""

from contextlib import suppress

from django.shortcuts import redirect, render

from applications.forms import WithdrawForm
from applications.views.form import applicants_page
from presessions.trail.steps import WrongStep


@applicants_page
def receipt(request, application, now):
    if not application.was_sent:
        return redirect("applications:tasks")
    context = {"application": application, "file": application.upr_submission}
    return render(request, "applications/receipt.html", context)


@applicants_page
def status(request, application, now):
    """Where it stands, what happens next, and what the applicant can do."""
    if not application.was_sent and not application.is_withdrawn:
        return redirect("applications:tasks")
    context = {"application": application, "file": application.upr_submission, "open": application.can_change(now)}
    return render(request, "applications/status.html", context)


@applicants_page
def withdraw(request, application, now):
    if application.is_withdrawn:
        return redirect("applications:status")
    form = WithdrawForm(request.POST or None, application=application)
    if form.is_valid():
        with suppress(WrongStep):  # it is withdrawn already, and the status page says so
            application.withdraw(now=now)
        return redirect("applications:status")
    return render(request, "applications/withdraw.html", {"application": application, "form": form})
