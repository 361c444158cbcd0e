"""What one applicant's files may cost: how small a piece, how many versions, how long they are looked into; and what
stays of files after a restored backup."""

# ruff: noqa: F401, F811 - the fixtures of another file

import threading
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from applications import erasure, files, sandbox, uploads
from applications.models import Application, Attachment, Piece, Upload
from presessions import vault
from presessions.mail import journal, restoring
from presessions.mail.models import Switch
from tests.applications import hostile
from tests.applications.test_files import upload as incoming
from tests.applications.test_uploads import (
    FILE,
    PIECE,
    _commits_are_certain,
    application,
    begin,
    device,
    old,
    open_call,
    private_files,
    save,
    send,
    send_all,
    stored,
)

pytestmark = pytest.mark.django_db


# --- Pieces ----------------------------------------------------------------------------------------------------------


def test_a_piece_of_one_byte_is_not_taken(device):
    key = begin(device).json()["key"]
    for size in (1, uploads.LEAST - 1):
        response = send(device, key, 0, FILE[:size])
        assert (response.status_code, response.json()) == (409, {"received": 0})
    assert (Piece.objects.count(), stored()) == (0, [])


def test_the_last_piece_may_be_as_small_as_it_is(device, application):
    content = FILE[: uploads.LEAST + 1]
    key = begin(device, content).json()["key"]
    assert send(device, key, 0, content[:-1]).json() == {"received": uploads.LEAST}
    assert send(device, key, uploads.LEAST, content[-1:]).json() == {"received": len(content)}
    assert send(device, key, len(content), b"").status_code == 409


def test_a_piece_that_comes_as_a_form_is_refused_in_words(device):
    address = f"{reverse('applications:upload_piece', args=[begin(device).json()['key']])}?from=0"
    form, text = {"file": SimpleUploadedFile("a", FILE[:PIECE])}, "a piece"
    for response in (device.post(address, form), device.post(address, text, content_type="text/plain")):
        assert (response.status_code, "application/octet-stream" in response.content.decode()) == (415, True)
    assert device.post(address, FILE[:PIECE], content_type="").json() == {"received": PIECE}  # as a browser sends it


def test_nothing_is_begun_for_an_application_that_was_erased(application):
    stale = Application.objects.with_state().get(pk=application.pk)
    erasure.erase(application, now=timezone.now())
    with pytest.raises(files.Refused, match="withdrawn"):
        uploads.begin(stale, "upr_submission", name="the minister.pdf", size=9, now=timezone.now())
    assert not Upload.objects.exists()


def test_a_piece_of_an_upload_that_was_erased_leaves_nothing(application, now):
    upload = uploads.begin(application, "upr_submission", name="a.pdf", size=len(FILE), now=now)
    erasure.erase(application, now=timezone.now())
    with pytest.raises(uploads.WrongPlace):
        uploads.add(upload, 0, FILE[:PIECE], now=now)
    assert stored() == []


# --- The second click ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["before it is joined", "while it is joined", "while it is looked into"])
def test_a_second_click_gets_the_file_that_the_first_has_kept(device, application, monkeypatch, moment):
    """The other process is quicker: it finishes between two steps of ours."""
    key = send_all(device)
    place = {"before it is joined": (vault.EncryptedUpload, "create"), "while it is joined": (vault.storage, "open"),
             "while it is looked into": (files, "check")}[moment]  # fmt: skip
    real = getattr(*place)

    def first_click(*facts, **more):
        second.undo()
        with vault.EncryptedUpload.create("submission.pdf") as whole:
            whole.write(FILE)
            whole.finish()
            application.attach(whole, "upr_submission", files.check(whole), now=timezone.now())
        upload = Upload.objects.get(key=key)
        Upload.objects.filter(pk=upload.pk).update(done_at=timezone.now())
        uploads.remove_pieces(upload)
        if moment == "while it is looked into":
            raise files.refusal("busy")
        return real(*facts, **more)

    with monkeypatch.context() as second:
        second.setattr(*place, first_click)
        kept = uploads.take(application, "upr_submission", key=key, now=timezone.now())
    assert kept == application.attachments.get()
    assert Upload.objects.get(key=key).done_at


# --- Versions --------------------------------------------------------------------------------------------------------


def versions(application, number, *, at, kind="upr_submission"):
    Attachment.objects.bulk_create(
        Attachment(application=application, kind=kind, version=version, size=9, sha256="a", uploaded_at=at)
        for version in range(1, number + 1)
    )


