"""The append-only Event and its erasable Reason. Room: trail, basement.

A trigger refuses UPDATE and DELETE of events (migration 0002), so an event holds nothing that may ever have to be
erased: a random reference, a code, the number of a member of staff. Why something was done is personal at times and
stands apart, encrypted.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from presessions import vault


class EventQuerySet(models.QuerySet):
    def about(self, subject):
        """The history of one row, oldest first."""
        named = {"room": subject._meta.label_lower, "reference": Event.reference_of(subject)}
        return self.filter(**named).order_by("at", "pk")


class Event(models.Model):
    """Something that was done, or tried and refused."""

    at = models.DateTimeField(_("when"))
    room = models.CharField(_("kind"), max_length=60)
    reference = models.CharField(_("reference"), max_length=60)
    code = models.CharField(_("what"), max_length=60)
    staff_id = models.BigIntegerField(_("staff number"), null=True)
    refused = models.BooleanField(_("refused"), default=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [models.Index(fields=["room", "reference", "at"], name="event_history")]

    def __str__(self):
        return f"{self.code} {self.reference}"

    @staticmethod
    def reference_of(subject):
        """How events name a row: by its `reference` where it has one, else by its key."""
        return str(getattr(subject, "reference", subject.pk))


class Reason(models.Model):
    """Why: in a member of staff's or an applicant's own words. Erased with what it is about."""

    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="reason", verbose_name=_("event"))
    text = vault.EncryptedTextField(_("reason"))

    class Meta:
        verbose_name = _("reason")
        verbose_name_plural = _("reasons")

    def __str__(self):
        return f"reason of event {self.event_id}"
