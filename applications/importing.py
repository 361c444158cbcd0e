"""The page on which a list comes in: shown line by line before anything is written, and written as it was shown.

Room: applications; imports the reader. Each list keeps its own plan, and fills the blocks of admin/import.html.
"""

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from presessions import imports


class ListForm(forms.Form):
    """A list, as a file or pasted; valid, its `text` is what either said."""

    file = forms.FileField(label=gettext_lazy("A file (CSV or XLSX)"), required=False)
    text = forms.CharField(
        label=gettext_lazy("Or paste it here"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "dir": "auto", "spellcheck": "false", "class": "vLargeTextField"}),
    )

    def clean(self):
        answers = super().clean()
        file, text = answers.get("file"), answers.get("text", "")
        if file:
            try:
                answers["text"] = imports.uploaded(file)
            except imports.Unreadable as trouble:
                self.add_error("file", str(trouble))
        elif not text.strip() and "file" not in self.errors:
            self.add_error("file", _("Choose a file, or paste the list."))
        return answers

    def said(self):
        """What the page carries along from the look to the writing, by name."""
        return {name: value for name, value in self.cleaned_data.items() if name != "file"}


def answer(request, form, *, plan, carry_out):
    """(what was written or None, what the page shows, its status) for one visit of the page.

    plan(**said) -- what would be done, with `seen`, `lines` and `unread`
    carry_out(**said, seen, by, now) -- does it; raises imports.Changed when it would not be what was seen
    """
    found, changed, step = None, False, request.POST.get("step")
    if form.is_valid() and step != "again":  # again: back to what was typed
        try:
            if step == "import":
                why = {"seen": request.POST.get("seen", ""), "by": request.user, "now": timezone.now()}
                return carry_out(**form.said(), **why), {}, 302
            found = plan(**form.said())
        except imports.Changed as change:
            found, changed = change.plan, True
        except imports.Unreadable as trouble:
            form.add_error("file" if request.FILES else "text", str(trouble))
    status = 409 if changed else 422 if form.errors else 200
    return None, {"form": form, "plan": found, "changed": changed}, status
