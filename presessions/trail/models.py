"""The append-only Event, its erasable Reason, and the chain of Seals over all events. Room: trail, basement.

Triggers refuse UPDATE and DELETE of events and seals (migrations 0002, 0003), so an event holds nothing that may ever
have to be erased: a random reference, a code, the number of a member of staff. Why something was done is personal at
times and stands apart, encrypted.
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
    nonce = models.CharField(_("nonce"), max_length=32, default="", editable=False)
    signed = models.CharField(_("code over it"), max_length=330, default="", editable=False)  # see `signing`

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["room", "reference", "at"], name="event_history"),
            models.Index(fields=["reference"], name="event_by_reference", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["staff_id", "-id"], name="event_by_staff"),
            models.Index(fields=["at"], name="event_by_moment"),
            models.Index(fields=["code", "-id"], name="event_by_code"),
        ]

    def __str__(self):
        return f"{self.code} {self.reference}"

    @classmethod
    def of(cls, subject, code, *, now, by=None, refused=False):
        """One that is not written yet."""
        return cls(
            at=now,
            room=subject._meta.label_lower,
            reference=cls.reference_of(subject),
            code=code,
            staff_id=by.pk if by else None,
            refused=refused,
        )

    @staticmethod
    def reference_of(subject):
        """How events name a row: by its `reference` where it has one, else by its key."""
        return str(getattr(subject, "reference", subject.pk))


class Reason(models.Model):
    """Why: in a member of staff's or an applicant's own words. Erased with what it is about."""

    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="reason", verbose_name=_("event"))
    text = vault.EncryptedTextField(_("reason"))
    signed = models.CharField(_("code over it"), max_length=330, default="", editable=False)  # goes with the text

    class Meta:
        verbose_name = _("reason")
        verbose_name_plural = _("reasons")

    def __str__(self):
        return f"reason of event {self.event_id}"


class Unsealed(models.Model):
    """An event that is not in the chain yet: a trigger puts it here, and the bell takes it away."""

    event_id = models.BigIntegerField(_("event"), primary_key=True)

    class Meta:
        verbose_name = _("event without a seal")
        verbose_name_plural = _("events without a seal")

    def __str__(self):
        return f"event {self.event_id} waits"


class Seal(models.Model):
    """A place in the chain: a code over the one before it and one event. Never changed; see `sealing`."""

    number = models.BigIntegerField(_("number"), primary_key=True)  # from 1, without a gap
    event_id = models.BigIntegerField(_("event"), unique=True)  # no foreign key: a seal outlives what is taken out
    at = models.DateTimeField(_("sealed"))
    code = models.CharField(_("code over it"), max_length=330)

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")

    def __str__(self):
        return f"seal {self.number}"
