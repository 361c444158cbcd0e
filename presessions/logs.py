"""Logs that carry no token, name or address: paths of personal links are struck out, tracebacks keep no values.

Basement; imports nothing of ours. Python's own tracebacks print code and messages; what a message may hold is the
business of whoever raises it.
"""

import logging
import re

# A whole one anywhere; and most of one in an address, as is asked for when a mail program has broken the line.
TOKEN = re.compile(r"\b[A-Za-z0-9_-]{40,}\b|(?<=/)[A-Za-z0-9_-]{16,}(?![\w.-])")
ADDRESS = re.compile(r"[^\s<>@\"'(),;:=?&/]+(?:@|%40)[^\s<>@\"'(),;:&]+", re.IGNORECASE)


def scrub(text):
    """The text without anything that looks like a personal link's token or an e-mail address."""
    return ADDRESS.sub("<address>", TOKEN.sub("<token>", text))


class WithoutTokens(logging.Filter):
    """Drops the request and its arguments from a record; what is left is scrubbed."""

    def filter(self, record):
        record.msg, record.args = scrub(record.getMessage()), None
        return True


class LineFormatter(logging.Formatter):
    """One line a record, and a scrubbed traceback under it. Database errors quote rows, so their DETAIL goes."""

    def __init__(self):
        super().__init__("{asctime} {levelname} {name} {message}", style="{")

    def formatException(self, exc_info):
        lines = super().formatException(exc_info).splitlines()
        return scrub("\n".join(line for line in lines if not line.lstrip().startswith("DETAIL:")))
