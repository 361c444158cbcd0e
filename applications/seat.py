"""What follows once an application is accepted: the seat is confirmed or given up, the speaker replaced, needs told,
papers handed in, and what may be published asked again. Room: applications; imports its letters and models.

All of it can be done until the meeting begins. The clock throws nobody out: an answer that comes late is still an
answer, while staff see that it is late and may offer the seat to somebody else.
"""

from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from applications import letters, rules
from applications.models import Application, Attachment, Consent, Needs, Seat, Speaker
from applications.models.parts import CONSENT_WORDING
from applications.steps import refusals_noted
from presessions import retention, trail, vault
from presessions.trail.steps import WrongStep
from presessions.upr import dates
from presessions.upr.models import CountryMeeting
from presessions.upr.names import fold

Status, Item, Kind = Application.Status, Consent.Item, Attachment.Kind

HOLDS = Application.HOLDS_SEAT
DAYS_BEFORE_MEETING = 2  # the last day to confirm a seat, so that somebody else can still be asked
OF_THE_PERSON = (Item.NAME, Item.PHOTO, Item.RECORDING)  # somebody else decides these anew
OF_THE_PAPER = {kind: Consent.OF_THE_PAPER[kind] for kind in (Kind.STATEMENT, Kind.FACT_SHEET)}  # each text anew
OF_AGE = 18


# --- Until when ------------------------------------------------------------------------------------------------------


def confirm_by(application, released_at):
    """The first instant too late to confirm a seat offered at this one: Call.confirm_days later, and two days before
    the meeting where its hour is known. Never before the day of the answer is over, unless the meeting comes first."""
    offered_on = dates.day_of(released_at)
    last_day = dates.days_before(offered_on, -application.state_call.call.confirm_days)
    starts_at = application.meeting.starts_at
    if starts_at is None:
        return dates.closes_after(last_day)
    latest = dates.days_before(dates.day_of(starts_at), DAYS_BEFORE_MEETING)
    return min(dates.closes_after(max(min(last_day, latest), offered_on)), starts_at)


def papers_due_on(meeting, lead_days):
    """The last day for statements and fact sheets; None while the day of the meeting is not known, or it is off."""
    if lead_days is None or meeting.starts_at is None or not meeting.goes_ahead:
        return None
    return dates.days_before(dates.day_of(meeting.starts_at), lead_days)


def due_on(application):
    """The last day for this application's statement and fact sheet, or None."""
    return papers_due_on(application.meeting, application.state_call.call.statement_lead_days)


def with_paper(kind):
    """Keys of applications whose paper of a kind we hold, being looked at or looked at; a refused one is none."""
    return Attachment.objects.counting().filter(kind=kind).order_by().values("application")


def minutes_each(meeting):
    """Whole minutes for each accepted speaker; None while nobody can say, as when too many are accepted."""
    speakers = Application.objects.for_meeting(meeting).filter(status__in=HOLDS).count()
    try:
        return rules.speaking_minutes(speakers, meeting=meeting.minutes)
    except (ValueError, ZeroDivisionError):
        return None


def place(meeting):
    """Room and venue as staff wrote them; "" online, and while the room is not known."""
    virtual = meeting.series.format == meeting.series.Format.VIRTUAL
    return "" if virtual or not meeting.room else ", ".join(filter(None, [meeting.room, meeting.series.venue]))


def days_in_geneva(meeting):
    """(first, last) day that a letter for a visa vouches for: the whole series where its days are known, because
    speakers meet missions all week; else the meeting's own. None while no day is known."""
    series = meeting.series
    if series.first_day and series.last_day:
        return series.first_day, series.last_day
    if meeting.starts_at:
        day = dates.day_of(meeting.starts_at)
        return day, day
    return None


def is_open(application, now):
    """Whether the seat's answers can still be given: the meeting lies ahead."""
    return application.holds_seat and not why_closed(application.meeting, now)


def why_closed(meeting, now):
    """Why nothing about a seat can be changed any more, in words; "" while it can."""
    if not meeting.goes_ahead:
        return _("This meeting will not be held.")
    if meeting.status == CountryMeeting.Status.HELD or (meeting.starts_at and meeting.starts_at <= now):
        return _("The meeting has begun or is over, so nothing can be changed here any more.")
    return ""


def is_late(application, now):
    """Accepted, and the date by which the seat was to be confirmed has passed."""
    by = application.confirm_by
    return application.status == Status.ACCEPTED and by is not None and by <= now


