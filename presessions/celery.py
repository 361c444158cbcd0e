"""Celery: workers and the bell. Tasks take no arguments; what is due stands in the database."""

import mmap
import os
from datetime import timedelta

from celery import Celery
from celery.beat import Scheduler
from celery.signals import setup_logging, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "presessions.settings")

app = Celery("presessions")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["presessions.mail"])


@setup_logging.connect
def keep_our_logs(**kwargs):
    """Celery puts handlers of its own in the place of ours, which strike out tokens and addresses, unless somebody
    answers this signal."""


class Leaving:
    """Whether this worker has been asked to end; looks like a threading.Event.

    SIGTERM reaches the worker's parent process, but letters are sent by its children, which would go on until their
    bell has rung out. They share one byte. It has no lock, so that a child that is killed while it looks at it cannot
    keep the others from looking.
    """

    def __init__(self):
        self._byte = mmap.mmap(-1, 1)  # anonymous memory, shared with every process forked from this one

    def is_set(self):
        return self._byte[0] == 1

    def set(self):
        self._byte[0] = 1

    def clear(self):
        self._byte[0] = 0


leaving = Leaving()


@worker_shutting_down.connect
def finish_the_letter_in_hand(**kwargs):
    leaving.set()


class Bell(Scheduler):
    """Beat without a memory: what is due stands in the database, and a schedule file that was half written when beat
    was killed would keep it from starting. It rings at once when it starts, so that a beat that is often started
    again still rings."""

    def setup_schedule(self):
        self.merge_inplace(self.app.conf.beat_schedule)
        for entry in self.schedule.values():
            entry.last_run_at -= timedelta(days=1)
