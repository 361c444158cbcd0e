"""`manage.py check_files`: what the bell does every fifteen seconds, for a system timer or for somebody who waits."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from applications import cleaning


class Command(BaseCommand):
    help = "Scan and clean the files in quarantine. Safe to run beside the workers, and more than once."

    def handle(self, **options):
        counts = cleaning.look_through(timezone.now())
        self.stdout.write(", ".join(f"{count} {word}" for word, count in sorted(counts.items())) or "nothing waited")
