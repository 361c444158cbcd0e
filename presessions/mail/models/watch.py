"""Signs of life, and what is wrong until it is right again. Room: mail."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from presessions import vault


class Pulse(models.Model):
    """When a part was last seen alive, one row per part: the bell, a drain, the mail server, the inbox."""

    part = models.CharField(_("part"), max_length=20, primary_key=True)
    at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("sign of life")
        verbose_name_plural = _("signs of life")

    def __str__(self):
        return self.part


class Alarm(models.Model):
    """Something is wrong, from `since_at` until `ended_at`. One open row per code, so that staff are told once."""

    code = models.CharField(_("what"), max_length=40)
    since_at = models.DateTimeField(_("since"))
    told_at = models.DateTimeField(_("staff told"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    detail = vault.EncryptedTextField(_("details"))

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        constraints = [
            models.UniqueConstraint(fields=["code"], condition=Q(ended_at=None), name="one_open_alarm_per_code")
        ]

    def __str__(self):
        return self.code
