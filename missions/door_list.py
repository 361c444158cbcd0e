"""What the page at the door shows: every mission of the register, what it said and who is there; what was asked, and of
whom. Room: missions; reads, never writes.

A phone keeps this page, so nobody is named in it who is not named in public: no delegate, and of the panel only what
the published agenda says. Queries do not grow with missions.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from applications import added, agenda, public_agenda
from missions.models import Delegate, DoorNote, FloorQuestion, PermanentMission, Reply
from presessions.upr.names import fold


@dataclass(frozen=True)
class Line:
    """One mission at one meeting. announced -- how many people it has named; wants_floor -- as it answered"""

    mission: Any
    answer: str
    announced: int
    people: int
    spoke: bool
    is_own: bool
    wants_floor: bool

    @property
    def is_expected(self):
        return self.answer in Reply.COMES

    @property
    def answer_words(self):
        return Reply.Answer(self.answer).label if self.answer else ""

    @property
    def fewer(self):
        return max(self.people - 1, 0)

    @property
    def more(self):
        return self.people + 1

    @property
    def sought(self):
        """What it is found by: its name in the languages of the desk, and its code."""
        names = {fold(self.mission.name_in(language)) for language in ("en", "fr")}
        return " | ".join([*sorted(names), self.mission.code.lower()])


@dataclass(frozen=True)
class DoorList:
    own: Line | None
    expected: list[Line]
    others: list[Line]

    @property
    def lines(self):
        return [*([self.own] if self.own else []), *self.expected, *self.others]

    @property
    def there(self):
        return [line for line in self.lines if line.people]

    @property
    def missions(self):
        return len(self.there)

    @property
    def people(self):
        return sum(line.people for line in self.lines)


def of(meeting):
    """The DoorList of a meeting: its own State first, then who said that it comes, then everybody else by name."""
    notes = {note.mission_id: note for note in DoorNote.objects.filter(meeting=meeting).current()}
    replies = Reply.objects.filter(meeting=meeting).values_list("invitation__mission", "answer", "wants_floor")
    said = {mission: (answer, wants_floor) for mission, answer, wants_floor in replies}
    people = Delegate.objects.filter(Q(meeting=meeting) | Q(meeting=None), invitation__series=meeting.series)
    announced = dict(people.order_by().values_list("invitation__mission").annotate(Count("pk")))
    own, expected, others = None, [], []
    for mission in sorted(PermanentMission.objects.with_state(), key=lambda one: fold(one.name)):
        answer, wants_floor = said.get(mission.pk, ("", False))
        note = notes.get(mission.pk)
        line = Line(
            mission, answer, announced.get(mission.pk, 0) if answer in Reply.COMES else 0, note.people if note else 0,
            bool(note and note.spoke), mission.state_id == meeting.state.pk, wants_floor,
        )  # fmt: skip
        if line.is_own:
            own = line
        else:
            (expected if line.is_expected else others).append(line)
    return DoorList(own, expected, others)


def as_noted(meeting):
    """{key of a mission: [people, took the floor]}, for the script."""
    rows = DoorNote.objects.filter(meeting=meeting).current().values_list("mission", "people", "spoke")
    return {str(mission): [people, spoke] for mission, people, spoke in rows}


def totals(meetings):
    """{key of a meeting: (missions, people)} that came, in one query."""
    found = {}
    for meeting, people in DoorNote.objects.came(meetings).values_list("meeting", "people"):
        missions, before = found.get(meeting, (0, 0))
        found[meeting] = (missions + 1, before + people)
    return found


# --- Questions --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Speaker:
    """Somebody on the panel to whom a question may go. code -- names a place on a version of the agenda, and nobody"""

    code: str
    reference: str
    label: str


def panel_of(meeting):
    """The Speakers of the published agenda, as everybody may read it; empty while none is published."""
    newest = agenda.newest(meeting)
    if newest is None:
        return []
    found = []
    for one in public_agenda.shown(meeting, newest.content):
        if one.line.number:
            label = f"{one.title} – {one.person}" if one.person else one.title
            code = f"{newest.number}.{one.line.number}"
            found.append(Speaker(code, one.line.reference, f"{one.line.number}. {label}"))
    return found


def speaker_of(meeting, code, versions=None):
    """The reference behind a Speaker's code, of whatever version of the agenda the page was made from; "" for none.

    versions -- {number: content}, filled here so that each version is asked for once
    """
    number, _dot, place = code.partition(".")
    if not (number.isdecimal() and place.isdecimal() and len(code) < 9):
        return ""
    versions = {} if versions is None else versions
    if number not in versions:
        version = meeting.agendas.filter(number=int(number)).first()
        versions[number] = version.content if version else None
    if versions[number] is None:
        return ""
    lines = agenda.lines(versions[number], None)
    return next((line.reference for line in lines if line.number == int(place)), "")


def asked_at(meeting):
    """Questions that stand: [{key, at, mission, to, words, mine}], in order, as everybody at the door may read them."""
    rows = FloorQuestion.objects.filter(meeting=meeting, taken_back_at=None).select_related("mission__state", "to")
    rows = list(rows.order_by("noted_at", "pk"))
    labels = {one.reference: one.label for one in panel_of(meeting)} if any(row.to_id for row in rows) else {}
    return [
        {
            "key": str(row.key),
            "at": row.noted_at,
            "mission": row.mission.name if row.mission else _("Somebody else in the room"),
            "to": (labels.get(row.to.reference) or public_agenda.generic(row.to)) if row.to else _("The whole panel"),
            "words": row.words,
        }
        for row in rows
    ]


@added.to_sheet
def questions_on_the_sheet(meeting):
    """What was asked from the floor, for the moderator afterwards."""
    lines = ["\n".join(filter(None, (f"{one['mission']} → {one['to']}", one["words"]))) for one in asked_at(meeting)]
    return added.Section(_("Asked from the floor"), lines)
