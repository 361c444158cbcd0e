"""Every language is complete: the catalogues against the sources, and each against the habits of its script.

Who needs which word is said in words.py. A list of what is missing says where each sentence stands.
"""

import ast
import re

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import to_locale

from presessions.mail import languages
from tests.house import words
from tests.house.words import NO_PROSE, PLACEHOLDER, ROOT, TAG, TRANSLATED, needed, pairs, prose

in_each_language = pytest.mark.parametrize("language", TRANSLATED)

NOT_WORDS = {"override", "get_language", "activate", "to_locale", "get_language_bidi", "check_for_language"}
PLURALS = {
    "fr": "nplurals=2; plural=(n > 1);",
    "es": "nplurals=2; plural=(n != 1);",
    "ar": "nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 "
    ": n%100>=11 && n%100<=99 ? 4 : 5;",
    "ru": "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);",
    "zh-hans": "nplurals=1; plural=0;",
}

# Words that a language shares with English: a name that is not translated, or the same word by descent.
NAMES = {"UPR Info"}
SAME = {
    "fr": {
        *("Date", "Document", "Institution", "Message-ID", "Note", "Pages", "Programme", "Session %(number)s"),
        *("code", "contact", "contacts", "cycle", "institution", "invitation", "invitations", "note", "organisation"),
        *("organisations", "phase", "position", "session", "source", "type", "version"),
        *("version %(number)s", "version %(version)s", "Invitations, %(series)s", "contact %(reference)s"),
        *("installation", "verdict", ("%(n)s contact", "%(n)s contacts"), ("%(n)s minute", "%(n)s minutes")),
    },
    "es": {"General", "Error:", "No"},
}

SCRIPTS = {"ar": "\u0600-\u06ff", "ru": "\u0400-\u04ff", "zh-hans": "\u4e00-\u9fff"}
LETTERS = {"fr": "A-Za-zÀ-ÿŒœº", "es": "A-Za-zÁÉÍÓÚÜÑáéíóúüñ"}
# What stays in Latin letters in every script: names, formats, keys of a keyboard, what is typed into an example.
LATIN = re.compile(
    r"\.(?:pdf|docx?|odt|rtf|zip)\b|\bK7QF2-9MXA4\b|\b(?:UPR|Info|PDF|DOCX?|ODT|DOCM|ZIP|CSV|JSON|SHA|MB|GANHRI|ECOSOC|"
    r"Word|Office|LibreOffice|OpenDocument|Microsoft|Apple|Pages|Google|Docs|Adobe|Acrobat|Ctrl|Shift|Tor|Browser|"
    r"XFA|JavaScript|iPhone|Android|Mac|Windows|cookie)\b"
)

# How a language is set. Each pattern finds what is wrong.
QUOTES = r"[“”„]"
WRONG = {
    # a no-break space before : ; ? ! and inside « », and the apostrophe of print
    "fr": r"\w'\w|[^\u00a0][;?!»]|[^\u00a0\w]:|\w:(?!//|%|\w)|«[^\u00a0]|" + QUOTES + r"|\u202f|\b(tu|ton|ta|tes)\b",
    # questions open as they close; no space before a sign
    "es": r"\w'\w|^[^¿]*\?|^[^¡]*!|\s[:;?!,]|«\s|\s»|" + QUOTES + r"|\b([Tt]ú|tus)\b",
    # the comma, semicolon and question mark of the script; digits as on our pages; no space before a sign
    "ar": r"[\u0600-\u06ff]\s?[,;?]|[\u0660-\u0669]|\s[،؛؟:.](\s|$)|" + QUOTES,
    # a dash between spaces; no space before a sign
    "ru": r"\w'\w|\s[:;?!,.](\s|$)|[а-яА-Я]--|«\s|\s»|" + QUOTES + r"|\b(ты|тебя|твой|твоя)\b",
    # full-width signs, no spaces between words
    "zh-hans": r"[\u4e00-\u9fff][,;:?!.]|[,;:?!][\u4e00-\u9fff]|[\u4e00-\u9fff] [\u4e00-\u9fff]|[«»]|你",
}


def where(message):
    return f"{message.locations[0][0]}: {message.id}"


def listed(wrong):
    """Fail on each of them, one a line: translators work from this list."""
    lines = sorted(map(str, wrong))
    assert not lines, "\n".join([f"{len(lines)} to mend:", *lines])


# --- Against the sources ----------------------------------------------------------------------------------------------


def test_every_language_of_pages_and_letters_has_a_catalogue():
    tags = {*dict(settings.LANGUAGES), *map(languages.tag, dict(settings.MAIL_LANGUAGES))}
    spoken = {to_locale(tag) for tag in tags - {settings.LANGUAGE_CODE}}
    assert spoken == {path.name for path in (ROOT / "locale").iterdir() if path.is_dir()}


