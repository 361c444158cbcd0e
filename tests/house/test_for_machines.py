"""security.txt and robots.txt: what programs find at fixed addresses."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from presessions.upr.dates import GENEVA

NOON = datetime(2026, 12, 31, 12, 0, tzinfo=GENEVA)


@pytest.fixture
def fields():
    """[(name, value)] of security.txt at that noon."""
    with time_machine.travel(NOON, tick=False):
        answer = Client().get("/.well-known/security.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    return [tuple(line.split(": ", 1)) for line in answer.content.decode().splitlines()]


def test_security_txt_has_what_rfc_9116_asks_for_each_once(fields):
    names = [name for name, _value in fields]
    assert names == ["Contact", "Expires", "Preferred-Languages", "Canonical", "Policy"]


def test_it_expires_within_a_year(fields):
    until = datetime.strptime(dict(fields)["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(days=170) < until - NOON < timedelta(days=365)


def test_it_names_itself_and_leads_to_the_policy_by_whole_addresses(fields, settings):
    assert dict(fields)["Canonical"] == f"{settings.PUBLIC_URL}/.well-known/security.txt"
    assert dict(fields)["Policy"] == f"{settings.PUBLIC_URL}/en/safety/#report"
    assert 'id="report"' in Client().get("/en/safety/").content.decode()


def test_each_contact_is_an_address_that_a_program_can_open(settings):
    settings.SECURITY_CONTACT = ["security@example.org", "https://example.org/report", "tel:+41221234567"]
    text = Client().get("/.well-known/security.txt").content.decode()
    assert [line for line in text.splitlines() if line.startswith("Contact: ")] == [
        "Contact: mailto:security@example.org",
        "Contact: https://example.org/report",
        "Contact: tel:+41221234567",
    ]
    page = Client().get("/en/safety/").content.decode()
    for link in ("mailto:security@example.org", "https://example.org/report", "tel:+41221234567"):
        assert f'href="{link}"' in page


def test_without_one_of_its_own_reports_go_to_the_mailbox_that_somebody_reads(settings):
    assert settings.SECURITY_CONTACT == [settings.MAIL_REPLY_TO]


def test_robots_are_kept_off_the_desk_and_learn_of_no_personal_link():
    text = Client().get("/robots.txt").content.decode()
    assert text.splitlines() == ["User-agent: *", "Disallow: /admin/", "Disallow: /health/"]


@pytest.mark.parametrize("path", ["/.well-known/security.txt", "/robots.txt"])
def test_neither_asks_the_database_sets_a_cookie_or_takes_a_post(path):
    answer = Client().get(path)  # without the mark django_db a query would fail
    assert (answer.status_code, dict(answer.cookies)) == (200, {})
    assert Client().post(path).status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "arguments"), [("open", ["x" * 43]), ("contact_confirm", ["x" * 43]), ("contact_leave", ["x" * 43])]
)
def test_a_page_behind_a_personal_link_says_itself_that_it_is_not_to_be_listed(name, arguments):
    answer = Client().get(reverse(f"applications:{name}", args=arguments))
    assert "noindex" in answer["X-Robots-Tag"]
