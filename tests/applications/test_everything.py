"""Everything we hold, taken home: complete, in words and for machines, and without what belongs to staff."""

import io
import json
import tracemalloc
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.urls import reverse

from applications import everything
from applications.events import EVENTS
from applications.models import Application, Attachment, Recommendation
from presessions import trail, vault
from presessions.mail.models import Letter
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, PDF, ApplicationFactory, StateCallFactory, upload
from tests.applications.test_erasing import ADDRESS, CANARY, OWN, filled
from tests.applications.test_journey import open_session, path_in
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

ADDRESS_OF_PAGE = "applications:everything"


@pytest.fixture(autouse=True)
def disk(settings, tmp_path):
    settings.PRIVATE_FILES = tmp_path


@pytest.fixture(autouse=True)
def on_monday():
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def kenya():
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))


def taken_home(application):
    """The archive as a browser gets it."""
    data = b"".join(everything.pieces(Application.objects.with_state().get(pk=application.pk), now=MONDAY))
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    return archive


def told(archive):
    return json.loads(archive.read("everything.json"))


def checked(application):
    Attachment.objects.filter(application=application).update(state="checked")


# --- Complete --------------------------------------------------------------------------------------------------------


def test_every_word_of_every_secret_field_is_in_it_twice_but_what_is_staff_s(kenya):
    application = filled(kenya, accepted=True)
    for model in OWN:  # one word each, so that none can stand for another
        words = {name: f"{model.__name__}-{name}-word" for name in vault.emptied(model) if name != "email_index"}
        rows = model.objects.filter(pk=application.pk) if model is Application else _rows(model, application)
        if words:
            rows.update(**words)
    archive = taken_home(application)
    data, page = archive.read("everything.json").decode(), archive.read("everything.html").decode()
    for model in OWN:
        for name in vault.emptied(model):
            word = f"{model.__name__}-{name}-word"
            expected = model.__name__ != "Assessment" and name != "email_index"
            assert (word in data, word in page) == (expected, expected), word


def _rows(model, application):
    path = "upload__application" if model.__name__ == "Piece" else "application"
    return model.objects.filter(**{path: application})


def test_choices_dates_and_letters_are_told_in_words(kenya):
    application = filled(kenya, accepted=True)
    found = told(taken_home(application))
    assert (found["reference"], found["state"]) == (application.reference, "Kenya")
    assert found["application"]["kind"] == {"value": "cso", "words": "Civil society organisation (CSO)"}
    assert found["application"]["status"]["value"] == "accepted"
    assert found["application"]["themes"] == [theme.name for theme in application.themes.all()]
    assert {row["item"]["value"] for row in found["consents"]} == {"name", "photo"}
    assert all(row["given_at"] for row in found["consents"])
    assert [letter["kind"] for letter in found["letters"]] == [
        Letter(kind=kind).label for kind in ("application_link", "receipt", "decision_accepted")
    ]
    assert {letter["to"] for letter in found["letters"]} == {ADDRESS}
    assert next(event["code"] for event in found["events"]) == "begun"


def test_personal_links_are_struck_out(kenya):
    application = filled(kenya, submitted=True)
    paths = [path_in(letter) for letter in Letter.objects.filter(recipient_id=application.reference)]
    archive = taken_home(application)
    text = archive.read("everything.json").decode() + archive.read("everything.html").decode()
    assert "[struck out]" in text
    for path in paths:
        assert path.rstrip("/").rsplit("/", 1)[-1] not in text


def test_files_are_as_they_were_sent(kenya):
    application = filled(kenya, submitted=True)
    checked(application)
    archive = taken_home(application)
    assert archive.read("files/submission-1.pdf") == PDF
    (file,) = told(archive)["attachments"]
    assert (file["in_this_archive"], file["original_name"]) == ("files/submission-1.pdf", f"{CANARY}.pdf")
    assert file["sha256"] == application.attachments.get().sha256


@pytest.mark.parametrize("state", ["quarantine", "refused"])
def test_what_may_be_harmful_is_named_and_not_handed_out(kenya, state):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    application.attachments.update(state=state)
    archive = taken_home(application)
    assert archive.namelist() == ["everything.html", "everything.json"]
    assert told(archive)["attachments"][0]["state"]["value"] == state


def test_a_file_that_is_erased_in_the_middle_spoils_nothing(kenya):
    application = filled(kenya, submitted=True)
    checked(application)
    vault.storage.delete(application.attachments.get().stored)
    assert taken_home(application).namelist() == ["everything.html", "everything.json"]


