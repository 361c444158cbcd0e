"""What staff ask an applicant for after the application was sent."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications import rules
from presessions import vault


class InformationRequestQuerySet(models.QuerySet):
    def open(self, now, opened_at=None):
        """Not answered, not taken back, and not too late. opened_at -- of a form that was opened before: see `rules`"""
        return self.filter(ended_at=None, until__gt=rules.counts_as(now, opened_at))


class InformationRequest(models.Model):
    """Named sections are open again until a date, with staff's words about what is missing."""

    application = models.ForeignKey(
        "applications.Application", on_delete=models.CASCADE, related_name="requests", verbose_name=_("application")
    )
    sections = models.JSONField(_("sections"))  # names out of rules.SECTIONS
    words = vault.EncryptedTextField(_("what we ask for"), max_length=2000)
    until = models.DateTimeField(_("open until"))  # the first instant too late
    asked_at = models.DateTimeField(_("asked"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("asked by")
    )
    answered_at = models.DateTimeField(_("answered"), null=True)  # by the applicant, who pressed the button
    ended_at = models.DateTimeField(_("answered or taken back"), null=True)

    objects = InformationRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request for more information")
        verbose_name_plural = _("requests for more information")
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"], condition=Q(ended_at=None), name="one_open_request_at_a_time"
            )
        ]

    def __str__(self):
        return f"request to {self.application_id}"
