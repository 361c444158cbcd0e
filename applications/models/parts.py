"""What belongs to an application: who would speak, recommendations, consents, files, and staff's assessments."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from applications import rules
from applications.refusals import sentences
from presessions import vault
from presessions.retention import tombstones

CONSENT_WORDING = "2026-11-26b"  # raise it with every change of the words beside a consent: older ones clear nothing


class Speaker(models.Model):
    """Who would speak, and who would in that person's place. Somebody else is a new row; the one replaced keeps the
    date."""

    class Role(models.TextChoices):
        SPEAKER = "speaker", _("speaker")
        REPLACEMENT = "replacement", _("replacement")

    class Gender(models.TextChoices):
        WOMAN = "woman", _("Woman")
        MAN = "man", _("Man")
        OTHER = "other", _("In another way")
        NOT_SAID = "not_said", _("Prefer not to say")

    class English(models.TextChoices):
        FLUENT = "fluent", _("Fluent: can read a statement and answer questions")
        GOOD = "good", _("Good: can read a statement")
        BASIC = "basic", _("Basic: would need help")

    class Attends(models.TextChoices):
        IN_PERSON = "in_person", _("In person, in Geneva")
        REMOTE = "remote", _("Remotely")
        UNDECIDED = "undecided", _("Not decided yet")

    ANSWERS = (
        "full_name", "position", "part_in_upr", "email", "phone", "gender", "spoken_english", "attends", "under_18",
        "guardian_name", "guardian_agrees",
    )  # fmt: skip

    application = models.ForeignKey(
        "applications.Application", on_delete=models.CASCADE, related_name="speakers", verbose_name=_("application")
    )
    role = models.CharField(_("role"), max_length=11, choices=Role, default=Role.SPEAKER)
    full_name = vault.EncryptedTextField(_("full name"), max_length=200, blank=True)
    position = vault.EncryptedTextField(pgettext_lazy("of a person", "position"), max_length=200, blank=True)
    part_in_upr = vault.EncryptedTextField(
        _("experience and part in the UPR"),
        max_length=2000,
        blank=True,
        validators=[rules.AtMostWords(rules.PART_IN_UPR_WORDS)],
    )
    email = vault.EncryptedEmailField(_("e-mail address"), blank=True)
    phone = vault.EncryptedTextField(_("telephone"), max_length=50, blank=True)
    gender = models.CharField(_("gender"), max_length=8, choices=Gender, blank=True)
    spoken_english = models.CharField(_("spoken English"), max_length=6, choices=English, blank=True)
    attends = models.CharField(_("attends"), max_length=9, choices=Attends, blank=True)
    under_18 = models.BooleanField(_("under 18"), default=False)
    guardian_name = vault.EncryptedTextField(_("parent or guardian"), max_length=200, blank=True)
    guardian_agrees = models.BooleanField(_("parent or guardian agrees"), default=False)
    replaced_at = models.DateTimeField(_("replaced"), null=True, editable=False)

    class Meta:
        verbose_name = _("speaker")
        verbose_name_plural = _("speakers")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "role"], condition=Q(replaced_at=None), name="one_speaker_at_a_time"
            )
        ]

    def __str__(self):
        return f"speaker of {self.application_id}"


class Recommendation(models.Model):
    """One recommendation that the applicant would ask States to make."""

    application = models.ForeignKey(
        "applications.Application",
        on_delete=models.CASCADE,
        related_name="recommendations",
        verbose_name=_("application"),
    )
    position = models.PositiveSmallIntegerField(_("position"))
    text = vault.EncryptedTextField(
        _("text"), max_length=1200, validators=[rules.AtMostWords(rules.RECOMMENDATION_WORDS)]
    )

    class Meta:
        verbose_name = _("recommendation")
        verbose_name_plural = _("recommendations")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["application", "position"], name="one_recommendation_per_position")
        ]

    def __str__(self):
        return f"recommendation {self.position} of {self.application_id}"


class ConsentQuerySet(models.QuerySet):
    def take_back(self, application, *, now):
        """Those of an application that stand, taken back; also in a backup that is older than this."""
        items = sorted(self.filter(withdrawn_at=None).values_list("item", flat=True))
        self.filter(withdrawn_at=None).update(withdrawn_at=now)
        if items:
            tombstones.write("consent", application.reference, now, items=items)


class Consent(models.Model):
    """Leave to publish one thing, given and perhaps taken back: the rows are the proof."""

    class Item(models.TextChoices):
        NAME = "name", _("speaker’s name")
        ORGANISATION = "organisation", _("organisation’s name")
        STATEMENT = "statement", _("statement")
        FACT_SHEET = "fact_sheet", _("fact sheet")
        RECOMMENDATIONS = "recommendations", _("recommendations")
        PHOTO = "photo", _("photographs")
        RECORDING = "recording", _("recording")

    application = models.ForeignKey(
        "applications.Application", on_delete=models.CASCADE, related_name="consents", verbose_name=_("application")
    )
    item = models.CharField(_("item"), max_length=15, choices=Item)
    wording = models.CharField(_("version of the words"), max_length=20)
    cleared = models.BooleanField(_("given anew, with a seat"), default=False)
    paper = models.ForeignKey(  # the very version that was agreed to
        "applications.Attachment", on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("file")
    )
    given_at = models.DateTimeField(_("given"))
    withdrawn_at = models.DateTimeField(_("taken back"), null=True)

    OF_THE_PAPER = {"statement": Item.STATEMENT, "fact_sheet": Item.FACT_SHEET}  # by the kind of file

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["given_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "item"], condition=Q(withdrawn_at=None), name="one_standing_consent_per_item"
            )
        ]

    def __str__(self):
        return f"consent {self.item} of {self.application_id}"


class AttachmentQuerySet(models.QuerySet):
    def counting(self):
        """Those that count as received: being looked through or looked through, and not refused."""
        return self.filter(state__in=Attachment.COUNTS)

    def checked(self):
        """Looked through, with a cleaned copy: the only ones that anybody but the applicant may open."""
        return self.filter(state=Attachment.State.CHECKED).exclude(cleaned="")


class Attachment(models.Model):
    """One version of one file. The bytes are in private storage, encrypted; what was received is proved by its hash."""

    class Kind(models.TextChoices):
        UPR_SUBMISSION = "upr_submission", _("UPR submission")
        STATEMENT = "statement", _("statement")
        FACT_SHEET = "fact_sheet", _("fact sheet")

    class State(models.TextChoices):
        QUARANTINE = "quarantine", _("being checked")
        CHECKED = "checked", _("checked")
        REFUSED = "refused", _("refused")
        ERASED = "erased", _("erased")

    COUNTS = (State.QUARANTINE, State.CHECKED)

    class ContentType(models.TextChoices):
        PDF = "pdf", "PDF"
        DOCX = "docx", "DOCX"
        ODT = "odt", "ODT"

    application = models.ForeignKey(
        "applications.Application", on_delete=models.CASCADE, related_name="attachments", verbose_name=_("application")
    )
    kind = models.CharField(_("kind"), max_length=14, choices=Kind)
    version = models.PositiveSmallIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUARANTINE)
    original_name = vault.EncryptedTextField(_("file name"))
    stored = models.CharField(_("stored as"), max_length=64, blank=True)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    sha256 = models.CharField("SHA-256", max_length=64)
    content_type = models.CharField(_("type"), max_length=4, choices=ContentType, blank=True)
    uploaded_at = models.DateTimeField(_("received"))
    late = models.BooleanField(_("after its deadline"), default=False)
    words = models.PositiveIntegerField(_("words"), null=True)

    # In quarantine until it has been looked through and rewritten without traces of its author: see `cleaning`.
    next_look_at = models.DateTimeField(_("next look"), null=True)
    looks = models.PositiveSmallIntegerField(_("looks so far"), default=0)
    refused_because = models.CharField(_("refused because"), max_length=20, blank=True)  # a word of `refusals`
    checked_at = models.DateTimeField(_("checked"), null=True)
    cleaned = models.CharField(_("cleaned copy stored as"), max_length=64, blank=True)
    cleaned_size = models.PositiveBigIntegerField(_("size of the cleaned copy in bytes"), null=True)
    cleaned_sha256 = models.CharField(_("SHA-256 of the cleaned copy"), max_length=64, blank=True)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("file")
        verbose_name_plural = _("files")
        ordering = ["kind", "-version"]
        constraints = [models.UniqueConstraint(fields=["application", "kind", "version"], name="one_file_per_version")]
        indexes = [
            models.Index(fields=["next_look_at"], condition=Q(state="quarantine"), name="file_in_quarantine"),
        ]

    def __str__(self):
        return f"{self.kind} {self.version} of {self.application_id}"

    @property
    def received_at(self):
        """When we had it: with the e-mail, where staff entered it from one; else the moment it came in here."""
        sent_at, by_email = self.application.submitted_at, self.application.received_at
        return by_email if by_email and sent_at and self.uploaded_at <= sent_at else self.uploaded_at

    @property
    def is_waiting(self):
        return self.state == self.State.QUARANTINE

    @property
    def is_readable(self):
        """Whether there is a cleaned copy to open."""
        return self.state == self.State.CHECKED and bool(self.cleaned)

    @property
    def refusal(self):
        """Why it was refused and what to do about it, in sentences of the reader's language; [] when it was not."""
        return sentences(self.refused_because) if self.state == self.State.REFUSED else []


