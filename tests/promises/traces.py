"""Documents with a person's name, and the place where a picture was taken, in every corner that programs write to.

Each entry of PDF, DOCX and ODT makes a whole document with one planted trace; `everywhere` plants all of them at once.
The text is the same in all, so that it can be compared.
"""

import struct
import zlib

from pikepdf import Array, Dictionary, Name, String

from tests.applications import hostile
from tests.applications.hostile import frame, relationship
from tests.promises.traces_in_pictures import CAMERA, DRAWING, PHOTO, PICTURES, WHERE, WHO, jpeg

LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

# --- PDF ------------------------------------------------------------------------------------------------------------


def _on_page(**facts):
    return lambda document: [document.pages[0].obj.__setitem__(f"/{key}", value) for key, value in facts.items()]


def _in_document(**facts):
    return lambda document: [document.Root.__setitem__(f"/{key}", value) for key, value in facts.items()]


def _remark(**facts):
    facts = {"Type": Name.Annot, "Rect": [9, 9, 20, 20], "Contents": String("See page 2"), **facts}
    return lambda document: _annotate(document, Dictionary(**facts))


def _annotate(document, annotation):
    page = document.pages[0].obj
    page.Annots = Array([*page.get("/Annots", []), document.make_indirect(annotation)])


def _picture(content, kind="/DCTDecode", **facts):
    def plant(document):
        page = document.pages[0].obj
        image = document.make_stream(content)
        image.stream_dict = Dictionary(
            Type=Name.XObject, Subtype=Name.Image, Width=8, Height=8, ColorSpace=Name.DeviceGray, BitsPerComponent=8,
            Filter=Name(kind), **facts,
        )  # fmt: skip
        if "/XObject" not in page.Resources:
            page.Resources.XObject = Dictionary()
        page.Resources.XObject[f"/Im{len(page.Resources.XObject)}"] = image

    return plant


def _packed_picture(document):
    _picture(zlib.compress(PHOTO))(document)
    objects = document.pages[0].obj.Resources.XObject
    objects[f"/Im{len(objects) - 1}"].stream_dict["/Filter"] = Array([Name.FlateDecode, Name.DCTDecode])


def _inside_the_drawing(document):
    page = document.pages[0].obj
    picture = b"q BI /W 8 /H 8 /CS /G /BPC 8 /F /DCT ID " + jpeg(CAMERA) + b" EI Q\n"
    page.Contents = document.make_stream(page.Contents.read_bytes() + b"\n" + picture)


def _remark_in_the_drawing(document):
    page = document.pages[0].obj
    page.Contents = document.make_stream(b"% by " + WHO.encode() + b"\n" + page.Contents.read_bytes())


def _xmp(document):
    content = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:x="urn:x" x:by="{WHO}"/></rdf:RDF></x:xmpmeta>'
    ).encode()
    document.Root.Metadata = document.make_stream(content, Type=Name.Metadata, Subtype=Name.XML)


def _metadata_of_picture(document):
    _picture(jpeg(), Metadata=document.make_stream(WHO.encode()))(document)


def _included_by_tex(document):
    about = Dictionary(Author=String(WHO))
    _picture(jpeg(), **{"PTEX.FileName": String("/home/amina.canary/a.pdf"), "PTEX.InfoDict": about})(document)


def _signature(document):
    value = Dictionary(Type=Name.Sig, Filter=Name("/Adobe.PPKLite"), Name=String(WHO), ByteRange=Array([0, 1, 2, 3]),
                       Contents=String(WHO))  # fmt: skip
    look = document.make_stream(f"BT ({WHO}) Tj ET".encode(), Subtype=Name.Form, BBox=Array([0, 0, 9, 9]))
    field = document.make_indirect(
        Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, T=String("Signature1"), V=value,
                   Rect=Array([0, 0, 9, 9]), AP=Dictionary(N=look))
    )  # fmt: skip
    _annotate(document, field)
    document.Root.AcroForm = Dictionary(Fields=Array([field]), SigFlags=3)


