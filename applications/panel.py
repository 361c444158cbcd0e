"""The hour about one State, composed as a whole: who speaks, in what order, how long; who waits. Room: applications.

Composing tells nobody anything. A panel is changed as a whole, under its lock and only by who saw its newest version:
of two members of staff who work on one panel, the second is told what the first has changed and overwrites nothing
unseen. Whoever is no longer to speak leaves by `models.Seat.leave`, in the step that ends it. Imports this room's rules
and models.
"""

from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from applications import rules
from applications.models import Application, Panel, Seat
from presessions import retention, trail
from presessions.trail.steps import WrongStep
from presessions.upr.models import CountryMeeting

Status, Decision, Kind, Place = Application.Status, Application.Decision, Application.Kind, Seat.Place

CAN_WAIT = Application.ANSWERABLE  # whoever was accepted keeps the word that was given
PLACEABLE = (*CAN_WAIT, *Application.HOLDS_SEAT)


@dataclass(frozen=True)
class Composition:
    """What a panel is made of, as plain values that can be compared. Applications are known by their references.

    speakers -- ((reference, minutes), ...) in the order of speaking; waiting -- references in the order of the list
    """

    speakers: tuple[tuple[str, int], ...] = ()
    waiting: tuple[str, ...] = ()
    opening_minutes: int = rules.OPENING_MINUTES
    floor_minutes: int = 0
    moderator: str = ""
    note: str = ""

    @property
    def references(self):
        return [*(reference for reference, _minutes in self.speakers), *self.waiting]

    def questions(self, minutes):
        """Minutes left for questions in a meeting of so many; negative where it would run over."""
        return rules.question_minutes(
            minutes, self.opening_minutes, self.floor_minutes, [of_one for _reference, of_one in self.speakers]
        )


class ChangedMeanwhile(WrongStep):
    """Somebody has changed the panel since it was seen: `panel` and `current` say who, when and to what."""

    def __init__(self, panel, current):
        super().__init__(_("This panel has been changed since you opened it. Nothing of yours is saved yet."))
        self.panel, self.current = panel, current


# --- What there is ---------------------------------------------------------------------------------------------------


def of(meeting):
    """The panel of a meeting; one that nobody has composed yet is not in the database."""
    found = Panel.objects.select_related("changed_by").filter(meeting=meeting).first()
    return found or Panel(meeting=meeting)


def seats(panel):
    """Its seats in order, without those whose application has ended in some other way than by giving up its seat."""
    if panel.pk is None:
        return Seat.objects.none()
    standing = Seat.objects.filter(
        panel=panel, application__status__in=PLACEABLE, application__state_call__meeting=panel.meeting_id
    )
    return standing.select_related("application").order_by("place", "position")


def composed(panel, rows=None):
    """The Composition that is kept. rows -- its seats, where somebody has fetched them already"""
    rows = list(seats(panel)) if rows is None else rows
    return Composition(
        tuple((row.application.reference, row.minutes) for row in rows if row.place == Place.PANEL),
        tuple(row.application.reference for row in rows if row.place == Place.WAITING),
        panel.opening_minutes,
        panel.floor_minutes,
        panel.meeting.moderator,
        panel.note,
    )


def placeable(meeting):
    """Applications of a meeting that may have a place, in the order they were sent."""
    sent = Application.objects.for_meeting(meeting).filter(status__in=PLACEABLE)
    return sent.order_by("submitted_at", "pk")


def proposed(meeting, applications, *, floor_minutes=0):
    """What a new panel could be: those accepted or prepared for it, the NHRI first, and who waits. Not kept anywhere.

    applications -- those of the meeting, in the order they were sent
    """
    wanted = sorted(
        (one for one in applications if one.holds_seat or (one.status in CAN_WAIT and one.prepared == Decision.ACCEPT)),
        key=lambda one: (not one.holds_seat, one.kind != Kind.NHRI),
    )
    fitting = (meeting.minutes - rules.OPENING_MINUTES - floor_minutes) // rules.LEAST_MINUTES
    chosen = sorted(wanted[:fitting], key=lambda one: one.kind != Kind.NHRI)
    waiting = [one for one in applications if one not in wanted and _waits(one)]
    each = even_minutes(len(chosen), meeting, floor_minutes=floor_minutes)
    return Composition(
        tuple((one.reference, each) for one in chosen),
        tuple(one.reference for one in waiting),
        floor_minutes=floor_minutes,
        moderator=meeting.moderator,
    )


