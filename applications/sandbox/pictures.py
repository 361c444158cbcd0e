"""Pictures without what cameras, phones and programs write into them: who, where, when, with what. Pixels stay as they
are, byte for byte. Room: applications, in the sandbox."""

import base64
import re
import struct

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
            return how(data)
    return BLANK


# --- JPEG -----------------------------------------------------------------------------------------------------------

ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
SCAN, END = 0xDA, 0xD9
JFIF, EXIF, ADOBE = 0xE0, 0xE1, 0xEE
ABOUT = {*range(0xE0, 0xF0), 0xFE}  # what programs write about a picture, and comments


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
        elif marker in ABOUT:
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


TIFF_ABOUT = {269, 270, 271, 272, 305, 306, 315, 316, 700, 32781, 33432, 33723, 34377, 37724, 40091, 40092, 40093, 40094, 40095}  # fmt: skip  # noqa: E501
TIFF_FOLDERS = {34665, 34853}  # EXIF, GPS: everything in them
TIFF_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}


def tiff(data):
    """In its place, so that no offset changes: what programs write about the picture becomes zeros."""
    blank, order = bytearray(data), "<" if data[:2] == b"II" else ">"
    waiting, seen = [(struct.unpack_from(f"{order}L", data, 4)[0], False)], set()
    while waiting:
        start, everything = waiting.pop()
        if start in seen or not 8 <= start <= len(data) - 2:
            continue
        seen.add(start)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        for entry in range(start + 2, min(start + 2 + 12 * count, len(data) - 11), 12):
            tag, kind, number, value = struct.unpack_from(f"{order}HHLL", data, entry)
            if tag in TIFF_FOLDERS:
                waiting.append((value, True))
            if everything or tag in TIFF_ABOUT:
                size = TIFF_BYTES.get(kind, 1) * number
                place = value if size > 4 else entry + 8
                end = min(place + size, len(data))
                blank[place:end] = bytes(max(end - place, 0))
        after = start + 2 + 12 * count
        if after + 4 <= len(data) and not everything:
            waiting.append((struct.unpack_from(f"{order}L", data, after)[0], False))
    return bytes(blank)


def emf(data):
    """Its header names the program and the drawing."""
    length, place = struct.unpack_from("<LL", data, 60)
    end = min(place + 2 * length, len(data))
    return data[:place] + bytes(end - place) + data[end:] if length and 88 <= place < end else data


def as_it_is(data):
    return data


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


def svg(data):
    """A drawing that only draws: nothing about who made it, nothing that acts or loads."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    root = etree.fromstring(data, parser)
    for element in list(root.iter()):
        if not isinstance(element.tag, str):
            element.getparent().remove(element)
            continue
        space, _, name = element.tag.rpartition("}")
        foreign = space not in ("", "{http://www.w3.org/2000/svg")
        if (foreign or name in ("metadata", "script", "foreignObject", "image")) and element.getparent() is not None:
            element.getparent().remove(element)
            continue
        for key in list(element.attrib):
            away = key.endswith("href") and not element.attrib[key].startswith("#")
            if away or key.lower().startswith("on") or (key.startswith("{") and key != XLINK):
                del element.attrib[key]
    etree.cleanup_namespaces(root)
    return etree.tostring(root)


KINDS = [
    (re.compile(pattern, re.DOTALL), how)
    for pattern, how in (
        (rb"\xff\xd8\xff", jpeg),
        (re.escape(PNG), png),
        (rb"GIF8[79]a.{7}", gif),
        (rb"RIFF....WEBP", webp),
        (rb"II\*\0....|MM\0\*....", tiff),
        (rb"\x01\0\0\0.{36} EMF.{44}", emf),
        (rb"\xd7\xcd\xc6\x9a|\x01\0\x09\0", as_it_is),  # Windows metafiles: they have no room for more
        (rb"BM", as_it_is),
        (rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<([a-z]+:)?svg\b", svg),
    )
]