def _structure(document):
    users = Dictionary(O=Name.UserProperties, P=Array([Dictionary(N=String("Author"), V=String(WHO))]))
    root = document.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    part = document.make_indirect(
        Dictionary(Type=Name.StructElem, S=Name.Figure, P=root, A=users, T=String(WHO),
                   Alt=String("C:\\Users\\amina.canary\\photo.jpg"))
    )  # fmt: skip
    root.K, root.ClassMap = part, Dictionary(A=users)
    document.Root.StructTreeRoot, document.Root.MarkInfo = root, Dictionary(Marked=True, UserProperties=True)


def _layer(document):
    made = Dictionary(CreatorInfo=Dictionary(Creator=String(WHO)), User=Dictionary(Type=Name.Ind, Name=String(WHO)))
    layer = document.make_indirect(Dictionary(Type=Name.OCG, Name=String("Map"), Usage=made))
    document.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=Dictionary(Order=Array([layer])))


def _thread(document):
    bead = document.make_indirect(Dictionary(P=document.pages[0].obj, R=Array([0, 0, 9, 9])))
    thread = document.make_indirect(Dictionary(Type=Name.Thread, F=bead, I=Dictionary(Author=String(WHO))))
    bead.T, document.Root.Threads, document.pages[0].obj.B = thread, Array([thread]), Array([bead])


def _jpeg2000(document):
    code = (
        b"\xff\x4f\xff\x51\0\4\0\0\xff\x64"
        + struct.pack(">HH", len(WHO) + 4, 1)
        + WHO.encode()
        + b"\xff\x90\0\0\xff\xd9"
    )
    boxes = b"\0\0\0\x0cjP  \r\n\x87\n"
    for name, content in ((b"xml ", WHERE.encode()), (b"uuid", bytes(16) + WHO.encode()), (b"jp2c", code)):
        boxes += struct.pack(">L", len(content) + 8) + name + content
    _picture(boxes, "/JPXDecode")(document)


def _form(drawing):
    def plant(document):
        form = document.make_stream(drawing, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 9, 9]))
        resources = document.pages[0].obj.Resources
        resources.XObject = Dictionary(dict(resources.get("/XObject", {})))
        resources.XObject[f"/Fm{len(resources.XObject)}"] = form

    return plant


def _looks(document):
    look = document.make_stream(f"% {WHO}\n0 0 m".encode(), Subtype=Name.Form, BBox=Array([0, 0, 9, 9]))
    _remark(Subtype=Name.Square, AP=Dictionary(N=look))(document)


def _pattern(document):
    pattern = document.make_stream(f"% {WHO}\n0 0 m".encode(), PatternType=1, PaintType=1, BBox=Array([0, 0, 9, 9]))
    document.pages[0].obj.Resources.Pattern = Dictionary(P1=pattern)


def _table_of_letters(document):
    letters = "<< /Registry (Adobe) /Ordering (UCS) /Supplement 0 >>\n1 beginbfchar <53> <0053> endbfchar"
    document.pages[0].obj.Resources.Font.F1.Type = Name.Font
    document.pages[0].obj.Resources.Font.F1 = document.make_indirect(document.pages[0].obj.Resources.Font.F1)
    document.pages[0].obj.Resources.Font.F1.ToUnicode = document.make_stream(f"% {WHO}\n{letters}".encode())


def _properties(document):
    document.pages[0].obj.Resources.Properties = Dictionary(M1=Dictionary(MCID=1, Canary=String(WHO)))


def _layers(document):
    layer = document.make_indirect(Dictionary(Type=Name.OCG, Name=String(WHO)))
    layers = document.Root.get("/OCProperties", Dictionary(OCGs=Array([]), D=Dictionary()))
    layers.OCGs = Array([*layers.OCGs, layer])
    document.Root.OCProperties = layers


