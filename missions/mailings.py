"""What missions are written to: invitation, briefing, reminder, thanks. Room: missions.

Invitation and briefing go to every Permanent Mission with an address, the State under Review's included, in the same
words. No applicant is named in any of these mails, nor how many there are.
"""

from collections import defaultdict
from datetime import timedelta

from django.db.models import Prefetch, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from missions import confirming, notices, returned
from missions.models import DoorNote, Invitation, MissionAddress, PermanentMission, Reply
from missions.rules import LINK_OPENS_AFTER, answers_offered, takes_answers
from presessions.mail import corrections, registry
from presessions.mail.models import Letter, Mailing
from presessions.mail.registry import Recipient
from presessions.upr.dates import closes_after, day_of
from presessions.upr.models import CountryMeeting

MISSIONS = ngettext_lazy("%(n)s Permanent Mission", "%(n)s Permanent Missions", "n")
INVITED_SINCE = timedelta(days=7)  # before the silent are reminded


def _told_to_missions(mailing, at):
    """The start of each meeting, as the letters list them."""
    return {
        meeting.uid: meeting.starts_at if meeting.goes_ahead else registry.OFF for meeting in mailing.series.meetings()
    }


@registry.mailing(
    "invitation",
    label=_("invitation"),
    audience=_("every Permanent Mission"),
    counted=MISSIONS,
    template="mail/invitation",
    months_before=("working_group", 1),
    latest=("first_meeting", 28),
    pointless_after="last_meeting",
    link="invitation",
    tells=_told_to_missions,
    order=20,
)
def invitations(mailing):
    """Every Permanent Mission in the register that can be written to, the State under Review's included. The others
    are somebody's task, once it is written."""
    if mailing.state == Mailing.State.WRITING:
        returned.without_address(mailing.series, mailing.writing_at)
    return _to_missions(mailing)


@registry.mailing(
    "briefing",
    label=_("briefing"),
    audience=_("every Permanent Mission"),
    counted=MISSIONS,
    template="mail/briefing",
    months_before=("working_group", 1),
    unless_later="invitation",
    link="invitation",
    tells=_told_to_missions,
    order=30,
)
def briefings(mailing):
    """The same audience a month before the Working Group: the agenda ahead, or what was held."""
    return _to_missions(mailing)


@registry.mailing(
    "reminder",
    label=_("reminder"),
    audience=_("Permanent Missions that have not answered"),
    counted=ngettext_lazy(
        "%(n)s Permanent Mission that has not answered", "%(n)s Permanent Missions that have not answered", "n"
    ),
    template="mail/reminder",
    days_before=("first_meeting", 7),
    pointless_after="last_meeting",
    lapses=True,
    link="invitation",
    order=60,
)
def reminders(mailing):
    """Those that the invitation or the briefing reached at least a week before, and that have answered nothing."""
    silent = Invitation.objects.not_answered().filter(
        series=mailing.series, revoked_at=None, mission__in=_reached(mailing.series, _moment(mailing) - INVITED_SINCE)
    )
    return _to_missions(mailing, among=silent.values("mission"))


def _reached(series, by):
    """Keys of the missions that a letter with the link had reached by then, or may have: written is not sent."""
    letters = Letter.objects.filter(
        mailing__series=series, kind__in=("invitation", "briefing"), recipient_kind="mission"
    ).filter(Q(state=Letter.State.SENT, sent_at__lte=by) | Q(state=Letter.State.UNCERTAIN, uncertain_at__lte=by))
    return list(letters.values_list("recipient_id", flat=True))


@registry.mailing(
    "thanks_missions",
    label=_("thanks to missions"),
    audience=_("Permanent Missions that came: as noted at the door, or, if nothing was noted there, as they had said"),
    counted=ngettext_lazy("%(n)s Permanent Mission that came", "%(n)s Permanent Missions that came", "n"),
    template="mail/thanks_missions",
    days_after=("last_meeting", 1),
    pointless_after="working_group_end",
    lapses=True,
    outlives=True,
    link="invitation",
    order=80,
)
def thanks_to_missions(mailing):
    return _to_missions(mailing, among=came(mailing.series))


def came(series):
    """The missions that came to a meeting of the series, as noted at the door; where nobody has noted anything there:
    that had said they would."""
    held = CountryMeeting.objects.for_series(series).going_ahead().order_by().values("pk")
    if DoorNote.objects.filter(meeting__in=held).exists():
        return DoorNote.objects.came(held).order_by().values("mission")
    said_so = Reply.objects.filter(invitation__series=series, answer__in=Reply.COMES, meeting__in=held)
    return said_so.values("invitation__mission")


@registry.correction(
    "correction_missions",
    corrects=("invitation", "briefing"),
    label=_("correction to missions"),
    audience=_("Permanent Missions that were told other dates"),
    counted=MISSIONS,
    template="mail/correction_missions",
    link="invitation",
)
def correction_to_missions(mailing):
    """Those that the invitation or the briefing has reached, and that no notice has told all of it."""
    was = corrections.changes(mailing, _moment(mailing))
    meetings = list(mailing.series.meetings().with_state())
    changed = [(meeting, was[meeting.uid]) for meeting in meetings if meeting.uid in was]
    unchanged = any(meeting.goes_ahead and meeting.uid not in was for meeting in meetings)
    told = notices.told([meeting for meeting, _was in changed])
    reached = [key for kind, key in corrections.reached(mailing) if kind == "mission" and int(key) not in told]
    return _to_missions(mailing, among=reached, changed=changed, unchanged=unchanged)


def _moment(mailing):
    """The instant that a mailing speaks of: when it is written, or, looked at before, when it will be."""
    return mailing.writing_at or max(timezone.now(), mailing.due_at or timezone.now())


