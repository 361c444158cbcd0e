"""What came back to the inbox: bounces, automatic replies, complaints, forgeries. Room: mail."""

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from presessions import trail, vault
from presessions.mail.models.letters import Letter
from presessions.trail.steps import WrongStep


class ReportQuerySet(models.QuerySet):
    def for_a_person(self):
        """What somebody must still read."""
        return self.filter(handled_at=None)


class Report(models.Model):
    """One mail read from the inbox, kept once however often it is read."""

    class Verdict(models.TextChoices):
        HARD = "hard", _("the address does not work")
        LOST = "lost", _("not delivered")
        SOFT = "soft", _("late: the server keeps trying")
        DELIVERED = "delivered", _("delivered")
        AUTOMATIC = "automatic", _("automatic reply")
        COMPLAINT = "complaint", _("complaint")
        FORGED = "forged", _("forged")
        UNKNOWN = "unknown", _("for a person to read")

    FOR_A_PERSON = (Verdict.UNKNOWN, Verdict.FORGED, Verdict.COMPLAINT)

    fingerprint = models.CharField(_("SHA-256 of the mail"), max_length=64, unique=True)
    place = models.CharField(_("where in the inbox"), max_length=60, blank=True, db_index=True)  # so it is fetched once
    read_at = models.DateTimeField(_("read"))
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict)
    code = models.CharField(_("code"), max_length=20, blank=True)
    letter = models.ForeignKey(
        Letter, on_delete=models.PROTECT, null=True, related_name="reports", verbose_name=_("letter")
    )
    text = vault.EncryptedTextField(_("what it says"))
    handled_at = models.DateTimeField(_("dealt with"), null=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("report from the inbox")
        verbose_name_plural = _("reports from the inbox")
        ordering = ["-read_at", "-pk"]
        indexes = [
            models.Index(fields=["-read_at"], condition=models.Q(handled_at=None), name="report_for_a_person"),
        ]

    def __str__(self):
        return f"{self.verdict} {self.code}".rstrip()

    def deal_with(self, *, by, now, reason=""):
        """Somebody has read it and done what there was to do. Raises WrongStep when a colleague was faster."""
        with transaction.atomic():
            moved = Report.objects.for_a_person().filter(pk=self.pk).update(handled_at=now)
            self.refresh_from_db(fields=["handled_at"])
            trail.record(self, "dealt_with", now=now, by=by, refused=not moved, reason=reason)
        if not moved:  # outside the block: a refusal must not undo its own event
            raise WrongStep(_("This report has been dealt with already."))
