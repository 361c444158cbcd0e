"""An application to speak, from the first draft to a decided one, and the rows that belong to it.

Everything an applicant writes is encrypted: a stolen copy of the database must not tell who wanted to speak, nor what
they would have said. Plain are only the few choices that lists, panels and statistics are made of.

Each step is one guarded UPDATE, so that of two clicks at once only one wins; the trail is written beside it, a refusal
included.
"""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from applications import letters, rules
from applications.models.answers import Answers
from applications.models.calls import StateCall
from applications.models.deadlines import Deadlines, DeadlinesQuerySet
from applications.models.organisation import SHORT_KIND, Organisation
from applications.models.panel import Seat
from applications.models.parts import CONSENT_WORDING, Attachment, Consent, Needs, Speaker
from applications.models.together import TogetherQuerySet
from presessions import trail, vault
from presessions.retention import tombstones
from presessions.trail.references import new_reference
from presessions.trail.steps import WrongStep

MOST_LINKS = 20  # that one question for lost links is answered with


class Closed(WrongStep):
    """The deadline has passed, or the call is not open yet."""


class Incomplete(WrongStep):
    """Answers are missing; `missing` names them by section."""

    def __init__(self, missing):
        super().__init__(gettext("Some answers are still missing."))
        self.missing = missing


class ApplicationQuerySet(TogetherQuerySet, DeadlinesQuerySet):
    def undecided(self):
        """Sent, and still without a released answer."""
        return self.filter(status=Application.Status.SUBMITTED, erased_at=None)

    def without_words(self, *, but=()):
        """Without anything that applicants wrote: for a list it is not fetched, and not decrypted. but -- names of
        fields that are"""
        return self.defer(*Application.written() - set(but))

    def sent(self):
        return self.exclude(submitted_at=None)

    def live(self):
        return self.exclude(status=Application.Status.WITHDRAWN)

    def for_meeting(self, meeting):
        return self.filter(state_call__meeting=meeting)

    def of_address(self, email):
        return self.filter(email_index__in=vault.blind_indexes("email", email))

    def with_state(self):
        """With all that a page says of the call: no further query per row."""
        return self.select_related(
            "state_call__call__series__session", "state_call__meeting__state_under_review__state"
        )


