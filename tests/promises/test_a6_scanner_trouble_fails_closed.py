"""A6. Scanner trouble fails closed: while the scanner is down, hangs, says ERROR, talks nonsense, hangs up in the
middle or has old signatures, no file can be opened by anybody, and none is refused. Within five minutes of its recovery
every file has been scanned. Staff are told; and the health is red (M13).

A minute is an argument; the scanner is clamd's protocol over a real socket, with each trouble in turn.
"""

from datetime import timedelta

import pytest
from django.urls import reverse

from applications import cleaning, scanner
from applications.models import Attachment
from presessions.mail import telling, troubles, watch
from presessions.mail.models import Alarm, Letter
from tests.accounts.factories import StaffFactory
from tests.applications import hostile
from tests.applications.factories import MONDAY, ApplicationFactory
from tests.applications.scanner_stub import EICAR, Scanner
from tests.applications.test_cleaning import waiting

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
State = Attachment.State


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    settings.PRIVATE_FILES = tmp_path / "private"


@pytest.fixture
def clamd(settings):
    with Scanner() as clamd:
        settings.CLAMAV_URL = clamd.url
        yield clamd


def down(clamd):
    clamd.stop()
    return clamd.start


def hangs(clamd):
    """It takes the file and never answers; only then are we impatient, so that a slow machine is not taken for it."""
    impatient = pytest.MonkeyPatch()
    impatient.setattr(scanner, "SECONDS", 0.2)
    impatient.setattr(scanner, "GREETING_SECONDS", 0.2)
    clamd.hangs = True

    def end():
        impatient.undo()
        clamd.hangs = False
        clamd.over.set()
        clamd.over.clear()

    return end


def says(word, answer):
    def begin(clamd):
        before = clamd.answers.get(word)
        clamd.answers[word] = answer

        def end():
            clamd.answers.pop(word)
            if before:
                clamd.answers[word] = before

        return end

    return begin


TROUBLES = {
    "it is down": down,
    "it hangs": hangs,
    "it is over its limit": says("INSTREAM", b"INSTREAM size limit exceeded. ERROR\0"),
    "it cannot read": says("INSTREAM", b"stream: Can't allocate memory ERROR\0"),
    "nonsense": says("INSTREAM", b"\xff\xfe\0"),
    "nonsense without end": says("INSTREAM", b"OK " * 9000),
    "nothing": says("INSTREAM", b""),
    "an answer cut off": says("INSTREAM", b"stream: O"),
    "an answer cut off before its end": says("INSTREAM", b"stream: OK"),
    "OK about something else": says("INSTREAM", b"another: OK\0"),
    "OK and more": says("INSTREAM", b"stream: OK \0"),
    "OK twice": says("INSTREAM", b"stream: OK\nstream: OK\0"),
    "ok in other letters": says("INSTREAM", b"stream: ok\0"),
    "a name without an end": says("INSTREAM", b"stream: FOUND\0"),
    "a command it does not know": says("INSTREAM", b"UNKNOWN COMMAND\0"),
    "signatures of eight days ago": says("VERSION", b"ClamAV 1.4.6/27841/Sun Feb 22 08:00:00 2026\0"),
    "signatures of no date": says("VERSION", b"ClamAV 1.4.6\0"),
    "a date nobody can read": says("VERSION", b"ClamAV 1.4.6/27841/Mon Foo 99 08:00:00 2026\0"),
    "another program": says("VERSION", b"220 mail.example.org ESMTP\0"),
}


def downloadable(client):
    """How many of all files a member of staff with every right can open, by every address there is."""
    client.force_login(StaffFactory())
    pages = [
        reverse("admin:applications_document", args=[file.application_id, file.pk]) + how
        for file in Attachment.objects.all()
        for how in ("", "?inline")
    ]
    return sum(client.get(page).status_code == 200 for page in pages)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_while_it_lasts_nobody_opens_a_file_and_soon_after_everything_is_scanned(client, clamd, trouble):
    file = ApplicationFactory(submitted=True).attachments.get()
    end = TROUBLES[trouble](clamd)
    for minute in (0, 2, 5):
        assert cleaning.look_through(MONDAY + minute * MINUTE) == {"trouble": 1}
    assert downloadable(client) == 0
    file.refresh_from_db()
    assert file.state == State.QUARANTINE
    assert not Letter.objects.filter(kind="file_refused").exists()
    end()
    assert cleaning.look_through(MONDAY + 7 * MINUTE) == {"checked": 1}
    assert downloadable(client) == 2
    file.refresh_from_db()
    assert file.checked_at - (MONDAY + 5 * MINUTE) <= 5 * MINUTE


