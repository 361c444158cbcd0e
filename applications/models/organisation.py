"""Institutions as staff know them, from one application to the next. Room: applications.

When an application is sent it is put beside the earlier ones of the same institution, by its name; staff put right what
a name cannot tell (`applications.organisations`). Names are encrypted; an index of each finds the exact name again.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from presessions import vault
from presessions.trail.references import new_reference
from presessions.upr.names import fold

SHORT_KIND = {"nhri": _("NHRI"), "cso": _("CSO")}


def name_index(name):
    """The index of a name as people write it: without regard to case, accents, punctuation, and "the"."""
    return vault.blind_index("organisation", fold(name))


class OrganisationQuerySet(models.QuerySet):
    def known_as(self, *names):
        """Those that have applied under one of these names, or were given it by staff."""
        folded = filter(None, map(fold, names))
        indexes = [index for name in folded for index in vault.blind_indexes("organisation", name)]
        return self.filter(pk__in=KnownName.objects.filter(name_index__in=indexes).values("organisation"))


class Organisation(models.Model):
    """An institution that has applied before, as staff know it. An application keeps its own words beside it."""

    reference = models.CharField(_("reference"), max_length=20, unique=True, default=new_reference, editable=False)
    name = vault.EncryptedTextField(_("name"), max_length=300)
    name_latin = vault.EncryptedTextField(_("name in Latin letters"), max_length=300, blank=True)
    kind = models.CharField(_("kind"), max_length=4, choices=[*SHORT_KIND.items()])
    note = vault.EncryptedTextField(_("note"), blank=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")

    def __str__(self):
        return self.reference

    @classmethod
    def of(cls, application):
        """The one that an application comes from, as far as its name tells, else a new one. Many States have an
        institution of the same name: unless it is international, the State must be the same, too. Where two fit,
        nobody guesses: it is a new one, and staff see that others have its name."""
        known = cls.objects.known_as(application.name, application.name_latin).filter(kind=application.kind)
        if application.scope != "international":
            state = application.state_call.meeting.state_under_review.state_id
            here = "applications__state_call__meeting__state_under_review__state"
            known = known.filter(Q(applications=None) | Q(**{here: state}))
        found = list(cls.objects.filter(pk__in=known.values("pk"))[:2])
        if len(found) == 1:
            organisation = found[0]
        else:
            names = {"name": application.name, "name_latin": application.name_latin}
            organisation = cls.objects.create(kind=application.kind, **names)
        organisation.learn(application.name, application.name_latin)
        return organisation

    def learn(self, *names):
        """Be found under these names, too."""
        indexes = sorted({name_index(name) for name in names if fold(name)})
        rows = [KnownName(organisation=self, name_index=index) for index in indexes]
        KnownName.objects.bulk_create(rows, ignore_conflicts=True)

    def unlearn(self):
        """Be found only under its own names and those of the applications that it has now."""
        applied = [name for pair in self.applications.values_list("name", "name_latin") for name in pair]
        names = {fold(name) for name in (self.name, self.name_latin, *applied)} - {""}
        kept = [index for name in names for index in vault.blind_indexes("organisation", name)]
        self.known_names.exclude(name_index__in=kept).delete()


class KnownName(models.Model):
    """A name under which an organisation has applied, findable without being readable: only its index is kept. Two
    organisations may have the same name."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="known_names", verbose_name=_("organisation")
    )
    name_index = vault.BlindIndexField()

    class Meta:
        verbose_name = _("known name")
        verbose_name_plural = _("known names")
        constraints = [models.UniqueConstraint(fields=["organisation", "name_index"], name="one_row_per_known_name")]

    def __str__(self):
        return f"a name of {self.organisation_id}"
