"""What became of what a panel proposed: the recommendations that States made in the Working Group, which of them take
up a proposal, and how the State under Review answered. Room: applications; imports mail and our models.

Staff enter them, one by one or from a list (`afterwards_import`), and say which take up which. Until they publish it
nobody else sees any of it; from then on everybody reads what was made and answered, beside it those proposals of which
the speaker has agreed to that, and each speaker what became of their own. `meeting` is a CountryMeeting `with_state`.
"""

import re
from collections import defaultdict
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from applications import letters, pack, public_agenda
from applications.models import (
    Application,
    Consent,
    MadeRecommendation,
    Recommendation,
    ReviewOutcome,
    TakenUp,
)
from presessions import trail
from presessions.mail import outbox
from presessions.mail.models import Letter
from presessions.trail.steps import WrongStep
from presessions.upr.names import fold

Response, Item = MadeRecommendation.Response, Consent.Item
LETTER = "recommendations_made"
FACTS = ("number", "text", "theme", "response", "responded_on")  # of a MadeRecommendation, beside the States


# --- What is there ---------------------------------------------------------------------------------------------------


def made_for(meeting):
    """The recommendations made to the State in that session, in the order of their numbers. Three queries."""
    rows = MadeRecommendation.objects.filter(state_under_review=meeting.state_under_review_id)
    return in_order(rows.select_related("theme").prefetch_related("made_by"))


def in_order(rows):
    """148.9 stands before 148.10."""
    return sorted(rows, key=lambda row: ([int(part) for part in re.findall(r"\d+", row.number)], row.number, row.pk))


def speakers(meeting):
    """Those who spoke, or are to speak: they have confirmed their seat."""
    return Application.objects.for_meeting(meeting).filter(status=Application.Status.CONFIRMED)


def outcome_of(meeting):
    """The ReviewOutcome; None as long as nobody has published anything."""
    return ReviewOutcome.objects.filter(meeting=meeting).first()


def mark(row):
    """Says whether a recommendation is still what a form was made from."""
    facts = [str(getattr(row, name)) for name in FACTS] + sorted(state.pk for state in row.made_by.all())
    return salted_hmac("made recommendation", repr(facts), algorithm="sha256").hexdigest()[:20]


# --- Steps of staff --------------------------------------------------------------------------------------------------


def enter(meeting, facts, *, by, now):
    """Add one. facts -- FACTS and `made_by`. Raises WrongStep where the number is there already, and where the State
    under Review stands among those who made it."""
    if refusal := to_itself(meeting, facts["made_by"]):
        raise _refused(meeting, "recommendation_entered", refusal, by=by, now=now)
    try:
        with transaction.atomic():
            row = MadeRecommendation.objects.create(
                state_under_review_id=meeting.state_under_review_id, entered_at=now, entered_by=by, **_plain(facts)
            )
            row.made_by.set(facts["made_by"])
            trail.record(meeting, "recommendation_entered", now=now, by=by)
            return row
    except IntegrityError:
        raise _refused(meeting, "recommendation_entered", _taken(facts), by=by, now=now) from None


def change(meeting, pk, facts, *, seen, by, now):
    """Write anew what one says. seen -- its `mark` when the form was made. Raises WrongStep."""
    if refusal := to_itself(meeting, facts["made_by"]):
        raise _refused(meeting, "recommendation_changed", refusal, by=by, now=now)
    try:
        with transaction.atomic():
            row = _one(meeting).select_for_update(of=("self",)).filter(pk=pk).first()
            if row is None:
                refusal = _("This recommendation is not in the list any more.")
            elif mark(row) != seen:
                refusal = _("A colleague has changed this recommendation meanwhile. It is shown as it is now.")
            else:
                MadeRecommendation.objects.filter(pk=pk).update(**_plain(facts))
                row.made_by.set(facts["made_by"])
                trail.record(meeting, "recommendation_changed", now=now, by=by)
    except IntegrityError:
        refusal = _taken(facts)
    if refusal:
        raise _refused(meeting, "recommendation_changed", refusal, by=by, now=now)


def remove(meeting, pk, *, by, now):
    """Take one out of the list, and what it was said to take up with it. Raises WrongStep."""
    with transaction.atomic():
        removed, _rows = _one(meeting).filter(pk=pk).delete()
        if removed:
            trail.record(meeting, "recommendation_removed", now=now, by=by)
    if not removed:
        words = _("This recommendation is not in the list any more.")
        raise _refused(meeting, "recommendation_removed", words, by=by, now=now)


