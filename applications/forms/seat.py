"""Pages of who has a seat: giving it up, another speaker, needs, papers, and what may be published.
Room: applications; imports the forms of the sections and `seat`."""

import re
import unicodedata

from crispy_forms.helper import FormHelper
from crispy_forms.layout import ButtonHolder, Fieldset, Hidden, Layout, Submit
from django import forms
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from applications import kept, rules, seat, uploads
from applications.forms.base import choice, hint, line, text, tick, typed, whose
from applications.forms.people import SpeakerForm
from applications.forms.safety import SafetyForm
from applications.forms.upload import WithFile
from applications.models import Attachment, Consent, Speaker

OLDEST = 110  # years
UNTIL = format_lazy(
    _("Seen by UPR Info only, and erased {time} after the meeting."), time=lazy(kept.in_words, str)("needs")
)


class SeatForm(forms.Form):
    """A form of one page, with our buttons below it."""

    groups = ()
    button = _("Save")
    button_class = ""

    def __init__(self, data=None, *, application, **kwargs):
        self.application = application
        super().__init__(data, **kwargs)
        self.helper = FormHelper()
        self.helper.attrs = {"novalidate": True}  # our words in the reader's language, not the browser's
        self.helper.layout = Layout(
            *whose(application), *self.groups, ButtonHolder(Submit("save", self.button, css_class=self.button_class))
        )

    def typed(self):
        return typed(self)


class GiveUpForm(SeatForm):
    button, button_class = _("Give up the seat"), "button-danger"
    reason = text(
        _("Why, if you want to tell us"),
        who=_("Seen by UPR Info only. Kept encrypted, and never sent by mail."),
        longest=1000,
        rows=3,
    )
    sure = forms.BooleanField(
        label=_("Yes, give my seat to somebody else"),
        error_messages={"required": _("Tick the box if you want to give up the seat.")},
    )
    groups = ("reason", "sure")


class NewSpeakerForm(SpeakerForm):
    """Somebody else, asked the same as the first one; complete at once, because the meeting is near."""

    title = _("Somebody else will speak")

    def __init__(self, data=None, *, application):
        super().__init__(data, application=application)
        self.helper.layout = Layout(
            *whose(application),
            Hidden("seen", seat.as_seen(application) if data is None else data.get("seen", "")),
            *self.groups,
            ButtonHolder(Submit("new", _("Let this person speak"))),
        )

    def saved(self):
        return {}


class NeedsForm(SeatForm):
    button = _("Save and continue")
    attends = choice(_("How will the speaker take part?"), Speaker.Attends.choices)
    visa_letter = tick(
        _("The speaker needs a letter of invitation for a visa"),
        _("It names the speaker and the days, not the State you speak on."),
    )
    badge = tick(
        _("The speaker needs a badge for the Palais des Nations"),
        _("Everybody who enters it needs one, unless the person has a UN badge already."),
    )
    interpretation = line(
        _("Interpretation"),
        about=_("If English is difficult: which language would help? We cannot promise it, but we try."),
        who=UNTIL,
        longest=500,
    )
    accessibility = text(
        _("Accessibility"),
        about=_("What the speaker needs to take part: a place for a wheelchair, large print, a companion …"),
        who=UNTIL,
        longest=1000,
        rows=3,
    )
    groups = (
        "attends",
        Fieldset(_("To come to Geneva"), "visa_letter", "badge"),
        Fieldset(_("In the room"), "interpretation", "accessibility"),
    )

    def clean(self):
        answers = super().clean()
        if answers.get("attends") == Speaker.Attends.REMOTE and (answers.get("visa_letter") or answers.get("badge")):
            words = _("Who takes part remotely needs no visa and no badge. Please change one of the two answers.")
            self.add_error("attends", forms.ValidationError(words, code="remote"))
        return answers


def in_capitals(words):
    """As the foot of a passport's page writes it: capital letters, single blanks, no filling signs."""
    return " ".join(unicodedata.normalize("NFKC", words).replace("<", " ").upper().split())


