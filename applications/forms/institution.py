"""The section about the institution. NHRIs and CSOs are asked different things."""

from crispy_forms.layout import Div, Fieldset, Layout
from django import forms
from django.core.validators import URLValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from applications import rules
from applications.forms.base import ONLY_US, US_UNTIL_CONSENT, SectionForm, YesNoField, choice, line, text
from applications.models import Application


class InstitutionForm(SectionForm):
    section = "institution"
    title = _("Your institution")
    kind = choice(_("What are you?"), Application.Kind.choices, who=US_UNTIL_CONSENT)
    ganhri_status = choice(_("Accreditation by GANHRI"), Application.Ganhri.choices)
    ganhri_status_on = forms.DateField(
        label=_("Date of that accreditation"),
        required=False,
        help_text=ONLY_US,
        error_messages={"invalid": _("Enter the date with year, month and day, like 2024-05-31.")},
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    scope = choice(_("Where do you work?"), Application.Scope.choices)
    ecosoc_status = choice(
        _("Consultative status with ECOSOC"),
        Application.Ecosoc.choices,
        about=_("It matters for UN badges."),
    )
    is_coalition = YesNoField(label=_("Do you speak for a coalition?"), help_text=ONLY_US)
    coalition_members = text(
        _("Members of the coalition"),
        about=_("One a line. Each is counted once, and your own institution is left out."),
        longest=3000,
        rows=5,
    )
    name = line(
        _("Name of the institution"),
        about=_("In your own language and script."),
        who=US_UNTIL_CONSENT,
        longest=300,
        autocomplete="organization",
    )
    name_latin = line(
        _("The same name in Latin letters"),
        about=_("Only if the name is written in another script."),
        who=US_UNTIL_CONSENT,
        longest=300,
    )
    founded_year = forms.IntegerField(
        label=_("Since which year does it exist?"),
        required=False,
        min_value=1800,
        help_text=ONLY_US,
        error_messages={
            "invalid": _("Enter the year in four digits, like 1998."),
            "min_value": _("Enter the year in four digits, like 1998."),
        },
        widget=forms.TextInput(attrs={"inputmode": "numeric", "size": 6}),
    )
    aims = text(_("Aims and work"), words=rules.AIMS_WORDS, longest=4000)
    website = forms.URLField(
        label=_("Website"),
        required=False,
        max_length=300,
        validators=[URLValidator(["http", "https"])],
        assume_scheme="https",
        help_text=ONLY_US,
        error_messages={"invalid": _("Enter an address like https://www.example.org, or leave this empty.")},
        widget=forms.URLInput(attrs={"autocomplete": "url"}),
    )
    address = text(_("Postal address"), about=_("City and country are enough."), longest=500, rows=3)
    phone = line(_("Telephone"), longest=50, type="tel", autocomplete="tel")

    groups = (
        Layout("kind"),
        Fieldset(_("Only for NHRIs"), "ganhri_status", "ganhri_status_on", css_class="if-nhri"),
        Fieldset(
            _("Only for CSOs"),
            "scope",
            "ecosoc_status",
            "is_coalition",
            Div("coalition_members", css_class="if-so"),
            css_class="if-cso",
        ),
        Fieldset(_("Who you are"), "name", "name_latin", "founded_year", "aims"),
        Fieldset(_("How to reach the institution"), "website", "address", "phone"),
    )
    missing_words = {
        "kind": _("Choose whether you are an NHRI or a CSO."),
        "name": _("Enter the name of your institution."),
        "name_latin": _("Enter the name in Latin letters as well, so that everybody in Geneva can read it."),
        "founded_year": _("Enter the year since which your institution exists."),
        "aims": _("Describe the aims and the work of your institution in a few sentences."),
        "ganhri_status": _("Choose your accreditation status with GANHRI."),
        "scope": _("Choose whether you work nationally or internationally."),
        "ecosoc_status": _("Choose your status with ECOSOC, or “None”."),
        "coalition_members": _("Name the members of the coalition, one a line."),
    }

    def clean_founded_year(self):
        year = self.cleaned_data["founded_year"]
        if year and year > timezone.now().year:
            raise forms.ValidationError(_("This year is still to come. Enter a year in four digits, like 1998."))
        return year

    def said_back(self):
        return members_in_words(self.cleaned_data)

    def in_words(self, field):
        words = super().in_words(field)
        if field.name == "coalition_members" and words:
            return f"{words}\n({members_in_words(self.initial)})"
        return words


def members_in_words(facts):
    """How many members of a coalition were named; "" where none was."""
    members = rules.coalition_members(facts["coalition_members"], facts["name"], facts["name_latin"])
    if not members:
        return ""
    number = len(members)
    return ngettext("%(number)s member, counted once", "%(number)s members, each counted once", number) % {
        "number": number
    }
