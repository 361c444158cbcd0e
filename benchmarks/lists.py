"""Every list of the staff's desk with 100,000 applications, as a ratio to the same list with 100.

Whole answers in one process, what they cost in processor time, the median of many; each list as it opens, searched,
filtered and sorted. With the applications grow what belongs to them: views, events, organisations, contacts. Bars: a
ratio of 1.5 for each list as it opens and for a search in it; 150 ms for whatever staff ask, however it is filtered and
sorted.
"""

import os
import statistics
import time
from datetime import date, timedelta
from pathlib import Path

import django

from presessions import devservers

FEW, MANY = 100, 100_000
TIMES = 15
BAR, MS = 1.5, 150
MOST = 15_000  # milliseconds for one list; a slow one is asked less often


def main():
    with (
        devservers.throwaway_environment() as environment,
        devservers.temporary_folder() as folder,
        devservers.Postgres(folder / "postgres") as postgres,
        devservers.Redis(folder / "redis") as redis,
    ):
        os.environ.update(environment, DATABASE_URL=postgres.url, REDIS_URL=redis.url)
        os.environ["DJANGO_SETTINGS_MODULE"] = "presessions.settings"
        django.setup()
        measure()


def measure():
    from django.conf import settings
    from django.core.management import call_command

    settings.ALLOWED_HOSTS = ["testserver"]
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # nothing has been collected here
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.SECURE_SSL_REDIRECT = False
    call_command("migrate", verbosity=0)
    browser, world = set_up()
    fill(FEW, since=1)
    few, many = two_databases()
    use(many)
    fill(MANY, since=FEW)
    took = {name: timed(browser, path, few, many) for name, path in lists(world).items() if wanted(name)}
    ratios = {name: of_many / of_few for name, (of_few, of_many) in took.items()}
    bound = {name: ratio for name, ratio in ratios.items() if "," not in name or name.endswith(", searched")}
    worst = max(bound, key=bound.get)
    slow = {name: of_many for name, (_few, of_many) in took.items() if of_many > MS}
    print(f"lists: {len(took) - len(slow)} of {len(took)} take at most {MS} ms with {MANY:,}; the others: {told(slow)}")
    print(
        f"lists: worst ratio {bound[worst]:.2f} of {len(bound)} as they open and searched ({worst}); the bar is {BAR}"
    )


def told(slow):
    return ", ".join(f"{name} {took:.0f}" for name, took in sorted(slow.items(), key=lambda one: -one[1])) or "none"


def wanted(name):
    """All, or those whose name holds what LISTS says."""
    return os.environ.get("LISTS", "") in name


def two_databases():
    """A second one beside ours, made like it; (a connection to the few, one to the many). Measured in turn, both meet
    the same moods of the machine."""
    from django.db import connection, connections

    name = connection.settings_dict["NAME"]
    connection.close()
    template = connections.create_connection("default")
    template.settings_dict = {**template.settings_dict, "NAME": "template1"}
    with template.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}_many" TEMPLATE "{name}"')
    template.close()
    many = connections.create_connection("default")
    many.settings_dict = {**many.settings_dict, "NAME": f"{name}_many"}
    return connections["default"], many


def use(connection):
    from django.db import connections

    connections["default"] = connection


def set_up():
    """A member of staff in a browser, a series of 14 meetings, and one row of each sort to copy from."""
    from django.core.management import call_command
    from django.test import Client
    from django.utils import timezone

    from applications.models import Application, Assessment, Call, Contact, Organisation, Speaker
    from presessions.accounts.models import User
    from presessions.upr.models import CountryMeeting, Series, WorkingGroupSession
    from tests.accounts.logins import with_both_factors

    now = timezone.now()
    call_command("load_calendar", verbosity=0)
    session = WorkingGroupSession.objects.get(number=54)
    series = Series.objects.filter(session=session).first() or Series.open_for(session, now=now)
    call = Call.open_for(series, opens_at=now - timedelta(days=9), closes_at=now + timedelta(days=30), now=now)
    staff = User.objects.create_superuser("ada@example.org", "correct horse battery", name="Ada Keller")
    one = Application.objects.create(
        state_call=call.state_calls.first(), email="x@example.org", email_index="x", created_at=now, kind="cso",
        scope="national", name="Rights Now", aims="We watch. " * 30, issues="Prisons. " * 60, follow_up="None. " * 30,
    )  # fmt: skip
    Organisation.objects.create(name="Rights Now", kind="cso")
    Speaker.objects.create(application=one, full_name="Amina Canary", gender="woman")
    Assessment.objects.create(application=one, by=staff, saved_at=now, overall="strong", note="Good.")
    Contact.objects.create(email="c@example.org", email_index="c", asked_at=now, confirmed_at=now)
    assert CountryMeeting.objects.filter(state_call__isnull=False).count() >= 10, date.today()
    browser = Client()
    with_both_factors(browser, staff)
    return browser, {"series": series, "state_call": call.state_calls.first()}