PDF = {
    "the author in its properties": lambda document: document.docinfo.__setitem__("/Author", WHO),
    "a property of a program": lambda document: document.docinfo.__setitem__("/Canary", WHO),
    "properties as XML": _xmp,
    "the writer of a remark": _remark(Subtype=Name.Text, T=String(WHO), M=String("D:20260302"), NM=String(WHO)),
    "the subject of a remark": _remark(Subtype=Name.Highlight, Subj=String(WHO), RC=String(f"<p>{WHO}</p>")),
    "the window of a remark": _remark(Subtype=Name.Popup, T=String(WHO)),
    "a link to a file of one’s own": _remark(
        Subtype=Name.Link, A=Dictionary(S=Name.URI, URI=String("amina.canary/annex.pdf"))
    ),
    "what comes after a click": _remark(
        Subtype=Name.Link,
        A=Dictionary(S=Name.GoTo, D=Array([0, Name.Fit]), Next=Dictionary(S=Name.Hide, T=String(WHO))),
    ),
    "notes of a program on the document": _in_document(PieceInfo=Dictionary(Word=Dictionary(Private=String(WHO)))),
    "notes of a program on a page": _on_page(PieceInfo=Dictionary(Word=Dictionary(Private=String(WHO)))),
    "a preview of a page": lambda document: _on_page(Thumb=document.make_stream(WHO.encode()))(document),
    "where a map lies": _on_page(VP=Array([Dictionary(Measure=Dictionary(GCS=String(WHERE)))])),
    "a key of the document nobody knows": _in_document(Canary=String(WHO)),
    "a key of a page nobody knows": _on_page(Canary=String(WHO)),
    "how colours were meant": _in_document(OutputIntents=Array([Dictionary(Info=String(WHO))])),
    "where it was fetched": _in_document(SpiderInfo=Dictionary(C=Array([String(WHO)]))),
    "names of names": _in_document(Names=Dictionary(Pages=Dictionary(Names=Array([String(WHO), Dictionary()])))),
    "a signature": _signature,
    "notes on parts of the text": _structure,
    "the maker of a layer": _layer,
    "the author of an article": _thread,
    "a photograph": _picture(PHOTO),
    "a photograph packed twice": _packed_picture,
    "a photograph inside the drawing": _inside_the_drawing,
    "a picture in JPEG 2000": _jpeg2000,
    "properties of a picture": _metadata_of_picture,
    "a picture that TeX put in": _included_by_tex,
    "a remark in the drawing": _remark_in_the_drawing,
    "a remark in a drawing inside the page": _form(b"% by " + WHO.encode() + b"\n0 0 m"),
    "a photograph inside a drawing inside the page": _form(
        b"q BI /W 8 /H 8 /CS /G /BPC 8 /F /DCT ID " + jpeg(CAMERA) + b" EI Q\n"
    ),
    "who drew a part of a drawing": _form(b"/P <</MCID 1/Author (" + WHO.encode() + b")/Lang (fr)>> BDC EMC"),
    "a remark in the looks of a remark": _looks,
    "a remark in a pattern": _pattern,
    "a remark in a table of letters": _table_of_letters,
    "who drew a part, by a name": _properties,
    "the name of a layer": _layers,
    "the name of a stamp": _remark(Subtype=Name.Stamp, Name=Name("/amina.canary")),
    "an object that nothing refers to": lambda document: document.make_indirect(Dictionary(A=String(WHO))),
}


def pdf(*plants, **saving):
    def change(document):
        for plant in plants:
            plant(document)

    return hostile.pdf(change, pages=2, compress_streams=False, **saving)


def older_version():
    """A second version saved behind the first one, which still lies in the file."""
    first, second = pdf(PDF["the author in its properties"]), pdf()
    return first + second


# --- Word -----------------------------------------------------------------------------------------------------------

W14 = "http://schemas.microsoft.com/office/word/2010/wordml"
DRAW = "http://schemas.openxmlformats.org/drawingml/2006"


def picture_in_word(attributes=""):
    return (
        f'<w:p><w:r><w:drawing><wp:inline xmlns:wp="{DRAW}/wordprocessingDrawing"><wp:docPr id="1" {attributes}/>'
        f'<a:blip xmlns:a="{DRAW}/main" xmlns:r="{LINKS}" r:embed="r1"/></wp:inline></w:drawing></w:r></w:p>'
    )


def _with_picture(name, content):
    return {
        "body": picture_in_word(),
        "links": relationship("image", f"media/image1.{name}", "Internal"),
        "types": f'<Default Extension="{name}" ContentType="image/{name}"/>',
        "parts": [(f"word/media/image1.{name}", content)],
    }


def _part(kind, name, inside):
    return {
        "links": relationship(kind, name, "Internal"),
        "parts": [(f"word/{name}", inside)],
        "types": f'<Override PartName="/word/{name}" ContentType="application/vnd.x+xml"/>',
    }


