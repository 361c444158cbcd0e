"""The hour about one State as staff compose it: who sits where, for how long, and what was published of it.

A panel is changed as a whole and only by who saw its newest `version`: see `applications.panel`. A published agenda
names no one: it keeps references, and names are looked up when it is read, so that consent taken back is gone at once.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from presessions import trail, vault


class Panel(models.Model):
    """The composition of one meeting."""

    meeting = models.OneToOneField(
        "upr.CountryMeeting", on_delete=models.PROTECT, related_name="panel", verbose_name=_("meeting")
    )
    version = models.PositiveIntegerField(_("version"), default=0)
    opening_minutes = models.PositiveSmallIntegerField(_("minutes of the moderator"), default=3)
    floor_wanted = models.BooleanField(_("State under Review asks for the floor"), default=False)
    floor_minutes = models.PositiveSmallIntegerField(_("minutes of the State under Review"), default=0)
    note = vault.EncryptedTextField(_("note for the moderator"), blank=True)
    changed_at = models.DateTimeField(_("changed"), null=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("changed by")
    )

    class Meta:
        verbose_name = _("panel")
        verbose_name_plural = _("panels")

    def __str__(self):
        return str(self.meeting)


class Seat(models.Model):
    """A place for one application: on the panel with its minutes, or in the order of the waiting list."""

    class Place(models.TextChoices):
        PANEL = "panel", _("on the panel")
        WAITING = "waiting", _("on the waiting list")

    panel = models.ForeignKey(Panel, on_delete=models.CASCADE, related_name="seats", verbose_name=_("panel"))
    application = models.OneToOneField(
        "applications.Application", on_delete=models.CASCADE, related_name="seat", verbose_name=_("application")
    )
    place = models.CharField(_("place"), max_length=7, choices=Place)
    position = models.PositiveSmallIntegerField(pgettext_lazy("in an order", "position"))  # from 1, in each place
    minutes = models.PositiveSmallIntegerField(_("minutes"), default=0)

    class Meta:
        verbose_name = _("seat")
        verbose_name_plural = _("seats")
        ordering = ["place", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["panel", "place", "position"],
                name="one_seat_per_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(condition=Q(position__gte=1), name="positions_begin_at_one"),
        ]

    def __str__(self):
        return f"seat of {self.application_id}"

    @classmethod
    def leave(cls, application, *, now, by=None):
        """Take whoever speaks or waits no more out of the order; those behind move up. In the transaction of the step
        that ends it, after its UPDATE; again is no harm. The new version tells those who compose this panel."""
        panel = Panel.objects.select_for_update(of=("self",)).filter(seats__application=application).first()
        seat = panel and cls.objects.filter(panel=panel, application=application).first()
        if seat is None:  # where it stands is only sure under the lock: others may have moved up meanwhile
            return
        seat.delete()
        behind = cls.objects.filter(panel=panel, place=seat.place, position__gt=seat.position)
        behind.update(position=F("position") - 1)
        Panel.objects.filter(pk=panel.pk).update(version=F("version") + 1, changed_at=now, changed_by=by)
        trail.record(panel.meeting, "seat_freed", now=now, by=by)


class Agenda(models.Model):
    """One published version of a meeting's agenda; never changed, followed by the next number."""

    meeting = models.ForeignKey(
        "upr.CountryMeeting", on_delete=models.PROTECT, related_name="agendas", verbose_name=_("meeting")
    )
    number = models.PositiveSmallIntegerField(_("version"))
    content = models.JSONField(_("content"))  # see `applications.agenda`: instants, minutes, references; no name
    published_at = models.DateTimeField(_("published"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("published by")
    )

    class Meta:
        verbose_name = _("agenda")
        verbose_name_plural = _("agendas")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["meeting", "number"], name="one_agenda_per_number")]

    def __str__(self):
        return f"agenda {self.number} of {self.meeting_id}"
