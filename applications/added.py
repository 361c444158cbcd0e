"""What a room above adds to the pages of this one. Room: applications; imports nothing of ours.

This room knows nothing of missions; whoever does registers here what the moderator should have of them:

    @added.to_sheet
    def questions(meeting):
        return added.Section(_("Questions"), [...])     # or None when there is nothing
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Section:
    """Some paragraphs under a title. note -- how they are to be handled, in a sentence"""

    title: str
    paragraphs: list[str]
    note: str = ""


_TO_SHEET: list[Callable[[Any], Section | None]] = []


def to_sheet(find):
    """Register what stands on a moderator's sheet, after the panel; decorates `find(meeting) -> Section | None`."""
    _TO_SHEET.append(find)
    return find


def of_sheet(meeting):
    """The Sections of one meeting that hold anything."""
    found = [find(meeting) for find in _TO_SHEET]
    return [section for section in found if section and section.paragraphs]
