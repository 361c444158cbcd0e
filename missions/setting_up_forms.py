"""What staff type to set a series up: one form, with a line for each State. Room: missions; imports `setting_up`.

Every value stands there already, proposed; who agrees presses one button.
"""

import re
from datetime import time

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from missions.setting_up import Hour, Plan, laid_out
from presessions.upr.dates import GENEVA, day_in_words, day_of, last_minute, minutes_after
from presessions.upr.models import CountryMeeting, Series

AN_HOUR = re.compile(r"(\d{1,2})[:.hH](\d{2})?")
MOST_TIMES = 12


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self):
        super().__init__(format="%Y-%m-%d")


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self):
        super().__init__(format="%Y-%m-%dT%H:%M")


class LastMinuteField(forms.DateTimeField):
    """A deadline typed and read as the last minute, and kept as the first instant too late."""

    def prepare_value(self, value):
        return super().prepare_value(last_minute(value).astimezone(GENEVA) if hasattr(value, "astimezone") else value)

    def clean(self, value):
        typed = super().clean(value)
        try:
            return typed and minutes_after(typed, 1).astimezone(GENEVA)
        except OverflowError as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error


class TimesField(forms.CharField):
    """Times of the day, as people write them: "10:00, 11:30 and 14h30"."""

    def clean(self, value):
        typed = super().clean(value)
        times = set()
        for hour, minute in AN_HOUR.findall(typed):
            if int(hour) > 23 or int(minute or 0) > 59:
                raise forms.ValidationError(_("Write times of the day, such as 10:00, 11:30."))
            times.add(time(int(hour), int(minute or 0)))
        if not times or AN_HOUR.sub("", typed).strip(" ,;&\n\tandet") or len(times) > MOST_TIMES:
            raise forms.ValidationError(_("Write times of the day, such as 10:00, 11:30."))
        return sorted(times)


class RoomsField(forms.CharField):
    def clean(self, value):
        return [room.strip()[:100] for room in super().clean(value).split(",") if room.strip()]


