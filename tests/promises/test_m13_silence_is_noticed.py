"""M13. Silence is noticed: beat, worker, Redis, the mail server and the backup are stopped one at a time. Within five
minutes the health of the mail is red and names the one that is silent; staff are told, once, by a way that works; and
it turns green again by itself.

The clock is an argument: a minute is one turn of `Town.minute`, the code that runs in it is that of the real parts.
ClamAV is stopped in test_a6_scanner_trouble_fails_closed.py; what deploy/backup.sh does each minute is tried in
test_o1_backups_restore.py.
"""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from presessions import devservers, views
from presessions.mail import delivery, telling, troubles, watch
from presessions.mail.models import Alarm, Letter, Pulse, Switch
from tests.accounts.factories import StaffFactory
from tests.mail.factories import geneva, make_mailing, put
from tests.mail.fixtures import SinkProcess

pytestmark = pytest.mark.django_db

NOON = geneva(2026, 3, 2, 12)
MINUTE = timedelta(minutes=1)


class Town:
    """Beat, a worker, Redis and a mail server, and the process that watches them. Any may be stopped."""

    def __init__(self, redis, server):
        self.redis, self.server, self.now, self.stopped = redis, server, NOON, set()
        self.watches = True

    def stop(self, part):
        self.stopped.add(part)
        if part in ("redis", "smtp"):
            {"redis": self.redis, "smtp": self.server}[part].stop()

    def start(self, part):
        self.stopped.discard(part)
        if part == "redis":
            self.redis.start()
        if part == "smtp":
            self.server = SinkProcess(self.server.journal.parent, self.server.port)

    def minute(self):
        self.now += MINUTE
        if "beat" not in self.stopped and "redis" not in self.stopped:
            self.bell().rpush("celery", "{}")
        if "worker" not in self.stopped and "redis" not in self.stopped:
            while self.bell().lpop("celery"):
                watch.seen("bell", self.now)
                delivery.drain(0, now=lambda: self.now)
        if "backup" not in self.stopped:
            Pulse.objects.update_or_create(part="backup", defaults={"at": self.now})
        if self.watches:
            watch.seen("watch", self.now)
            telling.look(self.now)

    def bell(self):
        return devservers.redis_client.Redis.from_url(self.redis.url, retry=None)

    def health(self):
        return troubles.report(self.now)


@pytest.fixture
def town(settings, tmp_path):
    (tmp_path / "mail").mkdir()
    settings.MAIL_COMMAND_TIMEOUT = settings.MAIL_FINAL_DOT_TIMEOUT = 0.3
    settings.BACKUP_MINUTES = 4
    with devservers.Redis(tmp_path / "redis") as redis:
        town = Town(redis, SinkProcess(tmp_path / "mail"))
        settings.REDIS_URL, settings.SMTP_URL = redis.url, town.server.url
        for _minute in range(3):
            town.minute()
        assert town.health()["status"] == "green"
        yield town
        town.server.stop()


@pytest.fixture
def relay(settings, tmp_path):
    """The second relay: another server, for addresses that do not hang on the first."""
    (tmp_path / "relay").mkdir()
    server = SinkProcess(tmp_path / "relay")
    settings.ALERT_SMTP_URL, settings.ALERT_TO = server.url, ["duty@elsewhere.example"]
    yield server
    server.stop()


WORDS = {
    "beat": "Beat has not rung since",
    "worker": "No worker has answered the bell since",
    "redis": "Redis has not answered since",
    "smtp": "The mail server has not answered since",
}
TOWN = sorted(WORDS)


@pytest.mark.parametrize("part", TOWN)
def test_what_is_stopped_is_red_and_named_within_five_minutes_and_told_once_past_the_mail(town, relay, part):
    StaffFactory()
    town.stop(part)
    for _minute in range(5):
        town.minute()
    health = town.health()
    assert (health["status"], health["wrong"]) == ("red", [part])
    assert health["why"][0].startswith(WORDS[part])
    for _minute in range(8):
        town.minute()
    (told,) = relay.mails
    assert told["to"] == "duty@elsewhere.example"
    assert WORDS[part] in told["data"].replace("=\r\n", "").replace("\r\n", " ")
    assert Alarm.objects.get().told_at <= NOON + 8 * MINUTE  # three to set up, five of silence
    town.start(part)
    for _minute in range(12):
        town.minute()
    assert town.health()["status"] == "green"
    assert town.health()["wrong"] == []
    _told, well = relay.mails
    assert "well again" in well["data"]
    assert not Letter.objects.exists()  # nothing waited in the outbox for the mail to come back


def test_a_backup_that_is_stopped_is_red_within_five_minutes_and_told_by_the_mail_which_works(town, relay):
    StaffFactory()
    town.stop("backup")
    for _minute in range(5):
        town.minute()
    health = town.health()
    assert (health["status"], health["wrong"]) == ("red", ["backup"])
    assert health["why"][0].startswith("No backup has been whole since")
    town.minute()
    (told,) = town.server.mails
    assert "No backup has been whole since" in told["data"].replace("=\r\n", "").replace("\r\n", " ")
    assert relay.mails == []
    town.start("backup")
    for _minute in range(12):
        town.minute()
    assert town.health()["status"] == "green"
    assert len(town.server.mails) == 2  # and that it is well again


@pytest.mark.parametrize("minutes", [0, 1560])  # nobody makes backups; a system timer makes one each night
def test_how_old_a_backup_may_be_is_a_setting(town, settings, minutes):
    settings.BACKUP_MINUTES = minutes
    town.stop("backup")
    for _minute in range(20):
        town.minute()
    assert town.health()["wrong"] == []


