"""What timed mail keeps: mailings, letters, every attempt, personal links, and the switch that stops everything.

Room: mail, floor 1; imports upr and the basement. Recipients and what a link opens are named by kind and id in plain
columns, never by a foreign key up the tower. No address, subject, text or token stands here unencrypted.
"""

from datetime import timedelta

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from presessions import trail, vault
from presessions.mail import registry
from presessions.trail.steps import WrongStep

PROBE_EVERY = timedelta(minutes=15)

mailing_changed = Signal()  # (mailing, now): a step of staff has been taken; the schedule plans the series again


class MailingQuerySet(models.QuerySet):
    def with_series(self):
        return self.select_related("series__session", "meeting__state_under_review__state")

    def waiting(self):
        """Planned, but a date it hangs on is unknown."""
        return self.filter(state=Mailing.State.PLANNED, due_at=None)

    def held(self):
        return self.filter(state=Mailing.State.HELD)


class Mailing(models.Model):
    """One kind of mail for one series, or for one meeting of it. Its steps are in `schedule`.

    The rule is a copy of the registered timetable's line, which staff may change for this series.
    """

    class State(models.TextChoices):
        PLANNED = "planned", pgettext_lazy("mailing", "planned")
        NOT_NEEDED = "not_needed", _("not needed")
        HELD = "held", pgettext_lazy("mailing", "held")
        WRITING = "writing", _("writing")
        SENDING = "sending", _("sending")
        DONE = "done", _("done")
        CANCELLED = "cancelled", pgettext_lazy("mailing", "cancelled")

    class Held(models.TextChoices):
        STAFF = "staff", _("held by staff")
        PAST = "past", _("already past when the date was entered")
        LATE = "late", _("too late to go out by itself")
        POINTLESS = "pointless", _("of no use any more")
        AUDIENCE = "audience", _("its audience could not be listed")

    class Decided(models.TextChoices):
        RULE = "rule", _("by its rule")
        LATEST = "latest", _("by “at the latest”")
        MOVED = "moved", _("moved by staff")

    BEFORE_WRITING = (State.PLANNED, State.HELD, State.NOT_NEEDED)

    kind = models.CharField(_("kind"), max_length=40)
    series = models.ForeignKey(
        "upr.Series", on_delete=models.PROTECT, related_name="mailings", verbose_name=_("series")
    )
    meeting = models.ForeignKey(
        "upr.CountryMeeting", on_delete=models.PROTECT, null=True, related_name="mailings", verbose_name=_("meeting")
    )
    step = models.CharField(_("step"), max_length=20, blank=True)

    anchor = models.CharField(_("hangs on"), max_length=40)
    months = models.SmallIntegerField(_("months before"), default=0)
    days = models.SmallIntegerField(_("days before"), default=0, help_text=_("A negative number means after."))
    hour = models.PositiveSmallIntegerField(_("hour in Geneva"), default=9, validators=[MaxValueValidator(23)])
    latest_anchor = models.CharField(_("at the latest before"), max_length=40, blank=True)
    latest_days = models.SmallIntegerField(_("days before that"), null=True, blank=True)
    pointless_after = models.CharField(_("of no use after"), max_length=40, blank=True)

    state = models.CharField(_("state"), max_length=12, choices=State, default=State.PLANNED)
    held_reason = models.CharField(_("why held"), max_length=12, choices=Held, blank=True)
    due_at = models.DateTimeField(_("due"), null=True)
    decided_by = models.CharField(_("decided"), max_length=8, choices=Decided, blank=True)
    moved_to = models.DateTimeField(_("moved to"), null=True)
    resumed_at = models.DateTimeField(_("released by staff"), null=True)
    writing_at = models.DateTimeField(_("writing began"), null=True)
    written_at = models.DateTimeField(_("all letters written"), null=True)
    done_at = models.DateTimeField(_("done"), null=True)

    objects = MailingQuerySet.as_manager()

    class Meta:
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        ordering = ["due_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "series", "meeting", "step"], nulls_distinct=False, name="one_mailing_of_a_kind"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["planned", "writing", "sending"]),
                name="mailing_to_look_at",
            ),
        ]

    def __str__(self):
        about = f"{self.series}, {self.meeting}" if self.meeting_id else str(self.series)
        return f"{self.label} ({self.step}), {about}" if self.step else f"{self.label}, {about}"

    @property
    def label(self):
        known = registry.KINDS.get(self.kind)
        return str(known.label) if known else self.kind

    @property
    def audience(self):
        known = registry.PLANS.get((self.kind, self.step))
        return str(known.audience) if known else ""

    def anchor_at(self, name):
        """The instant of an anchor for this mailing, or None while it is unknown or nobody registered it."""
        known = registry.ANCHORS.get(name)
        return known.find(self.series, self.meeting) if known else None

    def is_pointless(self, now):
        """Whether the moment has passed after which this mailing helps nobody."""
        end = self.anchor_at(self.pointless_after) if self.pointless_after else None
        return end is not None and end <= now

    @property
    def date_may_change(self):
        """Until writing begins; not even a hold in the middle of it opens the date again."""
        return self.state in self.BEFORE_WRITING and self.writing_at is None

    # Steps of staff. Each raises WrongStep in words; `reason` is kept, encrypted, in the trail.

    def move_to(self, instant, *, by, now, reason=""):
        """Send at another moment than the rule says. Outranks the rule, whatever date changes, until cleared."""
        if instant <= now:
            self._refuse("move", _("%(mailing)s cannot be moved into the past."), by=by, now=now)
        if self.is_pointless(instant):
            self._refuse("move", _("At that moment %(mailing)s would be of no use any more."), by=by, now=now)
        facts = {"moved_to": instant, "state": self.State.PLANNED, "held_reason": ""}
        self._redate("move", by=by, now=now, reason=reason, **facts)

    def follow_rule(self, *, by, now, reason=""):
        """Take back a move: the rule decides again."""
        if not self.moved_to:
            self._refuse("follow_rule", _("%(mailing)s has not been moved."), by=by, now=now)
        self._redate("follow_rule", by=by, now=now, reason=reason, moved_to=None)

    def change_rule(self, *, by, now, reason="", **rule):
        """Give this series its own rule: anchor, months, days, hour, latest_anchor, latest_days."""
        self._redate("change_rule", by=by, now=now, reason=reason, **rule)

    def hold(self, *, by, now, reason=""):
        """Stop it where it is: no letter leaves but the one in hand."""
        before = (self.State.PLANNED, self.State.WRITING, self.State.SENDING)
        facts = {"state": self.State.HELD, "held_reason": self.Held.STAFF}
        self._step("hold", before, by=by, now=now, reason=reason, **facts)

    def resume(self, *, by, now, reason=""):
        """Let it go on from where it was held, late or not."""
        if self.is_pointless(now):
            self._refuse(
                "resume", _("%(mailing)s is of no use any more; cancel it, or change the dates."), by=by, now=now
            )
        self.refresh_from_db()  # where it was held decides where it goes on
        state = self.State.PLANNED
        if self.writing_at:
            state = self.State.SENDING if self.written_at else self.State.WRITING
        facts = {"state": state, "held_reason": "", "resumed_at": now}
        self._step("resume", (self.State.HELD,), by=by, now=now, reason=reason, **facts)

    def cancel(self, *, by, now, reason=""):
        """Never send it, nor what is left of it."""
        before = (*self.BEFORE_WRITING, self.State.WRITING, self.State.SENDING)
        facts = {"state": self.State.CANCELLED, "held_reason": ""}
        self._step("cancel", before, by=by, now=now, reason=reason, **facts)

    def catch_up(self, *, by=None, now, reason=""):
        """Write to those who joined its audience after it went."""
        if self.is_pointless(now):
            self._refuse("catch_up", _("%(mailing)s is of no use any more."), by=by, now=now)
        facts = {"state": self.State.WRITING, "writing_at": now, "written_at": None}
        self._step("catch_up", (self.State.SENDING, self.State.DONE), by=by, now=now, reason=reason, **facts)

    def _redate(self, code, *, by, now, reason, **facts):
        self.refresh_from_db(fields=["writing_at"])
        if self.writing_at and self.state in self.BEFORE_WRITING:
            self._refuse(code, _("The letters of %(mailing)s are being written already."), by=by, now=now)
        self._step(code, self.BEFORE_WRITING, Q(writing_at=None), by=by, now=now, reason=reason, **facts)

    def _step(self, code, before, guard=Q(), *, by, now, reason, **facts):  # noqa: B008 -- an empty Q is a constant
        """Move in one UPDATE, so that of two clicks at once only one wins; letters and dates follow in the same
        transaction, and the trail is written beside it."""
        with transaction.atomic():
            moved = Mailing.objects.filter(guard, pk=self.pk, state__in=before).update(**facts)
            self.refresh_from_db()
            trail.record(self, code, now=now, by=by, refused=not moved, reason=reason)
            if moved:
                self._letters_follow(now)
                mailing_changed.send(Mailing, mailing=self, now=now)
        if not moved:  # outside the block: a refusal must not undo its own event
            raise WrongStep(
                _("%(mailing)s is already %(state)s.") % {"mailing": self, "state": self.get_state_display()}
            )

    def _letters_follow(self, now):
        waiting = self.letters.filter(state__in=(Letter.State.PENDING, Letter.State.DEFERRED))
        if self.state == self.State.HELD:
            waiting.update(next_attempt_at=None)  # so that the bell does not walk over them each second
        elif self.state == self.State.SENDING:
            waiting.filter(next_attempt_at=None).update(next_attempt_at=now)
        elif self.state == self.State.CANCELLED:
            for letter in waiting.defer(*Letter.SEALED):
                letter.step(Q(state=letter.state), state=Letter.State.CANCELLED, now=now, code="mailing")

    def _refuse(self, code, words, *, by, now):
        trail.record(self, code, now=now, by=by, refused=True)
        raise WrongStep(words % {"mailing": self})


