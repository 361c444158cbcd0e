"""Short forms that anybody may post: start, lost link, sign-up. Robots are kept out without troubling people."""

from datetime import UTC, datetime, timedelta

from crispy_forms.helper import FormHelper
from crispy_forms.layout import ButtonHolder, Div, Layout, Submit
from django import forms
from django.conf import settings
from django.core import signing
from django.utils.translation import gettext_lazy as _

from applications.forms.base import typed
from presessions.mail import letters

AT_LEAST = timedelta(seconds=2)  # no person reads and fills a form faster
EMAIL = {
    "required": _("Enter your e-mail address, like name@example.org"),
    "invalid": _("Enter an e-mail address, like name@example.org"),
}


class AddressField(forms.EmailField):
    """An address that a letter can be written to: whoever leaves another one is told here, not left waiting."""

    default_error_messages = EMAIL

    def run_validators(self, address):
        super().run_validators(address)
        if address in self.empty_values:
            return
        try:
            letters.clean_address(address)
        except letters.Unwritable:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


class DoorForm(forms.Form):
    """A field that people do not see, and the signed instant at which the page was shown.

    Who fills the hidden field is answered like everybody else, and nothing is done (`is_robot`). Who is too fast is
    asked to press the button again, with nothing lost; so nobody who has chosen a file is asked.
    """

    button = _("Send")
    leave_empty = forms.CharField(
        label=_("Leave this empty"),
        required=False,
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )
    leave_empty.needed = True  # so that it is not called optional
    shown = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, data=None, *, now, **kwargs):
        super().__init__(data, **kwargs)
        self.now = now
        self.fields["shown"].initial = signing.dumps(now.timestamp(), salt="form shown")
        names = [name for name in self.fields if name not in ("leave_empty", "shown")]
        self.helper = FormHelper()
        # Our words in the reader's language, not the browser's; too short to ask before it is left (static/site.js).
        self.helper.attrs = {"novalidate": True, "data-brief": True}
        self.helper.layout = Layout(
            *names,
            Div("leave_empty", css_class="visually-hidden", aria_hidden="true"),
            "shown",
            ButtonHolder(Submit("send", self.button)),
        )

    @property
    def is_robot(self):
        return bool(self.cleaned_data["leave_empty"])

    def clean(self):
        was_read = self._was_read()
        self.errors.pop("shown", None)  # nobody can mend what nobody sees
        if not was_read and not self.errors and not self.files:  # a real mistake is enough; a file would be lost
            raise forms.ValidationError(_("That was very fast. Please press the button once more."), code="fast")

    def _was_read(self):
        try:
            shown_at = datetime.fromtimestamp(signing.loads(self.cleaned_data.get("shown", ""), salt="form shown"), UTC)
        except signing.BadSignature:
            self.data = self.data.copy()  # the page comes back with an instant of ours
            self.data["shown"] = self.fields["shown"].initial
            return False
        return self.now - shown_at >= AT_LEAST

    def wishes(self):
        """What the person asked for."""
        return {name: value for name, value in self.cleaned_data.items() if name not in ("leave_empty", "shown")}

    def typed(self):
        """(label, text) of what was typed, so that a page that cannot take it can give it back."""
        return typed(self, but=("leave_empty", "shown", "language"))


def language_field():
    return forms.ChoiceField(label=_("Language of our letters"), choices=settings.MAIL_LANGUAGES)


class StartForm(DoorForm):
    button = _("Send me my link")
    email = AddressField(
        label=_("Your e-mail address"),
        max_length=254,
        error_messages=EMAIL,
        help_text=_("We send your personal link there. Only UPR Info sees the address."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    language = language_field()


class LostLinkForm(DoorForm):
    button = _("Send me my link")
    email = AddressField(
        label=_("The e-mail address you began with"),
        max_length=254,
        error_messages=EMAIL,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
