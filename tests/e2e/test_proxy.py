"""deploy/nginx.conf, in a real nginx: before two replicas that come and go, it finds who is there."""

import http.client
import os
import re
import shutil
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.utils import timezone

from applications.models import Application
from presessions import devservers
from tests.applications.factories import answers
from tests.applications.web import ROOT, Person
from tests.mail.nameserver import NameServer
from tests.promises.test_o4_restarts_of_the_web import Load, Replica, asked, open_call, wait_for_more

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
REPLICAS = ["127.0.0.2", "127.0.0.3"]


class Nginx(devservers.Server):
    """With the file of the deployment, but for the addresses of this machine."""

    name = "nginx"

    def __init__(self, folder, *, names, behind):
        super().__init__(folder)
        conf = (ROOT / "deploy" / "nginx.conf").read_text()
        for there, here in {
            "listen 8080;": f"listen 127.0.0.1:{self.port};",
            "resolver 127.0.0.11 ": f"resolver {names.address} ",
            "web:8000": f"web:{behind}",
            "/var/cache/nginx/": f"{self.folder}/",
        }.items():
            assert there in conf
            conf = conf.replace(there, here)
        temporary = "".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
        self.conf = self.folder / "nginx.conf"
        self.conf.write_text(
            f"daemon off; pid {self.folder}/pid; error_log {self.folder}/said crit;"
            f"{'user root;' if os.geteuid() == 0 else ''} events {{}} http {{ {temporary} {conf} }}"
        )

    def _command(self):
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        return [program, "-c", self.conf, "-e", self.folder / "said"], None

    def _answers(self):
        try:
            return asked(self.port, "/health/live") in (200, 502)
        except OSError:
            return False


@pytest.fixture
def house(tmp_path, settings):
    """Two replicas of one name, and the proxy before them."""
    settings.PRIVATE_FILES = tmp_path / "private"
    port = devservers.free_port()
    one, two = (Replica(tmp_path, number, host=host, port=port) for number, host in enumerate(REPLICAS, start=1))
    with NameServer() as names:
        names.zone["web", "A"] = list(REPLICAS)
        with one, two, Nginx(tmp_path, names=names, behind=port) as nginx:
            yield nginx, one, two, names


def test_replicas_behind_nginx_are_restarted_and_nobody_notices(house):
    nginx, one, two, _names = house
    with Load(nginx.port, open_call()) as load:
        for replica in (one, two):
            wait_for_more(load)
            assert replica.end() == 0
            wait_for_more(load)  # the other one does it alone
            replica.start()
        one.process.send_signal(signal.SIGHUP)
        wait_for_more(load)
    assert load.troubles == []
    assert len(load.shown) >= 4


def test_a_replica_that_came_later_is_found_by_its_name(house):
    nginx, one, two, names = house
    names.zone["web", "A"] = [two.host]
    two.stop()
    wait_for(lambda: asked(nginx.port, "/health/live") == 502)
    names.zone["web", "A"] = [one.host]
    wait_for(lambda: asked(nginx.port, "/health/live") == 200)


def test_what_is_too_large_ends_at_the_door_and_what_passes_touches_no_disk_but_its_own(house, tmp_path):
    nginx, *_ = house
    application = Application.start(open_call(), email="amina@example.org", language="en", now=timezone.now())
    for section, given in answers().items():
        application.save_section(section, given, now=timezone.now())
    person = Person(nginx.port, application)
    status, _, _ = person.ask("POST", "/en/application/file/", *person.form(b"x" * 25 * 1024 * 1024))
    assert status == 413
    status, _, text = person.ask("POST", "/en/application/file/", *person.form(b"%PDF-" + b"x" * 21 * 1024 * 1024))
    assert status == 200
    assert "20" in text  # our own words: it is too large
    assert [path for path in (Path(tmp_path) / "uploads").rglob("*") if path.is_file()] == []
    assert (nginx.folder / "said").read_text() == ""


@pytest.mark.parametrize(
    "said, seen",
    [
        (None, "127.0.0.1"),
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.7, 203.0.113.9", "203.0.113.9"),  # the first one is what the visitor claims to be
        ("203.0.113.9, 172.18.0.1", "203.0.113.9"),  # the bridge of the containers
    ],
)
def test_a_visitor_keeps_the_address_that_the_proxy_with_the_certificate_saw(said, seen, tmp_path):
    with NameServer() as names, Echo() as echo, Nginx(tmp_path, names=names, behind=echo.server_port) as nginx:
        names.zone["web", "A"] = ["127.0.0.1"]
        line = http.client.HTTPConnection("127.0.0.1", nginx.port)
        line.request("GET", "/", headers={"X-Forwarded-For": said} if said else {})
        assert line.getresponse().read().decode() == seen
        line.close()


class Echo(ThreadingHTTPServer):
    """Answers with the address that it is told."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.headers["X-Forwarded-For"].encode())

        def log_message(self, *words):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *failure):
        self.shutdown()
        self.server_close()


def test_nobody_is_told_which_server_this_is(house):
    nginx, *_ = house
    line = http.client.HTTPConnection("127.0.0.1", nginx.port)
    line.request("GET", "/en/", headers={"Host": "localhost"})
    assert not re.search(r"\d", line.getresponse().headers["Server"])
    line.close()


def wait_for(condition, seconds=15):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "It never happened."
        time.sleep(0.2)
