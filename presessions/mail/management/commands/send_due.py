"""The bell without Redis: a system timer may ring it, beside the workers or instead of them."""

import signal
import threading

from django.core.management.base import BaseCommand

from presessions.mail import tasks
from presessions.retention import running


class Command(BaseCommand):
    help = "Write and send the letters that are due. Safe to run beside the workers, and more than once."

    def add_arguments(self, parser):
        parser.add_argument("--seconds", type=float, default=50, help="how long to look for due letters (default 50)")
        parser.add_argument("--once", action="store_true", help="send what is due now and stop")

    def handle(self, *, seconds, once, **options):
        stop = threading.Event()
        if threading.current_thread() is threading.main_thread():
            for name in (signal.SIGTERM, signal.SIGINT):  # the letter in hand is finished first
                signal.signal(name, lambda *_: stop.set())
        counts = tasks.ring(0 if once else seconds, stop=stop)
        running.ring()  # without Redis nobody else does
        self.stdout.write(", ".join(f"{count} {word}" for word, count in sorted(counts.items())) or "nothing was due")
