"""ClamAV, over its own protocol: a file goes in by INSTREAM, and only the exact reply that it is clean counts as clean.

Room: applications. CLAMAV_URL is tcp://host:port or unix:/path. It sees the plain bytes and nothing else: no name, no
reference. Whatever else comes back, or does not come back, is a Trouble: nothing is let through for it.
"""

import re
import socket
import struct
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings

SECONDS = 30  # for one answer, all of it; clamd gives up by itself after MaxScanTime
GREETING_SECONDS = 5
PIECE = 64 * 1024
CLEAN = b"stream: OK"
FOUND = re.compile(rb"stream: [^\n\0]+ FOUND")
VERSION = re.compile(r"ClamAV [^/]+/\d+/\w{3} (\w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})")


class Trouble(Exception):
    """The scanner cannot be used. str() says why, and quotes nothing of what it answered."""


def is_clean(pieces):
    """Whether the scanner calls the file clean; False when it names something bad in it. Raises Trouble."""

    def send(server):
        server.sendall(b"zINSTREAM\0")
        for piece in pieces:
            for start in range(0, len(piece), PIECE):
                part = piece[start : start + PIECE]
                server.sendall(struct.pack(">L", len(part)) + part)
        server.sendall(struct.pack(">L", 0))

    answer = _ask(send, SECONDS)
    if answer == CLEAN:
        return True
    if FOUND.fullmatch(answer):
        return False
    raise Trouble("it answered neither that the file is clean nor that it is not")


def greet(now):
    """Ask the scanner for the date of its signatures. Raises Trouble when it does not say, or when they are old."""
    answer = _ask(lambda server: server.sendall(b"zVERSION\0"), GREETING_SECONDS).decode("ascii", "replace")
    if not settings.CLAMAV_SIGNATURE_DAYS:
        return
    try:
        made_at = datetime.strptime(VERSION.fullmatch(answer)[1], "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except (TypeError, ValueError):
        raise Trouble("it does not say from when its signatures are") from None
    if now - made_at > timedelta(days=settings.CLAMAV_SIGNATURE_DAYS):
        raise Trouble("its signatures are old")


def _ask(send, seconds):
    """One question and its whole answer, without the zero that ends it. Raises Trouble."""
    ends, answer = time.monotonic() + seconds, b""
    try:
        with closing(_connection(seconds)) as server:
            send(server)
            while not answer.endswith(b"\0") and len(answer) < 1000:
                server.settimeout(max(ends - time.monotonic(), 0.001))
                piece = server.recv(1000)
                if not piece:
                    raise Trouble("its answer was cut off")
                answer += piece
    except OSError as error:
        raise Trouble(type(error).__name__) from None
    return answer.removesuffix(b"\0")


def _connection(seconds):
    url = urlsplit(settings.CLAMAV_URL)
    if url.scheme == "unix":
        server = socket.socket(socket.AF_UNIX)
        server.settimeout(seconds)
        server.connect(url.path)
        return server
    return socket.create_connection((url.hostname, url.port or 3310), timeout=seconds)
