"""The sections of an application. Each saves on its own, complete or not; what is missing is said on the last page.

Labels and hints say beside each field who will see the answer. A wrong value (no e-mail address, too many words) is
refused at once, in words that say what to do, and nothing that was typed is lost.
"""

from datetime import date

from crispy_forms.helper import FormHelper
from crispy_forms.layout import ButtonHolder, Fieldset, Hidden, Layout, Submit
from django import forms
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.functional import SimpleLazyObject, lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from applications import rules
from applications.forms.doors import typed
from applications.models import Application, Consent, Speaker, Theme
from presessions.upr import dates

ONLY_US = _("Seen by UPR Info only.")
US_UNTIL_CONSENT = _("Seen by UPR Info only, unless you agree to more under “Safety and consent”.")

EMAIL = {"invalid": _("Enter an e-mail address, like name@example.org")}


def hint(*sentences):
    return format_lazy(" ".join(["{}"] * len(sentences)), *sentences)


def _at_most(words):
    return ngettext("In at most %d word.", "In at most %d words.", words) % words


at_most = lazy(_at_most, str)  # a lazy string would be read, and so put into English, by the % beside it


def line(label, *, who=ONLY_US, about="", longest=200, **attrs):
    """A text of one line."""
    help_text = hint(about, who) if about else who
    return forms.CharField(
        label=label, required=False, max_length=longest, help_text=help_text, widget=forms.TextInput(attrs=attrs)
    )


def text(label, *, who=ONLY_US, about="", words=None, longest=6000, rows=6):
    """A longer text, with a limit in words."""
    sentences = [sentence for sentence in (about, words and at_most(words), who) if sentence]
    return forms.CharField(
        label=label,
        required=False,
        max_length=longest,
        validators=[rules.AtMostWords(words)] if words else [],
        help_text=hint(*sentences),
        widget=forms.Textarea(attrs={"rows": rows}),
    )


def choice(label, choices, *, who=ONLY_US, about=""):
    help_text = hint(about, who) if about else who
    return forms.ChoiceField(
        label=label, required=False, choices=choices, help_text=help_text, widget=forms.RadioSelect
    )


def tick(label, help_text=""):
    return forms.BooleanField(label=label, required=False, help_text=help_text)


def mark(facts):
    """A short mark of what a section holds, to notice on saving that it is no longer what a page was made from."""
    plain = {name: [row.pk for row in fact] if isinstance(fact, list) else fact for name, fact in facts.items()}
    words = repr([(name, str(fact)) for name, fact in sorted(plain.items())])
    return salted_hmac("section as read", words, algorithm="sha256").hexdigest()[:20]


def whose(application):
    """Which application a page was made for: the same browser may have opened another one since."""
    return [Hidden("application", application.reference)] if application else []


class SectionForm(forms.Form):
    """One page of the application. `missing_words` says what to do about each answer that must not be missing."""

    section = ""
    title = ""
    intro = ""
    groups = ()
    missing_words = {}

    def __init__(self, data=None, files=None, *, application):
        self.application = application
        super().__init__(data, files, initial=self.saved() if data is None else None)
        for name in self.missing_words:
            self.fields[name].needed = True
        self.helper = FormHelper()
        self.helper.attrs = {"novalidate": True}  # our words in the reader's language, not the browser's
        self.helper.layout = Layout(
            *whose(application),
            Hidden("as_read", SimpleLazyObject(lambda: mark(self.initial or self.saved()))),
            *(Fieldset(legend, *names) if legend else Layout(*names) for legend, names in self.groups),
            ButtonHolder(
                Submit("save", _("Save and continue")),
                Submit("later", _("Save and come back later"), css_class="button-quiet"),
            ),
        )

    def clean(self):
        """What was sent once stays complete; a draft may have gaps."""
        if self.application.was_sent:
            self.name_what_is_missing()

    def name_what_is_missing(self):
        for name in rules.missing(self.section, self.facts()):
            if name not in self.errors:
                self.add_error(name, forms.ValidationError(self.missing_words[name], code="missing"))

    def facts(self):
        return self.cleaned_data

    def saved(self):
        return self.application.answers(self.section)

    def saved_meanwhile(self):
        """(label, words) of answers that another page or device has saved since this one was made, where what was typed
        here differs. Saving it now would undo the other without a word."""
        facts = self.saved()
        if self.data.get("as_read", "") in ("", mark(facts)):
            return []
        self.initial, saved = facts, type(self)(application=self.application)
        return [(saved[name].label, saved.in_words(saved[name])) for name in self.changed_data]

    @classmethod
    def words_for(cls, name):
        """What to do about one missing answer, or about a page that was never saved."""
        return cls.missing_words.get(name) or gettext("Look at the page “%(title)s” and save it.") % {
            "title": cls.title
        }

    def typed(self):
        return typed(self)

    def summary(self):
        """(field, words) for each answer as the last page shows it; "" where one is missing. What was not answered
        and need not be is left out."""
        needed = rules.needed(self.section, self.initial)
        told = [(field, self.in_words(field)) for field in self]
        return [(field, words) for field, words in told if words or field.name in needed]

    def in_words(self, field):
        value = field.initial
        if isinstance(value, bool):
            return gettext("Yes") if value else gettext("No")
        if isinstance(value, list):
            return ", ".join(str(one) for one in value)
        if isinstance(value, date):
            return dates.day_in_words(value)
        choices = dict(field.field.choices) if isinstance(field.field, forms.ChoiceField) else {}
        return choices.get(value, value) or ""


