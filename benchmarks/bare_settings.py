"""The product's settings for a server that answers one bare view and nothing else: what the others are compared to."""

from presessions.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.bare_urls"
MIDDLEWARE = []