class SetUpForm(forms.Form):
    """Valid only together with `lines`, one for each State."""

    first_day = forms.DateField(label=gettext_lazy("First day"), widget=DayInput, required=False)
    last_day = forms.DateField(label=gettext_lazy("Last day"), widget=DayInput, required=False)
    days_confirmed = forms.BooleanField(
        label=gettext_lazy("The days are confirmed"),
        required=False,
        help_text=gettext_lazy("Until then pages say: to be confirmed."),
    )
    venue = forms.CharField(label=gettext_lazy("Venue"), max_length=200, required=False)
    format = forms.ChoiceField(label=gettext_lazy("Format"), choices=Series.Format.choices)
    reply_to = forms.EmailField(
        label=gettext_lazy("Replies go to"),
        required=False,
        help_text=gettext_lazy("A mailbox that somebody reads. Empty: the usual one."),
    )

    times = TimesField(
        label=gettext_lazy("An hour can begin at"),
        help_text=gettext_lazy("Each day, Geneva time: 10:00, 11:30, 14:30."),
    )
    minutes = forms.IntegerField(
        label=gettext_lazy("Length in minutes"),
        validators=[MinValueValidator(15), MaxValueValidator(480)],
        widget=forms.TextInput(attrs={"inputmode": "numeric", "size": 4}),
    )
    rooms = RoomsField(
        label=gettext_lazy("Rooms"), required=False, help_text=gettext_lazy("Taken in turn: Room XX, Room XXII.")
    )

    opens_at = forms.DateTimeField(label=gettext_lazy("The call opens"), widget=MomentInput, required=False)
    closes_at = LastMinuteField(
        label=gettext_lazy("Last minute to apply"),
        widget=MomentInput,
        required=False,
        help_text=gettext_lazy("Geneva time, for instance 23:59."),
    )
    minimum = forms.IntegerField(
        label=gettext_lazy("Fewest applications"),
        validators=[MinValueValidator(1), MaxValueValidator(99)],
        widget=forms.TextInput(attrs={"inputmode": "numeric", "size": 4}),
        help_text=gettext_lazy("With fewer, a meeting is not held."),
    )
    statement_lead_days = forms.IntegerField(
        label=gettext_lazy("Statements due, days before the meeting"),
        validators=[MinValueValidator(0), MaxValueValidator(99)],
        widget=forms.TextInput(attrs={"inputmode": "numeric", "size": 4}),
    )
    confirm_days = forms.IntegerField(
        label=gettext_lazy("Seats confirmed, days after the answer"),
        validators=[MinValueValidator(1), MaxValueValidator(99)],
        widget=forms.TextInput(attrs={"inputmode": "numeric", "size": 4}),
    )

    def __init__(self, data=None, *, session, like, proposal, now):
        super().__init__(data, initial=proposal.values, label_suffix="")
        self.session, self.like, self.now = session, like, now
        self.lines = [LineForm(data, hour=hour) for hour in proposal.hours]
        if like:
            self.fields["letters"] = forms.BooleanField(
                label=_("Take over texts and rules of the letters from %(series)s") % {"series": like},
                required=False,
                initial=True,
            )

    def of(self, *names):
        return [self[name] for name in names]

    @property
    def place(self):
        return self.of("first_day", "last_day", "days_confirmed", "venue", "format", "reply_to")

    @property
    def habits(self):
        return self.of("times", "minutes", "rooms")

    @property
    def call(self):
        return self.of("opens_at", "closes_at", "minimum", "statement_lead_days", "confirm_days")

    def clean(self):
        answers = super().clean()
        first, last = answers.get("first_day"), answers.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day cannot come before the first."))
        opens_at, closes_at = answers.get("opens_at"), answers.get("closes_at")
        if opens_at and closes_at and closes_at <= opens_at:
            self.add_error("closes_at", _("The call cannot close before it opens."))
        if closes_at and closes_at <= self.now:
            self.add_error("closes_at", _("This deadline is past already."))
        for line in self.lines:
            line.check(first, last, now=self.now)
        wrong = sum(not line.is_valid() for line in self.lines)
        if wrong:
            self.add_error(
                None,
                ngettext("Please look at %(n)s State below.", "Please look at %(n)s States below.", wrong)
                % {"n": wrong},
            )
        return answers

    def plan(self):
        """The plan as typed, once the form is valid."""
        answers = self.cleaned_data
        facts = ("first_day", "last_day", "days_confirmed", "venue", "format", "reply_to")
        call = ("opens_at", "closes_at", "minimum", "statement_lead_days", "confirm_days")
        return Plan(
            session=self.session,
            facts={name: answers[name] for name in facts},
            hours=tuple(line.hour() for line in self.lines),
            minutes=answers["minutes"],
            call={name: answers[name] for name in call},
            like=self.like if answers.get("letters") else None,
        )

    def with_hours_proposed(self, data):
        """What was typed, with hours and rooms laid out anew by the days, times and rooms in it; and why that cannot
        be done, in words, or ""."""
        self.full_clean()
        answers, typed = self.cleaned_data, data.copy()
        needed = ("first_day", "last_day", "times", "minutes", "rooms")
        if any(answers.get(name) in (None, "") for name in needed[:4]):
            return typed, _("Hours can be proposed once the days and the times are known.")
        held = [line.review for line in self.lines if not line.is_off]
        try:
            hours = laid_out(held, *(answers.get(name) for name in needed[:3]), answers["rooms"], answers["minutes"])
        except ValueError:
            words = _("Two of the times are less than %(n)s minutes apart: nobody could follow both meetings.")
            return typed, words % {"n": answers["minutes"]}
        for hour in hours:
            prefix = prefix_of(hour.review)
            starts_at = hour.starts_at and hour.starts_at.astimezone(GENEVA)
            typed[f"{prefix}-starts_at"] = f"{starts_at:%Y-%m-%dT%H:%M}" if starts_at else ""
            typed[f"{prefix}-room"] = hour.room
        left = sum(hour.starts_at is None for hour in hours)
        words = ngettext(
            "The days and times do not hold all meetings: %(n)s State has no hour. Add a day or a time.",
            "The days and times do not hold all meetings: %(n)s States have no hour. Add a day or a time.",
            left,
        )
        return typed, words % {"n": left} if left else ""


def prefix_of(review):
    return f"state-{review.pk}"


class LineForm(forms.Form):
    """One State's meeting. Every field says by itself which State it belongs to, for those who hear the page."""

    starts_at = forms.DateTimeField(widget=MomentInput, required=False)
    room = forms.CharField(
        max_length=CountryMeeting._meta.get_field("room").max_length,
        required=False,
        widget=forms.TextInput(attrs={"size": 22}),
    )
    off = forms.BooleanField(required=False)

    def __init__(self, data, *, hour):
        initial = {"starts_at": hour.starts_at, "room": hour.room}
        super().__init__(data, prefix=prefix_of(hour.review), initial=initial)
        self.review = hour.review
        labels = {"starts_at": _("Start"), "room": _("Room"), "off": _("No meeting")}
        for name, label in labels.items():
            self.fields[name].widget.attrs["aria-label"] = f"{label} – {hour.review.state}"

    @property
    def is_off(self):
        return bool(self.data.get(f"{self.prefix}-off"))

    def check(self, first, last, *, now):
        """Point at a start outside the days of the series, or before now."""
        starts_at = self.is_valid() and not self.is_off and self.cleaned_data["starts_at"]
        if not starts_at:
            return
        if first and last and not first <= day_of(starts_at) <= last:
            words = _("The Pre-sessions take place from %(first)s to %(last)s.")
            words %= {"first": day_in_words(first), "last": day_in_words(last)}
            self.add_error("starts_at", words)
        if starts_at < now:
            self.add_error("starts_at", _("This start lies in the past."))

    def hour(self):
        answers = self.cleaned_data
        return Hour(self.review, None if self.is_off else answers["starts_at"], answers["room"], not self.is_off)
