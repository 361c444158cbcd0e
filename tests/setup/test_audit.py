"""`make audit`: what OSV knows about the versions that we lock; here, an OSV of our own."""

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

AUDIT = Path(__file__).resolve().parents[2] / "requirements" / "audit.py"
WEAK = {
    "vulns": [
        {
            "id": "PYSEC-0",
            "summary": "Falls over.",
            "affected": [
                {
                    "package": {"name": "segno", "ecosystem": "PyPI"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.6.7"}]}],
                }
            ],
        }
    ]
}


@pytest.fixture
def osv():
    """Somebody who answers as OSV does, and remembers what was asked."""

    class Osv(BaseHTTPRequestHandler):
        asked, weak = [], {}

        def do_POST(self):
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = question["package"]["name"]
            self.asked.append((name, question["version"]))
            body = json.dumps(self.weak.get(name, {})).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Osv) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        Osv.url = f"http://127.0.0.1:{server.server_port}/query"
        yield Osv
        server.shutdown()


@pytest.fixture
def locked(tmp_path):
    path = tmp_path / "locked.txt"
    path.write_text(f"segno==1.6.6 --hash=sha256:{'0' * 64}\nvine==5.1.0 --hash=sha256:{'1' * 64}\n")
    return path


def audit(*arguments):
    return subprocess.run([sys.executable, AUDIT, *map(str, arguments)], capture_output=True, text=True)


def test_each_locked_version_is_asked_about(osv, locked):
    done = audit("--osv-url", osv.url, locked)
    assert sorted(osv.asked) == [("segno", "1.6.6"), ("vine", "5.1.0")]
    assert (done.returncode, done.stdout) == (0, "No weakness is known in the 2 packages that we depend on.\n")


def test_a_known_weakness_stops_the_gate_and_says_which_version_mends_it(osv, locked):
    osv.weak["segno"] = WEAK
    done = audit("--osv-url", osv.url, locked)
    assert (done.returncode, done.stdout) == (1, "segno 1.6.6: PYSEC-0, mended in 1.6.7\n")


def test_silence_is_not_taken_for_an_answer(locked):
    done = audit("--osv-url", "http://127.0.0.1:9/query", locked)
    assert (done.returncode, done.stdout) == (2, "Nobody could be asked about weaknesses of anything.\n")
