"""Who watches when the workers are dead: a process of its own that needs neither Redis nor a worker."""

import logging
import signal
import threading

from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

from presessions.mail import telling, watch

log = logging.getLogger(__name__)

EVERY = 30  # seconds


class Command(BaseCommand):
    help = "Look for silence and other troubles of the mail, and tell staff. Runs until it is stopped."

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="look once and stop, for a system timer")

    def handle(self, *, once, **options):
        stop = threading.Event()
        if threading.current_thread() is threading.main_thread():
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, lambda *_: stop.set())
        while not stop.is_set():
            try:
                now = timezone.now()
                watch.seen("watch", now)
                telling.look(now)
            except Exception as error:  # the database too may be away for a while: whoever watches stays
                if once:
                    raise
                log.error("could not look: %s", type(error).__name__)
                connection.close()
            if once:
                return
            stop.wait(EVERY)
