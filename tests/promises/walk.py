"""Everything that somebody outside can open: a mission by its link, anybody without one.

Addresses come from the table of addresses, so that no page can be forgotten: one with an argument that is not known
here is red until it is. From each page the walk goes on by its links, and into archives and PDFs.

    walk(token)      {address: what lies open there}
    walk()           the same for somebody without a link
"""

import html
import io
import re
import zipfile
from urllib.parse import urljoin, urlsplit

import pikepdf
from django.test import Client
from django.urls import get_resolver, reverse

from missions.models import Invitation
from tests.missions.factories import open_link

LINK = re.compile(r'(?:href|src|action)="([^"]+)"')
ELSEWHERE = ("/static/", "/admin/")
OTHER_LANGUAGES = re.compile(r"^/(fr|es|ar|ru|zh)/")
FOLDED = re.compile(r"\r?\n[ \t]")  # a long line of a calendar


def addresses(resolver=None, namespace=()):
    """(name, names of its arguments) of every address outside the desk."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if hasattr(pattern, "url_patterns"):
            if pattern.namespace != "admin":
                yield from addresses(pattern, (*namespace, *filter(None, [pattern.namespace])))
        elif pattern.name:
            yield ":".join([*namespace, pattern.name]), {*pattern.pattern.regex.groupindex, *pattern.pattern.converters}


def known(token):
    """What may stand in the place of each argument."""
    return {
        "token": [token],
        "number": [54],
        "iso2": ["KE", "TR"],
        "key": ["0" * 20],  # those that are there are found by the links that lead to them
        "reference": ["AAAAA-AAAAA"],
        "section": ["speaker", "recommendations"],
    }


def starts(token, only_behind_it=False):
    """Addresses to begin at, in English."""
    fill = known(token or "x" * 43)
    for name, arguments in addresses():
        if only_behind_it and "token" not in arguments:
            continue
        values = [{}]
        for argument in arguments:
            values = [{**one, argument: value} for one in values for value in fill[argument]]
        yield from (reverse(name, kwargs=one) for one in values)


def walk(token=None, only_behind_it=False):
    """{address: (status, all that lies open there)}

    token -- of an invitation; only_behind_it -- leave out what anybody may open
    """
    browser, waiting, found = Client(), list(starts(token, only_behind_it)), {}
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        answer = browser.get(address)
        found[address] = answer.status_code, contents(answer)
        if answer.get("Content-Type", "").startswith("text/html"):
            links = set(links_of(address, answer.content))
            waiting += {link for link in links if not only_behind_it or token in link} - found.keys()
    return found


def contents(answer):
    """All that lies open in it: headers, text, and what is inside of a file."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return f"{answer.headers} {inside(body)}"


def links_of(address, body):
    """Where a page leads to in this house, in its own language."""
    for link in LINK.findall(body.decode()):
        parts = urlsplit(urljoin(f"http://testserver{address}", html.unescape(link)))
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        ours = parts.netloc in ("testserver", "") and parts.scheme in ("http", "https")
        if ours and not path.startswith(ELSEWHERE) and not OTHER_LANGUAGES.match(path):
            yield path


def inside(body):
    """The words of an answer, whatever it is packed in."""
    if body.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return " ".join(f"{name} {inside(archive.read(name))}" for name in archive.namelist())
    if body.startswith(b"%PDF"):
        with pikepdf.open(io.BytesIO(body)) as pdf:
            packed = [one.read_bytes() for one in pdf.objects if isinstance(one, pikepdf.Stream)]
            return " ".join([str(pdf.docinfo), *(piece.decode("latin-1") for piece in packed)])
    text = FOLDED.sub("", body.decode("utf-8", "replace"))
    return f"{text} {html.unescape(text)}"


def token_for(mission, series, now):
    """A link to the invitation of a mission, one that no letter carried."""
    invitation = Invitation.objects.write_down(series, [mission], now)[mission.pk]
    return open_link(invitation, now=now).rstrip("/").rpartition("/")[2]
