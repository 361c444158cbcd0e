"""What is noted at the meetings themselves: who came, who spoke, what was asked. Noted on a phone that may be without a
line: each note has a key that its device made, so that sending it again doubles nothing."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from missions.models.register import PermanentMission
from presessions import vault
from presessions.upr.models import CountryMeeting


class DoorNoteQuerySet(models.QuerySet):
    def current(self):
        """What counts: one row per meeting and mission, the newest by the clock of the device, in one query. May be
        filtered further, also by what was noted."""
        same = DoorNote.objects.filter(meeting=OuterRef("meeting"), mission=OuterRef("mission"))
        later = Q(noted_at__gt=OuterRef("noted_at")) | Q(noted_at=OuterRef("noted_at"), pk__gt=OuterRef("pk"))
        return self.filter(~Exists(same.filter(later)))

    def came(self, meetings):
        """The current notes of these meetings that say that somebody of the mission was there."""
        return self.filter(meeting__in=meetings, people__gt=0).current()


class DoorNote(models.Model):
    """How many people of a mission are in the room, as somebody at the door saw it. Never changed: a later note about
    the same mission counts in its place, and 0 people says that it is not there after all."""

    key = models.UUIDField(_("key"), unique=True, editable=False)
    meeting = models.ForeignKey(
        CountryMeeting, on_delete=models.PROTECT, related_name="door_notes", verbose_name=_("meeting")
    )
    mission = models.ForeignKey(
        PermanentMission, on_delete=models.PROTECT, related_name="door_notes", verbose_name=_("Permanent Mission")
    )
    people = models.PositiveSmallIntegerField(_("people"))
    spoke = models.BooleanField(_("took the floor"), default=False)
    noted_at = models.DateTimeField(_("noted at"))  # by the clock of the device
    received_at = models.DateTimeField(_("received"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("noted by")
    )

    objects = DoorNoteQuerySet.as_manager()

    class Meta:
        verbose_name = _("note at the door")
        verbose_name_plural = _("notes at the door")
        ordering = ["noted_at", "pk"]
        indexes = [models.Index(fields=["meeting", "mission", "-noted_at", "-id"], name="newest_note_at_the_door")]
        permissions = [("note_at_door", _("Can note who came and what was asked"))]

    def __str__(self):
        return f"{self.mission_id} at {self.meeting_id}"


class FloorQuestion(models.Model):
    """A question that somebody put from the floor, and to whom. Taken back by a later note: `taken_back_at`."""

    key = models.UUIDField(_("key"), unique=True, editable=False)
    meeting = models.ForeignKey(
        CountryMeeting, on_delete=models.PROTECT, related_name="floor_questions", verbose_name=_("meeting")
    )
    mission = models.ForeignKey(  # empty: somebody else in the room
        PermanentMission, on_delete=models.PROTECT, null=True, related_name="floor_questions",
        verbose_name=_("Permanent Mission"),
    )  # fmt: skip
    to = models.ForeignKey(  # empty: the whole panel
        "applications.Application", on_delete=models.SET_NULL, null=True, related_name="floor_questions",
        verbose_name=_("to"),
    )  # fmt: skip
    words = vault.EncryptedTextField(_("question"), max_length=1000, blank=True)
    noted_at = models.DateTimeField(_("noted at"))
    received_at = models.DateTimeField(_("received"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("noted by")
    )
    taken_back_at = models.DateTimeField(_("taken back"), null=True)

    class Meta:
        verbose_name = _("question from the floor")
        verbose_name_plural = _("questions from the floor")
        ordering = ["noted_at", "pk"]

    def __str__(self):
        return f"question {self.pk} at {self.meeting_id}"
