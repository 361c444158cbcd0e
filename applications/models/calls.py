"""The call for applications of a series, the call of each State in it, and the themes people may speak on.

A deadline is `closes_at`, the first instant that is too late; the State's own outranks its series'. CountryMeeting
knows no deadline.
"""

from django.core.validators import MinValueValidator
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Coalesce
from django.dispatch import Signal
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from applications import rules
from presessions import trail
from presessions.trail.steps import WrongStep
from presessions.upr import dates
from presessions.upr.models import CountryMeeting
from presessions.upr.signals import tell

# Sent with `state_call`, `was` and `now`, inside the transaction that gives one State more time. A receiver may return
# what follows from it, as those of upr.signals.dates_changed do.
deadline_extended = Signal()


class Call(models.Model):
    """The open call of one series, and what holds for every State in it unless the State's own call says otherwise."""

    series = models.OneToOneField("upr.Series", on_delete=models.PROTECT, related_name="call", verbose_name=_("series"))
    opens_at = models.DateTimeField(_("opens"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True, help_text=_("The first instant too late."))
    minimum = models.PositiveSmallIntegerField(
        _("fewest applications"),
        default=3,
        validators=[MinValueValidator(1)],
        help_text=_("With fewer, a meeting is not held."),
    )
    statement_lead_days = models.PositiveSmallIntegerField(
        _("statement due"), default=14, help_text=_("Days before the meeting.")
    )
    confirm_days = models.PositiveSmallIntegerField(
        _("seat to be confirmed within"),
        default=10,
        validators=[MinValueValidator(1)],
        help_text=_("Days after the answer was released."),
    )

    class Meta:
        verbose_name = _("call for applications")
        verbose_name_plural = _("calls for applications")

    def __str__(self):
        return gettext("call for applications, %(series)s") % {"series": self.series}

    @classmethod
    def open_for(cls, series, *, opens_at, closes_at, now, by=None, **facts):
        """Announce a call for every meeting of a series. Raises WrongStep where there is one already."""
        try:
            with transaction.atomic():
                call = cls.objects.create(series=series, opens_at=opens_at, closes_at=closes_at, **facts)
                trail.record(call, "opened", now=now, by=by)
                call.include_meetings(now=now, by=by)
        except IntegrityError as error:
            raise WrongStep(gettext("This series already has a call.")) from error
        return call

    def include_meetings(self, *, now, by=None):
        """Give each meeting of the series its State's call, the ones added since included; returns how many are new."""
        with transaction.atomic():
            new = CountryMeeting.objects.for_series(self.series).filter(state_call=None)
            made = StateCall.objects.bulk_create(
                [StateCall(call=self, meeting=meeting) for meeting in new], ignore_conflicts=True
            )
            if made:
                trail.record(self, "meetings_included", now=now, by=by)
                self.series.announce_dates(now=now)
        return len(made)

    def move_deadline(self, closes_at, *, now, by=None, reason="", opens_at=None):
        """Set when the call closes, and opens where given, for every State that has no deadline of its own."""
        with transaction.atomic():
            Call.objects.filter(pk=self.pk).update(
                closes_at=closes_at, **({"opens_at": opens_at} if opens_at is not None else {})
            )
            self.refresh_from_db(fields=["opens_at", "closes_at"])
            trail.record(self, "deadline_moved", now=now, by=by, reason=reason)
            self.series.announce_dates(now=now)


class StateCallQuerySet(models.QuerySet):
    def with_state(self):
        """With all that a page says of a call: no further query per row."""
        return self.select_related("call__series__session", "meeting__state_under_review__state")

    def taking_place(self):
        """Of meetings that were not called off."""
        return self.exclude(meeting__status=CountryMeeting.Status.NOT_HELD)

    def with_deadline(self):
        return self.annotate(deadline_in_force=Coalesce("closes_at", "call__closes_at"))

    def not_over(self, now, opened_at=None):
        """Open now or later. opened_at -- when a form was opened that asks: before the deadline, it has an hour more"""
        return (
            self.taking_place()
            .with_deadline()
            .filter(deadline_in_force__gt=rules.counts_as(now, opened_at), call__opens_at__isnull=False)
            .filter(call__series__closed_at=None)
        )

    def open(self, now, opened_at=None):
        return self.not_over(now, opened_at).filter(call__opens_at__lte=now)


class StateCall(models.Model):
    """The call for one State's meeting. Extending one State only is real life."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="state_calls", verbose_name=_("call"))
    meeting = models.OneToOneField(
        "upr.CountryMeeting", on_delete=models.PROTECT, related_name="state_call", verbose_name=_("meeting")
    )
    closes_at = models.DateTimeField(
        _("closes"), null=True, blank=True, help_text=_("The first instant too late. Empty: with the series’ call.")
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True, help_text=_("Shown to staff."))

    objects = StateCallQuerySet.as_manager()

    class Meta:
        verbose_name = _("call for one State")
        verbose_name_plural = _("calls for one State")

    def __str__(self):
        return str(self.meeting)

    @property
    def deadline(self):
        """The first instant too late, or None while nobody has set it."""
        return self.closes_at or self.call.closes_at

    @property
    def deadline_in_words(self):
        """The deadline as people say it, "23:59" and not 00:00 of the next day; "" while nobody has set it."""
        return dates.last_minute_words(self.deadline) if self.deadline else ""

    def days_left(self, now):
        """Whole days until the deadline, counted on Geneva's calendar: 0 on the last day."""
        return (dates.last_day(self.deadline) - dates.day_of(now)).days

    @property
    def series(self):
        return self.call.series

    @property
    def state(self):
        return self.meeting.state

    def is_open(self, now, opened_at=None):
        """Whether an application may be begun, changed or sent at this instant.

        opened_at -- when a form was opened that asks: before the deadline, it has an hour more
        """
        opens_at, deadline = self.call.opens_at, self.deadline
        if not opens_at or not deadline or not self.meeting.goes_ahead or self.series.closed_at:
            return False
        return opens_at <= now and rules.counts_as(now, opened_at) < deadline

    def extend(self, closes_at, *, now, by=None, reason=""):
        """Give this State a deadline of its own, or, with None, the series' one back."""
        with transaction.atomic():
            was = StateCall.objects.select_related("call").select_for_update(of=("self",)).get(pk=self.pk).deadline
            StateCall.objects.filter(pk=self.pk).update(closes_at=closes_at, reason=reason)
            self.refresh_from_db(fields=["closes_at", "reason"])
            trail.record(self, "deadline_moved", now=now, by=by, reason=reason)
            if was and self.deadline and max(was, now) < self.deadline:
                tell(deadline_extended.send(sender=StateCall, state_call=self, was=was, now=now))
            self.series.announce_dates(now=now)


class Theme(models.Model):
    """A human rights theme from the list that staff keep. Languages without a name of their own show the English."""

    slug = models.SlugField(_("slug"), unique=True)
    name_en = models.CharField(_("name in English"), max_length=100)
    name_fr = models.CharField(_("name in French"), max_length=100, blank=True)
    name_es = models.CharField(_("name in Spanish"), max_length=100, blank=True)
    name_ar = models.CharField(_("name in Arabic"), max_length=100, blank=True)
    name_ru = models.CharField(_("name in Russian"), max_length=100, blank=True)
    name_zh = models.CharField(_("name in Chinese"), max_length=100, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=100)

    class Meta:
        verbose_name = _("theme")
        verbose_name_plural = _("themes")
        ordering = ["position", "name_en"]

    def __str__(self):
        return self.name

    @property
    def name(self):
        return getattr(self, f"name_{(get_language() or 'en')[:2]}", "") or self.name_en
