"""Time passes in a copy, as fast as it can: at each moment at which something is due the bell rings, and the letters go
to nobody. Room: mail; imports delivery and the chores of the bell.

The schedule, the writing and the delivery are the real ones, and `now` is an argument of theirs; only the wire is not.
People do nothing meanwhile: nobody answers, applies, or is seated.
"""

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min

from presessions.mail import delivery, languages, registry, steering
from presessions.mail.models import Attempt, Journal, Letter, Mailing, Switch
from presessions.mail.rehearsal import problems
from presessions.mail.wire import Answer, Verdict
from presessions.upr.dates import day_of, geneva

State = Mailing.State
ONE_DAY = timedelta(days=1)
MORNING = 9  # the hour in Geneva at which rooms look for what they would propose to staff
OUTCOMES = (Letter.State.SENT, Letter.State.FAILED, Letter.State.EXPIRED, Letter.State.CANCELLED)
MESSAGE_ID = re.compile(rb"(?im)^Message-ID: *(\S+)")


@dataclass
class Going:
    """What went at one moment: letters of one mailing, or of one occasion such as a notice to staff."""

    at: datetime
    kind: str
    mailing: Mailing | None
    languages: Counter = field(default_factory=Counter)  # of the letters that went
    lost: Counter = field(default_factory=Counter)  # (state, code) of those that did not
    problems: list[str] = field(default_factory=list)
    until: datetime | None = None  # when the last of them leaves, where one domain has many

    @property
    def number(self):
        return self.languages.total()

    @property
    def label(self):
        return str(registry.KINDS[self.kind].label) if self.kind in registry.KINDS else self.kind

    @property
    def where(self):
        return self.mailing.meeting.state.name if self.mailing and self.mailing.meeting_id else ""

    def letters(self):
        """Those that went, to be looked at."""
        mailing = {"mailing": self.mailing} if self.mailing else {"mailing": None, "sent_at": self.at}
        return Letter.objects.filter(kind=self.kind, state=Letter.State.SENT, **mailing)


class NobodyAtTheOtherEnd:
    """A wire like `wire.Wire` that leads nowhere. Every letter is accepted, and given to whoever keeps it.

    keep -- told (Message-ID, bytes), or None
    """

    unreachable = False

    def __init__(self, keep=None):
        self.keep = keep

    def __enter__(self):
        return self

    def __exit__(self, *error):
        """There is nothing to close."""

    def answers(self):
        return True

    def deliver(self, to, message, before_data, sender=None):
        before_data()
        if self.keep:
            self.keep(MESSAGE_ID.search(message)[1].decode(), message)
        return Answer(Verdict.ACCEPTED, "250", "", "dot")


