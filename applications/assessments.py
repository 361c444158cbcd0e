"""What staff think of an application, each for themselves first, and which one comes next. Room: applications; imports
its models and the work there is."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, OuterRef, Subquery, Value
from django.db.models.functions import MD5, Coalesce, Concat
from django.utils.translation import gettext as _

from applications import work
from applications.models import Application, Assessment
from presessions import trail
from presessions.trail.steps import WrongStep


def assess(application, *, by, now, **view):
    """Keep the view of one member of staff, in the place of an earlier one of theirs. Raises WrongStep.

    view -- grades by criterion, `overall`, `note`; or `abstained`, which keeps nothing else
    """
    if view.get("abstained"):
        view = {**dict.fromkeys(Assessment.CRITERIA), "overall": "", "note": "", "abstained": True}
    # The row is held, so that nobody takes the application back between looking and writing.
    with transaction.atomic():
        can = Application.objects.select_for_update().filter(pk=application.pk, status__in=Application.ANSWERABLE)
        is_open = can.exists()
        if is_open:
            Assessment.objects.update_or_create(application=application, by=by, defaults={**view, "saved_at": now})
        code = "abstained" if view.get("abstained") else "assessed"
        trail.record(application, code, now=now, by=by, refused=not is_open)
    if not is_open:
        raise WrongStep(_("%(application)s cannot be assessed.") % {"application": application})


def visible_to(user, application):
    """The assessments a member of staff may see: their own, and everybody's once theirs is saved, or once it has its
    answer, so that nobody can be swayed any more."""
    fetched = "assessments" in getattr(application, "_prefetched_objects_cache", {})  # for a page of many
    rows = list(application.assessments.all() if fetched else application.assessments.select_related("by"))
    answered = application.is_decided and application.status not in Application.ANSWERABLE
    return rows if answered or any(row.by_id == user.pk for row in rows) else []


# --- One after the other ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """How far a member of staff has come."""

    done: int  # assessed or abstained from
    of: int

    @property
    def left(self):
        return self.of - self.done

    @property
    def place(self):
        """Of the one they look at now, when they have not assessed it yet."""
        return min(self.done + 1, self.of)


def progress(user, applications, now):
    undecided = applications.undecided()
    number, left = undecided.count(), work.not_assessed_by(undecided, now, user).count()
    return Progress(done=number - left, of=number)


def following(user, applications, now, *, but=()):
    """The application that a member of staff should look at next, or None: one of those that fewest have assessed.
    Among equals each has an order of their own, so that three people who begin at once begin with three of them.

    but -- references of those not to come now
    """
    views = Assessment.objects.filter(application=OuterRef("pk"), abstained=False).order_by().values("application")
    rows = work.not_assessed_by(applications, now, user).exclude(reference__in=but)
    return rows.annotate(
        views=Coalesce(Subquery(views.annotate(number=Count("pk")).values("number")), 0),
        turn=MD5(Concat("reference", Value(f" {user.pk}"))),
    ).order_by("views", "turn").first()  # fmt: skip


def last_of(user, applications):
    """The application that a member of staff has assessed last, or None."""
    mine = Assessment.objects.filter(by=user, application__in=applications.filter(status__in=Application.ANSWERABLE))
    newest = mine.order_by("-saved_at", "-pk").values("application")[:1]
    return applications.filter(pk__in=newest).first()
