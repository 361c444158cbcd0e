"""The staff's own page of one application beside its document. Room: applications.

They hang under ApplicationAdmin's addresses. Whoever may not do a thing gets 403; a step that cannot be taken says so
in a message. A GET changes nothing; reading a document or a security note leaves an event.
"""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from applications import assessments, at_risk, desk_at_risk, desk_more, desk_seat, files, organisations
from applications.models import Application, Assessment, Attachment, Speaker
from presessions import trail
from presessions.trail import history
from presessions.trail.steps import WrongStep
from presessions.upr.models import Series

Status = Application.Status
HIDDEN = (Status.DRAFT, Status.WITHDRAWN)  # not ours to read: not sent yet, or taken back

PILLS = {
    Status.SUBMITTED: "open",
    Status.ACCEPTED: "done",
    Status.CONFIRMED: "done",
    Status.WAITLISTED: "late",
    Status.DECLINED: "quiet",
    Status.RELEASED: "quiet",
    Status.DRAFT: "quiet",
    Status.WITHDRAWN: "quiet",
}


def require(request, *permissions):
    if not request.user.has_perms([f"applications.{permission}" for permission in permissions]):
        raise PermissionDenied


def of_series(request, meetings):
    """The meetings of the series that the address asks for, or all; and the series there are to choose among."""
    key = request.GET.get("series", "")
    chosen = int(key) if key.isdecimal() else None
    every = Series.objects.filter(call__isnull=False).select_related("session").order_by("-session__number")
    if chosen:
        meetings = meetings.filter(state_under_review__session__series=chosen)
    return {"meetings": meetings, "all_series": every, "chosen": chosen}


# --- One application -------------------------------------------------------------------------------------------------


