"""Staff of UPR Info, and what they prove themselves with. Applicants and missions have no account. Room: accounts,
basement; imports the vault and the trail.

A member of staff has a password and a second factor: an app on a phone (`Authenticator`), and ten codes on paper for
the day the phone is lost (`RecoveryCode`). How they are used: second_factor.py; how often one may try: tries.py.
"""

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device, DeviceManager

from presessions import trail, vault


class UserManager(BaseUserManager):
    def create_user(self, email, password=None, **facts):
        user = self.model(email=self.normalize_email(email), **facts)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email, password=None, **facts):
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **facts})

    def get_by_natural_key(self, email):
        return self.get(email__iexact=email)


class User(AbstractBaseUser, PermissionsMixin):
    """A member of staff, known by e-mail address."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("full name"), max_length=150)
    language = models.CharField(_("language"), max_length=5, choices=settings.STAFF_LANGUAGES, default="en")
    is_staff = models.BooleanField(_("may use the staff desk"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    joined_at = models.DateTimeField(_("joined"), auto_now_add=True)
    # Each browser that is logged in carries this number in its session; another number ends them all.
    log_outs = models.PositiveIntegerField(_("how often all browsers were logged out"), default=0, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = _("member of staff")
        verbose_name_plural = _("staff")
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique_without_case")]

    def __str__(self):
        return self.name or self.email

    def get_full_name(self):
        return self.name

    def get_short_name(self):
        return self.name

    def get_session_auth_hash(self):
        return f"{super().get_session_auth_hash()}.{self.log_outs}"

    def get_session_auth_fallback_hash(self):
        return (f"{known}.{self.log_outs}" for known in super().get_session_auth_fallback_hash())

    def log_out_everywhere(self, *, by, now, reason=""):
        """End every session of this person, in whatever browser it is open."""
        with transaction.atomic():
            User.objects.filter(pk=self.pk).update(log_outs=models.F("log_outs") + 1)
            trail.record(self, "logged_out_everywhere", now=now, by=by, reason=reason)
        self.refresh_from_db(fields=["log_outs"])

    NOBODY = "@former.invalid"  # the end of the address that stands where one was forgotten

    def forget(self, *, now):
        """Who it was, and every way in. The row stays: others point to it, and the trail knows its number. Raises
        ValueError for one that is active."""
        if self.is_active:
            raise ValueError("Only who is inactive is forgotten.")
        with transaction.atomic():
            self.authenticator_set.all().delete()
            self.recovery_codes.all().delete()
            self.groups.clear()
            self.user_permissions.clear()
            self.name, self.email = f"#{self.pk}", f"{self.pk}{self.NOBODY}"
            self.is_staff = self.is_superuser = False
            self.set_unusable_password()
            self.save()
            trail.forget_reasons(self._meta.label_lower, [str(self.pk)])
            trail.record(self, "forgotten", now=now)


class Role(Group):
    """A group, under the name that staff know it by. What each may do: presessions/roles.py."""

    class Meta:
        proxy = True
        verbose_name = _("role")
        verbose_name_plural = _("roles")


class AuthenticatorManager(DeviceManager):
    """Each request asks for the phone it was opened with; the key is only read to compare a code."""

    def get_queryset(self):
        return super().get_queryset().defer("key")


class Authenticator(Device):
    """The app on a person's phone that shows a new code every 30 seconds (RFC 6238). One is confirmed; another may be
    on its way, until its first code has been typed."""

    key = vault.EncryptedTextField(_("key"), max_length=64)  # base 32, as one types it into the app
    last_step = models.BigIntegerField(_("last code used"), default=-1)  # a code counts once
    made_at = models.DateTimeField(_("made"))

    objects = AuthenticatorManager()

    class Meta:
        verbose_name = _("authenticator app")
        verbose_name_plural = _("authenticator apps")
        constraints = [
            models.UniqueConstraint(fields=["user", "confirmed"], name="one_authenticator_and_one_on_its_way")
        ]

    def __str__(self):
        return f"authenticator of {self.user_id}"


class RecoveryCode(models.Model):
    """A code on paper that stands in for the phone, once. Only its keyed hash is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes", verbose_name=_("member of staff"))
    code_index = vault.BlindIndexField(_("code"))
    used_at = models.DateTimeField(_("used"), null=True)

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")

    def __str__(self):
        return f"recovery code of {self.user_id}"


class Try(models.Model):
    """Somebody tried to get in. Who was tried and from where stand as keyed hashes; what was typed stands nowhere."""

    door = models.CharField(max_length=10)  # "password", "code" or "reset"
    who = vault.BlindIndexField(db_index=False)
    where = vault.BlindIndexField(db_index=False)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("try to log in")
        verbose_name_plural = _("tries to log in")
        indexes = [
            models.Index(fields=["who", "door", "at"], name="tries_of_one"),
            models.Index(fields=["at"], name="tries_by_age"),
        ]

    def __str__(self):
        return f"try {self.pk}"
