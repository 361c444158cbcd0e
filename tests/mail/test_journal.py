"""The journal: what it holds, what it does not, and that it raises no false alarm."""

import errno
import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection

from presessions.mail import delivery, journal, restoring, watch
from presessions.mail.models import Alarm, Journal, Letter, Switch
from tests.mail.factories import LONG_BEFORE as NOW
from tests.mail.factories import put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]


def send(**fields):
    letter = put(**fields)
    delivery.drain(0, now=lambda: NOW)
    letter.refresh_from_db()
    return letter


def a_new_process():
    journal.forget()


def a_new_database():
    """As if it had just been made: it knows of no letter, and of no installation."""
    Letter.objects.all().update(message_id="<another@example.org>")
    Journal.objects.all().delete()


def test_a_line_per_accepted_letter_and_no_address_in_it(sink, settings):
    letter = send(to="amina@example.org")
    (line,) = journal.lines()
    assert (line["key"], line["message_id"], line["attempt"]) == (letter.key, letter.message_id, 1)
    (path,) = settings.MAIL_JOURNAL.glob("slot-*")
    assert b"amina" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    assert settings.MAIL_JOURNAL.stat().st_mode & 0o077 == 0


def test_only_what_the_server_took_is_written_down(sink):
    sink.order(RCPT=["550 no", "450 later"], dot=["accept-drop"])
    for _letter in range(3):
        send()
    assert list(journal.lines()) == []