class LetterQuerySet(models.QuerySet):
    def settled(self):
        return self.filter(state__in=Letter.SETTLED)

    def unsettled(self):
        return self.filter(state__in=Letter.UNSETTLED)

    def claimable(self, now):
        """Due, written with all others of its mailing, and its mailing not held; the most urgent first."""
        return (
            self.filter(state__in=(Letter.State.PENDING, Letter.State.DEFERRED), next_attempt_at__lte=now)
            .exclude(mailing__in=Mailing.objects.held())
            .order_by("priority", "next_attempt_at")
        )

    def to_look_at(self):
        """What needs a person: not delivered, or nobody can know."""
        return self.filter(state__in=(Letter.State.FAILED, Letter.State.UNCERTAIN, Letter.State.BOUNCED))

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

    class Phase(models.TextChoices):
        NONE = "", "–"
        CLAIMED = "claimed", _("claimed")
        DATA = "data", _("handing over")

    SEALED = ("to", "subject", "frozen", "kept")  # encrypted, and heavy: lists do without

    key = models.CharField(_("key"), max_length=160, unique=True)
    kind = models.CharField(_("kind"), max_length=40)
    mailing = models.ForeignKey(
        Mailing, on_delete=models.PROTECT, null=True, related_name="letters", verbose_name=_("mailing"), db_index=False
    )
    recipient_kind = models.CharField(_("recipient"), max_length=40)
    recipient_id = models.CharField(_("recipient number"), max_length=64)
    copy = models.PositiveSmallIntegerField(_("copy"), default=1)
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="replaced_by", verbose_name=_("replaces")
    )
    language = models.CharField(_("language"), max_length=8)
    priority = models.SmallIntegerField(_("priority"), default=registry.Priority.NOW.value)

    to = vault.EncryptedTextField(_("to"))
    to_index = vault.BlindIndexField()
    subject = vault.EncryptedTextField(_("subject"))
    frozen = vault.EncryptedBytesField(_("frozen bytes"))
    kept = vault.EncryptedTextField(_("text, links struck out"))
    body_sha256 = models.CharField(_("SHA-256 of the bytes"), max_length=64, blank=True)
    message_id = models.CharField(_("Message-ID"), max_length=200, blank=True, db_index=True)
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
    uncertain_at = models.DateTimeField(_("uncertain since"), null=True)
    lease_token = models.UUIDField(_("lease"), null=True)
    lease_until = models.DateTimeField(_("lease until"), null=True)
    last_code = models.CharField(_("last answer"), max_length=20, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True)

    objects = LetterQuerySet.as_manager()

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        indexes = [
            # What the bell asks every second; none of them grows with the letters that are settled.
            models.Index(
                fields=["priority", "next_attempt_at"],
                condition=Q(state__in=["pending", "deferred"]),
                name="letter_claimable",
            ),
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="letter_in_hand"),
            models.Index(
                fields=["mailing"],
                condition=Q(state__in=["pending", "sending", "deferred", "uncertain"]),
                name="letter_of_mailing_unsettled",
            ),
            models.Index(
                fields=["-created_at"],
                condition=Q(state__in=["failed", "uncertain", "bounced"]),
                name="letter_to_look_at",
            ),
            models.Index(fields=["mailing", "state"], name="letter_of_mailing"),
            models.Index(fields=["recipient_kind", "recipient_id"], name="letter_recipient"),
            models.Index(fields=["-created_at"], name="letter_newest"),
        ]

    def __str__(self):
        return self.key

    @property
    def label(self):
        known = registry.KINDS.get(self.kind)
        return str(known.label) if known else self.kind

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


