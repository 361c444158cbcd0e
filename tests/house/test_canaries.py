"""What is secret stays where it belongs.

Every field that can hold words is classified in sensitivity.py. The world of world.py puts a word of its own into each
secret one, by the product's own pages and steps; then things go wrong in many ways, the mails go to a real server, and
everything that is left behind is searched: the database, Redis, the logs, the disk, the mails.
"""

import logging
import tempfile
from datetime import timedelta
from email import message_from_string, policy
from pathlib import Path
from smtplib import SMTPRecipientsRefused
from unittest.mock import patch

import pytest
import time_machine
from celery.signals import setup_logging
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail import get_connection, send_mail
from django.db import connection, models, transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.test import Client, override_settings
from django.urls import reverse

from applications.models import Application, Theme
from presessions import settings as product
from presessions import vault
from presessions.celery import app as celery
from presessions.logs import LineFormatter, WithoutTokens
from presessions.mail import delivery
from presessions.mail.tasks import send_due_letters
from tests.house.places import Browsers, Places, found, heard, spellings, statements
from tests.house.sensitivity import FIELDS, HASHES, PUBLIC, SECRET, STAFF
from tests.house.world import APPLICATION, END, MONDAY, SET_UP, TOKEN, World, address, canary
from tests.mail.fixtures import SinkProcess

HOLDS_NO_WORDS = (
    models.AutoField,
    models.BooleanField,
    models.DateField,
    models.DecimalField,
    models.DurationField,
    models.FloatField,
    models.IntegerField,
    models.TimeField,
    models.ForeignObject,
)
OURS = [one for one in apps.get_models() if one.__module__.split(".")[0] in ("presessions", "applications", "missions")]
WORDS = {
    f"{m._meta.label}.{f.name}": f for m in OURS for f in m._meta.local_fields if not isinstance(f, HOLDS_NO_WORDS)
}
ENCRYPTED = {label: field for label, field in WORDS.items() if isinstance(field, vault._EncryptedField)}
A_STRANGER = "the name that a stranger gives at the door of staff"
SECRETS = [*ENCRYPTED, "accounts.User.password", "the file behind applications.Attachment.stored"]


# --- Classified ------------------------------------------------------------------------------------------------------


def test_every_field_that_can_hold_words_is_classified_and_no_other_name_stands_there():
    assert FIELDS.keys() == WORDS.keys()
    assert set(FIELDS.values()) == {PUBLIC, STAFF, SECRET}


def test_what_is_secret_is_encrypted_or_cannot_be_turned_round_and_what_is_encrypted_is_secret():
    unreadable = {label for label, field in WORDS.items() if isinstance(field, vault.BlindIndexField)}
    assert {label for label, who in FIELDS.items() if who == SECRET} == ENCRYPTED.keys() | unreadable | HASHES


# --- What happens ----------------------------------------------------------------------------------------------------


def trouble(world):
    """Everything that can go wrong with a canary in one's hands."""
    world.clock.move_to(MONDAY + timedelta(hours=3))
    wrong_links()
    for mail in world.mails:
        for token in set(TOKEN.findall(" ".join(mail.links))):
            links = [link.removeprefix("http://testserver") for link in mail.links if token in link]
            wrong = [links[0].replace(token, one) for one in (token[:30], f"{token}x", token.swapcase(), f"{token}.")]
            for link in [*(link.replace(token, token[:-1]) for link in links), *wrong]:
                Client().get(link)
    speaker = reverse("applications:section", args=["speaker"])
    nobody, strict = Client(raise_request_exception=False), Client(enforce_csrf_checks=True)
    assert nobody.post(speaker, APPLICATION["speaker"]).status_code == 404
    assert strict.post(speaker, APPLICATION["speaker"]).status_code == 403
    draft = Application.objects.get(status="draft", late_until=None)
    link = next(mail for mail in world.mails if mail.letter.recipient_id == draft.reference)
    nobody.post(link.path)
    wrong = APPLICATION["speaker"] | {"email": canary("applications.Speaker.email")}
    assert nobody.post(speaker, wrong).status_code == 200
    content = canary("the file behind applications.Attachment.stored").encode()
    file = SimpleUploadedFile(f"{canary('applications.Attachment.original_name')}.exe", b"MZ" + content)
    assert nobody.post(reverse("applications:section", args=["file"]), {"file": file}).status_code == 200
    for failure in (broken_row, refused_recipient):
        with patch.object(Application, "save_section", failure):
            assert nobody.post(speaker, APPLICATION["speaker"]).status_code == 500
    late = reverse("applications:start", args=[54, "KE"])
    world.clock.move_to(END)
    assert nobody.post(late, {"email": address("applications.Application.email")}).status_code == 410
    assert nobody.post(world.invitation_path, {"note": canary("missions.Invitation.note")}).status_code == 422
    login = {"username": address(A_STRANGER), "password": canary("accounts.User.password")}
    assert nobody.post(reverse("admin:login"), login).status_code == 200
    staff = world.staff()
    for searched, words in (
        ("applications_application", address("applications.Application.email")),
        ("applications_contact", address("applications.Contact.email")),
        ("applications_organisation", canary("applications.Organisation.name")),
        ("mail_letter", address("mail.Letter.to")),
        ("mail_report", address("applications.Speaker.email")),
    ):
        page = reverse(f"admin:{searched}_changelist")
        assert staff.post(page, {"q": words}, follow=True).status_code == 200
    assert staff.get(reverse("admin:applications_application_change", args=[world.application.pk])).status_code == 200
    note = reverse("admin:applications_security_note", args=[world.application.pk])
    assert staff.post(note).status_code == 403  # masked, because somebody may be at risk
    reason = {"reason": canary("trail.Reason.text")}
    assert staff.post(reverse("admin:applications_reveal", args=[world.application.pk]), reason).status_code == 302
    assert canary("applications.Application.security_note") in staff.post(note).content.decode()
    send_mail("x", "y", None, [canary("mail.Letter.to")], connection=get_connection(product.EMAIL_BACKEND))


