"""What stands inside the drawings of a PDF (pages, forms, patterns, looks of remarks) and says who made them. Room:
applications, in the sandbox."""

import re

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream, String

OF_PROPERTIES = (  # of a part of a drawing; then words that stand there as values
    b"MCID|ActualText|Alt|Lang|E|Type|Attached|BBox|Subtype|OC|OCGs|P|VE",
    b"Pagination|Layout|Page|Background|Header|Footer|Watermark|Top|Bottom|Left|Right",
)
KEPT = {"/" + key for key in OF_PROPERTIES[0].decode().split("|")}
SAYS = re.compile(rb"%%|<<[^>]*/(?!(?:%s)(?![^\s/<>\[\]()]))" % b"|".join(OF_PROPERTIES))
PICTURE = re.compile(rb"/(DCT|JPX)")
OPENS = {pikepdf.TokenType.dict_open, pikepdf.TokenType.array_open}
CLOSES = {pikepdf.TokenType.dict_close, pikepdf.TokenType.array_close}
BEGINS = {pikepdf.TokenType.comment, pikepdf.TokenType.dict_open}
BLANKS = {pikepdf.TokenType.space, pikepdf.TokenType.comment}


class WithoutRemarks(pikepdf.TokenFilter):
    def handle_token(self, token=None):
        return None if token.type_ == pikepdf.TokenType.comment else token


class OnlyDrawing(pikepdf.TokenFilter):
    """Without remarks, and of the properties written into the drawing only those that a reader needs."""

    def __init__(self):
        super().__init__()
        self.depth, self.key = 0, None  # inside properties: how deep, and of which key the value is due

    def handle_token(self, token=None):
        kind = token.type_
        if not self.depth and kind not in BEGINS:  # nearly always
            return token
        if kind == pikepdf.TokenType.comment:
            return None
        if not self.depth:
            self.depth, self.key = 1, None
            return token
        if kind in BLANKS:
            return token
        if self.depth == 1 and self.key is None:
            if kind == pikepdf.TokenType.dict_close:
                self.depth = 0
                return token
            self.key = token.value
            return token if self.key in KEPT else None
        kept = self.key in KEPT
        self.depth += (kind in OPENS) - (kind in CLOSES)
        if self.depth == 1:
            self.key = None
        return token if kept else None


def says(drawn):
    """Whether a drawing has to be gone through."""
    return bool(SAYS.search(drawn))


def clean(pdf, most):
    """All drawings but those of pages, until `most` bytes are gone through."""
    for thing in list(pdf.objects):
        if isinstance(thing, Dictionary) and thing.get("/Type") == Name.Font:
            most -= clean_font(pdf, thing, most)
        if not isinstance(thing, Stream):
            continue
        facts = set(thing.keys())
        if thing.get("/Subtype") == Name.Form or "/BBox" in facts or thing.get("/PatternType") == 1:
            properties(thing.get("/Resources"))
            most -= clean_stream(pdf, thing, most)
    layers = pdf.Root.get("/OCProperties")
    layers = layers.get("/OCGs") if isinstance(layers, Dictionary) else None
    for layer in layers if isinstance(layers, Array) else ():
        if isinstance(layer, Dictionary) and "/Name" in layer:
            layer["/Name"] = String("Layer")


def clean_font(pdf, font, most):
    """Its table of letters, and its letters where they are drawings."""
    table, letters, before = font.get("/ToUnicode"), font.get("/CharProcs"), most
    if isinstance(table, Stream):
        most -= clean_stream(pdf, table, most, WithoutRemarks)
    for _name, letter in letters.items() if isinstance(letters, Dictionary) else ():
        if isinstance(letter, Stream):
            most -= clean_stream(pdf, letter, most)
    return before - most


def clean_stream(pdf, stream, most, tokens=OnlyDrawing):
    drawn = stream.read_bytes()
    of_font = tokens is WithoutRemarks
    has_picture, speaks = not of_font and PICTURE.search(drawn), b"%" in drawn if of_font else says(drawn)
    if len(drawn) > most or not (has_picture or speaks):
        return 0
    page = pikepdf.Page(
        pdf.make_indirect(
            Dictionary(
                Type=Name.Page, MediaBox=Array([0, 0, 9, 9]), Contents=pdf.make_stream(drawn),
                Resources=stream.get("/Resources", Dictionary()),
            )
        )
    )  # fmt: skip
    if has_picture:
        page.externalize_inline_images(min_size=0)
        stream["/Resources"] = page.obj.Resources
    stream.write(page.get_filtered_contents(tokens()))
    return len(drawn)


def properties(resources):
    """Named properties, which drawings refer to."""
    named = resources.get("/Properties") if isinstance(resources, Dictionary) else None
    for _name, each in named.items() if isinstance(named, Dictionary) else ():
        if isinstance(each, Dictionary) and each.get("/Type") not in (Name.OCG, Name.OCMD):
            for key in set(each.keys()) - KEPT:
                del each[key]
