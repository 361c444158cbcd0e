"""A mail of every kind in every language, as somebody who knows nothing of us reads it: with Python's own parsers.

The people, and what they are told, are those of tests/house/world.py; the words are those of the catalogues, or, for
what must hold whoever translates, words made up in the script and at the length of each language.
"""

import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from html.parser import HTMLParser

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.plurals import get_plural
from django.utils import translation
from django.utils.translation import to_locale, trans_real

from presessions.mail import languages, letters, outbox, registry

SIX = ("en", "fr", "es", "ar", "ru", "zh")
STAFF_KINDS = {"django", "mailing_test", "mailing_notice", "alarm"}  # staff read English or French


@dataclass
class Asked:
    """What rooms asked the outbox for, so that it can be asked again in another language."""

    by_kind: dict = field(default_factory=dict)  # kind: (recipient, mailing)

    @contextmanager
    def listening(self):
        put = outbox.put

        def heard(*, kind, recipient, mailing=None, **facts):
            self.by_kind[kind] = (recipient, mailing)
            return put(kind=kind, recipient=recipient, mailing=mailing, **facts)

        outbox.put = heard
        try:
            yield self
        finally:
            outbox.put = put

    def again(self, kind, language, voice, now):
        """One more letter of a kind, to the same person, who reads another language; `voice` tells two apart."""
        recipient, mailing = self.by_kind[kind]
        return outbox.put(
            kind=kind,
            key=f"again:{kind}:{voice}",
            recipient=replace(recipient, language=language),
            mailing=mailing,
            now=now,
        )


def read(frozen):
    return message_from_bytes(bytes(frozen), policy=policy.default)


def text_of(message):
    return message.get_body(("plain",)).get_content().replace("\r\n", "\n")


def page_of(message):
    return Page(message.get_body(("html",)).get_content())


class Page(HTMLParser):
    """An HTML part as a mail program takes it in."""

    def __init__(self, source):
        super().__init__()
        self.source, self.tags, self.links, self.words, self.inside = source, [], [], [], []
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        self.links += [attributes["href"]] if tag == "a" else []
        self.inside.append(tag)
        if tag in ("br", "meta"):
            self.inside.pop()
            self.words.append("\n")

    def handle_endtag(self, tag):
        assert self.inside.pop() == tag, "each element is closed where it was opened"
        if tag not in ("a", "b", "span"):
            self.words.append("\n")

    def handle_data(self, data):
        if self.inside and self.inside[-1] != "title":
            self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)


def words_in(text):
    """Its words, without addresses and without what only a mail program shows."""
    return re.findall(r"\w+", re.sub(r"https?://\S+", " ", text))


# --- Words made up ---------------------------------------------------------------------------------------------------

SCRIPTS = {  # words in the script of each language, about as long as its own are
    "fr": "réunion établissement présentées recommandations où déjà",
    "es": "reunión organización presentación recomendaciones sesión años",
    "ar": "اجتماع المنظمات الحكومية التوصيات الدورة الاستعراض",
    "ru": "заседание организации представить рекомендации рабочей группы",
    "zh": "会议 组织 建议 工作组 届会 审议",
}
LONGER = {"fr": 1.25, "es": 1.25, "ar": 1.0, "ru": 1.2, "zh": 0.55}  # than English, counted in signs


def made_up(english, language):
    """The placeholders and the ends of a sentence, and between them words of that script."""
    words = SCRIPTS[language].split()
    pieces = re.split(r"(%\(\w+\)s|%\w)", english)
    said = []
    for piece in pieces:
        if piece.startswith("%"):
            said.append(piece)
            continue
        length, line = len(piece.strip()) * LONGER[language], ""
        while len(line) < length - 2:
            line += (" " if line and language != "zh" else "") + words[len(line) % len(words)]
        end = piece.strip()[-1:] if piece.strip()[-1:] in ".:," else ""
        line = (line + {"。": "。"}.get(end, end)) if line else piece.strip()
        said.append(f" {line} " if line and len(pieces) > 1 else line)
    return "".join(said).strip()


@contextmanager
def made_up_words(settings, folder):
    """All mails in all languages, in words made up; afterwards those of the catalogues again."""
    english = set()
    for kind in registry.KINDS.values():
        for name in ("subject.txt", "body.txt"):
            english.update(languages.words_of(letters.templates.get_template(f"{kind.template}/{name}").template))
    english |= {*letters.html.WORDS, *OTHER_WORDS}
    for language in SIX[1:]:
        write(folder, language, english)
    before, settings.LOCALE_PATHS = settings.LOCALE_PATHS, [folder]
    forget()
    try:
        yield
    finally:
        settings.LOCALE_PATHS = before
        forget()


OTHER_WORDS = {  # which the code says, not a template
    (None, words, None)
    for words in ("%(day)s, %(time)s Geneva time", "room to be confirmed", "online", "In person", "Online", "Undecided")
}


def write(folder, language, english):
    locale = to_locale(languages.tag(language))
    catalogue = Catalog(locale=locale)
    for context, singular, plural in english:
        said = made_up(singular, language)
        forms = get_plural(locale).num_plurals
        flags = {"flags": ["python-format"]} if "%(" in singular else {}
        if plural is None:
            catalogue.add(singular, said, context=context, **flags)
        else:
            catalogue.add((singular, plural), (made_up(plural, language),) * forms, context=context, **flags)
    path = folder / locale / "LC_MESSAGES"
    path.mkdir(parents=True)
    with (path / "django.mo").open("wb") as file:
        write_mo(file, catalogue)


def forget():
    """Django keeps catalogues for as long as the process lives, and so do we."""
    letters.untranslated.cache_clear()
    languages._catalogue.cache_clear()
    trans_real._translations = {}
    translation.deactivate()
