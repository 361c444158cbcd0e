"""Files to try the door with, made here: nothing hostile lies in the repository."""

import io
import os
import struct
import zipfile
import zlib
from functools import cache

import pikepdf
from pikepdf import Array, Dictionary, Name, String

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"

# --- PDF ------------------------------------------------------------------------------------------------------------


def pdf(change=None, pages=1, **saving):
    """A small PDF with a line of text, after `change(document)`."""
    document = pikepdf.new()
    for number in range(pages):
        page = document.add_blank_page(page_size=(595, 842))
        page.Contents = document.make_stream(b"BT /F1 24 Tf 60 760 Td (Submission, page %d) Tj ET" % (number + 1))
        font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        page.Resources = Dictionary(Font=Dictionary(F1=font))
    if change:
        change(document)
    target = io.BytesIO()
    document.save(target, **saving)
    return target.getvalue()


OLD_LOCK = pikepdf.Encryption(user="", owner="b", R=3, aes=False, metadata=False)


def on_opening(action):
    return lambda document: document.Root.__setitem__("/OpenAction", action)


def on_page(action):
    return lambda document: document.pages[0].obj.__setitem__("/AA", Dictionary(O=action))


def annotation(**facts):
    facts = {"Type": Name.Annot, "Rect": [0, 0, 9, 9], **facts}
    return lambda document: document.pages[0].obj.__setitem__("/Annots", Array([Dictionary(**facts)]))


def hidden_script(document):
    """Deep inside direct objects, where only a full search finds it."""
    document.Root.PieceInfo = Dictionary(
        A=Array([Array([Dictionary(B=Dictionary(S=Name.JavaScript, JS=String("1")))])])
    )


def attachment(document):
    document.attachments["payroll.xlsx"] = b"PK\x03\x04 whatever"


def named_script(document):
    script = document.make_indirect(Dictionary(S=Name.JavaScript, JS=String("app.alert(1)")))
    document.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), script])))


def external_content(document):
    document.pages[0].Contents = document.make_stream(b"", {"/F": String("\\\\evil.example\\share\\page")})


# --- Word -----------------------------------------------------------------------------------------------------------


def relationship(kind, target, mode="External", number=1):
    return f'<Relationship Id="r{number}" Type="{OFFICE}/{kind}" Target="{target}" TargetMode="{mode}"/>'


