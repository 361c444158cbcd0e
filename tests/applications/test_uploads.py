"""A file that comes in pieces: it goes on where the line broke, opens to nobody else, and ends as one sent whole."""

import hashlib
import os
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from applications import files, uploads
from applications.models import Attachment, Piece, Upload
from applications.views.start import OPENED_AT, SESSION_KEY
from presessions import vault
from tests.applications import hostile
from tests.applications.factories import ApplicationFactory, StateCallFactory

pytestmark = pytest.mark.django_db

FILE = hostile.pdf(pages=700)  # about 200 KB
SUM = hashlib.sha256(FILE).hexdigest()
PIECE = 64 * 1024


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    settings.PRIVATE_FILES = tmp_path / "private"


@pytest.fixture(autouse=True)
def _commits_are_certain(monkeypatch):
    """A test is one transaction that is never committed, and what waits for that would wait for ever."""
    monkeypatch.setattr(uploads.transaction, "on_commit", lambda then, robust=False: then())


@pytest.fixture
def open_call():
    now = timezone.now()
    return StateCallFactory(
        opens_at=now - timedelta(days=30), call_closes_at=now + timedelta(days=10), now=now - timedelta(days=20)
    )


@pytest.fixture
def application(open_call):
    return ApplicationFactory(state_call=open_call, complete=False, now=timezone.now())


def device_of(application):
    device = Client()
    session = device.session
    session[SESSION_KEY] = application.pk
    session.save()
    return device


@pytest.fixture
def device(application):
    return device_of(application)


def begin(device, content=FILE, name="submission.pdf", kind="upr_submission", **facts):
    facts = {"name": name, "size": len(content), "kind": kind, "sha256": hashlib.sha256(content).hexdigest()} | facts
    return device.post(reverse("applications:upload"), facts)


def send(device, key, start, data):
    address = reverse("applications:upload_piece", args=[key])
    return device.post(f"{address}?from={start}", data, content_type="application/octet-stream")


def send_all(device, content=FILE, key=None, start=0, piece=PIECE, **facts):
    key = key or begin(device, content, **facts).json()["key"]
    for place in range(start, len(content), piece):
        assert send(device, key, place, content[place : place + piece]).status_code == 200
    return key


def save(device, **posted):
    return device.post(reverse("applications:section", args=["file"]), {"save": "", **posted})


def stored():
    """Every file in private storage, whole or on its way."""
    return [path for _, path, _ in vault.storage.kept()]


def readable(attachment):
    with vault.storage.open(attachment.stored) as file:
        return file.read()


# --- The way of a file ----------------------------------------------------------------------------------------------


def test_a_file_in_pieces_ends_as_one_that_was_sent_whole(device, application):
    response = save(device, upload=send_all(device, name="Our submission.pdf"))
    assert response.status_code == 302
    attachment = application.attachments.get()
    assert (attachment.sha256, attachment.size, attachment.original_name) == (SUM, len(FILE), "Our submission.pdf")
    assert (attachment.content_type, readable(attachment)) == ("pdf", FILE)
    assert len(stored()) == 1  # the pieces are gone


def test_a_line_that_breaks_goes_on_where_it_stopped(device):
    key = begin(device).json()["key"]
    send(device, key, 0, FILE[:PIECE])
    address = reverse("applications:upload_piece", args=[key])
    assert device.get(address).json() == {"received": PIECE}
    send_all(device, key=key, start=PIECE)
    assert device.get(address).json() == {"received": len(FILE)}


def test_the_same_file_goes_on_from_another_device_and_after_a_restart(device, application):
    key = begin(device).json()["key"]
    send(device, key, 0, FILE[:PIECE])
    assert begin(device_of(application)).json() == {"key": key, "received": PIECE}


def test_the_page_says_how_much_of_a_file_is_here_at_the_same_price(device, django_assert_num_queries):
    address = reverse("applications:section", args=["file"])
    with CaptureQueriesContext(connection) as before:
        assert "data-begun" not in device.get(address).content.decode()
    price = len(before)  # the next request empties the log
    for number in range(3):
        key = begin(device, name=f"{number}.pdf").json()["key"]
        send(device, key, 0, FILE[:PIECE])
    with django_assert_num_queries(price):
        page = device.get(address).content.decode()
    assert "of the file “2.pdf” are here" in page


