"""French is complete: the proof that everything here can be translated.

The catalogue against the sources, read without GNU gettext, which only `make messages` needs; then the pages and the
letters themselves, in which no English is left.
"""

import ast
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.shortcuts import render
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.functional import lazy
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

from applications.models import Application
from applications.rules import SECTIONS
from presessions.mail import languages, outbox, registry
from presessions.mail.models import Mailing
from presessions.mail.registry import Recipient
from presessions.upr.dates import in_words
from tests.house import test_lists as house
from tests.house.world import CALL_OPENS, MONDAY, TOKEN

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "locale" / "fr" / "LC_MESSAGES" / "django.po"
ROOMS = ("presessions", "applications", "missions", "templates")

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
NOT_WORDS = {"override", "get_language", "activate", "to_locale", "get_language_bidi", "check_for_language"}

SAME_IN_FRENCH = {
    *("Date", "Document", "Institution", "Message-ID", "Note", "Pages", "UPR Info"),
    *("code", "contact", "contacts", "cycle", "institution", "invitation", "invitations", "note", "organisation"),
    *("organisations", "phase", "position", "session", "source", "type", "version"),
    *("version %(number)s", "version %(version)s", "Invitations, %(series)s", "contact %(reference)s"),
    *("installation", "verdict", ("%(n)s contact", "%(n)s contacts")),
}

# Words that French does not have, and few English sentences do without.
ENGLISH = re.compile(r"\b(the|of|and|or|is|are|was|be|been|to|this|that|with|for|you|your|not|have|has|by)\b", re.I)
HOLDS_OTHER_LANGUAGES = {
    "applications.Theme list": "names in all languages, side by side",
    "upr.State page": "names in all languages, side by side",
    "auth.Group page": "Django keeps the names of rights in the database, in English",
    "accounts.User page": "Django keeps the names of rights in the database, in English",
}
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z]")
NO_PROSE = re.compile(r"\S*(?:://|@|\.(?:com|net|org)\b)\S*")  # addresses


# --- The sources and the catalogue ----------------------------------------------------------------------------------


