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


def shown(meeting, content, known=None):
    """The Shown lines of a published agenda, on the clock of the meeting as it is planned now. Costs four queries.

    known -- {reference: Application} where somebody has them already, with their speakers, consents and attachments
    """
    known = _named_in(content) if known is None else known
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
    may_say = cleared(application)
    name = application.name_latin or application.name
    person = application.speaker.full_name if Item.NAME in may_say and application.speaker else ""
    if Item.ORGANISATION in may_say and name:
        return Shown(line, name, person, is_name=True)
    return Shown(line, generic(application), person)


def cleared(application):
    """The items of an application that may be shown to those outside now; none of people at risk, whatever they have
    agreed to."""
    return set() if application.at_risk else application.cleared_items()


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
