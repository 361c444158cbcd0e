"""Forgetting somebody: what all letters to one recipient say and where they went. Room: mail; imports models.

What stays is the proof that a letter of a kind was written and what became of it: reference, instant, code. Nothing of
it can be read or sent again, and none of its links opens anything.
"""

from django.db import transaction
from django.db.models import Q

from presessions import trail, vault
from presessions.mail.models import Attempt, Letter, Pace, PersonalLink, Report

FORGOTTEN = "forgotten"  # the code of a letter that was stopped for this


def forget(kind, id, *, now):
    """Stop what has not left yet, erase contents and addresses, end the links; returns how many letters there are.
    Again is no harm.

    kind, id -- of the recipient, as letters name it

    A letter that is being handed over this very moment cannot be called back. It loses its contents like the others,
    so that it is never offered a second time, and its own worker writes down what became of it.
    """
    letters = Letter.objects.filter(recipient_kind=kind, recipient_id=str(id))
    with transaction.atomic():
        known = list(letters.select_for_update().order_by("pk").defer(*Letter.SEALED))
        for letter in known:
            if letter.state in Letter.UNSETTLED and letter.phase != Letter.Phase.DATA:
                letter.step(Q(state=letter.state), state=Letter.State.CANCELLED, now=now, code=FORGOTTEN)
        numbers = [letter.pk for letter in known]
        forget_contents(letters, now=now)
        PersonalLink.objects.filter(letter__in=numbers, revoked_at=None).update(revoked_at=now)
        # A turn that is over is of no more use, and a domain may belong to one institution only.
        Pace.objects.filter(domain_index__in={letter.domain_index for letter in known}, free_at__lte=now).delete()
    return len(known)


def forget_contents(letters, *, now):
    """Erase what letters say and where they went, with what servers and inboxes said of them. Their links stay: who
    wants to leave the list may do so by an old mail. letters -- a queryset"""
    with transaction.atomic():
        numbers = list(letters.order_by("pk").values_list("pk", flat=True))
        reports = Report.objects.filter(letter__in=numbers)
        Letter.objects.filter(pk__in=numbers).update(**vault.emptied(Letter), forgotten_at=now)
        Attempt.objects.filter(letter__in=numbers).update(**vault.emptied(Attempt))
        trail.forget_reasons(Report._meta.label_lower, [str(pk) for pk in reports.values_list("pk", flat=True)])
        trail.forget_reasons(Letter._meta.label_lower, list(map(str, numbers)))
        reports.update(**vault.emptied(Report))
