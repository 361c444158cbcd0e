"""What is noted on the day: who came, whether the State under Review took the floor, what was asked. Room: missions.

A phone in the room may be without a line for hours and then send all that it kept, perhaps twice. So each note has a
key that its device made, notes are kept in the order in which they were made, and a note is never changed: the newest
about a mission counts (`DoorNote.objects.current`). What staff set right afterwards is one more note.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from applications.models import Application
from missions.models import DoorNote, FloorQuestion, PermanentMission
from presessions import trail
from presessions.trail.steps import WrongStep
from presessions.upr import dates
from presessions.upr.models import CountryMeeting

MOST_PEOPLE = 40  # of one mission in the room; more is a slip of the finger
MOST_WORDS = 1000  # signs of a question
NOTED, CORRECTED = "door_noted", "door_corrected"


@dataclass(frozen=True)
class Came:
    """So many people of a mission are in the room. meeting, mission -- their keys; noted_at -- by the device's clock"""

    key: UUID
    meeting: int
    mission: int
    people: int
    noted_at: datetime
    spoke: bool = False


@dataclass(frozen=True)
class Asked:
    """Somebody has put a question. mission -- None: somebody else in the room; to -- of the panel; None: all of it"""

    key: UUID
    meeting: int
    noted_at: datetime
    mission: int | None = None
    to: Application | None = None
    words: str = ""


@dataclass(frozen=True)
class TakenBack:
    """A question was noted by mistake. question -- the key of that note"""

    key: UUID
    meeting: int
    question: UUID
    noted_at: datetime


@dataclass(frozen=True)
class Kept:
    """What became of some notes: the keys of those that stand, now or since before; {key: why it was refused}."""

    keys: list[UUID]
    refused: dict[UUID, str]


# --- When -------------------------------------------------------------------------------------------------------------


def opens_at(meeting):
    """The first instant for which something may be noted: the day of the meeting begins. None while it has no date."""
    return meeting.starts_at and dates.geneva(dates.day_of(meeting.starts_at))


def why_not(meeting, now):
    """Why nothing can be noted about a meeting now, in words; "" where it can."""
    if not meeting.goes_ahead:
        return _("This meeting is not held. Nothing was noted.")
    if meeting.series is None or meeting.series.closed_at:
        return _("This series is closed. Open it again first.")
    if meeting.starts_at is None:
        return _("This meeting has no date yet. Nothing was noted.")
    if now < opens_at(meeting):
        words = _("Notes can be taken from the day of the meeting on: %(day)s.")
        return words % {"day": dates.day_in_words(meeting.starts_at.astimezone(dates.GENEVA))}
    return ""


def bounded(noted_at, meeting, now):
    """A device's clock may be wrong, but nothing is noted in the future, nor before the day of the meeting. Keeps the
    order of the notes of one device."""
    return min(max(noted_at, opens_at(meeting)), now)


# --- Keeping ----------------------------------------------------------------------------------------------------------


def keep(notes, *, by, now):
    """Keep notes in their order; return Kept. The same note sent again changes nothing. One that cannot be kept says
    why and stops no other."""
    found = CountryMeeting.objects.with_state().in_bulk({note.meeting for note in notes})
    missions = _known({note.mission for note in notes if not isinstance(note, TakenBack)} - {None})
    by_meeting, refused, keys = defaultdict(list), {}, []
    for note in notes:
        problem = _problem(note, found.get(note.meeting), missions, now)
        if problem:
            refused[note.key] = problem
        else:
            by_meeting[note.meeting].append(note)
            keys.append(note.key)
    for meeting in {note.meeting for note in notes if note.key in refused} & found.keys():
        trail.record(found[meeting], NOTED, now=now, by=by, refused=True)
    for meeting in sorted(by_meeting):
        _keep_of(found[meeting], by_meeting[meeting], by=by, now=now)
    return Kept(keys, refused)


def _known(missions):
    """Those of the keys that the register knows."""
    return set(PermanentMission.objects.filter(pk__in=missions).values_list("pk", flat=True))


def _problem(note, meeting, missions, now):
    if meeting is None:
        return _("There is no such meeting.")
    if isinstance(note, Came) and not 0 <= note.people <= MOST_PEOPLE:
        return _("Say how many people came: 0 to %(most)s.") % {"most": MOST_PEOPLE}
    if not isinstance(note, TakenBack) and note.mission is not None and note.mission not in missions:
        return _("This mission is no longer in the register.")
    return why_not(meeting, now)


def _keep_of(meeting, notes, *, by, now, code=NOTED, reason=""):
    with transaction.atomic():
        # One writer at a time for each meeting, so that the trail tells of each note once.
        CountryMeeting.objects.select_for_update(no_key=True).get(pk=meeting.pk)
        fresh = _fresh(notes)
        facts = {"meeting": meeting, "received_at": now, "by": by}
        came = [
            DoorNote(key=note.key, mission_id=note.mission, people=note.people, spoke=note.spoke and note.people > 0,
                     noted_at=bounded(note.noted_at, meeting, now), **facts)
            for note in fresh if isinstance(note, Came)
        ]  # fmt: skip
        asked = [
            FloorQuestion(key=note.key, mission_id=note.mission, to=note.to, words=note.words[:MOST_WORDS],
                          noted_at=bounded(note.noted_at, meeting, now), **facts)
            for note in fresh if isinstance(note, Asked)
        ]  # fmt: skip
        DoorNote.objects.bulk_create(came, ignore_conflicts=True)  # one key under two meetings at once is no note
        FloorQuestion.objects.bulk_create(asked, ignore_conflicts=True)
        taken_back = [note.question for note in notes if isinstance(note, TakenBack)]
        standing = FloorQuestion.objects.filter(meeting=meeting, key__in=taken_back, taken_back_at=None)
        gone = standing.update(taken_back_at=now)
        if came or asked or gone:
            trail.record(meeting, code, now=now, by=by, reason=reason)


def _fresh(notes):
    """Those that are not kept yet, each once."""
    keys = {note.key for note in notes}
    known = set(DoorNote.objects.filter(key__in=keys).values_list("key", flat=True))
    known |= set(FloorQuestion.objects.filter(key__in=keys).values_list("key", flat=True))
    once = {note.key: note for note in reversed(notes)}  # the first of two with one key
    return [note for note in notes if note.key not in known and once[note.key] is note]


# --- Afterwards -------------------------------------------------------------------------------------------------------


def correct(meeting, counts, *, reason, by, now):
    """Set right what was noted; returns how many missions that changed. Raises WrongStep.

    counts -- {key of a mission: (people, took the floor)}; a mission that is not named keeps its note
    """
    problem = why_not(meeting, now) or ("" if reason.strip() else _("Say why: it is kept in the history."))
    before = {note.mission_id: (note.people, note.spoke) for note in DoorNote.objects.filter(meeting=meeting).current()}
    differs = {key: new for key, new in counts.items() if new != before.get(key, (0, False))}
    notes = [Came(uuid4(), meeting.pk, key, people, now, spoke) for key, (people, spoke) in differs.items()]
    known = _known(differs)
    problem = problem or next(filter(None, (_problem(note, meeting, known, now) for note in notes)), "")
    if problem:
        trail.record(meeting, CORRECTED, now=now, by=by, refused=True, reason=reason)
        raise WrongStep(problem)
    if notes:
        _keep_of(meeting, notes, by=by, now=now, code=CORRECTED, reason=reason)
    return len(notes)
