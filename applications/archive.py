"""A ZIP that is made while it is handed out. Room: applications; imports the vault alone of ours.

Nothing of it is ever written to a disk in plain, and a long file costs no more memory than a short one.
"""

import io
import zipfile

from django.http import StreamingHttpResponse

from presessions import vault
from presessions.upr.dates import GENEVA


class Sink(io.RawIOBase):
    """Takes what the archive writes, until it is handed on. It cannot go back, and the archive knows."""

    def __init__(self):
        self.waiting = []

    def writable(self):
        return True

    def write(self, data):
        self.waiting.append(bytes(data))
        return len(data)

    def taken(self):
        waiting, self.waiting = self.waiting, []
        return b"".join(waiting)


def pieces(texts, files, *, now):
    """The archive, piece by piece.

    texts -- {name in it: text}; files -- [(name in it, name in private storage)], which are packed already, all of them
    """
    sink = Sink()
    stamp = now.astimezone(GENEVA).timetuple()[:6]
    with zipfile.ZipFile(sink, "w") as archive:
        for name, text in texts.items():
            archive.writestr(_entry(name, stamp, zipfile.ZIP_DEFLATED), text)
            yield sink.taken()
        for name, stored in files:
            try:
                opened = vault.storage.open(stored)
            except FileNotFoundError:  # erased in the middle of this
                continue
            with opened, archive.open(_entry(name, stamp, zipfile.ZIP_STORED), "w") as entry:
                for chunk in opened.chunks():
                    entry.write(chunk)
                    yield sink.taken()
    yield sink.taken()


def response(pieces, name):
    """The archive as an answer to a browser."""
    answer = StreamingHttpResponse(pieces, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Content-Encoding"] = "identity"  # it is packed already
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["Cache-Control"] = "private, no-store"
    answer["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer


def _entry(name, stamp, packing):
    entry = zipfile.ZipInfo(name, stamp)
    entry.compress_type, entry.external_attr = packing, 0o600 << 16
    return entry
