"""What an applicant may ask for once there is an application, and what anybody may ask who holds a receipt.
Room: applications."""

import re

from crispy_forms.helper import FormHelper
from crispy_forms.layout import ButtonHolder, Layout, Submit
from django import forms
from django.utils.translation import gettext_lazy as _

from applications.forms.base import whose
from applications.forms.doors import DoorForm
from presessions.trail.references import read_reference

FINGERPRINT = re.compile("[0-9a-f]{64}")


class EraseForm(forms.Form):
    sure = forms.BooleanField(
        label=_("Yes, erase it. I know that nobody can bring it back."),
        error_messages={"required": _("Tick the box if you want everything to be erased.")},
    )

    def __init__(self, data=None, *, application):
        super().__init__(data)
        self.helper = FormHelper()
        self.helper.attrs = {"novalidate": True, "data-brief": True}
        self.helper.layout = Layout(
            *whose(application), "sure", ButtonHolder(Submit("erase", _("Erase everything"), css_class="button-danger"))
        )


class ReceiptCheckForm(DoorForm):
    """A reference, and the fingerprint of a file or the file itself."""

    button = _("Check")
    reference = forms.CharField(
        label=_("Reference"),
        max_length=30,
        help_text=_("It stands on the receipt, like K7QF2-9MXA4."),
        error_messages={"required": _("Enter the reference that stands on the receipt.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )
    fingerprint = forms.CharField(
        label=_("Fingerprint of the file (SHA-256)"),
        required=False,
        max_length=200,
        help_text=_("64 digits and letters. Copy it from the receipt."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )
    file = forms.FileField(
        label=_("Or the file itself"),
        required=False,
        allow_empty_file=True,
        help_text=_("We only compute its fingerprint. The file is neither kept nor read."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("fingerprint", "file"):  # one of both, so neither is called optional
            self.fields[name].needed = True

    def clean_reference(self):
        reference = read_reference(self.cleaned_data["reference"])
        if not reference:
            raise forms.ValidationError(_("A reference has ten digits and letters, like K7QF2-9MXA4."), code="form")
        return reference

    def clean_fingerprint(self):
        fingerprint = re.sub(r"[\s:]", "", self.cleaned_data["fingerprint"]).lower()
        if fingerprint and not FINGERPRINT.fullmatch(fingerprint):
            raise forms.ValidationError(
                _("A fingerprint has 64 signs: the digits 0 to 9 and the letters a to f. Copy it whole."), code="form"
            )
        return fingerprint

    def clean(self):
        nothing = not (self.cleaned_data.get("fingerprint") or self.cleaned_data.get("file"))
        if nothing and "fingerprint" not in self.errors:
            self.add_error("fingerprint", _("Enter the fingerprint, or choose the file below."))
        super().clean()

    def fingerprints(self):
        """What the file must have: one, or two that may differ, and then no file has them."""
        file = self.cleaned_data["file"]
        return {self.cleaned_data["fingerprint"], file.sha256 if file else ""} - {""}
