"""After a backup was restored: compare the database with the journal, write down what has gone, start the mail."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from presessions.mail import journal, restoring
from presessions.mail.models import Switch
from presessions.trail.steps import WrongStep

WHY = {
    journal.OLDER: "This database is older than the journal: it looks like a restored backup.",
    journal.ANOTHER: "This database and this journal belong to different installations.",
    journal.MISSING: "The journal is missing or new, so nothing can say what this database has already sent.",
}


class Command(BaseCommand):
    help = "Say why mail is stopped after a restore and what the journal knows; with --yes, write it down and resume."

    def add_arguments(self, parser):
        parser.add_argument("--yes", action="store_true", help="write down what the journal knows, and start all mail")

    def handle(self, *, yes, **options):
        now = timezone.now()
        journal.restored(now)
        if not restoring.why():
            raise CommandError("Mail is not stopped because of a restored database.")
        self.stdout.write(WHY[restoring.why()])
        found = restoring.compare()
        for label, settled, written in found.lines:
            self.stdout.write(f"{label}: {settled} waiting here have gone, {written} unknown here have gone")
        self.stdout.write(f"{found.agreed} letters agree.")
        back = restoring.come_back()
        if back != 0:
            what = "The tombstones cannot be read" if back is None else f"{back} were forgotten and have come back"
            raise CommandError(f"{what}: mail stays stopped. First: manage.py forget --again")
        if not yes:
            return self.stdout.write("Nothing is changed. With --yes this is written down, and all mail starts again.")
        try:
            restoring.reconcile(by=None, now=now)
            restoring.resume(by=None, now=now)
        except WrongStep as refusal:
            raise CommandError(str(refusal)) from None
        if Switch.get().paused_at:
            return self.stdout.write("Written down. Staff had stopped all mail themselves, and it stays stopped.")
        return self.stdout.write("Written down. All mail has started again.")
