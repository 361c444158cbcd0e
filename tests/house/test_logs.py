"""Logs name no one and open nothing."""

import logging
import secrets

from presessions.logs import LineFormatter, WithoutTokens


def line(message, *args, exc_info=None):
    record = logging.LogRecord("django.request", logging.WARNING, "f.py", 1, message, args, exc_info)
    WithoutTokens().filter(record)
    return LineFormatter().format(record)


def test_a_personal_link_is_struck_out():
    token = secrets.token_urlsafe(32)
    assert token not in line("Not Found: %s", f"/en/invitation/{token}/")


def test_an_address_that_staff_searched_for_is_struck_out():
    text = line("Forbidden: %s", "/admin/mail/letter/?q=amina%40example.org&state=sent")
    assert text.endswith("Forbidden: /admin/mail/letter/?q=<address>&state=sent")


def test_addresses_are_struck_out_also_in_tracebacks():
    try:
        raise ValueError("DETAIL: Key (email)=(amina@example.org) already exists.")
    except ValueError as error:
        text = line("Failed for %s", "amina@example.org", exc_info=(ValueError, error, error.__traceback__))
    assert "amina" not in text
    assert "ValueError" in text