class AssessmentForm(forms.ModelForm):
    """Grades may be left open; the overall view may not, unless one abstains."""

    class Meta:
        model = Assessment
        fields = (*Assessment.CRITERIA, "overall", "note", "abstained")
        widgets = {
            **dict.fromkeys((*Assessment.CRITERIA, "overall"), forms.RadioSelect),
            "note": forms.Textarea(attrs={"rows": 4}),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        for name in Assessment.CRITERIA:
            self.fields[name].choices = Assessment.Grade.choices
        self.fields["overall"].choices = Assessment.Overall.choices
        self.fields["abstained"].label = _("I have a conflict of interest and abstain")
        self.fields["abstained"].help_text = ""

    def clean(self):
        answers = super().clean()
        if not answers.get("abstained") and not answers.get("overall"):
            self.add_error("overall", _("Choose your overall view, or abstain."))
        return answers


def application_page(request, site, pk, form=None):
    """Answers beside the document, assessments, the decision, and the history."""
    require(request, "view_application")
    application = get_object_or_404(with_answers(), pk=pk)
    at_risk.note_opening(request, application, now=timezone.now())
    if at_risk.is_masked_for(request, application):
        return desk_at_risk.masked_page(request, site, application)
    mine = application.assessments.filter(by=request.user).first()
    shown = application.status not in HIDDEN
    document = document_of(application) if shown else None
    may = {name: request.user.has_perm(f"applications.{name}") for name in ("assess", "decide", "read_document")}
    context = {
        **site.each_context(request),
        "is_nav_sidebar_enabled": False,  # the document needs the room
        "opts": Application._meta,
        "title": _("Application %(reference)s") % {"reference": application.reference},
        "application": application,
        "pill": PILLS[application.status],
        "shown": shown,
        "sections": sections_of(application) if shown else [],
        "recommendations": application.recommendations.all() if shown else [],
        "consents": application.consents.all() if shown else [],
        "document": document,
        "may": may,
        "can_assess": may["assess"] and application.status in Application.ANSWERABLE,
        "can_decide": may["decide"] and application.status in Application.ANSWERABLE,
        "form": form or AssessmentForm(instance=mine),
        "mine": mine,
        "views": assessments.visible_to(request.user, application),
        "views_count": application.assessments.count(),
        **desk_seat.context(application, timezone.now()),
        **desk_at_risk.context(request, application),
        **organisations.context(request, application),
        **desk_more.context(request, application, timezone.now()),
        "history": history.of(application, request),
    }
    return TemplateResponse(request, "admin/applications/application/page.html", context)


def document_of(application):
    """The file to read; the one that was refused only where there is no other."""
    refused = (file for file in application.attachments.all() if file.kind == file.Kind.UPR_SUBMISSION and file.refusal)
    return application.upr_submission or next(refused, None)


def with_answers():
    return (
        Application.objects.with_state()
        .select_related("prepared_by", "organisation")
        .prefetch_related("speakers", "recommendations", "themes", "attachments", "consents")
    )


def sections_of(application):
    """(heading, [(label, answer)]) with every answer that was given."""
    themes = ", ".join(theme.name for theme in application.themes.all())
    found = [
        (_("Institution"), _answers(application, Application.ANSWERS["institution"])),
        *((desk_seat.heading(person), _answers(person, Speaker.ANSWERS)) for person in application.speakers.all()),
        (_("What they would say"), [(_("Themes"), themes), *_answers(application, Application.ANSWERS["issues"])]),
        (_("About the submission"), _answers(application, Application.ANSWERS["submission"])),
    ]
    return [(heading, [(label, answer) for label, answer in answers if answer]) for heading, answers in found]


def _answers(row, names):
    for name in names:
        field, value = row._meta.get_field(name), getattr(row, name)
        if value is True:
            value = _("yes")
        elif field.choices:
            value = getattr(row, f"get_{name}_display")()
        yield field.verbose_name, value


@require_POST
def assess(request, site, pk):
    """Save my view of an application."""
    require(request, "view_application", "assess")
    application = get_object_or_404(Application, pk=pk)
    at_risk.refuse_masked(request, application)
    form = AssessmentForm(request.POST)
    if not form.is_valid():
        return application_page(request, site, pk, form=form)
    try:
        assessments.assess(application, by=request.user, now=timezone.now(), **form.cleaned_data)
    except WrongStep as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Your assessment is saved."))
    return redirect("admin:applications_application_change", pk)


@require_POST
def prepare(request, site, pk):
    """Prepare a decision, or take the prepared one back. Nobody is told."""
    require(request, "view_application", "decide")
    application = get_object_or_404(Application, pk=pk)
    decision, reason = request.POST.get("decision"), request.POST.get("reason", "").strip()[:2000]
    if decision not in ("", *Application.Decision.values):
        raise Http404
    try:
        if decision == Application.Decision.DECLINE and not reason:
            raise WrongStep(_("Please give a reason for declining. It stays with staff."))
        application.prepare(decision, by=request.user, now=timezone.now(), reason=reason)
    except WrongStep as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Prepared. Nobody is told before the answers of this meeting are released."))
    return redirect("admin:applications_application_change", pk)


@require_GET
def document(request, site, pk, attachment_pk):
    """The cleaned copy: a PDF inline beside the answers, or anything as a download. What is in quarantine or was
    refused has no address, and neither has any original."""
    require(request, "view_application", "read_document")
    readable = Attachment.objects.checked().select_related("application")
    attachment = get_object_or_404(readable.exclude(application__status__in=HIDDEN), application=pk, pk=attachment_pk)
    at_risk.refuse_masked(request, attachment.application)
    trail.record(attachment.application, "document_read", now=timezone.now(), by=request.user)
    return files.stream(attachment, inline="inline" in request.GET)


@require_POST
def security_note(request, site, pk):
    """What the applicant wrote for few eyes. Asked for by a button, so that each reading stands in the history."""
    require(request, "view_application", "read_document")
    application = get_object_or_404(Application.objects.exclude(status__in=HIDDEN), pk=pk)
    at_risk.refuse_masked(request, application)
    trail.record(application, "security_note_read", now=timezone.now(), by=request.user)
    context = {
        **site.each_context(request),
        "opts": Application._meta,
        "title": _("Private security note of %(reference)s") % {"reference": application.reference},
        "application": application,
    }
    response = TemplateResponse(request, "admin/applications/application/security_note.html", context)
    response["Cache-Control"] = "private, no-store"
    return response
