"""The product's settings, with the two differences that tests need."""

from presessions.settings import *  # noqa: F403
from presessions.settings import STORAGES

# Plain names: with the manifest, a live server answers 404 for each stylesheet, and browser tests pass on naked pages.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# Argon2 is slow on purpose; no test is about that.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