def test_a_trouble_in_the_middle_of_many_files_stops_at_the_first(clamd):
    for _number in range(3):
        waiting()
    clamd.answers["INSTREAM"] = b"ERROR\0"
    assert cleaning.look_through(MONDAY) == {"trouble": 1}
    assert len(clamd.seen) == 1  # nobody waits three times for a scanner that does not answer


def test_the_scanner_sees_the_file_and_nothing_else(clamd):
    content = hostile.pdf(pages=300)
    file = waiting(content)
    cleaning.look_through(MONDAY)
    assert clamd.seen == [content]
    assert file.original_name.encode() not in clamd.seen[0]


def test_what_it_names_is_refused_and_the_applicant_told_what_to_do(client, clamd):
    file = waiting(EICAR, application=ApplicationFactory(submitted=True))
    clamd.answers.pop("INSTREAM", None)
    assert cleaning.look_through(MONDAY)["refused"] == 1
    file.refresh_from_db()
    assert (file.state, file.refused_because) == (State.REFUSED, "malware")
    assert "virus scanner" in Letter.objects.get(kind="file_refused").kept
    assert "Eicar" not in Letter.objects.get(kind="file_refused").kept


def test_without_a_scanner_files_are_cleaned_all_the_same(settings):
    settings.CLAMAV_URL = ""
    waiting()
    assert cleaning.look_through(MONDAY) == {"checked": 1}
    assert not Alarm.objects.exists()


def test_a_scanner_behind_a_socket_on_the_same_machine(settings, tmp_path):
    waiting(EICAR), waiting()
    with Scanner(tmp_path / "clamd.sock") as clamd:
        settings.CLAMAV_URL = clamd.url
        assert cleaning.look_through(MONDAY) == {"refused": 1, "checked": 1}


# --- Staff are told -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", ["it is down", "it hangs", "signatures of eight days ago"])
@pytest.mark.parametrize("files", [0, 1])
def test_within_five_minutes_the_health_is_red_and_names_it_and_staff_are_told_once(clamd, trouble, files):
    StaffFactory()
    cleaning.look_through(MONDAY)
    for _number in range(files):
        waiting()
    end = TROUBLES[trouble](clamd)
    for minute in range(1, 6):
        now = MONDAY + minute * MINUTE
        cleaning.look_through(now)
        telling.look(now)
    report = troubles.report(now)
    assert "scanner" in report["wrong"]
    assert report["status"] == "red"
    assert any("virus scanner has not answered" in words for words in report["why"])
    alarm = Alarm.objects.get(code="scanner")
    assert alarm.told_at <= MONDAY + 5 * MINUTE
    assert any("virus scanner" in letter.kept for letter in Letter.objects.filter(kind="alarm"))
    end()
    cleaning.look_through(now + MINUTE)
    telling.look(now + MINUTE)
    assert "scanner" not in troubles.report(now + MINUTE)["wrong"]


def test_after_a_night_in_which_nothing_ran_the_scanner_is_not_accused(clamd):
    cleaning.look_through(MONDAY)
    morning = MONDAY + timedelta(hours=10)
    telling.look(morning)  # whoever watches is up first
    assert not Alarm.objects.filter(code="scanner").exists()
    cleaning.look_through(morning)
    telling.look(morning + MINUTE)
    assert not Alarm.objects.filter(code="scanner").exists()


def test_that_files_wait_is_noticed_by_who_watches_when_no_worker_looks(clamd):
    waiting()
    telling.look(MONDAY + 4 * MINUTE)
    assert not Alarm.objects.filter(code="files").exists()
    telling.look(MONDAY + 6 * MINUTE)
    assert Alarm.objects.filter(code="files", ended_at=None).exists()
    cleaning.look_through(MONDAY + 7 * MINUTE)
    assert not Alarm.objects.filter(code="files", ended_at=None).exists()


def test_a_look_for_worries_that_fails_keeps_no_other_alarm_back(monkeypatch):
    monkeypatch.setattr(cleaning, "_alarm", lambda *args: 1 / 0)
    watch.alarm("stopped", now=MONDAY)
    telling.look(MONDAY)
    assert Alarm.objects.get(code="stopped")
