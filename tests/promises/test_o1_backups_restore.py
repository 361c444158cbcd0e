"""O1. Backups restore: deploy/backup.sh and deploy/restore.sh themselves, as an administrator runs them, over a real
PostgreSQL with durable commits and the product's own rows and files. Rows and files come back equal, of any moment.

The hours of ten thousand applications are `python -m benchmarks backup`.
"""

import base64
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.conf import settings as product
from django.core.management import CommandError, call_command
from django.db import connection

from applications import erasure
from applications.models import Application, Attachment
from presessions import devservers, vault
from presessions.mail import delivery, journal, watch
from presessions.mail.models import Pulse
from presessions.trail.models import Event
from tests import backups
from tests.applications.factories import MONDAY, ApplicationFactory
from tests.missions.factories import MissionFactory

RECOVERY_POINT = timedelta(minutes=5)  # what may be lost at most


@pytest.fixture(scope="module")
def house(django_db_setup, django_db_blocker):
    """An installation with one application and a whole copy of it: nothing below needs another."""
    with devservers.temporary_folder() as folder:
        house = backups.House(folder)
        with house.postgres, django_db_blocker.unblock():
            house.fill()
            with backups.django_in(house.postgres.url), pytest.MonkeyPatch.context() as patch:
                patch.setattr(product, "PRIVATE_FILES", house.private)
                ApplicationFactory(submitted=True)
                done = house.backup()
                assert done.returncode == 0, done.stdout
                yield house


@pytest.fixture(autouse=True)
def _private_files(house, settings):
    settings.PRIVATE_FILES = house.private


@pytest.fixture
def elsewhere(house):
    """A folder for another server, as a machine for trials has it."""
    folder = house.folder / f"elsewhere-{time.monotonic_ns()}"
    server = devservers.Postgres(folder)
    shutil.copy(house.postgres.home / "password", server.home / "password")
    yield server
    server.stop()
    shutil.rmtree(folder)


def instant():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def test_all_rows_and_files_come_back_as_they_were_and_the_copy_neither_mails_nor_remembers(house, elsewhere, sink):
    """Restored to a moment on another machine; what was sent and who was erased since then is known to its journal."""
    MissionFactory()
    one, other = ApplicationFactory.create_batch(2, submitted=True)
    sink.order(always={"RCPT": {"applicant": "450 busy"}})
    delivery.drain(0, now=lambda: MONDAY)
    sink.order(always={})
    assert house.backup().returncode == 0  # the minute comes round
    rows, files, moment = backups.rows(), house.files(), instant()
    time.sleep(0.1)  # two commits within one tick of a clock have no order that it could tell

    delivery.drain(0, now=lambda: MONDAY + timedelta(hours=2))
    sent = sorted(sink.recipients)
    assert {one.email, other.email} <= set(sent)
    erasure.erase(other, now=MONDAY + timedelta(hours=3))
    late = ApplicationFactory(submitted=True)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE missions_missionaddress CASCADE")  # nothing below needs it
    done = house.backup()
    assert done.returncode == 0, done.stdout

    house.private.rename(house.folder / "lost")
    done = house.restore("--data", elsewhere.data, "--private", house.private, "--to", moment.isoformat())
    assert done.returncode == 0, done.stdout
    assert files.items() <= house.files().items()
    elsewhere.start()
    with backups.django_in(elsewhere.url):
        assert backups.rows() == rows
        call_command("check_books", stdout=StringIO())
        assert not Application.objects.filter(reference=late.reference).exists()
        assert Application.objects.get(reference=other.reference).erased_at is None

        journal.forget(), watch.forget()  # everything is started anew
        delivery.drain(0, now=lambda: MONDAY + timedelta(hours=4))
        assert sorted(sink.recipients) == sent
        with pytest.raises(CommandError, match="were forgotten and have come back"):
            call_command("resume_mail", "--yes", stdout=StringIO())
        with time_machine.travel(MONDAY + timedelta(hours=5), tick=False):
            call_command("forget", "--again", stdout=StringIO())
        assert Application.objects.get(reference=other.reference).erased_at
        assert not Attachment.objects.exclude(stored="").filter(application__reference=other.reference).exists()
        call_command("check_books", stdout=StringIO())
        call_command("resume_mail", "--yes", stdout=StringIO())
        delivery.drain(0, now=lambda: MONDAY + timedelta(hours=6))
        assert sorted(sink.recipients) == sent  # nobody twice
    journal.forget()


