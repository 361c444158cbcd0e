"""What the sections of an application have in common. Room: applications; imports models and rules.

Each section saves on its own, complete or not; what is missing is said on the last page. Labels and hints say beside
each field who will see the answer. A wrong value (no e-mail address, too many words) is refused at once, in words that
say what to do, and nothing that was typed is lost.
"""

from datetime import date

from crispy_forms.helper import FormHelper
from crispy_forms.layout import ButtonHolder, Hidden, Layout, Submit
from django import forms
from django.utils.crypto import salted_hmac
from django.utils.functional import SimpleLazyObject, lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from applications import rules
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


class YesNoField(forms.ChoiceField):
    """Yes, no, or not answered: True, False or None."""

    widget = forms.RadioSelect

    def __init__(self, **kwargs):
        answers = [("True", _("Yes")), ("False", pgettext_lazy("answer to a question", "No"))]
        super().__init__(choices=answers, required=False, **kwargs)

    def to_python(self, value):
        return {"True": True, "False": False}.get(str(value))

    def validate(self, value):
        """Whatever is neither yes nor no is no answer."""

    def has_changed(self, initial, data):
        return initial != self.to_python(data)


def tick(label, help_text=""):
    return forms.BooleanField(label=label, required=False, help_text=help_text)


def mark(facts):
    """A short mark of what a section holds, to notice on saving that it is no longer what a page was made from."""
    plain = {name: [row.pk for row in fact] if isinstance(fact, list) else fact for name, fact in facts.items()}
    words = repr([(name, str(fact)) for name, fact in sorted(plain.items())])
    return salted_hmac("section as read", words, algorithm="sha256").hexdigest()[:20]


def named(label, words):
    """What is wrong, where it could be meant of several fields: said of one."""
    return f"{label} – {words}"


def whose(application):
    """Which application a page was made for: the same browser may have opened another one since."""
    return [Hidden("application", application.reference)] if application else []


def typed(form, but=()):
    """(label, text) for every text that was typed into a bound form, and every choice in its words."""
    texts = [(field.label, _chosen(field)) for field in form.visible_fields() if field.name not in but]
    return [(label, text) for label, text in texts if isinstance(text, str) and text.strip()]


def _chosen(field):
    is_choice = isinstance(field.field, forms.ChoiceField) and not isinstance(field.field, forms.ModelChoiceField)
    return str(dict(field.field.choices).get(field.value(), "")) if is_choice else field.value()


class SectionForm(forms.Form):
    """One page of the application. `missing_words` says what to do about each answer that must not be missing."""

    section = ""
    title = ""
    intro = ""
    guide = ""  # a template that says more than a sentence
    groups = ()  # classes if-nhri, if-cso, if-so: the stylesheet hides what another answer has made pointless
    missing_words = {}

    def __init__(self, data=None, files=None, *, application):
        self.application = application
        super().__init__(data, files, initial=self.saved() if data is None and application else None)
        for name in self.missing_words:
            self.fields[name].needed = True
        self.helper = FormHelper()
        self.helper.attrs = {"novalidate": True}  # our words in the reader's language, not the browser's
        self.helper.layout = Layout(
            *whose(application),
            Hidden("as_read", SimpleLazyObject(lambda: mark(self.initial or self.saved()))),
            *self.groups,
            ButtonHolder(
                Submit("save", _("Save and continue")),
                Submit("later", _("Save and come back later"), css_class="button-quiet"),
            ),
        )

    def clean(self):
        """Answers to what is not asked are dropped. What was sent once stays complete; a draft may have gaps."""
        known = self.saved() | self.cleaned_data if self.errors else self.cleaned_data
        for name in rules.not_asked(self.section, known):
            self.cleaned_data[name] = self.fields[name].to_python("")
            self.errors.pop(name, None)
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

    def to_keep(self):
        """The answers to save, None for nothing. Of a page with mistakes a draft keeps all others, and beside a mistake
        what was saved before it. What was sent counts at once, and is changed as a whole."""
        if self.is_valid():
            return self.cleaned_data
        if not self.is_bound or self.application.was_sent:
            return None
        return self.saved() | self.cleaned_data | self._too_long()

    def _too_long(self):
        """The texts that have nothing wrong with them but too many words."""
        found = {name: {error.code for error in errors} for name, errors in self.errors.as_data().items()}
        names = [name for name, codes in found.items() if codes == {rules.AtMostWords.code}]
        return {name: self.fields[name].to_python(self[name].data) for name in names}

    @property
    def mistakes(self):
        """Names of the answers that cannot be saved as they are."""
        return set(self.errors) - set(self._too_long())

    def saved_meanwhile(self):
        """(label, words) of answers that another page or device has saved since this one was made, where what was typed
        here differs. Saving it now would undo the other without a word; a mistake is not saved, and undoes nothing."""
        facts = self.saved()
        if self.data.get("as_read", "") in ("", mark(facts)):
            return []
        mistakes = self.mistakes
        self.initial, saved = facts, type(self)(application=self.application)
        return [(saved[name].label, saved.in_words(saved[name])) for name in self.changed_data if name not in mistakes]

    @classmethod
    def words_for(cls, name, given=None):
        """What to do about one missing answer, one that is too long, or about a page that was never saved."""
        if name in rules.MOST_WORDS and given:
            try:
                cls.base_fields[name].run_validators(given)
            except forms.ValidationError as error:
                return named(cls.base_fields[name].label, error.messages[0])
        return cls.missing_words.get(name) or gettext("Look at the page “%(title)s” and save it.") % {
            "title": cls.title
        }

    @property
    def too_long(self):
        """Names of the texts to be shortened, of what is saved."""
        return rules.too_long(self.initial)

    def typed(self):
        return typed(self)

    def said_back(self):
        """What we have understood of the answers just saved, where that is more than what was typed; else ""."""
        return ""

    def summary(self):
        """(field, words) for each answer as the last page shows it; "" where one is missing. What was not answered
        and need not be is left out."""
        needed = rules.needed(self.section, self.initial)
        told = [(field, self.in_words(field)) for field in self]
        return [(field, words) for field, words in told if words or field.name in needed]

    def in_words(self, field):
        value = field.initial
        if isinstance(value, bool):
            return gettext("Yes") if value else pgettext("answer to a question", "No")
        if isinstance(value, list):
            return ", ".join(str(one) for one in value)
        if isinstance(value, date):
            return dates.day_in_words(value)
        choices = dict(field.field.choices) if isinstance(field.field, forms.ChoiceField) else {}
        return choices.get(value, value) or ""
