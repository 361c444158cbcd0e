"""Institutions as staff know them, from one application to the next. Room: applications."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from presessions import vault
from presessions.trail.references import new_reference

SHORT_KIND = {"nhri": _("NHRI"), "cso": _("CSO")}


class Organisation(models.Model):
    """An institution that has applied before, as staff know it. An application keeps its own words beside it."""

    reference = models.CharField(_("reference"), max_length=20, unique=True, default=new_reference, editable=False)
    name = vault.EncryptedTextField(_("name"), max_length=300)
    name_latin = vault.EncryptedTextField(_("name in Latin letters"), max_length=300, blank=True)
    kind = models.CharField(_("kind"), max_length=4, choices=[*SHORT_KIND.items()])
    note = vault.EncryptedTextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")

    def __str__(self):
        return self.reference


class KnownName(models.Model):
    """A name under which an organisation has applied, findable without being readable: only its index is kept."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="known_names", verbose_name=_("organisation")
    )
    name_index = vault.BlindIndexField()

    class Meta:
        verbose_name = _("known name")
        verbose_name_plural = _("known names")
        constraints = [models.UniqueConstraint(fields=["name_index"], name="a_name_leads_to_one_organisation")]

    def __str__(self):
        return f"a name of {self.organisation}"
