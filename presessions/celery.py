"""Celery: workers and the bell. Tasks take no arguments; what is due stands in the database."""

import gc
import os
from datetime import timedelta

from celery import Celery
from celery.beat import Scheduler
from celery.signals import setup_logging, worker_before_create_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "presessions.settings")

app = Celery("presessions")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["presessions.retention", "presessions.mail", "applications"])


@setup_logging.connect
def keep_our_logs(**kwargs):
    """Celery puts handlers of its own in the place of ours, which strike out tokens and addresses, unless somebody
    answers this signal."""


@worker_before_create_process.connect
def share_memory(**kwargs):
    """What is loaded by now stays in memory that all processes of the worker share: the collector of garbage does not
    touch it any more, and who touches a page gets a copy of it."""
    gc.collect()
    gc.freeze()


class Bell(Scheduler):
    """Beat without a memory: what is due stands in the database, and a schedule file that was half written when beat
    was killed would keep it from starting. It rings at once when it starts, so that a beat that is often started
    again still rings."""

    def setup_schedule(self):
        self.merge_inplace(self.app.conf.beat_schedule)
        for entry in self.schedule.values():
            entry.last_run_at -= timedelta(days=1)
