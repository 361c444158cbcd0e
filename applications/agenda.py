"""The agenda of a meeting: a draft made from its panel, and the versions that were published. Room: applications;
imports its panel and letters.

What is kept names no one: references and minutes. `public_agenda` is what everybody reads of it.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from applications import letters, panel, seat
from applications.models import Agenda, Application, Panel
from presessions import trail
from presessions.mail import outbox
from presessions.trail.steps import WrongStep
from presessions.upr import dates
from presessions.upr.models import CountryMeeting

OPENING, FLOOR, SPEAKER, QUESTIONS = "opening", "floor", "speaker", "questions"


@dataclass(frozen=True)
class Line:
    """One part of the hour. at -- when it begins; None while the hour of the meeting is not known"""

    what: str
    at: datetime | None
    minutes: int
    reference: str = ""
    number: int = 0  # of a speaker: first, second ...


# --- What is written down --------------------------------------------------------------------------------------------


def draft(meeting, composition=None):
    """The agenda as the saved panel has it, in the form that is kept."""
    composition = composition or panel.composed(panel.of(meeting))
    parts = [{"what": OPENING, "minutes": composition.opening_minutes}]
    if composition.floor_minutes:
        parts.append({"what": FLOOR, "minutes": composition.floor_minutes})
    for reference, minutes in composition.speakers:
        parts.append({"what": SPEAKER, "minutes": minutes, "reference": reference})
    parts.append({"what": QUESTIONS, "minutes": composition.questions(meeting.minutes)})
    return {
        "starts_at": meeting.starts_at.isoformat() if meeting.starts_at else "",
        "minutes": meeting.minutes,
        "place": seat.place(meeting),
        "items": [part for part in parts if part["minutes"]],
    }


def lines(content, starts_at):
    """The Lines of an agenda of a meeting that starts at an instant, or at nobody knows when."""
    passed, number = 0, 0
    for part in content["items"]:
        number += part["what"] == SPEAKER
        at = dates.minutes_after(starts_at, passed) if starts_at else None
        yield Line(
            part["what"], at, part["minutes"], part.get("reference", ""), number if part["what"] == SPEAKER else 0
        )
        passed += part["minutes"]


def starts_at(content):
    """When the meeting was to start, as this agenda says; None where it does not."""
    return datetime.fromisoformat(content["starts_at"]) if content["starts_at"] else None


def newest(meeting):
    """The version that counts, or None while nothing is published."""
    return Agenda.objects.select_related("published_by").filter(meeting=meeting).order_by("-number").first()


def own_lines(meeting):
    """{reference: Line} of everybody who speaks as the newest version says, on the clock of the meeting as it is
    planned now. Empty while nothing is published: what staff only compose tells nobody anything."""
    found = newest(meeting)
    parts = lines(found.content, meeting.starts_at) if found and meeting.goes_ahead else ()
    return {line.reference: line for line in parts if line.what == SPEAKER}


def minutes_of(application):
    """Minutes to speak: as published, else as an even share would be; None while nobody can say."""
    own = own_lines(application.meeting).get(application.reference)
    return own.minutes if own else seat.minutes_each(application.meeting)


def differs(published, content):
    return _comparable(published.content) != _comparable(content)


def _comparable(content):
    """Two ways to write one instant are one."""
    return {**content, "starts_at": starts_at(content)}


# --- Publishing ------------------------------------------------------------------------------------------------------


def publish(meeting, *, by, now, seen_version):
    """Publish the saved panel as the next version, and write to exactly those speakers whom it touches; returns
    (Agenda, how many were written to). Raises WrongStep.

    seen_version -- of the panel that somebody looked at: another one is not published unseen
    """
    try:
        with transaction.atomic():
            row = Panel.objects.select_for_update().filter(meeting=meeting).first()
            if row is None or row.version != seen_version:
                raise WrongStep(_("The panel has been changed since you looked at it. Please look at it again."))
            meeting = CountryMeeting.objects.with_state().get(pk=meeting.pk)
            composition = panel.composed(panel.of(meeting))
            _refuse_unready(meeting, composition)
            content, before = draft(meeting, composition), newest(meeting)
            if before and not differs(before, content):
                raise WrongStep(_("Nothing has changed since version %(number)s.") % {"number": before.number})
            agenda = Agenda.objects.create(
                meeting=meeting, number=before.number + 1 if before else 1, content=content, published_at=now,
                published_by=by,
            )  # fmt: skip
            told = _tell(agenda, before, now=now)
            trail.record(meeting, "agenda_published", now=now, by=by)
            return agenda, told
    except WrongStep:  # outside the block: a refusal must not undo its own event
        trail.record(meeting, "agenda_published", now=now, by=by, refused=True)
        raise


def why_not_ready(meeting, composition):
    """What stands in the way of publishing, in words; "" when nothing does."""
    try:
        _refuse_unready(meeting, composition)
    except WrongStep as refusal:
        return str(refusal)
    return ""


def _refuse_unready(meeting, composition):
    speakers = {reference for reference, _minutes in composition.speakers}
    holding = Application.objects.for_meeting(meeting).filter(status__in=Application.HOLDS_SEAT)
    told = set(holding.values_list("reference", flat=True))
    if meeting.status not in CountryMeeting.AHEAD:
        words = {"meeting": meeting, "status": meeting.get_status_display()}
        raise WrongStep(_("The meeting about %(meeting)s is already %(status)s.") % words)
    if meeting.starts_at is None:
        raise WrongStep(_("Set the start of the meeting first: an agenda tells people when to come."))
    if not composition.speakers:
        raise WrongStep(_("Nobody is on the panel yet."))
    if composition.questions(meeting.minutes) < 0:
        raise WrongStep(_("The panel is longer than the meeting. Please shorten it first."))
    if speakers - told:
        raise WrongStep(
            ngettext(
                "%(count)s person on this panel has not been told yet. Release the answer first.",
                "%(count)s people on this panel have not been told yet. Release the answers first.",
                len(speakers - told),
            )
            % {"count": len(speakers - told)}
        )
    if told - speakers:
        raise WrongStep(
            ngettext(
                "%(count)s accepted speaker is not on this panel. Give them a place first.",
                "%(count)s accepted speakers are not on this panel. Give them a place first.",
                len(told - speakers),
            )
            % {"count": len(told - speakers)}
        )


def touched(before, after):
    """References of those speakers whom a new version tells something else: when they speak, how long, or where.

    before -- the content published last, or None
    """
    was = _what_speakers_know(before) if before else {}
    return [reference for reference, known in _what_speakers_know(after).items() if was.get(reference) != known]


def _what_speakers_know(content):
    place = content["place"]
    return {line.reference: (line.at, line.minutes, place) for line in _speakers(content)}


def _speakers(content):
    return [line for line in lines(content, starts_at(content)) if line.what == SPEAKER]


def _tell(agenda, before, *, now):
    """A letter to each whom this version touches."""
    references = touched(before and before.content, agenda.content)
    for application in Application.objects.with_state().filter(reference__in=references).order_by("pk"):
        outbox.put(
            kind="agenda",
            key=f"agenda:{application.reference}:{agenda.pk}",
            recipient=recipient(application, agenda),
            now=now,
        )
    return len(references)


def recipient(application, agenda=None):
    """The speaker as the recipient of an agenda's letter, with the own place in it; None where there is none.

    agenda -- the newest, where nothing is said
    """
    agenda = agenda or newest(application.meeting)
    if agenda is None:
        return None
    own = next((line for line in _speakers(agenda.content) if line.reference == application.reference), None)
    return own and letters.of_application(
        application, at=own.at, minutes=own.minutes, number=own.number, place=agenda.content["place"],
        version=agenda.number, meeting=agenda.meeting, is_first=agenda.number == 1,
    )  # fmt: skip


# --- Differences, for staff ------------------------------------------------------------------------------------------


def differences(before, after, name=str):
    """What a version says otherwise than the one before, in sentences. name -- what to call a reference"""
    was, now = starts_at(before), starts_at(after)
    if was != now:
        yield _("Starts %(now)s instead of %(was)s.") % {"now": _in_words(now), "was": _in_words(was)}
    if before["place"] != after["place"]:
        words = {"now": after["place"] or "–", "was": before["place"] or "–"}
        yield _("Takes place in %(now)s instead of %(was)s.") % words
    if before["minutes"] != after["minutes"]:
        yield _("Lasts %(now)s minutes instead of %(was)s.") % {"now": after["minutes"], "was": before["minutes"]}
    yield from panel.differences(_composition(before), _composition(after), name)


def _in_words(instant):
    return dates.in_words(instant) if instant else "–"


def _composition(content):
    minutes = {part["what"]: part["minutes"] for part in content["items"]}
    return panel.Composition(
        tuple((line.reference, line.minutes) for line in _speakers(content)),
        opening_minutes=minutes.get(OPENING, 0),
        floor_minutes=minutes.get(FLOOR, 0),
    )
