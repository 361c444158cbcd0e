"""Logs name no one and open nothing; nor does anything else that tells how it came to an error."""

import logging
import secrets
import subprocess
import sys
import threading

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory
from django.views.debug import get_exception_reporter_class, technical_500_response

from presessions.logs import LineFormatter, WithoutTokens, scrub, told, what_it_says, without_values
from tests.applications.web import gunicorn

NAME, HOUSE = "Zinaida", "Zorblatt"


def line(message, *args, exc_info=None):
    record = logging.LogRecord("django.request", logging.WARNING, "f.py", 1, message, args, exc_info)
    WithoutTokens().filter(record)
    return LineFormatter().format(record)


def caught(fails, *args):
    """The error of something that fails."""
    try:
        fails(*args)
    except Exception as error:
        return error


def fail_with(error):
    raise error


# --- What is struck out -----------------------------------------------------------------------------------------------


def test_a_personal_link_is_struck_out():
    token = secrets.token_urlsafe(32)
    assert token not in line("Not Found: %s", f"/en/invitation/{token}/")


def test_an_address_that_staff_searched_for_is_struck_out():
    text = line("Forbidden: %s", "/admin/mail/letter/?q=amina%40example.org&state=sent")
    assert text.endswith("Forbidden: /admin/mail/letter/?q=<address>&state=sent")


def test_addresses_are_struck_out_also_in_tracebacks():
    error = caught(fail_with, ValueError("DETAIL: Key (email)=(amina@example.org) already exists."))
    text = line("Failed for %s", "amina@example.org", exc_info=(ValueError, error, error.__traceback__))
    assert "amina" not in text
    assert "ValueError" in text


def test_nobody_writes_a_line_of_the_log_or_moves_about_in_a_terminal():
    text = line("letter %s was refused", "1\r\n2026-11-26 INFO trail nobody was here\x1b[2K\u2028\u202e")
    assert text.endswith(r"letter 1\r\n2026-11-26 INFO trail nobody was here\x1b[2K\u2028\u202e was refused")
    assert what_it_says(ValueError("no\x1b[2K\nmore")) == r"ValueError: no\x1b[2K"


@pytest.mark.parametrize("where", ["91.198.174.192", "2a00:1450:4001:806::200e"])
def test_where_somebody_sits_is_struck_out(where):
    assert scrub(f"Invalid request from ip={where}: no.") == "Invalid request from ip=<address>: no."


@pytest.mark.parametrize(
    "text", ["at 10:00:00", "connecting to 127.0.0.1:6379", "from 172.18.0.5", "Django 5.2.19", "::"]
)
def test_times_versions_and_our_own_machines_are_not(text):
    assert scrub(text) == text


# --- What an error says ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        (lambda: int(NAME), "ValueError: invalid literal for int() with base 10: <value>"),
        (lambda: {}[NAME], "KeyError: <value>"),
        (lambda: int(f'{NAME}\'s "house"'), "ValueError: invalid literal for int() with base 10: <value>"),
        (lambda: fail_with(ValueError(f"not “{NAME}”")), "ValueError: not <value>"),
        (lambda: fail_with(ValueError(f'begins "{NAME}\n and ends" here')), "ValueError: begins <value>"),
        (lambda: fail_with(ValueError(f"it can't be\n{NAME}")), "ValueError: it can't be"),
        (lambda: fail_with(ValueError(b"%s" % NAME.encode())), "ValueError: <value>"),
        (lambda: fail_with(ValueError()), "ValueError"),
    ],
)
def test_an_error_says_what_it_is_and_quotes_nobody(fails, said):
    assert what_it_says(caught(fails)) == said


def test_what_is_wrong_in_our_own_code_is_said_by_name():
    assert (
        what_it_says(caught(lambda: NAME.no_such_thing))
        == "AttributeError: 'str' object has no attribute 'no_such_thing'"
    )


def test_names_of_tables_and_rules_may_be_quoted():
    said = 'duplicate key value violates unique constraint "one_per_address" of relation "applications_speaker"'
    assert without_values(said) == said
    assert without_values('invalid input syntax for type integer: "one"').endswith(": <value>")


ROW = {
    "a row that breaks a rule": "INSERT INTO django_session VALUES (%s, %s, NULL)",
    "a value of the wrong kind": "SELECT %s::int WHERE %s = ''",
    "a statement that is quoted": "SELECT %s || %s FROM no_such_table",
}


