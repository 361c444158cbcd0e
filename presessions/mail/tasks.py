"""The bell. It takes no arguments, so nothing personal lies in Redis, and a second ring is harmless. Room: mail."""

from celery import shared_task
from django.conf import settings

from presessions.mail import delivery


@shared_task(ignore_result=True, expires=55)
def send_due_letters():
    delivery.drain(settings.MAIL_DRAIN_SECONDS)
