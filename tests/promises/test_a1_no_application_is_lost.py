"""A1: no application is lost. Web processes are killed while people send files and applications: every reference that
somebody was shown exists, every file is the one that was sent, and what the dead have left behind is swept away.

A dozen kills; with STORM=full the 200 of the promise, and 20 crashes of a PostgreSQL whose commits are durable.
"""

import hashlib
import os
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from applications import uploads
from applications.models import Application, Attachment, Piece, Upload
from presessions import devservers, vault
from tests.applications import hostile
from tests.applications.factories import StateCallFactory, answers
from tests.applications.web import Person, database_url, gunicorn

FULL = os.environ.get("STORM") == "full"
KILLS, CRASHES, PEOPLE, PAUSE = (200, 20, 6, 0.8) if FULL else (12, 0, 4, 0.35)

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Storm:
    """What happened, as those outside have seen it."""

    shown: dict = field(default_factory=dict)  # reference -> SHA-256, both as the receipt had them
    sent: dict = field(default_factory=dict)  # the same, as the person knows them
    saved: list = field(default_factory=list)  # their files, as they were told that they are saved
    troubles: list = field(default_factory=list)
    errors: int = 0
    over: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def durable(tmp_path, settings, transactional_db):
    """In the full form a PostgreSQL of its own, whose commits survive its crash; the test's own database otherwise."""
    settings.PRIVATE_FILES = tmp_path / "private"
    if not FULL:
        yield None
        return
    with devservers.temporary_folder() as folder, devservers.Postgres(folder, durable=True) as postgres:
        usual = dict(connection.settings_dict)
        connection.close()
        connection.settings_dict.update(PORT=postgres.port, PASSWORD=postgres.password, NAME="presessions")
        connection.settings_dict.update(HOST="127.0.0.1", USER="presessions")
        try:
            call_command("migrate", verbosity=0)
            yield postgres
        finally:
            connection.close()
            connection.settings_dict.update(usual)


def paper():
    """A PDF like no other, of 50 to 400 KB."""
    size = random.randrange(50_000, 400_000)
    return hostile.pdf(lambda document: document.Root.__setitem__("/Scan", document.make_stream(os.urandom(size))))


def draft(state_call, number):
    now = timezone.now()
    application = Application.start(state_call, email=f"person{number}@example.org", language="en", now=now)
    for section, given in answers().items():
        application.save_section(section, given, now=now)
    return application


def live_through(storm, web, drafts):
    """One person after the other sends a file, in pieces or whole, then the application, and looks at the receipt."""
    dice = random.Random(threading.get_ident())
    try:
        while drafts and not storm.over.is_set():
            reference, person = drafts.pop()
            content = paper()
            (person.send_in_pieces if dice.random() < 0.7 else person.send_whole)(content)
            storm.saved.append(reference)
            person.send_application()
            found, proof = person.receipt()
            storm.shown[found] = proof
            storm.sent[reference] = hashlib.sha256(content).hexdigest()
            storm.errors += person.errors
    except Exception as trouble:
        storm.troubles.append(repr(trouble))


def blow(storm, web, postgres):
    """Kill one web process after the other; now and then the database too, as a power cut does. How many of each. On a
    slow machine it waits for people to get on: whoever is killed between two requests proves nothing."""
    kills = crashes = 0
    while kills < KILLS and not storm.troubles:
        time.sleep(random.uniform(0.5, 1.5) * PAUSE)
        if kills > 2 * len(storm.saved):
            continue
        kills += web.kill_one()
        if postgres and kills * CRASHES // KILLS > crashes:
            postgres.kill()
            time.sleep(random.uniform(0, 0.5))
            postgres.start()
            crashes += 1
    return kills, crashes


def named():
    return {name for model, column in uploads.FILES for name in model.objects.values_list(column, flat=True) if name}


def on_disk():
    return {name for name, *_ in vault.storage.kept()}


def test_no_application_is_lost_whatever_is_killed(durable, tmp_path, capsys):
    state_call = StateCallFactory(
        opens_at=timezone.now() - timedelta(days=30),
        call_closes_at=timezone.now() + timedelta(days=10),
        now=timezone.now() - timedelta(days=20),
    )
    storm, dice = Storm(), random.Random(1)
    url = database_url()
    with gunicorn(tmp_path, url=url) as web:
        drafts = []
        for number in range(KILLS * 4):
            application = draft(state_call, number)
            drafts.append((application.reference, Person(web.port, application, cut=lambda: dice.random() < 0.05)))
        connection.close()
        people = [threading.Thread(target=live_through, args=(storm, web, drafts)) for _ in range(PEOPLE)]
        for one in people:
            one.start()
        began = time.monotonic()
        kills, crashes = blow(storm, web, durable)
        storm.over.set()
        for one in people:
            one.join()
        seconds = time.monotonic() - began

    assert storm.troubles == []
    assert (kills, crashes) == (KILLS, CRASHES)
    assert storm.shown == storm.sent  # every reference belongs to whom it was shown, and every proof to the file
    assert len(storm.shown) >= PEOPLE
    for reference, proof in storm.shown.items():
        application = Application.objects.get(reference=reference)
        assert application.submitted_at
        assert application.upr_submission.sha256 == proof
    for attachment in Attachment.objects.all():
        with vault.storage.open(attachment.stored) as file:
            assert hashlib.sha256(file.read()).hexdigest() == attachment.sha256

    left = on_disk() - named()
    swept = uploads.sweep(timezone.now() + timedelta(hours=25))
    assert not Upload.objects.filter(done_at=None).exists()
    assert not Piece.objects.exists()
    assert on_disk() == named() == set(Attachment.objects.values_list("stored", flat=True))
    if FULL:
        with capsys.disabled():
            print(
                f"\nA1: {kills} web processes killed and {crashes} crashes of PostgreSQL in {seconds:.0f} s:"
                f" {len(storm.shown)} applications shown as received, none lost,"
                f" {Attachment.objects.count()} files equal;"
                f" {storm.errors} answers of 500 and more that were asked again;"
                f" {len(left)} files left by the dead, all swept ({swept})"
            )