def letter_for_visa(application, needs, now):
    """What a letter for a visa still waits for, in words; "" when it can be made."""
    if needs is None or not needs.visa_letter:
        return _("Tell us first that the speaker needs a letter for a visa.")
    if application.status != Status.CONFIRMED:
        return _("Please confirm your seat first. Then the letter can be made.")
    if not needs.has_passport:
        return _("The letter needs the data of the passport. Please enter them first.")
    if not is_of_the_speaker(application, needs.passport_name):
        return _(
            "The letter is for the speaker only, but the name in the passport and the speaker’s name have no word in "
            "common. Correct the name that is wrong, with its Latin letters, or write to us."
        )
    if days_in_geneva(application.meeting) is None:
        return _("The days of the meetings are not known yet. The letter can be made as soon as they are.")
    return why_closed(application.meeting, now)


def is_of_the_speaker(application, passport_name):
    """Whether the name of a passport and the speaker's, as staff have seen it, have a word in common. A name that was
    given in other letters only has none."""
    name = application.speaker.full_name if application.speaker else ""
    known, read = ({word for word in fold(text).split() if len(word) > 1} for text in (name, passport_name))
    return bool(known & read)


def years_between(born_on, day):
    """Somebody's age on a day."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def contradicts_age(application, born_on, today):
    """Whether a date of birth says otherwise than the speaker's tick "under 18". Who was under 18 when the application
    was sent may have come of age since."""
    if application.speaker and application.speaker.under_18:
        sent = dates.day_of(application.submitted_at) if application.submitted_at else today
        return years_between(born_on, sent) >= OF_AGE
    return years_between(born_on, today) < OF_AGE


def minutes_in_words(minutes):
    """6.5 as people write it: "6½"."""
    whole, half = divmod(round(minutes * 2), 2)
    return f"{whole or ''}{'½' if half else ''}" or "0"


# --- Steps of who was accepted ---------------------------------------------------------------------------------------


def confirm(application, *, now):
    """The speaker comes. Raises WrongStep."""
    _step(
        application, "seat_confirmed", (Status.ACCEPTED,), now=now,
        also=lambda: letters.send_seat_confirmed(application, now=now),
        status=Status.CONFIRMED, seat_answered_at=now, cleared_at=None,
    )  # fmt: skip


def give_up(application, *, now, reason=""):
    """Leave the seat to somebody else, before or after confirming it. What was told of passports and needs is
    forgotten at once. Raises WrongStep."""

    def also():
        Needs.objects.filter(application=application).delete()
        Seat.leave(application, now=now)
        letters.send_seat_given_up(application, now=now)

    _step(
        application, "seat_given_up", HOLDS, now=now, reason=reason, also=also,
        status=Status.RELEASED, seat_answered_at=now,
    )  # fmt: skip


def as_seen(application):
    """A mark of who was to speak when a page was made, so that one press does not replace somebody twice."""
    speaker = application.speaker
    return salted_hmac("speaker as seen", str(speaker and speaker.pk), algorithm="sha256").hexdigest()[:20]


def replace_speaker(application, *, now, seen, person=None):
    """Let somebody else speak. Raises WrongStep.

    person -- answers about somebody new; None: the replacement named in the application takes over
    seen -- what `as_seen` said when the page was made
    """

    def also():
        if as_seen(application) != seen:  # the UPDATE before us holds the application's row
            raise WrongStep(_("The speaker has been changed meanwhile. Please look again."))
        replacement = application.replacement
        if person is None and replacement is None:
            raise WrongStep(_("No replacement is named any more. Please enter who will speak."))
        people = application.speakers.filter(replaced_at=None)
        people.filter(role=Speaker.Role.SPEAKER).update(replaced_at=now)
        if person is None:
            people.filter(pk=replacement.pk).update(role=Speaker.Role.SPEAKER)
        else:
            facts = {name: person[name] for name in Speaker.ANSWERS if name in person}
            Speaker.objects.create(application=application, role=Speaker.Role.SPEAKER, **facts)
        # The passport and the needs were those of somebody else, and so was the leave to show a face.
        Needs.objects.filter(application=application).delete()
        _end_consents(application, OF_THE_PERSON, now)

    _step(application, "speaker_replaced", HOLDS, now=now, also=also, changed_at=now, cleared_at=None)


def save_needs(application, facts, *, now):
    """Keep what the speaker needs; returns the Needs. Data of the passport stay only while a letter for a visa or a
    badge is wanted. Raises WrongStep."""

    def also():
        kept = {name: facts[name] for name in Needs.ANSWERS if name in facts}
        if not (kept.get("visa_letter") or kept.get("badge")):
            kept |= dict.fromkeys(Needs.PASSPORT, "")
        needs, _new = Needs.objects.update_or_create(application=application, defaults={**kept, "saved_at": now})
        if "attends" in facts:
            application.speakers.filter(role=Speaker.Role.SPEAKER, replaced_at=None).update(attends=facts["attends"])
        return needs

    return _step(application, "saved_needs", HOLDS, now=now, also=also, changed_at=now)


def save_passport(application, facts, *, now):
    """Keep the data of the passport. Raises WrongStep, also where neither a letter for a visa nor a badge is wanted."""

    def also():
        wanting = Needs.objects.wanting_papers().filter(application=application)
        needs = wanting.select_for_update().first()
        if needs is None:
            raise WrongStep(_("Tell us first whether you need a letter for a visa or a badge."))
        for name in Needs.PASSPORT:
            setattr(needs, name, facts[name])
        needs.saved_at = now
        needs.save()

    _step(application, "saved_passport", HOLDS, now=now, also=also, changed_at=now)


def as_asked(application):
    """A mark of whose face and which versions of the papers a page asked about, so that nothing is cleared unseen."""
    papers = sorted((kind, file.pk) for kind, file in application.papers().items())
    return salted_hmac("asked about", f"{as_seen(application)} {papers}", algorithm="sha256").hexdigest()[:20]


def publish_again(application, items, *, now, seen=None):
    """Answer anew, by somebody whose seat is confirmed, what may be published. Also when the meeting is over: leave can
    always be taken back. Raises WrongStep.

    items -- what may be; leave for everything else ends. Each answer is a row of its own: the rows are the proof, and
             that for a paper names its version.
    seen -- what `as_asked` said when the page was made; None where nothing can have changed since
    """

    def also():
        if seen is not None and as_asked(application) != seen:  # the UPDATE before us holds the application's row
            raise WrongStep(_("Something has changed meanwhile. Please look again."))
        papers = {OF_THE_PAPER[kind]: file for kind, file in application.papers().items()}
        given = {"application": application, "wording": CONSENT_WORDING, "cleared": True, "given_at": now}
        _end_consents(application, Item.values, now)
        Consent.objects.bulk_create(
            Consent(item=item, paper=papers.get(item), **given)
            for item in sorted(items)
            if item in papers or item not in OF_THE_PAPER.values()
        )

    with refusals_noted(application, "cleared", now=now):
        application.step((Status.CONFIRMED,), "cleared", now=now, also=also, cleared_at=now)


def receive(application, upload, kind, verdict, *, now):
    """Keep a statement or a fact sheet that was let in, as the next version of its kind; returns the Attachment. Late
    ones are taken until the meeting, and marked. The same file once more changes nothing. Raises WrongStep, and keeps
    nothing then."""
    last_day = due_on(application)
    late = bool(last_day and dates.closes_after(last_day) <= now)
    kept = []

    def step():
        known = set(application.attachments.filter(kind=kind).values_list("pk", flat=True))
        attachment = application.attach(upload, kind, verdict, now=now, before=HOLDS, open_only=False, late=late)
        kept.append(attachment.stored)
        if attachment.pk not in known:  # or it is the same file once more, from a second click
            _end_consents(application, [OF_THE_PAPER[kind]], now)
            Application.objects.filter(pk=application.pk).update(cleared_at=None)
            letters.send_paper_received(application, attachment, now=now)
        return attachment

    try:
        return _take(application, f"attached_{kind}", HOLDS, now=now, step=step)
    except Exception:
        for name in kept:
            if not Attachment.objects.filter(stored=name).exists():
                vault.storage.delete(name)
        raise


def _end_consents(application, items, now):
    application.consents.filter(item__in=items).take_back(application, now=now)


def _step(application, code, before, *, now, also=None, reason="", **facts):
    return _take(
        application, code, before, now=now,
        step=lambda: application.step(before, code, now=now, reason=reason, also=also, **facts),
    )  # fmt: skip


def _take(application, code, before, *, now, step):
    """Take a step while the meeting lies ahead."""
    with refusals_noted(application, code, now=now):
        closed = why_closed(CountryMeeting.objects.get(pk=application.meeting.pk), now)
        if closed and application.status in before:
            raise WrongStep(closed)
        return step()


# --- What is forgotten by the clock ----------------------------------------------------------------------------------


def forget_needs(now):
    """Erase passports and needs some days after the meeting, and of everybody who has no seat any more; returns how
    many. See the rule "needs" of `retention`, which carries it out at night as well."""
    return forget_some_needs(retention.RULES["needs"].due(now), now=now)


def forget_some_needs(rows, *, now):
    with transaction.atomic():
        rows = list(rows.select_related("application"))
        for needs in rows:
            needs.delete()
            trail.record(needs.application, "needs_forgotten", now=now)
    return len(rows)
