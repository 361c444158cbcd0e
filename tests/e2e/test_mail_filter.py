"""R1, by a browser that runs scripts: a mail filter that opens every address of every letter, and clicks on nothing.

The letters are those that really arrived, in the running application.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from email import message_from_bytes, policy
from pathlib import Path

import psycopg2
import pytest
from playwright.sync_api import Error

from tests.e2e.conftest import ROOT

LOOKING_ADDS = {"trail_event", "mail_linkvisit"}  # what looking may add to: that somebody looked
INVITE = """
from datetime import timedelta
from django.utils import timezone
from presessions.mail.models import Mailing
now = timezone.now()
mailing = Mailing.objects.filter(kind="invitation", writing_at=None).order_by("due_at").first()
mailing.move_to(now + timedelta(seconds=2), by=None, now=now)
"""
PATIENT = 5  # links of one sort after which a filter waits until nothing more is fetched
DOORS = ("application", "contacts/confirm", "contacts/leave", "invitation")


@pytest.fixture
def environment(house):
    """What the running application knows, by name."""
    lines = (house.var / "env").read_text().splitlines()
    return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}


@pytest.fixture
def invited(house, environment):
    """The mails hold an invitation: unless a journey before this one has sent it, it goes now."""
    if not any("/invitation/" in path.read_text() for path in (house.var / "mail").glob("*.txt")):
        subprocess.run([sys.executable, "manage.py", "shell", "-c", INVITE], cwd=ROOT, env=environment, check=True)
        house.next_letter_to("mission-", about="/invitation/", seconds=240)


def addresses(house):
    """Every address in a letter: in its headers, in its text, and behind the words of its HTML."""
    found = {}
    for path in sorted((house.var / "mail").glob("*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        parts = [mail.get_body((kind,)).get_content() for kind in ("plain", "html")]
        text = "\n".join([*map(str, mail.values()), *parts])
        found |= dict.fromkeys(re.findall(r"https?://[^\s<>\"]+", text))
    return list(found)


def dump(environment):
    """Every row of every other table, as the database writes it."""
    with psycopg2.connect(environment["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = {}
        for (table,) in cursor.fetchall():
            if table not in LOOKING_ADDS:
                cursor.execute(f'SELECT "{table}"::text FROM "{table}" ORDER BY 1')
                rows[table] = cursor.fetchall()
    connection.close()
    return rows


def ours():
    """{process: its command} of everything that this test run has started."""
    parents, commands = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            commands[int(folder.name)] = folder.joinpath("cmdline").read_bytes().decode(errors="replace")
    family, grown = {os.getpid()}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family, grown = family | more, bool(more)
    return {pid: commands[pid] for pid in family}


@pytest.fixture
def still(house):
    """The clock stands still: worker, beat and watch are frozen, so that nothing but the visitor changes anything."""
    frozen = [pid for pid, command in ours().items() if "celery" in command or "manage.py\0watch" in command]
    assert len(frozen) >= 3
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(1)  # what the database was told before is written
    yield
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)


def test_a_mail_filter_that_runs_scripts_changes_nothing_and_posts_nothing(
    house, environment, invited, still, browser, browser_context_args
):
    links = addresses(house)
    for door in DOORS:
        assert any(f"/{door}/" in link for link in links), f"no letter leads to {door}"
    context = browser.new_context(**browser_context_args, accept_downloads=True)
    page, asked, before, ran = context.new_page(), [], dump(environment), 0
    context.on("request", lambda request: asked.append((request.method, request.url)))
    sorts = Counter()
    for link in links:
        sorts[sort := re.sub(r"[\w-]{40,}", "", link)] += 1  # hundreds differ by their token alone
        try:
            page.goto(link, wait_until="networkidle" if sorts[sort] <= PATIENT else "load")
            ran += page.evaluate("1")  # scripts run here
        except Error as error:
            if "Download is starting" not in str(error):  # an entry for the reader's calendar
                raise
    context.close()
    changed = {table: rows for table, rows in dump(environment).items() if rows != before[table]}
    assert list(changed) == []
    assert {method for method, _url in asked} <= {"GET", "HEAD"}
    assert len(asked) >= len(links)
    assert ran > len(DOORS)
    assert all(url.startswith((house.url, "data:")) for _method, url in asked)
