"""The carried tables, brought into the calendar without touching what staff have changed. Room: upr, ground floor.

Each row keeps what was last loaded into it. As long as it still says just that, a newer table may change it; once it
says something else, a person has decided, and the table is left behind. Imports models and tables.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from django.db import transaction

from presessions.upr import tables
from presessions.upr.models import Series, State, StateUnderReview, WorkingGroupSession

SESSION_FIELDS = {
    "cycle": "cycle",
    "start_date": "starts_on",
    "end_date": "ends_on",
    "month_label": "month_label",
    "presession_start": "presessions_start_on",
    "presession_end": "presessions_end_on",
    "stakeholder_submission_deadline": "stakeholder_deadline_on",
    "source": "source",
    "note": "note",
}
ADDED, UPDATED, MOVED, UNCHANGED, CHECKED = "added", "updated", "moved", "unchanged", "checked"


@dataclass
class Summary:
    """What became of the rows of one table; `left_alone` says in words which were passed over, and why."""

    name: str
    counts: Counter = field(default_factory=Counter)
    left_alone: list[str] = field(default_factory=list)

    def __str__(self):
        counts = [f"{count} {what}" for what, count in self.counts.items()]
        left_alone = [f"{len(self.left_alone)} left alone"] if self.left_alone else []
        return f"{self.name}: {', '.join(counts + left_alone)}"


def load(folder, *, now):
    """Load one table after the other, each in its own transaction, and yield its Summary.

    Raises tables.WrongTable at the first table with a wrong row; nothing of that table or of later ones is loaded.
    """
    for table, write in WRITERS:
        try:
            content = (folder / table.name).read_bytes()
        except OSError as error:
            raise tables.WrongTable([f"{table.name}: cannot be read: {error.strerror}"]) from error
        with transaction.atomic():
            summary = Summary(table.name)
            write(content, summary, now)
        yield summary


def _load_states(content, summary, now):
    states = State.objects.select_for_update().in_bulk()
    for row in tables.read(tables.STATES, content):
        iso2 = row.pop("iso2")
        state = states.get(iso2) or State(iso2=iso2)
        if changed := _changed(state, row, summary, f"{iso2}"):
            _save(state, changed)


def _load_sessions(content, summary, now):
    sessions = {session.number: session for session in WorkingGroupSession.objects.select_for_update()}
    for row in tables.read(tables.SESSIONS, content):
        number = row["number"]
        session = sessions.get(number) or WorkingGroupSession(number=number)
        if session.demonstration:
            summary.left_alone.append(f"session {number}: demonstration")
            continue
        facts = {ours: row[theirs] for theirs, ours in SESSION_FIELDS.items()}
        changed = _changed(session, facts, summary, f"session {number}")
        if not changed:
            continue
        if session.pk and facts.keys() <= changed.keys():
            session.reschedule(now=now, **changed)
        else:
            _save(session, changed)


def _load_states_under_review(content, summary, now):
    sessions = {session.number: session for session in WorkingGroupSession.objects.all()}
    states = State.objects.in_bulk()
    rows = tables.read(tables.STATES_UNDER_REVIEW, content, known={"session_number": sessions, "iso2": states})
    places = {
        (place.session and place.session.number, place.state_id): place
        for place in StateUnderReview.objects.select_related("session").select_for_update(of=("self",))
    }
    in_table = {(row["session_number"], row["iso2"]) for row in rows}
    strays = {
        place.state_id: place
        for key, place in places.items()
        if key not in in_table and place.status in StateUnderReview.EXPECTED
    }
    joined = set()
    for row in rows:
        number, iso2 = row.pop("session_number"), row.pop("iso2")
        session, label = sessions.get(number), f"{number or '–'}/{iso2}"
        place = places.get((number, iso2)) or StateUnderReview(session=session, state=states[iso2])
        stray = None if place.pk else strays.get(iso2)
        if any(one and one.demonstration for one in (session, stray and stray.session)):
            summary.left_alone.append(f"{label}: demonstration")
        elif stray and _is_as_loaded(stray):
            place = stray.move_to(session, now=now, reason=summary.name)
            _save(place, {**row, "loaded": _in_json(row)})
            summary.counts[MOVED] += 1
        elif stray:
            summary.left_alone.append(f"{label}: staff have decided about {stray.reference}")
        elif changed := _changed(place, row, summary, label):
            _save(place, changed)
            joined.add(session)
    for series in Series.objects.filter(session__in=joined - {None}).select_related("session"):
        series.add_meetings(now=now)


def _check_rounds(content, summary, now):
    """Real dates of past series, for tests and the demonstration; the calendar does not hold them."""
    summary.counts[CHECKED] = len(tables.read(tables.ROUNDS, content))


WRITERS = (
    (tables.STATES, _load_states),
    (tables.SESSIONS, _load_sessions),
    (tables.STATES_UNDER_REVIEW, _load_states_under_review),
    (tables.ROUNDS, _check_rounds),
)


def _changed(row, facts, summary, label):
    """The fields to write into a row, or nothing when it says so already or staff have changed it; counted."""
    loaded = _in_json(facts)
    if row._state.adding:
        summary.counts[ADDED] += 1
    elif loaded == _in_json({name: getattr(row, name) for name in facts}):
        summary.counts[UNCHANGED] += 1
        return {"loaded": loaded} if row.loaded != loaded else {}
    elif not _is_as_loaded(row):
        summary.left_alone.append(f"{label}: changed by staff")
        return {}
    else:
        summary.counts[UPDATED] += 1
    return {**facts, "loaded": loaded}


def _is_as_loaded(row):
    """Whether the row still says what was loaded into it; one that staff made never did."""
    return bool(row.loaded) and row.loaded == _in_json({name: getattr(row, name) for name in row.loaded})


def _in_json(facts):
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in facts.items()}


def _save(row, facts):
    for name, value in facts.items():
        setattr(row, name, value)
    row.save()
