"""Missions that mail does not reach: a task each, until somebody says how they were reached. Room: missions.

Knows the register by name only, so that `models` can import it. What opens a task stands in `returned` and `mailings`.
"""

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from presessions import trail, vault
from presessions.trail.steps import WrongStep


class MissionTaskQuerySet(models.QuerySet):
    def open(self):
        return self.filter(done_at=None)

    def with_names(self):
        return self.select_related("mission__state", "series__session")

    def open_for(self, missions, *, series, reason, now, letter=None):
        """See that each of these missions (keys) has an open task; what is open already stays as it is."""
        fresh = [
            MissionTask(mission_id=pk, series=series, reason=reason, opened_at=now, letter=letter) for pk in missions
        ]
        with transaction.atomic():
            known = set(self.open().filter(mission__in=missions, series=series).values_list("mission", flat=True))
            made = self.bulk_create([task for task in fresh if task.mission_id not in known], ignore_conflicts=True)
            for task in self.open().filter(mission__in=[task.mission_id for task in made], series=series):
                trail.record(task, "opened", now=now)


class MissionTask(models.Model):
    """Reach this mission by telephone, by note verbale, or at its door. Open until somebody says that it was done."""

    class Reason(models.TextChoices):
        NO_ADDRESS = "no_address", _("no valid address when the letters were written")
        BOUNCED = "bounced", _("its address does not work, and there is no other")
        LOST = "lost", _("a letter did not arrive, and there is no other address")
        COMPLAINT = "complaint", _("complained about a letter")

    mission = models.ForeignKey(
        "missions.PermanentMission",
        on_delete=models.PROTECT,
        related_name="tasks",
        verbose_name=_("Permanent Mission"),
    )
    series = models.ForeignKey(
        "upr.Series", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("series")
    )
    reason = models.CharField(_("why"), max_length=10, choices=Reason)
    letter = models.ForeignKey(
        "mail.Letter", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("letter")
    )
    opened_at = models.DateTimeField(_("opened"))
    done_at = models.DateTimeField(_("done"), null=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("done by")
    )
    note = vault.EncryptedTextField(_("how it was reached"), blank=True, max_length=500)

    objects = MissionTaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("mission to reach by other means")
        verbose_name_plural = _("missions to reach by other means")
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["mission", "series"],
                condition=Q(done_at=None),
                nulls_distinct=False,
                name="one_open_task_per_mission_and_series",
            ),
        ]

    def __str__(self):
        return str(self.mission)

    def close(self, *, by, now, reason=""):
        """It was reached, or need not be; `reason` says how. Raises WrongStep, as when a colleague was faster."""
        if not reason.strip():
            raise WrongStep(_("Please say how it was reached, or why it need not be."))
        with transaction.atomic():
            moved = MissionTask.objects.open().filter(pk=self.pk).update(done_at=now, done_by=by, note=reason)
            self.refresh_from_db()
            trail.record(self, "done", now=now, by=by, refused=not moved)
        if not moved:  # outside the block: a refusal must not undo its own event
            raise WrongStep(_("This task is done already."))
