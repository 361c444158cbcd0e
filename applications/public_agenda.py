"""What everybody may read of a published agenda. Room: applications; imports `agenda`.

Names are looked up whenever somebody reads it, so that leave taken back is gone at once; until it is given, and of
people at risk always, an agenda says "a national CSO".
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from applications.agenda import FLOOR, OPENING, QUESTIONS, SPEAKER, Line, lines
from applications.models import Application, Consent

Item = Consent.Item


@dataclass(frozen=True)
class Shown:
    """A Line as everybody may read it: `title` is what speaks, `person` who, where that may be said."""

    line: Line
    title: str
    person: str = ""
    is_name: bool = False


def shown(meeting, content):
    """The Shown lines of a published agenda, on the clock of the meeting as it is planned now. Costs four queries."""
    known = _named_in(content)
    return [_shown(line, known.get(line.reference)) for line in lines(content, meeting.starts_at)]


def _named_in(content):
    references = [part["reference"] for part in content["items"] if "reference" in part]
    found = Application.objects.filter(reference__in=references)
    return {one.reference: one for one in found.prefetch_related("speakers", "consents", "attachments")}


def _shown(line, application):
    if line.what != SPEAKER:
        return Shown(line, PARTS[line.what]())
    if application is None or not application.holds_seat:
        return Shown(line, _("A speaker to be announced"))
    may_say = set() if application.at_risk else application.cleared_items()
    name = application.name_latin or application.name
    person = application.speaker.full_name if Item.NAME in may_say and application.speaker else ""
    if Item.ORGANISATION in may_say and name:
        return Shown(line, name, person, is_name=True)
    return Shown(line, generic(application), person)


PARTS = {
    OPENING: lambda: _("Opening by the moderator"),
    FLOOR: lambda: _("The State under Review"),
    QUESTIONS: lambda: _("Questions and answers"),
}


def generic(application):
    """An institution that is not to be named, at the head of a line."""
    if application.kind == Application.Kind.NHRI:
        return _("A national human rights institution")
    if application.scope == Application.Scope.INTERNATIONAL:
        return _("An international CSO")
    return _("A national CSO") if application.kind else _("A speaker")
