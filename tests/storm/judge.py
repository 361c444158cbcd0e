"""The judge: compares what the sink accepted with what the outbox says of it. Knows no worker and no code of ours.

Each finding is a crime against the promises M1 and M2; a good storm has none. Uncertain letters that staff were told
about are no crime: that is the one honest answer when nobody can know.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property

SETTLED = {"sent", "failed", "expired", "uncertain"}


@dataclass(frozen=True)
class Letter:
    recipient: str  # the address it is for
    state: str
    flagged: bool  # staff were told that nobody can know
    message_id: str
    sha256: str
    links: int = 1


@dataclass(frozen=True)
class Accepted:
    """One line of the sink's journal."""

    message_id: str
    sender: str  # of the envelope: where a bounce would go
    to: str
    sha256: str


class Judge:
    """letters -- all of the outbox; journal -- all that was accepted; people -- the addresses of the audience;
    refused -- those of them that do not exist; noted -- the Message-IDs in the product's own journal"""

    def __init__(self, letters, journal, people, refused=(), noted=()):
        self.letters, self.journal, self.people, self.refused = letters, journal, set(people), set(refused)
        self.noted = Counter(noted)

    def crimes(self):
        """What was done -> to whom. Empty after a storm that broke no promise."""
        found = {
            "no letter": self.people - self.written.keys(),
            "more than one letter": [address for address, count in self.written.items() if count > 1],
            "a letter to a stranger": self.written.keys() - self.people,
            "not one link each": [letter.recipient for letter in self.letters if letter.links != 1],
            "not settled": [letter.recipient for letter in self.letters if letter.state not in SETTLED],
            "lost silently": [
                letter.recipient
                for letter in self.letters
                if letter.state == "sent" and not self.copies[letter.message_id]
            ],
            "duplicate without a flag": [
                address
                for address, copies in self.arrived.items()
                if len(copies) > 1 and not all(self.is_flagged(copy) for copy in copies)
            ],
            "more than two copies": [address for address, copies in self.arrived.items() if len(copies) > 2],
            "altered": [
                copy.to
                for copy in self.journal
                if copy.message_id in self.known and copy.sha256 != self.known[copy.message_id].sha256
            ],
            "misdirected": [
                copy.to
                for copy in self.journal
                if copy.message_id in self.known and copy.to != self.known[copy.message_id].recipient
            ],
            "a mail that no letter knows": [copy.to for copy in self.journal if copy.message_id not in self.known],
            "arrived, neither sent nor flagged": [
                letter.recipient
                for letter in self.letters
                if self.copies[letter.message_id] and letter.state != "sent" and not letter.flagged
            ],
            "sent, and not noted": [
                letter.recipient
                for letter in self.letters
                if letter.state == "sent" and not self.noted[letter.message_id]
            ],
            "noted more often than accepted": [
                self.known[message_id].recipient if message_id in self.known else message_id
                for message_id, times in self.noted.items()
                if times > self.copies[message_id]
            ],
            "one sender for two letters": [
                sender for sender, letters in self.senders.items() if sender and len(letters) > 1
            ],
            "blamed for our server's fault": [
                letter.recipient
                for letter in self.letters
                if letter.state == "failed" and letter.recipient not in self.refused
            ],
        }
        return {crime: sorted(victims) for crime, victims in found.items() if victims}

    def counts(self):
        """What happened within the law."""
        states = Counter(letter.state for letter in self.letters)
        held = [letter for letter in self.letters if letter.state == "uncertain"]
        doubled = [copies for copies in self.arrived.values() if len(copies) > 1]
        flagged = [copies for copies in doubled if all(map(self.is_flagged, copies))]
        return {
            "letters": len(self.letters),
            "sent": states["sent"],
            "failed: no such recipient": states["failed"],
            "held as uncertain": len(held),
            "  of which had arrived": sum(bool(self.copies[letter.message_id]) for letter in held),
            "in any other state": len(self.letters) - sum(states[state] for state in ("sent", "failed", "uncertain")),
            "flagged as uncertain at some time": sum(letter.flagged for letter in self.letters),
            "mails accepted by the SMTP server": len(self.journal),
            "lines in the product's journal": self.noted.total(),
            "sent without acceptance": len(self.crimes().get("lost silently", ())),
            "duplicates, flagged": len(flagged),
            "duplicates, unflagged": len(doubled) - len(flagged),
            "most copies of one letter": max(map(len, self.arrived.values()), default=0),
        }

    @cached_property
    def written(self):
        return Counter(letter.recipient for letter in self.letters)

    @cached_property
    def known(self):
        return {letter.message_id: letter for letter in self.letters}

    @cached_property
    def copies(self):
        return Counter(copy.message_id for copy in self.journal)

    @cached_property
    def arrived(self):
        arrived = defaultdict(list)
        for copy in self.journal:
            arrived[copy.to].append(copy)
        return arrived

    @cached_property
    def senders(self):
        senders = defaultdict(set)
        for copy in self.journal:
            senders[copy.sender].add(copy.message_id)
        return senders

    def is_flagged(self, copy):
        return copy.message_id in self.known and self.known[copy.message_id].flagged
