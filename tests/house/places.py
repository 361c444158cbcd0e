"""Where a stranger might look, and how a canary is known again there. For test_canaries.py.

with heard() as log:                 what every logger of this process writes, down to DEBUG
with statements() as said:           what PostgreSQL would write, were it told to write every statement
Places(broker, log, said, folder)    all places, by name
found(data)                          {fields whose canary lies in it}, in whatever spelling
Browsers()                           what every browser of the world is told, and what breaks in its hands
"""

import base64
import io
import logging
import re
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from unittest.mock import patch

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.models import Session
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest
from django.test import Client
from django.test.client import FakePayload
from django.views.debug import get_exception_reporter_class

from presessions.logs import LineFormatter
from tests.house.world import canary

WRITES = re.compile(r'(INSERT INTO|UPDATE) "(accounts|applications|mail|missions|trail|upr)_', re.IGNORECASE)
ADDRESSES = re.compile(rb'(?:href|src|action|formaction)="([^"]*)"|<title>(.*?)</title>', re.DOTALL)


# --- How it is known again --------------------------------------------------------------------------------------------


def spellings(word):
    """The word as it is, in hexadecimal, and inside of a longer text in base64."""
    yield word
    yield word.encode().hex()
    for before in range(3):
        packed = base64.b64encode(bytes(before) + word.encode()).decode().rstrip("=")
        yield packed[(0, 2, 3)[before] : None if (before + len(word)) % 3 == 0 else -1]


def found(data, labels):
    """Which canaries lie in it, in whatever case or spelling."""
    folded = data.lower()
    return {
        label for label in labels if any(s.encode() in data or s.encode() in folded for s in spellings(canary(label)))
    }


# --- What is written down meanwhile -----------------------------------------------------------------------------------


@contextmanager
def heard():
    """What the product's own log handler writes meanwhile, as it writes it, with every logger at its most talkative."""
    (handler,) = [one for one in logging.getLogger().handlers if isinstance(one.formatter, LineFormatter)]
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    levels = {one: one.level for one in loggers if isinstance(one, logging.Logger)}
    usual = handler.setStream(io.StringIO())
    try:
        for one in levels:
            one.setLevel(logging.DEBUG)
        yield handler.stream
    finally:
        handler.setStream(usual)
        for one, level in levels.items():
            one.setLevel(level)


class Notices:
    """psycopg2 keeps the last fifty of them, unless it is given something else than a list."""

    def __init__(self):
        self.append = (kept := []).append
        self.text = lambda: "".join(kept)


@contextmanager
def statements():
    """Each statement as the server's log and pg_stat_activity would show it: whole, with its values in it."""
    said = Notices()
    with connection.connection.cursor() as cursor:
        cursor.execute("SET log_statement = 'all'")
        cursor.execute("SET client_min_messages = 'log'")  # tells us what it writes into its log
    usual, connection.connection.notices = connection.connection.notices, said
    try:
        yield said
    finally:
        connection.connection.notices = usual
        with connection.connection.cursor() as cursor:  # not Django's: all is about to be undone, and it would refuse
            cursor.execute("RESET log_statement")
            cursor.execute("RESET client_min_messages")


# --- Where it might lie -----------------------------------------------------------------------------------------------


