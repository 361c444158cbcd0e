"""O4, the web's half: two replicas behind a proxy, stopped and started one after the other (SIGTERM, as a
deployment does it), while people send files and applications and others read: no answer of 500 or more, nothing lost,
nothing twice.

One round and one reload; with STORM=full the twenty of the promise. A start takes seconds: each imports all of Django.
"""

import hashlib
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from applications.models import Application
from presessions import devservers, vault
from presessions.mail.models import Letter
from tests.applications import hostile
from tests.applications.factories import StateCallFactory, answers
from tests.applications.proxy import proxy
from tests.applications.web import COMMAND, ROOT, Person, database_url

ROUNDS, PEOPLE = (20, 4) if os.environ.get("STORM") == "full" else (1, 3)

pytestmark = pytest.mark.django_db(transaction=True)


class Replica(devservers.Server):
    """One web process as it is deployed."""

    patience = 40

    def __init__(self, folder, number, *, host="127.0.0.1", port=None):
        self.name, self.host, self.working_folder = f"web-{number}", host, ROOT
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "PRIVATE_FILES": str(settings.PRIVATE_FILES),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }
        super().__init__(folder, port=port)

    def _command(self):
        return [*COMMAND, f"--bind={self.host}:{self.port}"], None

    def _answers(self):
        try:
            return asked(self.port, "/health/live", host=self.host) == 200
        except OSError:
            return False

    def end(self):
        """Ask it to end; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(self.patience)


def asked(port, path, *, host="127.0.0.1"):
    line = http.client.HTTPConnection(host, port, timeout=30)
    try:
        line.request("GET", path, headers={"Host": "localhost"})
        answer = line.getresponse()
        answer.read()
        return answer.status
    finally:
        line.close()


class Careful(Person):
    """Notes each answer that nobody should get, and each line that was dropped."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.troubles = []

    def _try(self, method, path, body, kind):
        try:
            answer = super()._try(method, path, body, kind)
        except (OSError, http.client.HTTPException) as trouble:
            self.troubles.append(f"{timezone.now():%T.%f} {method} {path}: {trouble!r}")
            raise
        if answer[0] >= 500:
            self.troubles.append(f"{timezone.now():%T.%f} {method} {path}: {answer[0]} {answer[2]}")
        return answer


class Load:
    """People who send all they have to send, one application after the other, until it is over."""

    def __init__(self, port, state_call):
        self.port, self.state_call = port, state_call
        self.over, self.troubles, self.shown, self.pages = threading.Event(), [], {}, 0
        self.threads = [threading.Thread(target=self.send, args=(who,)) for who in range(PEOPLE)]
        self.threads.append(threading.Thread(target=self.read))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *failure):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def send(self, who):
        number = 0
        try:
            while not self.over.is_set():
                number += 1
                self.send_one(f"person{who}-{number}@example.org", in_pieces=number % 2)
        except Exception as trouble:
            self.troubles.append(repr(trouble))
        finally:
            connection.close()

    def send_one(self, email, in_pieces):
        now = timezone.now()
        application = Application.start(self.state_call, email=email, language="en", now=now)
        for section, given in answers().items():
            application.save_section(section, given, now=now)
        person, content = Careful(self.port, application), paper()
        (person.send_in_pieces if in_pieces else person.send_whole)(content)
        person.send_application()
        reference, proof = person.receipt()
        self.troubles += person.troubles
        self.shown[reference] = email
        assert proof == hashlib.sha256(content).hexdigest()

    def read(self):
        while not self.over.is_set():
            try:
                status = asked(self.port, "/en/")
                if status != 200:
                    self.troubles.append(f"GET /en/: {status}")
            except OSError as trouble:
                self.troubles.append(repr(trouble))
            self.pages += 1


def paper():
    size = 200_000
    return hostile.pdf(lambda document: document.Root.__setitem__("/Scan", document.make_stream(os.urandom(size))))


def open_call():
    now = timezone.now()
    moments = {"opens_at": now - timedelta(days=30), "call_closes_at": now + timedelta(days=10)}
    return StateCallFactory(**moments, now=now - timedelta(days=20))


