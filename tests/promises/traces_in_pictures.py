"""Pictures with a person’s name and a place in everything that cameras and programs write into them."""

import struct
import zlib

WHO = "Amina Canary"
WHERE = "46.2044N 6.1432E"
TRACES = (WHO, "amina.canary", WHERE)


def jpeg(segments=()):
    """The smallest grey picture, with what cameras write into one."""
    tables = bytes([1] * 64)
    head = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
    for marker, content in segments:
        head += bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content
    codes = b"\0\1" + bytes(14)
    body = b"\xff\xdb\0\x43\0" + tables + b"\xff\xc0\0\x0b\x08\0\x08\0\x08\1\1\x11\0"
    body += b"\xff\xc4\0\x14\0" + codes + b"\0" + b"\xff\xc4\0\x14\x10" + codes + b"\0"
    return head + body + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + b"\x3f\xff\0\xd0" + b"\xff\xd9"


def exif(orientation=6):
    """A camera's owner, and where it was."""
    owner, place = WHO.encode() + b"\0", WHERE.encode() + b"\0"
    entries = [
        (0x0112, 3, 1, struct.pack(">HH", orientation, 0)),
        (0x013B, 2, len(owner), None),
        (0x8825, 2, len(place), None),
    ]
    data, values = b"", b""
    start = 8 + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in entries:
        if value is None:
            text = owner if tag == 0x013B else place
            value = struct.pack(">L", start + len(values))
            values += text
        data += struct.pack(">HHL", tag, kind, count) + value
    return b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", len(entries)) + data + bytes(4) + values


CAMERA = [
    (0xE1, exif()),
    (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + f"{WHO} {WHERE}".encode() + b"</x:xmpmeta>"),
    (0xED, b"Photoshop 3.0\0" + WHO.encode()),
    (0xE2, b"ICC_PROFILE\0\1\1" + WHO.encode()),
    (0xFE, WHO.encode()),
]
PHOTO = jpeg(CAMERA) + WHO.encode()  # and something behind its end


def png(chunks=(), tail=b""):
    def chunk(name, content):
        return struct.pack(">L", len(content)) + name + content + struct.pack(">L", zlib.crc32(name + content))

    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">LLBBBBB", 1, 1, 8, 0, 0, 0, 0))
    whole += b"".join(chunk(name, content) for name, content in chunks)
    return whole + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"") + tail


DRAWING = png(
    [
        (b"tEXt", b"Author\0" + WHO.encode()),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + WHERE.encode()),
        (b"zTXt", b"Artist\0\0" + zlib.compress(WHO.encode())),
        (b"eXIf", exif()[6:]),
        (b"tIME", struct.pack(">HBBBBB", 2026, 3, 2, 10, 0, 0)),
    ],
    tail=WHO.encode(),
)
GIF = (
    b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff!\xfe\x0c"
    + WHO.encode()
    + b"\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
    + WHO.encode()
)
WEBP_PARTS = b"VP8X" + struct.pack("<L", 10) + b"\x0c" + bytes(9)
WEBP_PARTS += b"VP8L" + struct.pack("<L", 14) + b'/\0\0\0\0\x07\x10\xfd\x8f\xfe\x07"\xa2\xff'
WEBP_PARTS += b"EXIF" + struct.pack("<L", len(exif())) + exif() + bytes(len(exif()) % 2)
WEBP = b"RIFF" + struct.pack("<L", len(WEBP_PARTS) + 4) + b"WEBP" + WEBP_PARTS
SVG = (
    f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:i="http://www.inkscape.org/namespaces/inkscape" '
    f'i:export-filename="C:\\Users\\amina.canary\\a.png"><metadata>{WHO}</metadata><!-- {WHO} -->'
    '<path d="M0 0h9"/></svg>'
).encode()


def tiff():
    artist = WHO.encode() + b"\0"
    entries = [(256, 3, 1, 1), (257, 3, 1, 1), (315, 2, len(artist), 8 + 2 + 36 + 4)]
    data = b"".join(struct.pack("<HHLL", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + data + bytes(4) + artist


def emf():
    name = f"Word\0{WHO}\0\0".encode("utf-16-le")
    head = (
        struct.pack("<LL", 1, 100 + len(name))
        + bytes(32)
        + b" EMF"
        + bytes(16)
        + struct.pack("<LL", len(name) // 2, 100)
    )
    return head + bytes(100 - len(head)) + name


def emf_with_a_comment():
    whole = emf()
    whole = whole[:4] + struct.pack("<L", len(whole) + -len(whole) % 4) + whole[8:] + bytes(-len(whole) % 4)
    note = WHO.encode() + bytes(-len(WHO) % 4)
    comment = struct.pack("<LLL", 70, 12 + len(note), len(note)) + note
    line = struct.pack("<LLLL", 54, 16, 5, 5)
    return whole + line + comment + struct.pack("<LLLLL", 14, 20, 0, 16, 20) + WHO.encode()


def wmf():
    note = WHO.encode() + bytes(len(WHO) % 2)
    line = struct.pack("<LHHH", 5, 0x0213, 5, 5)
    escape = struct.pack("<LHHH", 5 + len(note) // 2, 0x0626, 15, len(note)) + note
    return b"\1\0\x09\0\0\3" + bytes(12) + line + escape + b"\3\0\0\0\0\0" + WHO.encode()


def bmp():
    head = struct.pack("<LllHHLLllLL", 40, 1, 1, 1, 24, 0, 4, 0, 0, 0, 0)
    between = WHO.encode()
    first = b"BM" + struct.pack("<LLL", 0, 0, 54 + len(between))
    return first + head + between + b"\1\2\3\0" + WHO.encode()


def map_in_tiff():
    """One grey pixel, with what scanners and programs for maps add, and something behind its end."""
    notes = WHO.encode() + b"\0"
    entries = [(256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 134),
               (278, 3, 1, 1), (279, 4, 1, 1), (285, 2, len(notes), 135), (42112, 2, len(notes), 135)]  # fmt: skip
    values = [struct.pack("<HHL", *entry[:3]) + struct.pack("<L", entry[3]) for entry in entries]
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + b"".join(values) + bytes(4) + b"\x7f" + notes + notes


MORE_OF_SVG = (
    f'<svg xmlns="http://www.w3.org/2000/svg" data-owner="{WHO}" id="{WHO}" aria-label="{WHO}"><title>{WHO}</title>'
    f'<style>/* {WHO} */</style><path style="fill:red;/*amina.canary*/" d="M0 0h9"/></svg>'
).encode()


PICTURES = {
    "a photograph": ("jpg", PHOTO),
    "a picture with remarks": ("png", DRAWING),
    "an animation": ("gif", GIF),
    "a picture of the web": ("webp", WEBP),
    "a scan": ("tiff", tiff()),
    "a drawing of Windows": ("emf", emf()),
    "a drawing in lines": ("svg", SVG),
    "a picture of a kind nobody knows": ("wdp", b"II\xbc\1" + WHO.encode()),
    "a photograph with segments nobody knows": ("jpg", jpeg([(0xF0, WHO.encode()), (0xFD, WHO.encode())])),
    "a drawing of Windows with a comment": ("emf", emf_with_a_comment()),
    "an old drawing of Windows": ("wmf", wmf()),
    "a picture of Windows": ("bmp", bmp()),
    "a map": ("tiff", map_in_tiff()),
    "a drawing in lines with words about it": ("svg", MORE_OF_SVG),
}
