"""The bells of this room. They take no arguments: what waits stands in the database. Room: applications."""

from celery import shared_task
from django.utils import timezone

from applications import cleaning, panel, seat, uploads


@shared_task(ignore_result=True, expires=14)
def check_files():
    """Scan and clean the files in quarantine, and make room again soon: letters are sent by the same workers."""
    cleaning.look_through(timezone.now(), seconds=10)


@shared_task(ignore_result=True, expires=3500)
def sweep_uploads():
    """Remove files that nobody has finished sending, and those that no row names."""
    uploads.sweep(timezone.now())


@shared_task(ignore_result=True, expires=3500)
def forget_needs():
    """Erase passports, what speakers needed and what moderators were told, once the meeting is a month ago."""
    now = timezone.now()
    seat.forget_needs(now)
    panel.forget_notes(now)
