"""The calendar: States, the Working Group's sessions, who is reviewed when, and our meetings before them.

Room: upr, ground floor; imports the basement. Whoever changes a date here announces it in the same transaction
(Series.announce_dates), because timed mail hangs on it. Dates may be unknown: None is a fact, not an error.
"""

import secrets
from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from presessions import trail
from presessions.trail.steps import WrongStep
from presessions.upr.dates import geneva, minutes_after, month_named, months_before
from presessions.upr.names import LANGUAGES, fold, place, printable
from presessions.upr.signals import dates_changed, tell

ONE_DAY = timedelta(days=1)
USUAL_LENGTH = timedelta(days=11)  # of a session, from its first Monday to its last Friday


def new_uid():
    """128 random bits: a calendar's identifier for a meeting, for ever."""
    return secrets.token_hex(16)


class StateQuerySet(models.QuerySet):
    def sorted_by_name(self, language):
        """A list in the order of that language's names. The 193 are sorted here, where letters are known."""
        return sorted(self, key=lambda state: place(state.listed_name_in(language), language))


class State(models.Model):
    """A Member State of the United Nations, under the names that the UN uses."""

    class Group(models.TextChoices):
        AFRICAN = "African", _("African States")
        ASIA_PACIFIC = "Asia-Pacific", _("Asia-Pacific States")
        EEG = "EEG", _("Eastern European States")
        GRULAC = "GRULAC", _("Latin American and Caribbean States")
        WEOG = "WEOG", _("Western European and other States")

    iso2 = models.CharField(_("code"), primary_key=True, max_length=2)
    iso3 = models.CharField(_("three-letter code"), max_length=3, unique=True)
    m49 = models.CharField(_("UN M49 code"), max_length=3, unique=True)
    name_en = models.CharField(_("name in English"), max_length=100)
    name_fr = models.CharField(_("name in French"), max_length=100, blank=True)
    name_es = models.CharField(_("name in Spanish"), max_length=100, blank=True)
    name_ar = models.CharField(_("name in Arabic"), max_length=100, blank=True)
    name_zh = models.CharField(_("name in Chinese"), max_length=100, blank=True)
    name_ru = models.CharField(_("name in Russian"), max_length=100, blank=True)
    article_en = models.CharField(_("article in English"), max_length=5, blank=True)
    article_fr = models.CharField(_("article in French"), max_length=5, blank=True)
    article_es = models.CharField(_("article in Spanish"), max_length=5, blank=True)
    formal_en = models.CharField(_("formal name in English"), max_length=150, blank=True)
    formal_fr = models.CharField(_("formal name in French"), max_length=150, blank=True)
    formal_es = models.CharField(_("formal name in Spanish"), max_length=150, blank=True)
    regional_group = models.CharField(_("regional group"), max_length=12, choices=Group.choices)
    sort_key = models.CharField(_("English name, folded"), max_length=100, editable=False, db_index=True)
    search_key = models.TextField(_("all names, folded"), editable=False)
    loaded = models.JSONField(_("as last loaded"), default=dict, editable=False)

    objects = StateQuerySet.as_manager()

    class Meta:
        verbose_name = _("State")
        verbose_name_plural = _("States")
        ordering = ["sort_key"]

    def __str__(self):
        return self.name

    def save(self, **kwargs):
        names = [self.listed_name_in(language) for language in LANGUAGES]
        self.sort_key = fold(self.name_en)
        self.search_key = " | ".join(fold(name) for name in [*names, self.formal_en, self.formal_fr, self.formal_es])
        super().save(**kwargs)

    @property
    def name(self):
        """The short name in the active language."""
        return self.name_in(get_language() or "en")

    def name_in(self, language):
        """The short name as it is printed, English where there is none. language -- "fr", or "fr-ch" alike"""
        return printable(self.listed_name_in(language))

    def listed_name_in(self, language):
        """The short name as it stands in the UN's sorted list of that language, sorting marks included."""
        return getattr(self, f"name_{language[:2]}", "") or self.name_en

    def formal_name_in(self, language):
        """The formal name with its article, "the Republic of the Gambia"; where the UN gives none, the short one."""
        return getattr(self, f"formal_{language[:2]}", "") or self.name_in(language)