def wrong_links():
    for path in ("application", "invitation", "contacts/confirm", "contacts/leave"):
        assert Client().get(f"/en/{path}/{canary('no token')}/").status_code == 404


def broken_row(application, *args, **kwargs):
    """PostgreSQL quotes the whole row in such an error."""
    with transaction.atomic():
        Application.objects.filter(pk=application.pk).update(language=None)


def refused_recipient(application, *args, **kwargs):
    raise SMTPRecipientsRefused({address("applications.Application.email"): (550, b"no such user")})


PLACES = (
    "database", "statements", "redis", "logs", "files", "journal", "temporary_files", "reports", "addresses", "cookies",
)  # fmt: skip
THAT_CHANGE = ("database", "redis", "files", "journal", "temporary_files")  # to the others something is only added


class Story:
    """The world with its misfortunes, and what lay where at two moments: mails waiting, and mails sent."""

    def __init__(self, world, places, sink):
        self.world, self.places, self.sink = world, places, sink

    def tell(self):
        world, sink = self.world, self.sink
        sink.order(RCPT=[f"450 later, {canary('mail.Attempt.answer')}"])
        world.tell()
        trouble(world)
        sink.order(MAIL=[f"530 who are you, {canary('mail.Switch.answer')}"])
        world.send(END + timedelta(hours=1))
        send_due_letters.apply_async(expires=55)
        self.filled = {label for label in ENCRYPTED if holds(label)}
        waiting = {place: getattr(self.places, place)() for place in THAT_CHANGE}
        world.send(END + timedelta(hours=2))
        self.left = {place: waiting.get(place, b"") + getattr(self.places, place)() for place in PLACES}
        self.mails = [message_from_string(mail["data"], policy=policy.default) for mail in sink.mails]


def holds(label):
    """Whether some row has this field's canary in it."""
    field = ENCRYPTED[label]
    values = field.model.objects.values_list(field.name, flat=True)
    texts = (value.decode() if isinstance(value, bytes) else value or "" for value in values)
    return any(canary(label) in text.lower() for text in texts)  # a passport is kept in capitals


@pytest.fixture(scope="module")
def told(django_db_setup, django_db_blocker, broker, tmp_path_factory):
    sink, kept = SinkProcess(tmp_path_factory.mktemp("sink")), tmp_path_factory.mktemp("kept")
    temporary, journal = kept / "temporary", kept / "journal"
    temporary.mkdir()
    waits = {"MAIL_COMMAND_TIMEOUT": 5, "MAIL_FINAL_DOT_TIMEOUT": 5}
    with (
        override_settings(SMTP_URL=sink.url, MAIL_JOURNAL=journal, **waits),
        patch.object(tempfile, "tempdir", str(temporary)),
        django_db_blocker.unblock(),
        transaction.atomic(),
        time_machine.travel(SET_UP, tick=False) as clock,
        heard() as log,
        statements() as said,
        Browsers().watched() as browsers,
    ):
        world = World(clock, send=lambda moment: delivery.drain(0, now=lambda: moment))
        story = Story(world, Places(broker, log, said, browsers, journal, temporary), sink)
        story.tell()
        yield story
        transaction.set_rollback(True)
    sink.stop()


@pytest.fixture
def story(told, db):
    return told


# --- What is found ---------------------------------------------------------------------------------------------------


def test_the_steps_of_the_world_fill_every_secret_field(story):
    assert story.filled == ENCRYPTED.keys()


def test_all_mails_went_but_those_that_nobody_wanted_any_more(story):
    """A link to what was withdrawn since, and the good news to somebody who had given up the seat at once."""
    went = {mail["Message-ID"] for mail in story.mails}
    unwanted = ["application_link", "decision_accepted"]
    assert [mail.kind for mail in story.world.mails if mail.letter.message_id not in went] == unwanted


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_lies_open(story, place):
    assert found(story.left[place], SECRETS) == set()


