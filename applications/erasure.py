"""Erasing an application: every word, address and file of it, at once. Room: applications; imports mail and our models.

What stays is what can be counted and names nobody: the random reference, the State, the instants of its steps, and the
few choices in KEPT. Other applications of the same address are not touched, nor is a sign-up to the list of contacts.
"""

from django.db import transaction

from applications import letters, organisations
from applications.models import (
    Application,
    Assessment,
    Attachment,
    InformationRequest,
    Needs,
    Recommendation,
    Seat,
    Speaker,
    SpeakerFeedback,
    Upload,
)
from applications.models.uploads import Piece
from presessions import trail, vault
from presessions.mail import links
from presessions.mail.forgetting import forget

# Choices that stay, for the figures that UPR Info publishes: which themes, how many women. The kind of institution does
# not: most States have one NHRI, so that kind and State would name it; and were only that of others kept, its absence.
KEPT = {Application: ("language", "themes"), Speaker: ("role", "gender")}

# Rows that say nothing once their words are gone.
DELETED = (Recommendation, Needs, Assessment, InformationRequest, Upload, Seat, SpeakerFeedback)

# What is not encrypted and may still tell who it was; all that is encrypted goes by itself.
CLEARED = {
    Application: {
        "kind": "",
        "scope": "",
        "organisation": None,
        "ganhri_status": "",
        "ganhri_status_on": None,
        "founded_year": None,
        "ecosoc_status": "",
        "is_coalition": None,
        "submission_kind": "",
        "prepared": "",
        "at_risk": False,  # nothing is left to be masked
        "entered_by": None,
    },
    Speaker: {"spoken_english": "", "attends": "", "under_18": False, "guardian_agrees": False},
    Attachment: {
        "state": Attachment.State.ERASED,
        "stored": "",
        "size": 0,
        "sha256": "",  # whoever has the file could prove by it who sent it
        "content_type": "",
        "words": None,
        "next_look_at": None,
        "refused_because": "",
        "cleaned": "",
        "cleaned_size": None,
        "cleaned_sha256": "",
    },
}
FILES = ((Attachment, "application", ("stored", "cleaned")), (Piece, "upload__application", ("stored",)))


def erase(application, *, now, by=None, reason=""):
    """Erase it. One that lives is taken back first, so that its seat is free. Again is no harm, and finishes what a
    crash or a restored backup has left.

    by, reason -- the member of staff who does it for the person, and why; the reason stays
    """
    with transaction.atomic():
        row = Application.objects.select_for_update(of=("self",)).with_state().get(pk=application.pk)
        if not row.is_withdrawn:
            row.withdraw(now=now, by=by)
        names, register, index = _files(row), row.organisation, row.email_index
        called = (row.name, row.name_latin)
        if row.erased_at is None:
            facts = vault.emptied(Application) | CLEARED[Application] | {"erased_at": now}
            row.step((row.Status.WITHDRAWN,), "erased", now=now, by=by, reason=reason, also=lambda: _rest(row, now),
                     **facts)  # fmt: skip
        else:
            Application.objects.filter(pk=row.pk).update(**vault.emptied(Application), **CLEARED[Application])
            _rest(row, now)
        if register:
            organisations.forget(register, called)
        if not Application.objects.filter(email_index=index).exists():
            forget(*letters.visitor(index), now=now)  # who asked for a lost link when nothing lived any more
    # Only now is it certain; what a crash leaves here is unreadable without its row, and swept up within a day.
    for name in names:
        vault.storage.delete(name)
    application.refresh_from_db()


def _files(application):
    """The names in private storage of everything that was ever sent with it. The rows stay locked, so that a copy that
    is being cleaned this very moment is either named here or thrown away by its own worker."""
    found = []
    for model, path, columns in FILES:
        rows = model.objects.filter(**{path: application}).select_for_update(of=("self",)).order_by("pk")
        for names in rows.values_list(*columns):
            found += filter(None, names)
    return found


def _rest(application, now):
    """What belongs to it and stands elsewhere."""
    for relation in Application._meta.related_objects:
        model, rows = relation.related_model, {relation.field.name: application}
        if model in DELETED:
            model.objects.filter(**rows).delete()
        elif facts := vault.emptied(model) | CLEARED.get(model, {}):
            model.objects.filter(**rows).update(**facts)
    trail.forget_reasons(Application._meta.label_lower, [application.reference], but=("erased",))
    links.revoke("application", application.reference, now)
    forget("application", application.reference, now=now)
