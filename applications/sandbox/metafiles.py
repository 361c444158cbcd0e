"""Pictures of Windows and of scanners, of which only what is on a list is kept: WMF, EMF, BMP, TIFF. What does not fit
raises Unknown. Room: applications, in the sandbox."""

import struct


class Unknown(Exception):
    """Nobody here can clean this one."""


# The functions that draw; not 0x0626, in which programs write what they like.
WMF = {
    0x0035, 0x0037, 0x00F7, 0x0102, 0x0103, 0x0104, 0x0105, 0x0106, 0x0107, 0x0108, 0x0127, 0x012A, 0x012B, 0x012C,
    0x012D, 0x012E, 0x0139, 0x0142, 0x0149, 0x01F0, 0x01F9, 0x0201, 0x0209, 0x020A, 0x020B, 0x020C, 0x020D, 0x020E,
    0x020F, 0x0211, 0x0213, 0x0214, 0x0220, 0x0228, 0x0231, 0x0234, 0x02FA, 0x02FB, 0x02FC, 0x0324, 0x0325, 0x0410,
    0x0412, 0x0415, 0x0416, 0x0418, 0x0419, 0x041B, 0x041F, 0x0429, 0x0436, 0x0521, 0x0538, 0x0548, 0x061C, 0x061D,
    0x06FF, 0x0817, 0x081A, 0x0830, 0x0922, 0x0940, 0x0A32, 0x0B23, 0x0B41, 0x0D33, 0x0F43,
}  # fmt: skip
# Not 70 (comments), 102 to 106 and 110 (for drivers), 99, 112, 113, 121, 122 (which name files of colours).
EMF = {*range(2, 99), 100, 101, 108, 109, 111, *range(114, 121)} - {14, 70}


def wmf(data):
    placeable, at = data[:4] == b"\xd7\xcd\xc6\x9a", 0
    if placeable:
        at = 22
    head, records = data[at : at + 18], []
    at, ended = at + 18, False
    while at + 6 <= len(data) and not ended:
        words, function = struct.unpack_from("<LH", data, at)
        if words < 3:
            raise Unknown
        ended = function == 0
        if function in WMF and at + 2 * words <= len(data):
            records.append(data[at : at + 2 * words])
        at += 2 * words
    if len(head) < 18:
        raise Unknown
    records.append(b"\3\0\0\0\0\0")
    size = (18 + sum(map(len, records))) // 2
    head = head[:6] + struct.pack("<L", size) + head[10:12] + struct.pack("<L", max(map(len, records)) // 2) + bytes(2)
    return data[: 22 if placeable else 0] + head + b"".join(records)


def emf(data):
    """Its header names the program and the drawing; comments may hold anything."""
    if len(data) < 108:
        raise Unknown
    at, records = struct.unpack_from("<L", data, 4)[0], []
    if at < 88:
        raise Unknown
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<LL", data, at)
        if size < 8 or size % 4 or kind == 14:
            break
        if kind in EMF and at + size <= len(data):
            records.append(data[at : at + size])
        at += size
    records.append(struct.pack("<LLLLL", 14, 20, 0, 16, 20))
    head = bytearray(data[:88])  # without what newer programs add: a description, a format of pixels
    struct.pack_into("<L", head, 4, 88)
    struct.pack_into("<LL", head, 48, 88 + sum(map(len, records)), len(records) + 1)
    struct.pack_into("<LLL", head, 60, 0, 0, 0)
    return bytes(head) + b"".join(records)


def bmp(data):
    """The head, the colours and the pixels; no profile, nothing between them or behind."""
    if len(data) < 54:
        raise Unknown
    start, size, width, height, _planes, bits, packing, packed, *_ = struct.unpack_from("<LLllHHLLllLL", data, 10)
    colours = struct.unpack_from("<L", data, 46)[0]
    if size not in (40, 52, 56, 108, 124) or packing not in (0, 1, 2, 3, 6) or bits not in (1, 4, 8, 16, 24, 32):
        raise Unknown
    table = 4 * (colours or (1 << bits if bits <= 8 else 0)) + ({3: 12, 6: 16}.get(packing, 0) if size == 40 else 0)
    pixels = packed if packing in (1, 2) else (width * bits + 31) // 32 * 4 * abs(height)
    end = 14 + size + table
    if not pixels > 0 or width < 1 or not end <= start or start + pixels > len(data):
        raise Unknown
    head = bytearray(data[14 : 14 + size])
    if size == 124:
        head[112:124] = bytes(12)
    if size >= 108:
        head[56:60] = b"BGRs"  # ordinary colours
    first = b"BM" + struct.pack("<LLL", end + pixels, 0, end)
    return first + bytes(head) + data[14 + size : end] + data[start : start + pixels]


TIFF = {
    254, 255, 256, 257, 258, 259, 262, 263, 266, 273, 274, 277, 278, 279, 282, 283, 284, 290, 291, 292, 293, 296, 297,
    301, 317, 318, 319, 320, 322, 323, 324, 325, 332, 334, 336, 338, 339, 340, 341, 529, 530, 531, 532,
}  # fmt: skip
SIZES = {1: 1, 3: 2, 4: 4, 5: 8, 6: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}  # of numbers; none of the tags is text
JPEG = (6, 7)
MOST_PAGES = 500


def tiff(data):
    """In its place, so that no offset changes: what no tag on the list leads to becomes zeros, or is cut off."""
    new, order, end = bytearray(len(data)), "<" if data[:2] == b"II" else ">", 8
    (start,), pages = struct.unpack_from(f"{order}L", data, 4), set()

    def keep(place, size):
        nonlocal end
        if place < 8 or place + size > len(data):
            raise Unknown
        new[place : place + size] = data[place : place + size]
        end = max(end, place + size)

    new[:8] = data[:8]
    while start:
        if start in pages or len(pages) > MOST_PAGES or not 8 <= start <= len(data) - 2:
            raise Unknown
        pages.add(start)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        kept, facts = [], {}
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, number, place = struct.unpack_from(f"{order}HHLL", data, entry)
            if tag in TIFF and kind in SIZES:
                kept.append(data[entry : entry + 12])
                size = SIZES[kind] * number
                if size > 4:
                    keep(place, size)
                letter = {1: "B", 3: "H", 4: "L"}.get(kind)
                if letter:
                    facts[tag] = struct.unpack_from(f"{order}{number}{letter}", data, place if size > 4 else entry + 8)
        if facts.get(259, (1,))[0] in JPEG:  # which may hold pictures of cameras
            raise Unknown
        for places, sizes in ((273, 279), (324, 325)):
            for place, size in zip(facts.get(places, ()), facts.get(sizes, ()), strict=True):
                keep(place, size)
        (following,) = struct.unpack_from(f"{order}L", data, start + 2 + 12 * count)
        folder = struct.pack(f"{order}H", len(kept)) + b"".join(kept) + struct.pack(f"{order}L", following)
        new[start : start + len(folder)] = folder
        end, start = max(end, start + len(folder)), following
    return bytes(new[:end])
