"""What staff think of an application, each for themselves first. Room: applications; imports its models."""

from django.db import transaction
from django.utils.translation import gettext as _

from applications.models import Application, Assessment
from presessions import trail
from presessions.trail.steps import WrongStep

ASSESSABLE = (Application.Status.SUBMITTED, Application.Status.WAITLISTED)


def assess(application, *, by, now, **view):
    """Keep the view of one member of staff, in the place of an earlier one of theirs. Raises WrongStep.

    view -- grades by criterion, `overall`, `note`; or `abstained`, which keeps nothing else
    """
    if view.get("abstained"):
        view = {**dict.fromkeys(Assessment.CRITERIA), "overall": "", "note": "", "abstained": True}
    # The row is held, so that nobody takes the application back between looking and writing.
    with transaction.atomic():
        can = Application.objects.select_for_update().filter(pk=application.pk, status__in=ASSESSABLE)
        is_open = can.exists()
        if is_open:
            Assessment.objects.update_or_create(application=application, by=by, defaults={**view, "saved_at": now})
        code = "abstained" if view.get("abstained") else "assessed"
        trail.record(application, code, now=now, by=by, refused=not is_open)
    if not is_open:
        raise WrongStep(_("%(application)s cannot be assessed.") % {"application": application})


def visible_to(user, application):
    """The assessments a member of staff may see: their own, and everybody's once theirs is saved."""
    rows = list(application.assessments.select_related("by"))
    return rows if any(row.by_id == user.pk for row in rows) else []
