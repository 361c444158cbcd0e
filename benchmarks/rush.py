"""`make rush`, A4: the last hour before a deadline. Fifty people send files of 20 MB at the same time, half of them in
pieces as our script does, half whole; others look at 20 pages a second; 200 connections send a byte now and then.

The web process is gunicorn as the Dockerfile starts it, with a buffering proxy before it, as nginx is in
docker-compose.yml (here two small ones of our own, because a development machine has none). A minute; the promise's ten
with RUSH_SECONDS=600. Bars: no server error; pages p95 1 s; a web process 300 MB. Only the first is asserted: load and
server share the cores of one machine, which deployment does not.
"""

import asyncio
import http.client
import json
import logging
import multiprocessing
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import django

from presessions import devservers

ROOT = Path(__file__).resolve().parents[1]
SECONDS = int(os.environ.get("RUSH_SECONDS", "60"))
UPLOADERS = int(os.environ.get("RUSH_UPLOADERS", "50"))
SLOW = int(os.environ.get("RUSH_SLOW", "200"))
PAGES = 20  # a second
SIZE = 20 * 1000 * 1000  # bytes of each file
PIECE = 512 * 1024
TOKEN = "a" * 32
PATIENCE = 180  # seconds until a browser gives up on one answer


def main():
    with (
        devservers.throwaway_environment() as environment,
        devservers.temporary_folder() as folder,
        devservers.Postgres(folder, durable=True) as postgres,
    ):
        environment |= {"DATABASE_URL": postgres.url, "MAIL_JOURNAL": str(folder / "journal"), "ALLOWED_HOSTS": "*"}
        os.environ.update(environment, DJANGO_SETTINGS_MODULE="presessions.settings")
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        people = [set_up(number) for number in range(UPLOADERS)]
        with gunicorn() as (port, arbiter), buffering_proxy(port) as door, buffering_proxy(port) as other_door:
            rush(door, other_door, arbiter, people)


def set_up(number):
    """A complete draft of which only the file is missing; the headers of its browser."""
    from datetime import timedelta

    from django.contrib.sessions.backends.db import SessionStore
    from django.utils import timezone

    from applications.models import Application, StateCall
    from applications.views.start import OPENED_AT, SESSION_KEY
    from tests.applications.factories import StateCallFactory, answers

    now = timezone.now()
    day = timedelta(days=1)
    state_call = StateCall.objects.with_state().first() or StateCallFactory(
        opens_at=now - 30 * day, call_closes_at=now + day, now=now - 20 * day
    )
    application = Application.start(state_call, email=f"p{number}@example.org", language="en", now=now)
    for section, given in answers().items():
        application.save_section(section, given, now=now)
    session = SessionStore()
    session.update({SESSION_KEY: application.pk, OPENED_AT: now.isoformat()})
    session.save()
    return {"Cookie": f"sessionid={session.session_key}; csrftoken={TOKEN}", "X-CSRFToken": TOKEN, "Host": "localhost"}


@contextmanager
def gunicorn():
    """As the Dockerfile starts it, on another port; the port and the number of the process above its workers."""
    command = json.loads(re.search(r"^CMD (\[.*?\])$", (ROOT / "Dockerfile").read_text().replace("\\\n", ""), re.M)[1])
    port = devservers.free_port()
    command = [*command[1:], f"--bind=127.0.0.1:{port}", "--workers=2"]  # as many as the two replicas have
    print(f"rush: gunicorn {' '.join(command)}")
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--log-level=error", *command],
        cwd=ROOT,
        preexec_fn=devservers.end_with_owner(signal.SIGTERM),
    )
    deadline = time.monotonic() + 60
    while get(port, "/health/live")[0] != 200:
        assert time.monotonic() < deadline and process.poll() is None, "gunicorn does not start"
        time.sleep(0.2)
    try:
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


# --- The proxy: it holds a request back until all of it has come, so that slow ones occupy no thread of ours ----------


