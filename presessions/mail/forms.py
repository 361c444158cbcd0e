"""Forms of the staff's steps on mailings and letters. Room: mail."""

from django import forms
from django.utils.translation import gettext_lazy as _

from presessions.mail import registry
from presessions.mail.models import Mailing


class MoveForm(forms.Form):
    moved_to = forms.DateTimeField(
        label=_("New date and time, Geneva"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


class RuleForm(forms.ModelForm):
    """This series' own copy of the rule."""

    class Meta:
        model = Mailing
        fields = ("anchor", "months", "days", "hour", "latest_anchor", "latest_days")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        anchors = [(anchor.name, anchor.label) for anchor in registry.ANCHORS.values()]
        self.fields["anchor"] = forms.ChoiceField(label=self.fields["anchor"].label, choices=anchors)
        self.fields["latest_anchor"] = forms.ChoiceField(
            label=self.fields["latest_anchor"].label, choices=[("", _("nothing")), *anchors], required=False
        )

    def clean(self):
        data = super().clean()
        if bool(data.get("latest_anchor")) != (data.get("latest_days") is not None):
            raise forms.ValidationError(_("“At the latest” needs both a date and a number of days, or neither."))
        return data
