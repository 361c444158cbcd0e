"""A whole series in fast-forward on a copy of the database: every mail that would go, and what is wrong with it."""

import argparse
import json
import signal
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation

from presessions import trail
from presessions.mail.rehearsal import copying, problems, showing
from presessions.mail.rehearsal.folder import Folder
from presessions.mail.rehearsal.running import Rehearsal
from presessions.upr.dates import GENEVA
from presessions.upr.models import Series


class Command(BaseCommand):
    gone_so_far = 0  # letters

    help = (
        "Rehearse the mails of a series: let time pass on a copy of the database, which is dropped again, and show"
        " every mail that would go. No letter leaves, and nothing is changed."
    )

    def add_arguments(self, parser):
        parser.add_argument("number", type=int, help="of the series, such as 54")
        parser.add_argument(
            "--folder", type=Path, help="write the letters there, masked, with a page that leads to them"
        )
        parser.add_argument(
            "--full", action="store_true", help="with --folder: every letter as it would go, real addresses included"
        )
        parser.add_argument("--reason", default="", help="with --full: why; it stands in the history of the series")
        parser.add_argument(
            "--from",
            dest="begins",
            type=_moment,
            help="begin then, such as 2026-03-02T10:00 in Geneva; now if not said",
        )
        parser.add_argument("--in-copy", type=json.loads, default=None, help=argparse.SUPPRESS)

    def handle(self, *, number, folder, full, reason, begins, in_copy, **options):
        series = Series.objects.filter(session__number=number).first()
        if series is None:
            raise CommandError(f"There are no Pre-sessions {number}.")
        begins = begins or timezone.now()
        if full and not (folder and reason.strip()):
            raise CommandError("Real addresses need a folder and a reason: --full --folder … --reason “…”.")
        if folder and not in_copy and folder.exists():
            raise CommandError(f"{folder} is there already: name a new folder.")
        try:
            with translation.override("en"):
                if in_copy:
                    copying.insist_on_copy(in_copy["name"])
                    return self._rehearse(series, begins, folder, full, in_copy)
                return self._on_a_copy(series, begins, folder, full, reason)
        except copying.NoCopy as why:
            raise CommandError(str(why)) from None

    def _on_a_copy(self, series, begins, folder, full, reason):
        """The half that sees the real database, and only reads it."""
        if threading.current_thread() is threading.main_thread():
            for name in (signal.SIGTERM, signal.SIGHUP):  # so that the copy is dropped, also when the line is cut
                signal.signal(name, lambda number, _frame: sys.exit(128 + number))
        if full:
            trail.record(series, "rehearsed_in_full", now=timezone.now(), reason=reason)
        with copying.copy_of_this_database(self._copied) as (environment, name):
            known = {
                "name": name,
                "per_minute": settings.MAIL_DOMAIN_PER_MINUTE,
                "two_persons_above": settings.MAIL_TWO_PERSONS_ABOVE,
            }
            words = ["rehearse", str(series.number), f"--from={begins.isoformat()}", f"--in-copy={json.dumps(known)}"]
            words += [f"--folder={folder.resolve()}"] if folder else []
            words += ["--full", f"--reason={reason}"] if full else []
            command = copying.command(*words)
            with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as inside:  # noqa: S603
                for line in inside.stdout:
                    self.stdout.write(line, ending="")
        if inside.returncode:
            raise CommandError("The rehearsal failed; see above. The copy is dropped.")

    def _rehearse(self, series, begins, folder, full, known):
        """The half that knows nothing but the copy."""
        place = Folder(folder, full=full) if folder else None

        def say(going):
            if place:
                place.add(going)
            self._lines(showing.of(going))

        rehearsal = Rehearsal(
            series,
            begins=begins,
            say=say,
            keep=lambda *letter: self._went(letter, place if full else None),
            per_minute=known["per_minute"],
            two_persons_above=known["two_persons_above"],
        )
        self._lines(showing.head(rehearsal))
        rehearsal.run()
        self._lines(showing.tail(rehearsal))
        if place:
            staying = [(one, words) for one in rehearsal.left() if (words := problems.of_what_stays(one))]
            page = place.finish(
                series=series,
                began=begins,
                full=full,
                as_if=showing.AS_IF,
                stopped=rehearsal.stopped,
                empty=showing.empty(rehearsal),
                staying=staying,
            )
            self.stdout.write(f"Look at {page}")

    def _lines(self, lines):
        for line in lines:
            self.stdout.write(line)
        self.stdout.flush()

    def _went(self, letter, place):
        if place:
            place.keep(*letter)
        self.gone_so_far += 1
        if self.gone_so_far % 100 == 0 and self.stderr.isatty():
            self.stderr.write(f"\x1b[2K{self.gone_so_far} letters", ending="\r")
            self.stderr.flush()

    def _copied(self, table, number, of):
        """How far the copy is; in a terminal only."""
        if self.stderr.isatty():
            end = "\n" if number == of else "\r"
            self.stderr.write(f"\x1b[2KCopying the database: {number} of {of}, {table}", ending=end)
            self.stderr.flush()


def _moment(text):
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=GENEVA)
