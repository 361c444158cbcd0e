"""Pictures without what cameras, phones and programs write into them: who, where, when, with what. Pixels stay as they
are, byte for byte. Of each kind only what is on a list is kept, and of JPEG 2000 all but what is known to be about the
picture; what cannot be cleaned so becomes a blank one. Room: applications, in the sandbox."""

import base64
import re
import struct

import metafiles
from lxml import etree

# One transparent pixel, in the place of a picture of a kind that nobody here can clean.
BLANK = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
PNG = b"\x89PNG\r\n\x1a\n"
JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"


def clean(data):
    """The same picture, known by its first bytes, without traces."""
    for begins, how in KINDS:
        if begins.match(data):
            try:
                return how(data)
            except (metafiles.Unknown, struct.error, ValueError):
                return BLANK
    return BLANK


# --- JPEG -----------------------------------------------------------------------------------------------------------

ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
SCAN, END = 0xDA, 0xD9
JFIF, EXIF, ADOBE = 0xE0, 0xE1, 0xEE
DRAWN = {*range(0xC0, 0xD0), *range(0xD8, 0xE0)} - {0xC8, 0xD8}  # pixels and their tables; the others are about them


def jpeg(data):
    kept, at, turned = [b"\xff\xd8"], 2, None
    while at + 2 <= len(data) and data[at] == 0xFF and data[at + 1] != END:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        end = at + 2 if marker in ALONE else at + 2 + int.from_bytes(data[at + 2 : at + 4])
        segment = data[at:end]
        if marker == SCAN:
            end = _end_of_scan(data, end)
            segment = data[at:end]
        elif marker == JFIF:  # without its own small picture
            segment = b"\xff\xe0\x00\x10" + segment[4:16] + b"\0\0" if segment[4:9] == b"JFIF\0" else b""
        elif marker == ADOBE:  # says how colours are kept
            segment = b"\xff\xee\x00\x0e" + segment[4:16] if segment[4:9] == b"Adobe" and len(segment) >= 16 else b""
        elif marker == EXIF and turned is None and segment[4:10] == b"Exif\0\0":
            turned = _orientation(segment[10:])
            segment = _exif(turned) if turned else b""
        elif marker not in DRAWN and marker not in ALONE:
            segment = b""
        kept.append(segment)
        at = max(end, at + 2)
    return b"".join(kept) + b"\xff\xd9"


def _end_of_scan(data, at):
    """Where the next marker stands that is neither part of the pixels nor a restart."""
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        if data[at + 1] not in (0, 0xFF) and data[at + 1] not in ALONE:
            return at
        at += 1 if data[at + 1] == 0xFF else 2
    return len(data)


