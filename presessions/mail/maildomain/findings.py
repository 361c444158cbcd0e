"""What a look at a domain comes back with. Room: mail; pure."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How much a finding matters."""

    GOOD = "good"
    WEAK = "could be better"
    WRONG = "must change"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `change` is what to do about it, "" where nothing must be done."""

    subject: str
    grade: Grade
    words: str
    change: str = ""


class Silence(Exception):
    """The name servers did not answer. str() says how."""


def tags(record):
    """{"v": "DKIM1", ...} of a record in the form that DKIM and DMARC share."""
    pairs = (part.partition("=") for part in record.split(";") if "=" in part)
    return {name.strip().lower(): value.strip() for name, _sign, value in pairs}
