"""The product's settings with every wait shrunk, in the same order of length, and one room more that has people."""

from presessions.settings import *  # noqa: F403
from presessions.settings import CELERY_BEAT_SCHEDULE, INSTALLED_APPS, env

INSTALLED_APPS += ["tests.storm.room.StormRoom"]
STORM_LETTERS = env.int("STORM_LETTERS")
STORM_MAILINGS = env.int("STORM_MAILINGS")

MAIL_LEASE = env.float("STORM_LEASE")  # longer than any legal wait, as in the product
MAIL_FINAL_DOT_TIMEOUT = MAIL_LEASE * 0.8
MAIL_COMMAND_TIMEOUT = MAIL_LEASE * 0.5
MAIL_BACKOFF = [0.2, 0.4, 0.8]
MAIL_UNCERTAIN_DELAY = 0.5
MAIL_DRAIN_SECONDS = 4
MAIL_DOMAIN_PER_MINUTE = 1500  # the large domain feels it in the calm, and nobody waits for minutes
MAIL_BREAKER = 4
CELERY_BEAT_SCHEDULE["send-due-letters"]["schedule"] = 0.5
