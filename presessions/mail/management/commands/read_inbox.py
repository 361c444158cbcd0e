"""`manage.py read_inbox`: what the bell does every five minutes, for a system timer or for somebody who waits."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from presessions.mail import inbox
from presessions.mail.models import Report


class Command(BaseCommand):
    help = "Read bounces and other reports from the inbox (INBOX_URL). May run any number of times, also at once."

    def handle(self, **options):
        if not settings.INBOX_URL:
            self.stdout.write("No inbox is set up: INBOX_URL is empty.")
            return
        try:
            counts = inbox.read()
        except inbox.Trouble as trouble:
            raise CommandError(str(trouble)) from trouble
        words = {**dict(Report.Verdict.choices), "trouble": "could not be dealt with"}
        for verdict, number in sorted(counts.items()):
            self.stdout.write(f"{number} × {words[verdict]}")
        if not counts:
            self.stdout.write("Nothing new.")
        if counts["trouble"]:
            raise CommandError("Some mails could not be dealt with; they stay unread, and the log says why.")
