"""M10. A restored backup never mails by itself: backup, send, restore, start everything: nothing leaves before staff
resume. The journal, which no backup holds, then says what had gone: no duplicate after, and nothing lost.

Real pg_dump and pg_restore, a real mail server, and a worker that is a process of its own beside ours. With STORM=full
the 500 letters of the promise.
"""

import os
import subprocess
import sys
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from presessions import devservers
from presessions.mail import delivery, journal, restoring, tasks, troubles, watch
from presessions.mail.models import Alarm, Letter, Mailing, Switch
from presessions.mail.registry import Recipient
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from tests.mail.factories import make_mailing, put

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("timetable")]

ROOT = Path(__file__).parents[2]
MANY = 500 if os.environ.get("STORM") == "full" else 60


class Backup:
    """pg_dump of the test's own database, and the way back."""

    def __init__(self, folder):
        self.file = folder / "backup"
        self.bin = devservers.programs()
        known = connection.settings_dict
        self.where = [f"--host={known['HOST']}", f"--port={known['PORT']}", f"--username={known['USER']}"]
        self.environment = {"PATH": os.defpath, "PGPASSWORD": known["PASSWORD"], "LC_ALL": "C"}
        self.database = known["NAME"]

    def take(self):
        self._run("pg_dump", "--format=custom", f"--file={self.file}", self.database)

    def restore(self):
        connection.close()
        self._run("pg_restore", "--clean", "--if-exists", f"--dbname={self.database}", self.file)
        journal.forget(), watch.forget()  # everything is started anew

    def _run(self, program, *arguments):
        done = subprocess.run(
            [self.bin / program, *self.where, *arguments], env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


def start_everything():
    """A worker in a process of its own beside ours, for as long as there is anything to do."""
    known = connection.settings_dict
    url = f"postgres://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
    command = [sys.executable, "manage.py", "send_due", "--once"]
    other = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, stdout=subprocess.PIPE)
    start_worker()
    assert other.communicate(timeout=60)
    assert other.returncode == 0


def start_worker():
    for _pass in range(2):
        tasks.ring(0, stop=None)


@pytest.fixture
def sink(sink, monkeypatch, settings):
    monkeypatch.setenv("SMTP_URL", sink.url)
    settings.MAIL_DOMAIN_PER_MINUTE = 0  # all at once, to see all of it
    return sink


@pytest.fixture
def backup(tmp_path):
    return Backup(tmp_path)


def test_a_restored_backup_mails_nothing_until_staff_resume_and_then_nobody_twice(sink, backup, people, user):
    now = timezone.now()
    people[:] = [Recipient("mission", str(n), to=f"mission{n}@example.org") for n in range(MANY)]
    people += [Recipient("mission", f"later{n}", to=f"later{n}@example.org") for n in range(5)]
    mailing = make_mailing(now=now)
    before, waiting = put(to="before@example.org", now=now), put(to="waiting@example.org", now=now)
    sink.order(always={"RCPT": {"waiting": "450 busy", "later": "450 busy"}})
    delivery.drain(0)
    backup.take()

    Mailing.objects.filter(pk=mailing.pk).update(due_at=now, state=Mailing.State.PLANNED, moved_to=now)
    new = put(to="new@example.org", now=now)
    sink.order(always={"RCPT": {"later": "450 busy"}})
    Letter.objects.filter(pk=waiting.pk).update(next_attempt_at=now)
    delivery.drain(0)
    assert len(sink.mails) == MANY + 3

    backup.restore()
    assert not Letter.objects.filter(pk=new.pk).exists()
    Mailing.objects.filter(pk=mailing.pk).update(due_at=now, state=Mailing.State.PLANNED, moved_to=now)
    Letter.objects.filter(pk=waiting.pk).update(next_attempt_at=now)
    start_everything()
    Switch.objects.update(paused_at=None, code="", probe_at=None)  # whatever anybody does to the switch itself
    start_worker()
    assert len(sink.mails) == MANY + 3
    assert troubles.report(now)["stopped"] == "restored"
    assert Alarm.objects.filter(code="restored", ended_at=None).exists()

    with pytest.raises(WrongStep, match="write them down first"):
        restoring.resume(by=user, now=now)
    found = restoring.compare()
    assert found.agreed == 1
    assert found.settled == {("receipt", None): 1}
    assert found.written == {("invitation", mailing.pk): MANY, ("receipt", None): 1}
    assert restoring.reconcile(by=user, now=now) == found
    assert restoring.compare().is_empty
    restoring.resume(by=user, now=now)
    sink.order(always={})
    start_worker()

    copies = Counter(to for to in sink.recipients if to != user.email)  # staff are told that mail was stopped
    assert set(copies.values()) == {1}
    assert len(copies) == MANY + 5 + 3  # the five whose letter had not gone yet are written to now
    assert set(Letter.objects.exclude(kind="alarm").values_list("state", flat=True)) == {"sent"}
    assert {before.key, waiting.key, new.key} < set(Letter.objects.values_list("key", flat=True))
    codes = Event.objects.about(Switch.get()).values_list("code", flat=True)
    assert sorted(codes) == ["reconciled", "start", "stop_restored", "stop_restored"]


