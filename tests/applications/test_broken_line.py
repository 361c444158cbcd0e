"""A line that drops in the middle of a post, before the real web process: nothing is saved, and no file is left."""

import socket
from datetime import timedelta

import pytest
from django.utils import timezone

from presessions import vault
from tests.applications import hostile
from tests.applications.factories import ApplicationFactory, StateCallFactory
from tests.applications.web import Person, gunicorn
from tests.missions.pages import dump

pytestmark = pytest.mark.django_db(transaction=True)

FILE = hostile.pdf(pages=700)


@pytest.fixture
def application(settings, tmp_path):
    settings.PRIVATE_FILES = tmp_path / "private"
    now = timezone.now()
    state_call = StateCallFactory(
        opens_at=now - timedelta(days=30), call_closes_at=now + timedelta(days=10), now=now - timedelta(days=20)
    )
    return ApplicationFactory(state_call=state_call, complete=False, now=now)


@pytest.fixture
def person(application, tmp_path):
    with gunicorn(tmp_path, workers=1) as web:
        yield Person(web.port, application)


def post_and_drop(person, path, body, kind, sent):
    """Announce all of it, send so much, and hang up as a phone in a tunnel does."""
    headers = {**person.headers, "Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"}
    head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", person.port)) as line:
        line.sendall(head.encode() + b"\r\n" + body[:sent])
        line.shutdown(socket.SHUT_WR)
        line.settimeout(30)
        return line.recv(20)  # nobody waits for it; but then the server has done what it wanted to do


def files_left():
    return [name for name, *_ in vault.storage.kept()]


def test_a_form_that_is_cut_anywhere_saves_nothing_and_leaves_no_file(person, application):
    body, kind = person.form(FILE)
    before = dump()
    for sent in (0, 40, body.index(b"%PDF-"), len(body) // 2, len(body) - len(b"\r\n--line--\r\n"), len(body) - 2):
        assert b" 302 " not in post_and_drop(person, "/en/application/file/", body, kind, sent), sent
        assert dump() == before, sent
        assert files_left() == [], sent
    person.send_whole(FILE)
    assert len(files_left()) == application.attachments.count() == 1


def test_a_section_that_is_cut_saves_nothing_of_it(person, application):
    body = f"csrfmiddlewaretoken={person.token}&security_note=The+minister+knows+us+all".encode()
    kind = "application/x-www-form-urlencoded"
    assert b" 302 " not in post_and_drop(person, "/en/application/safety/", body, kind, len(body) - 4)
    application.refresh_from_db()
    assert (application.security_note, application.safety_seen_at) == ("", None)


def test_a_piece_that_is_cut_does_not_count(person, application):
    person.post("/en/application/upload/", name="a.pdf", size=len(FILE), kind="upr_submission")
    upload = application.uploads.get()
    path = f"/en/application/upload/{upload.key}/?from=0"
    post_and_drop(person, path, FILE[:50_000], "application/octet-stream", 30_000)
    upload.refresh_from_db()
    assert (upload.received, files_left()) == (0, [])