def field(code):
    return (
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        + "".join(f"<w:r><w:instrText>{piece}</w:instrText></w:r>" for piece in code)
        + '<w:r><w:fldChar w:fldCharType="separate"/><w:t>1</w:t><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    )


def docx(*, links="", types="", body="", main=MAIN, head="", parts=(), compression=zipfile.ZIP_DEFLATED, change=None):
    """A small Word document, with what is asked for put in."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{main}"/>{types}</Types>',
        )
        archive.writestr("_rels/.rels", relationships(relationship("officeDocument", "word/document.xml", "Internal")))
        archive.writestr(
            "word/document.xml",
            f'<?xml version="1.0"?>{head}<w:document xmlns:w="{WORD}"><w:body>'
            f"<w:p><w:r><w:t>Submission</w:t></w:r></w:p>{body}</w:body></w:document>",
        )
        archive.writestr("word/_rels/document.xml.rels", relationships(links))
        for name, content in parts:
            archive.writestr(name, content)
        if change:
            change(archive)
    return target.getvalue()


def relationships(inside):
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<?xml version="1.0"?><Relationships xmlns="{space}">{inside}</Relationships>'


# --- OpenDocument ---------------------------------------------------------------------------------------------------

SPACES = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "svg": "urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0",
    "meta": "urn:oasis:names:tc:opendocument:xmlns:meta:1.0",
    "config": "urn:oasis:names:tc:opendocument:xmlns:config:1.0",
    "script": "urn:oasis:names:tc:opendocument:xmlns:script:1.0",
    "form": "urn:oasis:names:tc:opendocument:xmlns:form:1.0",
    "manifest": "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0",
    "loext": "urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0",
    "officeooo": "http://openoffice.org/2009/office",
    "xlink": "http://www.w3.org/1999/xlink",
    "dc": "http://purl.org/dc/elements/1.1/",
}
NAMED = " ".join(f'xmlns:{short}="{space}"' for short, space in SPACES.items())
ODT = "application/vnd.oasis.opendocument.text"


def office(kind, inside, head=""):
    return f'<?xml version="1.0" encoding="UTF-8"?>{head}<office:{kind} {NAMED}>{inside}</office:{kind}>'


def odt(
    *, body="", before="", styles="", locked="", head="", parts=(), mimetype=ODT, first=True,
    packed=zipfile.ZIP_STORED, change=None,
):  # fmt: skip
    """A small OpenDocument text, with what is asked for put in."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        if first:
            archive.writestr("mimetype", mimetype, packed)
        archive.writestr(
            "content.xml",
            office(
                "document-content",
                f"<office:automatic-styles/>{before}<office:body><office:text>"
                f"<text:p>Submission</text:p>{body}</office:text></office:body>",
                head,
            ),
        )
        archive.writestr("styles.xml", office("document-styles", f"<office:styles>{styles}</office:styles>"))
        files = "".join(
            f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="text/xml">{locked}'
            "</manifest:file-entry>"
            for name in ("content.xml", "styles.xml")
        )
        archive.writestr(
            "META-INF/manifest.xml",
            f'<?xml version="1.0"?><manifest:manifest xmlns:manifest="{SPACES["manifest"]}">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{ODT}"/>{files}</manifest:manifest>',
        )
        if not first:
            archive.writestr("mimetype", mimetype, packed)
        for name, content in parts:
            archive.writestr(name, content)
        if change:
            change(archive)
    return target.getvalue()


def frame(inside):
    return f"<text:p><draw:frame>{inside}</draw:frame></text:p>"


# --- Archives -------------------------------------------------------------------------------------------------------


def archive_of(**entries):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return target.getvalue()


def symlink(archive):
    entry = zipfile.ZipInfo("word/media/image1.png")
    entry.external_attr = 0o120777 << 16
    archive.writestr(entry, "/etc/passwd")


def marked_encrypted(data):
    """The flag of encryption in each entry of the directory."""
    return data.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00")


def lying(announced, real):
    """One entry that says it is `announced` bytes long and unpacks to `real`; its checksum fits the shorter one."""
    name = b"word/media/image1.png"
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = os.urandom(real)
    packed = engine.compress(content) + engine.flush()
    checksum = zlib.crc32(content[:announced])
    data = docx()
    directory = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    local = (
        struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 33, checksum, len(packed), announced, len(name), 0) + name
    )
    central = struct.pack(
        "<4s6H3L5H2L",
        b"PK\x01\x02",
        20,
        20,
        0,
        8,
        0,
        33,
        checksum,
        len(packed),
        announced,
        len(name),
        0,
        0,
        0,
        0,
        0,
        directory,
    )
    count = struct.unpack("<H", data[end + 10 : end + 12])[0] + 1
    entries = data[directory:end] + central + name
    place = directory + len(local) + len(packed)
    closing = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entries), place, 0)
    return data[:directory] + local + packed + entries + closing


def overlapping(times=300):
    """Many directory entries that all point at the same packed bytes (after D. Fifield)."""
    name = b"word/media/image1.png"
    content = os.urandom(4096) * 20
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = engine.compress(content) + engine.flush()
    facts = (0, 8, 0, 33, zlib.crc32(content), len(packed), len(content), len(name))
    data = docx()
    directory, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, *facts, 0) + name
    central = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, *facts, 0, 0, 0, 0, 0, directory)
        + name.replace(b"image1", b"%06d" % n)
        for n in range(times)
    )
    count = struct.unpack("<H", data[end + 10 : end + 12])[0] + times
    entries = data[directory:end] + central
    closing = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entries), directory + len(local) + len(packed), 0
    )
    return data[:directory] + local + packed + entries + closing


def laughs():
    entities = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    return docx(head=f'<!DOCTYPE w [<!ENTITY l0 "ha">{entities}]>', body="<w:p><w:r><w:t>&l9;</w:t></w:r></w:p>")


@cache
def pdf_bomb(size=600 * 1024 * 1024):
    """An object stream that unpacks to `size` zeros: reading the table of objects alone fills the memory."""
    engine = zlib.compressobj(1)
    packed = b"".join(engine.compress(bytes(1024 * 1024)) for _ in range(size // 1024 // 1024)) + engine.flush()
    whole = b"%PDF-1.5\n"
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [5 0 R] /Count 1 >>",
        3: b"<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream"
        % (len(packed), packed),
    }
    places = {}
    for number, content in objects.items():
        places[number] = len(whole)
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(whole)
    rows = [(0, 0, 255), *((1, places[n], 0) for n in (1, 2, 3)), (1, start, 0), (2, 3, 0)]
    table = b"".join(struct.pack(">BIB", *row) for row in rows)
    whole += (
        b"4 0 obj\n<< /Type /XRef /Size 6 /W [1 4 1] /Root 1 0 R /Length %d >>\nstream\n%s\nendstream\nendobj\n"
        % (len(table), table)
    )
    return whole + b"startxref\n%d\n%%%%EOF\n" % start
