"""The bell. It takes no arguments, so nothing personal lies in Redis, and a second ring is harmless. Room: mail."""

from celery import shared_task

from presessions.mail import delivery

SECONDS = 50  # of the minute until the next bell


@shared_task(ignore_result=True, expires=55)
def send_due_letters():
    delivery.drain(SECONDS)