def test_translation_functions_go_by_names_that_are_collected():
    """An `import gettext as say` would hide its words from every translator."""
    strange, known = [], words.KEYWORDS
    for path, text in words.sources():
        for node in ast.walk(ast.parse(text)) if path.suffix == ".py" else ():
            if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
                for name in node.names:
                    known_as = name.asname or name.name
                    plain = known.get(name.name, "") is None and known.get(known_as, "") is None
                    if name.name not in NOT_WORDS and not plain and (known_as != name.name or known_as not in known):
                        strange.append((path.relative_to(ROOT), known_as))
    assert strange == []


@in_each_language
def test_a_catalogue_holds_what_the_sources_mark_and_nothing_else(language):
    there = {words.key(message) for message in words.messages(language)}
    assert len(there) > 1000
    listed(f"`make messages` collects {word}" for word in words.marked() - there)
    listed(f"`make messages` removes {word}" for word in there - words.marked())


def test_what_only_staff_read_is_no_more_than_what_is_theirs():
    """The rule that decides what is said in six languages, on a few words that everybody knows."""
    public = {words.key(message)[1] for message in words.messages("fr") if words.is_public(message)}
    assert public >= {"Pre-sessions", "%(day)s, %(time)s Geneva time", "National or local", "Undecided", "Your link"}
    assert not public & {"Staff desk", "moved by staff", "Can assess applications", "alarm for staff"}


# --- Each catalogue ---------------------------------------------------------------------------------------------------


@in_each_language
def test_everything_that_the_language_needs_is_translated(language):
    left = [where(message) for message in needed(language) if not all(form for _, form in pairs(message))]
    listed(left)


@in_each_language
def test_nothing_is_uncertain_and_nothing_is_kept_that_is_no_longer_said(language):
    listed(where(message) for message in words.messages(language) if message.fuzzy)
    assert list(words.catalogue(language).obsolete) == []


@in_each_language
def test_no_translation_says_what_english_says_but_for_these(language):
    same = {message.id for message in words.messages(language) if any(form in said for said, form in pairs(message))}
    assert same == SAME.get(language, set()) | {name for name in NAMES if (None, name, None) in words.marked()}


def parts(text):
    """What a translation has to keep: placeholders, tags, and the white space at both ends."""
    return sorted(PLACEHOLDER.findall(text)), sorted(TAG.findall(text)), re.findall(r"^\s*|\s*$", text)


def said_in(language):
    """(what English may say, what is said), for each form that is said at all."""
    return [(said, form) for message in words.messages(language) for said, form in pairs(message) if form]


@in_each_language
def test_placeholders_tags_and_ends_are_kept(language):
    said = said_in(language)
    listed(form for english, form in said if parts(form) not in [parts(text) for text in english])


@in_each_language
def test_every_plural_has_all_the_forms_of_the_language(language):
    head = words.catalogue(language)
    assert dict(head.mime_headers)["Plural-Forms"] == PLURALS[language]
    plurals = [message for message in words.messages(language) if message.pluralizable]
    assert {len(message.string) for message in plurals} == {head.num_plurals}
    listed(where(message) for message in plurals if any(message.string) and not all(message.string))


@in_each_language
def test_a_translation_is_written_in_the_script_of_its_language(language):
    strange = []
    for _english, form in said_in(language):
        text = LATIN.sub("", prose(form))
        if language in LETTERS:
            foreign = re.search(rf"[^\W\d_{LETTERS[language]}]", text)
        else:
            foreign = re.search(rf"[A-Za-z]{{2,}}|[^\W\d_{SCRIPTS[language]}A-Za-z]", text)
            foreign = foreign or (re.search(r"\w{2}", text) and not re.search(f"[{SCRIPTS[language]}]", text))
        if foreign:
            strange.append(form)
    listed(strange)


@in_each_language
def test_a_translation_is_set_as_its_language_is_printed(language):
    wrong = re.compile(WRONG[language])
    forms = [(form, NO_PROSE.sub("", TAG.sub("", form))) for _english, form in said_in(language)]
    listed(form for form, text in forms if wrong.search(text))


@in_each_language
def test_the_file_is_tidy(language):
    path, catalogue = words.path_of(language), words.catalogue(language)
    with path.open("rb") as file:
        read_po(file, abort_invalid=True)
    assert dict(catalogue.mime_headers)["Content-Type"].lower() == "text/plain; charset=utf-8"
    assert not catalogue.fuzzy, "Babel would not compile it"
    text = path.read_text()
    assert "@" not in text.partition("\n\n")[0], "nobody's address stands in the head"
    assert text.count("\nmsgid ") == len(words.messages(language)) + 1, "an entry stands there twice"
    places = {place for message in words.messages(language) for place in message.locations}
    assert [path for path, _line in places if not (ROOT / path).is_file()] == []
    assert {line for _path, line in places} == {None}, "line numbers change with every edit"
