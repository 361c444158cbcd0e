"""What was forgotten, when and how much: the history that staff see. Room: retention. Says nothing of anybody."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Run(models.Model):
    """One rule, carried out once; or with an empty name a whole night's round, which tells that it took place."""

    rule = models.CharField(_("rule"), max_length=40, blank=True)
    at = models.DateTimeField(_("when"), db_index=True)
    rows = models.PositiveIntegerField(_("forgotten"), default=0)
    failed = models.PositiveIntegerField(_("not forgotten, for an error"), default=0)
    by = models.ForeignKey(  # empty: the clock
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )

    class Meta:
        verbose_name = _("run of a retention rule")
        verbose_name_plural = _("runs of retention rules")
        ordering = ["-at", "-pk"]
        permissions = [("forget", _("Can see what is forgotten when, and have it forgotten now"))]

    def __str__(self):
        return f"{self.rule or 'round'} {self.rows}"