@contextmanager
def buffering_proxy(behind):
    port = devservers.free_port()
    process = multiprocessing.get_context("spawn").Process(target=_proxy, args=(port, behind), daemon=True)
    process.start()
    while get(port, "/health/live")[0] != 200:
        time.sleep(0.1)
    yield port
    process.terminate()


def _proxy(port, behind):
    async def pass_on(reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length[1])) if length else b""
            answer, question = await asyncio.open_connection("127.0.0.1", behind)
            question.write(head[:-2] + b"Connection: close\r\n\r\n")
            question.write(body)
            del body
            await question.drain()
            while data := await answer.read(65536):
                writer.write(data)
                await writer.drain()
            question.close()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def serve():
        logging.getLogger("asyncio").disabled = True  # it tells of every browser that is still there at the end
        server = await asyncio.start_server(pass_on, "127.0.0.1", port, limit=2**20, backlog=1024)
        await server.serve_forever()

    asyncio.run(serve())


# --- The load -------------------------------------------------------------------------------------------------------


def rush(port, other_door, arbiter, people):
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    ends = time.time() + SECONDS
    groups = [people[number::4] for number in range(4)]
    load = [spawn.Process(target=_upload_all, args=(port, group, ends, results)) for group in groups if group]
    load += [spawn.Process(target=_look, args=(other_door, people[0], ends, results))]
    slow = spawn.Process(target=_slow, args=(port, ends), daemon=True)
    stop = threading.Event()
    memory = {}
    helpers = [threading.Thread(target=job, args=args) for job, args in
               ((_measure, (arbiter, memory, stop)), (_tidy, (stop,)))]  # fmt: skip
    for one in [*load, slow, *helpers]:
        one.start()
    told = [results.get() for _ in load]
    stop.set()
    for one in [*load, *helpers]:
        one.join()
    report(told, memory)


def report(told, memory):
    statuses = Counter()
    for one in told:
        statuses.update(one["statuses"])
    files = [seconds for one in told for seconds in one.get("files", ())]
    pages = [seconds for one in told for seconds in one.get("pages", ())]
    errors = sum(count for status, count in statuses.items() if isinstance(status, int) and status >= 500)
    middle, late = statistics.median(pages), statistics.quantiles(pages, n=20)[18]
    print(f"rush: {SECONDS} s, {UPLOADERS} people with 20 MB each, {PAGES} pages/s, {SLOW} slow connections")
    usual, longest = statistics.median(files), max(files)
    print(f"rush: {len(files)} files kept, {len(files) / SECONDS:.2f}/s, each in {usual:.1f} s, at most {longest:.1f}")
    print(f"rush: {len(pages)} pages, p50 {middle * 1000:.0f} ms, p95 {late * 1000:.0f} ms (bar 1000)")
    print(f"rush: a web process at most {max(memory.values()) / 1024:.0f} MB (bar 300), {len(memory)} of them,"
          f" {os.cpu_count()} cores for load and server")  # fmt: skip
    print(f"rush: answers {dict(sorted(statuses.items(), key=str))}; {errors} server errors (bar 0)")
    assert errors == 0
    assert statuses["no answer"] == 0


def get(port, path, headers=None):
    """(status, seconds)"""
    began = time.perf_counter()
    status, _ = ask(port, "GET", path, None, {"Host": "localhost"} | (headers or {}))
    return status, time.perf_counter() - began


