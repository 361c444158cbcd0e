"""Erasing an application: every word, address and file of it, at once. Room: applications; imports mail and our models.

What stays is what can be counted and names nobody: the random reference, the State, the instants of its steps, and the
few choices in KEPT. Other applications of the same address are not touched, nor is a sign-up to the list of contacts.

Somebody asks for it (`erase`), or its time is over (`forget`, see `retention`): then what became of it stays as well,
and of one that took the floor what is published of a series as a number, so that no figure changes by forgetting.
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
from presessions.mail import forgetting, links
from presessions.retention import tombstones

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
# Of one that had a seat, everybody in the room has seen what kind of institution spoke; these stay for the figures, and
# of the rows that are deleted otherwise, these only lose their words.
KEPT_OF_SEATED = {Application: ("kind", "scope"), Speaker: ("attends",)}
EMPTIED_OF_SEATED = (Recommendation, Seat, SpeakerFeedback)

FILES = ((Attachment, "application", ("stored", "cleaned")), (Piece, "upload__application", ("stored",)))


def erase(application, *, now, by=None, reason=""):
    """Erase it. One that lives is taken back first, so that its seat is free. Again is no harm, and finishes what a
    crash or a restored backup has left.

    by, reason -- the member of staff who does it for the person, and why; the reason stays
    """
    with transaction.atomic():
        row = _locked(application)
        if not row.is_withdrawn and not row.erased_at:
            row.withdraw(now=now, by=by)
        names = _empty(row, "erased", now=now, by=by, reason=reason)
    _delete(names)
    application.refresh_from_db()


def forget(application, *, now):
    """Its time is over: as `erase`, but what was decided stays, and whatever is counted of who had a seat. Again is no
    harm."""
    with transaction.atomic():
        row = _locked(application)
        names = _empty(row, "forgotten", now=now, seated=row.holds_seat)
    _delete(names)
    application.refresh_from_db()


def _locked(application):
    return Application.objects.select_for_update(of=("self",)).with_state().get(pk=application.pk)


def _empty(row, code, *, now, by=None, reason="", seated=False):
    """Everything that belongs to it; returns the names of its files."""
    names, register = _files(row), row.organisation
    # While the keys are changed, one address may stand under two of them.
    indexes = {*(vault.blind_indexes("email", row.email) if row.email else ()), row.email_index}
    called = (row.name, row.name_latin)
    if row.erased_at is None:
        facts = _emptied(Application, seated) | {"erased_at": now}
        if seated and register:
            _count_as_one(row, register)
        row.step((row.status,), code, now=now, by=by, reason=reason, also=lambda: _rest(row, now, seated), **facts)
    else:
        Application.objects.filter(pk=row.pk).update(**_emptied(Application, seated))
        _rest(row, now, seated)
    if register:
        organisations.forget(register, called)
    if not Application.objects.filter(email_index__in=indexes).exists():
        for index in sorted(indexes):  # who asked for a lost link when nothing lived any more
            forgetting.forget(*letters.visitor(index), now=now)
    tombstones.write("application", row.reference, now, how=code)
    return names


def _delete(names):
    """Only now is it certain; what a crash leaves here is unreadable without its row, and swept up within a day."""
    for name in names:
        vault.storage.delete(name)


def _emptied(model, seated):
    """{column: what stands in it afterwards}"""
    kept = KEPT_OF_SEATED.get(model, ()) if seated else ()
    facts = vault.emptied(model) | CLEARED.get(model, {})
    return {name: value for name, value in facts.items() if name not in kept}


def _count_as_one(application, register):
    """The others of its organisation in this series that had a seat as well point to it from now on: they are one
    institution in the figures, and nobody can say any more which."""
    if application.same_as_id is None:
        same = Application.objects.filter(organisation=register, status__in=Application.HOLDS_SEAT, same_as=None)
        same = same.filter(state_call__call=application.state_call.call_id).exclude(pk=application.pk)
        same.update(same_as=application)


def _files(application):
    """The names in private storage of everything that was ever sent with it. The rows stay locked, so that a copy that
    is being cleaned this very moment is either named here or thrown away by its own worker."""
    found = []
    for model, path, columns in FILES:
        rows = model.objects.filter(**{path: application}).select_for_update(of=("self",)).order_by("pk")
        for names in rows.values_list(*columns):
            found += filter(None, names)
    return found


def _rest(application, now, seated):
    """What belongs to it and stands elsewhere."""
    deleted = [model for model in DELETED if not (seated and model in EMPTIED_OF_SEATED)]
    for relation in Application._meta.related_objects:
        model, rows = relation.related_model, {relation.field.name: application}
        if model in deleted:
            model.objects.filter(**rows).delete()
        elif model is not Application and (facts := _emptied(model, seated)):
            model.objects.filter(**rows).update(**facts)
    trail.forget_reasons(Application._meta.label_lower, [application.reference], but=("erased",))
    links.revoke("application", application.reference, now)
    forgetting.forget("application", application.reference, now=now)