def test_the_line_is_there_before_the_letter_is_closed(sink, monkeypatch):
    """Killed between the 250 and the commit: the letter is uncertain here, and the journal knows."""
    monkeypatch.setattr(Letter, "close", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        send()
    assert len(list(journal.lines())) == 1
    a_new_process()
    assert not journal.restored(NOW)  # not settled, but known to have been tried: no restored database


def test_the_first_start_is_no_restore(sink):
    assert not journal.restored(NOW)
    assert journal.mark()["installation"] == Journal.objects.get().installation


def test_a_start_that_was_killed_between_database_and_folder_is_no_restore(sink, settings):
    assert not journal.restored(NOW)
    (settings.MAIL_JOURNAL / "mark.json").unlink()
    a_new_process()
    assert not journal.restored(NOW)


def test_a_process_that_was_stopped_while_its_epoch_grew_is_no_restore(sink):
    send()
    row = Journal.objects.get()
    for _other in range(3):
        a_new_process()
        assert not journal.restored(NOW)
    journal.write_mark(row.installation, row.epoch)  # it wakes up, and writes what it had read long ago
    assert journal.mark()["epoch"] == Journal.objects.get().epoch
    a_new_process()
    assert not journal.restored(NOW)


def test_a_line_that_was_cut_off_is_passed_by(sink, settings):
    send()
    (path,) = settings.MAIL_JOURNAL.glob("slot-*")
    with path.open("ab") as file:
        file.write(b'{"key": "receipt:hal')
    a_new_process()
    assert not journal.restored(NOW)
    send()
    assert len(list(journal.lines())) == 2


def test_a_line_that_is_written_half_on_a_full_disk_is_an_alarm_and_spoils_no_other(sink, settings, monkeypatch):
    send()
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(journal.os, "write", lambda fd, line: write(fd, line[:20]))
        assert send().state == "sent"
    assert Alarm.objects.get().code == "journal"
    send()
    assert len(list(journal.lines())) == 2


def test_a_full_disk_is_not_filled_with_marks_that_were_begun(sink, settings, monkeypatch):
    assert not journal.restored(NOW)
    before = sorted(os.listdir(settings.MAIL_JOURNAL))
    monkeypatch.setattr(journal.os, "fsync", _no_space)
    for _look in range(3):
        a_new_process()
        assert journal.restored(NOW)
    assert sorted(os.listdir(settings.MAIL_JOURNAL)) == before


def test_a_file_that_cannot_be_taken_is_closed_again(sink, settings, monkeypatch):
    send()
    (path,) = settings.MAIL_JOURNAL.glob("slot-*")
    with path.open("ab") as file:
        file.write(b"cut off")
    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(journal.os, "write", _no_space)
    for _look in range(3):
        a_new_process()
        assert journal.restored(NOW)
    assert len(os.listdir("/proc/self/fd")) < before  # the one we had is closed, and no other is open


def _no_space(*_given):
    raise OSError(errno.ENOSPC, "no space")


@pytest.mark.parametrize(
    "words", ["", '{"installation": "a', "[]", "{}", '{"installation": "a", "epoch": "b"}', "\xff"]
)
def test_a_mark_that_cannot_be_read_proves_nothing_and_stops_the_mail_with_words(sink, settings, words):
    send()
    (settings.MAIL_JOURNAL / "mark.json").write_bytes(words.encode("latin-1"))
    a_new_process()
    assert send().state == "pending"
    assert Alarm.objects.get().code == "journal"


def test_when_both_marks_are_gone_mail_can_start_again(sink, settings, user):
    send()
    (settings.MAIL_JOURNAL / "mark.json").unlink()
    Journal.objects.all().delete()
    a_new_process()
    assert send().state == "pending"
    assert restoring.why() == journal.ANOTHER
    restoring.reconcile(by=user, now=NOW)
    restoring.resume(by=user, now=NOW)
    a_new_process()
    assert send().state == "sent"
    assert journal.mark()["installation"] == Journal.objects.get().installation != ""


def test_the_stop_of_staff_outlasts_a_restored_database(sink, user):
    send()
    Switch.stop(by=user, now=NOW, reason="wrong list")
    Journal.objects.update(epoch=0)
    a_new_process()
    assert send().state == "pending"
    assert restoring.why() == journal.OLDER
    later = NOW + timedelta(hours=1)
    restoring.resume(by=user, now=later)
    switch = Switch.get()
    assert (switch.code, switch.paused_at, switch.paused_by, switch.answer) == ("staff", NOW, user, "")
    a_new_process()
    assert send().state == "pending"
    Switch.start(by=user, now=later)
    assert send().state == "sent"


def test_a_new_database_beside_a_folder_that_never_saw_a_letter_belongs_to_it(sink):
    assert not journal.restored(NOW)
    installation = journal.mark()["installation"]
    a_new_database()
    a_new_process()
    assert not journal.restored(NOW)
    assert Journal.objects.get().installation == installation


@pytest.mark.parametrize(
    ("happened", "why"),
    [
        (lambda folder: Journal.objects.update(epoch=0), journal.OLDER),
        (lambda folder: Letter.objects.update(message_id="<other@example.org>"), journal.OLDER),
        (lambda folder: Letter.objects.update(attempts=0), journal.OLDER),
        (lambda folder: a_new_database(), journal.OLDER),
        (lambda folder: Journal.objects.update(installation="of another machine"), journal.ANOTHER),
        (lambda folder: folder.rename(folder.parent / "not mounted"), journal.MISSING),
        (lambda folder: (folder / "mark.json").unlink(), journal.MISSING),
    ],
)
def test_a_database_that_does_not_belong_to_its_folder_sends_nothing(sink, settings, happened, why):
    send()
    happened(settings.MAIL_JOURNAL)
    a_new_process()
    waiting = send()
    assert waiting.state == "pending"
    assert len(sink.mails) == 1
    assert restoring.why() == why
    assert Alarm.objects.get(code="restored").ended_at is None


def test_the_switch_of_staff_does_not_bring_a_restored_database_to_send(sink, user):
    send()
    Journal.objects.update(epoch=0)
    a_new_process()
    send()
    Switch.objects.update(paused_at=None, code="")
    assert send().state == "pending"


def test_a_folder_that_is_closed_to_us_proves_nothing_so_nothing_is_sent_until_it_opens(sink, settings, tmp_path):
    settings.MAIL_JOURNAL = tmp_path / "file" / "journal"
    (tmp_path / "file").write_text("in the way")
    assert send().state == "pending"
    assert Alarm.objects.get().code == "journal"
    (tmp_path / "file").unlink()
    assert send().state == "sent"
    assert Alarm.objects.get().ended_at == NOW


def test_each_process_writes_to_a_file_of_its_own_and_a_file_is_used_again(sink, settings):
    program = (
        "import sys; from django.conf import settings as s; s.configure(MAIL_JOURNAL=sys.argv[1]);"
        "import importlib.util as u; import fcntl, os;"
        "fd = os.open(sys.argv[1] + '/slot-000.jsonl', os.O_WRONLY | os.O_CREAT);"
        "fcntl.flock(fd, fcntl.LOCK_EX); print('mine', flush=True); input()"
    )
    settings.MAIL_JOURNAL.mkdir()
    command = [sys.executable, "-c", program, str(settings.MAIL_JOURNAL)]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "mine\n"
    send()
    assert (settings.MAIL_JOURNAL / "slot-000.jsonl").read_bytes() == b""
    other.communicate("\n")
    for _restart in range(5):
        a_new_process()
        send()
    assert sorted(os.listdir(settings.MAIL_JOURNAL)) == ["mark.json", "slot-000.jsonl", "slot-001.jsonl"]


def test_the_epoch_grows_in_the_database_first(sink, monkeypatch):
    """Killed between the two, the folder knows less than the database: that is no restored one."""
    send()
    a_new_process()
    monkeypatch.setattr(journal, "write_mark", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        journal.restored(NOW)
    monkeypatch.undo()
    assert Journal.objects.get().epoch > json.loads((journal._folder() / "mark.json").read_text())["epoch"]


def test_the_epoch_grows_once_a_minute_and_waits_for_nobody(sink):
    for _second in range(5):
        assert not journal.restored(NOW)
    assert Journal.objects.get().epoch == 1


def test_a_sign_of_life_is_written_now_and_then_and_an_alarm_opens_once(sink):
    watch.seen("bell", NOW)
    with connection.execute_wrapper(_refuse):
        watch.seen("bell", NOW + timedelta(seconds=5))
    assert watch.alarm("restored", now=NOW, detail="why")
    assert not watch.alarm("restored", now=NOW)
    assert watch.ended("restored", now=NOW)
    assert not watch.ended("restored", now=NOW)


def _refuse(execute, sql, params, many, context):
    raise AssertionError("a query")
