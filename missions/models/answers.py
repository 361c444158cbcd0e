"""What a mission is asked for each series, and what it answers. Names and words of its people stand encrypted."""

from dataclasses import dataclass, field

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications import panel
from missions.models.register import PermanentMission
from missions.rules import shortened
from presessions import trail, vault
from presessions.mail import links
from presessions.trail.references import new_reference
from presessions.trail.steps import WrongStep
from presessions.upr.models import CountryMeeting, Series


@dataclass(frozen=True)
class Said:
    """The answer to one meeting."""

    answer: str
    wants_floor: bool = False


@dataclass(frozen=True)
class Answers:
    """All that a mission says on its page, as plain values that can be compared.

    replies -- by the meeting's key; delegates -- (the meeting's key or None for all, name, function), in order
    questions -- by the meeting's key; "" takes one back
    """

    replies: dict[int, Said] = field(default_factory=dict)
    delegates: tuple[tuple[int | None, str, str], ...] = ()
    note: str = ""
    questions: dict[int, str] = field(default_factory=dict)


class AnsweredMeanwhile(WrongStep):
    """Somebody else of the mission has saved other answers since this page was opened."""


class InvitationQuerySet(models.QuerySet):
    def with_names(self):
        return self.select_related("mission__state", "series__session")

    def answered(self):
        return self.exclude(answered_at=None)

    def not_answered(self):
        return self.filter(answered_at=None)

    def write_down(self, series, missions, now):
        """See that each of these missions has its invitation to the series; return them by the mission's key.

        Two writers at once leave one row each: the database sees to it.
        """
        fresh = [Invitation(series=series, mission=mission, created_at=now) for mission in missions]
        self.bulk_create(fresh, ignore_conflicts=True)
        return self.by_mission(series)

    def by_mission(self, series):
        return {invitation.mission_id: invitation for invitation in self.filter(series=series)}


