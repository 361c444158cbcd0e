"""What a text that staff wrote for a series must be before it may be saved. Room: mail; imports its texts and outbox.

Each check that fails says in a sentence what to do. Nothing is repaired in silence: a letter goes to 180 missions.
"""

import logging
import re
import unicodedata
from dataclasses import dataclass, replace
from itertools import islice

from django.conf import settings
from django.template import TemplateSyntaxError
from django.template.base import Lexer, TokenType
from django.utils import translation
from django.utils.translation import gettext as _

from presessions.mail import languages, letters, outbox, registry, text_language
from presessions.mail.flatten import flattened

log = logging.getLogger(__name__)

MOST_OF_SUBJECT = 200  # signs
MOST_OF_HTML = 8 * 1024  # bytes: what a mail program shows without asking
FIRST_PEOPLE = 2_000  # of an audience that are asked for somebody who reads a language
ALWAYS_KNOWN = {"series.number", "public_url"}
ALWAYS_WRITE = {*text_language.FILTERS, "in_words", "day_in_words", "plural_form"}
HALVES = re.compile(r"\{\{|\}\}|\{%|%\}")
TOKEN = re.compile(r"(?<![\w-])[\w-]{43}(?![\w-])", re.ASCII)


@dataclass(frozen=True)
class Wrong:
    """A sentence for staff, and the field that it is about: "subject" or "body"."""

    field: str
    words: str


def wrong_with(source, mailing, language):
    """(what is wrong, the mail as somebody would get it) for a text of a mailing's kind and series.

    The mail is a letters.Text, or None when something is wrong or nobody is there to write to.
    """
    kind = registry.KINDS[mailing.kind]
    found = [*_marks(source), *_strangers(source, kind), *_subject(source.subject)]
    usual = flattened(kind, language, mailing.series)
    found = found or [*_names(source, usual, kind), *_links(source, usual, kind)]
    if found:
        return found, None
    person = somebody(mailing, language)
    return ([], None) if person is None else _written(source, mailing, kind, person)


def somebody(mailing, language):
    """The first of a mailing's audience who reads this language, or its first at all as if they did; or None."""
    first = None
    try:
        for person in islice(registry.plan_of(mailing).recipients(mailing), FIRST_PEOPLE):
            if languages.spoken(person.language) == language:
                return person
            first = first or person
    except Exception as error:  # a room that cannot list its people must not keep staff from their text
        log.error("mailing %s: its audience raised %s", mailing.pk, type(error).__name__)
    return first and replace(first, language=language)


def expressions(usual):
    """What can be inserted into a text: the variables of the usual one, as they stand there."""
    tokens = Lexer(f"{usual.subject}\n{usual.body}").tokenize()
    return list(dict.fromkeys(token.contents for token in tokens if token.token_type is TokenType.VAR))


# --- One check each --------------------------------------------------------------------------------------------------


def _marks(source):
    """Whether it can be read as a template of the small language at all."""
    for name, text in (("subject", source.subject), ("body", source.body)):
        if not text.strip():
            yield Wrong(name, _("Write something here."))
            continue
        tokens = Lexer(text).tokenize()
        if any(HALVES.search(token.contents) for token in tokens if token.token_type is TokenType.TEXT):
            yield Wrong(name, _("A brace is left alone. Each {{ needs its }}, and each {% its %}, on the same line."))
            continue
        tags = [token for token in tokens if token.token_type is TokenType.BLOCK]
        known = {*text_language.TAGS, "elif", "else", "endif", "empty", "endfor", "endwith", "endcomment"}
        unknown = [token.contents for token in tags if token.contents.split(" ")[0] not in known]
        if unknown:
            words = _(
                "“{%% %(tag)s %%}” cannot be used here. Take it out: only if, for, with, firstof and comment can."
            )
            yield Wrong(name, words % {"tag": unknown[0]})
            continue
        try:
            text_language.compiled(text)
        except TemplateSyntaxError as error:
            words = _("The signs between braces cannot be read; compare them with the usual text. (%(error)s)")
            yield Wrong(name, words % {"error": error})


def _strangers(source, kind):
    """Whether somebody's personal link was pasted into it: it would open that person's page to all others."""
    for name, text in (("subject", source.subject), ("body", source.body)):
        if any(door.search(text) for door in _doors()) or any(map(_is_token, TOKEN.findall(text))):
            words = _("This holds somebody’s personal link. Take it out; each reader’s own is put in by {{ link }}.")
            yield Wrong(name, words if kind.link else _("This holds somebody’s personal link. Take it out."))
        elif letters.STRUCK_OUT in text:
            yield Wrong(name, _("This was copied with a link that is struck out. Put {{ link }} in its place."))