def test_without_a_second_relay_the_outbox_tells_each_of_staff_once_it_can(town):
    StaffFactory.create_batch(2)
    StaffFactory(is_superuser=False)  # no right to steer mailings: nothing to tell
    town.stop("worker")
    for _minute in range(20):
        town.minute()
    assert Letter.objects.filter(kind="alarm", state="pending").count() == 2
    town.start("worker")
    town.minute()
    assert {mail["to"] for mail in town.server.mails} == {letter.to for letter in Letter.objects.all()}  # by two hands
    assert len(town.server.mails) == 2


def test_several_silences_are_one_mail(town, relay):
    town.stop("beat"), town.stop("smtp")
    Switch.stop(by=None, now=town.now)
    for _minute in range(12):
        town.minute()
    assert len(relay.mails) <= 2  # the stop is seen at once, the silence a few minutes later
    assert {"paused", "beat"} == set(Alarm.objects.values_list("code", flat=True))


def test_starting_everything_again_after_a_night_wakes_nobody(town, relay):
    town.now += 600 * MINUTE  # nothing ran, and nobody watched
    watch.seen("watch", town.now)
    telling.look(town.now)  # the watch is up first
    for _minute in range(12):
        town.minute()
    assert relay.mails == []
    assert not Alarm.objects.exists()


def test_a_short_silence_wakes_nobody(town, relay):
    for part in TOWN:
        town.stop(part)
        town.minute(), town.minute()
        town.start(part)
        town.minute(), town.minute()
    assert relay.mails == []
    assert not Alarm.objects.exists()


def test_what_comes_and_goes_is_one_alarm(town, relay):
    for _time in range(3):
        town.stop("beat")
        for _minute in range(6):
            town.minute()
        town.start("beat")
        for _minute in range(2):
            town.minute()
    assert Alarm.objects.count() == 1
    assert len(relay.mails) == 1


def test_a_second_relay_that_is_down_itself_is_tried_again_and_then_the_outbox_gets_the_alarm(town, relay):
    StaffFactory()
    relay.stop()
    town.stop("beat")
    for _minute in range(8):
        town.minute()
    assert Alarm.objects.get().told_at is None
    for _minute in range(12):
        town.minute()
    assert Alarm.objects.get().told_by == Alarm.Channel.OUTBOX
    assert Letter.objects.get().kind == "alarm"


def test_that_it_is_well_again_is_told_once_the_second_relay_is_back(town, relay, settings):
    StaffFactory()
    town.stop("beat")
    for _minute in range(8):
        town.minute()
    relay.stop()
    town.start("beat")
    for _minute in range(14):
        town.minute()
    back = SinkProcess(relay.journal.parent, relay.port)
    for _minute in range(3):
        town.minute()
    back.stop()
    assert ["well again" in mail["data"] for mail in back.mails] == [False, True]


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:wrong", "smtp+tls://127.0.0.1:99999", f"smtp://{'r' * 99}"])
def test_a_second_relay_that_nobody_can_reach_by_its_name_keeps_no_alarm_from_the_outbox(settings, url):
    StaffFactory()
    settings.ALERT_SMTP_URL, settings.ALERT_TO = url, ["duty@elsewhere.example"]
    watch.alarm("stopped", now=NOON)
    watch.alarm("unreached:7", now=NOON)
    telling.tell(NOON)
    assert Letter.objects.count() == 1  # of what does not stop the mail
    telling.tell(NOON + 11 * MINUTE)
    assert list(Alarm.objects.values_list("told_by", flat=True)) == [Alarm.Channel.OUTBOX] * 2
    assert Letter.objects.count() == 2


def test_when_nobody_watches_the_workers_notice(town):
    StaffFactory()
    town.watches = False
    for _minute in range(5):
        town.minute()
        telling.look(town.now)  # as each ring of the bell does
    assert town.health()["wrong"] == ["watch"]
    assert Letter.objects.get().kind == "alarm"


def test_of_a_dead_redis_neither_beat_nor_the_workers_are_accused(town):
    town.stop("redis"), town.stop("beat"), town.stop("worker")
    for _minute in range(8):
        town.minute()
    assert town.health()["wrong"] == ["redis"]


def test_the_page_for_machines_answers_503_and_holds_no_name(client, town, settings):
    StaffFactory(email="amina@example.org", name="Amina")
    assert client.get("/health/mail").status_code == 503  # by today's clock everything has long been silent
    body = client.get("/health/mail", headers={"accept-language": "fr"}).content.decode()
    assert "Redis" not in body or "has not answered" in body
    assert "amina" not in body.lower()
    assert "@" not in body


def test_a_flood_of_visitors_to_that_page_costs_one_look_in_five_seconds(client, town, monkeypatch):
    seconds = [0.0]
    monkeypatch.setattr(views, "monotonic", lambda: seconds[0])
    first = client.get("/health/mail")
    assert first.status_code == 503
    town.stop("redis")
    with CaptureQueriesContext(connection) as flood:
        for _visitor in range(20):
            answer = client.get("/health/mail")
            assert (answer.status_code, answer.json()) == (503, first.json())
    assert len(flood) == 0
    seconds[0] = 5.0
    assert client.get("/health/mail").json()["bells_waiting"] is None


def test_looking_costs_the_same_whatever_lies_in_the_tables(town):
    with CaptureQueriesContext(connection) as empty:
        troubles.report(town.now)
    for number in range(20):
        watch.alarm(f"unreached:{number}", now=town.now)
        make_mailing(number=number + 1)
        put("application_link", now=town.now)
    Letter.objects.update(state="uncertain")
    with CaptureQueriesContext(connection) as full:
        troubles.report(town.now)
    assert len(full) - len(empty) <= 1  # the mailings that are named, all at once
