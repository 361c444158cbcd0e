"""The section with the file: a page of its own, so that a failed upload never costs what was typed elsewhere."""

from crispy_forms.layout import Layout
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from applications.forms.base import ONLY_US, SectionForm, hint


class FileForm(SectionForm):
    section = "file"
    title = _("The file of your submission")
    file = forms.FileField(
        label=_("The file"),
        required=False,
        allow_empty_file=True,  # what is wrong with it is said by files.check
        max_length=None,
        help_text=hint(
            _("Your written submission for the UPR, as a PDF or Word file (.pdf, .docx) of at most 20 MB."),
            ONLY_US,
        ),
        widget=forms.FileInput(attrs={"accept": ".pdf,.docx"}),
    )

    groups = (Layout("file"),)
    missing_words = {"file": _("Choose the file of your UPR submission.")}

    def facts(self):
        return self.cleaned_data | {"file": self.cleaned_data.get("file") or self.application.upr_submission}

    def in_words(self, field):
        return field.initial.original_name if field.initial else ""