def _waits(application):
    if application.status == Status.WAITLISTED:
        return application.prepared != Decision.DECLINE
    return application.status == Status.SUBMITTED and application.prepared == Decision.WAITLIST


def even_minutes(speakers, meeting, *, opening_minutes=rules.OPENING_MINUTES, floor_minutes=0):
    """Minutes for each of so many speakers: seven, where a third of the hour is left for questions; at least five."""
    kept = max(meeting.minutes // 3, opening_minutes + floor_minutes)
    try:
        return rules.speaking_minutes(max(speakers, 1), meeting=meeting.minutes, questions=kept)
    except ValueError:
        return rules.LEAST_MINUTES


def place(composition, application, where, *, minutes):
    """The composition with one application somewhere else: "panel", "waiting", or "" for neither. An NHRI goes to the
    head of the panel, everybody else to the end."""
    reference = application.reference
    without = replace(
        composition,
        speakers=tuple(one for one in composition.speakers if one[0] != reference),
        waiting=tuple(one for one in composition.waiting if one != reference),
    )
    if where == Place.WAITING:
        return replace(without, waiting=(*without.waiting, reference))
    if where != Place.PANEL:
        return without
    line = ((reference, minutes),)
    is_first = application.kind == Kind.NHRI
    return replace(without, speakers=line + without.speakers if is_first else without.speakers + line)


def moved(composition, reference, by):
    """The composition with one application so many places further down (or, negative, up) in its own list."""
    speakers, waiting = list(composition.speakers), list(composition.waiting)
    for line in (speakers, waiting):
        names = [one[0] if line is speakers else one for one in line]
        if reference in names:
            at = names.index(reference)
            line.insert(min(max(at + by, 0), len(line) - 1), line.pop(at))
    return replace(composition, speakers=tuple(speakers), waiting=tuple(waiting))


# --- Steps of staff --------------------------------------------------------------------------------------------------


def save(meeting, seen_version, new, *, by, now):
    """Keep a Composition, all of it or nothing; returns the Panel. Raises WrongStep; ChangedMeanwhile where the panel
    is not the one that was seen any more."""
    return _change(meeting, seen_version, lambda current: new, "panel_composed", by=by, now=now)


def promote(meeting, seen_version, *, by, now):
    """Move the first of the waiting list to the end of the panel. Raises WrongStep, ChangedMeanwhile."""

    def up(current):
        if not current.waiting:
            raise WrongStep(_("Nobody is on the waiting list."))
        first, *others = current.waiting
        line = (first, usual_minutes(meeting, current))
        return replace(current, speakers=(*current.speakers, line), waiting=tuple(others))

    return _change(meeting, seen_version, up, "panel_promoted", by=by, now=now)


def usual_minutes(meeting, current):
    """Of one more speaker: as long as the others where that fits, else as long as can be, but never less than we
    promise."""
    usual = max((minutes for _reference, minutes in current.speakers), default=rules.MOST_MINUTES)
    most = min(usual, rules.MOST_MINUTES, current.questions(meeting.minutes))
    return max(rules.LEAST_MINUTES, most)


def _change(meeting, seen_version, how, code, *, by, now):
    Panel.objects.get_or_create(meeting=meeting)
    try:
        with transaction.atomic():
            # Applications first, then the panel: in the order of a step that ends one, or the two would wait for ever.
            known = {one.reference: one for one in placeable(meeting).select_for_update(of=("self",))}
            panel = Panel.objects.select_for_update().get(meeting=meeting)
            panel.meeting = CountryMeeting.objects.with_state().get(pk=meeting.pk)
            current = composed(panel)
            if panel.version != seen_version:
                raise ChangedMeanwhile(panel, current)
            new = how(current)
            _refuse_wrong(panel.meeting, new, known)
            if new == current and panel.version:
                return panel
            _write(panel, new, known, by=by, now=now)
            trail.record(meeting, code, now=now, by=by)
            return panel
    except WrongStep:  # outside the block: a refusal must not undo its own event
        trail.record(meeting, code, now=now, by=by, refused=True)
        raise


def _write(panel, new, known, *, by, now):
    if new.moderator != panel.meeting.moderator:
        panel.meeting.reschedule(now=now, by=by, moderator=new.moderator)
    panel.version, panel.changed_at, panel.changed_by = panel.version + 1, now, by
    panel.opening_minutes, panel.floor_minutes, panel.note = new.opening_minutes, new.floor_minutes, new.note
    panel.save()
    rows = [known[reference] for reference in new.references]
    Seat.objects.filter(Q(panel=panel) | Q(application__in=rows)).delete()
    Seat.objects.bulk_create(
        [
            Seat(panel=panel, application=known[reference], place=Place.PANEL, position=at, minutes=minutes)
            for at, (reference, minutes) in enumerate(new.speakers, start=1)
        ]
        + [
            Seat(panel=panel, application=known[reference], place=Place.WAITING, position=at)
            for at, reference in enumerate(new.waiting, start=1)
        ]
    )


def _refuse_wrong(meeting, new, known):
    """Raises WrongStep with the first thing that cannot be."""
    if meeting.status not in CountryMeeting.AHEAD:
        words = {"meeting": meeting, "status": meeting.get_status_display()}
        raise WrongStep(_("The meeting about %(meeting)s is already %(status)s.") % words)
    references = new.references
    if len(set(references)) < len(references):
        raise WrongStep(_("One application stands in two places. Please look at the lists again."))
    for reference in references:
        if reference not in known:
            raise WrongStep(_("%(application)s can have no place here any more.") % {"application": reference})
    for reference in new.waiting:
        if known[reference].status not in CAN_WAIT:
            words = {"application": reference}
            raise WrongStep(_("%(application)s has been accepted and cannot be put on the waiting list.") % words)
    for reference, minutes in new.speakers:
        if not rules.LEAST_MINUTES <= minutes <= rules.MOST_MINUTES:
            words = {"least": rules.LEAST_MINUTES, "most": rules.MOST_MINUTES, "application": reference}
            raise WrongStep(_("%(application)s: a speaker has %(least)s to %(most)s minutes.") % words)
    over = -new.questions(meeting.minutes)
    if over > 0:
        raise WrongStep(
            ngettext(
                "This panel is %(over)s minute longer than the meeting. Shorten it, or move somebody to the waiting "
                "list.",
                "This panel is %(over)s minutes longer than the meeting. Shorten it, or move somebody to the waiting "
                "list.",
                over,
            )
            % {"over": over}
        )


def prepare_answers(meeting, *, by, now):
    """Note on the applications what the panel says of them: accept for those seated, the waiting list for those who
    wait; of anybody else, an acceptance or a place on the list that was noted is taken back. Who was told already is
    not told again, and to decline needs a reason and stays with staff. Nobody is told anything.

    Returns how many notes were changed. Raises WrongStep.
    """
    panel = of(meeting)
    refusal = "" if panel.version else _("Save the panel first.")
    if not meeting.goes_ahead:
        refusal = _("This meeting does not take place, so nobody can be accepted for it.")
    if refusal:
        trail.record(meeting, "answers_prepared", now=now, by=by, refused=True)
        raise WrongStep(refusal)
    changed = 0
    with transaction.atomic():
        waiting = placeable(meeting).filter(status__in=CAN_WAIT).with_state()
        waiting = list(waiting.select_for_update(of=("self",)))
        places = dict(Seat.objects.filter(panel=panel).values_list("application", "place"))
        for application in waiting:
            wanted = answer_for(application, places.get(application.pk))
            if wanted != application.prepared:
                application.prepare(wanted, by=by, now=now)
                changed += 1
        trail.record(meeting, "answers_prepared", now=now, by=by)
    return changed


def answer_for(application, place):
    """What the panel says of an application that can still be answered: a Decision, or "" for nothing.

    place -- one of Seat.Place, or None
    """
    if place == Place.PANEL:
        return Decision.ACCEPT
    if place == Place.WAITING:
        return "" if application.status == Status.WAITLISTED else Decision.WAITLIST
    return application.prepared if application.prepared == Decision.DECLINE else ""


# --- What happens to a panel -----------------------------------------------------------------------------------------


def floor_asked(meeting, wanted, *, now):
    """The State's own mission asks for the floor at the opening, or no longer does. Its two minutes come out of those
    for questions; where none are left, staff see that it asks. Again is no harm. Called by missions."""
    if not wanted and not Panel.objects.filter(meeting=meeting).exists():
        return
    with transaction.atomic():
        Panel.objects.get_or_create(meeting=meeting)
        panel = Panel.objects.select_for_update().select_related("meeting").get(meeting=meeting)
        if panel.floor_wanted == wanted:
            return
        panel.floor_wanted = wanted
        if not wanted:
            panel.floor_minutes = 0
        elif not panel.floor_minutes and composed(panel).questions(meeting.minutes) >= rules.FLOOR_MINUTES:
            panel.floor_minutes = rules.FLOOR_MINUTES
        if panel.version:  # or nobody has composed it yet
            panel.version, panel.changed_at, panel.changed_by = panel.version + 1, now, None
        panel.save()
        trail.record(meeting, "floor_asked" if wanted else "floor_not_asked", now=now)


def forget_notes(now):
    """Empty the notes for moderators some days after their meetings: they may speak of people. Returns how many."""
    return retention.RULES["notes"].due(now).update(note="")


# --- In words --------------------------------------------------------------------------------------------------------


def differences(before, after, name=str):
    """What has changed from one Composition to another, in sentences. name -- what to call a reference"""
    places = [_places(composition) for composition in (before, after)]
    for reference in dict.fromkeys([*after.references, *before.references]):
        was, now = (found.get(reference) for found in places)
        if was != now:
            yield _moved_in_words(name(reference), was, now)
    minutes = [dict(composition.speakers) for composition in (before, after)]
    for reference in minutes[1].keys() & minutes[0].keys():
        if minutes[0][reference] != minutes[1][reference]:
            words = {"name": name(reference), "was": minutes[0][reference], "now": minutes[1][reference]}
            yield _("%(name)s: %(now)s minutes instead of %(was)s.") % words
    for field, words in (
        ("opening_minutes", _("The moderator has %(now)s minutes instead of %(was)s.")),
        ("floor_minutes", _("The State under Review has %(now)s minutes instead of %(was)s.")),
    ):
        was, now = getattr(before, field), getattr(after, field)
        if was != now:
            yield words % {"was": was, "now": now}
    if before.moderator != after.moderator:
        yield _("The moderator is another one.")
    if before.note != after.note:
        yield _("The note for the moderator has changed.")


def _places(composition):
    """{reference: (where, place)}"""
    lists = {Place.PANEL: [one for one, _minutes in composition.speakers], Place.WAITING: composition.waiting}
    return {one: (where, at) for where, names in lists.items() for at, one in enumerate(names, start=1)}


def _moved_in_words(name, was, now):
    if now is None:
        return _("%(name)s has no place any more.") % {"name": name}
    where, at = now
    words = {"name": name, "place": at}
    if where == Place.PANEL:
        if was and was[0] == Place.PANEL:
            return _("%(name)s is number %(place)s on the panel instead of %(was)s.") % {**words, "was": was[1]}
        return _("%(name)s is new on the panel, as number %(place)s.") % words
    if was and was[0] == Place.WAITING:
        return _("%(name)s is number %(place)s on the waiting list instead of %(was)s.") % {**words, "was": was[1]}
    return _("%(name)s is new on the waiting list, as number %(place)s.") % words
