"""Celery: workers and the bell. Tasks take no arguments; what is due stands in the database."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "presessions.settings")

app = Celery("presessions")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["presessions.mail"])


@setup_logging.connect
def keep_our_logs(**kwargs):
    """Celery puts handlers of its own in the place of ours, which strike out tokens and addresses, unless somebody
    answers this signal."""
