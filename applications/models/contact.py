"""Who is told when a call opens. A sign-up counts once the address has confirmed it; leaving erases the address."""

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from applications import letters
from presessions import trail, vault
from presessions.trail.references import new_reference
from presessions.upr.models import CountryMeeting


class ContactQuerySet(models.QuerySet):
    def confirmed(self):
        """Who may be written to: they asked for it, have not left, and their address works."""
        return self.filter(confirmed_at__isnull=False, left_at=None, bounced_at=None)

    def of_address(self, email):
        return self.filter(email_index__in=vault.blind_indexes("email", email), left_at=None)

    def interested_in(self, series):
        """Those who named no State, and those who named one of this series."""
        named = Contact.states.through.objects.filter(contact=OuterRef("pk"))
        wanted = named.filter(state__in=CountryMeeting.objects.for_series(series).values("state_under_review__state"))
        return self.filter(~Exists(named) | Exists(wanted))


class Contact(models.Model):
    """An address that asked for the call. A second sign-up waits beside the confirmed one until it is confirmed too, so
    that nobody changes somebody else's wishes."""

    reference = models.CharField(_("reference"), max_length=20, unique=True, default=new_reference, editable=False)
    email = vault.EncryptedEmailField(_("e-mail address"))
    email_index = vault.BlindIndexField()
    language = models.CharField(_("language"), max_length=8, choices=settings.MAIL_LANGUAGES, default="en")
    states = models.ManyToManyField("upr.State", blank=True, related_name="+", verbose_name=_("States of interest"))
    asked_at = models.DateTimeField(_("signed up"), db_index=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    left_at = models.DateTimeField(_("left"), null=True)
    bounced_at = models.DateTimeField(_("bounced"), null=True)  # a new sign-up of the address is a new row
    source = vault.EncryptedTextField(_("where the address comes from"), max_length=300, blank=True)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("entered by")
    )

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [
            models.UniqueConstraint(
                fields=["email_index"],
                condition=Q(confirmed_at__isnull=False, left_at=None),
                name="one_confirmed_contact_per_address",
            )
        ]

    def __str__(self):
        return self.reference

    @classmethod
    def sign_up(cls, *, email, language, states, now):
        """Note the wish and mail a link that confirms it."""
        with transaction.atomic():
            contact = cls.objects.of_address(email).filter(confirmed_at=None).order_by("pk").first()
            if contact is None:
                contact = cls(asked_at=now)
            contact.email, contact.email_index = email, vault.blind_index("email", email)
            contact.language = language
            contact.save()
            contact.states.set(states)
            trail.record(contact, "asked", now=now)
            letters.ask_to_confirm(contact, now=now)
        return contact

    def confirm(self, *, now):
        """Count this sign-up, in the place of an older one of the same address. Again is no harm."""
        with transaction.atomic():
            same = Contact.objects.select_for_update().of_address(self.email).order_by("pk")
            for older in [contact for contact in same if contact.pk != self.pk and contact.confirmed_at]:
                older._forget(now, "replaced")
            if Contact.objects.filter(pk=self.pk, confirmed_at=None, left_at=None).update(confirmed_at=now):
                trail.record(self, "confirmed", now=now)
        self.refresh_from_db()

    def bounce(self, *, now):
        """Its address does not work: write there no more, until somebody signs it up again. Again is no harm."""
        with transaction.atomic():
            if Contact.objects.filter(pk=self.pk, left_at=None, bounced_at=None).update(bounced_at=now):
                trail.record(self, "bounced", now=now)
        self.refresh_from_db()

    def leave(self, *, now):
        """Take the address off the list and forget it. Again is no harm."""
        with transaction.atomic():
            self._forget(now, "left")

    def _forget(self, now, code):
        if Contact.objects.filter(pk=self.pk, left_at=None).update(left_at=now, email="", email_index=""):
            self.states.clear()
            trail.record(self, code, now=now)
        self.refresh_from_db()
