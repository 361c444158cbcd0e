"""`manage.py check_trail`: is everything that was written down still there, and as it was?"""

import sys

from django.core.management.base import BaseCommand

from presessions.trail import sealing


class Command(BaseCommand):
    help = (
        "Go through all events, their reasons and the chain over them, and name what was changed, taken out or put in. "
        "Ends with 1 if anything is wrong. Changes nothing."
    )

    def handle(self, **options):
        found = sealing.check()
        for line in found.wrong:
            self.stdout.write(self.style.ERROR(line))
        self.stdout.write(f"{found.events} events, {found.seals} of them sealed, {found.waiting} waiting for the bell")
        self.stdout.write(f"{len(found.wrong)} findings" if found.wrong else "nothing was changed, taken out or put in")
        if found.wrong:
            sys.exit(1)
