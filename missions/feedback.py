"""What missions say afterwards, in two questions: the same as speakers are asked, in the same days. Room: missions;
imports our models and `applications.feedback`."""

from django.db import transaction

from applications.feedback import closed_words, is_open, keep
from missions.models import Invitation, MissionFeedback
from presessions.mail import links
from presessions.trail.steps import WrongStep


def give(invitation, *, useful, words, now, link=None):
    """Keep what a mission says, in the place of what was said before; True when that changes anything. The same sent
    twice, or twenty times, is once. Raises WrongStep outside the days for it; links.Ended when the link it came by was
    revoked meanwhile."""
    with transaction.atomic():
        Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
        links.insist(link)
        allowed = is_open(invitation.series, now)
        whose = {"invitation": invitation}
        changed = keep(MissionFeedback, allowed=allowed, useful=useful, words=words, now=now, **whose)
    if not allowed:  # outside the block: a refusal must not undo its own event
        raise WrongStep(closed_words(invitation.series, now))
    return changed


def of_series(series):
    """What the missions of a series have said, in the order of their names."""
    rows = MissionFeedback.objects.filter(invitation__series=series)
    rows = rows.select_related("invitation__mission__state")
    return sorted(rows, key=lambda row: row.invitation.mission.name)
