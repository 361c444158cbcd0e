"""The register of Permanent Missions, and what they are asked and answer. Room: missions, floor 3.

Which missions exist, and what they answered, is no secret among staff. Their addresses and the names of their people
are: those stand encrypted. Nothing here knows an applicant. Imports mail and the floors below it.
"""

from dataclasses import dataclass, field

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from applications import panel
from missions.other_means import MissionTask  # noqa: F401 -- a model of this room
from presessions import trail, vault
from presessions.mail import links, outbox
from presessions.mail.registry import Recipient
from presessions.trail.references import new_reference
from presessions.trail.steps import WrongStep
from presessions.upr.models import CountryMeeting, Series, State
from presessions.upr.names import LANGUAGES, fold

# --- The register ---------------------------------------------------------------------------------------------------


class PermanentMissionQuerySet(models.QuerySet):
    def with_state(self):
        return self.select_related("state")

    def reachable(self, day):
        """With at least one address that letters may go to on that day."""
        return self.filter(models.Exists(MissionAddress.objects.valid(day).filter(mission=models.OuterRef("pk"))))

    def not_reachable(self, day):
        return self.exclude(pk__in=self.reachable(day))

    def not_invited_to(self, series):
        return self.exclude(invitations__series=series)

    def named_like(self, text):
        """Those whose name in any language holds the text, whatever its accents; or whose code it is."""
        wanted = fold(text)
        return self.filter(
            Q(search_key__contains=wanted) | Q(state__search_key__contains=wanted) | Q(code__iexact=text.strip())
        )

    def with_email(self, address):
        """Those with exactly this address, found by its blind index."""
        return self.filter(addresses__email_index__in=vault.blind_indexes("email", address)).distinct()


class PermanentMission(models.Model):
    """The mission to the United Nations in Geneva of a State, or of an observer who is invited as States are."""

    class Kind(models.TextChoices):
        STATE = "state", _("State")
        OBSERVER = "observer", _("observer")

    class InGeneva(models.TextChoices):
        YES = "yes", _("yes")
        NO = "no", _("no mission in Geneva")
        UNKNOWN = "unknown", _("not known")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.STATE)
    code = models.CharField(
        _("code"), max_length=2, unique=True, help_text=_("The State’s ISO code, or the observer’s: VA, PS, EU.")
    )
    state = models.OneToOneField(
        State,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="permanent_mission",
        verbose_name=_("State"),
    )
    name_en = models.CharField(_("name in English"), max_length=120, blank=True)
    name_fr = models.CharField(_("name in French"), max_length=120, blank=True)
    name_es = models.CharField(_("name in Spanish"), max_length=120, blank=True)
    name_ar = models.CharField(_("name in Arabic"), max_length=120, blank=True)
    name_zh = models.CharField(_("name in Chinese"), max_length=120, blank=True)
    name_ru = models.CharField(_("name in Russian"), max_length=120, blank=True)
    sort_key = models.CharField(_("English name, folded"), max_length=120, editable=False, db_index=True)
    search_key = models.TextField(_("all names, folded"), editable=False)

    in_geneva = models.CharField(_("in Geneva"), max_length=8, choices=InGeneva, default=InGeneva.UNKNOWN)
    source = models.CharField(_("source"), max_length=300, blank=True, help_text=_("Who says so."))
    as_of = models.CharField(_("as of"), max_length=10, blank=True, help_text=_("A year, or a date like 2026-03-02."))

    language = models.CharField(
        _("language of letters"), max_length=5, choices=settings.MAIL_LANGUAGES, default=settings.LANGUAGE_CODE
    )
    address_form_en = models.CharField(_("form of address in English"), max_length=200, blank=True)
    address_form_fr = models.CharField(_("form of address in French"), max_length=200, blank=True)
    address_form_es = models.CharField(_("form of address in Spanish"), max_length=200, blank=True)
    address_form_ar = models.CharField(_("form of address in Arabic"), max_length=200, blank=True)
    address_form_zh = models.CharField(_("form of address in Chinese"), max_length=200, blank=True)
    address_form_ru = models.CharField(_("form of address in Russian"), max_length=200, blank=True)

    loaded = models.JSONField(default=dict, editable=False)  # what load_missions last wrote; differs: staff changed it

    objects = PermanentMissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("Permanent Mission")
        verbose_name_plural = _("Permanent Missions")
        ordering = ["sort_key"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="state", state__isnull=False, code=F("state"))
                | Q(kind="observer", state__isnull=True),
                name="mission_of_a_state_or_an_observer",
            ),
        ]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        self.sort_key = fold(self.name_in("en"))
        self.search_key = " | ".join(fold(self.name_in(language)) for language in LANGUAGES)
        super().save(*args, **kwargs)

    @property
    def reference(self):
        """What the trail calls it."""
        return self.code

    @property
    def name(self):
        """The State's or the observer's name in the active language."""
        return self.name_in(get_language() or "en")

    def name_in(self, language):
        if self.state:
            return self.state.name_in(language)
        return getattr(self, f"name_{language[:2]}", "") or self.name_en

    def is_as_loaded(self):
        """Whether it still says what load_missions wrote; one that staff added or changed does not."""
        return bool(self.loaded) and self.loaded == {name: getattr(self, name) for name in self.loaded}

    @property
    def form_of_address(self):
        """The first line of a letter in the active language; empty where the usual one is meant."""
        return getattr(self, f"address_form_{(get_language() or 'en')[:2]}", "")


class MissionAddressQuerySet(models.QuerySet):
    def valid(self, day):
        """Those that letters may go to on that day, as rules.is_valid_on says."""
        begun = Q(valid_from=None) | Q(valid_from__lte=day)
        not_ended = Q(valid_until=None) | Q(valid_until__gte=day)
        return self.filter(begun, not_ended, bounced_at=None)

    def with_email(self, address):
        return self.filter(email_index__in=vault.blind_indexes("email", address))


