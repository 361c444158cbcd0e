"""The product's settings with every wait shrunk, in the same order of length, and one room more that has people."""

from presessions.settings import *  # noqa: F403
from presessions.settings import CELERY_BEAT_SCHEDULE, INSTALLED_APPS, env

INSTALLED_APPS += ["tests.storm.room.StormRoom"]
STORM_LETTERS = env.int("STORM_LETTERS")
STORM_MAILINGS = env.int("STORM_MAILINGS")

MAIL_COMMAND_TIMEOUT = 0.8
MAIL_FINAL_DOT_TIMEOUT = 1.2
MAIL_LEASE = 1.5  # longer than any legal wait, as in the product
MAIL_BACKOFF = [0.2, 0.4, 0.8]
MAIL_UNCERTAIN_DELAY = 0.5
MAIL_DRAIN_SECONDS = 4
MAIL_DOMAIN_PER_MINUTE = 60_000  # everybody is at one domain; the pace is kept, and hurts nobody
CELERY_BEAT_SCHEDULE["send-due-letters"]["schedule"] = 0.5