class Application(Answers, Deadlines, models.Model):
    """One institution's request to speak on one State. Known to the world by its random reference."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        SUBMITTED = "submitted", _("submitted")
        ACCEPTED = "accepted", _("accepted")
        WAITLISTED = "waitlisted", _("on the waiting list")
        DECLINED = "declined", _("declined")
        CONFIRMED = "confirmed", _("confirmed")
        RELEASED = "released", _("seat given up")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Decision(models.TextChoices):
        ACCEPT = "accept", _("accept")
        WAITLIST = "waitlist", _("waiting list")
        DECLINE = "decline", _("decline")

    class Kind(models.TextChoices):
        NHRI = "nhri", _("National human rights institution (NHRI)")
        CSO = "cso", _("Civil society organisation (CSO)")

    class Ganhri(models.TextChoices):
        A = "a", _("A status")
        B = "b", _("B status")
        NONE = "none", _("Not accredited")

    class Scope(models.TextChoices):
        NATIONAL = "national", _("National or local")
        INTERNATIONAL = "international", _("International or regional")

    class Ecosoc(models.TextChoices):
        GENERAL = "general", _("General")
        SPECIAL = "special", _("Special")
        ROSTER = "roster", _("Roster")
        NONE = "none", _("None")

    class SubmissionKind(models.TextChoices):
        OWN = "own", _("Our own submission")
        JOINT = "joint", _("Part of a joint submission")

    EDITABLE = (Status.DRAFT, Status.SUBMITTED)
    ANSWERABLE = (Status.SUBMITTED, Status.WAITLISTED)  # assessed, prepared and released, or moved to wait
    HOLDS_SEAT = (Status.ACCEPTED, Status.CONFIRMED)
    LIVE = (*EDITABLE, Status.ACCEPTED, Status.WAITLISTED, Status.DECLINED, Status.CONFIRMED, Status.RELEASED)

    reference = models.CharField(_("reference"), max_length=20, unique=True, default=new_reference, editable=False)
    state_call = models.ForeignKey(
        StateCall, on_delete=models.PROTECT, related_name="applications", verbose_name=_("State")
    )
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.DRAFT)
    language = models.CharField(_("language"), max_length=8, choices=settings.MAIL_LANGUAGES, default="en")
    email = vault.EncryptedEmailField(_("e-mail address"))
    email_index = vault.BlindIndexField()

    kind = models.CharField(_("kind of institution"), max_length=4, choices=Kind, blank=True)
    name = vault.EncryptedTextField(_("name of the institution"), max_length=300, blank=True)
    name_latin = vault.EncryptedTextField(_("name in Latin letters"), max_length=300, blank=True)
    ganhri_status = models.CharField(_("GANHRI status"), max_length=4, choices=Ganhri, blank=True)
    ganhri_status_on = models.DateField(_("GANHRI status since"), null=True, blank=True)
    scope = models.CharField(_("national or international"), max_length=13, choices=Scope, blank=True)
    founded_year = models.PositiveSmallIntegerField(
        _("founded in"), null=True, blank=True, validators=[MinValueValidator(1800), MaxValueValidator(2100)]
    )
    ecosoc_status = models.CharField(_("ECOSOC status"), max_length=7, choices=Ecosoc, blank=True)
    aims = vault.EncryptedTextField(
        _("aims and work"), max_length=4000, blank=True, validators=[rules.AtMostWords(rules.AIMS_WORDS)]
    )
    website = vault.EncryptedTextField(
        _("website"), max_length=300, blank=True, validators=[URLValidator(["http", "https"])]
    )
    address = vault.EncryptedTextField(_("postal address"), max_length=500, blank=True)
    phone = vault.EncryptedTextField(_("telephone"), max_length=50, blank=True)
    is_coalition = models.BooleanField(_("speaks for a coalition"), null=True, blank=True)
    coalition_members = vault.EncryptedTextField(_("members of the coalition"), max_length=3000, blank=True)
    organisation = models.ForeignKey(
        Organisation,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="applications",
        verbose_name=_("organisation in the register"),
    )

    themes = models.ManyToManyField(
        "applications.Theme", blank=True, related_name="applications", verbose_name=_("themes")
    )
    issues = vault.EncryptedTextField(
        _("issues"), max_length=6000, blank=True, validators=[rules.AtMostWords(rules.ISSUES_WORDS)]
    )
    follow_up = vault.EncryptedTextField(
        _("follow-up since the last review"),
        max_length=6000,
        blank=True,
        validators=[rules.AtMostWords(rules.ISSUES_WORDS)],
    )
    submission_kind = models.CharField(_("UPR submission"), max_length=5, choices=SubmissionKind, blank=True)
    joint_submitters = vault.EncryptedTextField(_("submitted jointly by"), max_length=1000, blank=True)
    security_note = vault.EncryptedTextField(_("private security note"), max_length=4000, blank=True)
    safety_seen_at = models.DateTimeField(_("safety and consent answered"), null=True, editable=False)

    created_at = models.DateTimeField(_("begun"), db_index=True)
    submitted_at = models.DateTimeField(_("submitted"), null=True)
    changed_at = models.DateTimeField(_("last changed by the applicant"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)
    prepared = models.CharField(_("prepared decision"), max_length=8, choices=Decision, blank=True, default="")
    prepared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("prepared by")
    )
    prepared_at = models.DateTimeField(_("prepared"), null=True)
    released_at = models.DateTimeField(_("answer released"), null=True)
    confirm_by = models.DateTimeField(_("seat to be confirmed before"), null=True)  # the first instant too late
    seat_answered_at = models.DateTimeField(_("seat answered"), null=True)
    cleared_at = models.DateTimeField(_("what may be published answered anew"), null=True)  # None: to be asked again

    in_grace = models.BooleanField(_("finished in the hour of grace"), default=False)
    received_at = models.DateTimeField(_("received by e-mail"), null=True)  # the old way: staff entered it afterwards
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("entered by")
    )
    erased_at = models.DateTimeField(_("erased"), null=True)

    at_risk = models.BooleanField(_("at risk"), default=False)  # masked for all but the safety officer
    late_until = models.DateTimeField(_("open until, for this one alone"), null=True)  # the first instant too late
    same_as = models.ForeignKey(  # once the organisation is forgotten: another one of its, so that they count as one
        "self", on_delete=models.SET_NULL, null=True, editable=False, related_name="+",
        verbose_name=_("of the same organisation as"),
    )  # fmt: skip

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        permissions = [
            ("assess", _("Can assess applications")),
            ("decide", _("Can prepare and release decisions")),
            ("read_document", _("Can read documents and private security notes")),
            ("enter", _("Can enter applications received by e-mail")),
            ("compose", _("Can compose panels and publish agendas")),
            ("reveal", _("Can reveal what is masked of people at risk")),
            ("export", _("Can export applications")),
        ]
        constraints = [
            # A second start from the same address for the same State is sent the link again.
            models.UniqueConstraint(
                fields=["state_call", "email_index"],
                condition=~Q(status="withdrawn") & ~Q(email_index=""),
                name="one_application_per_address_and_state",
            ),
        ]
        indexes = [
            models.Index(fields=["state_call", "status"], name="application_of_state"),
            models.Index(fields=["-submitted_at", "-id"], name="application_newest"),
            models.Index(fields=["status", "-submitted_at", "-id"], name="application_newest_of"),
            models.Index(
                fields=["state_call", "-submitted_at", "-id"], include=["status"], name="application_newest_here"
            ),
            models.Index(fields=["-submitted_at", "-id"], condition=Q(at_risk=True), name="application_newest_masked"),
        ]

    def __str__(self):
        return self.reference  # random; names stay out of logs, titles and tracebacks

    # --- What it is ------------------------------------------------------------------------------------------------

    @property
    def meeting(self):
        return self.state_call.meeting

    @property
    def short_kind(self):
        """What the institution is, in four letters; "" while that is not answered."""
        return SHORT_KIND.get(self.kind, "")

    @property
    def was_sent(self):
        return self.submitted_at is not None

    @property
    def came_at(self):
        """When it was sent to us, by e-mail or here; None while it is a draft."""
        return self.submitted_at and (self.received_at or self.submitted_at)

    @property
    def is_withdrawn(self):
        return self.status == self.Status.WITHDRAWN

    @property
    def is_decided(self):
        """An answer has been released, so that answers of the applicant stand as they are."""
        return self.status not in (*self.EDITABLE, self.Status.WITHDRAWN)

    @property
    def speaker(self):
        """Who would speak now: the one named last; None while nobody is named."""
        return self._person(Speaker.Role.SPEAKER)

    @property
    def replacement(self):
        """Who would speak in the speaker's place; None while nobody is named."""
        return self._person(Speaker.Role.REPLACEMENT)

    def _person(self, role):
        return next((one for one in self.speakers.all() if one.role == role and one.replaced_at is None), None)

    @property
    def upr_submission(self):
        """The newest version of the UPR submission that was not refused, or None."""
        return self.newest(Attachment.Kind.UPR_SUBMISSION)

    @property
    def refused_submission(self):
        return self.refused(Attachment.Kind.UPR_SUBMISSION)

    def standing_consents(self):
        """Items the applicant agrees to now."""
        return {consent.item for consent in self.consents.all() if consent.withdrawn_at is None}

    @classmethod
    def written(cls):
        """Names of the fields that hold what applicants wrote; nothing of it is decrypted for a list."""
        return {one.name for one in cls._meta.fields if one.get_internal_type() == "BinaryField"}

    def cleared_items(self):
        """Items that may be published now. What was agreed to with the application only tells staff what to expect:
        it counts once it has been confirmed anew, by somebody who has a seat and knows who will be in the room; in the
        words of today; and for a paper in the very version that was agreed to."""
        if self.status != self.Status.CONFIRMED or self.seat_answered_at is None or self.erased_at:
            return set()
        anew = [one for one in self.consents.all() if one.withdrawn_at is None and one.cleared]
        anew = [one for one in anew if one.given_at >= self.seat_answered_at and one.wording == CONSENT_WORDING]
        asked = set(Consent.OF_THE_PAPER.values())
        papers = {file.pk for file in self.papers().values()} if any(one.item in asked for one in anew) else set()
        return {one.item for one in anew if one.item not in asked or one.paper_id in papers}

    def papers(self):
        """The papers that leave to publish can be given for, by kind: what was sent last, unless it was refused. An
        older version that stands in its place is a text that somebody wanted to be rid of."""
        newest = {kind: self.newest(kind) for kind in Consent.OF_THE_PAPER}
        return {kind: file for kind, file in newest.items() if file and file == self.last_sent(kind)}

    def newest(self, kind):
        """The newest file of a kind that counts as received: waiting to be looked at or looked at, and not refused."""
        counts = Attachment.COUNTS
        return next((file for file in self.attachments.all() if file.kind == kind and file.state in counts), None)

    def refused(self, kind):
        """The file of a kind that came last, where it was refused and nothing newer has taken its place; else None."""
        last = self.last_sent(kind)
        return last if last and last.state == Attachment.State.REFUSED else None

    def last_sent(self, kind):
        """The newest file of a kind that was ever sent, whatever became of it; None once it is erased."""
        gone = Attachment.State.ERASED
        return next((file for file in self.attachments.all() if file.kind == kind and file.state != gone), None)

    @property
    def holds_seat(self):
        """Accepted, whether or not that has been confirmed yet."""
        return self.status in self.HOLDS_SEAT

    # --- Steps of the applicant -------------------------------------------------------------------------------------

    @classmethod
    def start(cls, state_call, *, email, language, now):
        """Begin a draft and mail its link. An address that has one for this State already is sent the link again.
        Raises Closed."""
        if not state_call.is_open(now):
            raise Closed(closed_words(state_call))
        with transaction.atomic():
            application, is_new = cls.objects.live().filter(state_call=state_call).of_address(email).first(), False
            if application is None:
                application, is_new = cls._begin(state_call, email, language, now)
            letters.send_link(application, now=now, is_new=is_new)
        return application

    @classmethod
    def _begin(cls, state_call, email, language, now):
        index = vault.blind_index("email", email)
        try:
            with transaction.atomic():
                application = cls.objects.create(
                    state_call=state_call, email=email, email_index=index, language=language, created_at=now
                )
                trail.record(application, "begun", now=now)
                return application, True
        except IntegrityError:  # two clicks at once: the other one began it
            return cls.objects.live().get(state_call=state_call, email_index=index), False

    @classmethod
    def send_links_again(cls, email, *, language, now):
        """Mail the link of every living application of this address; where there is none, mail that."""
        with transaction.atomic():
            found = list(cls.objects.live().of_address(email).with_state().order_by("-pk")[:MOST_LINKS])
            for application in found:
                letters.send_link(application, now=now)
            if not found:
                letters.say_nothing_found(email, language=language, now=now)

    def submit(self, *, now, by=None):
        """Send it, once: the receipt leaves in the same transaction. Raises Incomplete, Closed, WrongStep."""
        self.fetch_all()
        missing = self.missing()
        if missing:
            raise Incomplete(missing)
        self.step((self.Status.DRAFT,), "submitted", now=now, by=by, open_only=True,
                   also=lambda: self._sent(now),
                   status=self.Status.SUBMITTED, submitted_at=now)  # fmt: skip

    def _sent(self, now):
        """What belongs to its sending: the receipt, and a place in the register beside the earlier ones."""
        self.organisation = Organisation.of(self)
        Application.objects.filter(pk=self.pk).update(organisation=self.organisation)
        self.mask_if_afraid(now)
        letters.send_receipt(self, now=now)

    def withdraw(self, *, now, by=None, reason=""):
        """Take it back, at any time and whatever was decided. What was told of passports and needs is forgotten at
        once."""

        def also():
            Needs.objects.filter(application=self).delete()
            Seat.leave(self, now=now, by=by)
            letters.confirm_withdrawal(self, now=now)
            tombstones.write("withdrawn", self.reference, now)

        self.step(self.LIVE, "withdrawn", now=now, by=by, reason=reason, also=also,
                   status=self.Status.WITHDRAWN, withdrawn_at=now)  # fmt: skip

    # --- Steps of staff ---------------------------------------------------------------------------------------------

    def prepare(self, decision, *, by, now, reason=""):
        """Note a decision, or with "" take the note back, without telling anyone. Raises WrongStep once an answer has
        been released."""
        self.step(self.ANSWERABLE, f"prepared_{decision or 'nothing'}", now=now,
                   by=by, reason=reason, prepared=decision, prepared_by=by, prepared_at=now)  # fmt: skip

    def step(self, before, code, *, now, by=None, reason="", open_only=False, section=None, also=None, **facts):
        """Move in one UPDATE, its event with it; returns what `also` gives, which runs in the same transaction. Raises
        WrongStep.

        open_only -- the deadline is part of the guard, so that nobody slips in between looking and writing; who had
                     opened the form before it has an hour of grace, and that is marked
        section -- of the form, where one is saved: the deadline does not count where staff have asked about it, nor
                   where a refused file is replaced
        by -- the member of staff who takes it; in a session of staff who enter an application, those
        """
        by, done = by or self.by, None
        rows = Application.objects.filter(pk=self.pk, status__in=before, erased_at=None)
        with transaction.atomic():
            ways = self._ways_in(rows, self._read_at(now, by), now, section) if open_only else [(rows, {})]
            for way, marked in ways:
                if moved := trail.move(way, facts | marked, self, code, now=now, by=by, reason=reason):
                    facts |= marked
                    break
            if moved:
                for name, value in facts.items():
                    setattr(self, name, value)
                self._prefetched_objects_cache = {}
                done = also() if also else None
            else:
                self.refresh_from_db(from_queryset=Application.objects.with_state())
                trail.record(self, code, now=now, by=by, refused=True, reason=reason)
        if not moved:  # outside the block: a refusal must not undo its own event
            raise self._refusal(before)
        return done

    def _refusal(self, before):
        if self.erased_at:
            return WrongStep(gettext("What %(application)s said is erased: nothing can be done with it any more.")
                             % {"application": self})  # fmt: skip
        if self.status in before:
            return Closed(closed_words(self.state_call))
        words = {"application": self, "status": self.get_status_display()}
        return WrongStep(gettext("%(application)s is already %(status)s.") % words)


def closed_words(state_call):
    """Why nothing can be begun, changed or sent now."""
    return gettext("Applications on %(state)s are not open now.") % {"state": state_call.state.name}