def _xml(tag, inside, more=""):
    return f'<?xml version="1.0"?><w:{tag} xmlns:w="{hostile.WORD}" xmlns:w14="{W14}" {more}>{inside}</w:{tag}>'


def _settings(inside):
    return _part("settings", "settings.xml", _xml("settings", inside))


RSID = f'w:rsidR="00A{"B" * 5}"'
CHANGED = (
    f'<w:p><w:ins w:id="1" w:author="{WHO}" w:date="2026-03-02T10:00:00Z"><w:r><w:t>added</w:t></w:r></w:ins></w:p>'
)
CODES = ("ADDIN ZOTERO_ITEM", "ADDIN EN.CITE", "AUTHOR", "SET who", "DOCPROPERTY", "IF 1 = 1", "FILLIN")
DOCX = {
    "the author in its properties": _part("core-properties", "core.xml", f"<a>{WHO}</a>"),
    "the company in its properties": _part("extended-properties", "app.xml", f"<a>{WHO}</a>"),
    "properties of one’s own": _part("custom-properties", "custom.xml", f"<a>{WHO}</a>"),
    "the people who wrote": _part("people", "people.xml", f"<a>{WHO}</a>"),
    "when remarks were written": _part("commentsExtensible", "commentsExtensible.xml", f"<a>{WHO}</a>"),
    "data behind forms": _part("customXml", "item1.xml", f"<a>{WHO}</a>"),
    "building blocks": _part("glossaryDocument", "glossary.xml", f"<a>{WHO}</a>"),
    "a printer": _part("printerSettings", "printerSettings1.bin", WHO),
    "a preview": _part("thumbnail", "thumbnail.jpeg", PHOTO),
    "a signature": _part("origin", "origin.sigs", WHO),
    "a part nobody announces": {"parts": [("word/notes.xml", f"<a>{WHO}</a>")]},
    "the writer of a remark": _part(
        "comments", "comments.xml",
        _xml("comments", f'<w:comment w:id="0" w:author="{WHO}" w:initials="{WHO}" w:date="2026-03-02T10:00:00Z">'
             f'<w:p w14:paraId="{WHO}"><w:r><w:t>See page 2</w:t></w:r></w:p></w:comment>'),
    ),
    "the writer of a change": {"body": f"<w:p>{CHANGED}</w:p>"},
    "the writer of a change of looks": {
        "body": f'<w:p><w:pPr><w:pPrChange w:id="2" w:author="{WHO}"><w:pPr/></w:pPrChange></w:pPr></w:p>'
    },
    "who may change a part": {"body": f'<w:p><w:permStart w:id="1" w:ed="{WHO}"/><w:permEnd w:id="1"/></w:p>'},
    "data bound to a form": {
        "body": f'<w:sdt><w:sdtPr><w:dataBinding w:xpath="{WHO}"/></w:sdtPr><w:sdtContent/></w:sdt>'
    },
    "a remark of a program": {"body": f"<!-- {WHO} --><?word {WHO}?>"},
    "numbers of sittings": {"body": f"<w:p {RSID.replace('00A', WHO)}/>"},
    "variables": _settings(f'<w:docVars><w:docVar w:name="author" w:val="{WHO}"/></w:docVars>'),
    "numbers of all sittings": _settings(f'<w:rsids><w:rsidRoot w:val="{WHO}"/></w:rsids>'),
    "who locked it": _settings(f'<w:writeProtection w:userName="{WHO}"/><w:documentProtection w:hash="{WHO}"/>'),
    "letters to many": _settings(f'<w:mailMerge><w:query w:val="{WHO}"/></w:mailMerge>'),
    "the name of a picture’s file": {"body": picture_in_word(f'name="{WHO}.jpg"')},
    "the path of a picture’s file": {"body": picture_in_word('descr="C:\\Users\\amina.canary\\a.jpg"')},
    "a link to a file of one’s own": {
        "body": f'<w:p><w:hyperlink xmlns:r="{LINKS}" r:id="r1" w:tooltip="C:\\Users\\amina.canary\\a.docx">'
        "<w:r><w:t>annex</w:t></w:r></w:hyperlink></w:p>",
        "links": relationship("hyperlink", "amina.canary.docx"),
    },
    "a link to a file, by a field": {"body": hostile.field([' HYPERLINK "amina.canary.docx" '])},
    **{f"the code of a field, {word}": {"body": hostile.field([f" {word} ", f'"{WHO}" '])} for word in CODES},
    "the code of a short field": {"body": f'<w:p><w:fldSimple w:instr=" AUTHOR &quot;{WHO}&quot; "/></w:p>'},
    "the data of a field": {"body": f"<w:p><w:r><w:fldData>{WHO}</w:fldData></w:r></w:p>"},
    "the data of a shape": {
        "body": f'<w:p><v:shape xmlns:v="urn:v" xmlns:o="urn:o" o:gfxdata="{WHO}"/></w:p>'
    },
    "the name of a box to fill in": {
        "body": f'<w:sdt><w:sdtPr><w:alias w:val="{WHO}"/><w:tag w:val="{WHO}"/></w:sdtPr><w:sdtContent/></w:sdt>'
    },
    "what a word was taken for": {"body": f'<w:customXml w:uri="urn:{WHO}" w:element="{WHO}"><w:p/></w:customXml>'},
    "the name of a bookmark": {
        "body": '<w:bookmarkStart w:id="9" w:name="amina.canary"/><w:bookmarkEnd w:id="9"/>'
        '<w:p><w:hyperlink w:anchor="amina.canary"><w:r><w:t>there</w:t></w:r></w:hyperlink></w:p>'
    },
    "the file behind a chart": _part(
        "chart", "chart1.xml",
        f'<c:chart xmlns:c="{DRAW}/chart"><c:f>\'C:\\Users\\amina.canary\\[a.xlsx]Sheet1\'!$A$1</c:f></c:chart>',
    ),
    "remarks on the archive": {"change": lambda archive: setattr(archive, "comment", WHO.encode())},
    **{what: _with_picture(name, content) for what, (name, content) in PICTURES.items()},
}  # fmt: skip