def take_up(meeting, proposed, made, extent, *, by, now):
    """Say that a recommendation that was made takes up one that was proposed, or to another extent than was said
    before. Again is no harm. Both must be of this meeting: the caller has found them there."""
    with transaction.atomic():
        _row, is_new = TakenUp.objects.update_or_create(
            proposed=proposed, made=made, defaults={"extent": extent, "noted_at": now, "noted_by": by}
        )
        trail.record(meeting, "taken_up", now=now, by=by)
    return is_new


def not_taken_up(meeting, pk, *, by, now):
    """Take that back. Raises WrongStep where nobody says so any more."""
    with transaction.atomic():
        rows = TakenUp.objects.filter(pk=pk, made__state_under_review=meeting.state_under_review_id)
        removed, _rows = rows.delete()
        if removed:
            trail.record(meeting, "not_taken_up", now=now, by=by)
    if not removed:
        words = _("These two are not joined any more.")
        raise _refused(meeting, "not_taken_up", words, by=by, now=now)


def publish(meeting, *, source, by, now):
    """From now on everybody reads it. source -- where it comes from, such as the symbol of the report. Raises
    WrongStep while there is nothing to read, and where it is published already."""
    ReviewOutcome.objects.get_or_create(meeting=meeting)
    some = _one(meeting).exists()
    with transaction.atomic():
        waiting = ReviewOutcome.objects.filter(meeting=meeting, published_at=None)
        moved = some and waiting.update(published_at=now, published_by=by, source=source)
        trail.record(meeting, "outcome_published", now=now, by=by, refused=not moved)
    if not moved:  # outside the block: a refusal must not undo its own event
        there, none = _("They are published already."), _("Enter the recommendations first.")
        raise WrongStep(there if some else none)


def hide(meeting, *, by, now):
    """Take the publication back, as when the wrong list was entered. Raises WrongStep."""
    with transaction.atomic():
        moved = ReviewOutcome.objects.filter(meeting=meeting).exclude(published_at=None).update(published_at=None)
        trail.record(meeting, "outcome_hidden", now=now, by=by, refused=not moved)
    if not moved:
        raise WrongStep(_("They are not published."))


def _one(meeting):
    return MadeRecommendation.objects.filter(state_under_review=meeting.state_under_review_id)


def _plain(facts):
    return {name: facts[name] for name in FACTS}


def to_itself(meeting, states):
    """Why these States cannot have made a recommendation here, in words; "" where they can."""
    if meeting.state not in states:
        return ""
    words = _("%(state)s is under review itself and recommends nothing to itself. Name only those who made it.")
    return words % {"state": meeting.state.name}


def _taken(facts):
    words = _("Number %(number)s is in the list already. Change that one, or give this one its own number.")
    return words % {"number": facts["number"]}


def _refused(meeting, code, words, *, by, now):
    trail.record(meeting, code, now=now, by=by, refused=True)
    return WrongStep(words)


# --- Telling those who spoke -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Telling:
    """Whom a letter would go to now. stage -- "made", or "answered" once the State has answered all of them"""

    stage: str
    waiting: list
    told: int

    def key(self, application):
        return f"{LETTER}:{application.reference}:{self.stage}"


def telling(meeting):
    """Each speaker is written to once when the recommendations are published, and once when all are answered."""
    stage = "made" if _one(meeting).filter(response=Response.PENDING).exists() else "answered"
    every = list(speakers(meeting).filter(erased_at=None).with_state().order_by("pk"))
    empty = Telling(stage, [], 0)
    written = Letter.objects.filter(key__in=[empty.key(one) for one in every]).values_list("recipient_id", flat=True)
    written = set(written)
    return Telling(stage, [one for one in every if one.reference not in written], len(written))


def tell(meeting, *, by, now):
    """Write to those who spoke that they can see on their page what became of their recommendations; returns how many.
    The letter itself names no State and no theme: a mailbox may be watched. Raises WrongStep."""
    outcome, found = outcome_of(meeting), telling(meeting)
    refusal = ""
    if outcome is None or outcome.published_at is None:
        refusal = _("Publish them first: the letter leads to what is published.")
    elif not found.waiting:
        refusal = _("Everybody who spoke has been told already.")
    if refusal:
        raise _refused(meeting, "outcome_told", refusal, by=by, now=now)
    with transaction.atomic():
        for application in found.waiting:
            outbox.put(kind=LETTER, key=found.key(application), recipient=recipient(application), now=now)
        trail.record(meeting, "outcome_told", now=now, by=by)
    return len(found.waiting)


