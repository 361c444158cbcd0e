"""PostgreSQL and Redis on other machines, by addresses alone: encrypted on the way, and the other end proves who it is.
Real TLS on the loopback in front of the servers of this test run."""

import os
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.mail.certificates import make_certificate

HOME = Path(__file__).resolve().parents[2]
SSL_REQUEST = bytes([0, 0, 0, 8, 4, 210, 22, 47])  # with it PostgreSQL's clients ask whether to go on encrypted


@contextmanager
def behind_tls(port, certificate, key, *, asked_first=False):
    """A port that speaks TLS and passes on to another one that does not; how many came through it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    came = []

    def pass_on(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for one in (source, target):
            one.close()

    def serve():
        while True:
            try:
                plain, _ = door.accept()
            except OSError:
                return
            try:
                if asked_first:
                    assert plain.recv(8) == SSL_REQUEST
                    plain.sendall(b"S")
                inside = context.wrap_socket(plain, server_side=True)
            except (OSError, AssertionError):
                plain.close()
                continue
            came.append(inside.version())
            behind = socket.create_connection(("127.0.0.1", port))
            for pair in ((inside, behind), (behind, inside)):
                threading.Thread(target=pass_on, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=serve, daemon=True).start()
        yield door.getsockname()[1], came


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path)


@pytest.fixture
def another(tmp_path):
    (tmp_path / "another").mkdir()
    return make_certificate(tmp_path / "another")[0]


def run(program, **settings):
    """What a process of ours says under these settings, and how it ended."""
    done = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{program}"],
        cwd=HOME,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "presessions.settings", **settings},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


ASK_POSTGRES = "from django.db import connection; connection.cursor().execute('SELECT 1'); print('answered')"
ASK_REDIS = """
from django.core.cache import cache
from presessions.celery import app
cache.set("bell", "rung"); assert cache.get("bell") == "rung"
with app.connection_for_write() as broker: broker.ensure_connection(max_retries=0, timeout=5)
print("answered")
"""


def test_postgres_is_reached_by_tls_and_its_certificate_is_checked(certificate, another):
    address = urlsplit(os.environ["DATABASE_URL"])
    with behind_tls(address.port, *certificate, asked_first=True) as (port, came):
        url = os.environ["DATABASE_URL"].replace(f":{address.port}/", f":{port}/")
        checked = f"{url}?sslmode=verify-full&sslrootcert="
        status, said = run(ASK_POSTGRES, DATABASE_URL=f"{checked}{certificate[0]}")
        assert (status, "answered" in said) == (0, True), said
        assert came == ["TLSv1.3"]
        status, said = run(ASK_POSTGRES, DATABASE_URL=f"{checked}{another}")
        assert status == 1
        assert "certificate verify failed" in said


def test_redis_is_reached_by_tls_for_the_cache_and_the_bell_and_its_certificate_is_checked(certificate, another):
    address = urlsplit(os.environ["REDIS_URL"])
    with behind_tls(address.port, *certificate) as (port, came):
        url = os.environ["REDIS_URL"].replace("redis://", "rediss://").replace(f":{address.port}/", f":{port}/")
        checked = f"{url}?ssl_cert_reqs=required&ssl_ca_certs="
        status, said = run(ASK_REDIS, REDIS_URL=f"{checked}{certificate[0]}")
        assert (status, "answered" in said) == (0, True), said
        assert len(came) >= 2
        assert set(came) == {"TLSv1.3"}
        status, said = run(ASK_REDIS, REDIS_URL=f"{checked}{another}")
        assert status == 1
        assert "certificate verify failed" in said


def test_an_object_store_is_chosen_by_settings_alone():
    say = (
        "from django.core.files.storage import storages; from presessions import vault;"
        "print(type(storages['default']).__name__, storages['objects'].bucket_name, storages['objects'].endpoint_url)"
    )
    where = {"S3_BUCKET": "private", "S3_ENDPOINT": "https://objects.example.org", "S3_REGION": "ch"}
    status, said = run(say, **where, S3_ACCESS_KEY="key", S3_SECRET_KEY="secret")
    assert (status, said.strip()) == (0, "ObjectStorage private https://objects.example.org")
    status, said = run(say, **where)
    assert status == 1
    assert "S3_ACCESS_KEY" in said