@pytest.mark.django_db
@pytest.mark.parametrize("what", ROW)
def test_of_an_error_of_the_database_no_row_and_no_statement_remains(what):
    def ask():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ROW[what], [f"{HOUSE}\n{NAME}", NAME])

    error = caught(ask)
    assert isinstance(error, DatabaseError) and NAME in str(error)
    for text in (
        told(error),
        line("Failed", exc_info=(type(error), error, error.__traceback__)),
        line("Failed: %s", error),
        line("Failed: %(error)r", {"error": error}),
        line(error),
    ):
        assert type(error).__name__ in text
        assert NAME not in text and HOUSE not in text


def test_nor_of_the_errors_before_it():
    def fail():
        try:
            int(NAME)
        except ValueError as error:
            raise KeyError(NAME) from error

    text = told(caught(fail))
    assert NAME not in text
    assert text.index("ValueError") < text.index("The above exception was the direct cause") < text.index("KeyError")
    assert "int(NAME)" in text  # which value it was, says the line of code


def test_several_errors_at_once_are_all_told():
    text = told(caught(fail_with, ExceptionGroup(NAME, [KeyError(NAME), caught(int, NAME)])))
    assert "KeyError" in text and "ValueError" in text


def test_a_line_that_does_not_fit_its_arguments_takes_nobody_along():
    assert line("%s and %s", NAME).endswith("%s and %s")


def test_what_another_handler_made_of_an_error_is_not_printed():
    error = caught(int, NAME)
    record = logging.LogRecord("x", logging.ERROR, "f.py", 1, "Failed", (), (ValueError, error, error.__traceback__))
    logging.Formatter().format(record)
    assert NAME in record.exc_text
    assert NAME not in LineFormatter().format(record)


# --- What no log handler sees -----------------------------------------------------------------------------------------


def test_a_command_that_falls_over_tells_how_and_nothing_else():
    code = "import django; django.setup(); int('Zin' + 'aida')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ValueError: invalid literal for int() with base 10: <value>" in done.stderr
    assert NAME not in done.stderr


def test_nor_does_a_thread_or_what_tidies_up(capfd):
    from presessions import logs

    class Person:
        def __del__(self):
            int(NAME)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", logs.end_of_thread)
        patch.setattr(sys, "unraisablehook", logs.nobody_heard)
        thread = threading.Thread(target=int, args=[NAME])
        thread.start()
        thread.join()
        Person()
    said = capfd.readouterr().err
    assert said.count("ValueError") == 2
    assert NAME not in said


# --- Django's own reports ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accepts", ["text/html", "text/plain"])
def test_even_with_debug_on_a_page_about_an_error_shows_no_value(rf, accepts, settings):
    settings.DEBUG = True
    request = rf.post(f"/en/?q={NAME}", {"name": NAME}, HTTP_ACCEPT=accepts)
    request.COOKIES["sessionid"] = NAME
    error = caught(int, NAME)
    page = technical_500_response(request, ValueError, error, error.__traceback__).content.decode()
    assert "ValueError" in page
    for secret in (NAME, settings.SECRET_KEY, settings.REDIS_URL, settings.VAULT_KEYSET):
        assert secret not in page


def test_whoever_is_mailed_about_an_error_would_read_no_more():
    error = caught(int, NAME)
    request = RequestFactory().post("/", {"name": NAME})
    report = get_exception_reporter_class(request)(request, ValueError, error, error.__traceback__)
    assert report.get_traceback_text() == told(error)


def test_nobody_is_mailed_about_errors():
    handlers = {handler for logger in _loggers() for handler in logger.handlers}
    assert not [handler for handler in handlers if type(handler).__name__ == "AdminEmailHandler"]
    assert settings.ADMINS == settings.MANAGERS == []


def _loggers():
    return [
        logging.getLogger(),
        *(one for one in logging.Logger.manager.loggerDict.values() if isinstance(one, logging.Logger)),
    ]


# --- The web server ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_the_web_server_says_of_a_bad_request_goes_through_the_same_sieve(tmp_path):
    import socket

    token = secrets.token_urlsafe(32)
    with gunicorn(tmp_path, workers=1, preload=False) as web:
        with socket.create_connection(("127.0.0.1", web.port)) as line:
            line.sendall(f"GET /en/invitation/{token}/ HTTP/1.1\r\nHost: x\r\n{token} {NAME}\r\n\r\n".encode())
            line.recv(1000)
        said = web.log.read_text()
    assert "WARNING gunicorn.error Invalid request" in said
    assert token not in said
