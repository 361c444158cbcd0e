"""Telling people that a meeting is called off, or has another date or place: its applicants, and the missions that
answered.

Room: missions; imports applications, mail and this room's models. A letter to one person each, written in the step's
own transaction (see `meetings`). An applicant's letter names no State, as none of theirs does: a mailbox may be
watched. A mission's carries the entry for the calendar, or takes it out.
"""

from collections import Counter
from dataclasses import dataclass, replace

from django.db.models import Prefetch
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from applications import letters, seat
from applications.mailings import again
from applications.models import Application
from missions import calendar, standing
from missions.models import Invitation, MissionAddress, Reply
from presessions.mail import corrections, languages, outbox, registry
from presessions.mail.letters import Unwritable
from presessions.mail.registry import Recipient
from presessions.upr.dates import day_of
from presessions.upr.models import CountryMeeting

OFF, MOVED = "meeting_off", "meeting_moved"
OFF_TO_MISSIONS, MOVED_TO_MISSIONS = "mission_meeting_off", "mission_meeting_moved"
TO_MISSIONS = (OFF_TO_MISSIONS, MOVED_TO_MISSIONS)
WAITS = (*Application.EDITABLE, Application.Status.WAITLISTED, *Application.HOLDS_SEAT)  # who still reckons with it

APPLICANTS = ngettext_lazy("%(n)s applicant", "%(n)s applicants", "n")
SPEAKERS = ngettext_lazy("%(n)s speaker who has a seat", "%(n)s speakers who have a seat", "n")
MISSIONS = ngettext_lazy("%(n)s mission that answered", "%(n)s missions that answered", "n")


@dataclass(frozen=True)
class Shown:
    """The letter in one language, as the first person who reads it would get it; None where it cannot be written."""

    language: str
    name: str
    readers: int
    text: object


@dataclass(frozen=True)
class Notice:
    """One kind of letter about one meeting, and to whom."""

    kind: str
    meeting: CountryMeeting
    people: list
    counted: object

    def __str__(self):
        return str(self.counted % {"n": len(self.people)})

    @property
    def with_calendar(self):
        return any(person.calendar for person in self.people)

    def put(self, now):
        for person in self.people:
            outbox.put(kind=self.kind, key=f"{self._about}{person.id}", recipient=person, now=now)

    @property
    def _about(self):
        return f"{self.kind}:{self.meeting.uid}:{self.stand}:{self.meeting.sequence}:"

    @property
    def stand(self):
        return standing.stand(self.meeting, for_missions=self.kind in TO_MISSIONS)

    def shown(self):
        """A Shown for each language that somebody reads, the most read first."""
        readers = Counter(languages.spoken(person.language) for person in self.people)
        return [self._shown(language, number) for language, number in readers.most_common()]

    def _shown(self, language, number):
        person = next(one for one in self.people if languages.spoken(one.language) == language)
        name = translation.get_language_info(languages.tag(language))["name_translated"]
        try:
            text = outbox.preview(self.kind, person)
        except Unwritable:
            text = None
        return Shown(languages.tag(language), str(name), number, text)


def of_calling_off(meeting, *, now):
    """Whom to tell that a meeting, called off by now, will not be held."""
    applications = _applications(meeting, WAITS)
    coming = _missions(meeting, Reply.objects.filter(meeting=meeting).exclude(answer=Reply.Answer.NO), now)
    return _some(
        Notice(OFF, meeting, [off(one) for one in applications], APPLICANTS),
        Notice(OFF_TO_MISSIONS, meeting, coming, MISSIONS),
    )


def of_moving(meeting, *, was, was_off, now, has_changed=False):
    """Whom to tell of a meeting's new date.

    was -- when it was to start before, or None; was_off -- it had been called off: then whoever was told that is told
    has_changed -- something of it has, and what is not said any more
    """
    facts = {"was": was, "after_all": was_off}
    applications = _applications(meeting, WAITS if was_off else Application.HOLDS_SEAT)
    replies = Reply.objects.filter(meeting=meeting)
    return _some(
        Notice(
            MOVED,
            meeting,
            [moved(one, meeting=meeting, **facts) for one in applications],
            APPLICANTS if was_off else SPEAKERS,
        ),
        Notice(
            MOVED_TO_MISSIONS, meeting, _missions(meeting, replies, now, has_changed=has_changed, **facts), MISSIONS
        ),
    )


def of_new_place(meeting, *, now, for_applicants=True):
    """Whom to tell of another room, venue or link, with the hour as it was: who comes, or may.

    for_applicants -- whether what they are told of the place has changed
    """
    seated = _applications(meeting, Application.HOLDS_SEAT) if for_applicants else []
    replies = Reply.objects.filter(meeting=meeting).exclude(answer=Reply.Answer.NO)
    speakers = [moved(one, meeting=meeting, new_place=True) for one in seated]
    return _some(
        Notice(MOVED, meeting, speakers, SPEAKERS),
        Notice(MOVED_TO_MISSIONS, meeting, _missions(meeting, replies, now, new_place=True), MISSIONS),
    )


def not_told_yet(meeting, *, now, only_place=False):
    """Whom nobody has told how a meeting stands now, as after a change of the programme.

    only_place -- its hour is as it was
    """
    if meeting.goes_ahead and not meeting.starts_at:
        return []
    if not meeting.goes_ahead:
        found = of_calling_off(meeting, now=now)
    elif only_place:
        found = of_new_place(meeting, now=now)
    else:
        found = of_moving(meeting, was=None, was_off=False, now=now, has_changed=True)
    return _some(*(replace(one, people=_untold(one)) for one in found))


