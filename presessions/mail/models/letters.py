"""Letters: the outbox, and the append-only attempts that tell what became of each. Room: mail; imports mailings.

No address, subject or text stands here unencrypted. What every letter goes through is SQL, in `statements`.
"""

import uuid
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.db import DatabaseError, connection, models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from presessions import vault
from presessions.mail import registry
from presessions.mail.models import statements
from presessions.mail.models.mailings import Mailing

PUT_OFF = object()
PACE_BURST = timedelta(seconds=5)  # how far ahead of its pace a domain may be: a handful at once is no flood
TURN_LASTS = timedelta(minutes=1)


class LetterQuerySet(models.QuerySet):
    def settled(self):
        return self.filter(state__in=Letter.SETTLED)

    def unsettled(self):
        return self.filter(state__in=Letter.UNSETTLED)

    def to_look_at(self):
        """What needs a person: not delivered, or nobody can know. What was too late before a server ever put it off
        was held back here, and staff know why."""
        return self.filter(state__in=Letter.FOR_A_PERSON).exclude(state=Letter.State.EXPIRED, deferrals=0)

    def follow(self, mailing, now):
        """What a mailing's step means for its letters that wait; asked of `mailing.letters`."""
        waiting = self.filter(state__in=(Letter.State.PENDING, Letter.State.DEFERRED))
        if mailing.state == Mailing.State.HELD:
            waiting.update(next_attempt_at=None, paced=False)  # so that the bell does not walk over them each second
        elif mailing.state == Mailing.State.SENDING:
            waiting.filter(next_attempt_at=None).update(next_attempt_at=now)
        elif mailing.state == Mailing.State.CANCELLED:
            for letter in waiting.defer(*Letter.SEALED):
                letter.step(Q(state=letter.state), state=Letter.State.CANCELLED, now=now, code="mailing")

    def to_address(self, address):
        return self.filter(to_index__in=vault.blind_indexes("email", address))


