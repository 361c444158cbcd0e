"""A real Dovecot, read over TLS by `manage.py read_inbox`; and a letter of the running application that comes back."""

import json
import os
import subprocess
import sys
import time
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection
from playwright.sync_api import expect

from presessions.mail.models import Attempt, Letter, Report
from tests.e2e.conftest import ROOT, violations
from tests.mail.factories import put
from tests.promises.bounced_mails import about, filled
from tests.promises.test_m12_bounces_reach_the_right_row import FORGED, WHAT

STRANGER = "nobody-here@example.org"


def read_inbox(dovecot, **environment):
    """The command in a process of its own."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "presessions.settings",
        "DATABASE_URL": urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}")),
        "MAIL_BOUNCE_DOMAIN": dovecot.domain,
        "INBOX_URL": dovecot.url,
        "INBOX_CA_FILE": str(dovecot.certificate),
        **environment,
    }
    command = [sys.executable, "manage.py", "read_inbox"]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def said(process):
    words = process.communicate(timeout=120)[0]
    return process.returncode, words


@pytest.fixture
def letters(transactional_db, settings, dovecot):
    """One letter that has gone for each kind of mail that may come back, and that mail in the mailbox."""
    settings.MAIL_BOUNCE_DOMAIN = dovecot.domain
    dovecot.empty()
    made = {}
    for name in [*WHAT, *FORGED]:
        text = {"context": {"subject": "Hello", "body": "Good morning."}}
        made[name] = put(kind="django", to=f"{name}@example.org", person=text)
    Letter.objects.update(state="sent", attempts=1)
    for name, letter in made.items():
        dovecot.deliver(about(letter, name, other=next(iter(made.values()))))
    return made


def test_every_mail_is_read_once_over_tls_however_many_read_and_reaches_its_own_letter(letters, dovecot):
    at_once = [read_inbox(dovecot), read_inbox(dovecot, INBOX_URL=dovecot.starttls_url)]
    assert [said(process)[0] for process in at_once] == [0, 0]
    assert said(read_inbox(dovecot)) == (0, "Nothing new.\n")

    assert Report.objects.count() == len(letters)
    expected = {name: state for name, (_verdict, _code, state) in WHAT.items()} | dict.fromkeys(FORGED, "sent")
    assert {name: Letter.objects.get(pk=letter.pk).state for name, letter in letters.items()} == expected
    bounced = [name for name, state in expected.items() if state == "bounced"]
    assert Attempt.objects.filter(state="bounced").count() == len(bounced) > 30

    left_unread = Report.objects.filter(verdict__in=("unknown", "forged")).count()
    assert sorted(dovecot.flags()) == [""] * left_unread + ["S"] * (len(letters) - left_unread)


def test_a_server_that_is_not_the_one_we_trust_gets_no_password(letters, dovecot):
    dovecot.new_logins()
    status, words = said(read_inbox(dovecot, INBOX_CA_FILE=""))
    assert status == 1
    assert "certificate is not trusted" in words
    assert dovecot.new_logins() == []
    assert not Report.objects.exists()


def test_a_wrong_password_and_a_missing_folder_are_told_in_words(letters, dovecot):
    wrong = said(read_inbox(dovecot, INBOX_URL=dovecot.url.replace("@127", "x@127")))
    assert (wrong[0], "refuses our name or password" in wrong[1]) == (1, True)
    missing = said(read_inbox(dovecot, INBOX_URL=dovecot.url.replace("INBOX", "Bounces")))
    assert (missing[0], "no such folder" in missing[1]) == (1, True)
    assert dovecot.password not in wrong[1] + missing[1]


def test_a_letter_that_the_mail_server_took_and_returned_is_shown_to_staff(house, dovecot, page, staff):
    """Somebody signs up with an address that is not there: the mail catcher takes the letter; a bounce comes back."""
    page.goto("/contacts/")
    page.wait_for_timeout(2100)  # nobody reads and fills a form faster
    page.get_by_label("e-mail").first.fill(STRANGER)
    page.get_by_role("button", name="Ask to be told").click()
    house.next_letter_to(STRANGER, about="confirm")
    taken = journal_entry(house, STRANGER)
    assert taken["from"].endswith(f"@{dovecot.domain}")  # the envelope is this letter's own

    places = {"verp": taken["from"], "message_id": taken["message_id"], "to": STRANGER, "token": "x" * 43}
    dovecot.deliver(filled("postfix_no_such_user", places))
    house.manage("read_inbox")

    staff.goto("/admin/mail/letter/")
    row = staff.get_by_role("row").filter(has_text="bounced")
    expect(row).to_contain_text("5.1.1")
    staff.goto("/admin/mail/report/?eyes=all")
    # The mailbox holds strangers' mails too.
    ours = staff.get_by_role("row").filter(has_text="the address does not work")
    expect(ours).to_contain_text("5.1.1")
    ours.locator("th a").click()
    expect(staff.locator("main")).to_contain_text("the address does not work")
    expect(staff.locator("main")).not_to_contain_text(STRANGER)  # who cannot be written to is forgotten
    expect(staff.locator("main")).not_to_contain_text("x" * 20)
    assert violations(staff) == [] and staff.complaints == []


def journal_entry(house, address, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        lines = (house.var / "mail" / "journal.jsonl").read_text().splitlines()
        found = [entry for line in lines if address in (entry := json.loads(line))["to"]]
        if found:
            return found[-1]
        time.sleep(0.2)
    raise AssertionError(f"No letter to {address} in the catcher's journal.")
