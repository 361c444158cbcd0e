"""Telling people that a meeting is called off, or has another date: its applicants, and the missions that answered.

Room: missions; imports applications, mail and this room's models. A letter to one person each, written in the step's
own transaction (see `meetings`). An applicant's letter names no State, as none of theirs does: a mailbox may be
watched. A mission's carries the entry for the calendar, or takes it out.
"""

from collections import Counter
from dataclasses import dataclass, replace

from django.db.models import Prefetch, Q
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from applications import letters, seat
from applications.mailings import again
from applications.models import Application
from missions import calendar
from missions.models import Invitation, MissionAddress, Reply
from presessions.mail import corrections, languages, outbox, registry
from presessions.mail.letters import Unwritable
from presessions.mail.models import Letter
from presessions.mail.registry import Recipient
from presessions.upr.dates import GENEVA
from presessions.upr.models import CountryMeeting

OFF, MOVED = "meeting_off", "meeting_moved"
OFF_TO_MISSIONS, MOVED_TO_MISSIONS = "mission_meeting_off", "mission_meeting_moved"
PAIRS = {kind: pair for pair in ((OFF, MOVED), (OFF_TO_MISSIONS, MOVED_TO_MISSIONS)) for kind in pair}
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
        return f"{about(self.kind, self.meeting)}{self.meeting.sequence}:"

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


def about(kind, meeting):
    """How the keys begin of letters that tell how a meeting stands now."""
    stands = int(meeting.starts_at.timestamp()) if meeting.goes_ahead and meeting.starts_at else "off"
    return f"{kind}:{meeting.uid}:{stands}:"


def of_calling_off(meeting, *, now):
    """Whom to tell that a meeting, called off by now, will not be held."""
    applications = _applications(meeting, WAITS)
    coming = _missions(meeting, Reply.objects.filter(meeting=meeting).exclude(answer=Reply.Answer.NO), now)
    return _some(
        Notice(OFF, meeting, [off(one) for one in applications], APPLICANTS),
        Notice(OFF_TO_MISSIONS, meeting, coming, MISSIONS),
    )


def of_moving(meeting, *, was, was_off, now):
    """Whom to tell of a meeting's new date.

    was -- when it was to start before, or None; was_off -- it had been called off: then whoever was told that is told
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
        Notice(MOVED_TO_MISSIONS, meeting, _missions(meeting, replies, now, **facts), MISSIONS),
    )


def not_told_yet(meeting, *, now):
    """Whom nobody has told how a meeting stands now, as after a change of the programme."""
    if meeting.goes_ahead and not meeting.starts_at:
        return []
    if meeting.goes_ahead:
        found = of_moving(meeting, was=None, was_off=False, now=now)
    else:
        found = of_calling_off(meeting, now=now)
    return _some(*(replace(one, people=_untold(one)) for one in found))


def _untold(notice):
    last, stands = _told_last(notice.meeting, PAIRS[notice.kind]), about(notice.kind, notice.meeting)
    return [person for person in notice.people if not last.get(person.id, "").startswith(stands)]


def _told_last(meeting, kinds):
    """{id: key of the letter that told them last how the meeting stands}."""
    of_these = Q()
    for kind in kinds:
        of_these |= Q(key__startswith=f"{kind}:{meeting.uid}:")
    letters = Letter.objects.filter(of_these, state__in=corrections.ARRIVES)
    return dict(letters.order_by("pk").values_list("recipient_id", "key"))


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


def moved(application, *, meeting=None, was=None, after_all=False):
    """The recipient of a new date; None where there is none, for "send again".

    meeting -- the application's, with its series, where many are asked for
    """
    meeting = meeting or application.meeting
    if not meeting.goes_ahead or not meeting.starts_at:
        return None
    facts = {"meeting": meeting, "place": seat.place(meeting), "has_seat": application.holds_seat}
    return letters.of_application(application, was=was, after_all=after_all, **facts)


# --- To missions ------------------------------------------------------------------------------------------------------


def _missions(meeting, replies, now, **facts):
    """A Recipient for each mission of these replies that can be written to."""
    valid = MissionAddress.objects.valid(now.astimezone(GENEVA).date())
    invitations = Invitation.objects.with_names().filter(pk__in=replies.values("invitation"), revoked_at=None)
    addresses = Prefetch("mission__addresses", valid, to_attr="valid_addresses")
    invitations = invitations.prefetch_related(addresses).order_by("mission__sort_key")
    return [_mission(one, meeting, now, **facts) for one in invitations if one.mission.valid_addresses]


def _mission(invitation, meeting, now, *, was=None, after_all=False):
    mission = invitation.mission
    with translation.override(languages.tag(languages.spoken(mission.language))):
        entry = calendar.entry(meeting, now=now) if meeting.starts_at else b""
    return Recipient(
        kind="mission",
        id=str(mission.pk),
        to=mission.valid_addresses[0].email,
        language=mission.language,
        context={"series": meeting.series, "mission": mission, "meeting": meeting, "was": was, "after_all": after_all},
        link_target=invitation.reference,
        calendar=entry,
    )


def told(meetings):
    """Keys of the missions that a notice has told how each of these meetings stands now: a set."""
    found = None
    for meeting in meetings:
        stands = about(MOVED_TO_MISSIONS if meeting.goes_ahead else OFF_TO_MISSIONS, meeting)
        last = _told_last(meeting, PAIRS[OFF_TO_MISSIONS])
        keys = {int(person) for person, key in last.items() if key.startswith(stands)}
        found = keys if found is None else found & keys
    return found or set()


def missions_know_dates(series):
    """Whether a mailing has told any mission when the meetings of a series are."""
    kinds = registry.PLANS["correction_missions", ""].corrects
    gone = [one for one in series.mailings.filter(kind__in=kinds) if corrections.has_told(one)]
    return corrections.told_by(gone).exists()


def _to_mission_again(letter):
    """For "send again": what holds today, while the letter still says so."""
    _kind, uid, stands = letter.key.split(":")[:3]
    meeting = CountryMeeting.objects.with_state().filter(uid=uid).first()
    if meeting is None or about(letter.kind, meeting) != f"{letter.kind}:{uid}:{stands}:":
        return None
    replies = Reply.objects.filter(meeting=meeting, invitation__mission=letter.recipient_id)
    return next(iter(_missions(meeting, replies, letter.created_at)), None)


# --- Registered with mail ---------------------------------------------------------------------------------------------

for _kind, _label, _recipient in (
    (OFF, _("meeting called off, to applicants"), off),
    (MOVED, _("new date of a meeting, to speakers"), moved),
):
    registry.occasion(_kind, label=_label, template=f"mail/{_kind}", link="application", rewrite=again(_recipient))
for _kind, _label in (
    (OFF_TO_MISSIONS, _("meeting called off, to missions")),
    (MOVED_TO_MISSIONS, _("new date of a meeting, to missions")),
):
    registry.occasion(_kind, label=_label, template=f"mail/{_kind}", link="invitation", rewrite=_to_mission_again)