class InstitutionForm(SectionForm):
    section = "institution"
    title = _("Your institution")
    kind = choice(_("What are you?"), Application.Kind.choices, who=US_UNTIL_CONSENT)
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
    coalition_members = text(
        _("If you speak for a coalition: its members"), about=_("One a line."), longest=3000, rows=4
    )
    website = forms.URLField(
        label=_("Website"),
        required=False,
        max_length=300,
        assume_scheme="https",
        help_text=ONLY_US,
        error_messages={"invalid": _("Enter an address like https://www.example.org, or leave this empty.")},
        widget=forms.URLInput(attrs={"autocomplete": "url"}),
    )
    address = text(_("Postal address"), about=_("City and country are enough."), longest=500, rows=3)
    phone = line(_("Telephone"), longest=50, type="tel", autocomplete="tel")

    groups = (
        (None, ["kind", "name", "name_latin", "founded_year", "aims"]),
        (_("If you are an NHRI"), ["ganhri_status", "ganhri_status_on"]),
        (_("If you are a CSO"), ["scope", "ecosoc_status", "coalition_members"]),
        (_("How to reach the institution"), ["website", "address", "phone"]),
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
    }

    def clean_founded_year(self):
        year = self.cleaned_data["founded_year"]
        if year and year > timezone.now().year:
            raise forms.ValidationError(_("This year is still to come. Enter a year in four digits, like 1998."))
        return year


class SpeakerForm(SectionForm):
    section = "speaker"
    title = _("The person who would speak")
    intro = _(
        "Women are particularly encouraged to speak; of an NHRI, preferably senior staff who worked on the UPR. "
        "You may name somebody else later."
    )
    full_name = line(_("Full name"), who=US_UNTIL_CONSENT, autocomplete="name")
    position = line(_("Position in the institution"), who=US_UNTIL_CONSENT, autocomplete="organization-title")
    part_in_upr = text(_("Experience, and part in the UPR so far"), words=100, longest=2000, rows=4)
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
        (None, ["full_name", "position", "part_in_upr", "spoken_english", "attends"]),
        (_("How to reach this person"), ["email", "phone"]),
        (_("About this person"), ["gender", "under_18"]),
        (_("Only for a person under 18"), ["guardian_name", "guardian_agrees"]),
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


class IssuesForm(SectionForm):
    section = "issues"
    title = _("What you would say")
    intro = _("Speakers have 5 to 7 minutes for questions and recommendations, not for presenting their institution.")
    themes = forms.ModelMultipleChoiceField(
        Theme.objects.all(),
        label=_("Themes"),
        required=False,
        help_text=hint(_("Each speaker of a meeting takes another theme."), ONLY_US),
        widget=forms.CheckboxSelectMultiple,
    )
    issues = text(_("The issues you would raise"), words=rules.ISSUES_WORDS, rows=8)
    follow_up = text(
        _("What has been done since the last review?"),
        about=_("What became of the recommendations that the State supported."),
        words=rules.ISSUES_WORDS,
        rows=6,
    )
    recommendation_1 = text(_("First recommendation"), words=rules.RECOMMENDATION_WORDS, longest=1200, rows=3)
    recommendation_2 = text(_("Second recommendation"), words=rules.RECOMMENDATION_WORDS, longest=1200, rows=3)
    recommendation_3 = text(_("Third recommendation"), words=rules.RECOMMENDATION_WORDS, longest=1200, rows=3)
    recommendation_4 = text(_("Fourth recommendation"), words=rules.RECOMMENDATION_WORDS, longest=1200, rows=3)
    recommendation_5 = text(_("Fifth recommendation"), words=rules.RECOMMENDATION_WORDS, longest=1200, rows=3)

    groups = (
        (None, ["themes", "issues", "follow_up"]),
        (
            _("Recommendations you would ask States to make"),
            [f"recommendation_{number}" for number in range(1, rules.RECOMMENDATIONS + 1)],
        ),
    )
    missing_words = {
        "themes": _("Choose at least one theme."),
        "issues": _("Describe the issues you would raise."),
        "recommendation_1": _("Write at least one recommendation: who should do what, by when."),
    }


