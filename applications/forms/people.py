"""The sections about people: who would speak, and who would in that person's place."""

from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.utils.translation import gettext_lazy as _

from applications import rules
from applications.forms.base import EMAIL, ONLY_US, US_UNTIL_CONSENT, SectionForm, choice, line, text, tick
from applications.models import Speaker


class SpeakerForm(SectionForm):
    section = "speaker"
    title = _("The person who would speak")
    intro = _(
        "Women are particularly encouraged to speak; of an NHRI, preferably senior staff who worked on the UPR. "
        "You may name somebody else later."
    )
    full_name = line(_("Full name"), who=US_UNTIL_CONSENT, autocomplete="name")
    position = line(_("Position in the institution"), who=US_UNTIL_CONSENT, autocomplete="organization-title")
    part_in_upr = text(_("Experience, and part in the UPR so far"), words=rules.PART_IN_UPR_WORDS, longest=2000, rows=4)
    spoken_english = choice(_("Spoken English"), Speaker.English.choices, about=_("Statements are read in English."))
    attends = choice(_("How would this person take part?"), Speaker.Attends.choices)
    email = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        max_length=254,
        error_messages=EMAIL,
        help_text=ONLY_US,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    phone = line(_("Telephone"), longest=50, type="tel", autocomplete="tel")
    gender = choice(
        _("Gender"),
        Speaker.Gender.choices,
        about=_("We ask because we report how many women speak, never with a name."),
    )
    under_18 = tick(_("This person is under 18 years old"), ONLY_US)
    guardian_name = line(_("Name of the parent or guardian"))
    guardian_agrees = tick(_("The parent or guardian agrees that this person speaks"), ONLY_US)

    groups = (
        Layout("full_name", "position", "part_in_upr", "spoken_english", "attends"),
        Fieldset(_("How to reach this person"), "email", "phone"),
        Fieldset(_("About this person"), "gender", "under_18"),
        Fieldset(_("Only for a person under 18"), "guardian_name", "guardian_agrees", css_class="if-so"),
    )
    missing_words = {
        "full_name": _("Enter the name of the person who would speak."),
        "position": _("Enter the person’s position in your institution."),
        "part_in_upr": _("Say in a sentence or two what the person has done for the UPR."),
        "spoken_english": _("Choose how well the person speaks English."),
        "attends": _("Choose how the person would take part."),
        "email": _("Enter the person’s e-mail address, like name@example.org"),
        "guardian_name": _("Enter the name of the parent or guardian."),
        "guardian_agrees": _("We need the agreement of a parent or guardian."),
    }

    def in_words(self, field):
        if field.name == "guardian_agrees" and not self.initial["under_18"]:
            return ""  # nobody has asked
        return super().in_words(field)


class ReplacementForm(SpeakerForm):
    section = "replacement"
    title = _("Somebody to take that person’s place")
    intro = _(
        "You need not name anybody. It helps if the person who would speak falls ill, gets no visa, or cannot leave "
        "the country: then this person speaks."
    )
    missing_words = {
        "full_name": _("Enter the name of the person who would take the place, or empty this page."),
        "guardian_name": SpeakerForm.missing_words["guardian_name"],
        "guardian_agrees": SpeakerForm.missing_words["guardian_agrees"],
    }

    def in_words(self, field):
        if field.name == "under_18" and not rules.is_begun(self.initial):
            return ""  # there is nobody to say it of
        return super().in_words(field)