@pytest.mark.parametrize("in_pieces", [True, False])
def test_ten_versions_of_a_file_are_taken_in_a_day(device, application, in_pieces):
    """The eleventh is refused before it is sent and before it is looked into; a day later it is taken."""
    now = timezone.now()
    versions(application, uploads.VERSIONS - 1, at=now - timedelta(hours=1))
    save(device, upload=send_all(device)) if in_pieces else save(device, file=SimpleUploadedFile("a.pdf", FILE))
    other = hostile.pdf(pages=3)
    if in_pieces:
        response = begin(device, other)
        assert (response.status_code, "within a day" in response.json()["words"]) == (422, True)
    page = save(device, file=SimpleUploadedFile("b.pdf", other)).content.decode()
    assert "Ten versions of this file have come within a day." in page
    assert application.attachments.count() == uploads.VERSIONS
    uploads._refuse_too_often(application, "statement", now)  # each kind by itself
    Attachment.objects.update(uploaded_at=now - timedelta(days=1))
    assert save(device, file=SimpleUploadedFile("b.pdf", other)).status_code == 302


def test_pieces_that_were_sent_before_are_no_way_around_it(device, application):
    key = send_all(device)
    versions(application, uploads.VERSIONS, at=timezone.now())
    assert "within a day" in save(device, upload=key).content.decode()
    assert application.attachments.count() == uploads.VERSIONS


# --- Looking ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def slow(tmp_path, monkeypatch):
    """Files that keep the program busy until it is stopped, after a second here."""
    script = tmp_path / "inspector.py"
    script.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(sandbox, "PROGRAM", script)
    monkeypatch.setattr(sandbox, "SECONDS", 1)


def test_four_slow_files_of_one_applicant_leave_the_door_open_for_others(slow, monkeypatch):
    monkeypatch.setattr(files, "OWN_TURN", 0.1)
    said, held = [], threading.Event()

    def attack():
        try:
            with files.turn("ATTACKER"):
                held.wait(5)
        except files.Refused as refused:
            said.append(refused.word)

    attackers = [threading.Thread(target=attack) for _ in range(4)]
    [thread.start() for thread in attackers]
    while len(said) < 3:
        threading.Event().wait(0.01)
    with files.turn("HONEST"):
        assert said == ["busy"] * 3
    held.set()
    [thread.join() for thread in attackers]
    with files.turn("ATTACKER"):
        assert files._looking == {"ATTACKER"}
    assert files._looking == set()


def test_a_second_click_waits_for_the_first():
    order, begun = [], threading.Event()

    def first():
        with files.turn("HONEST"):
            begun.set()
            threading.Event().wait(0.2)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    begun.wait(5)
    with files.turn("HONEST"):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


def test_slow_files_of_one_applicant_cost_so_much_of_an_hour_and_no_more(slow, monkeypatch):
    cache.clear()
    monkeypatch.setattr(files, "HOURLY", 1.5)
    run, looks = sandbox.run, []
    monkeypatch.setattr(sandbox, "run", lambda *arguments: looks.append(1) or run(*arguments))
    for _ in range(3):
        with incoming(b"%PDF-") as file, pytest.raises(files.Refused, match="could not be checked"):
            files.check(file, "ATTACKER")
    assert len(looks) == 2
    monkeypatch.undo()
    with incoming(hostile.pdf()) as file:
        assert files.check(file, "HONEST").content_type == "pdf"


def test_what_is_looked_into_is_counted_for_the_applicant(device, application):
    cache.clear()
    save(device, file=SimpleUploadedFile("a.pdf", FILE))
    assert 0 < files._spent(application.reference) < 20


def test_without_redis_files_are_looked_into_all_the_same(monkeypatch):
    dead = RedisCache("redis://127.0.0.1:1/0", {"OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}})
    monkeypatch.setattr(files, "cache", dead)
    with incoming(hostile.pdf()) as file:
        assert files.check(file, "HONEST").content_type == "pdf"


# --- After a restored backup ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("staff_had_stopped", [False, True])
def test_files_from_before_a_restore_stay_for_a_month_though_no_row_names_them(settings, tmp_path, staff_had_stopped):
    settings.MAIL_JOURNAL = tmp_path / "journal"
    journal.forget()
    now = timezone.now()
    lost, left = (vault.storage.path(vault.storage.save(name, ContentFile(b"lost"))) for name in ("lost", "left"))
    old(lost, 26)
    if staff_had_stopped:
        Switch.stop(by=None, now=now - timedelta(hours=27))
    journal.stop(journal.OLDER, now - timedelta(hours=25, minutes=30))
    assert uploads.sweep(now)["files"] == 0
    restoring.resume(by=None, now=now - timedelta(hours=25))
    old(left, 24.5)  # written after it: nothing of it was lost
    assert uploads.sweep(now)["files"] == 1
    assert (lost.exists(), left.exists()) == (True, False)
    Switch.stop(by=None, now=now)
    Switch.start(by=None, now=now)  # another day: no restore
    with time_machine.travel(now + timedelta(days=28, hours=22)):
        assert uploads.sweep(timezone.now())["files"] == 0
    if not staff_had_stopped:
        assert uploads.sweep(now + timedelta(days=28, hours=24))["files"] == 1
        assert not lost.exists()
    journal.forget()
