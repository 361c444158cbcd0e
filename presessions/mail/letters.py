"""How a letter becomes bytes: texts, headers, addresses. Room: mail; pure but for the templates it reads.

Templates are `<template>/subject.txt` and `<template>/body.txt`, plain text and therefore not escaped. A variable that
the context does not hold is an error, not a gap: better one letter that staff look at than 180 with a hole. The HTML
part is typeset from the rendered text, so nobody writes a thing twice.
"""

import base64
import quopri
import re
import secrets
import unicodedata
from dataclasses import dataclass, replace
from email.header import Header
from email.utils import format_datetime, formataddr
from functools import cache

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.backends.django import DjangoTemplates
from django.utils import translation
from django.utils.functional import SimpleLazyObject
from django.utils.html import escape

from presessions.mail import html, languages

MOST_BYTES = 256 * 1024
LONGEST_SUBJECT = 500
STRUCK_OUT = "[struck out]"
CALENDAR_METHOD = re.compile(rb"^METHOD:([A-Z]+)\r?$", re.MULTILINE)


class Unwritable(Exception):
    """A letter that cannot be written. `code` says why in one word; str() holds nothing personal."""

    def __init__(self, code, detail=""):
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


@dataclass(frozen=True)
class Text:
    """What a person reads: one body, in two parts that say the same."""

    subject: str
    body: str
    html: str = ""

    def signed(self, footer):
        """The same with what stands below every letter, unless it is there already."""
        return self if html.SIGNATURE.search(self.body) else text_of(self.subject, f"{self.body}\n{footer}")

    def typeset(self, language):
        """The same with its HTML part."""
        with translation.override(languages.tag(language)):
            return replace(self, html=html.typeset(self.subject, self.body))

    def without(self, *tokens):
        """The same with personal links struck out."""
        subject, body, page = self.subject, self.body, self.html
        for token in tokens:
            subject, body = subject.replace(token, STRUCK_OUT), body.replace(token, STRUCK_OUT)
            page = page.replace(str(escape(token)), STRUCK_OUT)
        return Text(subject, body, page)


class _Missing(str):
    """Django asks this text for what to print instead of a variable it does not know."""

    def __mod__(self, variable):
        raise Unwritable("render", f"no variable {variable}")


MISSING = _Missing("%s")


def plain_text_templates():
    options = {"autoescape": False, "string_if_invalid": MISSING}
    folders = settings.TEMPLATES[0]["DIRS"]
    return DjangoTemplates({"NAME": "letters", "DIRS": folders, "APP_DIRS": True, "OPTIONS": options})


templates = SimpleLazyObject(plain_text_templates)


def render(template, context, language):
    """The text in one language. Raises Unwritable."""
    with translation.override(languages.tag(language)):
        return text_of(_rendered(f"{template}/subject.txt", context), _rendered(f"{template}/body.txt", context))


def footer(context, language):
    """What stands below the text of every letter to people outside: who writes, and how to leave. Raises Unwritable."""
    with translation.override(languages.tag(language)):
        return _rendered("mail/_footer.txt", context)


def _rendered(name, context):
    try:
        return templates.get_template(name).render(context)
    except Unwritable:
        raise
    except Exception as error:  # whatever a template or a room's method does must harm this letter only
        raise Unwritable("render", type(error).__name__) from error


@cache
def untranslated(template, language):
    """The English words of a mail that its language has no translation for: while there is one, English is sent."""
    words = dict.fromkeys(html.WORDS)
    for name in ("subject.txt", "body.txt"):
        try:
            words |= dict.fromkeys(languages.words_of(templates.get_template(f"{template}/{name}").template))
        except (TemplateDoesNotExist, TemplateSyntaxError):
            return []  # it cannot be rendered either, and that is where it is named
    return [singular for _context, singular, _plural in languages.missing(words, language)]


def text_of(subject, body):
    """Rendered templates as a person reads them: no gaps of several lines. Raises Unwritable."""
    return Text(one_line(subject), re.sub(r"\n{3,}", "\n\n", body).strip() + "\n")


def one_line(subject):
    """The subject as it may stand in a header. Raises Unwritable for line ends, controls and reversed writing."""
    subject = subject.strip()
    if len(subject) > LONGEST_SUBJECT:  # and encoding a header takes the square of its length
        raise Unwritable("size")
    if not subject or any(unicodedata.category(sign) in ("Cc", "Zl", "Zp", "Cs") or _turns(sign) for sign in subject):
        raise Unwritable("subject")
    return subject


