"""What follows when a letter to a mission comes back: the next address, or a person. Room: missions.

An address that does not work is marked, so that nothing more goes there. The letter's successor goes to the mission's
next address, with a link of its own. Where there is none, somebody has a task: no mission is ever dropped silently.
"""

from dataclasses import replace

from django.db.models import Q

from missions.models import Invitation, MissionAddress, MissionTask, PermanentMission
from presessions import trail
from presessions.mail import outbox, registry
from presessions.mail.models import Letter, Mailing
from presessions.upr.dates import day_of
from presessions.vault import normal_email

Reason = MissionTask.Reason


def bounced(letter, *, now, code, dead):
    """Mark an address that does not work, and see that the mission hears of it all the same."""
    mission = PermanentMission.objects.filter(pk=letter.recipient_id).first()
    if mission is None:
        return
    if dead:
        addresses = MissionAddress.objects.filter(mission=mission, bounced_at=None)
        if addresses.with_email(letter.to).update(bounced_at=now):
            trail.record(mission, "address_bounced", now=now)
    if _is_of_use(letter, now) and not letter.replaced_by.exists():  # sent again already: now that one counts
        _write_elsewhere(letter, mission, now, Reason.BOUNCED if dead else Reason.LOST)


def complained(letter, *, now):
    """Somebody of the mission called a letter unwanted: that is for a person to talk about."""
    MissionTask.objects.open_for(
        [int(letter.recipient_id)], series=_series_of(letter), reason=Reason.COMPLAINT, now=now, letter=letter
    )


def without_address(series, now):
    """Before the invitations go: a task for each mission of the register that has no valid address.

    A State that is known to have no mission in Geneva is nobody's task; nor is, again, one that somebody has reached.
    """
    missions = PermanentMission.objects.not_reachable(day_of(now)).exclude(in_geneva=PermanentMission.InGeneva.NO)
    missions = missions.exclude(tasks__series=series)
    MissionTask.objects.open_for(
        list(missions.values_list("pk", flat=True)), series=series, reason=Reason.NO_ADDRESS, now=now
    )


def _write_elsewhere(letter, mission, now, reason):
    address = _next_address(letter, mission, now)
    if address is None:
        MissionTask.objects.open_for([mission.pk], series=_series_of(letter), reason=reason, now=now, letter=letter)
        return
    recipient = registry.KINDS[letter.kind].rewrite(letter)
    if recipient:  # else it is not wanted any more, as a reminder after the answer
        outbox.put(
            kind=letter.kind,
            key=f"{_base(letter)}/{letter.copy + 1}",
            recipient=replace(recipient, to=address.email),
            now=now,
            mailing=letter.mailing,
            replaces=letter,
        )


def _next_address(letter, mission, now):
    """The first valid address that this letter, in all its copies, has not been sent to."""
    copies = Letter.objects.filter(Q(key=_base(letter)) | Q(key__startswith=f"{_base(letter)}/"))
    tried = {normal_email(to) for to in copies.values_list("to", flat=True)}
    valid = mission.addresses.valid(day_of(now))
    return next((address for address in valid if normal_email(address.email) not in tried), None)


def _is_of_use(letter, now):
    mailing, how = letter.mailing, registry.KINDS.get(letter.kind)
    if how is None or how.rewrite is None:
        return False
    return mailing is None or not (mailing.state == Mailing.State.CANCELLED or mailing.is_pointless(now))


def _base(letter):
    """The key that all copies of a letter begin with."""
    return letter.key.split("/")[0]


def _series_of(letter):
    if letter.mailing:
        return letter.mailing.series
    opens = letter.links.filter(purpose="invitation").values("target_id")
    invitation = Invitation.objects.select_related("series").filter(reference__in=opens).first()
    return invitation and invitation.series
