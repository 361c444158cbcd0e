"""The answers of one meeting: prepared, seen as each applicant will get them, released together. Room: applications.

They hang under ApplicationAdmin's addresses, as `desk` does. Of an application at risk stand here its reference, its
kind and what is to be decided, and nothing it has written.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Count, Prefetch, Q
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from applications import assessments, at_risk, decisions, panel, reversal
from applications.desk import PILLS, of_series, require
from applications.models import Application, Assessment, InformationRequest, Seat, StateCall
from presessions.accounts.proof import proved
from presessions.trail.steps import WrongStep
from presessions.upr.models import CountryMeeting

Status, Decision = Application.Status, Application.Decision

SHOWN = ("reference", "status", "kind", "scope", "prepared", "prepared_by", "at_risk", "submitted_at", "language",
         "name", "name_latin", "state_call", "late_until")  # fmt: skip
CHOICE = "answer-"  # and a reference: the name of one row's answer in the form


@dataclass(frozen=True)
class Row:
    """One application of the meeting, as the table shows it to one member of staff."""

    application: Any
    masked: bool
    name: str
    themes: list
    gender: str
    views: list  # [(words, how many)]; empty while one's own is not saved
    hidden_views: int
    seat: Any
    asked: Any
    is_open: bool
    chosen: str  # what the form offers first: what is prepared, or what was typed and refused

    @property
    def pill(self):
        return PILLS[self.application.status]

    @property
    def seen(self):
        return decisions.what_is_seen(self.application)

    @property
    def choices(self):
        """(value, words, whether it is the one) of the answers that can be prepared."""
        offered = [one for one in Decision if one != Decision.WAITLIST or self.application.status == Status.SUBMITTED]
        return [("", _("none yet"), not self.chosen), *((one.value, one.label, one == self.chosen) for one in offered)]

    @property
    def differs(self):
        """What the panel says of it, where something else is prepared; else None."""
        if not self.is_open or self.seat is None:
            return None
        said = Decision.ACCEPT if self.seat.place == Seat.Place.PANEL else Decision.WAITLIST
        told = said == Decision.WAITLIST and self.application.status == Status.WAITLISTED
        return None if (self.application.prepared or (said if told else "")) == said else self.seat.get_place_display()

    @property
    def can_change(self):
        return bool(reversal.choices(self.application))


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
    waiting = Q(state_call__applications__status__in=Application.ANSWERABLE) & ~Q(state_call__applications__prepared="")
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
        **of_series(request, meetings),
    }
    return TemplateResponse(request, "admin/applications/decisions/index.html", context)


def meeting_decisions(request, site, meeting_pk):
    """Where a meeting's applications stand, what is prepared, and what each applicant would get."""
    require(request, "view_application")
    return _page(request, site, meeting_pk)


def _page(request, site, meeting_pk, typed=None, status=200):
    """typed -- the answers of a form that was refused: {reference: decision}, and the reason"""
    now = timezone.now()
    state_call = get_object_or_404(StateCall.objects.with_state(), meeting=meeting_pk)
    meeting = get_object_or_404(_meetings(), pk=meeting_pk)
    previews = decisions.preview(meeting, now=now)
    rows = [_row(request, application, typed or {}) for application in _sent(meeting, now)]
    waits = any(row.is_open for row in rows)
    may_decide = request.user.has_perm("applications.decide")
    context = {
        **site.each_context(request),
        "is_nav_sidebar_enabled": False,  # the table needs the room
        "opts": Application._meta,
        "title": _("Answers: %(state)s") % {"state": meeting.state.name},
        "meeting": meeting,
        "state_call": state_call,
        "is_open": state_call.is_open(now),
        "accepts": any(preview.decision == Decision.ACCEPT for preview in previews),
        "rows": rows,
        "waits": waits or not rows,
        "can_prepare": may_decide and waits,
        "asked": sum(row.asked is not None for row in rows),
        "panel_differs": panel.of(meeting).version > 0 and any(row.differs for row in rows),
        "previews": [(preview, _name_in(rows, preview)) for preview in previews],
        "tally": _tally(previews),
        "unprepared": meeting.submitted - sum(preview.application.status == Status.SUBMITTED for preview in previews),
        "may_decide": may_decide,
        "reason": (typed or {}).get("reason", ""),
    }
    return TemplateResponse(request, "admin/applications/decisions/meeting.html", context, status=status)


