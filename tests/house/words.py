"""Every word of ours that people read: where it stands, who reads it, and what each catalogue makes of it.

What applicants, contacts and missions may read is said in six languages, what only staff read in two. The rule: a word
is staff's if it stands in no file but those of OF_STAFF; in a file of models also if it is what a field or a model is
called, for the forms of the public have labels of their own. Everything else is public, and so is what stands in the
file with everything that we hold of an application: names of its fields, kinds of its mails and what became of them.
`test_catalogues.py` looks at the catalogues, `test_languages.py` at pages and letters. Without GNU gettext, which only
`make messages` needs.
"""

import re
from fnmatch import fnmatchcase
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.apps import apps
from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

from applications import everything
from presessions.mail import registry
from presessions.mail.models import Letter

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("presessions", "applications", "missions", "templates")
OURS = ("accounts", "trail", "retention", "upr", "mail", "applications", "missions")

KINDS_OF_STAFF = ("alarm", "django", "mailing_notice", "mailing_test")
OF_STAFF = (
    *("*/admin/*", "*/admin_*.py", "*/admin.py", "*/apps.py", "*/management/*"),
    *("presessions/accounts/*", "presessions/mail/*", "presessions/trail/*", "presessions/upr/dialogue.py"),
    *("presessions/retention/*", "*/retention.py"),
    *("presessions/styleguide.py", "templates/styleguide*"),
    *(f"templates/mail/{kind}/*" for kind in KINDS_OF_STAFF),
    *("*/desk*.py", "*/exporting.py", "*/exports.py", "*/figures.py", "*/listing.py", "presessions/imports.py"),
    *("missions/events.py", "presessions/roles.py", "presessions/upr/events.py", "presessions/upr/rules.py"),
    "*/templatetags/applications_figures.py",
    *(
        f"applications/{name}.py"
        for name in (
            "assessments",
            "at_risk",
            "contact_import",
            "decisions",
            "entering",
            "importing",
            "mailings*",
            "new_meetings",
        )
    ),
    *(f"applications/{name}.py" for name in ("late", "organisations", "reversal", "work")),
    "applications/mailings/*",
    *(f"applications/{name}.py" for name in ("agenda", "agenda_pdf", "balance", "panel", "paper")),
    *(f"applications/{name}.py" for name in ("afterwards", "fates", "recommendation_import")),
    "applications/visa_letter.py",  # an embassy reads it, in English or French
    *(
        f"missions/{name}.py"
        for name in ("closing", "confirming", "mailings", "meetings", "notices", "other_means", "overview")
    ),
    *(f"missions/{name}.py" for name in ("door", "door_list", "door_pdf")),
    "missions/templatetags/door.py",
    *(f"missions/{name}.py" for name in ("charts", "published", "report", "report_files")),
    "applications/small_numbers.py",
    *(
        f"missions/{name}.py"
        for name in ("checking", "pages", "programme", "register_import", "remedies", "setting_up*", "work")
    ),
)
OF_MODELS = ("*/models.py", "*/models/*.py")

TRANSLATED = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
OF_DESK = [code for code, _name in settings.STAFF_LANGUAGES]

PLURAL, CONTEXT = (1, 2), ((1, "c"), 2)
KEYWORDS = {  # what `make messages` collects; each exists with _lazy too
    "_": None,
    "gettext": None,
    "gettext_noop": None,
    "ngettext": PLURAL,
    "pgettext": CONTEXT,
    "npgettext": ((1, "c"), 2, 3),
}
KEYWORDS |= {f"{name}_lazy": arguments for name, arguments in KEYWORDS.items() if name not in ("_", "gettext_noop")}

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z]|\{\{? ?\w* ?\}?\}")
TAG = re.compile(r"<[^>]+>")
NO_PROSE = re.compile(r"\S*(?:://|@|\.(?:com|net|org)\b)\S*")  # addresses