STATUSES = "string_to_array('" + 6 * "submitted " + "declined " + "confirmed waitlisted withdrawn', ' ')"
KNOWN = "C4CA4-238A0"  # the first one's, so that both databases show as much
REFERENCE = "upper(substr(md5(n::text), 1, 5)) || '-' || upper(substr(md5(n::text), 6, 5))"


def fill(number, since):
    """So many rows in all, like those that are there; statistics as autovacuum keeps them."""
    from applications.models import Application, Assessment, Contact, Organisation, Speaker
    from presessions.trail.models import Event

    changed = {
        Organisation: {"reference": REFERENCE},
        Contact: {
            "reference": REFERENCE,
            "email_index": "md5('c' || n)",
            "asked_at": "now() - n * interval '1 minute'",
        },
        Application: {
            "reference": REFERENCE,
            "email_index": "md5('a' || n)",
            "status": f"({STATUSES})[1 + n %% 10]",
            "submitted_at": "now() - n * interval '1 minute'",
            "created_at": "now() - n * interval '2 minutes'",
            "state_call_id": "(SELECT min(id) FROM applications_statecall) "
            "+ n %% (SELECT count(*)::int FROM applications_statecall)",
            "organisation_id": "(SELECT min(id) FROM applications_organisation) + n",
            "at_risk": "n %% 20 = 0",
        },
    }
    for model, columns in changed.items():
        _copy(model, columns, since, number)
    first = "(SELECT min(id) FROM applications_application) + n"
    _copy(Speaker, {"application_id": first}, since, number)
    _copy(Assessment, {"application_id": first}, since, number)
    events = {
        "room": "'applications.application'",
        "reference": REFERENCE.replace("n::text", "(n / 3)::text"),
        "code": "(ARRAY['begun', 'submitted', 'document_read'])[1 + n %% 3]",
        "at": "now() - n * interval '1 minute'",
    }
    _copy(Event, events, 3 * since, 3 * number)
    _analyse(*changed, Speaker, Assessment, Event)


def _copy(model, columns, since, number):
    """Rows like the first one, with other values in some columns; n counts them."""
    from django.db import connection

    table = model._meta.db_table
    names = [field.column for field in model._meta.local_concrete_fields if not field.primary_key]
    values = ", ".join(columns.get(name, f'"{name}"') for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({listed}) SELECT {values} '
            f'FROM (SELECT * FROM "{table}" ORDER BY id LIMIT 1) one, generate_series(%s, %s) n',
            [since, number - 1],
        )


def _analyse(*models):
    from django.db import connection

    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f'VACUUM ANALYZE "{model._meta.db_table}"')


def lists(world):
    """{what: address} of every list of the desk, and the ways in which staff look at the great ones."""
    from django.contrib import admin
    from django.urls import reverse

    from applications.models import Application

    def page(model):
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")

    found = {f"{model._meta.label}": page(model) for model in admin.site._registry}
    found |= {f"{name}, searched": f"{path}?q={KNOWN}" for name, path in list(found.items())}
    great, series, state = page(Application), world["series"].pk, world["state_call"].state.pk
    ways = {
        "all": "stands=all", "one series": f"stands=all&series={series}", "one State": f"stands=all&state={state}",
        "a whole address": "q=nobody@example.org", "the second page": "stands=all&p=2", "declined": "stands=declined",
        "not assessed by me": "stands=mine", "unread": "stands=unread", "at risk": "stands=all&at_risk__exact=1",
    }  # fmt: skip
    found |= {f"applications.Application, {words}": f"{great}?{asked}" for words, asked in ways.items()}
    columns = ("reference", "State", "institution", "status", "assessments", "prepared", "sent")
    for number, words in enumerate(columns):
        found[f"applications.Application, sorted by {words}"] = f"{great}?stands=all&o={number}"
    found["the export of one State"] = reverse("admin:applications_application_export") + f"?state={state}"
    return found


def timed(browser, path, *databases):
    """Of many answers from each database in turn: the median of milliseconds that this process and the database have
    computed, which other work on the machine does not change; told at once, beside the median of the clock."""
    took, computed = [[] for _ in databases], [[] for _ in databases]
    for turn in range(TIMES + 2):
        for number, database in enumerate(databases):
            use(database)
            database.ensure_connection()
            began, before = time.perf_counter(), work_of(database)
            answer = browser.get(path)
            took[number].append((time.perf_counter() - began) * 1000)
            computed[number].append(work_of(database) - before)
            assert answer.status_code == 200, (path, answer.status_code)
        if turn > 2 and sum(took[-1]) > MOST:
            break
    few, many = (statistics.median(times[2:]) for times in computed)
    clock = statistics.median(took[-1][2:])
    print(
        f"lists: {few:6.1f} ms with {FEW}, {many:6.1f} ms with {MANY:,}: ratio {many / few:.2f}, "
        f"{clock:.0f} ms by the clock {path}",
        flush=True,
    )
    return few, many


def work_of(database):
    """Milliseconds of processor time until now, of this process and of the one that PostgreSQL gave the connection."""
    behind = Path(f"/proc/{database.connection.info.backend_pid}/schedstat").read_text().split()[0]
    return time.process_time() * 1000 + int(behind) / 1_000_000