class NeedsQuerySet(models.QuerySet):
    def wanting_papers(self):
        """Of people who want a letter for a visa or a badge: the only ones whose passport we ask about."""
        return self.filter(Q(visa_letter=True) | Q(badge=True))


class Needs(models.Model):
    """What a speaker who has a seat needs for the day. Asked of nobody else."""

    ANSWERS = (
        "visa_letter", "passport_name", "passport_number", "nationality", "born_on", "badge", "interpretation",
        "accessibility",
    )  # fmt: skip
    PASSPORT = ("passport_name", "passport_number", "nationality", "born_on")

    application = models.OneToOneField(
        "applications.Application", on_delete=models.CASCADE, related_name="needs", verbose_name=_("application")
    )
    visa_letter = models.BooleanField(_("needs a letter for a visa"), default=False)
    passport_name = vault.EncryptedTextField(_("name as in the passport"), max_length=200, blank=True)
    passport_number = vault.EncryptedTextField(_("number of the passport"), max_length=40, blank=True)
    nationality = vault.EncryptedTextField(_("nationality"), max_length=100, blank=True)
    born_on = vault.EncryptedTextField(_("date of birth"), max_length=10, blank=True)  # YYYY-MM-DD
    badge = models.BooleanField(_("needs a badge for the Palais des Nations"), default=False)
    interpretation = vault.EncryptedTextField(_("interpretation"), max_length=500, blank=True)
    accessibility = vault.EncryptedTextField(_("accessibility"), max_length=1000, blank=True)
    saved_at = models.DateTimeField(_("saved"))

    objects = NeedsQuerySet.as_manager()

    class Meta:
        verbose_name = _("practical needs")
        verbose_name_plural = _("practical needs")

    def __str__(self):
        return f"needs of {self.application_id}"

    @property
    def wants_papers(self):
        return self.visa_letter or self.badge

    @property
    def has_passport(self):
        return all(getattr(self, name) for name in self.PASSPORT)


