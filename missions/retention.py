"""What this room forgets, and when. Room: missions.

Which missions there are, what they answered and how many people came stays: that is the universality report. Who these
people were does not, nor what they wrote.
"""

from django.db import transaction
from django.db.models import Case, DateTimeField, Exists, F, OuterRef, Q, When
from django.db.models.functions import Coalesce, TruncDate
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from missions import keeping
from missions.models import (
    Colleague,
    Delegate,
    FloorQuestion,
    Invitation,
    MissionAddress,
    MissionFeedback,
    MissionTask,
    Question,
    RegisterCheck,
)
from presessions import retention, vault
from presessions.mail import forgetting
from presessions.retention import tombstones
from presessions.upr.dates import GENEVA

OF_INVITATION = (Delegate, Colleague, Question, MissionFeedback)
AFTER_THE_WORKING_GROUP = ngettext_lazy(
    "%(days)d day after the last day of the Working Group session",
    "%(days)d days after the last day of the Working Group session",
    "days",
)


def invitations():
    """Those of which anything is left that people of the mission wrote."""
    words = retention.with_words(Invitation)
    for model in OF_INVITATION:
        words |= Q(Exists(model.objects.filter(retention.with_words(model), invitation=OuterRef("pk"))))
    return Invitation.objects.filter(words).alias(kept_since=F("series__session__ends_on"))


@retention.rule(
    "delegates",
    what=_("Names of delegates and their colleagues, notes, questions and feedback of missions"),
    when=AFTER_THE_WORKING_GROUP,
    kept=invitations,
    dated=True,
    stays=_("what each mission answered, how many people it sent, and how many came"),
    once=20,
)
def forget_invitations(rows, *, now):
    for invitation in rows:
        forget(invitation, now=now)


def forget(invitation, *, now):
    """Whom a mission sent, and what they wrote. Again is no harm."""
    with transaction.atomic():
        row = Invitation.objects.select_for_update().get(pk=invitation.pk)
        for colleague in row.colleagues.all():
            forgetting.forget("colleague", colleague.reference, now=now)
        for model in OF_INVITATION:
            model.objects.filter(invitation=row).update(**vault.emptied(model))
        Invitation.objects.filter(pk=row.pk).update(**vault.emptied(Invitation))
        tombstones.write("invitation", row.reference, now)


def _standing(lines):
    """Those that had been forgotten, and say something again; not where the session has moved since, and what stands
    there was written after."""
    there = invitations().filter(reference__in=[line.name for line in lines]).annotate(since=F("kept_since"))
    there = dict(there.values_list("reference", "since"))
    return [
        line
        for line in lines
        if there.get(line.name) and retention.RULES["delegates"].is_over(there[line.name], line.at)
    ]


def _known(since):
    """Nothing of an invitation says when it was forgotten; its rule finds it again by its own date."""
    return ()


@tombstones.kind("invitation", standing=_standing, known=_known)
def bury(line, *, now):
    forget(Invitation.objects.get(reference=line.name), now=now)


def questions():
    path = "meeting__state_under_review__session__ends_on"
    return FloorQuestion.objects.filter(retention.with_words(FloorQuestion)).alias(kept_since=F(path))


retention.rule(
    "questions",
    what=_("Questions that were put from the floor"),
    when=AFTER_THE_WORKING_GROUP,
    kept=questions,
    dated=True,
    stays=_("how many, and by which missions"),
)(retention.empty)


def tasks():
    rows = MissionTask.objects.filter(retention.with_words(MissionTask)).exclude(done_at=None)
    return rows.alias(kept_since=Coalesce("series__session__ends_on", TruncDate("done_at", tzinfo=GENEVA)))


retention.rule(
    "tasks",
    what=_("How missions were reached that mail did not reach"),
    when=AFTER_THE_WORKING_GROUP,
    kept=tasks,
    dated=True,
    stays=_("that they were, when, and why it was needed"),
)(retention.empty)


def checks():
    """What staff never settle goes a year after it came: by then the mission has been asked again."""
    year_old = retention.a_year_after("answered_at", rule="checks")
    answered = When(status=RegisterCheck.Status.SAME, then=F("answered_at"))
    kept_since = Coalesce("settled_at", Case(answered, default=year_old), output_field=DateTimeField())
    return RegisterCheck.objects.filter(retention.with_words(RegisterCheck)).alias(kept_since=kept_since)


retention.rule(
    "checks",
    what=_("What missions answered to the yearly check of the register"),
    when=ngettext_lazy(
        "%(days)d day after it was settled; never settled, after a year",
        "%(days)d days after it was settled; never settled, after a year",
        "days",
    ),
    kept=checks,
    stays=_("that they answered, and when"),
)(retention.empty)


def addresses():
    """Those that have ended, but not the last one of a mission: that one says why it was not reached."""
    others = MissionAddress.objects.filter(mission=OuterRef("mission")).exclude(pk=OuterRef("pk"))
    later = Q(valid_until=None) | Q(valid_until__gt=OuterRef("valid_until"))
    later |= Q(valid_until=OuterRef("valid_until"), pk__gt=OuterRef("pk"))
    rows = MissionAddress.objects.filter(Exists(others.filter(later)), valid_until__isnull=False)
    return rows.alias(kept_since=F("valid_until"))


@retention.rule(
    "addresses",
    what=_("Addresses of missions that are no longer valid"),
    when=ngettext_lazy("%(days)d day after their last day", "%(days)d days after their last day", "days"),
    kept=addresses,
    dated=True,
    stays=_("a mission’s last address, valid or not"),
)
def forget_addresses(rows, *, now):
    with transaction.atomic():
        for address in rows.select_related("mission"):
            keeping.record(address.mission, [keeping.REMOVED], now=now, by=None)
            address.delete()
