"""What was changed in the register, as the trail keeps it: what kind of thing, when and by whom; never an address.

Room: missions.
"""

from dataclasses import dataclass

from presessions import trail

CODES = {
    "language": "language_changed",
    "in_geneva": "geneva_changed",
    "source": "geneva_changed",
    "as_of": "geneva_changed",
    **{f"address_form_{language}": "form_changed" for language in ("en", "fr", "es", "ar", "zh", "ru")},
}
ADDED, CHANGED, ENDED = "address_added", "address_changed", "address_ended"
REMOVED, WORKS = "address_removed", "address_works"


@dataclass(frozen=True)
class Difference:
    """One thing, before and after, in words; "" where there is nothing."""

    what: str
    before: str
    after: str


def codes_of(fields):
    """Of changed fields of a mission, in the order of the fields, each once."""
    return list(dict.fromkeys(CODES.get(name, "changed") for name in fields))


def record(mission, codes, *, now, by, reason=""):
    for code in codes:
        trail.record(mission, code, now=now, by=by, reason=reason)


def code_of_address(address, changed):
    """What happened to an address of which these fields changed."""
    return WORKS if "bounced_at" in changed and address.bounced_at is None else CHANGED