class Rehearsal:
    """One series, from a moment on. `gone` is what went, `empty` are mailings that would reach nobody.

    Call `run` in a copy only: it changes everything there is.

    say -- told each Going when it has gone
    keep -- as of NobodyAtTheOtherEnd
    per_minute, two_persons_above -- the real MAIL_DOMAIN_PER_MINUTE and MAIL_TWO_PERSONS_ABOVE, which this process must
        have at 0: they are told of, and do not hold the rehearsal up
    """

    def __init__(self, series, *, begins, say=lambda going: None, keep=None, per_minute=0, two_persons_above=0):
        self.series, self.now, self.say, self.keep = series, begins, say, keep
        self.per_minute, self.most = per_minute, two_persons_above
        self.stopped, self.gone, self.empty = False, [], []

    def run(self):
        """Live through it. Returns what went: Going, Going, ...; `left` says what did not, and why."""
        self.stopped = Switch.objects.filter(paused_at__isnull=False).exists()
        self._leave_the_others_alone()
        moment = self.now
        while moment:
            self._ring(moment)
            moment = self._next()
            self._let_rooms_propose(until=moment)
        self._ring(self.now + timedelta(minutes=1), silent=True)  # what has gone is closed
        return self.gone

    def left(self):
        """The series' mailings that have not gone, in the order of their dates."""
        mailings = self.series.mailings.with_series().exclude(state__in=(State.SENDING, State.DONE))
        return list(mailings.select_related("corrects").order_by("due_at", "pk"))

    def _leave_the_others_alone(self):
        """Only this series goes, and nothing that stops all mail of the real database stops the copy."""
        Journal.objects.all().delete()  # the copy has a journal of its own, which knows nothing
        Switch.objects.update(paused_at=None, paused_by=None, code="", answer="", probe_at=None)
        others = Mailing.objects.exclude(series=self.series)
        others.filter(state__in=(State.PLANNED, State.WRITING, State.SENDING)).update(
            state=State.HELD, held_reason=Mailing.Held.STAFF
        )
        waiting = Letter.objects.unsettled().exclude(mailing__in=self.series.mailings.all())
        waiting.update(state=Letter.State.CANCELLED, next_attempt_at=None, lease_token=None, lease_until=None)

    def _ring(self, now, silent=False):
        """What a ring of the bell does, and beat's others that may send a letter of this series."""
        self.now, known = now, Attempt.objects.aggregate(newest=Max("pk"))["newest"] or 0
        due = self._due(now)
        steering.give_notice(now)
        delivery.drain(0, now=lambda: now, wire=lambda: NobodyAtTheOtherEnd(self.keep))
        if not silent:
            went = self._what_went(known)
            fresh = self.series.mailings.with_series().filter(pk__in=due, state__in=(State.SENDING, State.DONE))
            self.empty += fresh.exclude(pk__in=[going.mailing.pk for going in went if going.mailing])
            for going in went:
                going.problems += problems.of(going, wanted=due.get(going.mailing and going.mailing.pk), now=now)
                if self.most and going.number > self.most and going.mailing:
                    going.problems.append(problems.TWO_PERSONS)
                self.gone.append(going)
                self.say(going)

    def _due(self, now):
        """{key of each mailing that is written now: {(kind, id) of its people: their language}}"""
        found = {}
        for mailing in self.series.mailings.with_series().filter(state=State.PLANNED, due_at__lte=now):
            with suppress(Exception):  # whatever it is, `writing` holds it and says why
                found[mailing.pk] = {
                    (person.kind, str(person.id)): languages.spoken(person.language) for person in mailing.people()
                }
        return found

    def _what_went(self, known):
        """The attempts since then that settled a letter, by mailing and kind."""
        news = Attempt.objects.filter(pk__gt=known, state__in=OUTCOMES)
        rows = news.values_list("letter__mailing", "letter__kind", "letter__language", "state", "code")
        found, mailings = {}, self.series.mailings.with_series().in_bulk()
        for mailing, kind, language, state, code, number in rows.annotate(n=Count("pk")).order_by():
            going = found.setdefault((mailing, kind), Going(self.now, kind, mailings.get(mailing)))
            if state == Letter.State.SENT:
                going.languages[language] += number
            else:
                going.lost[state, code] += number
        for going in found.values():
            going.until = self._last_leaves(going)
        return sorted(found.values(), key=lambda going: (going.mailing is not None, going.label))

    def _last_leaves(self, going):
        """When the last one leaves at the pace that large domains get; None where it makes less than a minute."""
        if not self.per_minute or not going.mailing:
            return None
        by_domain = going.letters().values("domain_index").annotate(n=Count("pk")).order_by()
        minutes = max((row["n"] for row in by_domain), default=0) // self.per_minute
        return self.now + timedelta(minutes=minutes) if minutes else None

    def _next(self):
        """The next moment at which something happens, or None once nothing more is due."""
        ahead = self.series.mailings.filter(state=State.PLANNED, due_at__gt=self.now).values_list("due_at", flat=True)
        moments = {moment for due in ahead for moment in (due - steering.NOTICE, due) if moment > self.now}
        again = Letter.objects.unsettled().filter(next_attempt_at__gt=self.now).aggregate(at=Min("next_attempt_at"))
        return min(moments | ({again["at"]} - {None}), default=None)

    def _let_rooms_propose(self, until):
        """What rooms look for at each bell, once a morning between here and there: a second call, where too few apply.
        What they propose stays held, and is among what is `left`."""
        has_begun = self.series.mailings.filter(state__in=(State.SENDING, State.DONE)).exists()
        morning = geneva(day_of(self.now) + ONE_DAY, MORNING)
        while has_begun and until and morning < until:
            for look in registry.LOOKS:
                look(morning)
            morning = geneva(day_of(morning) + ONE_DAY, MORNING)
