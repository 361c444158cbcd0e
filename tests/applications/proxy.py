"""What stands in front of two web processes in a deployment, in few lines: a proxy that keeps a request until it has
all of it, and knows when it may try the next replica. As deploy/nginx.conf says it; tests/e2e has the real one.

    with proxy([("127.0.0.1", 8001), ("127.0.0.1", 8002)]) as port: ...
"""

import itertools
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SAFE = ("GET", "HEAD")


@contextmanager
def proxy(replicas):
    turns = itertools.count()

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self):
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                return
            self.close_connection = True
            head = [f"{name}: {value}" for name, value in self.headers.items() if name.lower() != "connection"]
            lines = [self.requestline, *head, "Connection: close", "", ""]
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.wfile.write(self.answered("\r\n".join(lines).encode("latin-1") + body))

        def answered(self, request):
            why = "no replica is there"
            first = next(turns) % len(replicas)
            for replica in (*replicas[first:], *replicas[:first]):
                try:
                    line = socket.create_connection(replica, timeout=2)
                except OSError:
                    continue  # nothing was handed over
                with line:
                    line.settimeout(60)
                    why = f"{replica}: closed without an answer"
                    try:
                        line.sendall(request)
                        answer = b"".join(iter(lambda line=line: line.recv(65536), b""))
                    except OSError as trouble:
                        answer, why = b"", repr(trouble)
                if answer:
                    return answer
                if self.command not in SAFE:
                    break  # it may have been done
            return f"HTTP/1.1 502 Bad Gateway\r\n\r\n{why}".encode()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()
