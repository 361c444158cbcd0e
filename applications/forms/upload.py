"""A page with one file on it: the section “file”, and statements and fact sheets. Room: applications.

    class StatementForm(WithFile):                       # `kind` names which file; more fields may stand beside it
        kind = Attachment.Kind.STATEMENT

    {% include "applications/_upload.html" %}            {# shows `form`, with progress where scripts run #}

    form = StatementForm(request.POST or None, request.FILES or None); form.application = application
    if form.is_valid():
        form.keep_file(now=now)                          # a refusal becomes the error of the field
    if form.errors:
        form.put_file_aside(now=now)                     # something has to be mended first: the file stays with us

The layout of its helper names "upload" beside "file". Who lets files of a kind in is said by `uploads.DOORS`.
"""

from crispy_forms.layout import Layout
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from applications import files, uploads
from applications.forms.base import ONLY_US, SectionForm, hint
from applications.models import Attachment

KINDS = _("A PDF, Word or OpenDocument file (.pdf, .docx, .odt) of at most 20 MB.")


def file_field(label, *sentences):
    return forms.FileField(
        label=label,
        required=False,
        allow_empty_file=True,  # what is wrong with it is said by files.check
        max_length=None,
        help_text=hint(*sentences),
        widget=forms.FileInput(attrs={"accept": ".pdf,.docx,.odt"}),
    )


class WithFile(forms.Form):
    """A form whose file comes with it, or has come in pieces before it; then `upload` holds the key."""

    kind = Attachment.Kind.UPR_SUBMISSION
    file = file_field(_("The file"), KINDS, ONLY_US)
    upload = forms.CharField(required=False, max_length=43, widget=forms.HiddenInput)
    application = None

    # What static/upload.js asks before it sends anything.
    piece, limit = uploads.PIECE, settings.UPLOAD_LIMIT

    def words_too_large(self):
        return str(files.refusal("too_large"))

    def words_other_kind(self):
        return str(files.refusal("unknown_kind"))

    @property
    def brings_file(self):
        """Whether a file came with this form, or the key of one that came before it."""
        return bool(self.cleaned_data.get("file") or self.cleaned_data.get("upload"))

    def keep_file(self, *, now):
        """Look into what came and keep it; returns the Attachment, None when nothing came or it was refused. Raises
        WrongStep and Closed as the door of its kind does."""
        if not self.brings_file:
            return None
        file, key = self.cleaned_data.get("file") or None, self.cleaned_data.get("upload")
        try:
            return uploads.take(self.application, self.kind, file=file, key=key, now=now)
        except files.Refused as refused:
            if refused.word == "busy":  # nothing is wrong with the file
                self.put_file_aside(now=now)
            self.add_error("file", str(refused))
            return None

    def put_file_aside(self, *, now):
        """Something else has to be mended first: the file stays with us, and the page shown again carries its key."""
        file = self.cleaned_data.get("file")
        if not file or "file" in self.errors:
            return
        try:
            upload = uploads.put_aside(self.application, self.kind, file, now=now)
        except files.Refused as refused:
            self.add_error("file", str(refused))
        else:
            self.data = self.data.copy()
            self.data["upload"] = upload.key

    def waiting(self):
        """The whole file that is here and not yet kept, for the page to name; None when there is none."""
        key = self.data.get("upload") if self.is_bound else ""
        upload = uploads.find(self.application, key) if key else None
        return upload if upload and upload.received == upload.size else None

    def begun(self):
        """The latest file of this kind that has come in part, for the page to name; None when there is none. One
        without its SHA-256 would not be known again."""
        of_a_day = self.application.uploads.all()
        going = [one for one in of_a_day if one.kind == self.kind and not one.done_at and one.received and one.sha256]
        return max(going, key=lambda one: one.touched_at, default=None)


class FileForm(WithFile, SectionForm):
    """The section with the file: a page of its own, so that a failed upload never costs what was typed elsewhere."""

    section = "file"
    title = _("The file of your submission")
    file = file_field(_("The file"), _("Your written submission for the UPR."), KINDS, ONLY_US)

    groups = (Layout("upload", "file"),)
    missing_words = {"file": _("Choose the file of your UPR submission.")}

    def facts(self):
        return {"file": self.brings_file or self.application.upr_submission}

    def to_keep(self):
        return self.cleaned_data if self.is_valid() else None

    def saved_meanwhile(self):
        """Of a file nothing is undone: each is a version, and the newest one counts."""
        return []

    def summary(self):
        return [(field, words) for field, words in super().summary() if field.name == "file"]

    def in_words(self, field):
        return field.initial.original_name if field.initial else ""