def _untold(notice):
    for_missions = notice.kind in TO_MISSIONS
    kinds = TO_MISSIONS if for_missions else (OFF, MOVED)
    last = standing.told_last(notice.meeting, kinds, several=for_missions)
    people = [person for person in notice.people if last.get(person.id) != notice.stand]
    if not for_missions:
        return people
    answered = dict(Reply.objects.filter(meeting=notice.meeting).values_list("invitation__mission", "at"))
    return [one for one in people if not standing.knows_by_its_page(notice.meeting, answered[int(one.id)])]


def _some(*notices):
    return [notice for notice in notices if notice.people]


# --- To applicants ----------------------------------------------------------------------------------------------------


def _applications(meeting, statuses):
    """In the order in which they were begun; what staff enter for somebody is nobody's own yet."""
    those = Application.objects.for_meeting(meeting).filter(status__in=statuses, erased_at=None)
    those = those.exclude(status=Application.Status.DRAFT, received_at__isnull=False)
    return those.with_state().order_by("pk")


def off(application):
    """The recipient of the news that a meeting is off; None once it is on again, for "send again"."""
    meeting = application.meeting
    if meeting.goes_ahead:
        return None
    return letters.of_application(application, why=meeting.not_held_reason, has_seat=application.holds_seat)


def moved(application, *, meeting=None, was=None, after_all=False, new_place=False):
    """The recipient of a new date or place; None where there is none, for "send again".

    meeting -- the application's, with its series, where many are asked for
    """
    meeting = meeting or application.meeting
    if not meeting.goes_ahead or not meeting.starts_at:
        return None
    facts = {"meeting": meeting, "place": seat.place(meeting), "has_seat": application.holds_seat}
    return letters.of_application(application, was=was, after_all=after_all, new_place=new_place, **facts)


# --- To missions ------------------------------------------------------------------------------------------------------


def _missions(meeting, replies, now, **facts):
    """A Recipient for each mission of these replies that can be written to."""
    valid = MissionAddress.objects.valid(day_of(now))
    invitations = Invitation.objects.with_names().filter(pk__in=replies.values("invitation"), revoked_at=None)
    addresses = Prefetch("mission__addresses", valid, to_attr="valid_addresses")
    invitations = invitations.prefetch_related(addresses).order_by("mission__sort_key")
    return [_mission(one, meeting, now, **facts) for one in invitations if one.mission.valid_addresses]


def _mission(invitation, meeting, now, *, was=None, after_all=False, new_place=False, has_changed=False):
    mission = invitation.mission
    facts = {"meeting": meeting, "was": was, "after_all": after_all, "new_place": new_place, "has_changed": has_changed}
    with translation.override(languages.tag(languages.spoken(mission.language))):
        entry = calendar.entry(meeting, now=now) if meeting.starts_at else b""
    return Recipient(
        kind="mission",
        id=str(mission.pk),
        to=mission.valid_addresses[0].email,
        language=mission.language,
        context={"series": meeting.series, "mission": mission, **facts},
        link_target=invitation.reference,
        calendar=entry,
    )


def told(meetings):
    """Keys of the missions that a notice has told when each of these meetings is now, or that it is off: a set."""
    found = None
    for meeting in meetings:
        hour = standing.hour_of(standing.stand(meeting))
        last = standing.told_last(meeting, TO_MISSIONS, several=True)
        keys = {int(person) for person, said in last.items() if standing.hour_of(said) == hour}
        found = keys if found is None else found & keys
    return found or set()


def missions_know_dates(series):
    """Whether a mailing has told any mission when the meetings of a series are."""
    kinds = registry.PLANS["correction_missions", ""].corrects
    gone = [one for one in series.mailings.filter(kind__in=kinds) if corrections.has_told(one)]
    return corrections.told_by(gone).exists()


def _to_mission_again(letter):
    """For "send again": what holds today, while the letter still says so."""
    kind, uid, said = letter.key.split(":")[:3]
    meeting = CountryMeeting.objects.with_state().filter(uid=uid).first()
    if meeting is None or said != standing.stand(meeting) or meeting.goes_ahead != (kind == MOVED_TO_MISSIONS):
        return None
    return again_to(letter.recipient_id, [meeting], letter.created_at)


def again_to(mission, meetings, now):
    """The recipient of a letter about these meetings, for "send again"; None where there is nobody to write to."""
    replies = Reply.objects.filter(meeting__in=meetings, invitation__mission=mission)
    return next(iter(_missions(meetings[0], replies, now)), None)


# --- Registered with mail ---------------------------------------------------------------------------------------------

for _kind, _label, _recipient in (
    (OFF, _("meeting called off, to applicants"), off),
    (MOVED, _("new date or place of a meeting, to speakers"), moved),
):
    registry.occasion(_kind, label=_label, template=f"mail/{_kind}", link="application", rewrite=again(_recipient))
for _kind, _label in (
    (OFF_TO_MISSIONS, _("meeting called off, to missions")),
    (MOVED_TO_MISSIONS, _("new date or place of a meeting, to missions")),
):
    registry.occasion(_kind, label=_label, template=f"mail/{_kind}", link="invitation", rewrite=_to_mission_again)