def wait_for_more(load, seconds=60):
    """Until somebody has been served since: a restart during which nobody asks proves nothing."""
    shown, pages, ends = len(load.shown), load.pages, time.monotonic() + seconds
    while time.monotonic() < ends and not (len(load.shown) > shown and load.pages > pages):
        time.sleep(0.05)


def test_replicas_are_restarted_one_after_the_other_and_nobody_notices(tmp_path, settings, capsys):
    settings.PRIVATE_FILES = tmp_path / "private"
    ends = []
    with ExitStack() as stack:
        replicas = [stack.enter_context(Replica(tmp_path, number)) for number in (1, 2)]
        port = stack.enter_context(proxy([(replica.host, replica.port) for replica in replicas]))
        load = stack.enter_context(Load(port, open_call()))
        for replica in replicas * ROUNDS:
            wait_for_more(load)
            ends.append(replica.end())
            replica.start()
        replicas[0].process.send_signal(signal.SIGHUP)  # a reload: new workers behind the same door
        for _ in range(2):
            wait_for_more(load)

    assert load.troubles == []
    assert set(ends) == {0}
    assert len(load.shown) >= 2 * ROUNDS
    sent = Application.objects.exclude(submitted_at=None)
    assert {row.reference for row in sent} >= load.shown.keys()
    for reference, email in load.shown.items():
        application = Application.objects.get(reference=reference)
        assert application.email == email
        with vault.storage.open(application.upr_submission.stored) as file:
            assert hashlib.sha256(file.read()).hexdigest() == application.upr_submission.sha256
    received = Letter.objects.filter(kind="receipt")
    assert received.count() == sent.count()
    if ROUNDS > 1:
        with capsys.disabled():
            print(
                f"\nO4: {len(ends)} restarts of a replica and a reload, {len(load.shown)} applications with their files"
                f" and {load.pages} pages meanwhile: no answer of 500 or more, none lost, none twice"
            )


def test_a_replica_that_is_asked_to_end_answers_who_is_in_its_hands_and_in_its_queue(tmp_path):
    """One thread, kept busy by a request that comes slowly: the others wait, some in the queue of the socket."""
    with Replica(tmp_path, 1) as replica:
        slow = http.client.HTTPConnection(replica.host, replica.port, timeout=30)
        slow.putrequest("POST", "/en/", skip_host=True)
        slow.putheader("Host", "localhost")
        slow.putheader("Content-Length", "10")
        slow.endheaders(b"12345")
        waiting = [http.client.HTTPConnection(replica.host, replica.port, timeout=30) for _ in range(60)]
        for line in waiting:
            line.connect()
        replica.process.send_signal(signal.SIGTERM)
        for line in waiting:
            line.request("GET", "/health/live", headers={"Host": "localhost"})
        assert {line.getresponse().status for line in waiting} == {200}
        with pytest.raises(ConnectionRefusedError):
            asked(replica.port, "/health/live")
        slow.send(b"67890")
        assert slow.getresponse().status < 500
        assert replica.process.wait(30) == 0


@pytest.mark.parametrize(
    "program",
    [["-m", "celery", "--app=presessions", "--quiet", "beat", "--pidfile="], ["manage.py", "watch"]],
    ids=["beat", "watch"],
)
def test_beat_and_watch_end_at_once_when_they_are_asked_to(program, tmp_path, transactional_db):
    said = tmp_path / "said"
    with said.open("w") as out, devservers.Redis(tmp_path) as redis:
        environment = {**os.environ, "DATABASE_URL": database_url(), "REDIS_URL": redis.url}
        process = subprocess.Popen([sys.executable, *program], cwd=ROOT, env=environment, stdout=out, stderr=out)
        try:
            time.sleep(4)
            assert process.poll() is None, said.read_text()
            process.send_signal(signal.SIGTERM)
            assert process.wait(8) in (0, -signal.SIGTERM), said.read_text()
        finally:
            process.kill()
            process.wait()
