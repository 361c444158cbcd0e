"""A file on its way in, piece by piece over a bad line, until the last one has come. Room: applications."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from applications.models.parts import Attachment
from presessions import vault


class Upload(models.Model):
    """One file that a browser sends in pieces. It knows what has come, so that a broken line goes on from there."""

    key = models.CharField(_("key"), max_length=43, unique=True, editable=False)  # random; knowing it is not enough
    application = models.ForeignKey(
        "applications.Application", on_delete=models.CASCADE, related_name="uploads", verbose_name=_("application")
    )
    kind = models.CharField(_("kind"), max_length=14, choices=Attachment.Kind)
    name = vault.EncryptedTextField(_("file name"))
    size = models.PositiveBigIntegerField(_("size in bytes"))
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)  # as the browser says; "" if it cannot tell
    received = models.PositiveBigIntegerField(_("received so far, in bytes"), default=0)
    begun_at = models.DateTimeField(_("begun"))
    touched_at = models.DateTimeField(_("last piece"), db_index=True)
    done_at = models.DateTimeField(_("kept as a file"), null=True)  # then its pieces are gone

    class Meta:
        verbose_name = _("file on its way in")
        verbose_name_plural = _("files on their way in")

    def __str__(self):
        return f"upload of {self.application_id}"


class Piece(models.Model):
    """Some bytes of it, encrypted in private storage like every file."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="pieces", verbose_name=_("upload"))
    start = models.PositiveBigIntegerField(_("first byte"))
    size = models.PositiveIntegerField(_("size in bytes"))
    stored = models.CharField(_("stored as"), max_length=64)

    class Meta:
        verbose_name = _("piece of a file")
        verbose_name_plural = _("pieces of a file")
        ordering = ["start"]
        constraints = [models.UniqueConstraint(fields=["upload", "start"], name="one_piece_per_place")]

    def __str__(self):
        return f"piece {self.start} of {self.upload_id}"
