"""Who is told when a call opens. A sign-up counts once the address has confirmed it, an entry of staff at once.

Leaving erases the address, and so does a bounce: what stays is its keyed hash, so that an old list cannot bring the
person back. Only a sign-up of their own can.
"""

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from applications import letters
from presessions import trail, vault
from presessions.mail import forgetting
from presessions.retention import tombstones
from presessions.trail.references import new_reference
from presessions.trail.steps import WrongStep
from presessions.upr.models import CountryMeeting


class ContactQuerySet(models.QuerySet):
    def confirmed(self):
        """Who may be written to: they asked for it, have not left, and their address works."""
        return self.filter(confirmed_at__isnull=False, left_at=None, bounced_at=None)

    def waiting(self):
        """Signed up, and not confirmed yet."""
        return self.filter(confirmed_at=None, left_at=None, bounced_at=None)

    def gone(self):
        """Known by a hash alone: left, or bounced."""
        return self.exclude(email_index="").filter(Q(left_at__isnull=False) | Q(bounced_at__isnull=False))

    def of_address(self, email):
        """Those that hold this address, and those that held it before it left or bounced."""
        return self.filter(email_index__in=vault.blind_indexes("email", email))

    def interested_in(self, series):
        """Those who named no State, and those who named one of this series."""
        named = Contact.states.through.objects.filter(contact=OuterRef("pk"))
        wanted = named.filter(state__in=CountryMeeting.objects.for_series(series).values("state_under_review__state"))
        return self.filter(~Exists(named) | Exists(wanted))


class OnTheList(WrongStep):
    """This address is on the list already: `contact`."""

    def __init__(self, contact):
        super().__init__(gettext("This address is on the list already: %(contact)s.") % {"contact": contact})
        self.contact = contact


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
        indexes = [models.Index(fields=["-asked_at", "-id"], name="contact_newest")]

    def __str__(self):
        return self.reference

    @property
    def is_confirmed(self):
        return bool(self.confirmed_at) and not self.has_left and not self.bounced_at

    @property
    def has_left(self):
        return self.left_at is not None

    def has_nothing_to_leave(self):
        """Whether it has left, and no other sign-up of its address is there either: `leave` would change nothing."""
        return self.has_left and not self._others().exists()

    def _others(self):
        # While the keys are changed, one address may stand under two of them.
        indexes = vault.blind_indexes("email", self.email) if self.email else [self.email_index]
        same = Contact.objects.filter(email_index__in=indexes, left_at=None).exclude(email_index="")
        return same.exclude(pk=self.pk)

    @classmethod
    def sign_up(cls, *, email, language, states, now, source="", by=None):
        """Note the wish and mail a link that confirms it. source, by -- where staff note it for somebody"""
        with transaction.atomic():
            contact = cls.objects.of_address(email).waiting().order_by("pk").first()
            if contact is None:
                contact = cls()
            contact.email, contact.email_index, contact.asked_at = email, vault.blind_index("email", email), now
            contact.language, contact.source, contact.entered_by = language, source, by
            contact.save()
            contact.states.set(states)
            trail.record(contact, "asked", now=now, by=by)
            letters.ask_to_confirm(contact, now=now)
        return contact

    @classmethod
    def enter(cls, *, email, language, states, source, by, now):
        """Staff put an address on the list: it counts at once. One that has left, or that bounced, is asked by mail:
        only its owner can bring it back. Raises OnTheList."""
        known = cls.objects.of_address(email)
        with transaction.atomic():
            there = known.confirmed().first()
            if there is None and known.gone().exists():
                return cls.sign_up(email=email, language=language, states=states, source=source, by=by, now=now)
            if there is None:
                contact = cls(
                    email=email,
                    email_index=vault.blind_index("email", email),
                    language=language,
                    asked_at=now,
                    confirmed_at=now,
                    source=source,
                    entered_by=by,
                )
                try:
                    with transaction.atomic():
                        contact.save()
                except IntegrityError:  # two clicks at once: the other one entered it
                    there = known.confirmed().get()
                else:
                    contact.states.set(states)
                    trail.record(contact, "entered", now=now, by=by)
                    return contact
        raise OnTheList(there)

    def confirm(self, *, now):
        """Count this sign-up, in the place of an older one of the same address. Again is no harm."""
        with transaction.atomic():
            same = Contact.objects.select_for_update().of_address(self.email).filter(left_at=None).order_by("pk")
            for older in [one for one in same if one.pk != self.pk and (one.confirmed_at or one.bounced_at)]:
                older._end("replaced", now=now)
            if Contact.objects.waiting().filter(pk=self.pk).update(confirmed_at=now):
                trail.record(self, "confirmed", now=now)
        self.refresh_from_db()

    def bounce(self, *, now):
        """Its address does not work: forget it, until somebody signs it up again. Again is no harm."""
        with transaction.atomic():
            if Contact.objects.filter(pk=self.pk, left_at=None, bounced_at=None).update(bounced_at=now, **self.NOBODYS):
                self._forget("bounced", now)
                trail.record(self, "bounced", now=now)
        self.refresh_from_db()

    def leave(self, *, now, by=None, reason=""):
        """Take the address off the list and forget it, with every sign-up of it: the link in an old mail leads here,
        too. Again is no harm."""
        with transaction.atomic():
            for other in self._others().select_for_update().order_by("pk"):
                other._end("left", now=now)
            self._end("left", now=now, by=by, reason=reason)

    def give_up(self, *, now):
        """It was never confirmed: forget all of it. One that is confirmed this very moment stays."""
        with transaction.atomic():
            if Contact.objects.waiting().select_for_update().filter(pk=self.pk).exists():
                forgetting.forget("contact", self.reference, now=now)
                trail.record(self, "forgotten", now=now)
                self.delete()

    GONE = ("left", "bounced")  # what an older backup must be told; one that was replaced only has a newer row
    NOBODYS = {"email": "", "source": ""}  # what of a row would tell whose it was; its keyed hash stays

    def _end(self, code, *, now, by=None, reason=""):
        if Contact.objects.filter(pk=self.pk, left_at=None).update(left_at=now, **self.NOBODYS):
            self._forget(code, now)
            trail.record(self, code, now=now, by=by, reason=reason)
        self.refresh_from_db()

    def _forget(self, code, now):
        if code in self.GONE:
            tombstones.write("contact", self.reference, now, index=self.email_index, how=code)
        self.states.clear()
        forgetting.forget("contact", self.reference, now=now)
