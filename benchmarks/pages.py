"""The pages that a crowd opens, beside a bare Django view on the same server: the home page, a State's page, the form.

gunicorn as it is deployed, durable database, 8 browsers at once. Bars: a page asks the database twice at most, and
costs with 10,000 applications what it costs with none (a ratio of 1.2); a first visit is 15 KB and 3 requests at most.
"""

import re
import statistics

from benchmarks import lists
from benchmarks.serving import Web, ask, house, load, machine

ROUNDS, SECONDS = 5, 1.5
MANY = 10_000
MOST_SQL, MOST_KB, MOST_REQUESTS, FLAT = 2, 15, 3, 1.2
TOKEN = "a" * 32
PARTS = r'<link rel="stylesheet" href="([^"]+)"|<script[^>]* src="([^"]+)"|<img[^>]* src="(/[^"]+)"'


def main():
    with house(), Web() as web, Web("benchmarks.bare_settings") as bare:
        paths, headers = set_up()
        for name, path in paths.items():
            first_visit(web, name, path, headers)
        empty = compare(web, bare, paths, headers)
        lists.fill(MANY, since=1)
        full = compare(web, bare, paths, headers)
        for name in paths:
            figures = zip(*(rounds[name] for rounds in (empty, full)), strict=True)
            (few, many), (cheap, dear) = [map(statistics.median, figure) for figure in figures]
            bare_rate, bare_cost = (statistics.median(figure) for figure in empty["bare view"])
            print(
                f"pages: {name}: {few:.0f} a second beside {bare_rate:.0f} of a bare view: "
                f"ratio {few / bare_rate:.2f}; {cheap:.1f} ms of processor time beside {bare_cost:.1f}"
            )
            print(
                f"pages: {name}: with {MANY:,} applications {many:.0f} a second, {dear:.1f} ms: "
                f"ratio {dear / cheap:.2f} (bar {FLAT})"
            )
    print(f"pages: {machine()}")


def set_up():
    """{what: path}, and the headers of a browser in which an application is open."""
    import importlib

    from django.conf import settings
    from django.utils import timezone

    from applications.models import Application
    from applications.views.start import OPENED_AT, SESSION_KEY

    _browser, world = lists.set_up()
    state = world["state_call"].state.pk
    session = importlib.import_module(settings.SESSION_ENGINE).SessionStore()
    session.update({SESSION_KEY: Application.objects.get().pk, OPENED_AT: timezone.now().isoformat()})
    session.create()
    paths = {
        "home": "/en/",
        "a State's page": f"/en/54/{state}/",
        "first page of the form": f"/en/apply/54/{state}/",
        "a section of the form": "/en/application/institution/",
        "all answers on one page": "/en/application/check/",
    }
    return paths, {"Cookie": f"sessionid={session.session_key}; csrftoken={TOKEN}"}


def first_visit(web, name, path, headers):
    """Questions to the database, bytes and requests of somebody who has never been here."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    settings.PAGE_KEPT = 0  # the home page, too, is asked about as it is made
    browser = Client(HTTP_HOST="localhost", headers=headers)
    browser.get(path)
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(path).status_code == 200, path
    connection.close()
    packed = headers | {"Accept-Encoding": "gzip"}
    _status, _headers, page = ask(web.port, path, headers)
    parts = re.findall(PARTS, page.decode())
    addresses = {next(filter(None, part)) for part in parts}
    size = sum(len(ask(web.port, address, packed)[2]) for address in (path, *addresses))
    bars = f"(bars {MOST_SQL}, {MOST_KB}, {MOST_REQUESTS})"
    print(f"pages: {name}: {len(asked)} SQL, {size / 1024:.1f} KB in {1 + len(addresses)} requests {bars}", flush=True)


def compare(web, bare, paths, headers):
    """{what: ([answers a second], [milliseconds])}, all in turn, so that each meets the machine's moods."""
    found = {name: ([], []) for name in ("bare view", *paths)}
    for turn in range(ROUNDS + 1):
        for name, (rates, costs) in found.items():
            server, path = (bare, "/") if name == "bare view" else (web, paths[name])
            rate, cost = load(server, path, headers, seconds=SECONDS)
            if turn:  # the first one warms up
                rates.append(rate)
                costs.append(cost)
    return found