def test_the_words_of_the_person_are_in_it_and_those_of_staff_are_not(kenya):
    staff = StaffFactory(name="Ada Keller")
    application = filled(kenya, submitted=True)
    application.prepare("decline", by=staff, now=MONDAY, reason="too vague")
    trail.record(application, "seat_given_up", now=MONDAY, reason="my child is ill")
    trail.record(application, "security_note_read", now=MONDAY, by=staff)
    archive = taken_home(application)
    text = archive.read("everything.json").decode() + archive.read("everything.html").decode()
    assert "my child is ill" in text
    assert "private security note read" in text
    for secret in ("too vague", "Ada Keller", "prepared", "decline", "national voice", str(staff.email)):
        assert secret not in text, secret


def test_nothing_of_anybody_else_is_in_it(kenya):
    filled(kenya, submitted=True)
    other = ApplicationFactory(state_call=kenya, email="other@example.org", submitted=True)
    archive = taken_home(other)
    assert all(CANARY.encode() not in archive.read(name) for name in archive.namelist())


def test_what_happened_has_words_for_every_code(kenya):
    for state in ("accepted", "waitlisted", "declined", "withdrawn"):
        ApplicationFactory(state_call=kenya, submitted=True, **{state: True})
    codes = set(Event.objects.filter(room="applications.application").values_list("code", flat=True))
    assert codes <= EVENTS.keys()


# --- As a stream -----------------------------------------------------------------------------------------------------


def test_a_long_file_takes_no_more_memory_than_a_short_one_and_touches_no_disk(kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    big = upload(b"%PDF-1.4" + bytes(20 * 1024 * 1024))
    Attachment.objects.filter(application=application).update(
        state="checked", stored=vault.storage.keep(big), size=big.size
    )
    on_disk = _files()
    tracemalloc.start()
    size = 0
    for piece in everything.pieces(Application.objects.with_state().get(pk=application.pk), now=MONDAY):
        size += len(piece)
        assert len(piece) < 256 * 1024
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 20 * 1024 * 1024
    assert peak < 4 * 1024 * 1024
    assert _files() == on_disk


def _files():
    return {path: path.stat().st_size for path in Path(settings.PRIVATE_FILES).rglob("*")}


@pytest.mark.parametrize("more", [0, 3])
def test_rows_cost_no_further_queries(kenya, django_assert_num_queries, more):
    application = filled(kenya, submitted=True)
    for number in range(more):
        Recommendation.objects.create(application=application, position=2 + number, text="x")
        trail.record(application, "saved_issues", now=MONDAY)
        Application.send_links_again(ADDRESS, language="en", now=MONDAY + timedelta(days=1 + number))
    with django_assert_num_queries(12):
        everything.gathered(Application.objects.with_state().get(pk=application.pk), now=MONDAY)


# --- The page --------------------------------------------------------------------------------------------------------


def test_a_button_hands_it_over_and_no_browser_keeps_it(client, kenya):
    application = filled(kenya, submitted=True)
    open_session(client, application)
    page = client.get(reverse(ADDRESS_OF_PAGE))
    assert "what our staff think of applications" in page.content.decode()
    answer = client.post(reverse(ADDRESS_OF_PAGE), {"application": application.reference})
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"] == f'attachment; filename="presessions-{application.reference}.zip"'
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Encoding"] == "identity"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))).testzip() is None
    assert Event.objects.about(application).last().code == "everything_downloaded"


def test_looking_at_the_page_is_not_taking(client, kenya):
    application = ApplicationFactory(state_call=kenya)
    open_session(client, application)
    events = Event.objects.about(application).count()
    assert client.get(reverse(ADDRESS_OF_PAGE)).status_code == 200
    assert Event.objects.about(application).count() == events


def test_a_draft_may_be_taken_home_too(client, kenya):
    application = ApplicationFactory(state_call=kenya, complete=False)
    open_session(client, application)
    answer = client.post(reverse(ADDRESS_OF_PAGE), {"application": application.reference})
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert told(archive)["application"]["email"] == application.email


def test_it_speaks_the_language_of_the_page(client, kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    open_session(client, application)
    answer = client.post("/ar/application/everything/", {"application": application.reference})
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert '<html lang="ar" dir="rtl">' in archive.read("everything.html").decode()
    assert told(archive)["state"] != "Kenya"