def docx(*plants):
    """One document with all these traces, each with relationships and parts of its own."""
    facts, changes = {"links": "", "types": "", "body": "", "parts": []}, []
    for number, plant in enumerate(plants, start=100):
        told = {key: plant.get(key, "").replace('"r1"', f'"r{number}"') for key in ("links", "types", "body")}
        for name, content in plant.get("parts", []):
            folder, _, file = name.rpartition("/")
            told = {key: words.replace(file, f"{number}-{file}") for key, words in told.items()}
            facts["parts"].append((f"{folder}/{number}-{file}", content))
        for key, words in told.items():
            facts[key] += words
        changes += [plant["change"]] if "change" in plant else []
    return hostile.docx(**facts, change=lambda archive: [change(archive) for change in changes])


# --- OpenDocument ---------------------------------------------------------------------------------------------------


def picture_in_odt(name, content):
    return {
        "body": frame(f'<draw:image xlink:href="Pictures/1.{name}"/>'),
        "parts": [(f"Pictures/1.{name}", content)],
    }


def _part_of_odt(kind, name, inside):
    return {"parts": [(name, hostile.office(f"document-{kind}", f"<office:{kind}>{inside}</office:{kind}>"))]}


def _setting(name, kind):
    return f'<config:config-item config:name="{name}" config:type="{kind}">{WHO}</config:config-item>'


