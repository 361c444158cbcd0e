"""A PDF written anew, without who made it, when, where and with what. The text stays. Room: applications, in the
sandbox.

Of the document, of pages and of forms only keys on a list are kept. In all other objects it is a list of what programs
are known to note that is left out, not a list of what is kept.
Old versions, objects that nothing refers to, and whatever was hung on the end do not come along.
"""

import base64
import io
import re
import struct
import zlib

import pdf_drawings
import pictures
import pikepdf
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
    pdf_drawings.clean(pdf, left)
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
    pdf_drawings.properties(page.obj.get("/Resources"))
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
    if annotation.get("/Subtype") == Name.Stamp and "/Name" in annotation:
        del annotation["/Name"]
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
    if not pdf_drawings.says(drawn) or len(drawn) > most:
        return 0
    without = page.get_filtered_contents(pdf_drawings.OnlyDrawing())
    page.contents_coalesce()
    page.obj.Contents.write(without)
    return len(drawn)


# --- Everywhere -----------------------------------------------------------------------------------------------------


# Keys that `clean_facts` and `clean_stream` have something to do about. A tagged document has a hundred thousand
# objects, nearly all without any of them: those are passed over by one look at how they are written.
TO_DO = re.compile(
    rb"/(?:%s|FT|URI|ByteRange|Usage|ClassMap|A|T|Alt)(?![^\s/<>\[\]()])|%s"
    % (b"|".join(key[1:].encode() for key in sorted(NOWHERE)), b"|".join(re.escape(b.encode()) for b in OF_PROGRAMS))
)


def clean_deeply(thing):
    """One object, and all that stands directly inside it."""
    is_stream = isinstance(thing, Stream)
    if is_stream:
        clean_stream(thing)
    if not isinstance(thing, Array | Dictionary | Stream):
        return
    if not TO_DO.search((thing.stream_dict if is_stream else thing).unparse(resolved=True)):
        return
    pile = [thing]
    while pile:
        thing = pile.pop()
        if isinstance(thing, Array):
            parts = list(thing)
        else:
            clean_facts(thing)
            parts = [part for _key, part in thing.items()]
        pile += [part for part in parts if isinstance(part, Array | Dictionary) and not part.is_indirect]


def clean_facts(facts):
    keys = set(facts.keys())
    for key in keys:
        if key in NOWHERE or key.startswith(OF_PROGRAMS):
            del facts[key]
    keys -= NOWHERE
    if "/A" in keys:
        clean_action(facts)
    if "/URI" in keys and isinstance(facts.URI, String) and not WEB.match(str(facts.URI)):  # on the writer's machine
        facts["/URI"] = String("")
    if "/ByteRange" in keys or ("/FT" in keys and facts["/FT"] in (Name.Sig,)):  # names who signed
        for key in keys & OF_SIGNATURE:
            del facts[key]
    if "/Usage" in keys and isinstance(facts.Usage, Dictionary) and "/User" in facts.Usage:  # of a layer
        del facts["/Usage"]["/User"]
    if "/S" in keys and "/P" in keys and keys & {"/T", "/Alt", "/A"}:  # a part of the structure
        clean_structure(facts)
    if "/ClassMap" in keys and isinstance(facts.ClassMap, Dictionary):
        for name in set(facts["/ClassMap"].keys()):
            if says_something_about_users(facts["/ClassMap"][name]):
                del facts["/ClassMap"][name]


def clean_action(facts):
    action = facts["/A"]
    if isinstance(action, Dictionary) and "/S" in action:
        if does(action) not in KEPT_ACTIONS:
            del facts["/A"]
        elif "/Next" in action:
            del action["/Next"]


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

PACKED = {
    "/FlateDecode": zlib.decompress,
    "/Fl": zlib.decompress,
    "/ASCII85Decode": lambda text: base64.a85decode(text.strip().removeprefix(b"<~").split(b"~>")[0]),
    "/ASCIIHexDecode": lambda text: bytes.fromhex(text.split(b">")[0].decode("ascii")),
}
PACKED |= {"/A85": PACKED["/ASCII85Decode"], "/AHx": PACKED["/ASCIIHexDecode"]}
JPEGS = {"/DCTDecode": pictures.jpeg, "/DCT": pictures.jpeg, "/JPXDecode": pictures.jp2}
OF_PIXELS = {"/Filter", "/DecodeParms", "/Decode", "/ImageMask", "/Mask", "/SMask", "/SMaskInData", "/Matte"}


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
    try:
        for each in filters[:-1]:
            content = PACKED[each](content)
        content = JPEGS[filters[-1]](content)
    except (LookupError, ValueError, struct.error, zlib.error):  # nobody here can clean it; the text is worth more
        blank(stream)
        return
    parms = stream.get("/DecodeParms")
    parms = parms[-1] if isinstance(parms, Array) and len(parms) else parms
    parms = parms if isinstance(parms, Dictionary) else None
    stream.write(content, filter=Name(filters[-1]), decode_parms=parms)


def blank(picture):
    """One white pixel, in its place."""
    for key in OF_PIXELS & set(picture.keys()):
        del picture[key]
    picture.write(b"\xff")
    for key, value in {"Width": 1, "Height": 1, "BitsPerComponent": 8, "ColorSpace": Name.DeviceGray}.items():
        picture[f"/{key}"] = value
