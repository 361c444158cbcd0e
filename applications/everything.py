"""Everything we hold of one application, for the person it belongs to: a ZIP with a page to read, the same as JSON, and
the files as they were sent. Room: applications.

It streams (see `archive`): nothing of it is ever written to a disk in plain. Rows are read field by field, so that what
a form asks one day is in it by itself; what is left out is named here. What staff think of an application is theirs.
"""

import json

from django.conf import settings
from django.db import models
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from applications import archive
from applications.events import EVENTS
from applications.models import (
    Application,
    Attachment,
    Consent,
    InformationRequest,
    Needs,
    Recommendation,
    Speaker,
    SpeakerFeedback,
    Upload,
)
from presessions import vault
from presessions.mail.models import Letter
from presessions.trail.models import Event
from presessions.upr import dates

# Fields that say nothing of the person, or belong to staff. Keys, links to other rows and indexes go by themselves.
LEFT_OUT = {
    Application: ("prepared", "prepared_at"),
    Attachment: ("stored", "cleaned", "cleaned_size", "cleaned_sha256", "next_look_at", "looks", "refused_because"),
    Upload: ("key",),
}
UNTIL = ("confirm_by", "late_until", "until")  # first instants too late, which people call by their last minute
STAFF_ONLY = ("prepared_", "assessed", "abstained")  # what such events tell is not decided before it is released
HANDED_OUT = (Attachment.State.CHECKED,)  # what may be harmful is not handed out again, by nobody and to nobody
PARTS = (
    ("speakers", gettext_lazy("Who would speak"), Speaker),
    ("recommendations", gettext_lazy("Recommendations"), Recommendation),
    ("consents", gettext_lazy("What may be published"), Consent),
    ("needs", gettext_lazy("What the speaker needs"), Needs),
    ("requests", gettext_lazy("What we asked for"), InformationRequest),
    ("attachments", gettext_lazy("Files"), Attachment),
    ("feedback", gettext_lazy("What you told us afterwards"), SpeakerFeedback),
    ("uploads", gettext_lazy("Files on their way in"), Upload),
)


def response(application, *, now):
    """The ZIP as an answer to a browser."""
    return archive.response(pieces(application, now=now), f"presessions-{application.reference}.zip")


# --- What is in it ---------------------------------------------------------------------------------------------------


def gathered(application, *, now):
    """All but the bytes of files: {name: value} for machines, in which each value is text, number, list or dict."""
    call = application.state_call
    found = {
        "reference": application.reference,
        "state": call.state.name,
        "series": str(call.series),
        "made_at": now.isoformat(),
        "application": _facts(application) | {"themes": [theme.name for theme in application.themes.all()]},
    }
    for part, _title, model in PARTS:
        rows = model.objects.filter(application=application)
        found[part] = [_facts(row) | _of_file(row) for row in rows.order_by("pk")]
    found["events"] = list(_events(application))
    found["letters"] = list(_letters(application))
    return found


def _facts(row):
    return {field.name: _plain(row, field) for field in _told(type(row))}


def _told(model):
    """The fields of a model that belong to the person."""
    hidden = (models.AutoField, models.ForeignObject, vault.BlindIndexField)
    left_out = LEFT_OUT.get(model, ())
    return [f for f in model._meta.concrete_fields if not isinstance(f, hidden) and f.name not in left_out]


def _plain(row, field):
    value = getattr(row, field.name)
    if field.choices:
        return value and {"value": value, "words": str(getattr(row, f"get_{field.name}_display")())}
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value


def _of_file(row):
    return {"in_this_archive": _name(row)} if isinstance(row, Attachment) and row.state in HANDED_OUT else {}


def _name(attachment):
    kind = attachment.kind.removeprefix("upr_").replace("_", "-")
    return f"files/{kind}-{attachment.version}.{attachment.content_type}"


def _events(application):
    for event in Event.objects.about(application).select_related("reason"):
        if not event.code.startswith(STAFF_ONLY):
            reason = None if event.staff_id else getattr(event, "reason", None)  # the person's own words, not staff's
            yield {
                "at": event.at.isoformat(),
                "code": event.code,
                "words": str(EVENTS.get(event.code, event.code)),
                "by": str(settings.ORGANISATION) if event.staff_id else "",
                "reason": reason.text if reason else "",
                "refused": event.refused,
            }


def _letters(application):
    letters = Letter.objects.filter(recipient_kind="application", recipient_id=application.reference)
    for letter in letters.only("kind", "created_at", "sent_at", "state", "subject", "kept", "to").order_by("pk"):
        yield {
            "kind": letter.label,
            "to": letter.to,
            "written_at": letter.created_at.isoformat(),
            "sent_at": letter.sent_at and letter.sent_at.isoformat(),
            "state": {"value": letter.state, "words": letter.get_state_display()},
            "subject": letter.subject,
            "text": letter.kept,
        }


# --- As a page -------------------------------------------------------------------------------------------------------


def page(application, found):
    """The same for people: headings, and (label, words) below each."""
    parts = [(_("The application"), [_rows(application, found["application"])])]
    for part, title, model in PARTS:
        if found[part]:
            parts.append((str(title), [_rows(model(), facts) for facts in found[part]]))
    context = {
        "application": application,
        "found": found,
        "parts": parts,
        "made_at": dates.in_words(_instant(found["made_at"])),
        "events": [event | {"at": dates.in_words(_instant(event["at"]))} for event in found["events"]],
        "letters": [letter | {"at": _moment(letter["sent_at"])} for letter in found["letters"]],
    }
    return render_to_string("applications/everything_inside.html", context)


def _rows(row, facts):
    labels = {field.name: str(field.verbose_name) for field in row._meta.concrete_fields}
    labels |= {"themes": _("themes"), "in_this_archive": _("in this archive")}
    return [(labels[name], _words(row, name, value)) for name, value in facts.items() if value not in ("", None, [])]


def _words(row, name, value):
    if isinstance(value, dict):
        return value["words"]
    if isinstance(value, bool):
        return _("Yes") if value else pgettext("answer to a question", "No")
    if isinstance(value, list):
        return ", ".join(value)
    if name.endswith("_at"):
        return _moment(value)
    if name in UNTIL:
        return dates.last_minute_words(_instant(value))
    return value


def _moment(value):
    return dates.in_words(_instant(value)) if value else ""


def _instant(value):
    return models.DateTimeField().to_python(value)


# --- As a stream -----------------------------------------------------------------------------------------------------


def pieces(application, *, now):
    """The archive, piece by piece, in the language of now. What it tells is read before the first piece leaves."""
    found = gathered(application, now=now)
    texts = {
        "everything.html": page(application, found),
        "everything.json": json.dumps(found, ensure_ascii=False, indent=2),
    }
    files = Attachment.objects.filter(application=application, state__in=HANDED_OUT).order_by("kind", "version")
    return archive.pieces(texts, [(_name(file), file.stored) for file in files], now=now)
