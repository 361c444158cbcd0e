"""The matrix of one State: its applicants side by side, with what each would speak about, who they are, whether they
took part before, and what staff think. Room: applications; part of `desk`.

Of a masked application it shows the reference, the kind and where it stands, and nothing else.
"""

from collections import Counter
from dataclasses import dataclass, field

from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from applications import assessments, at_risk, desk, organisations
from applications.models import Application, Assessment, StateCall, Theme


@dataclass
class Applicant:
    """One column."""

    application: Application
    name: str
    masked: bool
    pill: str
    themes: set = field(default_factory=set)  # keys
    speaker: object = None
    before: list = field(default_factory=list)  # earlier applications of the same organisation
    views: dict = field(default_factory=dict)  # {member of staff: Assessment}, of those that may be seen
    hidden: int = 0  # assessments that may not be seen yet
    can_assess: bool = False

    @property
    def overall(self):
        """[(label, how many)] of the overall views, the best first."""
        counted = Counter(view.overall for view in self.views.values() if view.overall)
        return [(label, counted[value]) for value, label in Assessment.Overall.choices if counted[value]]


def matrix(request, site, meeting_pk):
    """All applications on one State that were sent and not taken back."""
    desk.require(request, "view_application")
    state_call = get_object_or_404(StateCall.objects.with_state(), meeting=meeting_pk)
    rows = Application.objects.for_meeting(state_call.meeting).sent().live().order_by("-kind", "submitted_at", "pk")
    rows = rows.with_state().select_related("organisation", "seat").without_words(but=("name", "name_latin"))
    rows = list(rows.prefetch_related("themes", "speakers", "assessments__by"))
    before = organisations.took_part(request, rows)
    applicants = [_applicant(request, one, before.get(one.pk, [])) for one in rows]
    staff = list(dict.fromkeys(by for one in applicants for by in one.views))
    themes = list(Theme.objects.all())
    covered = Counter(pk for one in applicants for pk in one.themes)
    context = {
        **site.each_context(request),
        "is_nav_sidebar_enabled": False,
        "opts": Application._meta,
        "title": _("Side by side: %(state)s") % {"state": state_call.state.name},
        "state_call": state_call,
        "meeting": state_call.meeting,
        "applicants": applicants,
        "facts": _facts(applicants),
        "themes": [
            {"theme": theme, "number": covered[theme.pk], "cells": [theme.pk in one.themes for one in applicants]}
            for theme in themes
            if covered[theme.pk]
        ],
        "uncovered": [theme for theme in themes if not covered[theme.pk]],
        "assessments": [{"by": by, "views": [one.views.get(by) for one in applicants]} for by in staff],
        "may": {name: request.user.has_perm(f"applications.{name}") for name in ("assess", "decide", "compose")},
        "left": sum(one.can_assess and one.application.status == Application.Status.SUBMITTED for one in applicants),
    }
    return TemplateResponse(request, "admin/applications/matrix/page.html", context)


def _applicant(request, application, before):
    masked = at_risk.is_masked_for(request, application)
    found = Applicant(
        application=application,
        name=at_risk.visible_name(request, application),
        masked=masked,
        pill=desk.PILLS[application.status],
    )
    if masked:
        return found
    views = assessments.visible_to(request.user, application)
    found.themes = {theme.pk for theme in application.themes.all()}
    found.speaker, found.before = application.speaker, before
    found.views = {view.by: view for view in views}
    found.hidden = 0 if views else len(application.assessments.all())
    mine = any(view.by_id == request.user.pk for view in views)
    may = request.user.has_perm("applications.assess")
    found.can_assess = may and not mine and application.status in Application.ANSWERABLE
    return found


def _facts(applicants):
    """How they divide: of those that are not masked, but for their kind."""
    seen = [one for one in applicants if not one.masked]
    gender = Counter(one.speaker.gender for one in seen if one.speaker)
    return {
        "number": len(applicants),
        "nhri": sum(one.application.kind == Application.Kind.NHRI for one in applicants),
        "cso": sum(one.application.kind == Application.Kind.CSO for one in applicants),
        "national": sum(one.application.scope == Application.Scope.NATIONAL for one in seen),
        "women": gender["woman"],
        "men": gender["man"],
        "masked": len(applicants) - len(seen),
    }


PAGES = (("matrix/<int:meeting_pk>/", matrix, "matrix"),)
