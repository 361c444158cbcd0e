"""Memory of the web and of a worker as they are deployed: just started, at rest after work, and while they work.

Two figures of each: what is its own (PSS: pages that several processes share are divided among them) and what `top` and
the limit of a container see (RSS, added up). The web is loaded with pages and with whole applications that bring a PDF
of 1 MB, the worker with the files of these and 2,000 letters. The bar is 250 MiB of PSS for web and worker idle.

With it, how long each takes from its command to its first answer, and a database from nothing to migrated.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from benchmarks import applying
from benchmarks.room import mail_server, write
from benchmarks.serving import ROOT, Web, ask, children, house, load, machine
from presessions import devservers

BAR = 250  # MiB
LETTERS = 2000
PEOPLE, SECONDS = 4, 20

CELERY = [sys.executable, "-m", "celery", "--app=presessions", "--quiet", "worker", "--concurrency=2",
          "--without-gossip", "--without-mingle", "--loglevel=warning"]  # fmt: skip


def main():
    os.environ["BEHIND_PROXY"] = "true"
    began = time.perf_counter()
    with house(), mail_server() as sink:
        print(f"memory: database and Redis started, migrated and static files collected in {since(began)}")
        os.environ["SMTP_URL"] = sink.url
        address = applying.set_up()
        content, posts = applying.paper(), applying.facts()
        began = time.perf_counter()
        with Web(workers=1) as web:
            print(f"memory: web answers {since(began)} after it was started")
            began = time.perf_counter()
            with worker() as program:
                print(f"memory: worker works {since(began)} after it was started")
                both = {"web": web.process.pid, "worker": program.pid}
                total = tell("just started", both)
                peak = dict.fromkeys(both, (0, 0))
                with watching(both, peak):
                    loaded(web, address, posts, content)
                tell("under load, at most", peak)
                time.sleep(15)
                tell("at rest after the load", both)
    print(f"memory: web and worker together {total:.0f} MiB before anybody came (bar {BAR}); {machine()}")
    assert total <= BAR


def since(began):
    return f"{time.perf_counter() - began:.1f} s"


class worker:
    """A Celery worker as docker-compose.yml starts it; there once it has answered a ping."""

    def __enter__(self):
        self.program = subprocess.Popen(CELERY, cwd=ROOT, preexec_fn=devservers.end_with_owner(signal.SIGTERM))
        from presessions.celery import app

        deadline = time.monotonic() + 120
        while not app.control.ping(timeout=1):
            assert time.monotonic() < deadline and self.program.poll() is None, "the worker does not start"
        return self.program

    def __exit__(self, *_error):
        self.program.terminate()
        self.program.wait(60)


def loaded(web, address, posts, content):
    """Pages, applications, files to look through, letters: all at once."""
    from applications.tasks import check_files
    from presessions.mail.models import Letter
    from presessions.mail.tasks import send_due_letters

    write(LETTERS)
    send_due_letters.delay()
    pages = threading.Thread(target=load, args=(web, "/en/"), kwargs={"seconds": SECONDS, "at_once": 2})
    pages.start()
    applying.SECONDS = SECONDS
    applying.crowd(web, address, posts, content, PEOPLE)
    pages.join()
    check_files.delay()
    deadline = time.monotonic() + 120
    while Letter.objects.unsettled().exists() and time.monotonic() < deadline:
        time.sleep(1)
    assert ask(web.port, "/health/live")[0] == 200


# --- Counting ---------------------------------------------------------------------------------------------------------


def family(number):
    """A process and all that it has started."""
    try:
        return [number, *(one for child in children(number) for one in family(child))]
    except OSError:
        return [number]


def held(number):
    """(PSS, RSS) in MiB of a process with all that it has started."""
    own = seen = 0
    for one in family(number):
        try:
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:  # it has ended meanwhile
            continue
        own += int(re.search(r"^Pss: +(\d+)", rollup, re.M)[1])
        seen += int(re.search(r"^Rss: +(\d+)", rollup, re.M)[1])
    return own / 1024, seen / 1024


def tell(when, of):
    """Print what each holds, and both; returns their PSS. of -- {name: process number, or (PSS, RSS)}"""
    found = {name: one if isinstance(one, tuple) else held(one) for name, one in of.items()}
    total = sum(own for own, _seen in found.values())
    each = ", ".join(f"{name} {own:.0f} MiB (RSS {seen:.0f})" for name, (own, seen) in found.items())
    print(f"memory: {when}: {each}, together {total:.0f}", flush=True)
    return total


class watching:
    """Keep in `peak` the most that each of these programs holds meanwhile."""

    def __init__(self, of, peak):
        self.of, self.peak, self.stop = of, peak, threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_error):
        self.stop.set()
        self.thread.join()

    def _watch(self):
        while not self.stop.wait(0.5):
            for name, number in self.of.items():
                self.peak[name] = max(self.peak[name], held(number))
