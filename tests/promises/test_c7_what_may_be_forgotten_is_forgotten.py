"""C7. What may be forgotten is forgotten: by the clock, by whoever asks for it, and after an older backup was restored.

The whole world of tests/house/world.py has a word of its own in every secret field; three years later none is left but
of those who are still there, and no published figure has changed on the way. The backup is a real one, made and
restored by PostgreSQL's own tools.
"""

import re
import shutil
from dataclasses import astuple
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from applications import erasure, fates, feedback, figures, seat
from applications.models import Application, Contact, SpeakerFeedback
from missions import published, report, report_files
from presessions import retention
from presessions.mail import journal, restoring
from presessions.mail.models import Letter
from presessions.retention import running, tombstones
from presessions.trail import sealing
from presessions.trail.steps import WrongStep
from presessions.upr.dates import geneva
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, ContactFactory, StateCallFactory
from tests.applications.test_erasing import CANARY, filled, opened, places_of
from tests.house.sensitivity import FIELDS, SECRET
from tests.house.world import END, SET_UP, World, canary
from tests.promises.test_m10_a_restored_backup_never_mails import Backup as PostgresBackup
from tests.upr.factories import CountryMeetingFactory, StateFactory

AFTER_THE_SERIES = geneva(date(2026, 5, 17), 5)  # 31 days after 16 April, its last day
AFTER_THE_REVIEW = geneva(date(2026, 8, 20), 5)  # more than 90 days after the Working Group session
THREE_YEARS_LATER = END + timedelta(days=3 * 366)

# Secret words that stay as long as those whom they belong to are there.
STILL_THERE = {
    "accounts.Authenticator.key": "the phone of somebody who still works here",
    "applications.Contact.email": "on the list until it leaves",
    "applications.Contact.source": "the same",
    "missions.MissionAddress.email": "in the register as long as it is valid",
    "applications.Organisation.name": "entered by staff by hand, without any application",
    "applications.Organisation.name_latin": "the same",
    "applications.Organisation.note": "the same",
    "mail.Alarm.detail": "the alarm has not ended",
}


def left():
    """The secret fields whose word can be read by a thief who has database, disk and keys."""
    text = "\n".join(words for _place, words in opened())
    return {label for label, who in FIELDS.items() if who == SECRET and canary(label) in text}


def told(series):
    """Everything that is published or counted of a series."""
    universality = report_files.universality(report.of(series, now=timezone.now()))
    rows = SpeakerFeedback.objects.filter(application__state_call__call__series=series)
    panels = figures.of(series).meetings
    return {
        "published": published.of(series).ready(),
        "panels": [(meeting.pk, *astuple(tally)[:9], len(tally.institutions)) for meeting, tally in panels],
        "universality": (universality.headings, universality.rows, universality.about),
        "recommendations": fates.of(series).total,
        "feedback": feedback.mean(list(rows)),
        "by status": sorted(Application.objects.sent().values_list("status", flat=True)),
    }


@pytest.fixture
def world(db, settings, tmp_path):
    settings.PRIVATE_FILES = tmp_path
    with time_machine.travel(SET_UP, tick=False) as clock:
        world = World(clock)
        world.tell()
        for meeting in (world.kenya, world.turkiye):
            meeting.mark_held(now=timezone.now(), by=world.ada)
        yield world


def test_nothing_is_left_of_people_and_no_figure_changes(world):
    secret = {label for label, who in FIELDS.items() if who == SECRET}
    before, seen = told(world.series), left()
    assert {"applications.Application.name", "missions.Delegate.name", "mail.Letter.kept", "trail.Reason.text"} <= seen
    for letter in Letter.objects.unsettled():  # this world has no mail server; the bell gives each of them up
        letter.step(Q(), state=Letter.State.EXPIRED, now=timezone.now())
    for moment in (AFTER_THE_SERIES, AFTER_THE_REVIEW, THREE_YEARS_LATER):
        world.clock.move_to(moment)
        world.ring(moment)
        rows, failed = running.night(moment)
        assert (rows > 0, failed) == (True, 0)
        assert told(world.series) == before
    assert left() - STILL_THERE.keys() == set()
    assert STILL_THERE.keys() <= seen
    assert left() <= secret
    assert running.night(THREE_YEARS_LATER) == (0, 0)
    world.ring(THREE_YEARS_LATER + timedelta(minutes=1))
    assert not Letter.objects.unsettled().filter(recipient_kind="application").exists()
    assert sealing.check().is_whole  # no event was touched
    assert all(rule.due(THREE_YEARS_LATER).count() == 0 for rule in retention.rules())


# --- A restored backup ------------------------------------------------------------------------------------------------

AFTER = MONDAY + timedelta(days=2)


class Backup:
    """Database and private files, as they were; the journal is never in it."""

    def __init__(self, folder):
        self.database, self.files = PostgresBackup(folder), folder / "files"

    def take(self):
        self.database.take()
        shutil.copytree(settings.PRIVATE_FILES, self.files)

    def restore(self):
        self.database.restore()
        shutil.rmtree(settings.PRIVATE_FILES)
        shutil.copytree(self.files, settings.PRIVATE_FILES)


@pytest.fixture
def backup(tmp_path, settings):
    settings.PRIVATE_FILES = tmp_path / "private"
    return Backup(tmp_path)


def restored(moment):
    """Whether mail waits, as the bell finds out when it rings."""
    journal.forget()
    return journal.restored(moment)


