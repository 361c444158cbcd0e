"""The bell of this room, without arguments. Room: retention."""

from celery import shared_task

from presessions.retention import running


@shared_task(ignore_result=True, expires=590)
def forget_due():
    """Forget what is due, once a night."""
    running.ring()