def ask(port, method, path, body, headers):
    """(status, text); "no answer" where there was none."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        line.request(method, path, body, headers)
        response = line.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return "no answer", ""
    finally:
        line.close()


def paper():
    """A PDF of nearly 20 MB, as a scanner makes them."""
    from tests.applications import hostile

    scan = os.urandom(SIZE)
    return hostile.pdf(lambda document: document.Root.__setitem__("/Scan", document.make_stream(scan)))


def _upload_all(port, people, ends, results):
    os.nice(5)  # those people would not sit on our machine
    content, statuses, files = paper(), Counter(), []

    def send(number, headers):
        time.sleep(random.random() * 2)
        while time.time() < ends:
            scan = content[:9999] + os.urandom(16) + content[10015:]  # the same file again would be no new version
            began = time.perf_counter()
            way = _in_pieces if number % 2 else _whole
            if way(port, headers, scan, statuses):
                files.append(time.perf_counter() - began)

    threads = [threading.Thread(target=send, args=pair) for pair in enumerate(people)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    results.put({"statuses": statuses, "files": files})


def _whole(port, headers, content, statuses):
    head = (
        f'--line\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{TOKEN}\r\n'
        '--line\r\nContent-Disposition: form-data; name="file"; filename="scan.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    )
    body = head.encode() + content + b"\r\n--line--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=line"}
    return _saved(ask(port, "POST", "/en/application/file/", body, headers | kind), statuses)


def _saved(answer, statuses):
    status, text = answer
    statuses["asked to press again" if status == 200 and "Many files" in text else status] += 1
    return status == 302


def _in_pieces(port, headers, content, statuses):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    facts = urlencode({"name": "scan.pdf", "size": len(content), "kind": "upr_submission"})
    status, text = ask(port, "POST", "/en/application/upload/", facts, headers | form)
    statuses[status] += 1
    if status != 200:
        return False
    key = json.loads(text)["key"]
    for place in range(0, len(content), PIECE):
        piece = content[place : place + PIECE]
        address = f"/en/application/upload/{key}/?from={place}"
        status, _ = ask(port, "POST", address, piece, headers | {"Content-Type": "application/octet-stream"})
        statuses[status] += 1
        if status != 200:
            return False
    fields = urlencode({"csrfmiddlewaretoken": TOKEN, "upload": key, "save": "1"})
    while True:
        status, text = ask(port, "POST", "/en/application/file/", fields, headers | form)
        if _saved((status, text), statuses) or "Many files" not in text:
            return status == 302
        time.sleep(1)


def _look(port, headers, ends, results):
    """So many pages a second, whether or not the ones before have been answered."""
    statuses, pages, threads = Counter(), [], []
    paths = ["/en/", "/en/about/", "/en/application/", "/en/application/institution/", "/en/application/check/"]

    def look(path):
        status, seconds = get(port, path, headers)
        statuses[status] += 1
        pages.append(seconds)

    for number in range(SECONDS * PAGES):
        wait = ends - SECONDS + number / PAGES - time.time()
        if wait > 0:
            time.sleep(wait)
        threads.append(threading.Thread(target=look, args=(paths[number % len(paths)],)))
        threads[-1].start()
    for one in threads:
        one.join()
    results.put({"statuses": statuses, "pages": pages})


def _slow(port, ends):
    """Connections that announce a file and send a byte a second."""

    async def drip():
        while time.time() < ends:
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(
                    b"POST /en/application/file/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n"
                )
                while time.time() < ends:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(1)
            except OSError:
                await asyncio.sleep(1)

    async def all_of_them():
        await asyncio.gather(*(drip() for _ in range(SLOW)))

    asyncio.run(all_of_them())


def _measure(arbiter, memory, stop):
    """The most that each web process has held, in KB."""
    while not stop.wait(0.5):
        for number in Path(f"/proc/{arbiter}/task/{arbiter}/children").read_text().split():
            try:
                status = Path(f"/proc/{number}/status").read_text()
            except OSError:
                continue
            memory[number] = int(re.search(r"VmHWM:\s+(\d+)", status)[1])


def _tidy(stop):
    """Remove older versions, so that ten minutes do not fill the disk."""
    from django.db import connection
    from django.db.models import Max

    from applications.models import Attachment
    from presessions import vault

    while not stop.wait(2):
        newest = Attachment.objects.values("application").annotate(last=Max("pk")).values("last")
        for file in Attachment.objects.exclude(pk__in=newest):
            file.delete()
            vault.storage.delete(file.stored)
    connection.close()


if __name__ == "__main__":
    main()