def _doors():
    """A pattern for the address behind each kind of personal link, in each language of the pages."""
    for purpose in registry.PURPOSES.values():
        for language, _name in settings.LANGUAGES:
            with translation.override(language):
                before, _token, after = purpose.path("TOKEN").partition("TOKEN")
            yield re.compile(re.escape(before.rstrip("/")) + r"/[\w-]{16,}" + re.escape(after.rstrip("/")), re.ASCII)


def _is_token(text):
    """Whether 43 signs are as random as those of a personal link, and not a long word or a line of dashes."""
    return text.lower() != text and text.upper() != text


def _subject(subject):
    if len(subject) > MOST_OF_SUBJECT:
        words = _("The subject has %(number)s signs. Shorten it to %(most)s at most.")
        yield Wrong("subject", words % {"number": len(subject), "most": MOST_OF_SUBJECT})
    if any(unicodedata.category(sign) in ("Cc", "Zl", "Zp") for sign in subject.strip()):
        yield Wrong("subject", _("The subject is one line without tabs or other invisible signs. Write it anew."))


def _names(source, usual, kind):
    """Whether it asks for nothing but what the usual text asks for: then it cannot say what that one does not."""
    files = _together(usual)
    known = {*files.variables, *ALWAYS_KNOWN}
    known |= {name for name, has in (("link", kind.link), ("unsubscribe_link", kind.unsubscribe)) if has}
    for name, text in (("subject", source.subject), ("body", source.body)):
        asked = text_language.names(text_language.compiled(text))
        for unknown in sorted(asked.variables - known):
            words = _("“%(name)s” is not known in this mail. Use what stands under “What can be inserted”.")
            yield Wrong(name, words % {"name": unknown.replace("[]", "")})
        for unknown in sorted(asked.filters - files.filters - ALWAYS_WRITE):
            words = _("“|%(name)s” cannot be used here. Use what stands under “What can be inserted”.")
            yield Wrong(name, words % {"name": unknown})


def _together(source):
    subject, body = (text_language.names(text_language.compiled(text)) for text in (source.subject, source.body))
    return text_language.Names(subject.variables | body.variables, subject.filters | body.filters)


def _links(source, usual, kind):
    body = text_language.names(text_language.compiled(source.body)).variables
    subject = text_language.names(text_language.compiled(source.subject)).variables
    if subject & {"link", "unsubscribe_link"}:
        yield Wrong("subject", _("A personal link must not stand in a subject, which many people can see."))
    if kind.link and "link" not in body:
        yield Wrong("body", _("The personal link is missing. Put {{ link }} on a line of its own."))
    elif kind.link and not _reaches("link", source, usual):
        words = _("Not every reader would get the personal link. Put {{ link }} where everybody sees it, outside “if”.")
        yield Wrong("body", words)
    if kind.unsubscribe and not _reaches("unsubscribe_link", source, usual):
        words = _("The way to leave the list is missing. Put {{ unsubscribe_link }} on a line of its own, at the end.")
        yield Wrong("body", words)


def _reaches(link, source, usual):
    """Whether everybody who gets a link in the usual text gets it in this one. Nobody can tell here for whom an `if` is
    true: so it must hang on none but those that it hangs on there."""
    here, there = (text_language.places(text_language.compiled(text.body), link) for text in (source, usual))
    return bool(here) and all(any(one <= other for one in here) for other in there)


def _written(source, mailing, kind, person):
    """The mail to one person of the audience, and what is wrong with it."""
    try:
        text = outbox.preview(mailing.kind, person, mailing=mailing, source=source)
    except letters.Unwritable as error:
        words = _("Nobody could be written to with this text. Compare it with the usual one. (%(error)s)")
        return [Wrong("subject" if error.code == "subject" else "body", words % {"error": error})], None
    usual, found = _usual(mailing, kind, person), []
    if len(text.subject) > MOST_OF_SUBJECT:
        words = _("Filled in, the subject has %(number)s signs. Shorten it to %(most)s at most.")
        found.append(Wrong("subject", words % {"number": len(text.subject), "most": MOST_OF_SUBJECT}))
    size = len(text.html.encode())
    if size >= max(MOST_OF_HTML, len(usual.html.encode()) + 1):  # many meetings make the usual one long too
        words = _("As HTML the mail has %(size)s bytes. Shorten it: some mail programs cut what is above %(most)s.")
        found.append(Wrong("body", words % {"size": size, "most": MOST_OF_HTML}))
    if any(map(_is_token, TOKEN.findall(text.subject + text.body))):
        found.append(Wrong("body", _("Filled in, this holds somebody’s personal link. Take it out.")))
    return found, (None if found else text)


def _usual(mailing, kind, person):
    """The mail that this person would get without staff's text, to compare; empty if nobody can write that one."""
    try:
        source = flattened(kind, person.language, mailing.series)
        return outbox.preview(mailing.kind, person, mailing=mailing, source=source)
    except letters.Unwritable:
        return letters.Text("", "")
