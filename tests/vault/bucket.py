"""A small object store on the loopback that speaks as much of S3 as we use: objects in one bucket, put, read, listed
and removed. `down` makes it answer 503; `asked` is what it was asked for.

    with bucket() as store: STORAGES["objects"]["OPTIONS"] = store.options
"""

import re
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

NAME, KEY = "private", "key-of-the-store"


class Store:
    def __init__(self):
        self.objects, self.asked, self.down = {}, [], False  # name -> (bytes, when)
        self.port = None

    @property
    def options(self):
        return {
            "bucket_name": NAME,
            "endpoint_url": f"http://127.0.0.1:{self.port}",
            "region_name": "ch",
            "access_key": KEY,
            "secret_key": "secret-of-the-store",
        }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def store(self):
        return self.server.store

    def log_message(self, *words):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        address = urlsplit(self.path)
        _, bucket, *rest = address.path.split("/", 2)
        name = rest[0] if rest else ""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.store.asked.append((self.command, name))
        if self.store.down:
            return self.answer(503)
        if f"Credential={KEY}/" not in self.headers.get("Authorization", "") or bucket != NAME:
            return self.answer(403)
        return self.do(name, body, parse_qs(address.query))

    do_GET = do_HEAD = do_PUT = do_DELETE = handle_any

    def do(self, name, body, query):
        objects = self.store.objects
        if self.command == "PUT":
            objects[name] = body, datetime.now(UTC)
            return self.answer(200, ETag='"1"')
        if self.command == "DELETE":
            objects.pop(name, None)
            return self.answer(204)
        if not name:
            return self.answer(200, self.listing(query.get("marker", [""])[0]), Content_Type="application/xml")
        if name not in objects:
            return self.answer(404)
        content, at = objects[name]
        facts = {"ETag": '"1"', "Last_Modified": format_datetime(at, usegmt=True)}
        if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, end = int(wanted[1]), int(wanted[2] or len(content) - 1)
            facts["Content_Range"] = f"bytes {start}-{end}/{len(content)}"
            return self.answer(206, content[start : end + 1], **facts)
        return self.answer(200, content, **facts)

    def listing(self, marker, at_once=2):
        """In small pages, so that whoever lists has to turn them."""
        names = sorted(name for name in self.store.objects if name > marker)
        rows = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>1</Size>"
            f"<LastModified>{self.store.objects[name][1]:%Y-%m-%dT%H:%M:%S.000Z}</LastModified></Contents>"
            for name in names[:at_once]
        )
        more = str(len(names) > at_once).lower()
        return f"<ListBucketResult><IsTruncated>{more}</IsTruncated>{rows}</ListBucketResult>".encode()


@contextmanager
def bucket():
    store = Store()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads, server.store, store.port = True, store, server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield store
        server.shutdown()