@pytest.mark.django_db(transaction=True)
def test_what_was_forgotten_after_a_backup_is_forgotten_again_once_it_is_restored(backup, client):
    with time_machine.travel(MONDAY, tick=False) as clock:
        kenya = StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE")))
        erased = filled(kenya, submitted=True)
        agreeing = ApplicationFactory(state_call=kenya, submitted=True, consents=["name", "photo"])
        taken_back = ApplicationFactory(state_call=kenya, submitted=True)
        declined = ApplicationFactory(state_call=kenya, declined=True, name="Nobody chose us")
        leaving = ContactFactory(email="leaving@example.org")
        assert not restored(MONDAY)
        backup.take()

        clock.move_to(AFTER)
        erasure.erase(erased, now=AFTER)
        agreeing.save_section("safety", {"consent_name": True, "consent_photo": False}, now=AFTER)
        taken_back.withdraw(now=AFTER)
        leaving.leave(now=AFTER)
        ContactFactory(email="short@example.org", now=AFTER).leave(now=AFTER)
        retention.RULES["not_selected"].forget(Application.objects.filter(pk=declined.pk), now=AFTER)
        assert not restored(AFTER)
        assert tombstones.standing() == []

        clock.move_to(AFTER + timedelta(hours=1))
        backup.restore()
        assert {"applications.Application.name", "file"} <= set(places_of(CANARY))  # or the rest would prove nothing
        assert restored(timezone.now())
        with pytest.raises(WrongStep, match="forgotten again first"):
            restoring.resume(by=None, now=timezone.now())
        with pytest.raises(CommandError, match="forget --again"):
            call_command("resume_mail", yes=True, stdout=StringIO())

        client.force_login(StaffFactory(is_superuser=True))
        box = reverse("admin:mail_restored")
        assert "Forget them again" in client.get(box).content.decode()
        client.post(box, {"step": "resume"})
        assert restoring.why() == journal.OLDER  # not by the desk either

        out = StringIO()
        call_command("forget", again=True, stdout=out)
        assert re.search(r"^[1-9]\d* were forgotten again, 0 are left\.$", out.getvalue(), re.MULTILINE)
        assert places_of(CANARY) == []
        assert places_of("nobody chose us") == []
        for application in (erased, agreeing, taken_back, declined):
            application.refresh_from_db()
        assert {one.status for one in (erased, taken_back)} == {"withdrawn"}
        assert (declined.status, declined.name, declined.email_index) == ("declined", "", "")
        assert {one.item for one in agreeing.consents.filter(withdrawn_at=None)} == {"name"}
        assert (agreeing.name, agreeing.erased_at) == ("Rights Now", None)  # nobody else's
        assert not Contact.objects.confirmed().exists()
        for email in ("leaving@example.org", "short@example.org"):  # as an old list has them
            asked = Contact.enter(email=email, language="en", states=[], source="old list", by=None, now=timezone.now())
            assert not asked.is_confirmed  # only its owner can say so, by mail

        assert tombstones.standing() == []
        assert "Forget them again" not in client.get(box).content.decode()
        client.post(box, {"step": "forget"})  # again is no harm
        call_command("forget", again=True, stdout=out)
        assert "\n0 were forgotten again, 0 are left." in out.getvalue()
        call_command("resume_mail", yes=True, stdout=out)
        assert "All mail has started again." in out.getvalue()
        assert not restored(timezone.now())


@pytest.mark.django_db(transaction=True)
def test_leave_that_was_given_again_after_it_was_taken_back_stands(backup):
    with time_machine.travel(MONDAY, tick=False) as clock:
        application = ApplicationFactory(submitted=True, consents=["name"])
        for hours, agrees in ((1, False), (2, True)):
            clock.shift(timedelta(hours=hours))
            application.save_section("safety", {"consent_name": agrees}, now=timezone.now())
        assert tombstones.again(timezone.now()) == (0, 0)
        assert application.standing_consents() == {"name"}
        seated = ApplicationFactory(confirmed=True, consents=["name", "photo"])
        clock.shift(timedelta(hours=1))
        seat.publish_again(seated, {"name"}, now=timezone.now())  # ends all that stood, and gives one anew
        assert tombstones.again(timezone.now()) == (0, 0)
        assert seated.standing_consents() == {"name"}


@pytest.mark.django_db(transaction=True)
def test_a_tombstone_names_nobody_and_one_that_was_lost_is_written_again(tmp_path):
    with time_machine.travel(MONDAY, tick=False):
        application = ApplicationFactory(submitted=True, name="Rights of Prisoners", consents=["name"])
        contact = ContactFactory(email="somebody@example.org")
        application.save_section("safety", {}, now=MONDAY)
        contact.leave(now=MONDAY)
        erasure.erase(application, now=MONDAY)
        folder = Path(settings.MAIL_JOURNAL) / "tombstones"
        text = "".join(path.read_text() for path in folder.iterdir())
        assert application.reference in text and contact.reference in text
        for word in ("Prisoners", "example", "somebody", "Kenya"):
            assert word not in text
        written = {(line.kind, line.name) for line in tombstones.lines()}
        shutil.rmtree(folder)
        assert tombstones.catch_up(MONDAY) > 0
        assert {(line.kind, line.name) for line in tombstones.lines()} == written
        assert tombstones.catch_up(MONDAY) == 0


@pytest.mark.django_db(transaction=True)
def test_a_folder_that_cannot_be_written_keeps_nobody_from_being_erased(settings, tmp_path):
    settings.MAIL_JOURNAL = tmp_path / "a file"
    settings.MAIL_JOURNAL.write_text("in the way")
    with time_machine.travel(MONDAY, tick=False):
        application = ApplicationFactory(submitted=True)
        erasure.erase(application, now=MONDAY)
        assert application.erased_at == MONDAY
        settings.MAIL_JOURNAL.unlink()
        assert tombstones.catch_up(MONDAY) == 2  # erased, and taken back with it
