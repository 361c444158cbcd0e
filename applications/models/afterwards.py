"""What became of it all: which recommendations States made in the Working Group, and what speakers say afterwards."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from presessions import vault


class ReviewOutcome(models.Model):
    """That staff have published what became of one State's review: from then on everybody reads the recommendations
    that were made, and those who spoke see which of them take up their own."""

    meeting = models.OneToOneField(
        "upr.CountryMeeting", on_delete=models.PROTECT, related_name="outcome", verbose_name=_("meeting")
    )
    source = models.CharField(_("source"), max_length=200, blank=True)
    published_at = models.DateTimeField(_("published"), null=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("published by")
    )

    class Meta:
        verbose_name = _("outcome of a review")
        verbose_name_plural = _("outcomes of reviews")

    def __str__(self):
        return f"outcome of {self.meeting_id}"


class MadeRecommendation(models.Model):
    """One recommendation out of the report of the Working Group: public words, entered or imported by staff."""

    class Response(models.TextChoices):
        PENDING = "pending", _("not answered yet")
        SUPPORTED = "supported", _("supported")
        NOTED = "noted", _("noted")

    state_under_review = models.ForeignKey(
        "upr.StateUnderReview",
        on_delete=models.PROTECT,
        related_name="made_recommendations",
        verbose_name=_("State under Review"),
    )
    number = models.CharField(_("number"), max_length=20, help_text=_("As in the report: 148.23."))
    text = models.TextField(_("text"), max_length=3000)
    made_by = models.ManyToManyField("upr.State", related_name="+", verbose_name=_("made by"))
    theme = models.ForeignKey(
        "applications.Theme", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("theme")
    )
    response = models.CharField(_("response"), max_length=9, choices=Response, default=Response.PENDING)
    responded_on = models.DateField(_("response of"), null=True, blank=True)
    entered_at = models.DateTimeField(_("entered"))
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("entered by")
    )

    class Meta:
        verbose_name = _("recommendation made in the Working Group")
        verbose_name_plural = _("recommendations made in the Working Group")
        ordering = ["state_under_review", "number"]
        constraints = [
            models.UniqueConstraint(fields=["state_under_review", "number"], name="one_recommendation_per_number")
        ]

    def __str__(self):
        return self.number


class TakenUp(models.Model):
    """Staff's view that a recommendation made in the Working Group takes up one that was proposed on the panel."""

    class Extent(models.TextChoices):
        WHOLE = "whole", _("as proposed")
        PART = "part", _("in part")

    proposed = models.ForeignKey(
        "applications.Recommendation", on_delete=models.CASCADE, related_name="taken_up", verbose_name=_("proposed")
    )
    made = models.ForeignKey(
        MadeRecommendation, on_delete=models.CASCADE, related_name="takes_up", verbose_name=_("made")
    )
    extent = models.CharField(_("taken up"), max_length=5, choices=Extent, default=Extent.PART)
    noted_at = models.DateTimeField(_("noted"))
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("noted by")
    )

    class Meta:
        verbose_name = _("recommendation taken up")
        verbose_name_plural = _("recommendations taken up")
        constraints = [models.UniqueConstraint(fields=["proposed", "made"], name="taken_up_once")]

    def __str__(self):
        return f"{self.proposed_id} in {self.made_id}"


class SpeakerFeedback(models.Model):
    """What a speaker says afterwards, in two questions."""

    application = models.OneToOneField(
        "applications.Application", on_delete=models.CASCADE, related_name="feedback", verbose_name=_("application")
    )
    useful = models.PositiveSmallIntegerField(_("useful, from 1 to 5"), null=True)
    words = vault.EncryptedTextField(_("what we should do better"), max_length=2000, blank=True)
    given_at = models.DateTimeField(_("given"))

    class Meta:
        verbose_name = _("feedback of a speaker")
        verbose_name_plural = _("feedback of speakers")
        constraints = [
            models.CheckConstraint(
                condition=Q(useful__isnull=True) | Q(useful__range=(1, 5)), name="useful_to_a_speaker_from_one_to_five"
            )
        ]

    def __str__(self):
        return f"feedback of {self.application_id}"