class Invitation(models.Model):
    """One mission's invitation to all meetings of a series. Its links stand with the letters that carry them."""

    reference = models.CharField(_("reference"), max_length=12, unique=True, default=new_reference, editable=False)
    mission = models.ForeignKey(
        PermanentMission, on_delete=models.PROTECT, related_name="invitations", verbose_name=_("Permanent Mission")
    )
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="invitations", verbose_name=_("series"))
    created_at = models.DateTimeField(_("written"))
    answered_at = models.DateTimeField(_("answered"), null=True)
    version = models.PositiveIntegerField(_("times answered"), default=0)
    note = vault.EncryptedTextField(_("note"), blank=True, max_length=2000)
    answered_by = models.ForeignKey(  # whose link the last answer came by; empty: the mission's own
        "missions.Colleague", on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("answered by")
    )
    revoked_at = models.DateTimeField(_("links closed"), null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [models.UniqueConstraint(fields=["mission", "series"], name="one_invitation_per_series")]

    def __str__(self):
        return self.reference

    def said(self):
        """What the mission has answered so far."""
        replies = {reply.meeting_id: Said(reply.answer, reply.wants_floor) for reply in self.replies.all()}
        delegates = tuple((person.meeting_id, person.name, person.function) for person in self.delegates.all())
        questions = {question.meeting_id: question.words for question in self.questions.all()}
        return Answers(replies, delegates, self.note, questions)

    def answer(self, said, *, meetings, version, now, colleague=None, link=None):
        """Keep what a mission says; True when that changes anything. All of it is kept, or nothing.

        said -- Answers; a meeting it does not name keeps its reply and question, delegates and note are replaced
        colleague -- whose link it came by; None: the mission's own
        link -- that very link: raises links.Ended when it was revoked meanwhile
        meetings -- those of the series, with their States
        version -- the one the page was made from. Raises AnsweredMeanwhile when a colleague has saved something
            else since; the same answers sent twice, or twenty times, are no conflict.
        """
        with transaction.atomic():
            current = Invitation.objects.with_names().select_for_update(of=("self",)).get(pk=self.pk)
            links.insist(link)
            before = current.said()
            changed = _differs(said, before)
            stale = changed and current.version != version
            if stale:
                trail.record(self, "answered", now=now, refused=True)
            elif changed:
                current._keep(said, before, {meeting.pk: meeting for meeting in meetings}, now, colleague)
        if stale:  # outside the block: a refusal must not undo its own event
            raise AnsweredMeanwhile(_("A colleague has answered since you opened this page."))
        self.refresh_from_db()
        return changed

    def _keep(self, said, before, meetings, now, colleague):
        from missions import confirming  # it imports these models

        self.version, self.answered_at, self.answered_by = self.version + 1, now, colleague
        self.note = said.note
        self.save(update_fields=["version", "answered_at", "answered_by", "note"])
        new = {key: reply for key, reply in said.replies.items() if before.replies.get(key) != reply}
        facts = {"at": now, "colleague": colleague}
        replies = [
            Reply(invitation=self, meeting=meetings[key], answer=reply.answer, wants_floor=reply.wants_floor, **facts)
            for key, reply in new.items()
        ]
        Reply.objects.bulk_create(
            replies,
            update_conflicts=True,
            unique_fields=["invitation", "meeting"],
            update_fields=["answer", "wants_floor", *facts],
        )
        if said.delegates != before.delegates:
            self.delegates.all().delete()
            Delegate.objects.bulk_create(
                Delegate(invitation=self, meeting_id=meeting, name=name, function=function, position=position)
                for position, (meeting, name, function) in enumerate(said.delegates, start=1)
            )
        self._keep_questions(said.questions, before.questions, now)
        trail.record(self, "answered", now=now)
        for reply in replies:
            trail.record(reply, reply.answer, now=now)
            if reply.meeting.state.pk == self.mission.state_id:
                panel.floor_asked(reply.meeting, reply.wants_floor, now=now)
        confirming.confirm(self, colleague, now=now)

    def _keep_questions(self, asked, before, now):
        """asked, before -- {meeting's key: words}; "" takes a question back"""
        changed = {key: words for key, words in asked.items() if words != before.get(key, "")}
        self.questions.filter(meeting__in=[key for key, words in changed.items() if not words]).delete()
        Question.objects.bulk_create(
            [
                Question(invitation=self, meeting_id=key, words=words, asked_at=now)
                for key, words in changed.items()
                if words
            ],
            update_conflicts=True,
            unique_fields=["invitation", "meeting"],
            update_fields=["words", "asked_at"],
        )

    def close_links(self, *, by, now, reason=""):
        """Make every link mailed so far useless, as when one went astray: those of colleagues too, for nobody knows who
        passed them on. A letter sent later carries a new one."""
        with transaction.atomic():
            self.revoked_at = now
            self.save(update_fields=["revoked_at"])
            links.revoke("invitation", self.reference, now)
            for colleague in self.colleagues.filter(revoked_at=None):
                links.revoke("colleague", colleague.reference, now)
            self.colleagues.filter(revoked_at=None).update(revoked_at=now)
            trail.record(self, "links_closed", by=by, now=now, reason=reason)


def _differs(said, before):
    replies, questions = {**before.replies, **said.replies}, {**before.questions, **said.questions}
    asked = {key: words for key, words in questions.items() if words}
    now = (replies, said.delegates, said.note, asked)
    return now != (before.replies, before.delegates, before.note, before.questions)


class Reply(models.Model):
    """A mission's current answer about one meeting. Earlier ones stand in the trail under the same reference."""

    class Answer(models.TextChoices):
        IN_PERSON = "in_person", _("In person")
        ONLINE = "online", _("Online")
        UNDECIDED = "undecided", _("Undecided")
        NO = "no", _("No")

    COMES = (Answer.IN_PERSON, Answer.ONLINE)

    invitation = models.ForeignKey(
        Invitation, on_delete=models.PROTECT, related_name="replies", verbose_name=_("invitation")
    )
    meeting = models.ForeignKey(
        CountryMeeting, on_delete=models.PROTECT, related_name="replies", verbose_name=_("meeting")
    )
    answer = models.CharField(_("answer"), max_length=10, choices=Answer)
    wants_floor = models.BooleanField(_("wishes to take the floor"), default=False)
    at = models.DateTimeField(_("when"))
    colleague = models.ForeignKey(  # whose link it came by; empty: the mission's own
        "missions.Colleague", on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("colleague")
    )

    class Meta:
        verbose_name = _("reply")
        verbose_name_plural = _("replies")
        constraints = [models.UniqueConstraint(fields=["invitation", "meeting"], name="one_reply_per_meeting")]

    def __str__(self):
        return self.reference

    @property
    def reference(self):
        """What the trail calls it: "K7QF2-9MXA4/KE"."""
        return f"{self.invitation.reference}/{self.meeting.state.pk}"

    @property
    def comes(self):
        return self.answer in self.COMES


class Delegate(models.Model):
    """A person whom a mission sends: to all the meetings it attends, or to one."""

    invitation = models.ForeignKey(
        Invitation, on_delete=models.PROTECT, related_name="delegates", verbose_name=_("invitation")
    )
    meeting = models.ForeignKey(
        CountryMeeting,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="delegates",
        verbose_name=_("meeting"),
        help_text=_("Empty: all of them."),
    )
    name = vault.EncryptedTextField(_("full name"), max_length=200)
    function = vault.EncryptedTextField(_("function"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(_("order"))

    class Meta:
        verbose_name = _("delegate")
        verbose_name_plural = _("delegates")
        ordering = ["position", "pk"]

    def __str__(self):
        return f"{self.invitation_id}/{self.position}"


class Colleague(models.Model):
    """Somebody to whom a mission has passed its invitation on, with a link of their own, which can be closed alone."""

    reference = models.CharField(_("reference"), max_length=12, unique=True, default=new_reference, editable=False)
    invitation = models.ForeignKey(
        Invitation, on_delete=models.CASCADE, related_name="colleagues", verbose_name=_("invitation")
    )
    name = vault.EncryptedTextField(_("full name"), max_length=200, blank=True)
    email = vault.EncryptedEmailField(_("e-mail address"), max_length=254)
    email_index = vault.BlindIndexField()
    language = models.CharField(
        _("language of letters"), max_length=5, choices=settings.MAIL_LANGUAGES, default=settings.LANGUAGE_CODE
    )
    passed_on_at = models.DateTimeField(_("passed on"))
    passed_on_by = models.ForeignKey(  # the colleague who did; empty: by the mission's own link
        "self", on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("passed on by")
    )
    revoked_at = models.DateTimeField(_("link closed"), null=True)
    bounced_at = models.DateTimeField(_("bounced"), null=True)

    class Meta:
        verbose_name = _("colleague")
        verbose_name_plural = _("colleagues")
        ordering = ["passed_on_at", "pk"]
        constraints = [
            models.UniqueConstraint(  # of those who are forgotten, no address is left
                fields=["invitation", "email_index"], condition=~Q(email_index=""), name="one_link_per_colleague"
            ),
        ]

    def __str__(self):
        return self.reference

    def save(self, *args, **kwargs):
        self.email_index = vault.blind_index("email", self.email) if self.email else ""  # forgotten
        super().save(*args, **kwargs)

    @property
    def shown(self):
        """What the page of the mission calls them: whoever has a link must not read its colleagues' addresses there."""
        return self.name or shortened(self.email)

    @property
    def shortened_email(self):
        return shortened(self.email)


class Question(models.Model):
    """What a mission would like a panel to be asked, through the moderator, who does not say by whom."""

    invitation = models.ForeignKey(
        Invitation, on_delete=models.CASCADE, related_name="questions", verbose_name=_("invitation")
    )
    meeting = models.ForeignKey(
        CountryMeeting, on_delete=models.PROTECT, related_name="questions", verbose_name=_("meeting")
    )
    words = vault.EncryptedTextField(_("question"), max_length=1000)
    asked_at = models.DateTimeField(_("asked"))

    class Meta:
        verbose_name = _("question to a panel")
        verbose_name_plural = _("questions to a panel")
        ordering = ["asked_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["invitation", "meeting"], name="one_question_per_meeting")]

    def __str__(self):
        return f"question of {self.invitation_id}"


class MissionFeedback(models.Model):
    """What a mission says afterwards, in two questions."""

    invitation = models.OneToOneField(
        Invitation, on_delete=models.CASCADE, related_name="feedback", verbose_name=_("invitation")
    )
    useful = models.PositiveSmallIntegerField(_("useful, from 1 to 5"), null=True)
    words = vault.EncryptedTextField(_("what we should do better"), max_length=2000, blank=True)
    given_at = models.DateTimeField(_("given"))

    class Meta:
        verbose_name = _("feedback of a mission")
        verbose_name_plural = _("feedback of missions")
        constraints = [
            models.CheckConstraint(
                condition=Q(useful__isnull=True) | Q(useful__range=(1, 5)), name="useful_to_a_mission_from_one_to_five"
            )
        ]

    def __str__(self):
        return f"feedback of {self.invitation_id}"