class WorkingGroupSession(models.Model):
    """A session of the UPR Working Group: two weeks in which the Council reviews about fourteen States."""

    number = models.PositiveSmallIntegerField(_("number"), unique=True)
    cycle = models.PositiveSmallIntegerField(_("cycle"), null=True, blank=True)
    starts_on = models.DateField(_("first day"), null=True, blank=True)
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    month_label = models.CharField(
        _("month"), max_length=40, blank=True, help_text=_("While the days are not known: January 2027.")
    )
    stakeholder_deadline_on = models.DateField(_("stakeholders' submissions due on"), null=True, blank=True)
    presessions_start_on = models.DateField(_("Pre-sessions: first day in the sources"), null=True, blank=True)
    presessions_end_on = models.DateField(_("Pre-sessions: last day in the sources"), null=True, blank=True)
    demonstration = models.BooleanField(
        _("demonstration"), default=False, help_text=_("Invented for trying out. load_calendar leaves it alone.")
    )
    source = models.TextField(_("source"), blank=True)
    note = models.TextField(_("note"), blank=True)
    loaded = models.JSONField(_("as last loaded"), default=dict, editable=False)

    class Meta:
        verbose_name = _("Working Group session")
        verbose_name_plural = _("Working Group sessions")
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="session_ends_after_start",
                violation_error_message=_("The session cannot end before it starts."),
            )
        ]

    def __str__(self):
        return gettext("Working Group session %(number)s") % {"number": self.number}

    @property
    def reference(self):
        return str(self.number)

    @property
    def month(self):
        """The first day of the month in which it meets, or of the last of two; None where nobody knows it."""
        return self.starts_on.replace(day=1) if self.starts_on else month_named(self.month_label)

    def is_over(self, today):
        """Whether it has ended, as far as its dates tell; what is not known to have ended lies ahead."""
        end = self.ends_on or (self.starts_on and self.starts_on + USUAL_LENGTH)
        if end is None and self.month:
            end = months_before(self.month, -1) - ONE_DAY
        return bool(end and end < today)

    def reschedule(self, *, now, by=None, **changed):
        """Change dates or words of the session and announce it to its series. changed -- fields and new values"""
        with transaction.atomic():
            _change(self, "changed", now=now, by=by, **changed)
            self.announce_dates(now=now)

    def announce_dates(self, *, now):
        """Have everything computed again that hangs on this session's dates, if it has Pre-sessions."""
        for series in Series.objects.filter(session=self):
            series.announce_dates(now=now)


class StateUnderReviewQuerySet(models.QuerySet):
    def expected(self):
        """The review lies ahead, in this session or in one not known yet."""
        return self.filter(status__in=StateUnderReview.EXPECTED)