def _turns(sign):
    """Whether a sign overrides the direction of writing (U+202E and its family), as only a disguise does."""
    return unicodedata.bidirectional(sign) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def clean_address(address):
    """One ASCII address of a named domain. Raises Unwritable for anything else, line ends and IP literals included."""
    try:
        local, domain = address.strip(" ").rsplit("@", 1)
        address = f"{local}@{domain.encode('idna').decode()}"
        address.encode("ascii")
        validate_email(address)
    except (ValueError, ValidationError) as error:
        raise Unwritable("address") from error
    if "[" in address or "=?" in address:  # an IP literal; an encoded word, which some servers unfold into another one
        raise Unwritable("address")
    return address


def new_message_id():
    """128 random bits: a Message-ID that can be guessed can be used to make a mailbox drop ours as a copy."""
    return f"<{secrets.token_hex(16)}@{settings.MAIL_DOMAIN}>"


def freeze(text, *, to, reply_to, message_id, date, language="en", list_id="", unsubscribe_url="", calendar=b""):
    """The bytes that go over the wire, text first and HTML after it: pure ASCII, lines below 80. Raises Unwritable.

    list_id, unsubscribe_url -- of a letter that its reader may leave; the address takes one POST without a browser
    calendar -- an entry for a calendar, as a file after the text
    """
    headers = [
        ("From", formataddr((str(settings.ORGANISATION), settings.MAIL_FROM))),
        ("To", clean_address(to)),
        ("Reply-To", clean_address(reply_to)),
        ("Subject", Header(text.subject, "utf-8", 74, "Subject").encode(linesep="\r\n")),
        ("Date", date),
        ("Message-ID", message_id),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "OOF, AutoReply, RN, NRN, DR"),  # all but NDR: bounces we want
        ("Content-Language", languages.tag(language)),
    ]
    if unsubscribe_url:
        headers += [
            ("List-Id", f"<{list_id}.{settings.MAIL_DOMAIN}>"),
            ("List-Unsubscribe", f"<{unsubscribe_url}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]
    content, body = _together("alternative", [_part("plain", text.body), _part("html", text.html)])
    if calendar:
        readable = _lines([("Content-Type", content)]) + b"\r\n" + body
        content, body = _together("mixed", [readable, _calendar(calendar)])
    headers += [("MIME-Version", "1.0"), ("Content-Type", content)]
    frozen = _lines(headers) + b"\r\n" + body
    if len(frozen) > MOST_BYTES:
        raise Unwritable("size")
    return frozen


def _together(subtype, parts):
    """(content type, bytes) of some parts as one."""
    boundary = secrets.token_hex(12)  # with its header in one line of 76
    edge = f"--{boundary}".encode()
    between = [line for part in parts for line in (edge, part)]
    return f'multipart/{subtype}; boundary="{boundary}"', b"\r\n".join([*between, edge + b"--", b""])


def _calendar(entry):
    """A file that a mail program offers to put into the calendar, or to take out of it."""
    method = CALENDAR_METHOD.search(entry)[1].decode()
    headers = [
        ("Content-Type", f'text/calendar; charset="utf-8"; method={method}'),
        ("Content-Disposition", 'attachment; filename="meeting.ics"'),
        ("Content-Transfer-Encoding", "base64"),
    ]
    return _lines(headers) + b"\r\n" + base64.encodebytes(entry).replace(b"\n", b"\r\n")


def _lines(headers):
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("ascii")


def _part(subtype, text):
    encoding, body = _encoded(text)
    headers = [("Content-Type", f'text/{subtype}; charset="utf-8"'), ("Content-Transfer-Encoding", encoding)]
    return _lines(headers) + b"\r\n" + body


def _encoded(text):
    """A part in the shorter of the two encodings that every server passes on unchanged."""
    raw = "\r\n".join(text.splitlines()).encode() + b"\r\n"
    readable = b"\r\n".join(quopri.encodestring(line) for line in raw.split(b"\r\n"))
    readable = readable.replace(b"=\n", b"=\r\n")
    packed = base64.encodebytes(raw).replace(b"\n", b"\r\n")
    return ("quoted-printable", readable) if len(readable) <= len(packed) else ("base64", packed)


def date_header(now):
    return format_datetime(now.astimezone(settings.GENEVA))