@pytest.mark.parametrize(
    "place", sorted(set(PLACES) - {"statements"})
)  # those of staff, among which it is looked up, are plain
def test_nor_does_what_a_stranger_types_at_the_door_of_staff(story, place):
    assert found(story.left[place], [A_STRANGER]) == set()


def words_of(mail):
    """Its headers, its text, its HTML, and what it carries for a calendar."""
    return f"{mail.items()} {[part.get_content() for part in mail.walk() if not part.is_multipart()]}"


def test_a_mail_holds_no_secret_but_its_readers_own_address(story):
    written_by_staff = {f"mail.Letter.{name}" for name in ("subject", "kept", "kept_html", "frozen")}
    for mail, wire in zip(story.mails, story.sink.mails, strict=True):
        assert str(mail["To"]) == wire["to"]
        raw = "\r\n".join(line for line in wire["data"].splitlines() if not line.startswith("To: "))
        del mail["To"]
        text = words_of(mail)
        allowed = written_by_staff if wire["to"] == address("mail.Letter.to") else set()
        assert found(raw.encode() + text.encode(), SECRETS) == allowed, mail["Subject"]


def test_a_personal_link_stands_in_the_one_mail_it_was_made_for(story):
    tokens = {token for mail in story.world.mails for token in TOKEN.findall(" ".join(mail.links))}
    assert len(tokens) > 20
    texts = [words_of(mail) for mail in story.mails]
    assert sorted(sum(token in text for text in texts) for token in tokens)[:3] == [0, 0, 1]  # two letters did not go
    assert max(sum(token in text for text in texts) for token in tokens) == 1
    for place in set(PLACES) - {"addresses"}:  # not even most of one, as a mail program leaves that breaks a line
        assert [token for token in tokens if token[:20].encode() in story.left[place]] == []


# --- And would be found ----------------------------------------------------------------------------------------------


def test_things_did_go_wrong(story):
    logs = story.left["logs"].decode()
    for word in ("Not Found", "Forbidden", "Internal Server Error", "IntegrityError", "SMTPRecipientsRefused", "Gone"):
        assert word in logs


def test_each_step_broke_once_with_everything_in_its_hands(story):
    browsers = story.places.browsers
    assert browsers.broken > 50
    assert len(browsers.reports) > 2 * browsers.broken
    assert b"Failing row contains (" not in story.left["logs"] + story.left["reports"]


def test_what_is_plain_is_found_in_the_statements(story):
    assert found(story.left["statements"], ["applications.StateCall.reason"])
    assert len(story.left["statements"]) > 1_000_000


def test_what_is_plain_is_found_in_the_database(story):
    assert found(story.left["database"], ["applications.StateCall.reason"])


def test_the_bell_and_the_counts_are_found_in_redis(story):
    assert b"presessions.mail.tasks.send_due_letters" in story.left["redis"]
    assert b"presessions:1:start:" in story.left["redis"]


@pytest.mark.parametrize("spelling", range(5))
@pytest.mark.parametrize("place", PLACES)
def test_a_canary_that_escapes_is_seen_however_it_is_written(story, place, spelling):
    word = list(spellings(canary("missions.Delegate.name")))[spelling]
    planted = Path(settings.PRIVATE_FILES) / "planted"
    match place:
        case "database":
            Theme.objects.create(slug="planted", name_en=f"x{word}y")
        case "redis":
            cache.set("planted", f"x{word}y")
        case "logs":
            logging.getLogger("planted").warning("x%sy", word)
        case "files":
            planted.write_text(f"x{word}y")
        case "journal":
            (story.places.journal_folder / "planted").write_text(f"x{word}y")
        case "temporary_files":
            with tempfile.NamedTemporaryFile("w", delete=False) as file:
                file.write(f"x{word}y")
        case "statements":
            with connection.cursor() as cursor:
                cursor.execute("SELECT %s", [f"x{word}y"])
        case "reports" | "addresses" | "cookies":
            browsers = story.places.browsers
            if place == "addresses":
                browsers._note(HttpResponseRedirect(f"/?x{word}y"))
            elif place == "cookies":
                answer = HttpResponse()
                answer.set_cookie("planted", f"x{word}y")
                browsers._note(answer)
            else:
                browsers.reports.append(f"x{word}y")
    seen = found(getattr(story.places, place)(), ["missions.Delegate.name"])  # no other lies there: see above
    cache.delete("planted")
    planted.unlink(missing_ok=True)
    assert seen == {"missions.Delegate.name"}


def test_a_worker_writes_its_logs_through_the_same_sieve():
    """Celery would put handlers of its own in the place of ours, were nobody to answer this signal."""
    assert setup_logging.receivers
    handlers = list(logging.getLogger().handlers)
    celery.log.already_setup = False
    celery.log.setup_logging_subsystem(loglevel="INFO")
    assert logging.getLogger().handlers == handlers
    (ours,) = [handler for handler in handlers if isinstance(handler.formatter, LineFormatter)]
    assert any(isinstance(sieve, WithoutTokens) for sieve in ours.filters)