class StateUnderReview(models.Model):
    """A State's place in one session. Moved to another, the old row says so and the new one points back to it."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", _("scheduled")
        REVIEWED = "reviewed", _("reviewed")
        RESCHEDULED = "rescheduled", _("rescheduled")
        POSTPONED = "postponed", pgettext_lazy("State under Review", "postponed")
        MOVED = "moved", pgettext_lazy("State under Review", "moved")

    class Basis(models.TextChoices):
        SOURCED = "sourced", _("a source names it")
        INFERRED = "inferred", _("inferred from the order of the last cycle")

    EXPECTED = (Status.SCHEDULED, Status.RESCHEDULED, Status.POSTPONED)

    session = models.ForeignKey(
        WorkingGroupSession,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="states_under_review",
        verbose_name=_("session"),
    )
    state = models.ForeignKey(State, on_delete=models.PROTECT, related_name="reviews", verbose_name=_("State"))
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.SCHEDULED)
    review_order = models.PositiveSmallIntegerField(_("order of review"), null=True, blank=True)
    basis = models.CharField(_("basis"), max_length=8, choices=Basis.choices, default=Basis.SOURCED)
    source = models.TextField(_("source"), blank=True)
    note = models.TextField(_("note"), blank=True)
    moved_from = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="moved_to",
        verbose_name=_("moved from"),
    )
    loaded = models.JSONField(_("as last loaded"), default=dict, editable=False)

    objects = StateUnderReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("State under Review")
        verbose_name_plural = _("States under Review")
        ordering = ["-session__number", "state__sort_key"]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "state"],
                name="state_once_per_session",
                nulls_distinct=False,
                violation_error_message=_("This State is already in this session."),
            )
        ]

    def __str__(self):
        return f"{self.state} ({self.session.number if self.session else '–'})"

    @property
    def reference(self):
        return f"{self.session.number if self.session else '–'}/{self.state_id}"

    def move_to(self, session, *, now, by=None, reason=""):
        """Mark this place as moved and give the State one in another session; return that.

        session -- None while the new one is not known
        Our meeting about this place is called off, unless it was held; the other session's series, if it stands, gets
        one. Applications stay where they are until staff move them. Raises WrongStep if the State has been reviewed
        here or moved already, or has a place there.
        """
        status = self.Status.RESCHEDULED if session else self.Status.POSTPONED
        places = StateUnderReview.objects.filter(session=session, state=self.state)
        with transaction.atomic():
            has_place = places.exclude(status=self.Status.MOVED).exists()
            left = not has_place and _change(
                self, "moved", Q(status__in=self.EXPECTED), now=now, by=by, reason=reason, status=self.Status.MOVED
            )
            if left:
                place, _created = places.update_or_create(
                    session=session, state=self.state, defaults={"status": status, "moved_from": self, "note": reason}
                )
                self._change_meetings_with(place, now=now, by=by)
        if has_place:
            raise WrongStep(gettext("%(state)s already has a place there.") % {"state": self.state})
        if not left:
            raise WrongStep(
                gettext("%(place)s is already %(status)s.") % {"place": self, "status": self.get_status_display()}
            )
        return place

    def _change_meetings_with(self, place, *, now, by):
        for meeting in CountryMeeting.objects.filter(state_under_review=self, status__in=CountryMeeting.AHEAD):
            meeting.call_off(CountryMeeting.NotHeld.MOVED, now=now, by=by)
        for meeting in CountryMeeting.objects.filter(
            state_under_review=place, not_held_reason=CountryMeeting.NotHeld.MOVED
        ):
            meeting.reinstate(now=now, by=by)  # it has come back to a session that it had left
        for series in Series.objects.filter(session=place.session_id):
            series.add_meetings(now=now, by=by)


class Series(models.Model):
    """The Pre-sessions before one session, "Pre-sessions 54": one meeting for each State under Review."""

    class Format(models.TextChoices):
        IN_PERSON = "in_person", _("in person")
        VIRTUAL = "virtual", _("online")
        HYBRID = "hybrid", _("in person and online")

    session = models.OneToOneField(
        WorkingGroupSession, on_delete=models.PROTECT, related_name="series", verbose_name=_("Working Group session")
    )
    first_day = models.DateField(_("first day"), null=True, blank=True)
    last_day = models.DateField(_("last day"), null=True, blank=True)
    days_confirmed = models.BooleanField(
        _("days are confirmed"), default=False, help_text=_("Until then pages say: to be confirmed.")
    )
    venue = models.CharField(_("venue"), max_length=200, blank=True)
    format = models.CharField(_("format"), max_length=10, choices=Format.choices, default=Format.IN_PERSON)
    reply_to = models.EmailField(
        _("replies go to"), blank=True, help_text=_("A mailbox that somebody reads. Empty: the usual one.")
    )
    closed_at = models.DateTimeField(_("closed"), null=True, editable=False)

    class Meta:
        verbose_name = _("series of Pre-sessions")
        verbose_name_plural = pgettext_lazy("more than one", "series of Pre-sessions")
        ordering = ["-session__number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")),
                name="series_ends_after_start",
                violation_error_message=_("The last day cannot come before the first."),
            )
        ]

    def __str__(self):
        return gettext("Pre-sessions %(number)s") % {"number": self.number}

    @classmethod
    def open_for(cls, session, *, now, by=None, **fields):
        """Set up the Pre-sessions of a session, with a meeting for each State expected in it. Raises WrongStep if done.

        fields -- of the series; its days are those of the sources where nothing else is said
        """
        known = {"first_day": session.presessions_start_on, "last_day": session.presessions_end_on}
        with transaction.atomic():
            series, is_new = cls.objects.get_or_create(session=session, defaults={**known, **fields})
            trail.record(series, "opened", now=now, by=by, refused=not is_new)
            if is_new:
                series.add_meetings(now=now, by=by)
        if not is_new:
            raise WrongStep(gettext("%(series)s are already set up.") % {"series": series})
        return series

    @property
    def number(self):
        return self.session.number

    @property
    def reference(self):
        return str(self.number)

    @property
    def demonstration(self):
        return self.session.demonstration

    def meetings(self):
        """All meetings of this series, called off or not, in the order of the programme."""
        return CountryMeeting.objects.for_series(self)

    def add_meetings(self, *, now, by=None):
        """Plan a meeting for each State expected in the session that has none yet, and announce the dates."""
        with transaction.atomic():
            waiting = self.session.states_under_review.expected().filter(meeting=None).order_by("state__sort_key")
            for state_under_review in waiting:
                meeting = CountryMeeting.objects.create(state_under_review=state_under_review)
                trail.record(meeting, "planned", now=now, by=by)
            self.announce_dates(now=now)

    def first_meeting_at(self):
        """The earliest known start of a meeting not called off; else the first day at 00:00 Geneva; else None."""
        start = self.meetings().going_ahead().aggregate(start=models.Min("starts_at"))["start"]
        return start or (geneva(self.first_day) if self.first_day else None)

    def last_meeting_at(self):
        """The latest known start of a meeting not called off; else the last day at 00:00 Geneva; else None."""
        start = self.meetings().going_ahead().aggregate(start=models.Max("starts_at"))["start"]
        return start or (geneva(self.last_day) if self.last_day else None)

    def reschedule(self, *, now, by=None, **changed):
        """Change days, place or form of the series and announce it. changed -- fields and new values"""
        with transaction.atomic():
            _change(self, "changed", now=now, by=by, **changed)
            if {"venue", "format"} & changed.keys():
                self.meetings().update(sequence=F("sequence") + 1, place_changed_at=now)
            self.announce_dates(now=now)

    def close(self, *, now, by=None, reason=""):
        """Nothing is left to do: it goes into the books. Raises WrongStep if it is closed already.

        Whether anybody still waits for an answer is asked on a floor above: see missions.closing.
        """
        done = _change(self, "closed", Q(closed_at=None), now=now, by=by, reason=reason, closed_at=now)
        if not done:
            raise WrongStep(gettext("%(series)s are closed already.") % {"series": self})

    def reopen(self, *, now, by=None, reason=""):
        """Take it out of the books again. Raises WrongStep unless it is closed."""
        done = _change(self, "reopened", Q(closed_at__isnull=False), now=now, by=by, reason=reason, closed_at=None)
        if not done:
            raise WrongStep(gettext("%(series)s are not closed.") % {"series": self})

    def announce_dates(self, *, now):
        """Tell the floors above that a date of this series may have changed. Call it in the transaction that did it."""
        with transaction.atomic():
            fresh = Series.objects.select_related("session").get(pk=self.pk)
            tell(dates_changed.send(sender=Series, series=fresh, now=now))


class CountryMeetingQuerySet(models.QuerySet):
    def for_series(self, series):
        """In the order of the programme: known starts first, then by State."""
        return self.filter(state_under_review__session=series.session_id).order_by(
            F("starts_at").asc(nulls_last=True), "state_under_review__state__sort_key"
        )

    def with_state(self):
        """With State, session and series, so that a list of them costs one query."""
        return self.select_related("state_under_review__state", "state_under_review__session__series")

    def going_ahead(self):
        """Not called off."""
        return self.exclude(status=CountryMeeting.Status.NOT_HELD)


class CountryMeeting(models.Model):
    """The hour about one State."""

    class Status(models.TextChoices):
        PLANNED = "planned", _("planned")
        CONFIRMED = "confirmed", _("confirmed")
        HELD = "held", _("held")
        NOT_HELD = "not_held", _("not held")

    class NotHeld(models.TextChoices):
        TOO_FEW = "too_few", _("too few applications")
        POSTPONED = "postponed", _("postponed")
        MOVED = "moved", _("the State was moved to another session")
        OTHER = "other", _("another reason")

    AHEAD = (Status.PLANNED, Status.CONFIRMED)

    state_under_review = models.OneToOneField(
        StateUnderReview, on_delete=models.PROTECT, related_name="meeting", verbose_name=_("State under Review")
    )
    starts_at = models.DateTimeField(_("start"), null=True, blank=True, help_text=_("Geneva time. Empty: not set yet."))
    minutes = models.PositiveSmallIntegerField(
        _("length"), default=60, validators=[MinValueValidator(15), MaxValueValidator(480)], help_text=_("In minutes.")
    )
    room = models.CharField(_("room"), max_length=100, blank=True)
    online_link = models.URLField(_("link for taking part online"), max_length=500, blank=True)
    moderator = models.CharField(_("moderator"), max_length=150, blank=True)
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.PLANNED, editable=False)
    not_held_reason = models.CharField(
        _("not held because"), max_length=9, choices=NotHeld.choices, blank=True, editable=False
    )
    uid = models.CharField(_("identifier in calendars"), max_length=32, unique=True, default=new_uid, editable=False)
    sequence = models.PositiveIntegerField(_("version in calendars"), default=0, editable=False)
    # Since when it stands as it does, so that it is known who has answered before, and has to be told.
    hour_changed_at = models.DateTimeField(_("hour changed"), null=True, editable=False)  # or called off, or on again
    place_changed_at = models.DateTimeField(_("place changed"), null=True, editable=False)  # or the way in online

    objects = CountryMeetingQuerySet.as_manager()

    class Meta:
        verbose_name = _("meeting")
        verbose_name_plural = _("meetings")
        indexes = [models.Index(fields=["starts_at"], name="meeting_start")]

    def __str__(self):
        return str(self.state_under_review)

    @property
    def reference(self):
        return self.state_under_review.reference

    @property
    def state(self):
        return self.state_under_review.state

    @property
    def series(self):
        return self.state_under_review.session.series

    @property
    def ends_at(self):
        return minutes_after(self.starts_at, self.minutes) if self.starts_at else None

    @property
    def goes_ahead(self):
        return self.status != self.Status.NOT_HELD

    def reschedule(self, *, now, by=None, reason="", announce=True, **changed):
        """Change start, length, room, link or moderator and announce it. Raises WrongStep once held or called off.

        announce -- False where the caller changes many in one transaction, and announces the dates of all at once
        """
        self._step("changed", self.AHEAD, now=now, by=by, reason=reason, announce=announce, **changed)

    def confirm(self, *, now, by=None):
        """The meeting will take place. Raises WrongStep unless it was only planned."""
        self._step("confirmed", (self.Status.PLANNED,), now=now, by=by, status=self.Status.CONFIRMED)

    def mark_held(self, *, now, by=None):
        """The meeting took place. Raises WrongStep if that is known already, or it was called off."""
        self._step("held", self.AHEAD, now=now, by=by, status=self.Status.HELD)

    def call_off(self, why, *, now, by=None, reason="", announce=True):
        """The meeting will not take place. Raises WrongStep once held or called off.

        why -- one of NotHeld; reason -- more words, for the trail; announce -- as for `reschedule`
        """
        status = {"status": self.Status.NOT_HELD, "not_held_reason": self.NotHeld(why)}
        self._step("called off", self.AHEAD, now=now, by=by, reason=reason, announce=announce, **status)

    def reinstate(self, *, now, by=None):
        """Plan a meeting again that had been called off. Raises WrongStep for any other."""
        status = {"status": self.Status.PLANNED, "not_held_reason": ""}
        self._step("planned again", (self.Status.NOT_HELD,), now=now, by=by, **status)

    def _step(self, code, before, *, now, by, reason="", announce=True, **changed):
        """Everything changed shows in people's calendars, so each step raises their version."""
        if {"starts_at", "not_held_reason"} & changed.keys():
            changed["hour_changed_at"] = now
        if {"room", "online_link"} & changed.keys():
            changed["place_changed_at"] = now
        changed["sequence"] = F("sequence") + 1
        with transaction.atomic():
            done = _change(self, code, Q(status__in=before), now=now, by=by, reason=reason, **changed)
            if done and announce:
                self.series.announce_dates(now=now)
        if not done:  # outside the block: a refusal must not undo its own event
            status = {"meeting": self, "status": self.get_status_display()}
            raise WrongStep(gettext("The meeting about %(meeting)s is already %(status)s.") % status)


def _change(row, code, *conditions, now, by, reason="", **changed):
    """Change a row in one UPDATE if the conditions still hold, with its event; return whether they did."""
    done = type(row).objects.filter(*conditions, pk=row.pk).update(**changed)
    row.refresh_from_db()
    trail.record(row, code, now=now, by=by, refused=not done, reason=reason)
    return bool(done)
