"""A PDF written anew, without who made it, when, where and with what. The text stays. Room: applications, in the
sandbox.

What a page needs to look as it does is named here and kept; what else the document, a page or a form says is left out.
Old versions, objects that nothing refers to, and whatever was hung on the end do not come along.
"""

import io
import re
import zlib

import pictures
import pikepdf
from limits import No
from pdf_check import does
from pikepdf import Array, Dictionary, Name, Stream, String

OF_DOCUMENT = {
    "/Type", "/Version", "/Pages", "/PageLabels", "/Names", "/Dests", "/ViewerPreferences", "/PageLayout", "/PageMode",
    "/Outlines", "/OpenAction", "/AcroForm", "/StructTreeRoot", "/MarkInfo", "/Lang", "/OCProperties",
}  # fmt: skip
OF_PAGE = {
    "/Type", "/Parent", "/Resources", "/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox", "/Contents",
    "/Rotate", "/Group", "/Annots", "/StructParents", "/Tabs", "/UserUnit",
}  # fmt: skip
OF_FORM = {"/Fields", "/DR", "/DA", "/Q", "/NeedAppearances"}
NOWHERE = {  # wherever they stand they are about the making of the file, or act
    "/Metadata", "/PieceInfo", "/LastModified", "/Thumb", "/AF", "/OPI", "/Ref", "/SpiderInfo", "/Measure", "/PtData",
    "/AA", "/PA", "/Author", "/Creator", "/CreatorInfo", "/Producer", "/CreationDate", "/ModDate", "/Keywords",
    "/Company", "/SourceModified", "/RV", "/RC", "/TM",
}  # fmt: skip
OF_PROGRAMS = ("/PTEX.", "/AAPL:", "/ADBE_")  # private words; TeX names the files and authors of included pictures
OF_REMARKS = ("/T", "/M", "/NM", "/Subj", "/Popup", "/IRT", "/ExData")  # who, when
OF_SIGNATURE = {
    "/V", "/AP", "/Kids", "/Lock", "/SV", "/Name", "/Reason", "/Location", "/ContactInfo", "/Contents", "/Cert", "/M",
    "/Prop_Build",
}  # fmt: skip
KEPT_ACTIONS = ("/GoTo", "/Named", "/URI")
WEB = re.compile(r"\s*(https?://|mailto:|tel:|ftp://|www\.)", re.IGNORECASE)
PATH = re.compile(r"([a-z]:\\|\\\\|file:|/(home|users)/|~/)", re.IGNORECASE)
MOST_TO_FILTER = 16 * 1024 * 1024  # bytes of drawing, of all pages: five seconds; a thousand pages have less


