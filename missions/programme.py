"""The staff's form of one series: its own dates and place, and in the same page each meeting's. Room: missions.

Nothing is saved here by itself: SeriesAdmin takes the models' steps, which announce every changed date to the mailings
in the transaction of the page.
"""

from functools import partial

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from presessions.upr.dates import day_in_words, day_of
from presessions.upr.models import CountryMeeting, Series, WorkingGroupSession


class SeriesForm(forms.ModelForm):
    """Valid only together with `programme`, the forms of its meetings.

    now -- when the page was asked for; SeriesAdmin sets it
    """

    now = None

    class Meta:
        model = Series
        fields = ("session", "first_day", "last_day", "days_confirmed", "venue", "format", "reply_to")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "session" in self.fields:
            self.fields["session"].queryset = WorkingGroupSession.objects.filter(series=None)
        meetings = self.instance.meetings().with_state() if self.instance.pk else CountryMeeting.objects.none()
        self.programme = Programme(self.data if self.is_bound else None, queryset=meetings, prefix="meeting")

    def clean(self):
        answers = super().clean()
        days = [answers.get(name) for name in ("first_day", "last_day")]
        for line in self.programme.forms:
            line.check_new_start(*days, now=self.now)
        if not self.programme.is_valid():
            self.add_error(None, _("Please look at the meetings below."))
        return answers


class MeetingForm(forms.ModelForm):
    """One line of the programme. Every field says by itself which State it belongs to, for those who hear the page."""

    starts_at = forms.DateTimeField(
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"), required=False
    )
    online_link = forms.URLField(
        widget=forms.URLInput(attrs={"size": 22}), assume_scheme="https", max_length=500, required=False
    )
    step = forms.ChoiceField(required=False)

    class Meta:
        model = CountryMeeting
        fields = ("starts_at", "minutes", "room", "online_link", "moderator")
        widgets = {
            "minutes": forms.TextInput(attrs={"size": 3, "inputmode": "numeric"}),
            "room": forms.TextInput(attrs={"size": 22}),
            "moderator": forms.TextInput(attrs={"size": 18}),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["step"].choices = [("", "–"), *steps_from(self.instance.status)]
        ahead = self.instance.status in CountryMeeting.AHEAD
        for name, field in self.fields.items():
            field.disabled = not ahead and name != "step"
            label = CountryMeeting._meta.get_field(name).verbose_name if name != "step" else _("next step")
            field.widget.attrs["aria-label"] = f"{capfirst(label)} – {self.instance.state}"

    def check_new_start(self, first_day, last_day, *, now):
        """Point at a start just typed that lies outside the days of the series, if both are known, or before now.

        A start that stands already is left alone: the days of a series may be changed around it.
        """
        starts_at = self.is_valid() and "starts_at" in self.changed_data and self.cleaned_data["starts_at"]
        if not starts_at:
            return
        if first_day and last_day and not first_day <= day_of(starts_at) <= last_day:
            words = {"first": day_in_words(first_day), "last": day_in_words(last_day)}
            self.add_error(
                "starts_at",
                _(
                    "The Pre-sessions take place from %(first)s to %(last)s: "
                    "choose a day between them, or change the days of the series first."
                )
                % words,
            )
        if starts_at < now:
            self.add_error("starts_at", _("This start lies in the past."))

    def concerns_people(self):
        """Whether whoever reckons with the meeting should hear of what was changed."""
        return not self.only_place() or bool({"room", "online_link"} & set(self.changed_data))

    def only_place(self):
        """Whether the hour is as it was."""
        off_or_on = self.cleaned_data["step"] in ("too_few", "postponed", "reinstate")
        return "starts_at" not in self.changed_data and not off_or_on

    def save_by_steps(self, *, now, by):
        """Change the meeting, then take the step that was chosen. Raises WrongStep."""
        changed = {name: self.cleaned_data[name] for name in self.changed_data if name != "step"}
        meeting = CountryMeeting.objects.with_state().get(pk=self.instance.pk)
        if changed:
            meeting.reschedule(now=now, by=by, **changed)
        if self.cleaned_data["step"]:
            TAKE[self.cleaned_data["step"]](meeting, now=now, by=by)


TAKE = {
    "confirm": CountryMeeting.confirm,
    "held": CountryMeeting.mark_held,
    "too_few": partial(CountryMeeting.call_off, why=CountryMeeting.NotHeld.TOO_FEW),
    "postponed": partial(CountryMeeting.call_off, why=CountryMeeting.NotHeld.POSTPONED),
    "reinstate": CountryMeeting.reinstate,
}


def steps_from(status):
    """The steps that a meeting can take from here: (name, words)."""
    words = {
        "confirm": _("Confirm"),
        "held": _("Mark as held"),
        "too_few": _("Call off: too few applications"),
        "postponed": _("Call off: postponed"),
        "reinstate": _("Plan again"),
    }
    Status = CountryMeeting.Status
    possible = {
        Status.PLANNED: ("confirm", "held", "too_few", "postponed"),
        Status.CONFIRMED: ("held", "too_few", "postponed"),
        Status.NOT_HELD: ("reinstate",),
        Status.HELD: (),
    }
    return [(step, words[step]) for step in possible[status]]


Programme = forms.modelformset_factory(CountryMeeting, form=MeetingForm, extra=0, can_delete=False)