def _orientation(tiff):
    """How a camera was held, 2 to 8; None where upright or unknown."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if not order or len(tiff) < 10:
        return None
    (start,) = struct.unpack_from(f"{order}L", tiff, 4)
    if start + 2 > len(tiff):
        return None
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for entry in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, _kind, _number, value = struct.unpack_from(f"{order}HHLH", tiff, entry)
        if tag == 0x0112:
            return value if 2 <= value <= 8 else None
    return None


def _exif(orientation):
    tiff = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHLHH", 0x0112, 3, 1, orientation, 0) + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff


# --- Others ---------------------------------------------------------------------------------------------------------

PNG_CHUNKS = {
    b"IHDR",
    b"PLTE",
    b"IDAT",
    b"IEND",
    b"tRNS",
    b"gAMA",
    b"cHRM",
    b"sRGB",
    b"sBIT",
    b"bKGD",
    b"hIST",
    b"pHYs",
}


def png(data):
    kept, at = [PNG], len(PNG)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        name = data[at + 4 : at + 8]
        if name in PNG_CHUNKS and end <= len(data):
            kept.append(data[at:end])
        if name == b"IEND":
            break
        at = end
    return b"".join(kept)


def gif(data):
    at = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    kept = [data[:at]]
    while at + 1 < len(data) and data[at] in (0x21, 0x2C):
        start, picture = at, data[at] == 0x2C
        if picture:
            at += 10 + (3 << ((data[at + 9] & 7) + 1) if data[at + 9] & 0x80 else 0) + 1
        else:
            at += 2
        while at < len(data) and data[at]:
            at += data[at] + 1
        at += 1
        repeats = data[start + 1 : start + 14] == b"\xff\x0bNETSCAPE2.0"
        if picture or data[start + 1] == 0xF9 or repeats:
            kept.append(data[start:at])
    return b"".join(kept) + b";"


def webp(data):
    kept, at = b"", 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        chunk = data[at : at + 8 + size + size % 2]
        if name == b"VP8X":  # and no longer says that there is more
            chunk = chunk[:8] + bytes([chunk[8] & ~0b00101100]) + chunk[9:]
        if name in (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"):
            kept += chunk
        at += len(chunk)
    return b"RIFF" + struct.pack("<L", len(kept) + 4) + b"WEBP" + kept


def jp2(data):
    """JPEG 2000, as PDFs hold it: boxes, or the bare pixels."""
    if not data.startswith(JP2):
        return _codestream(data)
    kept, at = b"", 0
    while at + 8 <= len(data):
        size, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        head = 16 if size == 1 else 8
        size = int.from_bytes(data[at + 8 : at + 16]) if size == 1 else size or len(data) - at
        if size < head:
            break
        content = data[at + head : at + size]
        content = _codestream(content) if name == b"jp2c" else content
        if name not in (b"xml ", b"uuid", b"uinf"):
            kept += struct.pack(">L", len(content) + 8) + name + content
        at += size
    return kept


def _codestream(data):
    kept, at = data[:2], 2
    while at + 4 <= len(data) and data[at : at + 2] != b"\xff\x90":
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if data[at : at + 2] != b"\xff\x64":  # a comment
            kept += data[at:end]
        at = max(end, at + 2)
    return kept + data[at:]


XLINK = "{http://www.w3.org/1999/xlink}href"
DRAWS = {  # attributes of SVG
    "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "fx", "fy", "fr", "d", "dx", "dy", "points",
    "width", "height", "viewBox", "version", "preserveAspectRatio", "transform", "rotate", "style", "class", "id",
    "type", "fill", "fill-rule", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-linecap",
    "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset", "opacity", "color", "display",
    "visibility", "overflow", "clip-path", "clip-rule", "clipPathUnits", "mask", "maskUnits", "maskContentUnits",
    "filter", "filterUnits", "primitiveUnits", "in", "in2", "result", "stdDeviation", "values", "mode", "operator",
    "flood-color", "flood-opacity", "k1", "k2", "k3", "k4", "offset", "stop-color", "stop-opacity", "gradientUnits",
    "gradientTransform", "spreadMethod", "patternUnits", "patternContentUnits", "patternTransform", "markerUnits",
    "markerWidth", "markerHeight", "refX", "refY", "orient", "marker-start", "marker-mid", "marker-end", "font",
    "font-family", "font-size", "font-style", "font-weight", "font-variant", "font-stretch", "text-anchor",
    "text-decoration", "text-rendering", "textLength", "lengthAdjust", "letter-spacing", "word-spacing",
    "writing-mode", "direction", "unicode-bidi", "baseline-shift", "dominant-baseline", "alignment-baseline",
    "shape-rendering", "image-rendering", "color-interpolation", "color-interpolation-filters", "vector-effect",
    "paint-order", "pathLength", "startOffset", "method", "spacing", "enable-background", "href",
}  # fmt: skip
NOT_DRAWN = {"metadata", "script", "foreignObject", "image", "title", "desc"}
ACTS = re.compile(r"url\((?!#)|[@\\]|expression|/\*", re.IGNORECASE)  # or says something
PLAIN_STYLE = re.compile(rf"(?!.*(?:{ACTS.pattern}))[\w\s.,:;#%(){{}}!>+*\"'-]*", re.IGNORECASE | re.DOTALL)


def svg(data):
    """A drawing that only draws: nothing about who made it, nothing that acts or loads."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    root = etree.fromstring(data, parser)
    meant = {name for each in root.iter("*") for value in each.attrib.values() for name in MEANT.findall(value)}
    meant.update(MEANT.findall("".join("".join(each.itertext()) for each in root.iter("{*}style"))))
    for element in list(root.iter()):
        if not isinstance(element.tag, str):
            element.getparent().remove(element)
            continue
        space, _, name = element.tag.rpartition("}")
        foreign = space not in ("", "{http://www.w3.org/2000/svg")
        loads = name == "style" and not PLAIN_STYLE.fullmatch("".join(element.itertext()))
        if (foreign or loads or name in NOT_DRAWN) and element.getparent() is not None:
            element.getparent().remove(element)
            continue
        for key, value in list(element.attrib.items()):
            if key.endswith("href"):
                kept = key in ("href", XLINK) and value.startswith("#")
            else:
                kept = key in DRAWS and PLAIN_STYLE.fullmatch(value) and (key != "id" or value in meant)
            if not kept:
                del element.attrib[key]
    etree.cleanup_namespaces(root)
    return etree.tostring(root)


MEANT = re.compile(r"#([\w.:-]+)")  # the names of what is referred to; others are only names


KINDS = [
    (re.compile(pattern, re.DOTALL), how)
    for pattern, how in (
        (rb"\xff\xd8\xff", jpeg),
        (re.escape(PNG), png),
        (rb"GIF8[79]a.{7}", gif),
        (rb"RIFF....WEBP", webp),
        (rb"II\*\0....|MM\0\*....", metafiles.tiff),
        (rb"\x01\0\0\0.{36} EMF.{44}", metafiles.emf),
        (rb"\xd7\xcd\xc6\x9a|[\x01\x02]\0\x09\0", metafiles.wmf),
        (rb"BM", metafiles.bmp),
        (rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<([a-z]+:)?svg\b", svg),
    )
]