def sources():
    """Every file of ours that may hold words for people: (path, what is in it for a Python extractor)."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.*")):
            if path.suffix == ".py" and "migrations" not in path.parts:
                yield path, path.read_text()
            elif path.suffix in (".html", ".txt") and "templates" in path.parts:
                yield path, f"({templatize(path.read_text(), origin=str(path))}\n)"  # in brackets, indents say nothing


def marked():
    """(context or None, singular, plural or None) of everything marked for translation."""
    found = set()
    for _path, text in sources():
        for _line, words, _comments, context in extract("python", BytesIO(text.encode()), keywords=KEYWORDS):
            singular, plural = words if isinstance(words, tuple) else (words, None)
            found.add((context, singular, plural))
    return found


def of_catalogue(message):
    singular, plural = message.id if message.pluralizable else (message.id, None)
    return message.context, singular, plural


@pytest.fixture(scope="module")
def catalogue():
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="fr", abort_invalid=True)


@pytest.fixture(scope="module")
def messages(catalogue):
    return [message for message in catalogue if message.id]


def pairs(message):
    """(what English may say, what French says) for each form of a message."""
    english = message.id if message.pluralizable else (message.id,)
    french = message.string if message.pluralizable else (message.string,)
    return [(english, form) for form in french]


def test_every_language_of_pages_and_letters_has_a_catalogue():
    tags = {*dict(settings.LANGUAGES), *map(languages.tag, dict(settings.MAIL_LANGUAGES))}
    spoken = {to_locale(tag) for tag in tags - {settings.LANGUAGE_CODE}}
    assert spoken == {path.name for path in (ROOT / "locale").iterdir() if path.is_dir()}


def test_translation_functions_go_by_names_that_are_collected():
    """An `import gettext as say` would hide its words from every translator."""
    strange = []
    for path, text in sources():
        for node in ast.walk(ast.parse(text)) if path.suffix == ".py" else ():
            if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
                for name in node.names:
                    known_as = name.asname or name.name
                    plain = KEYWORDS.get(name.name, "") is None and KEYWORDS.get(known_as, "") is None
                    if name.name not in NOT_WORDS and not plain and (known_as != name.name or known_as not in KEYWORDS):
                        strange.append((path.relative_to(ROOT), known_as))
    assert strange == []


def test_the_catalogue_holds_what_the_sources_mark_and_nothing_else(messages):
    there = {of_catalogue(message) for message in messages}
    assert len(there) > 1000
    assert marked() - there == set(), "run `make messages`, then translate"
    assert there - marked() == set(), "run `make messages`"


def test_everything_is_translated(catalogue, messages):
    assert [message.id for message in messages if not all(form for _, form in pairs(message))] == []
    assert [message.id for message in messages if message.fuzzy] == []
    assert list(catalogue.obsolete) == []


def test_french_says_something_else_than_english_but_for_these(messages):
    same = {message.id for message in messages if any(form in english for english, form in pairs(message))}
    assert same == SAME_IN_FRENCH


def parts(text):
    """What a translation has to keep: placeholders, tags, and the white space at both ends."""
    return sorted(PLACEHOLDER.findall(text)), re.findall(r"<[^>]+>", text), re.findall(r"^\s*|\s*$", text)


def test_placeholders_tags_and_ends_are_kept(messages):
    broken = [
        form for message in messages for english, form in pairs(message) if parts(form) not in map(parts, english)
    ]
    assert broken == []


def test_french_is_set_as_french_is(messages):
    """A no-break space before : ; ? ! and inside « », and the apostrophe of print."""
    wrong = re.compile(r"\w'\w|[^\u00a0][;?!»]|[^\u00a0\w]:|\w:(?!//|%|\w)|«[^\u00a0]|[“”]|\u202f")
    links = re.compile(r"<[^>]+>|https?://\S+")
    forms = [links.sub("", form) for message in messages for _, form in pairs(message)]
    assert [form for form in forms if wrong.search(form)] == []


def test_the_file_is_tidy(catalogue, messages):
    head = dict(catalogue.mime_headers)
    assert head["Plural-Forms"] == "nplurals=2; plural=(n > 1);"
    assert head["Content-Type"] == "text/plain; charset=utf-8"
    assert not catalogue.fuzzy, "Babel would not compile it"
    text = CATALOGUE.read_text()
    assert "@" not in text.partition("\n\n")[0], "nobody's address stands in the head"
    assert text.count("\nmsgid ") == len(messages) + 1, "an entry stands there twice"
    places = {place for message in messages for place in message.locations}
    assert [path for path, _line in places if not (ROOT / path).is_file()] == []
    assert {line for _path, line in places} == {None}, "line numbers change with every edit"


# --- What people read -------------------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """What a page says to those who see it and those who hear it, in its own language."""

    SAID = ("alt", "aria-label", "content", "data-label", "placeholder", "title")
    SILENT = ("script", "style", "pre", "code")
    VOID = ("area", "br", "circle", "col", "hr", "img", "input", "link", "meta", "path", "source", "wbr")

    def __init__(self, page):
        super().__init__()
        self.texts, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        typed = tag == "textarea" or attributes.get("dir") == "auto"  # somebody's own words
        foreign = typed or tag in self.SILENT or (attributes.get("lang") or "fr") != "fr"
        if tag not in self.VOID:
            self.open.append((tag, foreign))
        if attributes.get("name") not in ("viewport", "theme-color", "color-scheme", "robots"):
            self.texts += [attributes[name] for name in self.SAID if attributes.get(name) and not foreign]
        if tag == "input" and attributes.get("type") in ("submit", "button"):
            self.texts.append(attributes.get("value") or "")

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if data.strip() and not any(foreign for _tag, foreign in self.open):
            self.texts.append(data)


@pytest.fixture(scope="module")
def english_left(messages):
    """The English in some texts: our sentences of more than 3 words, and words that French does not have."""
    sentences = [text for message in messages for english, _ in pairs(message) for text in english]
    sentences = {" ".join(piece.split()) for text in sentences for piece in re.split(r"<[^>]+>", text)}
    in_pieces = {text: [piece for piece in PLACEHOLDER.split(text) if piece] for text in sentences}
    in_pieces = {text: pieces for text, pieces in in_pieces.items() if len(" ".join(pieces).split()) > 3}

    def left(texts):
        texts = [" ".join(NO_PROSE.sub("", text).split()) for text in texts]
        whole = "\n".join(texts)
        found = [text for text, pieces in in_pieces.items() if all(piece in whole for piece in pieces)]
        found = [text for text in found if re.search(".+?".join(map(re.escape, in_pieces[text])), whole)]
        return found + [text for text in texts if ENGLISH.search(text)]

    assert left(["In at most 30 words. Vu par UPR Info seulement."]) == ["In at most %d words."]
    return left


@pytest.fixture
def browser_of(world):
    """A French-speaking browser: of staff, or of somebody whose application has that status. It is Monday noon."""
    world.clock.move_to(MONDAY + timedelta(hours=2))

    def browser(who):
        if who == "staff":
            browser = world.staff()
        else:
            browser, there = Client(), Application.objects.filter(status=who).values_list("reference", flat=True)
            letters = [mail for mail in world.mails if registry.KINDS[mail.kind].link == "application"]
            browser.post(next(mail.path for mail in letters if mail.letter.recipient_id in there))
        browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"
        return browser

    with translation.override("fr"):
        yield browser


def read(response):
    page = response.content.decode()
    assert not page or '<html lang="fr"' in page
    return Reader(page).texts


def english_on(pages, english_left):
    return {name: left for name, page in pages.items() if (left := english_left(read(page)))}


def test_the_pages_of_applicants_contacts_and_missions_speak_french(world, browser_of, english_left):
    public = {**house.pages_without_arguments(), **house.pages_with_arguments(world)}
    public = {path for name, path in public.items() if name.startswith("applications:")}
    sections = [reverse("applications:section", args=[section]) for section in SECTIONS]
    links = [link for kind in registry.KINDS for link in world.newest(kind).links if TOKEN.search(link)]
    links = [link.replace("/en/", "/fr/") for link in links if not link.endswith(".ics")]
    sent, draft = browser_of("submitted"), browser_of("draft")
    seen = {path: sent.get(path) for path in [*public, *sections, *links, "/fr/nowhere/", "/fr/application/stale/"]}
    own = [reverse(f"applications:{page}") for page in ("tasks", "check")]
    seen |= {f"of a draft {path}": draft.get(path) for path in own}
    seen |= {f"nothing sent to {path}": draft.post(path, {}) for path in [*public, *sections, *links]}
    early = [reverse("applications:home"), reverse("applications:start", args=[54, "KE"])]
    world.clock.move_to(CALL_OPENS - timedelta(days=1))
    seen |= {f"too early for {path}": Client().get(path) for path in early}
    assert english_on(seen, english_left) == {}


def test_the_pages_of_what_went_wrong_speak_french(english_left):
    with translation.override("fr"):
        pages = {name: render(None, f"{name}.html") for name in ("400", "403", "403_csrf", "404", "410", "500")}
    assert english_on(pages, english_left) == {}


def test_the_desk_of_staff_speaks_french(world, browser_of, english_left):
    house.grow(world, range(1))
    staff, desk = browser_of("staff"), {"index": reverse("admin:index"), **house.lists(), **house.pages_of_rows(world)}
    desk |= {name: path for name, path in house.pages_with_arguments(world).items() if name.startswith("admin:")}
    seen = {name: staff.get(path) for name, path in desk.items() if name not in HOLDS_OTHER_LANGUAGES}
    assert english_on(seen, english_left) == {}


@pytest.mark.parametrize("kind", sorted(registry.KINDS))
def test_every_letter_is_written_in_french(world, english_left, kind):
    letter, how = world.newest(kind).letter, registry.KINDS[kind]
    recipient = how.rewrite(letter) if how.rewrite else Recipient("visitor", "1", "x@example.org", context=told(kind))
    text = outbox.preview(kind, replace(recipient, language="fr"), mailing=letter.mailing)
    assert english_left([text.subject, *text.body.split("\n")]) == []


def told(kind):
    """What a letter says that is written for one occasion and never again: to staff, and by Django itself."""
    mailing = Mailing.objects.with_series().exclude(due_at=None).first()
    return {
        "django": {"subject": "Réinitialisation", "body": "Le texte vient de Django."},
        "mailing_test": {"subject": "Invitation", "text": "Le texte vient de l’envoi."},
        "alarm": {list_: [{"words": "Redis se tait.", "title": "Redis"}] for list_ in ("opened", "still", "over")}
        | {"desk": "https://example.org/admin/"},
        "mailing_notice": {
            **{"series": mailing.series, "mailing": mailing, "places": [], "count": 2, "is_tomorrow": True},
            **{"hour": "09:00", "at": lazy(in_words, str)(mailing.due_at), "is_frozen": True, "needs_two": True},
            "page": "https://example.org/admin/mail/mailing/1/change/",
        },
    }.get(kind, {})
