"""The switch that stops everything. Room: mail."""

from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from presessions import trail, vault

PROBE_EVERY = timedelta(minutes=15)


class Switch(models.Model):
    """The one row that stops all mail. With `probe_at` the fault is ours, and one letter is tried then; without it a
    member of staff has stopped the mail and only staff start it again."""

    ONLY = 1
    STAFF = "staff"  # the code of their own stop
    AND_STAFF = "+staff"  # ends `answer` of a stop until compared, when staff had stopped all mail before

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    paused_at = models.DateTimeField(_("stopped"), null=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("stopped by")
    )
    code = models.CharField(_("why"), max_length=20, blank=True)
    answer = vault.EncryptedTextField(_("the server's words"))
    probe_at = models.DateTimeField(_("next trial"), null=True)

    class Meta:
        verbose_name = _("switch for all mail")
        verbose_name_plural = _("switch for all mail")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_switch")]

    def __str__(self):
        return "stopped" if self.paused_at else "running"

    @classmethod
    def get(cls):
        return cls.objects.get_or_create(pk=cls.ONLY)[0]

    @classmethod
    def stop(cls, *, by, now, reason=""):
        """Staff stop all mail; only staff start it again."""
        cls.get()
        cls.objects.update(paused_at=now, paused_by=by, code=cls.STAFF, answer="", probe_at=None)
        trail.record(cls.get(), "stop", now=now, by=by, reason=reason)

    @classmethod
    def start(cls, *, by, now, reason=""):
        cls.get()
        cls.objects.update(paused_at=None, paused_by=None, code="", answer="", probe_at=None)
        trail.record(cls.get(), "start", now=now, by=by, reason=reason)

    @classmethod
    def stop_until_compared(cls, *, now, code, answer):
        """The database may be a restored one: stop until staff have compared it. Their own stop is not forgotten."""
        cls.get()
        with transaction.atomic():
            known = cls.objects.select_for_update().get()
            by_staff = known.code == cls.STAFF or (known.code == code and known.is_stopped_by_staff_too)
            if known.paused_at and by_staff:
                cls.objects.update(code=code, answer=answer + cls.AND_STAFF)
            else:
                cls.objects.update(paused_at=now, paused_by=None, code=code, answer=answer, probe_at=None)

    @classmethod
    def compared(cls, *, by, now, reason=""):
        """Staff have compared it: all mail starts again, or is stopped by staff as it was before."""
        if cls.get().is_stopped_by_staff_too:
            cls.objects.update(code=cls.STAFF, answer="")
            trail.record(cls.get(), "reconciled", now=now, by=by, reason=reason)
        else:
            cls.start(by=by, now=now, reason=reason)

    @property
    def why_to_compare(self):
        return self.answer.removesuffix(self.AND_STAFF)

    @property
    def is_stopped_by_staff_too(self):
        return self.answer.endswith(self.AND_STAFF)

    @classmethod
    def fault_is_ours(cls, *, now, code, answer):
        """The server refuses us, not a recipient: stop, and try one letter now and then. Staff's own stop stays."""
        cls.get()
        cls.objects.filter(Q(paused_at=None) | Q(probe_at__isnull=False)).update(
            paused_at=now, paused_by=None, code=code, answer=answer, probe_at=now + PROBE_EVERY
        )

    @classmethod
    def trial_is_due(cls, now):
        return cls.objects.filter(paused_at__isnull=False, probe_at__lte=now).exists()

    @classmethod
    def begin_trial(cls, now):
        """Whether we are the one to make the trial that is due; the next one is due a quarter of an hour later."""
        due = cls.objects.filter(paused_at__isnull=False, probe_at__lte=now)
        return bool(due.update(probe_at=now + PROBE_EVERY))

    @classmethod
    def trial_passed(cls):
        """The server took us again. Staff's own stop stays."""
        cls.objects.filter(probe_at__isnull=False).update(paused_at=None, code="", answer="", probe_at=None)
