"""Texts that staff wrote for one series, in the place of the file that every series starts with. Room: mail."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SeriesText(models.Model):
    """Subject and body of one kind of mail for one series in one language, as a template."""

    series = models.ForeignKey(
        "upr.Series", on_delete=models.PROTECT, related_name="mail_texts", verbose_name=_("series")
    )
    kind = models.CharField(_("kind"), max_length=40)
    language = models.CharField(_("language"), max_length=8)
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"))
    changed_at = models.DateTimeField(_("changed"))
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("changed by")
    )

    class Meta:
        verbose_name = _("text of a series")
        verbose_name_plural = _("texts of series")
        constraints = [models.UniqueConstraint(fields=["series", "kind", "language"], name="one_text_per_language")]

    def __str__(self):
        return f"{self.kind}, {self.series}, {self.language}"
