"""Word documents: refuse what acts, calls, or carries something. Room: applications, in the sandbox."""

import re

from addresses import loads, styles_load
from kinds import ARCHIVES, OLE, PROGRAMS
from limits import No
from lxml import etree
from zip_check import unpacked

MAIN_PART = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
LINKS = re.compile(r"(https?://|mailto:|tel:|#|[^:\\/][^:\\]*$|$)", re.IGNORECASE)
CALLING_FIELDS = {"DDE", "DDEAUTO", "INCLUDEPICTURE", "INCLUDETEXT", "INCLUDE", "IMPORT", "LINK", "RD", "DATABASE"}
FIRST_WORD = re.compile("[A-Za-z]+")
BUTTON = re.compile(r'[\s"]*MACROBUTTON[\s"]+(?!NoMacro\b)', re.IGNORECASE)  # NoMacro: a place to type in, of templates
LEFT_OUT = ("customxml/", "docprops/")  # of the copy that staff get; other programs note addresses in them
# In a HYPERLINK field: a path, a share of the network, or a scheme that is not one of the web.
AWAY = re.compile(r'(?:^|["“\s])(?!(?:https?|mailto|tel):)(?:[a-z][a-z0-9+-]*:\S|\\\\|//)', re.IGNORECASE)
FORBIDDEN_INSIDE = {  # the last word of a relationship's type
    "oleobject": "word_embedded",
    "package": "word_embedded",
    "control": "word_embedded",
    "afchunk": "word_embedded",
    "subdocument": "word_linked",
    "vbaproject": "word_macros",
    "wordvbadata": "word_macros",
}


def inspect(data, entries):
    names = {entry.filename for entry in entries}
    if any(name.lower().rsplit("/", 1)[-1] in ("vbaproject.bin", "vbadata.xml") for name in names):
        raise No("word_macros")
    document = WordDocument(names)
    for entry in entries:
        read_part(entry.filename, unpacked(data, entry), lambda name: Part(document, name), "word_embedded")
    document.conclude()
    return "docx"


def read_part(name, pieces, target, embedded):
    """Feed one part to `target(name)` if it is XML; else only count and check its bytes. Keeps no tree."""
    first = next(pieces, b"")
    if first.startswith((OLE, *ARCHIVES)) or first.startswith(PROGRAMS):
        raise No(embedded)
    if first.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0").startswith(b"<"):
        parser = etree.XMLParser(target=target(name), resolve_entities=False, no_network=True, load_dtd=False)
        parser.feed(first)
        for piece in pieces:
            parser.feed(piece)
        parser.close()
    else:
        for _ in pieces:
            pass


class WordDocument:
    """What the parts of one document say, gathered while they stream by."""

    def __init__(self, names):
        self.names, self.main = names, ""

    def content_type(self, content_type, name):
        kind = content_type.lower()
        if "macroenabled" in kind or "vbaproject" in kind:
            raise No("word_macros")
        if "oleobject" in kind or "activex" in kind:
            raise No("word_embedded")
        if kind == MAIN_PART:
            self.main = name.removeprefix("/")

    def relationship(self, kind, target, external):
        kind = kind.rstrip("/").rsplit("/", 1)[-1].lower()
        if kind in FORBIDDEN_INSIDE and not external:
            raise No(FORBIDDEN_INSIDE[kind])
        if external and not (kind == "hyperlink" and LINKS.match(target)):
            raise No("word_linked")

    def field(self, code):
        """The first word says what a field does; Word takes it in quotes as well."""
        word = FIRST_WORD.search(code)
        if (word and word[0].upper() in CALLING_FIELDS) or BUTTON.match(code):
            raise No("word_fields")
        if word and word[0].upper() == "HYPERLINK" and AWAY.search(code[word.end() :]):
            raise No("word_linked")

    def conclude(self):
        if self.main not in self.names:
            raise No("other_office" if self.names & {"xl/workbook.xml", "ppt/presentation.xml"} else "unreadable")


class Part:
    """Takes the events of one XML part; keeps no tree, so that a long document needs no memory."""

    def __init__(self, document, name):
        self.document, self.types, self.rels = document, name == "[Content_Types].xml", name.lower().endswith(".rels")
        self.fields, self.in_code = [], False
        self.judged = not (self.types or self.rels or name.lower().startswith(LEFT_OUT))
        self.drawing = Drawing("word_linked")

    def doctype(self, *_):
        raise No("unreadable")  # Word never writes one; entities come by it

    def start(self, tag, facts):
        tag = tag.rsplit("}", 1)[-1]
        if self.types and tag in ("Override", "Default"):
            self.document.content_type(facts.get("ContentType", ""), facts.get("PartName", ""))
        elif self.rels and tag == "Relationship":
            external = facts.get("TargetMode", "Internal").lower() != "internal"
            self.document.relationship(facts.get("Type", ""), facts.get("Target", ""), external)
        elif tag == "fldSimple":
            self.document.field(plain(facts).get("instr", ""))
        elif tag == "fldChar":
            self.mark(plain(facts).get("fldCharType", ""))
        self.in_code = tag in ("instrText", "delInstrText")
        judged = self.judged and not self.drawing.start(tag, facts)
        if judged and any(loads(tag, name, value) for name, value in facts.items()):
            raise No("word_linked")

    def mark(self, kind):
        """A field begins, its code ends, or it ends. Fields stand inside each other."""
        if kind == "begin":
            if self.fields and not FIRST_WORD.search(self.fields[-1]):
                raise No("word_fields")  # what a field does is itself computed: only a disguise needs that
            self.fields.append("")
        elif self.fields:
            self.document.field(self.fields[-1])
            if kind == "end":
                self.fields.pop()

    def data(self, text):
        if self.in_code and self.fields:
            self.fields[-1] += text
        self.drawing.data(text)

    def end(self, tag):
        self.in_code = False
        self.drawing.end(tag)

    def close(self):
        for code in self.fields:
            self.document.field(code)


class Drawing:
    """What a drawing (SVG) fetches. Programs note many addresses in one that mean nothing, so only these are judged."""

    def __init__(self, word):
        self.word, self.inside, self.begun, self.in_style = word, False, False, False

    def start(self, tag, facts):
        """Whether this element belongs to a drawing, which is the whole part."""
        if not self.begun:
            self.begun, self.inside = True, tag == "svg"
        if self.inside:
            self.in_style = tag == "style"
            for name, value in facts.items():
                name = name.rsplit("}", 1)[-1]
                if name in ("href", "src", "style") or "url(" in value:
                    self.refuse_if(loads(tag, name, value))
        return self.inside

    def data(self, text):
        if self.in_style:
            self.refuse_if(styles_load(text))

    def end(self, _tag):
        self.in_style = False

    def refuse_if(self, loads):
        if loads:
            raise No(self.word)


def plain(facts):
    return {name.rsplit("}", 1)[-1]: value for name, value in facts.items()}
