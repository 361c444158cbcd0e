"""manage.py demo: two invented series on real States, for trying everything out. Never on a real installation."""

import os

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from presessions import demo


class Command(BaseCommand):
    help = (
        "Make the demonstration, once: staff, a register of missions, two series and their applications. "
        "The log-in comes from DEMO_STAFF_EMAIL, DEMO_STAFF_PASSWORD and DEMO_STAFF_PHONE, a key in base 32."
    )

    def handle(self, **options):
        try:
            email, password = os.environ["DEMO_STAFF_EMAIL"], os.environ["DEMO_STAFF_PASSWORD"]
            phone = os.environ["DEMO_STAFF_PHONE"]
        except KeyError as missing:
            raise CommandError(f"Set {missing.args[0]}: the demonstration's staff log-in.") from None
        try:
            demo.make(timezone.now(), email=email, password=password, phone=phone, say=self.stdout.write)
        except demo.Refused as why:
            raise CommandError(str(why)) from None