def recipient(application):
    return letters.of_application(application)


# --- What others read ------------------------------------------------------------------------------------------------


@dataclass
class Proposed:
    """A proposal as its reader may see it, and what took it up: [TakenUp]. who -- "" where the reader is its author"""

    text: str
    taken_up: list
    who: str = ""


@dataclass
class Published:
    """What everybody may read of one State's review."""

    source: str
    made: list
    proposed: list

    @property
    def supported(self):
        return sum(row.response == Response.SUPPORTED for row in self.made)

    @property
    def noted(self):
        return sum(row.response == Response.NOTED for row in self.made)

    @property
    def pending(self):
        return len(self.made) - self.supported - self.noted

    def by_theme(self):
        """[(theme or None, recommendations)], by the name of the theme; what has none comes last."""
        groups = defaultdict(list)
        for row in self.made:
            groups[row.theme].append(row)
        return sorted(groups.items(), key=lambda group: (group[0] is None, group[0] and fold(group[0].name)))


def published(meeting, now):
    """What everybody may read, or None. Of proposals those alone whose speaker's leave to publish them stands now, and
    nobody's who is at risk; under a name only where there is leave for that too."""
    outcome = outcome_of(meeting)
    if outcome is None or outcome.published_at is None:
        return None
    found = list(_cleared(meeting)) if pack.is_open(meeting, pack.Audience.EVERYBODY, now) else []
    texts = _proposals([application for application, _who in found])
    proposed = [
        Proposed(row.text, list(row.taken_up.all()), who) for application, who in found for row in texts[application.pk]
    ]
    return Published(outcome.source, made_for(meeting), proposed)


def _cleared(meeting):
    """[(application, how it may be called)] of those whose proposals may be read by everybody."""
    agreed = Exists(Consent.objects.filter(application=OuterRef("pk"), item=Item.RECOMMENDATIONS, withdrawn_at=None))
    rows = speakers(meeting).filter(agreed, erased_at=None).without_words(but=("name", "name_latin")).order_by("pk")
    for application in rows.prefetch_related("consents", "attachments"):
        may_say = public_agenda.cleared(application)
        if Item.RECOMMENDATIONS in may_say:
            name = application.name_latin or application.name
            named = Item.ORGANISATION in may_say and name
            yield application, name if named else public_agenda.generic(application)


def summary(meeting):
    """How many were made and how they were answered, for a page that only leads to them; None before it is published.
    One query where it is. meeting -- with its `outcome`"""
    outcome = getattr(meeting, "outcome", None)
    if outcome is None or outcome.published_at is None:
        return None
    answered = list(_one(meeting).values_list("response", flat=True).order_by())
    numbers = {name: answered.count(name) for name in Response}
    return {"made": len(answered), **{str(name): number for name, number in numbers.items()}}


def own(application):
    """For who spoke: each of their proposals and what took it up; None until it is published."""
    if not application.holds_seat:
        return None
    outcome = ReviewOutcome.objects.filter(meeting=application.state_call.meeting_id).exclude(published_at=None).first()
    return outcome and [
        Proposed(row.text, list(row.taken_up.all())) for row in _proposals([application])[application.pk]
    ]


def _proposals(applications):
    """{application: its Recommendations in order}, each with what took it up. Two queries."""
    found = defaultdict(list)
    rows = Recommendation.objects.filter(application__in=applications).order_by("application", "position")
    for row in rows.prefetch_related("taken_up__made__made_by"):
        found[row.application_id].append(row)
    return found


# --- Side by side, for staff -----------------------------------------------------------------------------------------


def proposals(meeting):
    """[(application, its Recommendations)] of those who spoke, with themes and what is said to take each up."""
    applications = list(
        speakers(meeting)
        .filter(erased_at=None)
        .with_state()
        .prefetch_related("themes")
        .order_by("seat__position", "pk")
    )
    found = _proposals(applications)
    return [(application, found[application.pk]) for application in applications]
