"""Forms of the staff's steps on mailings and letters. Room: mail."""

from datetime import datetime

from django import forms
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from presessions.mail import registry
from presessions.upr.dates import GENEVA

MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
BEFORE, AFTER = "before", "after"


def _within_reach(at):
    """Nobody plans further; and what is near the calendar's own end cannot be reckoned with."""
    if not datetime(1990, 1, 1, tzinfo=GENEVA) <= at < datetime(2100, 1, 1, tzinfo=GENEVA):
        raise forms.ValidationError(_("Please give a day between 1990 and 2100."))


class MoveForm(forms.Form):
    moved_to = forms.DateTimeField(label=_("New date and time, Geneva"), widget=MOMENT, validators=[_within_reach])


class AsOnForm(forms.Form):
    """A moment at which staff want to see what would be."""

    at = forms.DateTimeField(label=_("Day and time, Geneva"), widget=MOMENT, validators=[_within_reach])


class RuleForm(forms.Form):
    """This series' own copy of the rule: so many months and days before or after a date, but at the latest so many
    days before another one. Numbers are positive here; the model counts what comes after as negative."""

    months = forms.IntegerField(label=_("Months"), min_value=0, max_value=36)
    days = forms.IntegerField(label=_("Days"), min_value=0, max_value=1000)
    side = forms.ChoiceField(
        label=_("Before or after"),
        choices=[(BEFORE, pgettext_lazy("so many days", "before")), (AFTER, pgettext_lazy("so many days", "after"))],
    )
    anchor = forms.ChoiceField(label=_("this date"))
    hour = forms.IntegerField(label=_("Hour in Geneva"), min_value=0, validators=[MaxValueValidator(23)])
    latest_days = forms.IntegerField(label=_("But at the latest so many days"), max_value=1000, required=False)
    latest_anchor = forms.ChoiceField(
        label=_("before this date"), required=False, help_text=_("Choose “switched off” to let the rule alone decide.")
    )

    def __init__(self, *args, mailing, **kwargs):
        after = mailing.months < 0 or mailing.days < 0
        initial = {
            "months": abs(mailing.months),
            "days": abs(mailing.days),
            "side": AFTER if after else BEFORE,
            "anchor": mailing.anchor,
            "hour": mailing.hour,
            "latest_days": mailing.latest_days,
            "latest_anchor": mailing.latest_anchor,
        }
        super().__init__(*args, initial=initial, **kwargs)
        anchors = [(anchor.name, anchor.label) for anchor in registry.ANCHORS.values() if _fits(anchor, mailing)]
        self.fields["anchor"].choices = anchors
        self.fields["latest_anchor"].choices = [("", _("switched off")), *anchors]

    def clean(self):
        data = super().clean()
        if data.get("latest_anchor") and data.get("latest_days") is None and "latest_days" not in self.errors:
            self.add_error("latest_days", _("How many days before that date, at the latest?"))
        return data

    def rule(self):
        """What the model keeps."""
        data, sign = self.cleaned_data, -1 if self.cleaned_data["side"] == AFTER else 1
        switched_off = not data["latest_anchor"]
        return {
            "anchor": data["anchor"],
            "months": sign * data["months"],
            "days": sign * data["days"],
            "hour": data["hour"],
            "latest_anchor": data["latest_anchor"],
            "latest_days": None if switched_off else data["latest_days"],
        }

    @property
    def seen(self):
        """These values in one word: what is saved must be what was shown."""
        return "/".join(str(value) for value in self.rule().values())


def _fits(anchor, mailing):
    """A date of one meeting is none of a whole series."""
    return mailing.meeting_id is not None or anchor.name != "meeting"