class PassportForm(SeatForm):
    """Asked only of who needs a letter for a visa or a badge."""

    passport_name = line(
        _("Name as in the passport"),
        about=_("In the letters A to Z, as in the two lines at the foot of the page with the photograph."),
        who=UNTIL,
        dir="ltr",
        autocomplete="off",
    )
    passport_number = line(
        _("Number of the passport"),
        about=_("Letters and digits."),
        who=UNTIL,
        longest=40,
        dir="ltr",
        autocomplete="off",
    )
    nationality = line(
        _("Nationality"), about=_("As in the passport, in English or French."), who=UNTIL, longest=100, dir="ltr"
    )
    born_on = forms.DateField(
        label=_("Date of birth"),
        help_text=UNTIL,
        error_messages={
            "required": _("Enter the date of birth with year, month and day, like 1985-05-31."),
            "invalid": _("Enter the date of birth with year, month and day, like 1985-05-31."),
        },
        widget=forms.DateInput(attrs={"type": "date", "autocomplete": "off"}, format="%Y-%m-%d"),
    )
    groups = ("passport_name", "passport_number", "nationality", "born_on")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("passport_name", "passport_number", "nationality"):
            self.fields[name].needed = True

    def clean_passport_name(self):
        name = in_capitals(self.cleaned_data["passport_name"])
        if not re.fullmatch(r"[A-Z][A-Z '’.-]*", name):
            words = _("Write the name in the letters A to Z only, as at the foot of the passport’s page.")
            raise forms.ValidationError(words, code="letters")
        return name

    def clean_passport_number(self):
        number = in_capitals(self.cleaned_data["passport_number"]).replace(" ", "")
        if not re.fullmatch(r"[A-Z0-9]{5,20}", number):
            words = _("Enter the number as in the passport: letters A to Z and digits only.")
            raise forms.ValidationError(words, code="number")
        return number

    def clean_nationality(self):
        nationality = " ".join(self.cleaned_data["nationality"].split())
        if not rules.is_latin(nationality) or not re.fullmatch(r"[^\W\d_](?:[^\W\d_]|[ ()'’.-])*", nationality):
            words = _("Enter the nationality as in the passport, in Latin letters.")
            raise forms.ValidationError(words, code="letters")
        return nationality

    def clean_born_on(self):
        born_on = self.cleaned_data["born_on"]
        today = timezone.localdate()
        if not (born_on < today and seat.years_between(born_on, today) <= OLDEST):
            words = _("This cannot be the date of birth. Enter year, month and day, like 1985-05-31.")
            raise forms.ValidationError(words, code="date")
        if seat.contradicts_age(self.application, born_on, today):
            words = _(
                "This does not fit what the application says of the speaker’s age (under 18, or not). Please correct "
                "the date, or write to us."
            )
            raise forms.ValidationError(words, code="age")
        return born_on.isoformat()


# --- Papers ----------------------------------------------------------------------------------------------------------


class PaperForm(WithFile, SeatForm):
    """A statement or a fact sheet; looked into and kept like every file."""

    button = _("Send the file")
    groups = ("file", "upload")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["file"].needed = True

    def clean(self):
        answers = super().clean()
        if not self.errors.get("file") and not self.brings_file:
            self.add_error("file", forms.ValidationError(_("Choose the file that you want to send."), code="missing"))
        return answers


class StatementForm(PaperForm):
    kind = Attachment.Kind.STATEMENT
    title = _("Your statement")
    received = _("We have your statement (version %(version)s).")


class FactSheetForm(PaperForm):
    kind = Attachment.Kind.FACT_SHEET
    title = _("Your fact sheet")
    received = _("We have your fact sheet (version %(version)s).")


for _kind in seat.OF_THE_PAPER:
    uploads.DOORS[_kind.value] = uploads.Door(seat.is_open, seat.receive)


# --- What may be published -------------------------------------------------------------------------------------------


class PublishForm(SeatForm):
    """Every item asked anew. Nothing is ticked that has not been answered since the seat was confirmed."""

    button = _("Save my answers")

    def __init__(self, data=None, *, application, files=()):
        items = [item for item in Consent.Item if item not in seat.OF_THE_PAPER.values()]
        items += [seat.OF_THE_PAPER[kind] for kind in application.papers()]
        self.items = [item for item in Consent.Item if item in items]
        self.groups = tuple(f"consent_{item}" for item in self.items)
        cleared = application.cleared_items()
        super().__init__(data, application=application, initial={f"consent_{item}": item in cleared for item in items})
        before = application.standing_consents() - cleared
        for item in self.items:
            asked = SafetyForm.base_fields[f"consent_{item}"]
            who = (
                hint(asked.help_text, _("You agreed to this before; please answer it anew.")) if item in before else ""
            )
            self.fields[f"consent_{item}"] = tick(asked.label, who or asked.help_text)
        self.helper.layout.fields.insert(0, Hidden("seen", seat.as_asked(application)))

    def wanted(self):
        return {item for item in self.items if self.cleaned_data.get(f"consent_{item}")}
