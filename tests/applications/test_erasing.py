"""Erased is erased: no word, address or file of an application is left, in whatever state it was; and nobody else's."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import time_machine
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.test import Client
from django.urls import reverse

from applications import erasure, letters, uploads
from applications.models import (
    Application,
    Assessment,
    Attachment,
    Consent,
    InformationRequest,
    Needs,
    Organisation,
    Panel,
    Recommendation,
    Seat,
    Speaker,
    SpeakerFeedback,
    Theme,
    Upload,
)
from applications.models.uploads import Piece
from missions.models import FloorQuestion
from presessions import trail, vault
from presessions.mail import links
from presessions.mail.models import Attempt, Letter, Report
from presessions.trail.models import Event, Reason
from presessions.trail.steps import WrongStep
from tests.accounts.factories import StaffFactory
from tests.accounts.logins import forget_proof
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory, upload
from tests.applications.test_journey import open_session, path_in
from tests.house.sensitivity import FIELDS, SECRET
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(hours=1)
CANARY = "qzcanaryqz"
ADDRESS = f"{CANARY}@example.org"
# Models that belong to one application and to nothing else.
OWN = [
    Application,
    Speaker,
    Recommendation,
    Consent,
    Attachment,
    Upload,
    Piece,
    Needs,
    Seat,
    InformationRequest,
    SpeakerFeedback,
    Assessment,
]
# Others' rows about it: they stay, and lose their words.
ABOUT = [FloorQuestion]


@pytest.fixture(autouse=True)
def disk(settings, tmp_path):
    """A disk of its own: what other tests have left behind is not found here."""
    settings.PRIVATE_FILES = tmp_path


@pytest.fixture(autouse=True)
def on_monday():
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def kenya():
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))


def filled(state_call, *, email=ADDRESS, **state):
    """An application with the canary in every word of it, with files, letters, notes of staff, reasons and bounces."""
    application = ApplicationFactory(state_call=state_call, email=email, consents=["name", "photo"], **state)
    staff = StaffFactory()
    Needs.objects.create(application=application, visa_letter=True, saved_at=MONDAY)
    Assessment.objects.create(application=application, by=staff, overall="strong", saved_at=MONDAY)
    Speaker.objects.create(application=application, role="replacement", gender="woman")
    panel = Panel.objects.get_or_create(meeting=application.meeting)[0]
    Seat.objects.create(panel=panel, application=application, place="panel", position=1 + panel.seats.count())
    InformationRequest.objects.create(application=application, sections=["issues"], asked_at=MONDAY, until=MONDAY)
    Recommendation.objects.create(application=application, position=5)
    SpeakerFeedback.objects.create(application=application, useful=4, given_at=MONDAY)
    asked = {"key": uuid4(), "meeting": application.meeting, "to": application, "noted_at": MONDAY}
    FloorQuestion.objects.create(words=f"Is it true, {CANARY}?", received_at=MONDAY, **asked)
    register = Organisation.objects.create(kind="cso", name=CANARY, name_latin=CANARY, note=CANARY)
    for model in OWN[:-1]:  # each secret field of each row
        words = {name: _canary(model._meta.get_field(name)) for name in vault.emptied(model)}
        words.pop("email_index", None)
        if model is Application:
            words |= {"email": email, "organisation": register}
        rows = model.objects.filter(pk=application.pk) if model is Application else _rows(model, application)
        rows.update(**words) if words else None
    Assessment.objects.filter(application=application).update(note=CANARY)
    begun = uploads.begin(application, "statement", name=f"{CANARY}.pdf", size=len(CANARY), now=MONDAY)
    uploads.add(begun, 0, CANARY.encode(), now=MONDAY)
    cleaned = vault.storage.keep(upload(f"%PDF-1.4 cleaned {CANARY}".encode()))
    Attachment.objects.filter(application=application).update(
        cleaned=cleaned, cleaned_sha256="c" * 64, cleaned_size=9, words=7, original_name=f"{CANARY}.pdf"
    )
    trail.record(application, "prepared_decline", now=MONDAY, by=staff, reason=f"{CANARY} is too small")
    letter = Letter.objects.filter(recipient_id=application.reference).first()
    Attempt.objects.create(letter=letter, at=MONDAY, number=1, state="sent", answer=f"{ADDRESS} has moved")
    Report.objects.create(fingerprint=letter.key, read_at=MONDAY, verdict="soft", letter=letter, text=CANARY)
    application.refresh_from_db()
    return application


def _canary(field):
    return CANARY.encode() if isinstance(field, vault.EncryptedBytesField) else CANARY


def _rows(model, application):
    path = {Piece: "upload__application"}.get(model, "application")
    return model.objects.filter(**{path: application})


OURS = [one for one in apps.get_models() if one.__module__.split(".")[0] in ("presessions", "applications", "missions")]


def opened():
    """What a thief reads who has the database, the disk and the keys: every column decrypted, every file too."""
    for model in OURS:
        for row in model.objects.all():
            yield from ((f"{model._meta.label}.{f.name}", str(getattr(row, f.attname))) for f in model._meta.fields)
    for session in Session.objects.all():
        yield "session", repr(session.get_decoded())
    for path in Path(settings.PRIVATE_FILES).rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                yield "file", b"".join(vault.decrypted_chunks(file)).decode(errors="replace")


def places_of(word):
    return sorted({place for place, text in opened() if word in text.lower()})


STATES = ["draft", "submitted", "accepted", "waitlisted", "declined", "withdrawn"]


def in_state(state):
    return {} if state == "draft" else {state: True}


# --- Gone -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_no_word_address_or_file_is_left_whatever_was_decided(kenya, state):
    application = filled(kenya, **in_state(state))
    assert {"file", "applications.Application.email", "mail.Letter.to", "trail.Reason.text"} <= set(places_of(CANARY))
    erasure.erase(application, now=LATER)
    assert places_of(CANARY) == []


def test_every_secret_field_of_an_application_is_empty_so_that_none_added_later_is_forgotten(kenya):
    application = filled(kenya, accepted=True)
    secret = {label for label, who in FIELDS.items() if who == SECRET}
    mine = [(model, name) for model in OWN for name in vault.emptied(model)]
    assert {f"{model._meta.label}.{name}" for model, name in mine} <= secret
    belongs = {label for label in secret if label.split(".")[1] in {model.__name__ for model in OWN}}
    assert belongs == {f"{model._meta.label}.{name}" for model, name in mine}
    before = {(model, name) for model, name in mine for row in _all(model, application) if getattr(row, name)}
    assert before == set(mine)  # so the comparison is able to see
    erasure.erase(application, now=LATER)
    left = [(model, name) for model, name in mine for row in _all(model, application) if getattr(row, name)]
    assert left == []


def _all(model, application):
    return model.objects.filter(pk=application.pk) if model is Application else _rows(model, application)


def test_every_model_that_belongs_to_an_application_is_known_here():
    related = {relation.related_model for relation in Application._meta.related_objects}
    assert related == {*OWN, *ABOUT} - {Application, Piece}


def test_each_choice_is_kept_for_figures_or_cleared_and_nothing_is_overlooked():
    """Columns that are no words of the applicant: keys, where it stands, and when."""
    structure = {
        Application: {
            "id", "reference", "state_call", "status", "in_grace", "prepared_by", "same_as", *_moments(Application),
        },
        Speaker: {"id", "application", *_moments(Speaker)},
        Attachment: {"id", "application", "kind", "version", "late", "looks", *_moments(Attachment)},
    }  # fmt: skip
    for model, plain in structure.items():
        told = set(erasure.KEPT.get(model, ())) | set(erasure.CLEARED[model]) | set(vault.emptied(model)) | plain
        columns = {field.name for field in (*model._meta.concrete_fields, *model._meta.many_to_many)}
        assert columns - told == set(), model


def _moments(model):
    cleared = erasure.CLEARED[model]
    return {f.name for f in model._meta.fields if isinstance(f, models.DateField) and f.name not in cleared}


def test_files_leave_the_disk_with_their_copies_and_pieces(kenya):
    application = filled(kenya, submitted=True)
    folder = Path(settings.PRIVATE_FILES)
    names = set(erasure._files(application))
    assert len(names) == 3
    assert names <= {path.name for path in folder.rglob("*")}
    erasure.erase(application, now=LATER)
    assert not names & {path.name for path in folder.rglob("*")}


def test_a_seat_is_free_again_and_no_mail_leaves(kenya):
    application = filled(kenya, accepted=True)
    erasure.erase(application, now=LATER)
    assert (application.status, application.withdrawn_at, application.erased_at) == ("withdrawn", LATER, LATER)
    waiting = Letter.objects.filter(recipient_id=application.reference, state__in=Letter.UNSETTLED)
    assert not waiting.exists()
    assert [event.code for event in Event.objects.about(application)][-2:] == ["withdrawn", "erased"]


def test_what_was_taken_back_before_keeps_its_date(kenya):
    application = filled(kenya, submitted=True, withdrawn=True)
    erasure.erase(application, now=LATER)
    assert application.withdrawn_at == MONDAY


def test_links_open_nothing_and_open_pages_show_nothing(client, kenya):
    application = filled(kenya, submitted=True)
    letters.send_link(application, now=LATER)
    letter = Letter.objects.filter(kind="application_link", recipient_id=application.reference).last()
    path = path_in(letter)
    token = path.rstrip("/").rsplit("/", 1)[-1]
    assert links.find(token, "application", now=LATER)
    elsewhere = Client()
    open_session(elsewhere, application)
    assert elsewhere.get(reverse("applications:status")).status_code == 200
    erasure.erase(application, now=LATER)
    assert client.get(path).status_code == 404
    for name in ("tasks", "status", "receipt", "check", "erase", "everything"):
        assert elsewhere.get(reverse(f"applications:{name}")).status_code == 404


# --- Stays ----------------------------------------------------------------------------------------------------------


def test_what_can_be_counted_stays_and_names_nobody(kenya):
    theme = Theme.objects.get_or_create(slug="justice", defaults={"name_en": "Justice"})[0]
    application = filled(kenya, submitted=True)
    Speaker.objects.filter(application=application, role="speaker").update(gender="woman")
    erasure.erase(application, now=LATER)
    assert (application.kind, application.scope, application.language) == ("", "", "en")
    assert list(application.themes.all()) == [theme]
    assert [one.gender for one in application.speakers.all()] == ["woman", "woman"]
    assert {consent.item for consent in application.consents.all()} == {"name", "photo"}
    assert application.submitted_at == MONDAY
    (file,) = application.attachments.all()
    assert (file.state, file.kind, file.uploaded_at, file.size, file.sha256) == (
        "erased", "upr_submission", MONDAY, 0, "",
    )  # fmt: skip


def test_another_application_of_the_same_address_is_whole(kenya):
    other = filled(StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="TR"))), submitted=True)
    before = {place: text for place, text in opened() if other.reference in text or CANARY in text.lower()}
    rows = list(Application.objects.filter(pk=other.pk).values())
    mails = list(Letter.objects.filter(recipient_id=other.reference).order_by("pk").values())
    application = filled(kenya, submitted=True)
    erasure.erase(application, now=LATER)
    after = {place: text for place, text in opened() if other.reference in text or CANARY in text.lower()}
    assert before.keys() == after.keys()
    assert list(Application.objects.filter(pk=other.pk).values()) == rows
    assert list(Letter.objects.filter(recipient_id=other.reference).order_by("pk").values()) == mails
    assert other.attachments.get().state == "checked" or other.attachments.get().state == "quarantine"
    assert vault.storage.exists(other.attachments.get().stored)
    assert links.PersonalLink.objects.filter(target_id=other.reference, revoked_at=None).exists()


def test_the_register_of_staff_keeps_an_institution_that_applied_elsewhere_and_forgets_one_that_did_not(kenya):
    application, other = filled(kenya, submitted=True), ApplicationFactory(state_call=kenya)
    register = application.organisation
    Application.objects.filter(pk=other.pk).update(organisation=register)
    erasure.erase(application, now=LATER)
    assert Organisation.objects.filter(pk=register.pk).exists()
    erasure.erase(other, now=LATER)
    assert not Organisation.objects.filter(pk=register.pk).exists()


def test_who_asked_for_a_lost_link_is_forgotten_with_the_last_application(kenya):
    application = filled(kenya, withdrawn=True)
    Application.send_links_again(ADDRESS, language="en", now=LATER)
    assert Letter.objects.get(kind="no_application").to == ADDRESS
    erasure.erase(application, now=LATER)
    assert Letter.objects.get(kind="no_application").to == ""


def test_the_same_address_may_begin_anew(kenya):
    erasure.erase(filled(kenya, submitted=True), now=LATER)
    assert Application.start(kenya, email=ADDRESS, language="en", now=LATER).status == "draft"


# --- Again, by staff, and at the wrong moment -----------------------------------------------------------------------


def test_twice_is_as_good_and_finishes_what_was_left_over(kenya):
    application = filled(kenya, submitted=True)
    erasure.erase(application, now=LATER)
    Speaker.objects.filter(application=application).update(full_name=CANARY)  # as an older backup has it
    Application.objects.filter(pk=application.pk).update(name=CANARY)
    erasure.erase(application, now=LATER + timedelta(days=1))
    assert places_of(CANARY) == []
    assert application.erased_at == LATER
    assert [event.code for event in Event.objects.about(application)].count("erased") == 1


def test_a_crash_half_way_leaves_everything_as_it_was(kenya, monkeypatch):
    application = filled(kenya, submitted=True)
    before = places_of(CANARY)
    monkeypatch.setattr(erasure.forgetting, "forget", lambda *args, **facts: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        erasure.erase(application, now=LATER)
    assert places_of(CANARY) == before
    application.refresh_from_db()
    assert (application.status, application.erased_at) == ("submitted", None)


def test_nothing_can_be_handed_in_afterwards(kenya):
    application = filled(kenya, submitted=True)
    stale = Application.objects.get(pk=application.pk)  # as another tab has it
    erasure.erase(application, now=LATER)
    for step in (
        lambda: stale.save_section("institution", {"name": CANARY}, now=LATER),
        lambda: stale.save_section("safety", {"security_note": CANARY}, now=LATER),
        lambda: stale.withdraw(now=LATER),
    ):
        with pytest.raises(WrongStep):
            step()
    assert places_of(CANARY) == []


def test_staff_erase_for_a_person_with_a_reason_that_stays(client, kenya):
    staff = StaffFactory(is_superuser=True)
    client.force_login(staff)
    application = filled(kenya, submitted=True)
    page = client.get(reverse("admin:applications_application_change", args=[application.pk])).content.decode()
    address = reverse("admin:applications_erase", args=[application.pk])
    assert address in page
    client.post(address, {"reason": "asked by telephone"})
    application.refresh_from_db()
    assert application.erased_at is None  # the tick is missing
    client.post(address, {"reason": "", "sure": "on"})
    application.refresh_from_db()
    assert application.erased_at is None
    client.post(address, {"reason": "asked by telephone", "sure": "on"})
    application.refresh_from_db()
    assert application.erased_at
    event = Event.objects.about(application).get(code="erased")
    assert (event.staff_id, event.reason.text) == (staff.pk, "asked by telephone")
    assert Reason.objects.count() == 1
    assert (
        "erased" in client.get(reverse("admin:applications_application_change", args=[application.pk])).content.decode()
    )


def test_staff_erase_with_a_fresh_proof_only(client, kenya):
    client.force_login(StaffFactory())
    forget_proof(client)
    application = ApplicationFactory(state_call=kenya, submitted=True)
    answer = client.post(
        reverse("admin:applications_erase", args=[application.pk]), {"reason": "because", "sure": "on"}
    )
    assert "Is it still you?" in answer.content.decode()
    application.refresh_from_db()
    assert application.erased_at is None


def test_who_may_not_decide_may_not_erase(client, kenya):
    reader = StaffFactory(is_superuser=False)
    reader.user_permissions.add(Permission.objects.get(codename="view_application"))
    client.force_login(reader)
    application = ApplicationFactory(state_call=kenya, submitted=True)
    answer = client.post(
        reverse("admin:applications_erase", args=[application.pk]), {"reason": "because", "sure": "on"}
    )
    assert answer.status_code == 403


# --- The page -------------------------------------------------------------------------------------------------------


def test_the_page_says_what_goes_and_what_stays_and_asks_for_one_tick(client, kenya):
    application = filled(kenya, declined=True)
    open_session(client, application)
    page = client.get(reverse("applications:erase")).content.decode()
    for words in (
        "What goes",
        "What stays",
        application.reference,
        "Kenya",
        "at most 30 days",
        "We send no mail about it",
    ):
        assert words in page
    answer = client.post(reverse("applications:erase"), {"application": application.reference})
    assert "Tick the box if you want everything to be erased." in answer.content.decode()
    application.refresh_from_db()
    assert application.erased_at is None


def test_one_tick_and_it_is_gone_from_this_device_too(client, kenya):
    application = filled(kenya, submitted=True)
    open_session(client, application)
    answer = client.post(reverse("applications:erase"), {"sure": "on"})
    assert "Everything is erased" in answer.content.decode()
    assert application.reference in answer.content.decode()
    assert client.get(reverse("applications:status")).status_code == 404
    assert places_of(CANARY) == []
    assert client.post(reverse("applications:erase"), {"sure": "on"}).status_code == 404


def test_after_the_deadline_too(client, kenya):
    application = filled(kenya, submitted=True)
    with time_machine.travel(MONDAY + timedelta(days=60), tick=False):
        open_session(client, application)
        client.post(reverse("applications:erase"), {"sure": "on"})
    application.refresh_from_db()
    assert application.erased_at


def test_a_page_made_for_another_application_erases_nothing(client, kenya):
    application = filled(kenya, submitted=True)
    open_session(client, application)
    answer = client.post(reverse("applications:erase"), {"sure": "on", "application": "K7QF2-9MXA4"})
    assert answer.status_code == 409
    application.refresh_from_db()
    assert application.erased_at is None


def test_the_cost_does_not_grow_with_what_there_is_to_erase(kenya, django_assert_max_num_queries):
    application = filled(kenya, submitted=True)
    for number in range(10):
        letters.send_link(application, now=MONDAY + timedelta(days=number))
    Letter.objects.filter(recipient_id=application.reference).update(state="sent")
    with django_assert_max_num_queries(75):
        erasure.erase(application, now=LATER)


def test_the_dump_is_looked_at_as_the_database_writes_it(kenya):
    """What is plain in the tables: the fingerprint of a file that somebody else may hold too."""
    application = filled(kenya, submitted=True)
    fingerprint = application.attachments.get().sha256
    erasure.erase(application, now=LATER)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}" AS row WHERE row::text LIKE %s', [f"%{fingerprint}%"])
            assert cursor.fetchone()[0] == 0, table
