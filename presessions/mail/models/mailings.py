"""Mailings: one kind of mail for one series, its rule, and the steps that staff take with it. Room: mail.

Imports the registry, upr and the basement; `letters` imports us. Recipients are named by kind and id in plain columns,
never by a foreign key up the tower.
"""

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import DatabaseError, models, transaction
from django.db.models import F, Q
from django.dispatch import Signal
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from presessions import trail
from presessions.mail import registry
from presessions.trail.steps import WrongStep

mailing_changed = Signal()  # (mailing, now): a step of staff has been taken; the schedule plans the series again


class MailingQuerySet(models.QuerySet):
    def with_series(self):
        return self.select_related(
            "series__session", "meeting__state_under_review__state", "meeting__state_under_review__session"
        )

    def waiting(self):
        """Planned, but a date it hangs on is unknown."""
        return self.filter(state=Mailing.State.PLANNED, due_at=None)

    def held(self):
        return self.filter(state=Mailing.State.HELD)


class Mailing(models.Model):
    """One kind of mail for one series, or for one meeting of it. Staff's steps are methods here; those that touch its
    letters too are in `steering`, and what the clock does in `schedule` and `writing`.

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
        FAILURES = "failures", _("too many of its letters failed in a row")
        LOOK = "look", _("written, to be looked at before it goes")
        SECOND = "second", _("a second person must release it")
        PROPOSED = "proposed", _("proposed: staff decide whether it goes")

    class Decided(models.TextChoices):
        RULE = "rule", _("by its rule")
        LATEST = "latest", _("by “at the latest”")
        MOVED = "moved", _("moved by staff")

    BEFORE_WRITING = (State.PLANNED, State.HELD, State.NOT_NEEDED)
    UNAPPROVED = {"approved_by": None, "approved_at": None, "released_by": None}

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

    corrects = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="corrections", verbose_name=_("corrects")
    )
    told = models.JSONField(_("dates that it told"), null=True)  # see `corrections`
    noticed_for = models.DateTimeField(_("staff were told of"), null=True)  # the due_at of their 24-hour notice
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved"), null=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("let go by")
    )
    failed_in_a_row = models.PositiveIntegerField(_("letters failed in a row"), default=0)
    reconciled_at = models.DateTimeField(_("last compared with its audience"), null=True)
    unreached = models.PositiveIntegerField(_("of its audience, unreached and unexplained"), null=True)

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
        about = f"{self.series}, {self.meeting.state.name}" if self.meeting_id else str(self.series)
        line = registry.find_plan(self.kind, self.step)
        step = "" if line and line.instead_of else self.step  # of these only a number
        return f"{self.label} ({step}), {about}" if step else f"{self.label}, {about}"

    @property
    def label(self):
        known = registry.KINDS.get(self.kind)
        return str(known.label) if known else self.kind

    @property
    def audience(self):
        known = registry.find_plan(self.kind, self.step)
        return str(known.audience) if known else ""

    @cached_property
    def own_texts(self):
        """(subject, body) by language, where staff wrote a text for mails of this kind in this series. Asked once, not
        for each letter: a text cannot change while letters are written."""
        own = self.series.mail_texts.filter(kind=self.kind)
        return {language: (subject, body) for language, subject, body in own.values_list("language", "subject", "body")}

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

    @property
    def is_frozen(self):
        """Whether letters of it are written, and none could leave yet: whoever let it go may have held it again."""
        if self.writing_at is None:
            return False
        if self.state == self.State.PLANNED or self.held_reason == self.Held.LOOK:
            return True
        return self.state == self.State.HELD and not self.letters.filter(attempts__gt=0).exists()

    def people(self):
        """Its audience as it is today. Whatever the room above raises comes through."""
        return list(registry.plan_of(self).recipients(self))

    def unwritten(self, people):
        """Those of its audience who have no letter of it."""
        known = set(self.letters.values_list("recipient_kind", "recipient_id"))
        return [person for person in people if (person.kind, str(person.id)) not in known]

    def still_to_go(self, people=None):
        """How many people a step would set letters going to: those not yet written to, and, unless letters are going
        already, those whose letter waits. 0 when the room above cannot list them: then nothing is written either."""
        try:
            number = len(self.unwritten(self.people() if people is None else people))
        except DatabaseError:
            raise
        except Exception:  # `writing` holds it, and says why
            number = 0
        is_going = self.state in (self.State.SENDING, self.State.DONE)
        return number if is_going else number + self.letters.unsettled().count()

    # Two persons: above MAIL_TWO_PERSONS_ABOVE recipients one approves, and only another can set it going.

    @property
    def is_approved(self):
        """By somebody, for what has not gone yet: an approval of the first round is none for those who came later."""
        used_up = self.written_at and self.approved_at and self.approved_at <= self.written_at
        return self.approved_by_id is not None and not (used_up and not self.is_frozen)

    @property
    def two_persons_agreed(self):
        return self.is_approved and self.released_by_id not in (None, self.approved_by_id)

    def needs_two_persons(self):
        most = settings.MAIL_TWO_PERSONS_ABOVE
        return bool(most) and self.still_to_go() > most

    # Steps of staff. Each raises WrongStep in words; `reason` is kept, encrypted, in the trail.

    def move_to(self, instant, *, by, now, reason=""):
        """Send at another moment than the rule says. Outranks the rule, whatever date changes, until cleared."""
        if instant <= now:
            self.refuse("move", _("%(mailing)s cannot be moved into the past."), by=by, now=now)
        if self.is_pointless(instant):
            self.refuse("move", _("At that moment %(mailing)s would be of no use any more."), by=by, now=now)
        facts = {"moved_to": instant, "state": self.State.PLANNED, "held_reason": ""}
        self._redate("move", by=by, now=now, reason=reason, **facts)

    def follow_rule(self, *, by, now, reason=""):
        """Take back a move: the rule decides again."""
        if not self.moved_to:
            self.refuse("follow_rule", _("%(mailing)s has not been moved."), by=by, now=now)
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
        """Let it go on from where it was held, late or not; not before its hour."""
        if self.is_pointless(now):
            self.refuse(
                "resume", _("%(mailing)s is of no use any more; cancel it, or change the dates."), by=by, now=now
            )
        self.refresh_from_db()  # where it was held decides where it goes on
        agreed, facts = Q(), {"state": self.State.PLANNED}
        early = self.due_at is None or self.due_at > now
        if self.writing_at and not early and not self.is_frozen:
            facts["state"] = self.State.SENDING if self.written_at else self.State.WRITING
        elif self.writing_at:
            facts["written_at"] = None  # at its hour those are added who joined since, and then all go
        if self.writing_at or not early or self.held_reason == self.Held.SECOND:
            agreed, release = self._second_person("resume", by=by, now=now)
            facts |= release
        facts |= {"held_reason": "", "resumed_at": now}
        self._step("resume", (self.State.HELD,), agreed, by=by, now=now, reason=reason, **facts)

    def send_now(self, *, by, now, reason=""):
        """Let it go at this very moment, whatever its rule says."""
        if self.is_pointless(now):
            self.refuse("send_now", _("%(mailing)s is of no use any more."), by=by, now=now)
        self.refresh_from_db(fields=["state", "held_reason", "writing_at"])
        agreed, facts = self._second_person("send_now", by=by, now=now)
        facts |= {
            "moved_to": now,
            "due_at": now,
            "decided_by": self.Decided.MOVED,
            "state": self.State.PLANNED,
            "held_reason": "",
            "resumed_at": now,
            "written_at": None,
        }
        not_gone = Q(writing_at=self.writing_at if self.is_frozen else None)
        self._step("send_now", self.BEFORE_WRITING, agreed & not_gone, by=by, now=now, reason=reason, **facts)

    def cancel(self, *, by, now, reason=""):
        """Never send it, nor what is left of it."""
        before = (*self.BEFORE_WRITING, self.State.WRITING, self.State.SENDING)
        facts = {"state": self.State.CANCELLED, "held_reason": ""}
        self._step("cancel", before, by=by, now=now, reason=reason, **facts)

    def catch_up(self, *, by=None, now, reason=""):
        """Write to those who joined its audience after it went."""
        if self.is_pointless(now):
            self.refuse("catch_up", _("%(mailing)s is of no use any more."), by=by, now=now)
        agreed, facts = self._second_person("catch_up", by=by, now=now)
        facts |= {"state": self.State.WRITING, "writing_at": now, "written_at": None}
        self._step("catch_up", (self.State.SENDING, self.State.DONE), agreed, by=by, now=now, reason=reason, **facts)

    def freeze(self, *, by, now, reason=""):
        """Write all its letters now and hold them, so that staff can read what would really go."""
        self.refresh_from_db()
        if self.due_at is None:
            self.refuse("freeze", _("%(mailing)s waits for a date; it cannot be written yet."), by=by, now=now)
        if self.is_pointless(max(self.due_at, now)):
            self.refuse("freeze", _("%(mailing)s is of no use any more."), by=by, now=now)
        facts = {"state": self.State.WRITING, "held_reason": self.Held.LOOK, "writing_at": now, "written_at": None}
        before = (self.State.PLANNED, self.State.HELD)
        self._step("freeze", before, Q(writing_at=None), by=by, now=now, reason=reason, **facts)

    def approve(self, *, by, now, reason=""):
        """The first of two persons agrees; the second, another one, lets it go."""
        self.refresh_from_db()
        before = (*self.BEFORE_WRITING, self.State.SENDING, self.State.DONE)
        if self.is_approved:
            self.refuse("approve", _("%(mailing)s has been approved already."), by=by, now=now)
        facts = {"approved_by": by, "approved_at": now, "released_by": None}
        same = Q(approved_at=self.approved_at)
        self._step("approve", before, same, by=by, now=now, reason=reason, **facts)

    def release(self, *, by, now, reason=""):
        """The second person agrees too: it goes at its hour, at once when that is past."""
        self.refresh_from_db()
        if self.state == self.State.HELD:
            self.resume(by=by, now=now, reason=reason)
            return
        agreed, facts = self._second_person("release", by=by, now=now, whatever_the_number=True)
        self._step("release", (self.State.PLANNED,), agreed, by=by, now=now, reason=reason, **facts)

    def failed_again(self):
        """Count a letter that failed; returns how many have, one after the other."""
        Mailing.objects.filter(pk=self.pk).update(failed_in_a_row=F("failed_in_a_row") + 1)
        self.refresh_from_db(fields=["failed_in_a_row"])
        return self.failed_in_a_row

    def break_off(self, *, now):
        """Something seems wrong with all of its letters, not with one address: what has not gone waits for staff."""
        facts = {"state": self.State.HELD, "held_reason": self.Held.FAILURES, "failed_in_a_row": 0}
        before = (self.State.SENDING, self.State.WRITING)
        return not self.try_step("held_failures", before, Q(), by=None, now=now, reason="", **facts)

    def _second_person(self, code, *, by, now, whatever_the_number=False):
        """(guard, facts) of a step that sets letters going. Raises WrongStep where two must agree and have not."""
        if not (whatever_the_number or self.needs_two_persons()):
            return Q(), {}
        self.refresh_from_db(fields=["approved_by", "approved_at", "written_at", "state", "writing_at"])
        if not self.is_approved:
            words = _("%(mailing)s goes to many people: somebody must approve it first, and somebody else let it go.")
            self.refuse(code, words, by=by, now=now)
        if by is None or by.pk == self.approved_by_id:
            self.refuse(code, _("%(mailing)s was approved by you: somebody else must let it go."), by=by, now=now)
        return Q(approved_by=self.approved_by_id, approved_at=self.approved_at), {"released_by": by}

    def _redate(self, code, *, by, now, reason, **facts):
        self.refresh_from_db(fields=["writing_at"])
        if self.writing_at and self.state in self.BEFORE_WRITING:
            self.refuse(code, _("The letters of %(mailing)s are being written already."), by=by, now=now)
        facts |= self.UNAPPROVED  # who approved it approved another date
        self._step(code, self.BEFORE_WRITING, Q(writing_at=None), by=by, now=now, reason=reason, **facts)

    def _step(self, code, before, guard=Q(), *, by, now, reason, **facts):  # noqa: B008 -- an empty Q is a constant
        """Take a step, or say in words why not."""
        refusal = self.try_step(code, before, guard, by=by, now=now, reason=reason, **facts)
        if refusal:
            raise WrongStep(refusal)

    def try_step(self, code, before, guard, *, by, now, reason, **facts):
        """Move in one UPDATE, so that of two clicks at once only one wins; letters and dates follow in the same
        transaction, and the trail is written beside it. Returns the refusal in words, or "": it is raised outside the
        transaction, because a refusal must not undo its own event."""
        with transaction.atomic():
            moved = Mailing.objects.filter(guard, pk=self.pk, state__in=before).update(**facts)
            self.refresh_from_db()
            trail.record(self, code, now=now, by=by, refused=not moved, reason=reason)
            if moved:
                self.letters.follow(self, now)
                mailing_changed.send(Mailing, mailing=self, now=now)
                return ""
        return _("%(mailing)s is already %(state)s.") % {"mailing": self, "state": self.get_state_display()}

    def refuse(self, code, words, *, by, now):
        trail.record(self, code, now=now, by=by, refused=True)
        raise WrongStep(words % {"mailing": self})
