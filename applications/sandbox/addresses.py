"""Attributes of XML that make a program fetch something from elsewhere. Room: applications, in the sandbox.

The rule is about values, because nobody knows all attributes that load: an address of the web, a share of the network
or a file is let through only where it is a link to click, words that people read, or the name of a standard.
"""

import re

SUSPECT = re.compile(r"[/\\]{2}|file:|url\(", re.IGNORECASE)  # a quick first look at every value
AWAY = re.compile(r"(?:[a-z][a-z0-9+.:-]*:)?[/\\]{2}|(?:[a-z][a-z0-9+.-]*:)*file:", re.IGNORECASE)
IN_STYLE = re.compile(r"url\((?!\s*[\"']?(#|data:))|@import", re.IGNORECASE)
WEB = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
LOADING = {"src", "href", "althref", "image-data", "action", "data", "resource", "source", "location"}
SAID = {  # attributes whose values are read by people, or are names
    "descr", "title", "alt", "tooltip", "val", "name", "display-name", "description", "anchor", "string-value",
    "formula", "uri", "schemaLocation", "prompt", "about", "datatype", "property",
}  # fmt: skip
LINKING = {  # elements whose href is a link to click; the others are shapes of VML
    "a", "shape", "shapetype", "rect", "roundrect", "oval", "line", "polyline", "arc", "curve", "group",
}  # fmt: skip
STANDARD = re.compile(
    r"https?://(schemas\.(openxmlformats\.org|microsoft\.com)|purl\.(oclc\.)?org|www\.w3\.org|docs\.oasis-open\.org)/"
)
FONTS = (b"\0\1\0\0", b"OTTO", b"true", b"ttcf", b"wOFF", b"wOF2")


def loads(tag, name, value):
    """Whether an attribute makes whoever opens the document fetch something."""
    if not SUSPECT.search(value):
        return False
    space, _, name = name.rpartition("}")
    value = "".join(value.split())
    if name == "href" and tag in LINKING and (tag == "a" or not space):
        return not WEB.match(value)
    if name in SAID or tag == "bibliography-mark" or (name not in LOADING and STANDARD.match(value)):
        return False
    return bool(AWAY.match(value) or ("url(" in value.lower() and IN_STYLE.search(value)))


def styles_load(words):
    """Whether a style sheet of a drawing fetches something."""
    return bool(IN_STYLE.search(words))