class PersonalLink(models.Model):
    """A door that one letter opens. Only the hash of its token is kept."""

    purpose = models.CharField(_("purpose"), max_length=40)
    target_id = models.CharField(_("opens"), max_length=64)
    token_hash = models.BinaryField(_("hash"), max_length=32, unique=True)
    letter = models.ForeignKey(
        Letter, on_delete=models.PROTECT, null=True, related_name="links", verbose_name=_("letter")
    )
    made_at = models.DateTimeField(_("made"))
    revoked_at = models.DateTimeField(_("revoked"), null=True)

    class Meta:
        verbose_name = _("personal link")
        verbose_name_plural = _("personal links")
        indexes = [models.Index(fields=["purpose", "target_id"], name="link_target")]

    def __str__(self):
        return f"{self.purpose} {self.pk}"


class LinkVisit(models.Model):
    """A page was fetched by a personal link. That may have been a mail filter, and is never taken for an answer."""

    link = models.ForeignKey(PersonalLink, on_delete=models.CASCADE, related_name="visits", verbose_name=_("link"))
    at = models.DateTimeField(_("when"))
    method = models.CharField(_("method"), max_length=8)
    maybe_filter = models.BooleanField(_("may be a mail filter"))

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")

    def __str__(self):
        return f"{self.method} of link {self.link_id}"


