"""What this room sends, registered with mail at start, by whom it goes to. Room: applications.

Imports mail, its letters and models.
"""

from applications.mailings import (
    drafts,
    extension,
    files,
    numbers,
    seats,
    second_call,
    speakers,
)  # each registers what it sends
from applications.mailings.contacts import call, deadline
from applications.mailings.people import again, still_a_contact, still_an_application

__all__ = [
    "again",
    "call",
    "deadline",
    "drafts",
    "extension",
    "files",
    "numbers",
    "seats",
    "second_call",
    "speakers",
    "still_a_contact",
    "still_an_application",
]
