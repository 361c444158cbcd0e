"""The bell. It takes no arguments, so nothing personal lies in Redis, and a second ring is harmless. Room: mail."""

import logging

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from presessions.mail import delivery, inbox, reconciliation, steering, telling, watch
from presessions.mail.leaving import leaving
from presessions.trail import sealing

log = logging.getLogger(__name__)


@shared_task(ignore_result=True, expires=55)
def send_due_letters():
    watch.seen("bell", timezone.now())
    ring(settings.MAIL_DRAIN_SECONDS, stop=leaving)


def ring(seconds, *, stop):
    """What a ring of the bell does, whoever rings: the worker's task, or `send_due` from a system timer."""
    now = timezone.now()
    chores = (steering.give_notice, steering.sound_alarms, reconciliation.reconcile_due, telling.look, sealing.seal)
    for chore in chores:
        try:
            chore(now)
        except Exception as error:  # whatever it is, the letters that are due go out
            log.error("%s failed: %s", chore.__name__, type(error).__name__)
    return delivery.drain(seconds, stop=stop, hands=settings.MAIL_HANDS)


@shared_task(ignore_result=True, expires=290)
def read_inbox():
    """Read bounces, where an inbox is set up."""
    if settings.INBOX_URL:
        try:
            inbox.read()
        except inbox.Trouble as trouble:  # an alarm is open, and the next bell tries again
            log.error("the inbox cannot be read: %s", trouble)
