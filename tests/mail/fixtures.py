"""An SMTP server of our own, and a timetable that stands for those of the rooms above."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from presessions.mail import letters, registry
from presessions.mail.registry import Recipient
from tests.accounts.factories import StaffFactory

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
running = []  # the server of all tests, once one has asked for it


class SinkProcess:
    """tests/mail/sink.py in a process of its own. Its journal says what was really delivered."""

    def __init__(self, folder, port=0):
        self.journal = folder / "journal.jsonl"
        self.journal.touch()
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "sink.py"), str(self.journal), str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self.process.stdout.readline())
        self.url = f"smtp://127.0.0.1:{self.port}"

    def anew(self, folder):
        """As if it had just been started, with a journal there; the same port."""
        self.journal = folder / "journal.jsonl"
        self.journal.touch()
        self.order(anew=str(self.journal))

    def order(self, **order):
        """What to answer next, per stage: sink.order(MAIL=["451 later"])."""
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "ok\n"

    @property
    def mails(self):
        return [json.loads(line) for line in self.journal.read_text().splitlines()]

    @property
    def recipients(self):
        return [mail["to"] for mail in self.mails]

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def sink(tmp_path, settings):
    """A running server to which all mail goes, with waits of fractions of a second. One for all tests, since it takes
    longer to start than most of them; it ends when its standard input does, with this process."""
    if running and running[0].process.poll() is None:
        running[0].anew(tmp_path)
    else:
        running[:] = [SinkProcess(tmp_path)]
    settings.SMTP_URL = running[0].url
    settings.MAIL_COMMAND_TIMEOUT = settings.MAIL_FINAL_DOT_TIMEOUT = 0.3
    return running[0]


@pytest.fixture
def people():
    """The audience of every mailing of `timetable`; a test adds and takes away."""
    return [Recipient("mission", str(number), to=f"mission{number}@example.org") for number in range(1, 4)]


@pytest.fixture
def dates():
    """Dates of rooms above: {"deadline": first instant that is too late}."""
    return {}


@pytest.fixture
def timetable(monkeypatch, settings, people, dates):
    """The product's default timetable on templates of ours, and nothing that other rooms registered."""
    own = ("alarm", "django", "mailing_test", "mailing_notice")  # what this room itself writes, to staff
    monkeypatch.setattr(registry, "KINDS", {name: registry.KINDS[name] for name in own})
    monkeypatch.setattr(registry, "PLANS", {})
    monkeypatch.setattr(registry, "RECIPIENTS", {})
    monkeypatch.setattr(registry, "PURPOSES", {})
    monkeypatch.setattr(registry, "WITHOUT_ADDRESS", {})
    monkeypatch.setattr(registry, "ANCHORS", dict(registry.ANCHORS))
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [HERE / "templates", *engine["DIRS"]]}]
    monkeypatch.setattr(letters, "templates", letters.plain_text_templates())

    registry.anchor("deadline", "the deadline", too_late=True)(lambda series, meeting: dates.get("deadline"))
    registry.link_purpose("invitation", path=lambda token: f"/invitation/{token}/")
    registry.link_purpose("leave", path=lambda token: f"/leave/{token}/")
    texts = {"template": "plain", "label": "invitation", "audience": "every Permanent Mission"}
    registry.mailing(
        "call",
        months_before=("working_group", 3),
        latest=("deadline", 28),
        pointless_after="deadline",
        unsubscribe="leave",
        **texts | {"template": "leaving", "label": "call for applications", "audience": "confirmed contacts"},
    )(lambda mailing: people)
    registry.mailing(
        "invitation",
        months_before=("working_group", 1),
        latest=("first_meeting", 28),
        pointless_after="last_meeting",
        link="invitation",
        **texts | {"template": "linked"},
    )(lambda mailing: people)
    registry.mailing(
        "briefing",
        months_before=("working_group", 1),
        unless_later="invitation",
        **texts | {"label": "briefing"},
    )(lambda mailing: people)
    registry.occasion("receipt", label="receipt", template="linked", link="invitation")
    registry.occasion("note", label="note", template="plain", resends=0)
    return registry


@pytest.fixture
def user(db):
    return StaffFactory()


@pytest.fixture
def send_due(settings, sink):
    """Start `manage.py send_due` as a process of its own, on the database and the server of this test."""
    database, started = settings.DATABASES["default"], []
    name, password = connection.settings_dict["NAME"], quote(database.get("PASSWORD") or "")
    place = f"{quote(database['USER'])}:{password}@{quote(database['HOST'], safe='')}:{database['PORT']}"
    environment = {**os.environ, "DATABASE_URL": f"postgres://{place}/{name}", "SMTP_URL": sink.url}

    def start(*arguments, **differing):
        command = [sys.executable, "manage.py", "send_due", *arguments]
        process = subprocess.Popen(command, cwd=ROOT, env=environment | differing, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
