"""One `make run` for all browser journeys: its own folder, its own port, every process of the real tree."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django_otp import oath

from presessions import devservers
from tests.e2e.dovecot import Dovecot

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 900  # the demonstration takes its time on a busy machine
FRESH = 240  # seconds; a proof of ten minutes outlasts the longest journey that begins then
AXE = Axe()
INVITE = """
from datetime import timedelta
from django.utils import timezone
from presessions.mail.models import Mailing
now = timezone.now()
mailing = Mailing.objects.filter(kind="invitation", writing_at=None).order_by("due_at").first()
mailing.move_to(now + timedelta(seconds=2), by=None, now=now)
"""
QUIET = [  # without these Chromium calls home at every start
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1",  # and nobody else, whoever asks
]


@dataclass(frozen=True)
class House:
    """The running application, as somebody sees it who has just typed `make run`."""

    url: str
    var: Path
    email: str
    password: str
    phone: str
    settings: dict

    def letters_to(self, address):
        """The letters that have arrived for an address, oldest first, as a person reads them."""
        return [path.read_text() for path in sorted((self.var / "mail").glob("*.txt")) if f"-{address}" in path.name]

    def next_letter_to(self, address, *, about, seconds=100):
        """Wait for a letter whose text holds these words, or each of several."""
        deadline = time.monotonic() + seconds
        wanted = [about] if isinstance(about, str) else about
        while time.monotonic() < deadline:
            for text in self.letters_to(address):
                if all(words in text for words in wanted):
                    return text
            time.sleep(0.3)
        raise AssertionError(f"No letter about {about!r} within {seconds} s.")

    def manage(self, *command):
        """One command of ours beside the running application; what it says."""
        by_hand = f"set -a; . {self.var / 'env'}; exec {sys.executable} manage.py {' '.join(command)}"
        environment = {**_plain_environment(), **self.settings}
        done = subprocess.run(["sh", "-c", by_hand], cwd=ROOT, env=environment, text=True, capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def link_in(self, letter, room):
        """The personal link of a letter, such as room "invitation"."""
        return re.search(rf"{re.escape(self.url)}/\w\w/{room}/[\w-]{{40,}}/", letter)[0]


@pytest.fixture(scope="session")
def dovecot():
    """The mailbox to which letters come back."""
    with devservers.temporary_folder() as folder, Dovecot(folder / "dovecot") as server:
        yield server


@contextmanager
def running(**more):
    """`make run` in a folder of its own, with these settings besides."""
    port = devservers.free_port()
    with devservers.temporary_folder() as folder:
        var = folder / "var"
        process = subprocess.Popen(
            [sys.executable, "-m", "presessions.run"],
            cwd=ROOT,
            env={**_plain_environment(), **more, "PORT": str(port), "VAR": str(var)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=devservers.end_with_owner(signal.SIGTERM),
        )
        try:
            _wait_until_it_runs(process)
            made = json.loads((var / "secrets").read_text())
            password, phone = made["DEMO_STAFF_PASSWORD"], made["DEMO_STAFF_PHONE"]
            yield House(f"http://localhost:{port}", var, "staff@example.org", password, phone, more)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
            if kept := os.environ.get("KEEP_LOGS"):
                shutil.copytree(var / "log", kept, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def house(dovecot):
    inbox = {"INBOX_URL": dovecot.url, "INBOX_CA_FILE": str(dovecot.certificate), "MAIL_BOUNCE_DOMAIN": dovecot.domain}
    with running(**inbox, STYLEGUIDE="1") as house:
        yield house


@pytest.fixture
def environment(house):
    """What the running application knows, by name."""
    lines = (house.var / "env").read_text().splitlines()
    return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}


@pytest.fixture
def invited(house, environment):
    """The mails hold the invitation to Pre-sessions 53: unless a journey before this one has sent it, it goes now."""
    letters = (path.read_text() for path in sorted((house.var / "mail").glob("*.txt"), reverse=True))
    if not any("/invitation/" in text and "Pre-sessions 53" in text for text in letters):
        subprocess.run([sys.executable, "manage.py", "shell", "-c", INVITE], cwd=ROOT, env=environment, check=True)
        house.next_letter_to("mission-ke@", about="Pre-sessions 53", seconds=240)


def _plain_environment():
    """Ours without what the test plugin set: the application starts its own servers, as for anybody."""
    ours = {"REDIS_URL", "SMTP_URL", "PUBLIC_URL", "SECRET_KEY", "VAULT_KEYSET", "PRIVATE_FILES"}
    ours |= {"STATIC_ROOT", "ALLOWED_HOSTS", "MAIL_DOMAIN", "MAIL_FROM", "DJANGO_SETTINGS_MODULE"}
    known = {name: value for name, value in os.environ.items() if name not in ours}
    return {name: value for name, value in known.items() if not name.startswith("DATABASE_")}  # its roles, too


def _wait_until_it_runs(process):
    said, deadline = [], time.monotonic() + START_SECONDS
    for line in process.stdout:
        said.append(line)
        if line.startswith("Ctrl-C"):
            return
        if time.monotonic() > deadline:
            break
    raise AssertionError("make run does not start:\n" + "".join(said))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "args": [*browser_type_launch_args["args"], *QUIET]}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args, house):
    return {**browser_context_args, "base_url": house.url, "locale": "en-GB"}


class Entrance:
    """How staff come in. A code counts once, so that several tests share a log-in while its proof is fresh."""

    def __init__(self):
        self.cookies, self.since = [], -FRESH

    def log_in(self, page, house):
        """Go through the pages: the password, then the code of the phone."""
        page.goto("/admin/")
        page.get_by_label("E-mail address").fill(house.email)
        page.get_by_label("Password").fill(house.password)
        page.get_by_role("button", name="Log in").click()
        page.get_by_label("Code from your phone").fill(f"{oath.totp(base64.b32decode(house.phone)):06d}")
        page.get_by_role("button", name="Go on").click()
        page.wait_for_url("**/admin/")
        self.cookies, self.since = page.context.cookies(), time.monotonic()

    def go_in(self, page, house):
        if time.monotonic() - self.since > FRESH:
            return self.log_in(page, house)
        page.context.add_cookies(self.cookies)
        page.goto("/admin/")


@pytest.fixture(scope="session")
def entrance():
    return Entrance()


@pytest.fixture
def staff(browser, browser_context_args, house, entrance):
    """A page in which staff are logged in. It remembers every complaint of the Content-Security-Policy."""
    context = browser.new_context(**browser_context_args)
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: said.type == "error" and page.complaints.append(f"{said.text} {said.location}"))
    entrance.go_in(page, house)
    yield page
    context.close()


def violations(page):
    """What axe finds on the page, in words; [] is what we promise."""
    options = {"preload": False}  # or axe brings styles along, of which the policy complains
    found = AXE.run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]