class Letter(models.Model):
    """One mail to one person. `key` says what it is and to whom, without an address, and is unique: that is why
    nothing is written twice. `frozen` is what goes over the wire, byte for byte, each time it goes."""

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        SENDING = "sending", _("being sent")
        DEFERRED = "deferred", _("tried, will be tried again")
        UNCERTAIN = "uncertain", _("uncertain: may have arrived")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        BOUNCED = "bounced", _("bounced")
        EXPIRED = "expired", _("expired")
        CANCELLED = "cancelled", _("cancelled")

    UNSETTLED = (State.PENDING, State.SENDING, State.DEFERRED, State.UNCERTAIN)
    SETTLED = (State.SENT, State.FAILED, State.BOUNCED, State.EXPIRED, State.CANCELLED)

    FOR_A_PERSON = (State.FAILED, State.UNCERTAIN, State.BOUNCED, State.EXPIRED)

    class Phase(models.TextChoices):
        NONE = "", "–"
        CLAIMED = "claimed", _("claimed")
        DATA = "data", _("handing over")

    SEALED = ("to", "subject", "frozen", "kept", "kept_html")  # encrypted, and heavy: lists do without

    FOR_THE_WIRE = ("to", "frozen")

    key = models.CharField(_("key"), max_length=160, unique=True)
    kind = models.CharField(_("kind"), max_length=40)
    mailing = models.ForeignKey(
        Mailing, on_delete=models.PROTECT, null=True, related_name="letters", verbose_name=_("mailing"), db_index=False
    )
    recipient_kind = models.CharField(_("recipient"), max_length=40)
    recipient_id = models.CharField(_("recipient number"), max_length=64)
    copy = models.PositiveSmallIntegerField(_("copy"), default=1)
    replaces = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="replaced_by",
        verbose_name=_("replaces"),
        db_index=False,
    )
    language = models.CharField(_("language"), max_length=8)
    priority = models.SmallIntegerField(_("priority"), default=registry.Priority.NOW.value)

    to = vault.EncryptedTextField(_("to"))
    to_index = vault.BlindIndexField(db_index=False)
    domain_index = vault.BlindIndexField(default="", db_index=False)
    subject = vault.EncryptedTextField(_("subject"))
    frozen = vault.EncryptedBytesField(_("frozen bytes"))
    kept = vault.EncryptedTextField(_("text, links struck out"))
    kept_html = vault.EncryptedTextField(_("HTML, links struck out"), default="")
    body_sha256 = models.CharField(_("SHA-256 of the bytes"), max_length=64, blank=True)
    message_id = models.CharField(_("Message-ID"), max_length=200, blank=True)
    date_header = models.CharField(_("Date"), max_length=40, blank=True)

    created_at = models.DateTimeField(_("written"))
    due_at = models.DateTimeField(_("due"))
    not_after = models.DateTimeField(_("not after"))
    next_attempt_at = models.DateTimeField(_("next try"), null=True)  # null: its mailing is still being written
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING)
    phase = models.CharField(_("phase"), max_length=8, choices=Phase, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    deferrals = models.PositiveSmallIntegerField(_("refusals for now"), default=0)
    resends = models.PositiveSmallIntegerField(_("identical repeats"), default=0)
    paced = models.BooleanField(_("has its turn among those of its domain"), default=False)
    uncertain_at = models.DateTimeField(_("uncertain since"), null=True)
    lease_token = models.UUIDField(_("lease"), null=True)
    lease_until = models.DateTimeField(_("lease until"), null=True)
    last_code = models.CharField(_("last answer"), max_length=20, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    forgotten_at = models.DateTimeField(_("contents and address erased"), null=True)  # see `forgetting`

    # Of a letter that was closed: the one taken with it, None when nothing is due, PUT_OFF to look again.
    next = PUT_OFF
    # Of a letter that was taken: it goes although all mail is stopped, to see whether it may start again.
    is_trial = False

    objects = LetterQuerySet.as_manager()

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        # Each change of a letter writes to every index whose condition it meets, so there are no more than are asked;
        # and none holds what the mark right before DATA changes, which therefore touches none.
        indexes = [
            # What the bell asks every second; neither grows with the letters that are settled.
            models.Index(
                fields=["priority", "next_attempt_at"],
                condition=Q(state__in=["pending", "deferred"]),
                name="letter_claimable",
            ),
            models.Index(fields=["id"], condition=Q(state="sending"), name="letter_in_hand"),
            models.Index(fields=["mailing", "state"], name="letter_of_mailing"),
            # What staff look for.
            models.Index(
                fields=["-created_at"],
                condition=Q(state__in=["failed", "uncertain", "bounced", "expired"]),
                name="letter_to_look_at",
            ),
            models.Index(fields=["-created_at"], name="letter_newest"),
            models.Index(fields=["recipient_kind", "recipient_id"], name="letter_recipient"),
            models.Index(fields=["to_index"], name="letter_to"),
            models.Index(fields=["message_id"], name="letter_message_id"),
            models.Index(fields=["replaces"], condition=Q(replaces__isnull=False), name="letter_replaces"),
        ]

    def __str__(self):
        return self.key

    @property
    def label(self):
        known = registry.KINDS.get(self.kind)
        return str(known.label) if known else self.kind

    @classmethod
    def take(cls, now, *, trial=False):
        """The most urgent due letter, claimed; PUT_OFF when it had to wait for its turn; None when nothing is due.

        trial -- although all mail is stopped
        """
        return cls._taken(statements.ask(cls._with_columns(statements.TAKE), cls._to_take(now, trial)))

    @classmethod
    def plan_of_take(cls, now):
        """How the server goes about finding the next letter, line by line. Takes none."""
        return statements.plan(cls._with_columns(statements.TAKE), cls._to_take(now))

    def open(self):
        """Decrypt what the wire needs of a letter that was taken. Raises Unreadable."""
        for name, sealed in self._sealed.items():
            setattr(self, name, self._meta.get_field(name).from_db_value(sealed, None, connection))

    def mark(self, now):
        """Commit that the bytes are about to be handed over; False when they must not be."""
        values = {"id": self.pk, "lease_token": self.lease_token, "now": now, "lease": _lease()}
        return bool(statements.ask(statements.MARK, values))

    def close(self, now, code, answer, *, and_take=False):
        """Note that a server has taken it; False when that is not ours to say any more.

        and_take -- take the next one in the same commit: see `next`
        """
        values = {
            **self._to_take(now),
            "id": self.pk,
            "lease_token": self.lease_token,
            "attempts": self.attempts,
            "code": code,
            "answer": Attempt._meta.get_field("answer").get_db_prep_value(answer, connection),
        }
        row = None
        if and_take:
            try:
                row = statements.ask(self._with_columns(statements.CLOSE_AND_TAKE), values)
            except DatabaseError:  # whatever is wrong with the next one: this one has gone, and must say so
                row = None
        closed, failed_in_a_row, *taken = row or statements.ask(statements.CLOSE, values)
        if failed_in_a_row:
            Mailing.objects.filter(pk=self.mailing_id).update(failed_in_a_row=0)
        self.next = self._taken(taken) if taken else PUT_OFF
        return bool(closed)

    @classmethod
    def _to_take(cls, now, trial=False):
        per_minute = settings.MAIL_DOMAIN_PER_MINUTE
        return {
            "id": 0,
            "now": now,
            "trial": trial,
            "bulk": registry.Priority.BULK.value,
            "pace": bool(per_minute) and not trial,
            "gap": timedelta(minutes=1) / (per_minute or 1),
            "burst": PACE_BURST,
            "turn_lasts": TURN_LASTS,
            "new_lease": uuid.uuid4(),
            "lease": _lease(),
        }

    @classmethod
    @cache
    def _plain_columns(cls):
        return [field.attname for field in cls._meta.concrete_fields if field.attname not in cls.SEALED]

    @classmethod
    @cache
    def _with_columns(cls, statement):
        columns = [*cls._plain_columns(), *cls.FOR_THE_WIRE]
        return statement.format(columns=", ".join(f'taken."{column}"' for column in columns))

    @classmethod
    def _taken(cls, row):
        """A letter from the end of a row of `statements`; to and frozen stay sealed, and may be unreadable."""
        found, mailing_state, *values = row
        if found is None:
            return None
        if values[0] is None:
            return PUT_OFF
        plain = cls._plain_columns()
        letter = cls.from_db(connection.alias, plain, values[: len(plain)])
        letter.mailing_state = mailing_state
        letter._sealed = dict(zip(cls.FOR_THE_WIRE, values[len(plain) :], strict=True))
        return letter

    def step(self, guard, *, state, now, code="", answer="", **facts):
        """Change in one UPDATE if `guard` still holds, with the Attempt that tells of it; False if it does not.

        A letter that is settled gives up its frozen bytes; the copy with the links struck out stays.
        """
        if state != self.State.SENDING:
            facts = {"phase": "", "lease_token": None, "lease_until": None, **facts}
        if state in self.SETTLED:
            facts = {"frozen": b"", "next_attempt_at": None, **facts}
        with transaction.atomic(savepoint=False):
            moved = Letter.objects.filter(guard, pk=self.pk).update(state=state, last_code=code, **facts)
            if moved:
                Attempt.objects.create(
                    letter_id=self.pk,
                    at=now,
                    number=self.attempts,
                    state=state,
                    phase=facts.get("phase", ""),
                    code=code,
                    answer=answer,
                )
        return bool(moved)


def _lease():
    return timedelta(seconds=settings.MAIL_LEASE)


class Attempt(models.Model):
    """What happened to a letter, one row per change. Append-only by trigger; only `answer` may be emptied, because a
    server may quote an address."""

    letter = models.ForeignKey(Letter, on_delete=models.DO_NOTHING, related_name="history", verbose_name=_("letter"))
    at = models.DateTimeField(_("when"))
    number = models.PositiveSmallIntegerField(_("try"))
    state = models.CharField(_("state"), max_length=10, choices=Letter.State)
    phase = models.CharField(_("phase"), max_length=8, choices=Letter.Phase, blank=True)
    code = models.CharField(_("answer"), max_length=20, blank=True)
    answer = vault.EncryptedTextField(_("the server's words"))

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["pk"]

    def __str__(self):
        return f"{self.letter_id}/{self.number} {self.state} {self.code}".rstrip()


class Pace(models.Model):
    """When the next letter to one domain may go, so that one large domain neither blocks the others nor is flooded."""

    domain_index = vault.BlindIndexField(primary_key=True, db_index=False)
    free_at = models.DateTimeField(_("next free turn"))

    class Meta:
        verbose_name = _("pace of a domain")
        verbose_name_plural = _("paces of domains")

    def __str__(self):
        return f"next turn {self.free_at:%H:%M:%S}"
