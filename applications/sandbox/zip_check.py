"""The rules for any archive, before anything in it is parsed. Room: applications, in the sandbox."""

import encodings.cp437  # noqa: F401 - loaded late otherwise, by a name in an archive
import io
import stat
import struct
import zipfile
import zlib

from limits import No

ENTRIES = 2000
UNPACKED = 200 * 1024 * 1024  # bytes, all entries together
RATIO = 100  # unpacked to packed, of each entry and overall
PIECE = 64 * 1024
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def entries(data):
    """The entries of an archive that keeps the rules. Raises No."""
    found = zipfile.ZipFile(io.BytesIO(data)).infolist()
    check_entries(found)
    return found


def check_entries(entries):
    """What the archive says about itself, before anything of it is unpacked."""
    if len(entries) > ENTRIES:
        raise No("bomb")
    if any(entry.flag_bits & (0x1 | 0x40 | 0x2000) for entry in entries):
        raise No("archive_password")
    seen = set()
    for entry in entries:
        name, kind = entry.filename, stat.S_IFMT(entry.external_attr >> 16)
        # orig_filename still has what zipfile has cut off or turned round in the name.
        odd = "\\" in entry.orig_filename or "\0" in entry.orig_filename or ":" in name
        if odd or name.startswith("/") or ".." in name.split("/") or name.lower() in seen:
            raise No("unreadable")
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or entry.compress_type not in METHODS:
            raise No("unreadable")
        seen.add(name.lower())
    for entry in entries:
        if entry.file_size > RATIO * entry.compress_size:
            raise No("bomb")
    total = sum(entry.file_size for entry in entries)
    if total > UNPACKED or total > RATIO * sum(entry.compress_size for entry in entries):
        raise No("bomb")
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):  # entries that share bytes multiply them
        if entry.header_offset < end or (end == 0 and entry.header_offset):
            raise No("bomb")
        end = entry.header_offset + 30 + entry.compress_size


def unpacked(data, entry):
    """The entry's content, piece by piece, never more than was announced; zipfile would cut the rest off silently."""
    header = data[entry.header_offset : entry.header_offset + 30]
    signature, _, flags, method, *_, name_length, extra_length = struct.unpack("<4s5H3L2H", header)
    start = entry.header_offset + 30
    name = data[start : start + name_length].decode("utf-8" if flags & 0x800 else "cp437")
    if signature != b"PK\x03\x04" or name != entry.orig_filename or method != entry.compress_type or flags & 1:
        raise No("unreadable")
    start += name_length + extra_length
    packed = memoryview(data)[start : start + entry.compress_size]
    size = checksum = 0
    for piece in inflated(packed) if method == zipfile.ZIP_DEFLATED else stored(packed):
        size += len(piece)
        if size > entry.file_size:
            raise No("bomb")
        checksum = zlib.crc32(piece, checksum)
        yield piece
    if size != entry.file_size or checksum != entry.CRC:
        raise No("unreadable")


def stored(packed):
    for start in range(0, len(packed), PIECE):
        yield bytes(packed[start : start + PIECE])


def inflated(packed):
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    waiting = packed
    while not engine.eof:
        piece = engine.decompress(waiting, PIECE)
        waiting = engine.unconsumed_tail
        if not piece and not waiting and not engine.eof:
            raise No("unreadable")  # cut short
        yield piece
