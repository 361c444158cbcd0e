"""What the nights do by themselves, by hand: see what is due, have it forgotten, and forget again after a restore."""

import sys

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation

from presessions import retention
from presessions.retention import running, tombstones


class Command(BaseCommand):
    help = "Forget what is due by its rule; --dry-run only says what, --again begins with what a backup brought back."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="change nothing, only say what is due")
        parser.add_argument(
            "--again", action="store_true", help="after a restored backup: first forget again what was forgotten since"
        )

    def handle(self, *, dry_run, again, **options):
        now = timezone.now()
        with translation.override("en"):
            if dry_run:
                return self.say(now, again)
            left = self.forget_again(now) if again else 0
            failed = self.forget(now)
        if left or failed:
            raise CommandError(f"{left + failed} could not be forgotten. See the log, mend it, and run this again.")

    def say(self, now, again):
        if again:
            self.stdout.write(f"{len(self.standing())} were forgotten before and are there again.")
        for rule in retention.rules():
            self.stdout.write(f"{rule.due(now).count():>8}  {rule.what}: {rule.in_words}{self.when(rule, now)}")
        self.stdout.write("Nothing is changed.")

    def when(self, rule, now):
        after, waiting = rule.next_at(now), rule.without_date().count()
        words = f"; next on {after.astimezone(timezone.get_default_timezone()):%Y-%m-%d}" if after else ""
        return words + (f"; {waiting} wait for a date that is not known yet" if waiting else "")

    def standing(self):
        try:
            return tombstones.standing()
        except OSError as error:
            raise CommandError(f"The tombstones cannot be read: {type(error).__name__}.") from None

    def forget_again(self, now):
        self.standing()
        done, left = tombstones.again(now, tick=lambda number, of: self.progress("forgotten again", number, of))
        self.stdout.write(f"{done} were forgotten again, {left} are left.")
        return left

    def forget(self, now):
        failed = rows = 0
        for rule in retention.rules():
            due, done = rule.due(now).count(), [0]

            def tick(number, rule=rule, due=due, done=done):
                done[0] += number
                self.progress(rule.name, done[0], due)

            run = running.run(rule, now, tick=tick)
            rows, failed = rows + run.rows, failed + run.failed
            if run.rows or run.failed:
                self.stdout.write(f"{run.rows:>8}  {rule.what}" + (f"; {run.failed} failed" if run.failed else ""))
        running.note(now, rows, failed)  # the nights go on from here
        self.stdout.write(f"{rows} were forgotten.")
        return failed

    def progress(self, what, number, of):
        """Where somebody watches."""
        if sys.stderr.isatty():
            self.stderr.write(f"\r{what}: {number} of {of}", ending="" if number < of else "\n")
