"""A meeting that joins a series after its call was opened gets its State's call by itself. Room: applications."""

from django.dispatch import receiver

from applications.models import Call
from presessions.upr.signals import dates_changed


@receiver(dates_changed)
def include_new_meetings(sender, series, now, **kwargs):
    call = Call.objects.filter(series=series).first()
    if call:
        call.include_meetings(now=now)
