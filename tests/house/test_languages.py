"""Every page and every letter in every language, with no English left in it; the desk of staff in French.

The catalogues themselves are looked at in test_catalogues.py; here are words that were never marked for translation,
put together from pieces, or come from somewhere else. Pages are found in the table of addresses and in the mails, so
that none can be forgotten. What people typed is theirs: it stands in a `textarea` or in an element with dir="auto".
"""

import re
import zipfile
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from io import BytesIO

import pytest
from django.conf import settings
from django.shortcuts import render
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.functional import lazy

from applications.models import Application, Attachment
from applications.rules import SECTIONS
from presessions.accounts.models import User
from presessions.mail import languages, letters, outbox, registry
from presessions.mail.models import Mailing
from presessions.mail.registry import Recipient
from presessions.templatetags.pages import declared
from presessions.upr.dates import in_words
from presessions.upr.models import CountryMeeting
from tests.house import test_lists as house
from tests.house import words
from tests.house.test_catalogues import LATIN, SCRIPTS, in_each_language, listed
from tests.house.words import NO_PROSE, PLACEHOLDER, TRANSLATED
from tests.house.world import CALL_OPENS, MONDAY, TOKEN

# Words that neither French nor Spanish has, and few English sentences do without.
ENGLISH = re.compile(r"\b(the|of|and|or|is|are|was|been|to|this|that|with|for|you|your|not|have|by|from|on)\b", re.I)
MEANS_SOMETHING_ELSE = {"fr": {"or", "on"}, "es": set()}
# What the world's people typed into rows that pages show as they are; canaries, references, fingerprints, lost links.
# Codes of States are no words in any language, TO, IS and BY included.
TYPED = re.compile(
    r"\b(testserver|Palais|Room XXI|Holy See|Justice|qz[a-z]{14}|[A-Z0-9]{5}-[A-Z0-9]{5}|[0-9a-f]{64})\b|"
    r"\[struck out\]/|^[A-Z]{2}$"
)

NOTHING = {"delegate-TOTAL_FORMS": 0, "delegate-INITIAL_FORMS": 0}  # what a browser sends of an empty form
HOLDS_OTHER_LANGUAGES = {
    "applications.Theme list": "names in all languages, side by side",
    "upr.State page": "names in all languages, side by side",
}


