"""Load States, sessions and States under Review from the carried tables. May be run again at any time."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from presessions.upr import loading
from presessions.upr.signals import in_sum, listening
from presessions.upr.tables import WrongTable

CARRIED = Path(loading.__file__).parent / "data"


class Command(BaseCommand):
    help = "Load the calendar from CSV tables. What staff have changed, and demonstrations, are left alone."

    def add_arguments(self, parser):
        parser.add_argument("--data", type=Path, default=CARRIED, metavar="FOLDER", help="where the tables are")

    def handle(self, *, data, **options):
        with listening() as heard:
            try:
                for summary in loading.load(data, now=timezone.now()):
                    self.stdout.write(str(summary))
                    for words in summary.left_alone:
                        self.stdout.write(f"  left alone: {words}")
            except WrongTable as wrong:
                raise CommandError("\n".join([*wrong.problems, "Nothing of this file was loaded."])) from None
        for one in in_sum(heard):
            what = f"{one.what}, {one.where}" if one.where else one.what
            self.stdout.write(f"  changed with the dates: {what}: {one.before} -> {one.after} {one.warning}".rstrip())
