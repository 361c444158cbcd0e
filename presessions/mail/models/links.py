"""Personal links and their visits. Room: mail. Only the hash of a token is kept."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from presessions.mail.models.letters import Letter


class PersonalLink(models.Model):
    """A door that one letter opens. Only the hash of its token is kept."""

    purpose = models.CharField(_("purpose"), max_length=40)
    target_id = models.CharField(_("opens"), max_length=64)
    token_hash = models.BinaryField(_("hash"), max_length=32, unique=True)
    letter = models.ForeignKey(
        Letter, on_delete=models.PROTECT, null=True, related_name="links", verbose_name=_("letter")
    )
    made_at = models.DateTimeField(_("made"))
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    opens = None  # the row behind it, where whoever said when it expires has looked it up

    class Meta:
        verbose_name = _("personal link")
        verbose_name_plural = _("personal links")
        indexes = [models.Index(fields=["purpose", "target_id"], name="link_target")]

    def __str__(self):
        return f"{self.purpose} {self.pk}"


class LinkVisit(models.Model):
    """A page was fetched by a personal link. That may have been a mail filter, and is never taken for an answer."""

    link = models.ForeignKey(PersonalLink, on_delete=models.CASCADE, related_name="visits", verbose_name=_("link"))
    at = models.DateTimeField(_("when"))
    method = models.CharField(_("method"), max_length=8)
    maybe_filter = models.BooleanField(_("may be a mail filter"))

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")

    def __str__(self):
        return f"{self.method} of link {self.link_id}"