def test_what_was_written_moments_before_the_disk_died_is_there_again_and_backups_go_on(house):
    """No timer has fired and nobody has called anything: `backup.sh run` receives what is written as it is written."""
    running = house.begin(BACKUP_SECONDS="1")
    try:
        began = instant()
        _until_it_is_heard(after=began)
        application = ApplicationFactory(submitted=True)
        files, written = house.files(), instant()
        _until_it_is_heard(after=written)
        data = house.lose_the_disk()
    finally:
        running.terminate()
        running.wait(20)
    connection.close()
    shutil.rmtree(house.private)
    house.private.mkdir(mode=0o700)

    done = house.restore("--data", data, "--private", house.private)
    assert done.returncode == 0, done.stdout
    house.postgres.start()
    assert Application.objects.filter(reference=application.reference, submitted_at__isnull=False).exists()
    assert house.files() == files
    assert Pulse.objects.get(part="backup").at - written < RECOVERY_POINT

    # The restored database goes on from here: what the other one wrote last is no part of it.
    after = ApplicationFactory(submitted=True)
    done = house.backup()
    assert done.returncode == 0, done.stdout
    assert "A whole copy begins" in done.stdout
    done = house.restore("--try")
    assert done.returncode == 0, done.stdout
    assert f"{sum(count for count, _hash in backups.rows().values())} rows" in done.stdout
    assert Application.objects.filter(reference=after.reference).exists()


def _until_it_is_heard(*, after, seconds=60):
    deadline = time.monotonic() + seconds
    while not Pulse.objects.filter(part="backup", at__gt=after).exists():
        assert time.monotonic() < deadline, "the backup says nothing"
        time.sleep(0.1)


def test_the_dump_in_a_whole_copy_leads_to_any_other_server(house):
    """Of another version, too: it is made of words, not of PostgreSQL's own files."""
    dump = min(house.backups.glob("base/2*/database.dump"))
    url = house.postgres.url.removesuffix("/presessions")
    programs = house.postgres.programs
    subprocess.run([programs / "createdb", f"--maintenance-db={url}/postgres", "other"], check=True)
    subprocess.run([programs / "pg_restore", f"--dbname={url}/other", dump], check=True)
    with backups.django_in(f"{url}/other"):
        assert Application.objects.get().submitted_at  # the one that was there at the whole copy
        assert Event.objects.exists()


def test_the_service_makes_the_first_copy_and_starts_a_receiver_again_that_died(house, tmp_path):
    running = house.begin(BACKUP_SECONDS="1", BACKUPS=str(tmp_path), BACKUP_SLOT="elsewhere")
    try:
        for _time in range(2):
            _until_it_is_heard(after=instant())
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active_pid > 0")
    finally:
        running.terminate()
        running.wait(20)
    log = (house.folder / "backup.log").read_text()
    assert "All is well" in log
    assert "received no more. It is tried again" in log
    assert "backup: Stopping." in log


