"""How a letter becomes bytes: texts, headers, addresses. Room: mail; pure but for the templates it reads.

Templates are `<template>/subject.txt` and `<template>/body.txt`, plain text and therefore not escaped. A variable that
the context does not hold is an error, not a gap: better one letter that staff look at than 180 with a hole.
"""

import base64
import quopri
import re
import secrets
import unicodedata
from dataclasses import dataclass
from email.header import Header
from email.utils import format_datetime, formataddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.template.backends.django import DjangoTemplates
from django.utils import translation
from django.utils.functional import SimpleLazyObject

MOST_BYTES = 256 * 1024
STRUCK_OUT = "[struck out]"


class Unwritable(Exception):
    """A letter that cannot be written. `code` says why in one word; str() holds nothing personal."""

    def __init__(self, code, detail=""):
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


@dataclass(frozen=True)
class Text:
    """What a person reads."""

    subject: str
    body: str

    def without(self, *tokens):
        """The same with personal links struck out."""
        subject, body = self.subject, self.body
        for token in tokens:
            subject, body = subject.replace(token, STRUCK_OUT), body.replace(token, STRUCK_OUT)
        return Text(subject, body)


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
    with translation.override(language):
        try:
            subject = templates.get_template(f"{template}/subject.txt").render(context)
            body = templates.get_template(f"{template}/body.txt").render(context)
        except Unwritable:
            raise
        except Exception as error:  # whatever a template or a room's method does must harm this letter only
            raise Unwritable("render", type(error).__name__) from error
    return text_of(subject, body)


def text_of(subject, body):
    """Rendered templates as a person reads them: no gaps of several lines. Raises Unwritable."""
    return Text(one_line(subject), re.sub(r"\n{3,}", "\n\n", body).strip() + "\n")


def one_line(subject):
    """The subject as it may stand in a header. Raises Unwritable for line ends, controls and reversed writing."""
    subject = subject.strip()
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


def freeze(text, *, to, reply_to, message_id, date, unsubscribe_url=None):
    """The bytes that go over the wire: pure ASCII, lines far below 998. Raises Unwritable."""
    encoding, body = _encoded(text.body)
    headers = [
        ("From", formataddr((str(settings.ORGANISATION), settings.MAIL_FROM))),
        ("To", clean_address(to)),
        ("Reply-To", clean_address(reply_to)),
        ("Subject", Header(text.subject, "utf-8", 74, "Subject").encode(linesep="\r\n")),
        ("Date", date),
        ("Message-ID", message_id),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
    ]
    if unsubscribe_url:
        headers += [
            ("List-Unsubscribe", f"<{unsubscribe_url}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]
    headers += [
        ("MIME-Version", "1.0"),
        ("Content-Type", 'text/plain; charset="utf-8"'),
        ("Content-Transfer-Encoding", encoding),
    ]
    frozen = "".join(f"{name}: {value}\r\n" for name, value in headers).encode("ascii") + b"\r\n" + body
    if len(frozen) > MOST_BYTES:
        raise Unwritable("size")
    return frozen


def _encoded(body):
    """The body in the shorter of the two encodings that every server passes on unchanged."""
    raw = "\r\n".join(body.splitlines()).encode() + b"\r\n"
    readable = b"\r\n".join(quopri.encodestring(line) for line in raw.split(b"\r\n"))
    readable = readable.replace(b"=\n", b"=\r\n")
    packed = base64.encodebytes(raw).replace(b"\n", b"\r\n")
    return ("quoted-printable", readable) if len(readable) <= len(packed) else ("base64", packed)


def date_header(now):
    return format_datetime(now.astimezone(settings.GENEVA))