@pytest.mark.parametrize(
    "other",
    [{"name": "other.pdf"}, {"kind": "upr_submission", "content": FILE + b" "}, {"content": FILE[:-1] + b"?"}],
    ids=["another name", "another size", "the same name and size, other content"],
)
def test_another_file_begins_anew(device, other):
    key = begin(device).json()["key"]
    send(device, key, 0, FILE[:PIECE])
    again = begin(device, **other).json()
    assert (again["received"], again["key"] != key) == (0, True)


def test_a_browser_that_cannot_tell_the_sum_begins_anew_on_a_new_page(device):
    key = send_all(device, sha256="")
    assert begin(device, sha256="").json()["received"] == 0
    assert save(device, upload=key).status_code == 302


def test_the_same_piece_twice_counts_once(device, application):
    key = begin(device).json()["key"]
    for _ in range(2):
        assert send(device, key, 0, FILE[:PIECE]).json() == {"received": PIECE}
    assert (Piece.objects.count(), len(stored())) == (1, 1)
    save(device, upload=send_all(device, key=key, start=PIECE))
    assert application.attachments.get().sha256 == SUM


def test_of_the_same_piece_twice_at_once_one_counts(application, now):
    upload = uploads.begin(application, "upr_submission", name="a.pdf", size=len(FILE), now=now)
    twin = Upload.objects.get(pk=upload.pk)  # as another process has read it, before the first piece was counted
    assert uploads.add(upload, 0, FILE[:PIECE], now=now) == PIECE
    assert uploads.add(twin, 0, FILE[:PIECE], now=now) == PIECE
    assert (Piece.objects.count(), len(stored())) == (1, 1)


@pytest.mark.parametrize("start", [1, PIECE - 1, PIECE + 1, 2 * PIECE, len(FILE)])
def test_a_wrong_place_is_answered_with_how_much_has_come(device, start):
    key = begin(device).json()["key"]
    send(device, key, 0, FILE[:PIECE])
    response = send(device, key, start, FILE[start : start + 100] or b"x")
    assert (response.status_code, response.json()) == (409, {"received": PIECE})
    assert len(stored()) == 1


def test_more_than_was_announced_is_not_taken(device):
    key = begin(device).json()["key"]
    send_all(device, key=key)
    assert send(device, key, len(FILE), b"more").status_code == 409
    other = begin(device, b"0123456789", name="small.pdf").json()["key"]
    assert send(device, other, 0, b"0123456789a").status_code == 409


def test_a_piece_is_never_larger_than_half_a_megabyte(device):
    large = bytes(uploads.PIECE + 1)
    key = begin(device, large).json()["key"]
    assert send(device, key, 0, large).status_code == 409
    assert send(device, key, 0, large[:-1]).status_code == 200


@pytest.mark.parametrize(("size", "word"), [(0, "empty"), (20 * 1024 * 1024 + 1, "too_large")])
def test_size_is_refused_in_words_before_anything_is_sent(device, size, word):
    response = begin(device, size=size)
    assert (response.status_code, response.json()["words"]) == (422, str(files.refusal(word)))
    assert not Upload.objects.exists()


def test_every_piece_is_encrypted_at_once(device):
    send(device, begin(device, b"the minister " * 99).json()["key"], 0, b"the minister " * 99)
    assert [b"minister" in path.read_bytes() for path in stored()] == [False]


def test_one_application_has_few_files_on_their_way(device):
    keys = [send_all(device, FILE[:number], name=f"{number}.pdf") for number in range(1, 6)]
    assert set(Upload.objects.values_list("key", flat=True)) == set(keys[-uploads.AT_ONCE :])


# --- What may go wrong at the end ------------------------------------------------------------------------------------


def test_a_file_that_is_refused_is_refused_in_the_words_of_a_whole_one(device, application):
    page = b"<html>" + b"x" * 1000
    response = save(device, upload=send_all(device, page, name="page.pdf"))
    assert str(files.refusal(files_word(page))) in response.content.decode().replace("&#x27;", "'")
    assert not application.attachments.exists()
    assert (Upload.objects.count(), stored()) == (0, [])


def files_word(content):
    with vault.EncryptedUpload.create("page.pdf") as file:
        file.write(content)
        file.finish()
        return files.inspect(file)


