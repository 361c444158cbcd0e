"""Staff see every timed mail before it goes and what became of it. Room: mail."""

from presessions.mail.admin import inbox, letters, mailings, watch  # noqa: F401 -- they register themselves
