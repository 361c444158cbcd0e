"""R1, by a browser that runs scripts: a mail filter that opens every address of every letter, and clicks on nothing.

The letters are those that really arrived, in the running application.
"""

import contextlib
import os
import re
import signal
import time
from collections import Counter
from email import message_from_bytes, policy
from pathlib import Path

import psycopg2
import pytest
from playwright.sync_api import Error

LOOKING_ADDS = {"trail_event", "mail_linkvisit"}  # what looking may add to: that somebody looked
PATIENT = 5  # links of one sort after which a filter waits until nothing more is fetched
DOORS = ("application", "contacts/confirm", "contacts/leave", "invitation")


def addresses(house):
    """Every address in a letter: in its headers, in its text, and behind the words of its HTML. Of the series that is
    over some of each sort: by their hundreds the letters of the next are as good."""
    found, over = {}, Counter()
    for path in sorted((house.var / "mail").glob("*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        parts = [mail.get_body((kind,)).get_content() for kind in ("plain", "html")]
        text = "\n".join([*map(str, mail.values()), *parts])
        for link in re.findall(r"https?://[^\s<>\"]+", text):
            if link not in found and " 52" in text:
                over[sort_of(link)] += 1
            if over[sort_of(link)] <= PATIENT or " 52" not in text:
                found[link] = None
    return list(found)


def sort_of(link):
    """Hundreds differ by their token alone."""
    return re.sub(r"[\w-]{40,}", "", link)


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
        sorts[sort := sort_of(link)] += 1
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
