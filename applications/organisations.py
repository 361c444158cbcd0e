"""The register of organisations: who is the same as whom, and who took part before. Room: applications; imports its
models.

Applications are put beside earlier ones when they are sent (`Organisation.of`). What is here staff decide: two of the
register are one (`merge`), or an application is of another one after all (`split`). Of people at risk nothing is told:
an organisation is masked while all that it has sent is, and what is masked is left out of what it did before.
"""

from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from applications import at_risk
from applications.models import Application, KnownName, Organisation
from presessions import trail, vault
from presessions.trail.steps import WrongStep

MOST = 20  # suggestions of one page


# --- What is known ---------------------------------------------------------------------------------------------------


def applications_of(request, organisation):
    """What it has sent, the newest first; without what is masked for whoever asks."""
    rows = Application.objects.filter(organisation=organisation).sent().with_state()
    return at_risk.seen_by(request, rows).order_by("-submitted_at", "-pk")


def visible(request, organisations):
    """Those whose names may be shown: some application of theirs is not masked, or they have none."""
    theirs = Application.objects.filter(organisation=OuterRef("pk"))
    return organisations.filter(~Exists(theirs) | Exists(at_risk.seen_by(request, theirs)))


def is_masked_for(request, organisation):
    return not visible(request, Organisation.objects.filter(pk=organisation.pk)).exists()


def took_part(request, applications):
    """{application's key: other applications of the same organisation, the newest first}; one query for all."""
    register = {one.organisation_id for one in applications if one.organisation_id}
    rows = at_risk.seen_by(request, Application.objects.filter(organisation__in=register)).sent().live().with_state()
    rows = list(rows.only(*_SHORT).order_by("-submitted_at", "-pk"))
    return {
        one.pk: [row for row in rows if row.organisation_id == one.organisation_id and row.pk != one.pk]
        for one in applications
    }


_SHORT = ("reference", "status", "organisation", "submitted_at", "state_call")  # nothing that was written is decrypted


def context(request, application):
    """For the page of one application: its organisation in the register, and what else that one has sent."""
    register = application.organisation if request.user.has_perm("applications.view_organisation") else None
    before = took_part(request, [application])[application.pk]
    return {"register": register, "before": before, "alike": suggestions(request, register) if register else []}


@dataclass
class Suggestion:
    """Another one of the register that may be the same."""

    organisation: Organisation
    same_name: bool = False
    same_address: bool = False


def suggestions(request, organisation):
    """Others that have a name of this one, or were written for from the same address."""
    names = KnownName.objects.filter(organisation=organisation).values("name_index")
    mine = at_risk.seen_by(request, Application.objects.filter(organisation=organisation)).values("email_index")
    others = visible(request, Organisation.objects.exclude(pk=organisation.pk)).annotate(
        same_name=Exists(KnownName.objects.filter(organisation=OuterRef("pk"), name_index__in=names)),
        same_address=Exists(
            at_risk.seen_by(request, Application.objects.filter(organisation=OuterRef("pk"), email_index__in=mine))
        ),
    )
    found = others.filter(Q(same_name=True) | Q(same_address=True)).order_by("pk")[:MOST]
    return [Suggestion(one, one.same_name, one.same_address) for one in found]


# --- What staff put right ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Merging:
    """What a merge would do: all of `other` goes to `kept`."""

    kept: Organisation
    other: Organisation
    moves: list = field(default_factory=list)  # applications of the other one

    @property
    def seen(self):
        """What a page showed, to compare with what there is when its button is pressed. No reference can be read in
        it: some of the applications may be masked for whoever looks."""
        references = [self.kept.reference, self.other.reference, *sorted(row.reference for row in self.moves)]
        return vault.blind_index("merging", " ".join(references))


def merging(kept, other):
    moves = Application.objects.filter(organisation=other).with_state().only(*_SHORT).order_by("-submitted_at", "-pk")
    return Merging(kept, other, list(moves))


def merge(kept, other, *, by, now, seen=None, take_names=False, reason=""):
    """Make two of the register one. Raises WrongStep when one of them is gone, or has changed since it was seen.

    seen -- the `Merging.seen` of the page that somebody looked at
    take_names -- the other one's names are the better ones
    """
    refusal = ""
    with transaction.atomic():
        rows = Organisation.objects.select_for_update().filter(pk__in=(kept.pk, other.pk)).order_by("pk")
        rows = {row.pk: row for row in rows}
        if len(rows) < 2:
            refusal = _("One of the two is gone: somebody has merged it already.")
        elif seen is not None and seen != merging(rows[kept.pk], rows[other.pk]).seen:
            refusal = _("They have changed since you saw them. Please look at them again.")
        else:
            _merge(rows[kept.pk], rows[other.pk], take_names)
        for one in (kept, other):
            trail.record(one, "merged", now=now, by=by, refused=bool(refusal), reason=reason)
    if refusal:  # outside the block: a refusal must not undo its own event
        raise WrongStep(refusal)
    kept.refresh_from_db()


def _merge(kept, other, take_names):
    indexes = other.known_names.values_list("name_index", flat=True)
    rows = [KnownName(organisation=kept, name_index=index) for index in sorted(indexes)]
    KnownName.objects.bulk_create(rows, ignore_conflicts=True)
    Application.objects.filter(organisation=other).update(organisation=kept)
    kept.learn(other.name, other.name_latin)
    if take_names:
        kept.name, kept.name_latin, kept.kind = other.name, other.name_latin, other.kind
    kept.note = "\n\n".join(filter(None, [kept.note, other.note]))
    kept.save()
    other.delete()


def split(application, *, by, now, reason=""):
    """Give an application an organisation of its own: it was put beside others that only share its name. Raises
    WrongStep where it stands alone."""
    with transaction.atomic():
        row = Application.objects.select_for_update().get(pk=application.pk)
        beside = Application.objects.filter(organisation=row.organisation_id).exclude(pk=row.pk)
        together = row.organisation_id is not None and beside.exists()
        if together:
            register = Organisation.objects.select_for_update().get(pk=row.organisation_id)
            names = {"name": row.name, "name_latin": row.name_latin}
            row.organisation = Organisation.objects.create(kind=row.kind, **names)
            row.save(update_fields=["organisation"])
            row.organisation.learn(row.name, row.name_latin)
            register.unlearn()
            application.organisation = row.organisation
            trail.record(register, "split", now=now, by=by, reason=reason)
        trail.record(application, "organisation_split", now=now, by=by, refused=not together, reason=reason)
    if not together:
        raise WrongStep(_("%(application)s has an organisation of its own already.") % {"application": application})
    return application.organisation


# --- Erasing ----------------------------------------------------------------------------------------------------------


def forget(organisation, names):
    """An application of it was erased, which had these names: without any other it is deleted; else it loses the names
    that only that one had. Within the transaction of the erasing."""
    newest = organisation.applications.order_by("at_risk", "-submitted_at", "-pk").first()  # not a masked name
    if newest is None:
        organisation.delete()
        return
    applied = {name for pair in organisation.applications.values_list("name", "name_latin") for name in pair}
    gone = set(names) - applied - {""}
    if organisation.name in gone or organisation.name_latin in gone:
        organisation.name, organisation.name_latin = newest.name, newest.name_latin
        organisation.save(update_fields=["name", "name_latin"])
    organisation.unlearn()
