"""PDFs: refuse what acts, calls, or carries something. Room: applications, in the sandbox."""

import io
import re
import zipfile

import pikepdf
from limits import No

HARMLESS_ON_OPENING = {"/GoTo", "/Named"}
ACTIONS = {
    "/JavaScript": "pdf_script",
    "/Launch": "pdf_action",
    "/ImportData": "pdf_action",
    "/SubmitForm": "pdf_action",
    "/GoToR": "pdf_action",  # another file, perhaps on a share of the network
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
WEB = ("http", "https", "mailto", "tel", "ftp")
SCHEME = re.compile(r"([a-z][a-z0-9+-]*):")


def is_zip(data):
    return zipfile.is_zipfile(io.BytesIO(data))


def inspect(data):
    try:
        pdf = pikepdf.open(io.BytesIO(data), suppress_warnings=True)
    except Exception:
        # A password, or a way of locking that we cannot even ask about. The word stands open in every such file.
        raise No("pdf_password" if b"/Encrypt" in data else "unreadable") from None
    if pdf.is_encrypted:
        raise No("pdf_password")
    for thing in pdf.objects:
        look_through(thing)
    if not len(pdf.pages):
        raise No("unreadable")
    return "pdf"


# Words that `look_at` asks about, and names that stand elsewhere and might be one. A tagged document has a hundred
# thousand objects, nearly all without any: those are passed over by one look at how they are written.
WORTH_A_LOOK = re.compile(
    rb"/(?:%s)(?![^\s/<>\[\]()])|/(?:S|Subtype|Type) +\d"
    % b"|".join(
        word.encode().removeprefix(b"/")
        for word in sorted(
            {
                *KEYS,
                *ACTIONS,
                *ANNOTATIONS,
                "/EmbeddedFile",
                "/Thread",
                "/URI",
                "/Base",
                "/Ref",
                "/OpenAction",
                "/AA",
                "/F",
            }
        )
    )
)


def look_through(thing):
    """Refuse what acts, calls or carries something, in one object and all that stands directly inside it."""
    if not isinstance(thing, pikepdf.Array | pikepdf.Dictionary | pikepdf.Stream):
        return
    written = (thing.stream_dict if isinstance(thing, pikepdf.Stream) else thing).unparse(resolved=True)
    if not WORTH_A_LOOK.search(written):
        return
    pile = [thing]
    while pile:
        thing = pile.pop()
        facts = {}
        if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
            facts = dict(thing.items())
            look_at(facts)
            if isinstance(thing, pikepdf.Stream) and "/F" in facts:  # its content lies in another file
                raise No("pdf_action")
        for part in thing if isinstance(thing, pikepdf.Array) else facts.values():
            if isinstance(part, pikepdf.Array | pikepdf.Dictionary) and not part.is_indirect:
                pile.append(part)


def look_at(facts):
    for key in KEYS.keys() & facts.keys():
        raise No(KEYS[key])
    for key, words in (("/S", ACTIONS), ("/Subtype", ANNOTATIONS), ("/Type", {"/EmbeddedFile": "pdf_attachment"})):
        word = facts.get(key)
        if isinstance(word, pikepdf.Name) and str(word) in words:
            raise No(words[str(word)])
    if does(facts) == "/Thread" and "/F" in facts:
        raise No("pdf_action")
    for address in (facts.get("/URI"), facts.get("/Base")):
        if isinstance(address, pikepdf.String) and not is_web(str(address)):
            raise No("pdf_action")
    if isinstance(facts.get("/Ref"), pikepdf.Dictionary) and "/F" in facts["/Ref"]:  # a page of another file
        raise No("pdf_action")
    on_opening = facts.get("/OpenAction")
    by_themselves = [on_opening] if isinstance(on_opening, pikepdf.Dictionary) else []
    if isinstance(facts.get("/AA"), pikepdf.Dictionary):
        by_themselves += [action for action in facts["/AA"].values() if isinstance(action, pikepdf.Dictionary)]
    for action in by_themselves:
        if does(action) not in HARMLESS_ON_OPENING or "/Next" in action:
            raise No(ACTIONS.get(does(action), "pdf_action"))


def does(action):
    kind = action.get("/S")
    return str(kind) if isinstance(kind, pikepdf.Name) else ""


def is_web(address):
    """Whether an address leads to the web, or nowhere: and not to a file, a share of the network, or a program."""
    address = "".join(address.split()).lower()
    scheme = SCHEME.match(address)
    return scheme[1] in WEB if scheme else not address.startswith(("/", "\\"))