def _sent(meeting, now):
    """What the table is made of, in a few queries for any number of rows."""
    asked = InformationRequest.objects.open(now)
    found = Application.objects.for_meeting(meeting).sent().live().select_related("prepared_by", "seat")
    found = found.only(*SHOWN, *(f"seat__{name}" for name in ("place", "position")), "prepared_by__name",
                       "prepared_by__email")  # fmt: skip
    return found.order_by("submitted_at", "pk").prefetch_related(
        "themes",
        "speakers",
        Prefetch("assessments", Assessment.objects.select_related("by").defer("note")),
        Prefetch("requests", asked, to_attr="open_requests"),
    )


def _row(request, application, typed):
    masked = at_risk.is_masked_for(request, application)
    views = assessments.visible_to(request.user, application)
    said = Counter(_("abstained") if view.abstained else view.get_overall_display() for view in views)
    speaker = None if masked else application.speaker
    return Row(
        application=application,
        masked=masked,
        name=at_risk.visible_name(request, application),
        themes=[] if masked else [theme.name for theme in application.themes.all()],
        gender=speaker.get_gender_display() if speaker and speaker.gender else "",
        views=list(said.items()),
        hidden_views=0 if views else len(application.assessments.all()),
        seat=getattr(application, "seat", None),
        asked=next(iter(application.open_requests), None) if application.status == Status.SUBMITTED else None,
        is_open=application.status in Application.ANSWERABLE,
        chosen=typed.get(application.reference, application.prepared),
    )


def _name_in(rows, preview):
    return next((row.name for row in rows if row.application.pk == preview.application.pk), "")


def _tally(previews):
    """How many answers of each kind go out: [(words, number)]."""
    count = Counter(preview.decision for preview in previews)
    return [(one.label, count[one]) for one in Decision if count[one]]


@require_POST
def prepare_many(request, site, meeting_pk):
    """Note the answers of the table, those that were changed. Nobody is told."""
    require(request, "view_application", "decide")
    meeting = _meeting(meeting_pk)
    choices = {name.removeprefix(CHOICE): value for name, value in request.POST.items() if name.startswith(CHOICE)}
    choices = {name: value for name, value in choices.items() if value in ("", *Decision.values)}
    seen, reason = set(request.POST.getlist("seen")), request.POST.get("reason", "").strip()[:2000]
    changed = {name: value for name, value in choices.items() if f"{name}:{value}" not in seen}
    try:
        count = decisions.prepare_many(
            meeting, changed, seen=seen, by=request.user, now=timezone.now(), reason=reason
        ) if changed else 0  # fmt: skip
    except WrongStep as refusal:
        messages.error(request, str(refusal))
        return _page(request, site, meeting_pk, typed={**changed, "reason": reason}, status=409)
    _say_prepared(request, count)
    return redirect("admin:applications_decisions", meeting_pk)


def _say_prepared(request, count):
    if count:
        words = ngettext("One answer is changed.", "%(count)s answers are changed.", count) % {"count": count}
        told = _("Nobody is told before the answers of this meeting are released.")
        messages.success(request, f"{words} {told}")
    else:
        messages.info(request, _("Nothing was changed."))


@require_POST
@proved
def release(request, site, meeting_pk):
    """Release what was seen on the page before, and only that."""
    require(request, "view_application", "decide")
    try:
        count = decisions.release(
            _meeting(meeting_pk),
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


def _meeting(pk):
    return get_object_or_404(CountryMeeting.objects.with_state(), pk=pk, state_call__isnull=False)


PAGES = [  # under ApplicationAdmin's addresses: route, view, name
    ("decisions/", decisions_index, "decisions_index"),
    ("decisions/<int:meeting_pk>/", meeting_decisions, "decisions"),
    ("decisions/<int:meeting_pk>/prepare/", prepare_many, "prepare_many"),
    ("decisions/<int:meeting_pk>/release/", release, "release"),
]