class SubmissionForm(SectionForm):
    section = "submission"
    title = _("Your UPR submission")
    submission_kind = choice(_("Whose submission is it?"), Application.SubmissionKind.choices)
    joint_submitters = text(
        _("If it is a joint submission: submitted by"), about=_("Names of the submitting organisations."),
        longest=1000, rows=3,
    )  # fmt: skip
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

    groups = ((None, ["submission_kind", "joint_submitters", "file"]),)
    missing_words = {
        "submission_kind": _("Choose whether it is your own submission or a joint one."),
        "joint_submitters": _("Say who made the joint submission."),
        "file": _("Choose the file of your UPR submission."),
    }

    def facts(self):
        return self.cleaned_data | {"file": self.cleaned_data.get("file") or self.application.upr_submission}

    def in_words(self, field):
        if field.name == "file":
            return field.initial.original_name if field.initial else ""
        return super().in_words(field)


class SafetyForm(SectionForm):
    section = "safety"
    title = _("Safety and consent")
    intro = _(
        "Pre-sessions are public, and the State’s own mission is in the room. Nothing you agree to here is used before "
        "you are on a panel. You may change it whenever you like, also after the deadline."
    )
    consent_name = tick(_("The speaker’s name may stand in the programme"), _("Seen by all missions, and on the web."))
    consent_organisation = tick(
        _("Our institution’s name may stand in the programme"),
        _("Seen by all missions, and on the web. Without it we write “a national CSO”."),
    )
    consent_statement = tick(
        _("Our statement may be given to missions and published"), _("Seen by all missions, and on the web.")
    )
    consent_photo = tick(_("The speaker may be photographed"), _("Seen on the web and in reports of UPR Info."))
    consent_recording = tick(_("The speaker may be recorded"), _("Sound or film, seen on the web."))
    security_note = text(
        _("Is there a risk for you or for others that we should know of?"),
        who=_("Seen by UPR Info only. Kept encrypted, and never sent by mail."),
        longest=4000,
        rows=5,
    )

    groups = (
        (_("What may be published if you are chosen"), [f"consent_{item}" for item in Consent.Item.values]),
        (_("Private note"), ["security_note"]),
    )

    def facts(self):
        return self.cleaned_data | {"seen": True}  # an empty answer to this page is an answer


SECTION_FORMS = {form.section: form for form in (InstitutionForm, SpeakerForm, IssuesForm, SubmissionForm, SafetyForm)}


class SendForm(forms.Form):
    """The last word before sending."""

    understood = forms.BooleanField(
        label=_("I have understood that Pre-sessions are public and that the State’s own mission is invited."),
        error_messages={"required": _("Please tick that you have understood that Pre-sessions are public.")},
    )

    def __init__(self, data=None, *, application):
        super().__init__(data)
        self.helper = FormHelper()
        self.helper.attrs = {"novalidate": True}
        self.helper.layout = Layout(
            *whose(application), "understood", ButtonHolder(Submit("send", _("Send the application")))
        )


class WithdrawForm(forms.Form):
    sure = forms.BooleanField(
        label=_("Yes, take my application back"),
        error_messages={"required": _("Tick the box if you want to take your application back.")},
    )

    def __init__(self, data=None, *, application):
        super().__init__(data)
        self.helper = FormHelper()
        self.helper.attrs = {"novalidate": True}
        self.helper.layout = Layout(
            *whose(application), "sure", ButtonHolder(Submit("withdraw", _("Take it back"), css_class="button-danger"))
        )
