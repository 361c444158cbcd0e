"""The answers of one meeting: prepared, seen as each applicant will get them, released together. Room: applications.

They hang under ApplicationAdmin's addresses, as `desk` does.
"""

from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from applications import decisions
from applications.desk import require
from applications.models import Application, Assessment, StateCall
from presessions.trail.steps import WrongStep
from presessions.upr.models import CountryMeeting

Status = Application.Status


def _meetings():
    """Meetings that have a call, with how many of their applications stand where."""
    counted = {
        name: Count("state_call__applications", filter=Q(**{f"state_call__applications__{key}": value}))
        for name, (key, value) in {
            "submitted": ("status", Status.SUBMITTED),
            "accepted": ("status__in", (Status.ACCEPTED, Status.CONFIRMED)),
            "waitlisted": ("status", Status.WAITLISTED),
            "declined": ("status", Status.DECLINED),
        }.items()
    }
    waiting = Q(state_call__applications__status__in=decisions.OPEN) & ~Q(state_call__applications__prepared="")
    meetings = CountryMeeting.objects.filter(state_call__isnull=False).with_state()
    return meetings.annotate(**counted, prepared=Count("state_call__applications", filter=waiting))


def decisions_index(request, site):
    """Every meeting with a call, the newest series first."""
    require(request, "view_application")
    meetings = _meetings().order_by("-state_under_review__session__number", "state_under_review__state__sort_key")
    context = {
        **site.each_context(request),
        "opts": Application._meta,
        "title": _("Answers per meeting"),
        "meetings": meetings,
    }
    return TemplateResponse(request, "admin/applications/decisions/index.html", context)


def meeting_decisions(request, site, meeting_pk):
    """Where a meeting's applications stand, and what each applicant would get."""
    require(request, "view_application")
    state_call = get_object_or_404(StateCall.objects.with_state(), meeting=meeting_pk)
    meeting = get_object_or_404(_meetings(), pk=meeting_pk)
    assessed = Assessment.objects.filter(application=OuterRef("pk"), by=request.user)
    sent = Application.objects.for_meeting(meeting).sent().live().annotate(assessed_by_me=Exists(assessed))
    previews = decisions.preview(meeting, now=timezone.now())
    context = {
        **site.each_context(request),
        "opts": Application._meta,
        "title": _("Answers: %(state)s") % {"state": meeting.state.name},
        "meeting": meeting,
        "state_call": state_call,
        "is_open": state_call.is_open(timezone.now()),
        "accepts": any(preview.decision == Application.Decision.ACCEPT for preview in previews),
        "applications": sent.only("reference", "status", "kind", "prepared", "submitted_at").order_by("submitted_at"),
        "previews": previews,
        "unprepared": meeting.submitted - sum(preview.application.status == Status.SUBMITTED for preview in previews),
        "may_release": request.user.has_perm("applications.decide"),
    }
    return TemplateResponse(request, "admin/applications/decisions/meeting.html", context)


@require_POST
def release(request, site, meeting_pk):
    """Release what was seen on the page before, and only that."""
    require(request, "view_application", "decide")
    meeting = get_object_or_404(CountryMeeting.objects.with_state(), pk=meeting_pk, state_call__isnull=False)
    try:
        count = decisions.release(
            meeting,
            by=request.user,
            now=timezone.now(),
            seen=set(request.POST.getlist("seen")),
            while_open="while_open" in request.POST,
        )
    except WrongStep as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Released: %(count)s. The letters leave within seconds.") % {"count": count})
    return redirect("admin:applications_decisions", meeting_pk)


PAGES = [  # under ApplicationAdmin's addresses: route, view, name
    ("decisions/", decisions_index, "decisions_index"),
    ("decisions/<int:meeting_pk>/", meeting_decisions, "decisions"),
    ("decisions/<int:meeting_pk>/release/", release, "release"),
]
