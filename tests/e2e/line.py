"""A line between a browser and the house that can be cut, and mended.

The browser's own "offline" is not enough: it is told to each of its processes, and a service worker that Chromium has
just started again has not heard of it yet. Behind this line there is nobody, whoever asks.
"""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

BLOCK = 64 * 1024


class Line:
    """`url` leads to the house until `cut()`, and again after `mend()`, by the same port."""

    def __init__(self, house):
        parts = urlsplit(house)
        self.beyond = (parts.hostname, parts.port)
        self.port, self.open, self.ends, self.lock = 0, None, set(), threading.Lock()
        self.mend()
        self.url = f"http://localhost:{self.port}"

    def mend(self):
        self.open = socket.create_server(("127.0.0.1", self.port))
        self.port = self.open.getsockname()[1]
        threading.Thread(target=self._listen, args=[self.open], daemon=True).start()

    def cut(self):
        """Nobody answers any more, and who was being answered hears the end of it."""
        with suppress(OSError):  # close() alone does not wake the thread that waits in accept()
            self.open.shutdown(socket.SHUT_RDWR)
        self.open.close()
        with self.lock:
            ends, self.ends = self.ends, set()
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _listen(self, door):
        while True:
            try:
                near, _address = door.accept()
            except OSError:
                return
            with suppress(OSError):
                far = socket.create_connection(self.beyond)
                with self.lock:
                    self.ends |= {near, far}
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=[one, other], daemon=True).start()


def _carry(one, other):
    with suppress(OSError):
        while block := one.recv(BLOCK):
            other.sendall(block)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
