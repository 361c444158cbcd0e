"""What every test may use."""

import gc
import os
import shutil
from datetime import datetime
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

HERE = Path(__file__).parent
JOURNALS = count(1)
ROOMS = {"accounts", "applications", "mail", "missions", "trail", "upr"}  # whose tests work as the application does
ONLY_WHEN_NAMED = {HERE / "e2e", HERE / "storm"}  # they need a browser, or both cores for themselves
LONG = {"house", "promises", "setup"}  # folders in which single files take longest


def pytest_ignore_collect(collection_path, config):
    if collection_path in ONLY_WHEN_NAMED:
        named = [Path(argument.split("::")[0]).resolve() for argument in config.args]
        return None if any(path.is_relative_to(collection_path) for path in named) else True
    return None


def pytest_collection_modifyitems(items):
    """Files that take long begin first: one of them begun last would keep one core busy and leave the others waiting.
    `make test` asks xdist to keep to this order; on its own it begins with the files that have the most tests."""
    items.sort(key=lambda item: item.path.parent.name not in LONG)


def pytest_collection_finish():
    """What was imported and collected stays to the end: the collector of garbage need not walk through it again and
    again. A tenth of the time of all tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(autouse=True, scope="session")
def _staff_have_two_factors():
    """`client.force_login(user)` logs in as the pages do: with a password and a phone."""
    from django.test import Client  # once the settings are there

    from tests.accounts import logins

    Client.force_login = logins.with_both_factors


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup):
    """The database is made, and taken away again, by whoever may do anything."""
    rights.made = True
    yield
    rights.made = False
    rights.take(None)


@pytest.fixture(autouse=True)
def _as_the_application(request):
    """Tests of the rooms work with the rights that a deployment gives the application (deploy/roles.sql): rows, and not
    those of the trail. The others may do anything: they crash servers, make tables, go behind the database's back."""
    if "django_db_setup" in request.fixturenames or request.node.get_closest_marker("django_db"):
        request.getfixturevalue("django_db_setup")
    rights.take(role_of(request.path))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """What the tests of a file share is made before anything of a single test, and not with the rights of the file
    before."""
    rights.take(role_of(item.path))


def role_of(path):
    inside = path.is_relative_to(HERE) and path.relative_to(HERE).parts[0] in ROOMS
    return "presessions_app" if inside else None


class Rights:
    """With which role a test works. `made` -- whether its database is there, and not yet being taken away."""

    made, role = False, None

    def take(self, role):
        from django.db import connection  # once the settings are there

        if role == self.role or (role and not self.made):
            return
        self.role = connection.settings_dict["OPTIONS"]["assume_role"] = role  # each new connection asks for it
        if connection.connection and not connection.connection.closed:
            with connection.connection.cursor() as cursor:
                cursor.execute(f"SET ROLE {role or 'NONE'}")


rights = Rights()


@pytest.fixture(autouse=True, scope="session")
def _only_what_was_written_is_cleared_away():
    """After a test with transactions of its own. Django truncates all tables, which makes each of their hundreds of
    files anew; nearly all of them are empty. Triggers are asleep meanwhile: events cannot be deleted otherwise."""
    from django.db.backends.postgresql.operations import DatabaseOperations  # once the settings are there

    truncate = DatabaseOperations.sql_flush

    def delete(self, style, tables, *, reset_sequences=False, allow_cascade=False):
        if reset_sequences or not tables:
            return truncate(self, style, tables, reset_sequences=reset_sequences, allow_cascade=allow_cascade)
        with self.connection.cursor() as cursor:
            rows = (f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\")" for table in tables)
            cursor.execute(" UNION ALL ".join(rows))
            written = [f'DELETE FROM "{table}"' for (table,) in cursor.fetchall()]
        return ["SET LOCAL ROLE NONE", "SET LOCAL session_replication_role = replica", *written]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", delete)
        yield


@pytest.fixture(autouse=True)
def _language_of_nobody():
    """A page asked for in French leaves French behind in its thread; the next test must not meet it."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def _journal_of_its_own(settings, tmp_path_factory, monkeypatch):
    """Each test has a database that knows nothing of the letters before it; so must its journal. What a test starts as
    a process of its own finds the same folder."""
    folder = tmp_path_factory.getbasetemp() / f"journal-{next(JOURNALS)}"  # mktemp reads all names there are, each time
    folder.mkdir()
    settings.MAIL_JOURNAL = folder / "journal"
    monkeypatch.setenv("MAIL_JOURNAL", str(settings.MAIL_JOURNAL))
    yield
    from presessions import views  # once the settings are there
    from presessions.mail import journal, watch

    journal.forget()
    watch.forget()
    views.forget()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """The machine's own Chromium; nothing is downloaded. The Makefile has already complained if there is none."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps an event loop in our thread
    chromium = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    return {
        **browser_type_launch_args,
        "executable_path": chromium,
        "args": ["--no-sandbox"] if os.geteuid() == 0 else [],
    }


@pytest.fixture
def now():
    """A Monday morning in Geneva, for tests that need an instant and do not care which."""
    return datetime(2026, 3, 2, 10, 0, tzinfo=ZoneInfo("Europe/Zurich"))