def test_a_backup_after_which_nothing_was_sent_is_a_restored_one_too(sink, backup):
    """Staff may have held, dropped or moved something since, and the backup does not know."""
    put(now=timezone.now())
    delivery.drain(0)
    backup.take()
    journal.forget()  # the next ring, a minute later
    delivery.drain(0)
    backup.restore()
    put(now=timezone.now())
    start_worker()
    assert len(sink.mails) == 1
    assert restoring.why() == journal.OLDER


def test_numbers_that_the_lost_days_have_used_are_not_used_again(sink, backup, people):
    """The key of a letter holds its mailing's number: a second mailing of that number would find its letters sent."""
    now = timezone.now()
    put(now=now)
    delivery.drain(0)
    backup.take()
    lost = make_mailing(number=53, now=now)
    Mailing.objects.filter(pk=lost.pk).update(due_at=now, state=Mailing.State.PLANNED, moved_to=now)
    delivery.drain(0)
    assert len(sink.mails) == 1 + len(people)

    backup.restore()
    start_worker()
    mailing = make_mailing(number=54, now=now)
    assert mailing.pk > lost.pk + 1000
    call_command("resume_mail", "--yes", stdout=StringIO())
    Mailing.objects.filter(pk=mailing.pk).update(due_at=now, state=Mailing.State.PLANNED, moved_to=now)
    delivery.drain(0)
    assert len(sink.mails) == 1 + 2 * len(people)


def test_the_command_says_what_differs_changes_nothing_unless_told_and_refuses_when_all_is_well(sink, backup):
    put(now=timezone.now(), key="receipt:A:1")
    delivery.drain(0)
    backup.take()
    put(now=timezone.now(), key="receipt:B:1")
    delivery.drain(0)
    backup.restore()
    for expected in ("With --yes this is written down", "All mail has started again."):
        said = StringIO()
        call_command("resume_mail", *(["--yes"] if "started" in expected else []), stdout=said)
        assert "it looks like a restored backup" in said.getvalue()
        assert "receipt: 0 waiting here have gone, 1 unknown here have gone\n1 letters agree.\n" in said.getvalue()
        assert expected in said.getvalue()
    with pytest.raises(CommandError, match="Mail is not stopped"):
        call_command("resume_mail")


def test_staff_see_what_differs_write_it_down_and_start_the_mail(sink, backup, client, user):
    put(now=timezone.now(), key="receipt:A:1")
    delivery.drain(0)
    backup.take()
    put(now=timezone.now(), key="receipt:B:1")
    delivery.drain(0)
    client.force_login(user)
    assert "Database and journal agree" in client.get(reverse("admin:mail_restored")).content.decode()
    backup.restore()
    start_worker()
    client.force_login(user)
    page = client.get(reverse("admin:mail_restored")).content.decode()
    assert "it looks like a restored backup" in page
    assert "Write down what has gone" in page
    assert not Letter.objects.filter(key="receipt:B:1").exists()
    client.post(reverse("admin:mail_restored"), {"step": "reconcile", "reason": "power cut"})
    assert Letter.objects.get(key="receipt:B:1").last_code == "journal"
    assert "Start all mail" in client.get(reverse("admin:mail_restored")).content.decode()
    client.post(reverse("admin:mail_restored"), {"step": "resume"})
    assert restoring.why() == ""
    assert not journal.restored(timezone.now())
