"""The product's settings, with the few differences that tests need."""

from presessions.settings import *  # noqa: F403
from presessions.settings import STORAGES

# Plain names: with the manifest, a live server answers 404 for each stylesheet, and browser tests pass on naked pages.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
PAGE_KEPT = 0  # each test has a database of its own
# Argon2 is slow on purpose; no test is about that.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Tests move the clock by weeks between two clicks; those about sessions set the product's own times (tests/accounts).
STAFF_IDLE = STAFF_SESSION = STAFF_PROOF = 60 * 24 * 3650
