"""The command from end to end: a copy is made, the whole story of world.py is rehearsed in it, and it is gone again."""

import os
import re
import secrets
import signal
from contextlib import contextmanager
from email import message_from_bytes, policy
from io import StringIO
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import Concat

from presessions.mail.management.commands.rehearse import Command
from presessions.mail.models import Letter, Mailing
from presessions.mail.rehearsal import copying
from presessions.trail.models import Event
from tests.house.sensitivity import FIELDS, SECRET
from tests.house.world import SET_UP, canary

MARKS = [canary(label) for label, who in FIELDS.items() if who == SECRET]


@pytest.fixture
def before(world):
    """The world as it is in the end, as if none of its mailings had gone."""
    Letter.objects.filter(mailing__isnull=False).update(mailing=None, key=Concat(F("key"), Value("~")))
    fresh = {"state": "planned", "held_reason": "", "writing_at": None, "written_at": None, "done_at": None}
    Mailing.objects.filter(corrects=None).update(**fresh, moved_to=None)
    return world


@pytest.fixture
def role(monkeypatch):
    """Make a role that may do so much, and name it as the one that makes the copy. Roles belong to the whole server."""
    made = psycopg2.connect(**connection.get_connection_params())
    made.autocommit = True
    named = []

    def make(*rights):
        name, password = f"rehearsal_{secrets.token_hex(4)}", secrets.token_hex(12)
        made.cursor().execute(f"CREATE ROLE {name} LOGIN {' '.join(rights)} PASSWORD '{password}'")
        named.append(name)
        server = urlsplit(os.environ["DATABASE_URL"])
        url = server._replace(netloc=f"{name}:{password}@{server.hostname}:{server.port}", path="/postgres")
        monkeypatch.setenv(copying.MAKES_COPIES, url.geturl())

    yield make
    for name in named:
        made.cursor().execute(f"DROP ROLE {name}")
    made.close()


def rehearse(*words):
    out = StringIO()
    call_command("rehearse", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def fingerprints():
    """What stands in each table of the real database, and which databases there are."""
    with connection.cursor() as cursor:
        found = {}
        for table in copying._tables(cursor):
            cursor.execute(
                f"SELECT count(*), md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {table} t"
            )
            found[table] = cursor.fetchone()
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'presessions_rehearsal%%'")
        return found, cursor.fetchall()


def said_by(path):
    """Everything a file says, its headers and both parts of a mail decoded."""
    if path.suffix != ".eml":
        return path.read_text()
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*map(str, mail.values()), *parts])


# One copy for all of it: its tables are made by our migrations, which takes seconds.
def test_the_whole_series_is_seen_and_nothing_is_changed_or_told_to_whom(before, role, tmp_path, settings):
    role("CREATEDB")
    settings.SMTP_URL = "smtp://127.0.0.1:9"
    there, databases = fingerprints()
    told = rehearse("54", f"--from={SET_UP.isoformat()}", f"--folder={tmp_path / 'seen'}")
    assert fingerprints() == (there, databases) == (there, [])
    files = {path.name: said_by(path) for path in (tmp_path / "seen").rglob("*") if path.is_file()}
    kinds = {re.sub(r"^\d+-|-\w\w\.eml$", "", name) for name in files}
    assert kinds >= {"call", "invitation", "unfinished_draft", "briefing", "reminder", "thanks_missions"}
    for text in (told, *files.values()):
        assert [mark for mark in MARKS if mark in text] == []
    assert "letters in all" in told


def test_a_role_that_may_not_make_databases_is_told_what_to_do(world, role):
    role("NOCREATEDB")
    with pytest.raises(CommandError, match="Name one that may in REHEARSAL_DATABASE_URL"):
        rehearse("54")


def test_who_asks_for_every_address_stands_in_the_history_of_the_series_with_the_reason(world, role, tmp_path):
    role("NOCREATEDB")
    with pytest.raises(CommandError):  # too early to see any, and written down all the same
        rehearse("54", "--full", f"--folder={tmp_path / 'all'}", "--reason=A mission says that nothing comes.")
    event = Event.objects.get(code="rehearsed_in_full")
    assert (event.room, event.reason.text) == ("upr.series", "A mission says that nothing comes.")
    assert not (tmp_path / "all").exists()


@pytest.mark.django_db
def test_only_the_copy_is_rehearsed_in(world):
    with pytest.raises(copying.NoCopy, match="not the copy"):
        copying.insist_on_copy(connection.settings_dict["NAME"])
    with pytest.raises(CommandError, match="not the copy"):
        rehearse("54", '--in-copy={"name": "presessions_rehearsal_0", "per_minute": 0, "two_persons_above": 0}')
    assert not Event.objects.filter(code="rehearsed_in_full").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["7"], "There are no Pre-sessions 7"),
        (["54", "--full"], "a folder and a reason"),
        (["54", "--full", "--folder=x", "--reason= "], "a folder and a reason"),
        (["54", "--folder=/"], "there already"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_copied(world, words, why):
    with pytest.raises(CommandError, match=why):
        rehearse(*words)


def test_the_process_in_the_copy_knows_no_way_out(monkeypatch, tmp_path):
    """Neither to mail, nor to Redis, nor to a file of the real house, wherever it keeps them."""
    real = ("SMTP_URL", "ALERT_SMTP_URL", "ALERT_TO", "INBOX_URL", "REDIS_URL", "CLAMAV_URL", "PRIVATE_FILES",
            "MAIL_JOURNAL", "S3_BUCKET", "S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY")  # fmt: skip
    for name in real:
        monkeypatch.setenv(name, "//real.example.org/srv/real")
    known = copying._environment("presessions_rehearsal_0", tmp_path)
    assert [name for name in real if "real" in known[name]] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_stopped_or_whose_line_is_cut_drops_its_copy(monkeypatch, number):
    """The handlers that it sets; dropping it is `copy_of_this_database`'s, whatever ends it."""
    known = {}
    monkeypatch.setattr(signal, "signal", lambda number, what: known.setdefault(number, what))

    @contextmanager
    def copy(say):
        with pytest.raises(SystemExit, match=str(128 + number)):
            known[number](number, None)
        raise copying.NoCopy("stopped")
        yield

    monkeypatch.setattr(copying, "copy_of_this_database", copy)
    with pytest.raises(copying.NoCopy, match="stopped"):
        Command()._on_a_copy(None, None, None, full=False, reason="")