class Places:
    def __init__(self, broker, log, said, browsers, journal_folder, temporary):
        self.broker, self.log, self.said, self.browsers = broker, log, said, browsers
        self.journal_folder, self.temporary = journal_folder, temporary

    def database(self):
        """Every row of every table, as PostgreSQL copies it out in binary: texts and bytes lie open in that."""
        copy = io.BytesIO()
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.copy_expert(f'COPY "{table}" TO STDOUT (FORMAT binary)', copy)
        sessions = [session.get_decoded() for session in Session.objects.all()]  # they are packed
        return copy.getvalue() + repr(sessions).encode()

    def statements(self):
        """What the database could write into its own log."""
        return self.said.text().encode()

    def redis(self):
        """Every key and every value; the messages of the broker unpacked too."""
        read = {
            b"string": self.broker.get,
            b"hash": self.broker.hgetall,
            b"set": self.broker.smembers,
            b"list": lambda key: self.broker.lrange(key, 0, -1),
            b"zset": lambda key: self.broker.zrange(key, 0, -1),
        }
        entries = ((key, read[self.broker.type(key)](key)) for key in self.broker.scan_iter())
        return b"\n".join(key + b" " + repr(value).encode() for key, value in entries)

    def logs(self):
        return self.log.getvalue().encode()

    def files(self):
        return lying_in(settings.PRIVATE_FILES)

    def journal(self):
        return lying_in(self.journal_folder)

    def temporary_files(self):
        return lying_in(self.temporary)

    def reports(self):
        """What Django would mail, or show with DEBUG on, of each error."""
        return "\n".join(self.browsers.reports).encode()

    def addresses(self):
        """Where pages lead, where people are sent, and what stands on the tab: it ends in the browser's history."""
        return b"\n".join(self.browsers.addresses)

    def cookies(self):
        """What a browser is told to keep, and to send along."""
        return "\n".join(self.browsers.cookies).encode()


def lying_in(folder):
    paths = (path for path in Path(folder).rglob("*") if path.is_file())
    return b"\n".join(str(path).encode() + path.read_bytes() for path in paths)


# --- What browsers see, and what breaks -------------------------------------------------------------------------------


class Broken(IntegrityError):
    """The database refused a row, and quotes it."""


class Browsers:
    """Each request of the world is made twice: once it breaks at its first write, then it is made as it is. Nothing
    remains of the first but what was told of it."""

    def __init__(self):
        self.addresses, self.cookies, self.reports, self.broken = [], [], [], 0
        self._request, self._is_breaking = Client.request, False

    @contextmanager
    def watched(self):
        ours = self

        def request(browser, **asked):
            if asked["REQUEST_METHOD"] == "POST" and not ours._is_breaking:
                asked["wsgi.input"] = ours._break(browser, asked)
            answer = ours._request(browser, **asked)
            ours._note(answer)
            return answer

        with patch.object(Client, "request", request):
            yield self

    def _break(self, browser, asked):
        """The body of the request, to be read once more."""
        body, cookies, raises = asked["wsgi.input"].read(), deepcopy(browser.cookies), browser.raise_request_exception
        self._is_breaking, browser.raise_request_exception = True, False
        try:
            with transaction.atomic():
                with connection.execute_wrapper(refuse_a_row):
                    answer = self._request(browser, **{**asked, "wsgi.input": FakePayload(body)})
                transaction.set_rollback(True)
            self._note(answer)
        finally:
            self._is_breaking, browser.raise_request_exception = False, raises
            browser.cookies = cookies
        return FakePayload(body)

    def _note(self, answer):
        content = b"" if answer.streaming else answer.content
        self.addresses += [answer.get("Location", "").encode()]
        if answer.get("Content-Type", "").startswith("text/html"):
            self.addresses += [link or title for link, title in ADDRESSES.findall(content)]
        for cookie in answer.cookies.values():
            self.cookies.append(cookie.OutputString())
            if cookie.key == "messages":
                told = CookieStorage(HttpRequest())._decode(cookie.value) or []
                self.cookies += [str(one) for one in told]
        if error := getattr(answer, "exc_info", None):
            self.broken += issubclass(error[0], Broken)
            report = get_exception_reporter_class(answer.wsgi_request)(answer.wsgi_request, *error)
            self.reports += [report.get_traceback_text(), report.get_traceback_html()]


def refuse_a_row(execute, sql, params, many, context):
    """As PostgreSQL would say it, with the row and with the statement."""
    if not WRITES.match(sql):
        return execute(sql, params, many, context)
    with context["connection"].connection.cursor() as cursor:
        whole = cursor.mogrify(sql, params).decode()
    row = whole.partition("VALUES")[2] or whole
    raise Broken(f"duplicate key value\nDETAIL:  Failing row contains {row}.\nLINE 1: {whole}\n         ^\n")