class Assessment(models.Model):
    """One member of staff's view of an application; the others' are hidden until one's own is saved."""

    class Grade(models.IntegerChoices):
        NOT_SHOWN = 0, _("not shown")
        LITTLE = 1, _("a little")
        WELL = 2, _("well")
        VERY_WELL = 3, _("very well")

    class Overall(models.TextChoices):
        STRONG = "strong", _("strong")
        SUITABLE = "suitable", _("suitable")
        WEAK = "weak", _("weak")

    CRITERIA = ("national_voice", "follow_up", "recommendations", "new_theme")

    application = models.ForeignKey(
        "applications.Application", on_delete=models.CASCADE, related_name="assessments", verbose_name=_("application")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assessments", verbose_name=_("by")
    )
    national_voice = models.PositiveSmallIntegerField(_("national voice"), choices=Grade, null=True, blank=True)
    follow_up = models.PositiveSmallIntegerField(
        _("follow-up to the last review"), choices=Grade, null=True, blank=True
    )
    recommendations = models.PositiveSmallIntegerField(
        _("precise recommendations"), choices=Grade, null=True, blank=True
    )
    new_theme = models.PositiveSmallIntegerField(_("theme not yet covered"), choices=Grade, null=True, blank=True)
    note = vault.EncryptedTextField(_("note"), blank=True)
    overall = models.CharField(_("overall"), max_length=8, choices=Overall, blank=True)
    abstained = models.BooleanField(
        _("abstained"), default=False, help_text=_("A conflict of interest: no view is given.")
    )
    saved_at = models.DateTimeField(_("saved"))

    class Meta:
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")
        ordering = ["saved_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["application", "by"], name="one_assessment_each")]

    def __str__(self):
        return f"assessment of {self.application_id} by {self.by_id}"