class Reader(HTMLParser):
    """What a page says to those who see it and those who hear it, in its own language."""

    SAID = ("alt", "aria-label", "content", "data-label", "placeholder", "title")
    SILENT = ("script", "style", "pre", "code")
    VOID = ("area", "br", "circle", "col", "hr", "img", "input", "link", "meta", "path", "source", "wbr")

    def __init__(self, page, language):
        super().__init__()
        for _code, name in settings.LANGUAGES:  # a choice says it in itself
            page = page.replace(f">{name}</option>", "></option>")
        self.language, self.texts, self.open = declared(language), [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        typed = tag == "textarea" or attributes.get("dir") == "auto"  # somebody's own words
        foreign = typed or tag in self.SILENT or (attributes.get("lang") or self.language) != self.language
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


def own_sentences():
    """Our English of more than three words, each in the pieces between what is filled in."""
    texts = [
        text for message in words.messages(TRANSLATED[0]) for english, _ in words.pairs(message) for text in english
    ]
    texts = {" ".join(piece.split()) for text in texts for piece in words.TAG.split(text)}
    pieces = ([piece for piece in PLACEHOLDER.split(text) if piece] for text in texts)
    return [piece for piece in pieces if len(" ".join(piece).split()) > 3]


@pytest.fixture(scope="module")
def english_left():
    """The English in some texts. Another script shows it by its letters; French and Spanish by our own sentences, and
    by words that they do not have."""
    sentences = own_sentences()

    def left(texts, language):
        texts = [" ".join(NO_PROSE.sub("", TYPED.sub("", text)).split()) for text in texts]
        if language in SCRIPTS:
            return [text for text in texts if re.search(r"[A-Za-z]{2,}", LATIN.sub("", text))]
        whole = "\n".join(texts)
        found = [pieces for pieces in sentences if all(piece in whole for piece in pieces)]
        found = ["…".join(pieces) for pieces in found if re.search(".+?".join(map(re.escape, pieces)), whole)]
        other = MEANS_SOMETHING_ELSE[language]
        return found + [text for text in texts if {word.lower() for word in ENGLISH.findall(text)} - other]

    assert left(["In at most 30 words. Vu par UPR Info seulement."], "fr") == ["In at most … words."]
    assert left(["Écrivez-nous.", "Write to us of it."], "fr") == ["Write to us of it."]
    assert left(["TO", "BY"], "fr") == []
    assert left(["Пишите нам: a@example.org", "Отправить Send"], "ru") == ["Отправить Send"]
    return left


@pytest.fixture
def browser_of(world):
    """A browser: of staff, or of somebody whose application has that status. It is Monday noon."""
    world.clock.move_to(MONDAY + timedelta(hours=2))

    def browser(who, language):
        if who == "staff":
            User.objects.filter(pk=world.ada.pk).update(language=language)
            browser = world.staff()
        else:
            browser, there = Client(), Application.objects.filter(status=who).values_list("reference", flat=True)
            found = [mail for mail in world.mails if registry.KINDS[mail.kind].link == "application"]
            browser.post(next(mail.path for mail in found if mail.letter.recipient_id in there))
        browser.defaults["HTTP_ACCEPT_LANGUAGE"] = language
        return browser

    return browser


def read(response, language):
    content = response.getvalue()
    if response["Content-Type"].startswith("text/plain"):
        return content.decode().splitlines()
    if response["Content-Type"] == "application/zip":  # everything that we hold, with a page to read
        with zipfile.ZipFile(BytesIO(content)) as archive:
            content = next(archive.read(name) for name in archive.namelist() if name.endswith(".html"))
    elif not response["Content-Type"].startswith("text/html"):
        return []
    page = content.decode()
    assert not page or f'<html lang="{declared(language)}"' in page
    return Reader(page, language).texts


def no_english_on(pages, language, english_left):
    """pages -- {name: response}"""
    pages_of = {}
    for name, page in pages.items():
        for text in english_left(read(page, language), language):
            pages_of.setdefault(text, []).append(name)
    listed(f"{text} ({names[0]} and {len({*names}) - 1} more)" for text, names in pages_of.items())


def of_interest(path, status):
    """Whether a page may differ for an application of this status. Every page is looked at by somebody without one."""
    own = "/application/" in path
    return own if status in ("draft", "submitted", "confirmed") else own and path.endswith(("/status/", "/seat/"))


def kinds(world):
    """Kinds of letters that somebody got; that there is none of which nobody got any is for test_r1 to say."""
    return sorted({mail.kind for mail in world.mails})


def public_pages(world):
    """Every address that the world outside has, in the active language: those of the table, and those in the mails."""
    named = {**house.pages_without_arguments(), **house.pages_with_arguments(world)}
    pages = {path for name, path in named.items() if name.split(":")[0] in ("applications", "missions")}
    pages |= {reverse("applications:section", args=[section]) for section in SECTIONS}
    links = {link for kind in kinds(world) for link in world.newest(kind).links if TOKEN.search(link)}
    prefix = f"/{translation.get_language()[:2]}/"
    return sorted({re.sub(r"^(http://testserver)?/\w\w/", prefix, page) for page in pages | links})


# --- Pages ------------------------------------------------------------------------------------------------------------


@in_each_language
def test_the_pages_of_applicants_contacts_and_missions_hold_no_english(world, browser_of, english_left, language):
    with translation.override(language):
        pages, early = (
            public_pages(world),
            [reverse("applications:home"), reverse("applications:start", args=[54, "KE"])],
        )
        nowhere = [f"/{language[:2]}/nowhere/", reverse("applications:open", args=["stale"])]
        asks_for_the_link = reverse("applications:tasks")
    shown = [path for path in pages if not path.endswith(".ics")]
    seen = {}
    for status in Application.objects.order_by("status").values_list("status", flat=True).distinct():
        browser = browser_of(status, language)
        seen |= {f"{status}, {path}": browser.get(path) for path in shown if of_interest(path, status)}
    public = [path for path in shown if "/application/" not in path or TOKEN.search(path)]
    seen |= {f"nobody, {path}": Client().get(path) for path in [*public, *nowhere, asks_for_the_link]}
    browser = browser_of("draft", language)
    seen |= {f"nothing sent to {path}": browser.post(path, NOTHING) for path in shown}
    world.clock.move_to(CALL_OPENS - timedelta(days=1))
    seen |= {f"too early for {path}": Client().get(path) for path in early}
    no_english_on(seen, language, english_left)


@in_each_language
def test_the_pages_of_what_went_wrong_hold_no_english(english_left, language):
    with translation.override(language):
        pages = {name: render(None, f"{name}.html") for name in ("400", "403", "403_csrf", "404", "410", "500")}
    no_english_on(pages, language, english_left)


def test_the_desk_of_staff_speaks_french(world, browser_of, english_left):
    house.grow(world, range(1))
    with translation.override("fr"):
        staff, desk = browser_of("staff", "fr"), {"index": reverse("admin:index"), **house.lists()}
        desk |= house.pages_of_rows(world)
    desk |= {name: path for name, path in house.pages_with_arguments(world).items() if name.startswith("admin:")}
    seen = {name: staff.get(path) for name, path in desk.items() if name not in HOLDS_OTHER_LANGUAGES}
    no_english_on(seen, "fr", english_left)


# --- Letters ----------------------------------------------------------------------------------------------------------


def letter_in(world, kind, language):
    letter, how = world.newest(kind).letter, registry.KINDS[kind]
    if kind == "statement_due":  # nobody is reminded of what has come
        Attachment.objects.filter(kind="statement").update(state="refused")
    off = kind in ("meeting_off", "mission_meeting_off")  # Kenya's meeting was held after all
    stands = (
        {"status": "not_held", "not_held_reason": "postponed"} if off else {"status": "held", "not_held_reason": ""}
    )
    CountryMeeting.objects.filter(state_under_review__state="KE").update(**stands)
    recipient = how.rewrite(letter) if how.rewrite else Recipient("visitor", "1", "x@example.org", context=told(kind))
    return outbox.preview(kind, replace(recipient, language=language), mailing=letter.mailing)


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


@in_each_language
def test_every_letter_is_written_in_the_language_of_its_reader(world, english_left, language):
    left = []
    for kind in kinds(world):
        if kind in words.KINDS_OF_STAFF and language not in words.OF_DESK:
            continue
        missing = letters.untranslated(registry.KINDS[kind].template, languages.spoken(language))
        left += [f"{kind} lacks: {word}" for word in missing]
        if not missing:
            text = letter_in(world, kind, languages.spoken(language))
            found = english_left([text.subject, *text.body.split("\n")], language)
            found += english_left(Reader(text.html, language).texts, language)
            left += [f"{kind} says: {line}" for line in found]
    listed(left)


# --- The rule of words.py ---------------------------------------------------------------------------------------------


def noting(asked, key, say):
    def said(*arguments):
        asked.add(key(*arguments))
        return say(*arguments)

    return said


def test_whatever_pages_and_letters_ask_for_is_among_the_public_words(world, browser_of, monkeypatch):
    """The rule says by files who reads what; here the pages themselves say what they ask the catalogue for."""
    ours = {words.key(message)[:2]: message for message in words.messages(TRANSLATED[0])}
    asked = set()
    note = {
        "gettext": lambda message: (None, message),
        "ngettext": lambda singular, plural, number: (None, singular),
        "pgettext": lambda context, message: (context, message),
        "npgettext": lambda context, singular, plural, number: (context, singular),
    }
    for name, key in note.items():
        monkeypatch.setattr(translation._trans, name, noting(asked, key, getattr(translation._trans, name)))
    pages = public_pages(world)
    there = Application.objects.values_list("status", flat=True).distinct()
    people = {status: browser_of(status, "en") for status in there}
    asked.clear()
    for kind in {*kinds(world)} - {*words.KINDS_OF_STAFF}:
        letter_in(world, kind, "en")
    for path in pages:
        Client().get(path)
        for status, browser in people.items():
            if of_interest(path, status):
                browser.get(path)
    for path in pages:
        people["draft"].post(path, NOTHING)
    assert len(asked) > 300
    strange = [ours[key] for key in asked & set(ours) if not words.is_public(ours[key])]
    listed(words.key(message) for message in strange if ("applications/visa_letter.py", None) not in message.locations)