def test_a_refusal_leaves_the_file_that_was_there(device, application):
    save(device, upload=send_all(device))
    save(device, upload=send_all(device, b"no PDF", name="no.pdf"))
    assert application.attachments.get().sha256 == SUM


@pytest.mark.parametrize("in_pieces", [True, False])
def test_while_many_files_are_looked_into_nothing_has_to_be_sent_again(device, application, monkeypatch, in_pieces):
    posted = {"upload": send_all(device)} if in_pieces else {"file": SimpleUploadedFile("a.pdf", FILE)}
    with monkeypatch.context() as busy:
        busy.setattr(files, "inspect", lambda *_: "busy")
        response = save(device, **posted)
    assert "has arrived and is kept" in response.content.decode()
    assert save(device, upload=application.uploads.get().key).status_code == 302
    assert application.attachments.get().sha256 == SUM
    assert f'value="{application.uploads.get().key}"' in response.content.decode()


def test_a_file_that_is_not_whole_is_not_taken_and_kept_for_later(device, application):
    key = begin(device).json()["key"]
    send(device, key, 0, FILE[:PIECE])
    assert "has not arrived whole" in save(device, upload=key).content.decode()
    assert not application.attachments.exists()
    assert begin(device).json() == {"key": key, "received": PIECE}


def test_what_did_not_arrive_as_it_left_is_not_taken(device, application):
    key = send_all(device, FILE[:-1] + b"?", sha256=SUM)
    assert "did not arrive as it left" in save(device, upload=key).content.decode()
    assert not application.attachments.exists()


def test_pressing_twice_keeps_the_file_once(device, application):
    key = send_all(device)
    assert [save(device, upload=key).status_code for _ in range(2)] == [302, 302]
    assert application.attachments.count() == 1


def test_a_whole_file_is_put_aside_while_something_else_is_mended(application, now):
    with vault.EncryptedUpload.create("paper.pdf") as file:
        file.write(FILE)
        file.finish()
        upload = uploads.put_aside(application, "upr_submission", file, now=now)
    assert uploads.find(application, upload.key).received == len(FILE)
    assert uploads._joined(upload).sha256 == SUM


# --- To whom it opens -----------------------------------------------------------------------------------------------


def test_the_key_alone_opens_nothing(device, open_call):
    key = begin(device).json()["key"]
    other = device_of(ApplicationFactory(state_call=open_call, complete=False, now=timezone.now()))
    address = reverse("applications:upload_piece", args=[key])
    for stranger in (other, Client()):
        assert stranger.get(address).status_code == 404
        assert send(stranger, key, 0, FILE[:PIECE]).status_code == 404
    send_all(device, key=key)
    assert "has not arrived whole" in save(other, upload=key).content.decode()
    assert Attachment.objects.count() == 0


def test_the_same_file_of_another_application_is_another_upload(device, open_call):
    key = send_all(device)
    other = device_of(ApplicationFactory(state_call=open_call, complete=False, now=timezone.now()))
    assert begin(other).json()["received"] == 0
    assert begin(other).json()["key"] != key


def test_without_the_mark_against_forgery_nothing_is_begun_or_taken(application):
    device = device_of(application)
    key = begin(device).json()["key"]
    device.handler.enforce_csrf_checks = True
    assert begin(device).status_code == 403
    assert send(device, key, 0, FILE[:PIECE]).status_code == 403
    device.get(reverse("applications:section", args=["file"]))
    token = device.cookies["csrftoken"].value
    address = reverse("applications:upload_piece", args=[key])
    response = device.post(
        f"{address}?from=0", FILE[:PIECE], content_type="application/octet-stream", headers={"X-CSRFToken": token}
    )
    assert response.status_code == 200


def test_after_the_deadline_nothing_is_begun_or_taken(device, open_call):
    key = begin(device).json()["key"]
    type(open_call.call).objects.filter(pk=open_call.call_id).update(closes_at=timezone.now() - timedelta(hours=2))
    assert begin(device).status_code == 410
    assert send(device, key, 0, FILE[:PIECE]).status_code == 410
    assert save(device, upload=key).status_code == 410


