"""OpenDocument texts: refuse what acts, calls, or carries something. Room: applications, in the sandbox."""

import re
import zipfile

from addresses import loads
from limits import No
from word_check import LINKS, Drawing, read_part
from zip_check import unpacked

KIND = b"application/vnd.oasis.opendocument."
OTHERS = (b"spreadsheet", b"presentation", b"graphics", b"chart", b"formula", b"database", b"image")
MACROS = ("basic/", "scripts/", "dialogs/", "meta-inf/macrosignatures.xml")
INSIDE = re.compile(r"(\./)?(Pictures|Fonts)/[^:\\]+$|#|$")  # where a picture or a font may lie
NOT_SHOWN = ("meta.xml", "settings.xml", "Configurations2/", "manifest.rdf")  # left out of the copy that staff get
TAGS = {
    "script": "odt_macros",
    "event-listener": "odt_macros",
    "execute-macro": "odt_macros",
    "object": "odt_embedded",
    "object-ole": "odt_embedded",
    "applet": "odt_embedded",
    "plugin": "odt_embedded",
    "binary-data": "odt_embedded",
    "floating-frame": "odt_linked",
    "section-source": "odt_linked",
    "dde-source": "odt_linked",
    "dde-connection": "odt_linked",
    "dde-connection-decl": "odt_linked",
    "connection-resource": "odt_linked",
    "encryption-data": "odt_password",
}


def inspect(data, entries):
    names = [entry.filename for entry in entries]
    first = min(entries, key=lambda entry: entry.header_offset)
    if first.filename != "mimetype" or first.compress_type != zipfile.ZIP_STORED or first.file_size > 100:
        raise No("unreadable")
    kind = b"".join(unpacked(data, first))
    if kind.startswith(tuple(KIND + other for other in OTHERS)):
        raise No("other_office")
    if "encrypted-package" in names:
        raise No("odt_password")
    if kind != KIND + b"text" or not {"content.xml", "META-INF/manifest.xml"} <= set(names):
        raise No("unreadable")
    # The manifest first: what is locked cannot be read as anything else.
    for entry in sorted(entries, key=lambda entry: entry.filename != "META-INF/manifest.xml"):
        read_part(entry.filename, unpacked(data, entry), Part, "odt_embedded")
    if any(name.lower().startswith(MACROS) for name in names):
        raise No("odt_macros")
    if any(name.rpartition("/")[0] and name.endswith("/content.xml") for name in names):
        raise No("odt_embedded")
    return "odt"


class Part:
    """Takes the events of one XML part."""

    def __init__(self, name):
        self.shown = not name.startswith(NOT_SHOWN)
        self.drawing = Drawing("odt_linked")

    def doctype(self, *_):
        raise No("unreadable")  # entities come by it

    def start(self, tag, facts):
        tag = tag.rsplit("}", 1)[-1]
        if tag in TAGS:
            raise No(TAGS[tag])
        if not self.shown or self.drawing.start(tag, facts):
            return
        for name, value in facts.items():
            if name.rsplit("}", 1)[-1] == "href" and not (LINKS if tag == "a" else INSIDE).match(value):
                raise No("odt_linked")
            if loads(tag, name, value):
                raise No("odt_linked")

    def end(self, tag):
        self.drawing.end(tag)

    def data(self, text):
        self.drawing.data(text)

    def close(self):
        pass
