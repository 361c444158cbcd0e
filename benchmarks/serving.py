"""For benchmarks over HTTP: the database and the web process as they are deployed, and people who ask it things.

Two figures are taken of each page. Answers a second are what somebody notices, and share the machine with whoever asks
and whatever else runs on it. Processor time of the web process for one answer does not.
"""

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import django

from presessions import devservers

ROOT = Path(__file__).resolve().parents[1]
WORKERS, AT_ONCE = 2, 8  # web processes, as two replicas have; browsers that ask at the same time
TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def house(*, durable=True):
    """The product ready to run in this process, on a migrated database and a Redis of its own."""
    with (
        devservers.throwaway_environment() as environment,
        devservers.temporary_folder() as folder,
        devservers.Postgres(folder / "postgres", durable=durable) as postgres,
        devservers.Redis(folder / "redis") as redis,
    ):
        (folder / "journal").mkdir()
        environment |= {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url, "MAIL_JOURNAL": str(folder / "journal")}
        os.environ.update(environment, DJANGO_SETTINGS_MODULE="presessions.settings")
        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        try:
            yield folder
        finally:
            connection.close()


class Web:
    """gunicorn as presessions/serving.py says, on a port of its own."""

    def __init__(self, settings="presessions.settings", workers=WORKERS):
        self.port, self.workers = devservers.free_port(), workers
        command = [sys.executable, "-m", "gunicorn", "--config=python:presessions.serving", "--log-level=error"]
        self.process = subprocess.Popen(
            [*command, f"--bind=127.0.0.1:{self.port}", f"--workers={workers}"],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": settings},
            preexec_fn=devservers.end_with_owner(signal.SIGTERM),
        )

    def __enter__(self):
        deadline = time.monotonic() + 120
        while not self._answers():
            assert time.monotonic() < deadline and self.process.poll() is None, "gunicorn does not start"
            time.sleep(0.02)
        return self

    def __exit__(self, *_error):
        self.process.terminate()
        self.process.wait(60)

    def _answers(self):
        try:
            return len(self.children()) == self.workers and ask(self.port, "/health/live")[0] == 200
        except OSError:
            return False

    def children(self):
        return children(self.process.pid)

    def processor_time(self):
        """Seconds that the web processes have computed so far."""
        return sum(processor_time(number) for number in self.children())


def children(number):
    return [int(one) for one in Path(f"/proc/{number}/task/{number}/children").read_text().split()]


def processor_time(number):
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def ask(port, path, headers=None, *, line=None, method="GET", body=None):
    """(status, headers, bytes). line -- a connection to go on with"""
    line = line or http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request(method, path, body, {"Host": "localhost", **(headers or {})})
    answer = line.getresponse()
    return answer.status, answer.headers, answer.read()


def load(web, path, headers=None, *, seconds=2.0, at_once=AT_ONCE, method="GET", body=None, good=(200,)):
    """(answers a second, milliseconds of processor time for one) while so many browsers ask one after the other."""
    counts, ends = [], time.perf_counter() + seconds

    def browse():
        line, number = http.client.HTTPConnection("127.0.0.1", web.port, timeout=60), 0
        while time.perf_counter() < ends:
            status = ask(web.port, path, headers, line=line, method=method, body=body)[0]
            assert status in good, (path, status)
            number += 1
        counts.append(number)

    began, computed = time.perf_counter(), web.processor_time()
    browsers = [threading.Thread(target=browse) for _ in range(at_once)]
    for one in browsers:
        one.start()
    for one in browsers:
        one.join()
    answers = sum(counts)
    return answers / (time.perf_counter() - began), (web.processor_time() - computed) * 1000 / answers


def machine():
    """One line for the end of a report."""
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ":")
    name, load_now = model.partition(":")[2].strip(), os.getloadavg()[0]
    return f"{os.cpu_count()} cores, {name or 'unknown'}, Python {sys.version.split()[0]}, load {load_now:.1f}"