def clean(data):
    pdf = pikepdf.open(io.BytesIO(data), suppress_warnings=True)
    for key in set(pdf.trailer.keys()) - {"/Root", "/Size"}:
        del pdf.trailer[key]
    keep(pdf.Root, OF_DOCUMENT)
    clean_document(pdf.Root)
    left = MOST_TO_FILTER
    for page in pdf.pages:
        clean_page(page)
        left -= clean_drawing(page, left)
    for thing in pdf.objects:
        clean_deeply(thing)
    copy = io.BytesIO()
    pdf.save(copy, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return copy.getvalue()


def keep(facts, keys):
    for key in set(facts.keys()) - keys:
        del facts[key]


def clean_document(root):
    if isinstance(root.get("/Names"), Dictionary):
        keep(root.Names, {"/Dests"})
    if isinstance(root.get("/AcroForm"), Dictionary):
        keep(root.AcroForm, OF_FORM)
    if isinstance(root.get("/MarkInfo"), Dictionary):
        keep(root.MarkInfo, {"/Marked", "/Suspects"})
    on_opening = root.get("/OpenAction")
    if isinstance(on_opening, Dictionary) and does(on_opening) != "/GoTo":
        del root["/OpenAction"]


def clean_page(page):
    keep(page.obj, OF_PAGE)
    kept = [each for each in page.obj.get("/Annots", []) if isinstance(each, Dictionary) and is_kept(each)]
    for each in kept:
        clean_annotation(each)
    if kept:
        page.obj["/Annots"] = Array(kept)
    elif "/Annots" in page.obj:
        del page.obj["/Annots"]


def is_kept(annotation):
    """Small windows with a writer's name are not, nor signatures: a copy is not what was signed."""
    field = annotation.get("/Parent", annotation)
    signs = Name.Sig in (annotation.get("/FT"), field.get("/FT") if isinstance(field, Dictionary) else None)
    return annotation.get("/Subtype") != Name.Popup and not signs


def clean_annotation(annotation):
    for key in OF_REMARKS:
        is_name_of_field = key == "/T" and annotation.get("/Subtype") == Name.Widget
        if key in annotation and not is_name_of_field:
            del annotation[key]


def clean_drawing(page, most):
    """Pictures inside the page's drawing are taken out of it, to be cleaned like others; remarks in it are dropped.
    Returns how many bytes were gone through for remarks; never more than `most`."""
    contents = page.obj.get("/Contents")
    streams = list(contents) if isinstance(contents, Array) else [contents]
    drawn = b"\n".join(each.read_bytes() for each in streams if isinstance(each, Stream))
    if re.search(rb"/(DCT|JPX)", drawn):
        page.externalize_inline_images(min_size=0)
    if b"%" not in drawn or len(drawn) > most:
        return 0
    without = page.get_filtered_contents(WithoutRemarks())
    page.contents_coalesce()
    page.obj.Contents.write(without)
    return len(drawn)


class WithoutRemarks(pikepdf.TokenFilter):
    def handle_token(self, token=None):
        return None if token.type_ == pikepdf.TokenType.comment else token


# --- Everywhere -----------------------------------------------------------------------------------------------------


def clean_deeply(thing):
    """One object, and all that stands directly inside it."""
    pile = [thing]
    while pile:
        thing, parts = pile.pop(), ()
        if isinstance(thing, Stream):
            clean_facts(thing)
            clean_stream(thing)
            parts = [part for _key, part in thing.items()]
        elif isinstance(thing, Dictionary):
            clean_facts(thing)
            parts = [part for _key, part in thing.items()]
        elif isinstance(thing, Array):
            parts = list(thing)
        pile += [part for part in parts if isinstance(part, Array | Dictionary) and not part.is_indirect]


def clean_facts(facts):
    for key in set(facts.keys()):
        if key in NOWHERE or key.startswith(OF_PROGRAMS):
            del facts[key]
    action = facts.get("/A")
    if isinstance(facts.get("/URI"), String) and not WEB.match(str(facts["/URI"])):  # a path on the writer's machine
        facts["/URI"] = String("")
    if isinstance(action, Dictionary) and "/S" in action:
        if does(action) not in KEPT_ACTIONS:
            del facts["/A"]
        elif "/Next" in action:
            del action["/Next"]
    if facts.get("/FT") == Name.Sig or "/ByteRange" in facts:  # names who signed
        for key in set(facts.keys()) & OF_SIGNATURE:
            del facts[key]
    if isinstance(facts.get("/Usage"), Dictionary) and "/User" in facts["/Usage"]:  # of a layer
        del facts["/Usage"]["/User"]
    if "/S" in facts and "/P" in facts:  # a part of the structure
        clean_structure(facts)
    if isinstance(facts.get("/ClassMap"), Dictionary):
        for name in set(facts["/ClassMap"].keys()):
            if says_something_about_users(facts["/ClassMap"][name]):
                del facts["/ClassMap"][name]


def clean_structure(element):
    """Headings, paragraphs, pictures of the text: what a program has noted beside them."""
    if "/T" in element:
        del element["/T"]
    alternative = element.get("/Alt")
    if isinstance(alternative, String) and PATH.search(str(alternative)):
        del element["/Alt"]
    attributes = element.get("/A")
    if isinstance(attributes, Array):
        element["/A"] = Array([each for each in attributes if not says_something_about_users(each)])
    elif says_something_about_users(attributes):
        del element["/A"]


def says_something_about_users(attributes):
    if isinstance(attributes, Array):
        return any(says_something_about_users(each) for each in attributes)
    return isinstance(attributes, Dictionary) and attributes.get("/O") == Name.UserProperties


# --- Streams --------------------------------------------------------------------------------------------------------

PACKED = {"/FlateDecode", "/Fl"}
JPEGS = {"/DCTDecode": pictures.jpeg, "/DCT": pictures.jpeg, "/JPXDecode": pictures.jp2}


def clean_stream(stream):
    if stream.get("/Subtype") in (Name.Image, Name.Form):
        for key in ("/ID", "/Name"):
            if key in stream:
                del stream[key]
    filters = stream.get("/Filter")
    filters = [str(each) for each in filters] if isinstance(filters, Array) else [str(filters)] if filters else []
    if not filters or filters[-1] not in JPEGS:
        return
    content = bytes(stream.read_raw_bytes())
    for each in filters[:-1]:
        if each not in PACKED:
            raise No("unreadable")
        content = zlib.decompress(content)
    parms = stream.get("/DecodeParms")
    parms = parms[-1] if isinstance(parms, Array) and len(parms) else parms
    parms = parms if isinstance(parms, Dictionary) else None
    stream.write(JPEGS[filters[-1]](content), filter=Name(filters[-1]), decode_parms=parms)
