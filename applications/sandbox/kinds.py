"""What a file is by its first bytes. Room: applications, in the sandbox."""

import re

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED_PACKAGE = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e"  # a name in UTF-16, inside an OLE file
ZIP = b"PK\x03\x04"
ARCHIVES = (ZIP, b"PK\x05\x06", b"PK\x07\x08", b"Rar!\x1a\x07", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
# Windows, Linux, three of macOS, scripts, shortcuts of Windows
PROGRAMS = (b"MZ", b"\x7fELF", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!", b"L\0\0\0\x01\x14\x02")
IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
IMAGES_OF_PHONES = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif")  # from the fifth byte
PAGES_FOR_BROWSERS = re.compile(rb"\s*<(!doctype html|html|head|body|script|svg|iframe|meta|\?xml)", re.IGNORECASE)


def by_first_bytes(data):
    """What the file begins as, if that is neither a PDF nor anything we would look for; "" when it tells nothing."""
    if data.startswith(OLE):
        return "word_password" if ENCRYPTED_PACKAGE in data else "word_old"
    if data.startswith(ZIP):
        return "zip"
    if data.startswith(ARCHIVES):
        return "archive"
    if data.startswith(PROGRAMS):
        return "program"
    if data.startswith(IMAGES) or data[4:12] in IMAGES_OF_PHONES or data[:4] + data[8:12] == b"RIFFWEBP":
        return "image"
    if data.startswith(b"{\\rtf"):
        return "rtf"
    if PAGES_FOR_BROWSERS.match(data.removeprefix(b"\xef\xbb\xbf")[:200]):
        return "html"
    return ""
