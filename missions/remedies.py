"""What staff do about a mission that mail does not reach: a new address, the mark of a bounce taken away, the letter
once more. Room: missions; imports mail. Each step is guarded, leaves an event and refuses in words.
"""

from django.db import IntegrityError, transaction
from django.db.models import Exists, Max, OuterRef
from django.utils.translation import gettext as _

from missions import keeping
from missions.models import MissionAddress
from presessions import trail
from presessions.mail import registry, repairs
from presessions.mail.models import Letter, Mailing
from presessions.trail.steps import WrongStep
from presessions.upr.dates import day_of

WITH_A_LINK = ("invitation", "briefing")


def add_address(mission, *, email, role, by, now):
    """One more address, after the others. Raises WrongStep where it stands there already."""
    last = mission.addresses.aggregate(last=Max("position"))["last"] or 0
    try:
        with transaction.atomic():
            address = mission.addresses.create(email=email, role=role, position=last + 1)
            trail.record(mission, keeping.ADDED, now=now, by=by)
    except IntegrityError:
        trail.record(mission, keeping.ADDED, now=now, by=by, refused=True)
        raise WrongStep(_("This address stands here already.")) from None
    return address


def works_again(mission, key, *, by, now, reason=""):
    """Take the mark of a bounce away: letters go there again. Raises WrongStep."""
    with transaction.atomic():
        marked = MissionAddress.objects.filter(mission=mission, pk=key).exclude(bounced_at=None)
        moved = marked.update(bounced_at=None)
        trail.record(mission, keeping.WORKS, now=now, by=by, refused=not moved, reason=reason)
    if not moved:
        raise WrongStep(_("This address is not marked as bounced any more."))


def send_again(mission, key, *, by, now, reason=""):
    """One of its letters once more, to where the mission is reached today. Raises WrongStep."""
    letter = Letter.objects.filter(recipient_kind="mission", recipient_id=str(mission.pk), pk=key).first()
    if letter is None:
        raise WrongStep(_("This letter is not one to this mission."))
    if not mission.addresses.valid(day_of(now)).exists():
        trail.record(letter, "send_again", now=now, by=by, refused=True)
        raise WrongStep(_("The mission has no valid address yet. Add one, or take the mark of a bounce away."))
    return repairs.send_again(letter, by=by, now=now, reason=reason)


def with_replaced(letters):
    """The letters, each with what `may_be_sent_again` asks about it."""
    return letters.annotate(replaced=Exists(Letter.objects.filter(replaces=OuterRef("pk"))))


def may_be_sent_again(letter):
    how = registry.KINDS.get(letter.kind)
    return letter.state in Letter.SETTLED and bool(how and how.rewrite) and not letter.replaced


def not_written(mission, series, now):
    """The mailing of the series that would bring this mission its link, has gone, and was not written to it; or None
    where there is none, or no address yet."""
    if series is None or not mission.addresses.valid(day_of(now)).exists():
        return None
    gone = Mailing.objects.with_series().filter(series=series, kind__in=WITH_A_LINK)
    gone = gone.filter(state__in=(Mailing.State.SENDING, Mailing.State.DONE)).order_by("-writing_at")
    written = Letter.objects.filter(
        mailing__series=series, kind__in=WITH_A_LINK, recipient_kind="mission", recipient_id=str(mission.pk)
    )
    mailing = None if written.exists() else gone.first()
    return None if mailing is None or mailing.is_pointless(now) else mailing


def write(mission, series, *, by, now, reason=""):
    """Have the letter written that the mission has missed. Raises WrongStep."""
    mailing = not_written(mission, series, now)
    if mailing is None:
        raise WrongStep(_("There is nothing that this mission has missed, or it has no valid address yet."))
    mailing.catch_up(by=by, now=now, reason=reason)