BY = f"<dc:creator>{WHO}</dc:creator><dc:date>2026-03-02</dc:date>"
SHORT = f"<meta:creator-initials>{WHO}</meta:creator-initials><loext:sender-initials>{WHO}</loext:sender-initials>"
REGION = f"<text:changed-region><text:insertion><office:change-info>{BY}</office:change-info></text:insertion>"
ODT = {
    "the author in its properties": _part_of_odt("meta", "meta.xml", BY),
    "a template": _part_of_odt("meta", "meta.xml", '<meta:template xlink:href="file:///home/amina.canary/a.ott"/>'),
    "the writer of a remark": {
        "body": f"<text:p><office:annotation>{BY}{SHORT}<text:p>See page 2</text:p></office:annotation></text:p>"
    },
    "the writer of a change": {
        "body": f"<text:tracked-changes>{REGION}</text:changed-region></text:tracked-changes>"
    },
    "numbers of sittings": {
        "styles": f'<style:style officeooo:rsid="{WHO}"><style:p officeooo:paragraph-rsid="{WHO}"/></style:style>'
    },
    "the name of a picture’s file": {
        "body": f'<text:p><draw:frame draw:name="{WHO}"/></text:p>'
    },
    "the path of a picture’s file": {"body": frame("<svg:desc>/home/amina.canary/a.jpg</svg:desc>")},
    "a link to a file of one’s own": {"body": '<text:p><text:a xlink:href="amina.canary.odt">annex</text:a></text:p>'},
    "a printer": _part_of_odt("settings", "settings.xml", _setting("PrinterName", "string") + _setting("Rsid", "int")),
    "a preview": {"parts": [("Thumbnails/thumbnail.png", DRAWING)]},
    "the list of versions": {"parts": [("VersionList.xml", f"<a>{WHO}</a>")]},
    "facts about parts": {"parts": [("manifest.rdf", f"<a>{WHO}</a>")]},
    "a signature": {"parts": [("META-INF/documentsignatures.xml", f"<a>{WHO}</a>")]},
    "tool bars": {"parts": [("Configurations2/menubar/a.xml", f"<a>{WHO}</a>")]},
    "how it was laid out": {"parts": [("layout-cache", WHO)]},
    "a part nobody knows": {"parts": [("notes.xml", f"<a>{WHO}</a>")]},
    "a remark of a program": {"body": f"<!-- {WHO} --><?office {WHO}?>"},
    "a value that nothing shows": {
        "body": f'<text:user-field-decls><text:user-field-decl text:name="a" office:string-value="{WHO}"/>'
        "</text:user-field-decls>"
    },
    "the name of a value": {
        "body": f'<text:user-field-decls><text:user-field-decl text:name="{WHO}"/></text:user-field-decls>'
        f'<text:p><text:user-field-get text:name="{WHO}">5</text:user-field-get></text:p>'
    },
    "hidden text": {"body": f'<text:p><text:hidden-text text:string-value="{WHO}"/></text:p>'},
    "the name of a database": {"body": f'<text:p><text:database-display text:database-name="{WHO}"/></text:p>'},
    "what to write in a place": {"body": f'<text:p><text:placeholder text:description="{WHO}"/></text:p>'},
    "the shown name of a style": {"styles": f'<style:style style:name="P1" style:display-name="{WHO}"/>'},
    "the name of a shape": {"body": f'<text:p><draw:rect draw:name="{WHO}"/></text:p>'},
    "the name of a box that goes on in another": {
        "body": frame(f'<draw:text-box draw:chain-next-name="{WHO}"/>')
        + f'<text:p><draw:frame draw:name="{WHO}"/></text:p>'
    },
    "the name of a section": {"body": f'<text:section text:name="{WHO}"><text:p/></text:section>'},
    "the name of a bookmark": {
        "body": f'<text:p><text:bookmark text:name="{WHO}"/><text:a xlink:href="#{WHO}">there</text:a>'
        f'<text:bookmark-ref text:ref-name="{WHO}">5</text:bookmark-ref></text:p>'
    },
    "a source, by a library of literature": {
        "body": f'<text:p><text:reference-mark-start text:name="ZOTERO_ITEM {WHO}"/>(Doe)'
        f'<text:reference-mark-end text:name="ZOTERO_ITEM {WHO}"/></text:p>'
    },
    "properties inside the text": {"before": f"<office:meta>{BY}</office:meta>"},
    "remarks on the archive": {"change": lambda archive: setattr(archive, "comment", WHO.encode())},
    **{what: picture_in_odt(name, content) for what, (name, content) in PICTURES.items()},
}  # fmt: skip


def odt(*plants):
    """One document with all these traces."""
    facts = {"body": "", "before": "", "styles": "", "parts": {}}
    changes = [plant["change"] for plant in plants if "change" in plant]
    for plant in plants:
        facts["body"] += plant.get("body", "")
        facts["before"] += plant.get("before", "")
        facts["styles"] += plant.get("styles", "")
        facts["parts"] |= dict(plant.get("parts", []))
    facts["parts"] = list(facts["parts"].items())
    return hostile.odt(**facts, change=lambda archive: [change(archive) for change in changes])


FORMATS = {"pdf": (PDF, pdf), "docx": (DOCX, docx), "odt": (ODT, odt)}
