"""How often one may try a password or a code. Room: accounts.

    five wrong tries in 15 minutes    for one person from one address: that address waits, nobody else does
    very many in an hour              for one person from everywhere: from then on nothing is found out by guessing,
                                      and still the person gets in: with the password and a code at once, and where
                                      codes are guessed too, with a code on paper or a new password

They are counted in the database: a Redis that was emptied would open the door. A try is written down before anything is
compared, so that of fifty at once no more than five are. Neither names, addresses nor what was typed are kept.
"""

from datetime import timedelta

from presessions import vault
from presessions.accounts.models import Try
from presessions.accounts.sender import sender

PASSWORD, CODE, RESET = "password", "code", "reset"
FROM_ONE_PLACE, WITHIN = 5, timedelta(minutes=15)
FROM_EVERYWHERE, IN_ALL = 50, timedelta(hours=1)
KEPT = timedelta(days=1)


class TooMany(Exception):
    """This address has tried this person too often."""


class Counter:
    """The tries at one door, about one person, from where one request comes."""

    def __init__(self, request, door, email, *, now):
        self.door, self.now = door, now
        # The first of each is written; those under older keys still count.
        self.who = vault.blind_indexes("email", email)
        self.where = vault.blind_indexes("sender", f"{now.date()}:{sender(request)}")  # tomorrow it is another one

    def begin(self):
        """Count one more. Raises TooMany when it must not even be looked at."""
        Try.objects.filter(at__lt=self.now - KEPT).delete()
        mine = Try.objects.create(door=self.door, who=self.who[0], where=self.where[0], at=self.now)
        if self._here().filter(at__gt=self.now - WITHIN).count() > FROM_ONE_PLACE:
            mine.delete()  # what is refused does not keep the door shut for longer
            raise TooMany

    def last_one(self):
        """Whether the next wrong one will be refused."""
        return self._here().filter(at__gt=self.now - WITHIN).count() >= FROM_ONE_PLACE

    def guessed_from_everywhere(self):
        """Whether so many have tried this person that somebody is guessing."""
        hour = Try.objects.filter(door=self.door, who__in=self.who, at__gt=self.now - IN_ALL)
        return hour[: FROM_EVERYWHERE + 1].count() > FROM_EVERYWHERE

    def right(self):
        """It was the person: what was mistyped here does not count any more."""
        self._here().delete()

    def _here(self):
        return Try.objects.filter(door=self.door, who__in=self.who, where__in=self.where)


def forget(email):
    """The person has proved by mail who she is, and begins anew."""
    Try.objects.filter(who__in=vault.blind_indexes("email", email), door__in=(PASSWORD, CODE)).delete()