class MissionAddress(models.Model):
    """Where a mission is written to. Letters go to the first valid one; the next takes over when it bounces."""

    class Role(models.TextChoices):
        MISSION = "mission", _("the mission’s mailbox")
        AMBASSADOR = "ambassador", _("Permanent Representative")
        HUMAN_RIGHTS = "human_rights", _("human rights officer")
        OTHER = "other", _("other")

    mission = models.ForeignKey(
        PermanentMission, on_delete=models.CASCADE, related_name="addresses", verbose_name=_("Permanent Mission")
    )
    position = models.PositiveSmallIntegerField(_("order"), default=1, help_text=_("Letters go to the first."))
    role = models.CharField(_("whose"), max_length=12, choices=Role, default=Role.MISSION)
    email = vault.EncryptedEmailField(_("e-mail address"), max_length=254)
    email_index = vault.BlindIndexField()
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True, help_text=_("This day included."))
    bounced_at = models.DateTimeField(_("bounced"), null=True, blank=True, help_text=_("Empty it once it works again."))

    objects = MissionAddressQuerySet.as_manager()

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["mission", "email_index"], name="address_once_per_mission"),
        ]

    def __str__(self):
        return f"{self.get_role_display()} {self.position}"

    def save(self, *args, **kwargs):
        self.email_index = vault.blind_index("email", self.email)
        super().save(*args, **kwargs)


# --- Invitation and answers -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """The answer to one meeting."""

    answer: str
    wants_floor: bool = False


@dataclass(frozen=True)
class Answers:
    """All that a mission says on its page, as plain values that can be compared.

    replies -- by the meeting's key; delegates -- (the meeting's key or None for all, name, function), in order
    """

    replies: dict[int, Said] = field(default_factory=dict)
    delegates: tuple[tuple[int | None, str, str], ...] = ()
    note: str = ""


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
        return Answers(replies, delegates, self.note)

    def answer(self, said, *, meetings, version, now):
        """Keep what a mission says; True when that changes anything. All of it is kept, or nothing.

        said -- Answers; a meeting it does not name keeps its reply, delegates and note are replaced
        meetings -- those of the series, with their States
        version -- the one the page was made from. Raises AnsweredMeanwhile when a colleague has saved something
            else since; the same answers sent twice, or twenty times, are no conflict.
        """
        with transaction.atomic():
            current = Invitation.objects.with_names().select_for_update(of=("self",)).get(pk=self.pk)
            before = current.said()
            changed = _differs(said, before)
            stale = changed and current.version != version
            if stale:
                trail.record(self, "answered", now=now, refused=True)
            elif changed:
                current._keep(said, before, {meeting.pk: meeting for meeting in meetings}, now)
        if stale:  # outside the block: a refusal must not undo its own event
            raise AnsweredMeanwhile(_("A colleague has answered since you opened this page."))
        self.refresh_from_db()
        return changed

    def _keep(self, said, before, meetings, now):
        self.version, self.answered_at, self.note = self.version + 1, now, said.note
        self.save(update_fields=["version", "answered_at", "note"])
        new = {key: reply for key, reply in said.replies.items() if before.replies.get(key) != reply}
        replies = [
            Reply(invitation=self, meeting=meetings[key], answer=reply.answer, wants_floor=reply.wants_floor, at=now)
            for key, reply in new.items()
        ]
        Reply.objects.bulk_create(
            replies,
            update_conflicts=True,
            unique_fields=["invitation", "meeting"],
            update_fields=["answer", "wants_floor", "at"],
        )
        if said.delegates != before.delegates:
            self.delegates.all().delete()
            Delegate.objects.bulk_create(
                Delegate(invitation=self, meeting_id=meeting, name=name, function=function, position=position)
                for position, (meeting, name, function) in enumerate(said.delegates, start=1)
            )
        trail.record(self, "answered", now=now)
        for reply in replies:
            trail.record(reply, reply.answer, now=now)
            if reply.meeting.state.pk == self.mission.state_id:
                panel.floor_asked(reply.meeting, reply.wants_floor, now=now)
        receipt = self.confirmation(now=now)
        if receipt:
            key = f"reply_confirmed:{self.reference}:{self.version}"
            outbox.put(kind="reply_confirmed", key=key, recipient=receipt, now=now)

    def confirmation(self, *, now):
        """Who is told what the mission has answered, or None while no address of it is valid. No delegate is named."""
        address = self.mission.addresses.valid(now.astimezone(settings.GENEVA).date()).first()
        if address is None:
            return None
        replies = {reply.meeting_id: reply for reply in self.replies.all()}
        meetings = self.series.meetings().with_state()
        answered = [(meeting, replies[meeting.pk]) for meeting in meetings if meeting.pk in replies]
        context = {
            "series": self.series,
            "mission": self.mission,
            "answered": answered,
            "unanswered": len(meetings) - len(answered),
            "delegates": self.delegates.count(),
        }
        return Recipient(
            kind="mission",
            id=str(self.mission_id),
            to=address.email,
            language=self.mission.language,
            context=context,
            link_target=self.reference,
        )

    def close_links(self, *, by, now, reason=""):
        """Make every link mailed so far useless, as when one went astray. A letter sent later carries a new one."""
        with transaction.atomic():
            self.revoked_at = now
            self.save(update_fields=["revoked_at"])
            links.revoke("invitation", self.reference, now)
            trail.record(self, "links_closed", by=by, now=now, reason=reason)


def _differs(said, before):
    replies = {**before.replies, **said.replies}
    return (replies, said.delegates, said.note) != (before.replies, before.delegates, before.note)


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
