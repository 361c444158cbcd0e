"""Which Permanent Missions there are, and where each is written to. Addresses stand encrypted."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from presessions import vault
from presessions.trail.references import new_reference
from presessions.upr.models import State
from presessions.upr.names import LANGUAGES, fold


class PermanentMissionQuerySet(models.QuerySet):
    def with_state(self):
        return self.select_related("state")

    def reachable(self, day):
        """With at least one address that letters may go to on that day."""
        return self.filter(models.Exists(MissionAddress.objects.valid(day).filter(mission=models.OuterRef("pk"))))

    def not_reachable(self, day):
        return self.exclude(pk__in=self.reachable(day))

    def not_invited_to(self, series):
        return self.exclude(invitations__series=series)

    def named_like(self, text):
        """Those whose name in any language holds the text, whatever its accents; or whose code it is."""
        wanted = fold(text)
        return self.filter(
            Q(search_key__contains=wanted) | Q(state__search_key__contains=wanted) | Q(code__iexact=text.strip())
        )

    def found_by(self, words):
        """What somebody types into a search: a whole e-mail address, or else a name or a code."""
        return self.with_email(words) if "@" in words else self.named_like(words)

    def with_email(self, address):
        """Those with exactly this address, found by its blind index."""
        return self.filter(addresses__email_index__in=vault.blind_indexes("email", address)).distinct()


class PermanentMission(models.Model):
    """The mission to the United Nations in Geneva of a State, or of an observer who is invited as States are."""

    class Kind(models.TextChoices):
        STATE = "state", _("State")
        OBSERVER = "observer", _("observer")

    class InGeneva(models.TextChoices):
        YES = "yes", _("yes")
        NO = "no", _("no mission in Geneva")
        UNKNOWN = "unknown", _("not known")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.STATE)
    code = models.CharField(
        _("code"), max_length=2, unique=True, help_text=_("The State’s ISO code, or the observer’s: VA, PS, EU.")
    )
    state = models.OneToOneField(
        State,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="permanent_mission",
        verbose_name=_("State"),
    )
    name_en = models.CharField(_("name in English"), max_length=120, blank=True)
    name_fr = models.CharField(_("name in French"), max_length=120, blank=True)
    name_es = models.CharField(_("name in Spanish"), max_length=120, blank=True)
    name_ar = models.CharField(_("name in Arabic"), max_length=120, blank=True)
    name_zh = models.CharField(_("name in Chinese"), max_length=120, blank=True)
    name_ru = models.CharField(_("name in Russian"), max_length=120, blank=True)
    sort_key = models.CharField(_("English name, folded"), max_length=120, editable=False, db_index=True)
    search_key = models.TextField(_("all names, folded"), editable=False)

    in_geneva = models.CharField(_("in Geneva"), max_length=8, choices=InGeneva, default=InGeneva.UNKNOWN)
    source = models.CharField(_("source"), max_length=300, blank=True, help_text=_("Who says so."))
    as_of = models.CharField(_("as of"), max_length=10, blank=True, help_text=_("A year, or a date like 2026-03-02."))

    language = models.CharField(
        _("language of letters"), max_length=5, choices=settings.MAIL_LANGUAGES, default=settings.LANGUAGE_CODE
    )
    address_form_en = models.CharField(_("form of address in English"), max_length=200, blank=True)
    address_form_fr = models.CharField(_("form of address in French"), max_length=200, blank=True)
    address_form_es = models.CharField(_("form of address in Spanish"), max_length=200, blank=True)
    address_form_ar = models.CharField(_("form of address in Arabic"), max_length=200, blank=True)
    address_form_zh = models.CharField(_("form of address in Chinese"), max_length=200, blank=True)
    address_form_ru = models.CharField(_("form of address in Russian"), max_length=200, blank=True)

    checked_at = models.DateTimeField(_("checked by the mission"), null=True, blank=True, editable=False)

    loaded = models.JSONField(default=dict, editable=False)  # what load_missions last wrote; differs: staff changed it

    objects = PermanentMissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("Permanent Mission")
        verbose_name_plural = _("Permanent Missions")
        ordering = ["sort_key"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="state", state__isnull=False, code=F("state"))
                | Q(kind="observer", state__isnull=True),
                name="mission_of_a_state_or_an_observer",
            ),
        ]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        self.sort_key = fold(self.name_in("en"))
        self.search_key = " | ".join(fold(self.name_in(language)) for language in LANGUAGES)
        super().save(*args, **kwargs)

    @property
    def reference(self):
        """What the trail calls it."""
        return self.code

    @property
    def name(self):
        """The State's or the observer's name in the active language."""
        return self.name_in(get_language() or "en")

    def name_in(self, language):
        if self.state:
            return self.state.name_in(language)
        return getattr(self, f"name_{language[:2]}", "") or self.name_en

    def is_as_loaded(self):
        """Whether it still says what load_missions wrote; one that staff added or changed does not."""
        return bool(self.loaded) and self.loaded == {name: getattr(self, name) for name in self.loaded}

    @property
    def form_of_address(self):
        """The first line of a letter in the active language; empty where the usual one is meant."""
        return getattr(self, f"address_form_{(get_language() or 'en')[:2]}", "")


class MissionAddressQuerySet(models.QuerySet):
    def valid(self, day):
        """Those that letters may go to on that day, as is_valid_on says."""
        begun = Q(valid_from=None) | Q(valid_from__lte=day)
        not_ended = Q(valid_until=None) | Q(valid_until__gte=day)
        return self.filter(begun, not_ended, bounced_at=None)

    def with_email(self, address):
        return self.filter(email_index__in=vault.blind_indexes("email", address))


class MissionAddress(models.Model):
    """Where a mission is written to. Letters go to the first valid one; the next takes over when it bounces."""

    class Role(models.TextChoices):
        MISSION = "mission", _("the mission’s mailbox")
        AMBASSADOR = "ambassador", _("Permanent Representative")
        HUMAN_RIGHTS = "human_rights", _("human rights officer")
        OTHER = "other", _("other")

    mission = models.ForeignKey(
        PermanentMission, on_delete=models.CASCADE, related_name="addresses", verbose_name=_("Permanent Mission")
    )
    position = models.PositiveSmallIntegerField(_("order"), default=1, help_text=_("Letters go to the first."))
    role = models.CharField(_("whose"), max_length=12, choices=Role, default=Role.MISSION)
    email = vault.EncryptedEmailField(_("e-mail address"), max_length=254)
    email_index = vault.BlindIndexField()
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True, help_text=_("This day included."))
    bounced_at = models.DateTimeField(_("bounced"), null=True, blank=True, help_text=_("Empty it once it works again."))

    objects = MissionAddressQuerySet.as_manager()

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["mission", "email_index"], name="address_once_per_mission"),
        ]

    def __str__(self):
        return f"{self.get_role_display()} {self.position}"

    def save(self, *args, **kwargs):
        self.email_index = vault.blind_index("email", self.email)
        super().save(*args, **kwargs)

    def is_valid_on(self, day):
        """As `valid` says, of one that was fetched already."""
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_until is None or self.valid_until >= day) and self.bounced_at is None


class RegisterCheck(models.Model):
    """The yearly question to a mission: do you still read these addresses? What it answers waits for staff, who take it
    over or leave it: whoever holds a link must not be able to turn a mission's mail elsewhere."""

    class Status(models.TextChoices):
        ASKED = "asked", _("asked")
        SAME = "same", _("all as it was")
        CHANGES = "changes", _("asks for changes")
        TAKEN_OVER = "taken_over", _("changes taken over")
        LEFT = "left", _("changes not taken over")

    reference = models.CharField(_("reference"), max_length=12, unique=True, default=new_reference, editable=False)
    mission = models.ForeignKey(
        PermanentMission, on_delete=models.CASCADE, related_name="checks", verbose_name=_("Permanent Mission")
    )
    year = models.PositiveSmallIntegerField(_("year"))
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.ASKED)
    asked_at = models.DateTimeField(_("asked"))
    answered_at = models.DateTimeField(_("answered"), null=True)
    answer = vault.EncryptedTextField(_("answer"), blank=True)  # JSON, see missions.checking
    settled_at = models.DateTimeField(_("settled"), null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("settled by")
    )

    class Meta:
        verbose_name = _("check of the register")
        verbose_name_plural = _("checks of the register")
        ordering = ["-asked_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["mission", "year"], name="one_check_per_mission_and_year")]

    def __str__(self):
        return self.reference
