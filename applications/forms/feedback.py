"""What is asked when the meetings are over, in two questions: of speakers here, of missions on a floor above.
Room: applications."""

from django import forms
from django.utils.translation import gettext_lazy as _

from applications.forms.seat import SeatForm

MARKS = [  # the best first, as people look for it
    ("5", _("Very useful")),
    ("4", _("Useful")),
    ("3", _("Somewhat useful")),
    ("2", _("Of little use")),
    ("1", _("Of no use")),
]


class TwoQuestions(forms.Form):
    """A mark and some words; one of the two is enough."""

    useful = forms.ChoiceField(
        label=_("How useful were the Pre-sessions to you?"), required=False, choices=MARKS, widget=forms.RadioSelect
    )
    words = forms.CharField(
        label=_("What should we do better?"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
    )

    def clean(self):
        said = super().clean()
        if not self.errors and not said.get("useful") and not said.get("words"):
            self.add_error("useful", _("Answer at least one of the two questions."))
        return said

    def said(self):
        """As it is kept."""
        mark = self.cleaned_data["useful"]
        return {"useful": int(mark) if mark else None, "words": self.cleaned_data["words"]}


def as_typed(said):
    """What was said before, for the form; said -- a row of feedback, or None"""
    return {"useful": str(said.useful or ""), "words": said.words} if said else {}


class SpeakerFeedbackForm(SeatForm, TwoQuestions):
    groups = ("useful", "words")
    button = _("Send")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["useful"].label = _("How useful was the Pre-session to you and your work?")
        self.fields["words"].help_text = _(
            "You may also say whether Missions took up what you recommended. Seen by UPR Info only, and read without "
            "your name beside it. Please name nobody who could be harmed."
        )