# --- The sources ----------------------------------------------------------------------------------------------------


def sources():
    """Every file of ours that may hold words for people: (path, what is in it for a Python extractor)."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.*")):
            if path.suffix == ".py" and "migrations" not in path.parts:
                yield path, path.read_text()
            elif path.suffix in (".html", ".txt") and "templates" in path.parts:
                yield path, f"({templatize(path.read_text(), origin=str(path))}\n)"  # in brackets, indents say nothing


@cache
def marked():
    """(context or None, singular, plural or None) of everything marked for translation."""
    found = set()
    for _path, text in sources():
        for _line, words, _comments, context in extract("python", BytesIO(text.encode()), keywords=KEYWORDS):
            singular, plural = words if isinstance(words, tuple) else (words, None)
            found.add((context, singular, plural))
    return found


# --- The catalogues -------------------------------------------------------------------------------------------------


def path_of(language):
    return ROOT / "locale" / to_locale(language) / "LC_MESSAGES" / "django.po"


@cache
def catalogue(language):
    with path_of(language).open("rb") as file:
        return read_po(file, locale=to_locale(language), abort_invalid=True)


def messages(language):
    return [message for message in catalogue(language) if message.id]


def key(message):
    """(context or None, singular, plural or None)"""
    singular, plural = message.id if message.pluralizable else (message.id, None)
    return message.context, singular, plural


def pairs(message):
    """(what English may say, what the translation says) for each form of a message."""
    english = message.id if message.pluralizable else (message.id,)
    said = message.string if message.pluralizable else (message.string,)
    return [(english, form) for form in said]


def prose(text):
    """A sentence without placeholders, tags and addresses."""
    return NO_PROSE.sub("", TAG.sub("", PLACEHOLDER.sub("", text)))


# --- Who reads what ---------------------------------------------------------------------------------------------------


def is_public(message):
    places = [path for path, _line in message.locations]
    return key(message)[1] in _in_the_download() or any(_is_public_in(place, message) for place in places)


def needed(language):
    """What has to be said in a language: everything in those of the desk, what is public in the others."""
    return [message for message in messages(language) if language in OF_DESK or is_public(message)]


def _is_public_in(place, message):
    if any(fnmatchcase(place, pattern) for pattern in OF_STAFF):
        return False
    if any(fnmatchcase(place, pattern) for pattern in OF_MODELS):
        return key(message)[1] in _labels() or key(message)[1] not in _names()
    return True


def _models():
    return [model for model in apps.get_models() if model._meta.app_label in OURS]


def _fields():
    return [field for model in _models() for field in model._meta.get_fields() if hasattr(field, "verbose_name")]


@cache
def _labels():
    """What the choices of our models' fields are called, as the sources say it."""
    with translation.override(settings.LANGUAGE_CODE):
        return {
            str(label) for field in _fields() for _value, label in field.choices or () if isinstance(label, Promise)
        }


@cache
def _in_the_download():
    """What the file with everything says of an application's rows and mails."""
    models = [everything.Application, *(model for _part, _title, model in everything.PARTS)]
    said = [field.verbose_name for model in models for field in model._meta.concrete_fields]
    said += [*Letter.State.labels, *(how.label for name, how in registry.KINDS.items() if name not in KINDS_OF_STAFF)]
    with translation.override(settings.LANGUAGE_CODE):
        return {str(words) for words in said}


@cache
def _names():
    """What our models, their fields and the rules of their tables are called, and what is said beside a field."""
    names = [name for field in _fields() for name in (field.verbose_name, field.help_text)]
    names += [name for model in _models() for name in (model._meta.verbose_name, model._meta.verbose_name_plural)]
    names += [name for model in _models() for _code, name in model._meta.permissions]
    names += [rule.violation_error_message for model in _models() for rule in model._meta.constraints]
    with translation.override(settings.LANGUAGE_CODE):
        return {str(name) for name in names}
