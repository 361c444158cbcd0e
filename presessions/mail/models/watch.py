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
    """Something is wrong, from `since_at` until `ended_at`. One open row per code, so that staff are told once.

    `told_at` without `told_by` is a telling in progress; one that stays so was cut off, and somebody else tells.
    """

    class Channel(models.TextChoices):
        OUTBOX = "outbox", _("by the outbox")
        RELAY = "relay", _("by the second relay")

    code = models.CharField(_("what"), max_length=40)
    since_at = models.DateTimeField(_("since"))
    told_at = models.DateTimeField(_("staff told"), null=True)
    told_by = models.CharField(_("told by"), max_length=8, choices=Channel, blank=True, default="")
    ended_at = models.DateTimeField(_("ended"), null=True)
    end_told_at = models.DateTimeField(_("staff told of the end"), null=True)
    detail = vault.EncryptedTextField(_("details"))

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        constraints = [
            models.UniqueConstraint(fields=["code"], condition=Q(ended_at=None), name="one_open_alarm_per_code")
        ]

    def __str__(self):
        return self.code


class Journal(models.Model):
    """The database's half of the mark that it shares with the journal folder (see mail/journal.py); one row.

    `epoch` only grows, here first and in the folder after: a database whose epoch is behind the folder's is an old one.
    """

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    installation = models.CharField(_("installation"), max_length=32, blank=True)
    epoch = models.PositiveBigIntegerField(_("epoch"), default=0)

    class Meta:
        verbose_name = _("journal of the mail")
        verbose_name_plural = _("journal of the mail")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_journal")]

    def __str__(self):
        return f"{self.installation} {self.epoch}"
