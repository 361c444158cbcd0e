"""What missions say afterwards, in two questions: the same as speakers are asked, in the same days. Room: missions;
imports our models and `applications.feedback`."""

from django.db import transaction

from applications.feedback import closed_words, is_open
from missions.models import Invitation, MissionFeedback
from presessions import trail
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
        said = MissionFeedback.objects.filter(invitation=invitation).first() if allowed else None
        changed = allowed and (said is None or (said.useful, said.words) != (useful, words))
        if changed:
            facts = {"useful": useful, "words": words, "given_at": now}
            MissionFeedback.objects.update_or_create(invitation=invitation, defaults=facts)
        if changed or not allowed:
            trail.record(invitation, "feedback_given", now=now, refused=not allowed)
    if not allowed:  # outside the block: a refusal must not undo its own event
        raise WrongStep(closed_words(invitation.series, now))
    return changed


def of_series(series):
    """What the missions of a series have said, in the order of their names."""
    rows = MissionFeedback.objects.filter(invitation__series=series)
    rows = rows.select_related("invitation__mission__state")
    return sorted(rows, key=lambda row: row.invitation.mission.name)