def _to_missions(mailing, among=None, **context):
    """One letter to each mission, at the first address that is valid that day.

    among -- keys of the missions; all of the register when not said
    The Invitation that the letter's link opens is written down when the letters are; a preview or a count writes none.
    """
    writing = mailing.state == Mailing.State.WRITING
    now = mailing.writing_at if writing else timezone.now()
    today = day_of(now)
    reachable = PermanentMission.objects.reachable(today).with_state()
    if among is not None:
        reachable = reachable.filter(pk__in=among)
    missions = list(
        reachable.prefetch_related(
            Prefetch("addresses", MissionAddress.objects.valid(today), to_attr="valid_addresses")
        )
    )
    invitations = Invitation.objects
    writes_down = writing and registry.KINDS[mailing.kind].link == "invitation"
    known = (
        invitations.write_down(mailing.series, missions, now) if writes_down else invitations.by_mission(mailing.series)
    )
    meetings = list(mailing.series.meetings().with_state())
    offered = {answer for one in meetings if one.goes_ahead for answer in answers_offered(one, mailing.series.format)}
    programme = {
        "both_ways": {"in_person", "online"} <= offered,
        "meetings": [meeting for meeting in meetings if takes_answers(meeting, now)],
        "held": [meeting for meeting in meetings if meeting.goes_ahead and not takes_answers(meeting, now)],
        "called_off": [meeting for meeting in meetings if not meeting.goes_ahead],
    }
    for mission in missions:
        invitation = known.get(mission.pk)
        yield Recipient(
            kind="mission",
            id=str(mission.pk),
            to=mission.valid_addresses[0].email,
            language=mission.language,
            context={"mission": mission, "own": _own(mission, meetings), **programme, **context},
            link_target=invitation and invitation.reference,
            since=invitation and invitation.created_at,
        )


@registry.without_address("invitation", "briefing")
def without_address(mailing, now):
    """Missions that nobody can write to: they are invited by other means, and not forgotten in the sums."""
    today = day_of(now)
    return [("mission", str(pk)) for pk in PermanentMission.objects.not_reachable(today).values_list("pk", flat=True)]


def _own(mission, meetings):
    """The meeting on the mission's own State, if this series has one."""
    return next((meeting for meeting in meetings if meeting.state.pk == mission.state_id), None)


def _still_wanted(letter):
    """Not when the mission has left the register; nor is one reminded that has answered, nor told what it has answered
    anew since."""
    if letter.kind == "reminder" and letter.mailing_id:
        answered = Invitation.objects.answered().filter(mission=letter.recipient_id)
        if answered.filter(series__mailings=letter.mailing_id).exists():
            return False
    if confirming.is_overtaken(letter):
        return False
    return PermanentMission.objects.filter(pk=letter.recipient_id).exists()


def _has_address(letter):
    """Whether the address is still one of the mission's: since the letter was written staff may have struck it out, or
    another letter may have come back from there. `returned` then finds the next one."""
    addresses = MissionAddress.objects.filter(mission=letter.recipient_id).with_email(letter.to)
    return addresses.filter(bounced_at=None).exists()


def _admin_url(letter):
    return reverse("admin:missions_permanentmission_change", args=[letter.recipient_id])


def _find(text):
    """Missions by their own name or their State's, in any of the six languages."""
    return PermanentMission.objects.named_like(text).values_list("pk", flat=True)


def _label(letters):
    asked = {letter.recipient_id for letter in letters if letter.recipient_id.isdecimal()}
    return {str(mission.pk): mission.name for mission in PermanentMission.objects.with_state().filter(pk__in=asked)}


registry.recipient(
    "mission",
    still_wanted=_still_wanted,
    has_address=_has_address,
    admin_url=_admin_url,
    find=_find,
    label=_label,
    on_bounce=returned.bounced,
    on_complaint=returned.complained,
)


def _expires(link):
    invitation = Invitation.objects.select_related("series__session").filter(reference=link.target_id).first()
    return invitation and links_end(invitation.series)


def links_end(series):
    """30 days after the Working Group, which the briefing serves; open as long as its dates are unknown."""
    ends_on = series.session.ends_on
    return ends_on and closes_after(ends_on) + LINK_OPENS_AFTER


def _answered(link):
    return Invitation.objects.filter(reference=link.target_id).values_list("answered_at", flat=True).first()


registry.link_purpose(
    "invitation",
    path=lambda token: reverse("missions:invitation", args=[token]),
    expires=_expires,
    answered=_answered,
    counted=True,
)


# --- What would be open -----------------------------------------------------------------------------------------------


@registry.open_at
def open_invitations(instant):
    """Each series of which invitations written by that instant, or due by then, take answers to a meeting."""
    ahead = defaultdict(int)
    for meeting in CountryMeeting.objects.going_ahead().exclude(state_under_review__session__series=None).with_state():
        ahead[meeting.series] += takes_answers(meeting, instant)
    invited = Mailing.objects.filter(kind="invitation").exclude(state__in=(Mailing.State.HELD, Mailing.State.CANCELLED))
    gone = invited.filter(Q(writing_at__lte=instant) | Q(writing_at=None, due_at__lte=instant))
    sent = set(gone.values_list("series", flat=True))
    for series, meetings in ahead.items():
        if meetings and series.pk in sent:
            yield registry.Open(
                gettext("Invitations, %(series)s") % {"series": series},
                ngettext("%(n)s meeting takes answers", "%(n)s meetings take answers", meetings) % {"n": meetings},
                reverse("admin:upr_series_answers", args=[series.pk]),
            )
