"""A scanner for tests: clamd's protocol over TCP, and whatever may go wrong with it. It knows one sign of malware.

with Scanner() as scanner:                  settings.CLAMAV_URL = scanner.url
scanner.answers["INSTREAM"] = b"..."        these bytes instead of the honest answer
scanner.hangs = True                        it takes the question and never answers
scanner.stop(), scanner.start()             on the same port
"""

import io
import socketserver
import struct
import threading
import zipfile

# The sign that every scanner knows, in two halves so that none finds it here.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
FRESH = b"ClamAV 1.4.6/27850/Mon Mar  2 08:00:00 2026\0"  # on the Monday of the factories


class Scanner:
    def __init__(self, path=None):
        self.path = path  # of a socket on this machine, instead of TCP
        self.answers, self.hangs, self.seen = {"VERSION": FRESH}, False, []
        self.port, self.server = 0, None
        self.over = threading.Event()

    @property
    def url(self):
        return f"unix:{self.path}" if self.path else f"tcp://127.0.0.1:{self.port}"

    def start(self):
        scanner = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                scanner.answer(self.rfile, self.wfile)

        class Server(socketserver.ThreadingUnixStreamServer if self.path else socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True
            block_on_close = False

        self.over.clear()
        self.server = Server(str(self.path) if self.path else ("127.0.0.1", self.port), Handler)
        self.port = self.port if self.path else self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def answer(self, asks, says):
        command = b""
        while not command.endswith(b"\0"):
            command += asks.read(1)
        word, found = command.strip(b"z\0").decode(), b"stream: OK\0"
        if word == "INSTREAM":
            data = b""
            while size := struct.unpack(">L", asks.read(4))[0]:
                data += asks.read(size)
            self.seen.append(data)
            found = b"stream: Eicar-Test-Signature FOUND\0" if EICAR in _opened(data) else found
        if self.hangs:
            self.over.wait(30)
            return
        says.write(self.answers.get(word, found))


def _opened(data):
    if not data.startswith(b"PK"):
        return data
    archive = zipfile.ZipFile(io.BytesIO(data))
    return b"\n".join(archive.read(name) for name in archive.namelist())