class Switch(models.Model):
    """The one row that stops all mail. With `probe_at` the fault is ours, and one letter is tried then; without it a
    member of staff has stopped the mail and only staff start it again."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    paused_at = models.DateTimeField(_("stopped"), null=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("stopped by")
    )
    code = models.CharField(_("why"), max_length=20, blank=True)
    answer = vault.EncryptedTextField(_("the server's words"))
    probe_at = models.DateTimeField(_("next trial"), null=True)

    class Meta:
        verbose_name = _("switch for all mail")
        verbose_name_plural = _("switch for all mail")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_switch")]

    def __str__(self):
        return "stopped" if self.paused_at else "running"

    @classmethod
    def get(cls):
        return cls.objects.get_or_create(pk=cls.ONLY)[0]

    @classmethod
    def stop(cls, *, by, now, reason=""):
        """Staff stop all mail; only staff start it again."""
        cls.get()
        cls.objects.update(paused_at=now, paused_by=by, code="staff", answer="", probe_at=None)
        trail.record(cls.get(), "stop", now=now, by=by, reason=reason)

    @classmethod
    def start(cls, *, by, now, reason=""):
        cls.get()
        cls.objects.update(paused_at=None, paused_by=None, code="", answer="", probe_at=None)
        trail.record(cls.get(), "start", now=now, by=by, reason=reason)

    @classmethod
    def fault_is_ours(cls, *, now, code, answer):
        """The server refuses us, not a recipient: stop, and try one letter now and then. Staff's own stop stays."""
        cls.get()
        cls.objects.filter(Q(paused_at=None) | Q(probe_at__isnull=False)).update(
            paused_at=now, paused_by=None, code=code, answer=answer, probe_at=now + PROBE_EVERY
        )

    @classmethod
    def lets_pass(cls, now):
        """Whether a letter may leave: nothing is stopped, or it is time for a trial and we are the one to make it."""
        switch = cls.objects.filter(paused_at__isnull=False).defer("answer").first()
        if switch is None:
            return True
        if switch.probe_at is None or switch.probe_at > now:
            return False
        return bool(cls.objects.filter(probe_at=switch.probe_at).update(probe_at=now + PROBE_EVERY))

    @classmethod
    def trial_passed(cls):
        """The server took us again. Staff's own stop stays."""
        cls.objects.filter(probe_at__isnull=False).update(paused_at=None, code="", answer="", probe_at=None)
