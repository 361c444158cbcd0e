"""The real web process, gunicorn, on the database of a test, and people who use it over a line that may drop.

    with gunicorn(tmp_path) as web:
        person = Person(web.port, application)
        person.send_in_pieces(content); person.send_application(); person.receipt()

A Person tries again whenever the line drops or the server is gone, as people do, and remembers what was promised.
"""

import hashlib
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.utils import timezone

from applications.views.start import OPENED_AT, SESSION_KEY
from presessions import devservers

ROOT = Path(__file__).parents[2]
PATIENCE = 60  # seconds until somebody gives up trying again
COMMAND = [sys.executable, "-m", "gunicorn", "--config=python:presessions.serving"]


@dataclass
class Web:
    port: int
    process: subprocess.Popen
    log: Path

    def workers(self):
        """The process numbers of those that serve, without the one that only watches over them."""
        try:
            return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        except OSError:
            return []

    def kill_one(self):
        """What the kernel does when memory runs out; whether there was one to kill."""
        found = self.workers()
        if found:
            os.kill(int(random.choice(found)), signal.SIGKILL)
        return bool(found)


def database_url():
    known = connection.settings_dict
    return f"postgres://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"


@contextmanager
def gunicorn(folder, *, workers=2, threads=8, preload=True, url=None):
    """The web process as it is deployed. preload -- forks in a moment what would start anew in seconds"""
    port, log = devservers.free_port(), Path(folder) / "gunicorn.log"
    environment = {
        **os.environ,
        "DATABASE_URL": url or database_url(),
        "PRIVATE_FILES": str(settings.PRIVATE_FILES),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    options = [f"--workers={workers}", f"--threads={threads}", f"--bind=127.0.0.1:{port}", "--graceful-timeout=5"]
    options += ["--preload"] if preload else []
    with log.open("w") as out:
        process = subprocess.Popen(
            [*COMMAND, *options],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=out,
            preexec_fn=devservers.end_with_owner(signal.SIGTERM),
        )
    web = Web(port, process, log)
    try:
        _wait_until_it_answers(web)
        yield web
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until_it_answers(web):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and web.process.poll() is None:
        try:
            line = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
            line.request("GET", "/health/live")
            if line.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(web.log.read_text()[-3000:])


class Person:
    """Somebody with a draft and a browser. `cut` says before each try whether the line drops in the middle of it."""

    def __init__(self, port, application, cut=lambda: False):
        session = SessionStore()
        session.update({SESSION_KEY: application.pk, OPENED_AT: timezone.now().isoformat()})
        session.save()
        self.port, self.cut, self.errors = port, cut, 0
        self.token = "a" * 32
        self.headers = {
            "Cookie": f"sessionid={session.session_key}; csrftoken={self.token}",
            "X-CSRFToken": self.token,
            "Host": "localhost",
        }

    def ask(self, method, path, body=None, kind="application/x-www-form-urlencoded"):
        """(status, headers, text), after as many tries as it takes; an answer of 500 or more counts as none."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                status, headers, text = self._try(method, path, body, kind)
                if status < 500:
                    return status, headers, text
                self.errors += 1
            except (OSError, http.client.HTTPException):
                pass
            if time.monotonic() > deadline:
                raise AssertionError(f"{method} {path}: nobody answers.")
            time.sleep(0.1)

    def _try(self, method, path, body, kind):
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            if body and self.cut():
                line.putrequest(method, path, skip_host=True)
                for name, value in {**self.headers, "Content-Type": kind, "Content-Length": len(body)}.items():
                    line.putheader(name, str(value))
                line.endheaders(body[: random.randrange(len(body))])
                raise ConnectionResetError
            line.request(method, path, body, {**self.headers, "Content-Type": kind})
            response = line.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            line.close()

    def post(self, path, **fields):
        return self.ask("POST", path, urlencode({"csrfmiddlewaretoken": self.token, **fields}).encode())

    def send_in_pieces(self, content, *, name="submission.pdf", piece=64 * 1024):
        """Send a file as static/upload.js does, and save the page with it."""
        facts = {"name": name, "size": len(content), "kind": "upr_submission"}
        facts["sha256"] = hashlib.sha256(content).hexdigest()
        kept = 0
        while True:  # what was sent can be swept away meanwhile, or be kept already
            status, _, text = self.post("/en/application/upload/", **facts)
            assert status == 200, (status, text)
            key, place = json.loads(text)["key"], json.loads(text)["received"]
            while place < len(content):
                assert place >= kept, "what had arrived is gone"
                kept = place
                status, _, text = self.ask(
                    "POST",
                    f"/en/application/upload/{key}/?from={place}",
                    content[place : place + piece],
                    "application/octet-stream",
                )
                assert status in (200, 409), (status, text)
                place = json.loads(text)["received"]
            status, _, text = self.post("/en/application/file/", upload=key, save="1")
            if status == 302:
                return
            assert "busy" in text or "Many files" in text, text[:500]

    def send_whole(self, content, *, name="submission.pdf"):
        """Send a file as a browser without scripts does."""
        while True:
            status, _, text = self.ask("POST", "/en/application/file/", *self.form(content, name=name))
            if status == 302:
                return
            assert "Many files" in text, text[:500]

    def form(self, content, *, name="submission.pdf", **fields):
        """A page with a file as a browser posts it, and its content type."""
        fields = {"csrfmiddlewaretoken": self.token, **fields, "save": "1"}
        rows = [
            f'--line\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        ]
        rows.append(
            f'--line\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/pdf\r\n\r\n"
        )
        body = "".join(rows).encode() + content + b"\r\n--line--\r\n"
        return body, "multipart/form-data; boundary=line"

    def send_application(self):
        status, _, text = self.post("/en/application/check/", understood="on")
        assert status == 302, text[:2000]

    def receipt(self):
        """(reference, SHA-256) as the page shows them."""
        _, _, text = self.ask("GET", "/en/application/receipt/")
        plain = re.sub(r"<[^>]+>|\s", "", text)
        return re.search(r"[0-9A-Z]{5}-[0-9A-Z]{5}", plain)[0], re.search(r"[0-9a-f]{64}", plain)[0]