def test_who_opened_the_form_in_time_may_finish_sending_in_the_hour_of_grace(device, application, open_call):
    key = begin(device).json()["key"]
    session = device.session
    session[OPENED_AT] = (timezone.now() - timedelta(hours=1)).isoformat()
    session.save()
    type(open_call.call).objects.filter(pk=open_call.call_id).update(closes_at=timezone.now() - timedelta(minutes=30))
    save(device, upload=send_all(device, key=key))
    application.refresh_from_db()
    assert (application.attachments.get().sha256, application.in_grace) == (SUM, True)


@pytest.mark.parametrize("nonsense", [{"kind": "assessment"}, {"size": "many"}, {"size": "-1"}])
def test_nonsense_is_refused(device, nonsense):
    assert begin(device, **nonsense).status_code == 400
    assert send(device, begin(device).json()["key"], "-1", b"x").status_code == 400


def test_a_piece_costs_the_same_whether_few_or_many_came_before(device, django_assert_num_queries):
    key, step = begin(device).json()["key"], uploads.LEAST
    for place in range(0, 3 * step, step):
        with django_assert_num_queries(PIECE_QUERIES):
            send(device, key, place, FILE[place : place + step])
    for place in range(3 * step, 8 * step, step):
        send(device, key, place, FILE[place : place + step])
    with django_assert_num_queries(PIECE_QUERIES):
        send(device, key, 8 * step, FILE[8 * step : 9 * step])


PIECE_QUERIES = 6  # application, upload; a transaction of two writes


def test_the_page_offers_a_way_to_a_device_that_has_the_file(device, application):
    page = device.get(reverse("applications:section", args=["file"])).content.decode()
    assert f'action="{reverse("applications:elsewhere")}"' in page


# --- What is left over ----------------------------------------------------------------------------------------------


def old(path, hours):
    moment = timezone.now().timestamp() - hours * 3600
    os.utime(path, (moment, moment))


def test_what_nobody_finished_goes_after_a_day_with_its_pieces(device):
    send(device, begin(device).json()["key"], 0, FILE[:PIECE])
    now = timezone.now()
    assert uploads.sweep(now + timedelta(hours=23, minutes=59)) == {"uploads": 0, "files": 0}
    assert uploads.sweep(now + timedelta(hours=24, minutes=1))["uploads"] == 1
    assert (Upload.objects.count(), Piece.objects.count(), stored()) == (0, 0, [])


def test_a_file_that_no_row_names_goes_after_a_day_and_no_other(device, application):
    save(device, upload=send_all(device))
    begun = send_all(device, FILE[:100], name="begun.pdf")
    half = vault.EncryptedUpload.create("half a form")  # a process was killed in the middle of it
    left = half.incoming
    lost = vault.storage.save("lost", ContentFile(b"lost"))
    for path in stored():
        old(path, 25)
    assert left in stored()
    young = vault.storage.save("young", ContentFile(b"young"))
    Upload.objects.filter(key=begun).update(touched_at=timezone.now())
    assert uploads.sweep(timezone.now()) == {"uploads": 0, "files": 2}
    assert not vault.storage.exists(lost)
    assert vault.storage.exists(young)
    assert readable(application.attachments.get()) == FILE
    assert uploads.find(application, begun).received == 100


def test_of_a_restored_database_no_file_is_removed(device, monkeypatch):
    lost = vault.storage.path(vault.storage.save("lost", ContentFile(b"lost")))
    old(lost, 25)
    monkeypatch.setattr("presessions.mail.journal.restored", lambda now: True)
    assert uploads.sweep(timezone.now())["files"] == 0
    assert lost.exists()


def test_every_column_that_names_a_file_is_known_to_the_sweep():
    from django.apps import apps
    from django.db import models

    named = {(model, column) for model, column in uploads.FILES}
    found = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.name in ("stored", "cleaned") or isinstance(field, models.FileField)
    }
    assert found == named


# --- The hour before a deadline --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("in_pieces", [True, False])
def test_who_waits_for_a_file_to_be_looked_into_holds_no_connection(device, application, monkeypatch, in_pieces):
    held = []
    monkeypatch.setattr(files, "inspect", lambda *_: held.append(connection.connection) or "pdf")
    posted = {"upload": send_all(device)} if in_pieces else {"file": SimpleUploadedFile("a.pdf", FILE)}
    assert save(device, **posted).status_code == 302
    assert held == [None]
    assert application.attachments.get().sha256 == SUM