def test_after_a_gap_in_what_was_received_there_is_a_whole_copy_at_once(house):
    """As when the backup stood still until PostgreSQL had to throw away what it kept for it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_drop_replication_slot('presessions_backup')")
    done = house.backup()
    assert done.returncode == 0, done.stdout
    assert "has not kept what was not received yet" in done.stdout
    assert "A whole copy is there" in done.stdout
    assert "A whole copy" not in house.backup().stdout


def test_the_keys_are_in_no_file_of_a_backup(house):
    keyset = json.loads(product.VAULT_KEYSET)
    masters = [key.encode() for key in keyset["keys"].values()]
    secrets = [product.SECRET_KEY.encode(), *masters, *map(base64.b64decode, masters)]
    read = 0
    for path, content in backups.whole_content(house.backups):
        read += len(content)
        assert [place for place, secret in enumerate(secrets) if secret in content] == [], path
    assert read > 20_000_000


# --- What cannot be done fails, and says so --------------------------------------------------------------------------


def test_files_that_cannot_be_read_leave_no_sign_of_life(house):
    began = instant()
    done = house.backup(PRIVATE_FILES=str(house.folder / "nowhere"))
    assert done.returncode != 0
    assert "FAILED: PRIVATE_FILES is no folder" in done.stdout
    assert not Pulse.objects.filter(part="backup", at__gt=began).exists()


def test_a_whole_copy_that_is_too_old_leaves_no_sign_of_life(house):
    began = instant()
    done = house.backup("alive", "0", BACKUP_BASE_HOURS="-3")
    assert done.returncode != 0
    assert "The newest whole copy is 0 hours old" in done.stdout
    assert not Pulse.objects.filter(part="backup", at__gt=began).exists()


def test_two_at_once_do_not_disturb_each_other(house):
    with (house.backups / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = house.backup()
    assert done.returncode != 0
    assert "Another backup is at work" in done.stdout


def test_without_a_database_nothing_is_called_a_backup(house):
    done = house.backup(PGPORT=str(devservers.free_port()))
    assert done.returncode != 0
    assert "FAILED: PostgreSQL does not answer" in done.stdout


def test_only_the_role_of_the_backup_may_copy_everything(house):
    done = house.backup(PGUSER="presessions", PGPASSWORD=house.postgres.password)
    assert done.returncode != 0
    assert "does not let presessions replicate" in done.stdout
    psql = [house.postgres.programs / "psql", "--no-psqlrc", "--command=DELETE FROM trail_event"]
    refused = subprocess.run(psql, env=house.environment(), capture_output=True, text=True)
    assert "permission denied" in refused.stderr


def test_a_folder_that_is_in_use_is_left_alone(house, elsewhere):
    done = house.restore("--data", house.postgres.data)
    assert "stop PostgreSQL first" in done.stdout
    elsewhere.data.mkdir()
    (elsewhere.data / "precious").write_text("!")
    done = house.restore("--data", elsewhere.data)
    assert "is not empty. With --replace it is put aside" in done.stdout
    assert (elsewhere.data / "precious").read_text() == "!"


@pytest.mark.parametrize(
    ("moment", "complaint"),
    [
        ("2020-01-01 12:00", "There is no whole copy from before that moment"),
        ("the day before yesterdays", "Not a moment"),
    ],
)
def test_a_moment_to_which_nothing_leads_is_refused_in_words(house, elsewhere, moment, complaint):
    done = house.restore("--data", elsewhere.data, "--to", moment)
    assert done.returncode != 0
    assert complaint in done.stdout
    assert not elsewhere.data.exists()


def test_a_damaged_whole_copy_is_not_restored(house, elsewhere):
    whole = next(iter(sorted(house.backups.glob("base/2*/cluster/base.tar.gz"))[-1:]))
    content = whole.read_bytes()
    whole.write_bytes(content[:-10] + bytes(10))
    try:
        done = house.restore("--data", elsewhere.data)
    finally:
        whole.write_bytes(content)
    assert done.returncode != 0
    assert "is damaged. Try an earlier one" in done.stdout
    assert not elsewhere.data.exists()


# --- Thirty days ------------------------------------------------------------------------------------------------------


def test_nothing_is_kept_that_is_older_than_thirty_days(house, tmp_path):
    """Not what was whole then, what was written then, nor a file that only it names; all of it but the newest."""
    old, kept = tmp_path / "backups", f"{int(time.time()) - 31 * 86400}"
    shutil.copytree(house.backups, old)
    newest = (old / "base/newest").read_text().strip()
    first = min((old / "base").glob("2*")).name
    wal = re.search(r"^wal=(.*)$", (old / f"base/{first}/facts").read_text(), re.M)[1]
    before, gone = old / "base/20200101T000000Z", old / "pool/ab/cd"
    shutil.copytree(old / f"base/{first}", before)
    (before / "facts").write_text(f"files={kept}\nended={kept}\nwal={wal}\nstart={'0' * 24}\nuntil={'0' * 24}\n")
    (before / "files").write_text(f"{'a' * 64}  ab/cd\n")
    (old / "files/ledger.20200101").write_text(f"{kept} {kept} + {'a' * 64} ab/cd\n")
    written = old / "wal" / wal / f"{'0' * 24}.gz"
    written.write_bytes(b"")
    gone.parent.mkdir(exist_ok=True)
    gone.write_bytes(b"of somebody who was erased")
    tombstones = [old / f"journal/tombstones/{day}.x.jsonl" for day in ("2020-01-01", "2026-03-01")]
    tombstones[0].parent.mkdir(parents=True, exist_ok=True)
    for path, days in zip(tombstones, (370, 300), strict=True):
        path.write_text("{}\n")
        os.utime(path, (time.time() - days * 86400,) * 2)
    needed = {path.name for path in (old / "pool").rglob("*") if path.is_file()} - {gone.name}

    done = house.backup("expire", BACKUPS=str(old))
    assert done.returncode == 0, done.stdout
    assert "Older than 30 days, and removed: 20200101T000000Z" in done.stdout
    assert [path for path in (before, gone, written, old / "files/ledger.20200101") if path.exists()] == []
    assert [path.exists() for path in tombstones] == [False, True]
    assert {path.name for path in (old / "pool").rglob("*") if path.is_file()} == needed
    assert house.restore("--list", BACKUPS=str(old)).stdout == house.restore("--list").stdout

    house.backup("expire", BACKUPS=str(old), BACKUP_DAYS="-1")  # as after a month in which no copy succeeded
    assert (old / "base/newest").read_text().strip() == newest
    assert (old / f"base/{newest}/cluster/base.tar.gz").exists()
    assert {path.name for path in (old / "pool").rglob("*") if path.is_file()} <= needed
    assert house.files().items() <= _in_pool(old, house).items()


def _in_pool(folder, house):
    """{name: SHA-256} of those private files of the house that the pool can give back."""
    there = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "pool").rglob("*") if path.is_file()}
    return {name: sha256 for name, sha256 in house.files().items() if sha256 in there}


def test_a_file_under_another_key_is_kept_as_it_is_now(house, elsewhere):
    """Rotation writes a file anew under its name, of the same size and date."""
    ApplicationFactory(submitted=True)
    assert house.backup().returncode == 0
    for path in [path for path in house.private.rglob("*") if path.is_file()]:
        vault.storage.write_again(path.name)
    files = house.files()
    done = house.backup()
    assert done.returncode == 0, done.stdout
    assert files.items() <= _in_pool(house.backups, house).items()
    shutil.rmtree(house.private)
    done = house.restore("--data", elsewhere.data, "--private", house.private)
    assert done.returncode == 0, done.stdout
    assert house.files() == files


def test_the_scripts_are_plain_sh(house):
    for script in (backups.SCRIPTS / "backup.sh", backups.SCRIPTS / "restore.sh"):
        assert script.read_text().startswith("#!/bin/sh\n")
        assert os.access(script, os.X_OK)
        subprocess.run(["dash", "-n", script] if shutil.which("dash") else ["sh", "-n", script], check=True)
