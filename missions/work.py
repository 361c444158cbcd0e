"""Which missions wait for staff, and how many the mailings of this room go to, in numbers. Room: missions; reads,
never writes.
"""

from django.db.models import CharField, Count, Exists, OuterRef, Q
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils import timezone

from applications.mailings.moments import moment
from missions import checking
from missions.mailings import INVITED_SINCE
from missions.models import DoorNote, Invitation, MissionAddress, MissionTask, PermanentMission, Reply
from missions.not_told import of_series as not_told  # noqa: F401 -- for whoever counts what waits
from presessions.mail import registry
from presessions.mail.models import Letter
from presessions.upr.dates import day_of
from presessions.upr.models import CountryMeeting


def not_reached():
    """How many missions somebody has to reach by other means."""
    return MissionTask.objects.open().count()


def not_reached_address():
    return reverse("admin:missions_missiontask_changelist")


def not_checked(now):
    """How many missions have not said for a year that what we have of them is right."""
    return checking.not_checked(now).count()


def not_checked_address():
    return f"{reverse('admin:missions_permanentmission_changelist')}?checked=no&reached=yes"


def checks_to_settle():
    """How many missions wait for changes that they have asked for."""
    return checking.to_settle().count()


def checks_address():
    return reverse("admin:missions_registercheck_changelist")


def answered_of_series(series):
    """{series' key: (missions that were invited, those of them that have answered)}."""
    rows = Invitation.objects.filter(series__in=series).order_by().values_list("series")
    counted = rows.annotate(Count("pk"), answered=Count("pk", filter=~Q(answered_at=None)))
    return {pk: (invited, answered) for pk, invited, answered in counted}


# --- As the audiences in `mailings` do -------------------------------------------------------------------------------


def _reachable():
    today = day_of(timezone.now())
    return PermanentMission.objects.reachable(today)


@registry.number_of("invitation", "briefing")
def of_all(mailings):
    return dict.fromkeys([mailing.pk for mailing in mailings], _reachable().count())


@registry.number_of("reminder")
def of_the_silent(mailings):
    asked = {}
    for mailing in mailings:
        by = moment(mailing) - INVITED_SINCE
        letters = Letter.objects.filter(mailing__series=mailing.series_id, kind__in=("invitation", "briefing"))
        letters = letters.filter(recipient_kind="mission", recipient_id=Cast(OuterRef("mission"), CharField()))
        sent = Q(state=Letter.State.SENT, sent_at__lte=by) | Q(state=Letter.State.UNCERTAIN, uncertain_at__lte=by)
        asked[f"n{mailing.pk}"] = Count("pk", filter=Q(series=mailing.series_id) & Exists(letters.filter(sent)))
    valid = MissionAddress.objects.valid(day_of(timezone.now()))
    open_to = Invitation.objects.not_answered().filter(Exists(valid.filter(mission=OuterRef("mission"))))
    found = open_to.filter(revoked_at=None).aggregate(**asked)
    return {mailing.pk: found[f"n{mailing.pk}"] for mailing in mailings}


@registry.number_of("thanks_missions")
def of_those_who_came(mailings):
    asked, noted = {}, _noted_at_the_door()
    for mailing in mailings:
        held = CountryMeeting.objects.for_series(mailing.series).going_ahead().order_by().values("pk")
        if mailing.series_id in noted:
            there = DoorNote.objects.came(held).filter(mission=OuterRef("pk"))
        else:
            said_so = Reply.objects.filter(invitation__series=mailing.series_id, answer__in=Reply.COMES)
            there = said_so.filter(meeting__in=held, invitation__mission=OuterRef("pk"))
        asked[f"n{mailing.pk}"] = Count("pk", filter=Exists(there))
    found = _reachable().aggregate(**asked)
    return {mailing.pk: found[f"n{mailing.pk}"] for mailing in mailings}


def _noted_at_the_door():
    """Keys of the series at whose meetings somebody has noted who came."""
    held = CountryMeeting.objects.going_ahead().filter(Exists(DoorNote.objects.filter(meeting=OuterRef("pk"))))
    return set(held.order_by().values_list("state_under_review__session__series", flat=True).distinct())
