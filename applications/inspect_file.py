"""Looks into one uploaded file, in a process of its own: the file comes by standard input, one word goes out.

Room: applications, but imports nothing of ours and nothing of Django: `files.check` runs it by its path, isolated, with
an empty environment. Before it reads a byte it gives up what a parser taken over by a hostile file would want: memory
beyond 512 MB, more than 20 seconds, and any new file or socket. The word is "pdf", "docx", or why it is refused; of the
file's content it says nothing.
"""

import io
import os
import re
import resource
import stat
import struct
import sys
import zipfile
import zlib

MEMORY = 512 * 1024 * 1024
SECONDS = 20
ENTRIES = 2000  # of a zip archive
UNPACKED = 200 * 1024 * 1024  # bytes, all entries together
RATIO = 100  # unpacked to packed, of each entry and overall
PIECE = 64 * 1024
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED_PACKAGE = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e"  # a name in UTF-16, inside an OLE file
ZIP = b"PK\x03\x04"
ARCHIVES = (ZIP, b"PK\x05\x06", b"PK\x07\x08", b"Rar!\x1a\x07", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
# Windows, Linux, three of macOS, scripts, shortcuts of Windows
PROGRAMS = (b"MZ", b"\x7fELF", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!", b"L\0\0\0\x01\x14\x02")
IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
IMAGES_OF_PHONES = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif")  # from the fifth byte
PAGES_FOR_BROWSERS = re.compile(rb"\s*<(!doctype html|html|head|body|script|svg|iframe|meta|\?xml)", re.IGNORECASE)


class No(Exception):
    """The file is refused; the argument is the word that says why."""


def inspect(data):
    """ "pdf" or "docx". Raises No, or whatever a parser raises on a file that it cannot read."""
    if not data:
        raise No("empty")
    pdf_at = data.find(b"%PDF-", 0, 1024)
    kind = kind_by_first_bytes(data)
    if kind == "zip":
        return inspect_zip(data)
    if pdf_at >= 0:
        if kind or zipfile.is_zipfile(io.BytesIO(data)):  # a file that is two things is made to deceive
            raise No("two_kinds")
        return inspect_pdf(data)
    raise No(kind or "unknown_kind")


def kind_by_first_bytes(data):
    """What the file begins as, if that is neither a PDF nor anything we would look for; "" when it tells nothing."""
    if data.startswith(OLE):
        return "word_password" if ENCRYPTED_PACKAGE in data else "word_old"
    if data.startswith(ZIP):
        return "zip"
    if data.startswith(ARCHIVES):
        return "archive"
    if data.startswith(PROGRAMS):
        return "program"
    if data.startswith(IMAGES) or data[4:12] in IMAGES_OF_PHONES or data[:4] + data[8:12] == b"RIFFWEBP":
        return "image"
    if data.startswith(b"{\\rtf"):
        return "rtf"
    if PAGES_FOR_BROWSERS.match(data.removeprefix(b"\xef\xbb\xbf")[:200]):
        return "html"
    return ""


# --- PDF ------------------------------------------------------------------------------------------------------------

HARMLESS_ON_OPENING = {"/GoTo", "/Named"}
ACTIONS = {
    "/JavaScript": "pdf_script",
    "/Launch": "pdf_action",
    "/ImportData": "pdf_action",
    "/SubmitForm": "pdf_action",
    "/GoToE": "pdf_attachment",
    "/Rendition": "pdf_media",
    "/Movie": "pdf_media",
    "/Sound": "pdf_media",
    "/RichMediaExecute": "pdf_media",
}
ANNOTATIONS = {
    "/FileAttachment": "pdf_attachment",
    "/RichMedia": "pdf_media",
    "/Screen": "pdf_media",
    "/Movie": "pdf_media",
    "/Sound": "pdf_media",
    "/3D": "pdf_media",
}
KEYS = {
    "/JS": "pdf_script",
    "/JavaScript": "pdf_script",
    "/XFA": "pdf_form",
    "/EF": "pdf_attachment",
    "/EmbeddedFiles": "pdf_attachment",
    "/RichMediaContent": "pdf_media",
}


def inspect_pdf(data):
    import pikepdf

    try:
        pdf = pikepdf.open(io.BytesIO(data), suppress_warnings=True)
    except Exception:
        # A password, or a way of locking that we cannot even ask about. The word stands open in every such file.
        raise No("pdf_password" if b"/Encrypt" in data else "unreadable") from None
    if pdf.is_encrypted:
        raise No("pdf_password")
    for thing in pdf.objects:
        look_through(thing, pikepdf)
    if not len(pdf.pages):
        raise No("unreadable")
    return "pdf"


def look_through(thing, pikepdf):
    """Refuse what acts, calls or carries something, in one object and all that stands directly inside it."""
    pile = [thing]
    while pile:
        thing = pile.pop()
        facts = {}
        if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
            facts = dict(thing.items())
            look_at(facts, pikepdf)
            if isinstance(thing, pikepdf.Stream) and "/F" in facts:  # its content lies in another file
                raise No("pdf_action")
        for part in thing if isinstance(thing, pikepdf.Array) else facts.values():
            if isinstance(part, pikepdf.Array | pikepdf.Dictionary) and not part.is_indirect:
                pile.append(part)


def look_at(facts, pikepdf):
    for key in KEYS.keys() & facts.keys():
        raise No(KEYS[key])
    for key, words in (("/S", ACTIONS), ("/Subtype", ANNOTATIONS), ("/Type", {"/EmbeddedFile": "pdf_attachment"})):
        word = facts.get(key)
        if isinstance(word, pikepdf.Name) and str(word) in words:
            raise No(words[str(word)])
    on_opening = facts.get("/OpenAction")
    by_themselves = [on_opening] if isinstance(on_opening, pikepdf.Dictionary) else []
    if isinstance(facts.get("/AA"), pikepdf.Dictionary):
        by_themselves += [action for action in facts["/AA"].values() if isinstance(action, pikepdf.Dictionary)]
    for action in by_themselves:
        does = str(action.get("/S", ""))
        if does not in HARMLESS_ON_OPENING or "/Next" in action:
            raise No(ACTIONS.get(does, "pdf_action"))


# --- Zip archives ---------------------------------------------------------------------------------------------------


def inspect_zip(data):
    """The rules for any archive first, then those for Word documents."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    entries = archive.infolist()
    check_entries(entries)
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names:
        raise No(
            "odt" if {"mimetype", "content.xml"} <= names else "pages" if "Index/Document.iwa" in names else "archive"
        )
    if any(name.lower().rsplit("/", 1)[-1] in ("vbaproject.bin", "vbadata.xml") for name in names):
        raise No("word_macros")
    document = WordDocument(names)
    for entry in entries:
        document.part(entry.filename, unpacked(data, entry))
    document.conclude()
    return "docx"


def check_entries(entries):
    """What the archive says about itself, before anything of it is unpacked."""
    if len(entries) > ENTRIES:
        raise No("bomb")
    if any(entry.flag_bits & (0x1 | 0x40 | 0x2000) for entry in entries):
        raise No("archive_password")
    seen = set()
    for entry in entries:
        name, kind = entry.filename, stat.S_IFMT(entry.external_attr >> 16)
        # orig_filename still has what zipfile has cut off or turned round in the name.
        odd = "\\" in entry.orig_filename or "\0" in entry.orig_filename or ":" in name
        if odd or name.startswith("/") or ".." in name.split("/") or name.lower() in seen:
            raise No("unreadable")
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or entry.compress_type not in METHODS:
            raise No("unreadable")
        seen.add(name.lower())
    for entry in entries:
        if entry.file_size > RATIO * entry.compress_size:
            raise No("bomb")
    total = sum(entry.file_size for entry in entries)
    if total > UNPACKED or total > RATIO * sum(entry.compress_size for entry in entries):
        raise No("bomb")
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):  # entries that share bytes multiply them
        if entry.header_offset < end or (end == 0 and entry.header_offset):
            raise No("bomb")
        end = entry.header_offset + 30 + entry.compress_size


def unpacked(data, entry):
    """The entry's content, piece by piece, never more than was announced; zipfile would cut the rest off silently."""
    header = data[entry.header_offset : entry.header_offset + 30]
    signature, _, flags, method, *_, name_length, extra_length = struct.unpack("<4s5H3L2H", header)
    start = entry.header_offset + 30
    name = data[start : start + name_length].decode("utf-8" if flags & 0x800 else "cp437")
    if signature != b"PK\x03\x04" or name != entry.orig_filename or method != entry.compress_type or flags & 1:
        raise No("unreadable")
    start += name_length + extra_length
    packed = memoryview(data)[start : start + entry.compress_size]
    size = checksum = 0
    for piece in inflated(packed) if method == zipfile.ZIP_DEFLATED else stored(packed):
        size += len(piece)
        if size > entry.file_size:
            raise No("bomb")
        checksum = zlib.crc32(piece, checksum)
        yield piece
    if size != entry.file_size or checksum != entry.CRC:
        raise No("unreadable")


def stored(packed):
    for start in range(0, len(packed), PIECE):
        yield bytes(packed[start : start + PIECE])


def inflated(packed):
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    waiting = packed
    while not engine.eof:
        piece = engine.decompress(waiting, PIECE)
        waiting = engine.unconsumed_tail
        if not piece and not waiting and not engine.eof:
            raise No("unreadable")  # cut short
        yield piece


# --- Word -----------------------------------------------------------------------------------------------------------

MAIN_PART = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
LINKS = re.compile(r"(https?://|mailto:|tel:|#|[^:\\/][^:\\]*$|$)", re.IGNORECASE)
CALLING_FIELDS = {"DDE", "DDEAUTO", "INCLUDEPICTURE", "INCLUDETEXT", "INCLUDE", "IMPORT", "LINK", "RD", "DATABASE"}
FORBIDDEN_INSIDE = {  # the last word of a relationship's type
    "oleobject": "word_embedded",
    "package": "word_embedded",
    "control": "word_embedded",
    "afchunk": "word_embedded",
    "subdocument": "word_linked",
    "vbaproject": "word_macros",
    "wordvbadata": "word_macros",
}


class WordDocument:
    """What the parts of one document say, gathered while they stream by."""

    def __init__(self, names):
        from lxml import etree

        self.etree, self.names, self.main = etree, names, ""

    def part(self, name, pieces):
        first = next(pieces, b"")
        if first.startswith((OLE, *ARCHIVES)) or first.startswith(PROGRAMS):
            raise No("word_embedded")
        if first.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0").startswith(b"<"):
            target = Part(self, name)
            parser = self.etree.XMLParser(target=target, resolve_entities=False, no_network=True, load_dtd=False)
            parser.feed(first)
            for piece in pieces:
                parser.feed(piece)
            parser.close()
        else:
            for _ in pieces:  # counted and checked on the way
                pass

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
        if code.split()[:1] and code.split()[0].upper() in CALLING_FIELDS:
            raise No("word_fields")

    def conclude(self):
        if self.main not in self.names:
            raise No("other_office" if self.names & {"xl/workbook.xml", "ppt/presentation.xml"} else "unreadable")


class Part:
    """Takes the events of one XML part; keeps no tree, so that a long document needs no memory."""

    def __init__(self, document, name):
        self.document, self.types, self.rels = document, name == "[Content_Types].xml", name.lower().endswith(".rels")
        self.fields, self.in_code = [], False

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
        self.in_code = tag == "instrText"

    def mark(self, kind):
        """A field begins, its code ends, or it ends. Fields stand inside each other."""
        if kind == "begin":
            self.fields.append("")
        elif self.fields:
            self.document.field(self.fields[-1])
            if kind == "end":
                self.fields.pop()

    def data(self, text):
        if self.in_code and self.fields:
            self.fields[-1] += text

    def end(self, tag):
        self.in_code = False

    def close(self):
        for code in self.fields:
            self.document.field(code)


def plain(facts):
    return {name.rsplit("}", 1)[-1]: value for name, value in facts.items()}


# --- The process ----------------------------------------------------------------------------------------------------


def give_up_rights():
    """Everything is imported by now: from here on this process can open no file and no socket."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def main():
    # Only what this kind needs is imported, or every upload would wait for both.
    head = sys.stdin.buffer.read(1024)
    if head.startswith(b"PK"):
        import encodings.cp437  # noqa: F401 - loaded late otherwise, by a name in an archive

        import lxml.etree  # noqa: F401
    elif b"%PDF-" in head:
        import pikepdf  # noqa: F401
    give_up_rights()
    try:
        word = inspect(head + sys.stdin.buffer.read())
    except No as no:
        word = str(no)
    except Exception:
        word = "unreadable"  # not even the parser's message: it may quote the file
    sys.stdout.write(word)
    sys.stdout.flush()
    os._exit(0)  # no time for tidying up; a parser in a bad state may hang in it


if __name__ == "__main__":
    main()
