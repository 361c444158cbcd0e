"""What docs/asvs.md answers with a test, and is too small for a file of its own."""

import re
import socket
import ssl
import threading
from datetime import datetime

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.urls import URLPattern, get_resolver

from applications.forms.institution import InstitutionForm
from presessions.mail import relay
from presessions.mail.wire import Wire
from tests.mail.certificates import make_certificate
from tests.upr.factories import SeriesFactory


def patterns(resolver):
    for one in resolver.url_patterns:
        yield from [one] if isinstance(one, URLPattern) else patterns(one)


def test_every_form_takes_a_token_against_forgery(settings):
    """3.5.1"""
    assert "django.middleware.csrf.CsrfViewMiddleware" in settings.MIDDLEWARE
    # One click in a mail program (RFC 8058) brings none; the check of a receipt asks for it itself, a moment later.
    exempt = {one.lookup_str for one in patterns(get_resolver()) if getattr(one.callback, "csrf_exempt", False)}
    assert exempt == {"applications.views.contacts.leave", "applications.views.receipts.check"}


@pytest.mark.parametrize(
    "typed", ["javascript:alert(1)", "data:text/html,x", "ftp://files.example.org", "ftps://files.example.org"]
)
def test_a_website_is_http_or_https(typed):
    """1.2.2"""
    with pytest.raises(ValidationError):
        InstitutionForm.base_fields["website"].clean(typed)


def test_scripts_make_no_markup_and_run_no_text(settings):
    """1.3.2, 3.2.2"""
    never = re.compile(r"\binnerHTML\b|\bouterHTML\b|insertAdjacentHTML|document\.write|\beval\(|new Function\b")
    scripts = [path for folder in settings.STATICFILES_DIRS for path in folder.rglob("*.js")]
    assert scripts
    assert [path.name for path in scripts if never.search(path.read_text())] == []


@pytest.mark.django_db
def test_nobody_has_an_account_that_nobody_made_and_the_demonstrations_is_made_in_demonstrations_only(monkeypatch):
    """6.3.2"""
    assert not get_user_model().objects.exists()  # no migration makes one
    for name, value in (("EMAIL", "ada@example.org"), ("PASSWORD", "a long password"), ("PHONE", "JBSWY3DPEHPK3PXP")):
        monkeypatch.setenv(f"DEMO_STAFF_{name}", value)
    SeriesFactory()
    with pytest.raises(CommandError, match="series of its own"):
        call_command("demo")
    assert not get_user_model().objects.exists()


@pytest.fixture
def stranger(tmp_path):
    """The port of a server that speaks TLS and cannot prove who it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_certificate(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            try:
                connection, _address = listening.accept()
                with context.wrap_socket(connection, server_side=True) as inside:
                    inside.sendall(b"220 relay.example.org\r\n")
                    inside.recv(1000)
            except OSError:
                pass  # hung up on, as it should be

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


def test_no_letter_is_given_to_a_relay_that_cannot_prove_who_it_is(stranger):
    """12.3.2"""
    given = []
    with Wire(f"smtps://localhost:{stranger}") as wire:
        wire.deliver("somebody@example.org", b"Subject: x\r\n\r\nx\r\n", lambda: given.append(1))
    assert wire.unreachable
    assert given == []


def test_nor_an_alarm_to_a_second_relay(stranger, settings):
    settings.ALERT_SMTP_URL, settings.ALERT_TO = f"smtps://localhost:{stranger}", ["somebody@example.org"]
    with pytest.raises(ssl.SSLCertVerificationError):
        relay.send("x", "x", datetime.now(settings.GENEVA))
