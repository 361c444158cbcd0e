"""The weather: starts the product's processes as an operator would, kills them at random moments, brings them back.

Everything is a process of its own in a temporary folder, and dies with us. What falls is drawn beforehand from a seed;
which process it hits is chance.
"""

import heapq
import itertools
import json
import os
import random
import secrets
import signal
import time
from collections import Counter
from contextlib import ExitStack, suppress

import psycopg2
import redis

from presessions import devservers, vault
from tests.storm.forms import Form
from tests.storm.judge import Letter
from tests.storm.people import address
from tests.storm.programs import ROOT, Program, Sink, Staff, is_stopped

SECONDS_TO_SETTLE = 60  # promise M1, after the last fault
PATIENCE = 1800  # seconds after which a storm that does not end is a failure of its own


class Storm:
    """Use it in a `with` block: everything runs inside, and nothing is left behind."""

    def __init__(self, form, seed, say=lambda words: None):
        self.form, self.seed, self.say = form, seed, say
        self.chance = random.Random(seed)
        self.fallen = Counter()
        self.plan = []  # (share of the letters that have arrived, what falls then)
        self.diary = []  # (when, number, what to do then)
        self.numbers = itertools.count()
        self.misses = 0  # freezes that caught nobody
        self.killed_at = time.monotonic()  # the last time, whoever it was
        self.down = set()  # what is dead and will be brought back
        self.connection = None
        self.wanting_turns = set()  # letters seen waiting for their turn at a domain
        self.began = self.spoke = time.monotonic()

    # --- Before ---------------------------------------------------------------------------------------------------

    def __enter__(self):
        with ExitStack() as stack:
            folder = stack.enter_context(devservers.temporary_folder())
            self.postgres = stack.enter_context(devservers.Postgres(folder, durable=True))
            self.redis = stack.enter_context(devservers.Redis(folder))
            self.sink = stack.enter_context(Sink(folder, self.seed, calm=self.form.is_calm))
            environment = self._environment(folder)

            def program(name, *arguments):
                return Program(name, *arguments, folder=folder, environment=environment)

            celery = ["-m", "celery", "--app=presessions", "--quiet"]
            worker = [
                *celery,
                "worker",
                "--concurrency=3",
                "--without-gossip",
                "--without-mingle",
                "--loglevel=warning",
            ]
            self.workers = [program(f"worker{n}", *worker, f"--hostname=storm{n}@%h") for n in range(self.form.workers)]
            self.beats = [
                program(f"beat{n}", *celery, "beat", f"--schedule={folder / f'beat{n}'}", "--pidfile=")
                for n in range(self.form.beats)
            ]
            self.fallback = program("send_due", "manage.py", "send_due", "--seconds=20")
            self.programs = [*self.workers, *self.beats, self.fallback]
            self.noted = folder / "noted"

            for one in (*self.workers, *self.beats):  # until there are tables, all they do is complain
                stack.enter_context(one)
            self.staff = Staff("staff", "-m", "tests.storm.staff", folder=folder, environment=environment)
            stack.enter_context(self.staff)
            stack.enter_context(self.fallback)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *failure):
        self.stack.close()

    def _environment(self, folder):
        known = {
            name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")
        }  # its roles, too
        return {
            **known,
            "DJANGO_SETTINGS_MODULE": "tests.storm.settings",
            "PYTHONPATH": str(ROOT),
            "SECRET_KEY": secrets.token_urlsafe(48),
            "VAULT_KEYSET": vault.new_keyset(),
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "SMTP_URL": f"smtp://127.0.0.1:{self.sink.port}",
            "PUBLIC_URL": "http://localhost",
            "MAIL_DOMAIN": "presessions.example.org",
            "MAIL_FROM": "pre-sessions@example.org",
            "MAIL_BOUNCE_DOMAIN": "bounces.example.org",
            "MAIL_JOURNAL": str(folder / "noted"),
            "PRIVATE_FILES": str(folder / "private"),
            "STORM_LETTERS": str(self.form.letters),
            "STORM_MAILINGS": str(self.form.mailings),
            "STORM_LEASE": str(self.form.lease),
        }

    # --- During ---------------------------------------------------------------------------------------------------

    def blow(self):
        """Let everything fall that the form names, at random moments, repairing as an operator's system would.

        It is spread over the letters and not over the clock, so that a slow machine has the same storm. When it is over
        nothing is killed any more, and the SMTP server behaves; most letters have met it at its worst.
        """
        most = self.form.most
        for kind in Form.AT_RANDOM:
            self.plan += [(self.chance.uniform(0, most), kind) for _ in range(getattr(self.form, kind))]
        for kind, first in Form.AIMED.items():
            times = getattr(self.form, kind)
            self.plan += [((number + first) * most / times, kind) for number in range(times)]
        self.plan.sort()
        self._wait_until(lambda: not self.plan and not self.diary and self._arrived() >= most)
        self.sink.be_calm()
        self.ended = time.monotonic()

    def settle(self):
        """Wait until the outbox has nothing left to do; returns whether that came within the promised time."""
        self._look_for_turns()
        settled = self._wait_until(lambda: self._ahead() == 0, PATIENCE if self.form.is_calm else SECONDS_TO_SETTLE)
        self.settled = time.monotonic()
        time.sleep(0.5)  # whoever still believes in an old lease would try now
        return settled

    def _wait_until(self, happened, seconds=PATIENCE):
        """Look after everything until it has happened; False when the time was up before."""
        ends, looked = time.monotonic() + seconds, 0
        while time.monotonic() < ends:
            if time.monotonic() - looked > 0.1:
                if happened():
                    return True
                looked = time.monotonic()
            self._watch()
        return False

    def _watch(self):
        """One look around: what falls, what is due in the diary, who has died by itself."""
        arrived = self._arrived()
        while self.plan and self.plan[0][0] <= arrived:
            getattr(self, self.plan.pop(0)[1])()
        if time.monotonic() - self.spoke > 10:
            self.spoke = time.monotonic()
            self.say(self._progress(arrived))
        while self.diary and self.diary[0][0] <= time.monotonic():
            heapq.heappop(self.diary)[2]()
        for program in self.programs:
            if not program.alive and program not in self.down:
                self._revive(program, within=0.2)  # `send_due` whose time was up, or that found no database
        time.sleep(0.01)

    def _progress(self, arrived):
        self._look_for_turns()
        passed = self.spoke - self.began
        left = f", {passed / arrived - passed:.0f} s left" if arrived > 0.05 else ""
        counts = {name.strip(): count for name, count in self.counts().items() if count and not name.startswith("  ")}
        return f"{passed:4.0f} s, {arrived:4.0%} of {self.form.letters} arrived{left}: {counts}"

    def _look_for_turns(self):
        self.wanting_turns |= set(self._ask("SELECT id FROM mail_letter WHERE paced"))

    def _later(self, seconds, do):
        heapq.heappush(self.diary, (time.monotonic() + seconds, next(self.numbers), do))

    def _revive(self, server, within):
        self.down.add(server)

        def start():
            server.start()
            self.down.discard(server)

        self._later(self.chance.uniform(0, within), start)

    def _kill(self, server, kind, within):
        """Kill it if it runs, and bring it back; what is down already falls a little later."""
        if server in self.down:
            return self._later(0.2, getattr(self, kind))
        server.kill()
        self.fallen[kind] += 1
        self.killed_at = time.monotonic()
        self._revive(server, within)

    def kill_child(self):
        children = [child for worker in self.workers for child in worker.children() if not is_stopped(child)]
        if not children:
            return self._later(0.2, self.kill_child)
        self._strike([self.chance.choice(children)], signal.SIGKILL, "kill_child")

    def kill_writers(self):
        """Wait for a mailing that is half written, and kill all who could be writing it."""
        if not self._ask("SELECT 1 FROM mail_letter WHERE state = 'pending' AND next_attempt_at IS NULL LIMIT 1"):
            return self._later(0.05, self.kill_writers)
        self.fallen["kill_writers"] += 1
        self._kill_all_children()
        self.kill_fallback()

    def kill_unanswered(self):
        sending = {row[0] for row in self._ask("SELECT message_id FROM mail_letter WHERE state = 'sending'")}
        if len(sending & self.sink.lately()) < 2:
            return self._later(0.02, self.kill_unanswered)
        self.fallen["kill_unanswered"] += 1
        self._kill_all_children()

    def _kill_all_children(self):
        self._strike([child for worker in self.workers for child in worker.children()], signal.SIGKILL, "kill_child")

    def freeze(self):
        children = [child for child in self.chance.choice(self.workers).children() if not is_stopped(child)]
        if not children:
            return self._later(0.2, self.freeze)
        self._strike(children, signal.SIGSTOP, "freeze")
        self._later(self.form.lease + self.chance.uniform(0.3, 1), lambda: self.thaw(children))

    def freeze_holders(self):
        """While the queue is short, or nobody would take over in time, freeze a worker that has claimed letters."""
        due = "SELECT count(*) FROM mail_letter WHERE state IN ('pending', 'deferred') AND next_attempt_at < now()"
        if not self._claimed() or self._ask(due) > [(150,)]:
            return self._later(0.02, self.freeze_holders)
        children = self.chance.choice(self.workers).children()
        if not children or any(map(is_stopped, children)):
            return self._later(0.1, self.freeze_holders)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGSTOP)
        held, killed_at = self._claimed(), self.killed_at
        time.sleep(0.1)
        held &= self._claimed()  # those of the others have moved on
        if len(held) < (2 if self.misses < 10 else 1):
            return self._freeze_others(children)
        return self._later(self.form.lease / 2, lambda: self._keep_frozen(children, held, killed_at))

    def _keep_frozen(self, children, held, killed_at):
        """They do hold letters, unless somebody was killed meanwhile, or somebody awake waits for a slow server."""
        held &= self._claimed()
        if self.killed_at != killed_at or not held:
            return self._freeze_others(children)
        self.fallen["freeze"] += len(children)
        self.fallen["freeze_holders"] += 1
        return self._thaw_when_taken(children, held, time.monotonic() + 15)

    def _freeze_others(self, children):
        self.misses += 1
        for child in filter(is_stopped, children):
            os.kill(child, signal.SIGCONT)
        return self._later(0.05, self.freeze_holders)

    def _thaw_when_taken(self, children, held, at_last):
        of_all = set(self._ask("SELECT id, attempts FROM mail_letter"))
        if time.monotonic() < at_last and held & of_all:  # nobody has tried them again yet
            return self._later(0.1, lambda: self._thaw_when_taken(children, held, at_last))
        return self.thaw(children)

    def _claimed(self):
        """Letters that somebody alive has claimed and not yet marked, each with the number of its attempt. What was
        claimed before the last kill may be a dead man's."""
        claimed = """
            SELECT id, attempts FROM mail_letter
            WHERE phase = 'claimed' AND lease_until > clock_timestamp() + make_interval(secs => %s)
        """
        return set(self._ask(claimed, self.form.lease - (time.monotonic() - self.killed_at)))

    def thaw(self, children):
        self._strike(filter(is_stopped, children), signal.SIGCONT, "thaw")  # unless killed in their sleep

    def _strike(self, children, signal_number, kind):
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal_number)
                self.fallen[kind] += 1
        if signal_number == signal.SIGKILL:
            self.killed_at = time.monotonic()

    def kill_worker(self):
        awake = [worker for worker in self.workers if not any(map(is_stopped, worker.children()))]
        if not awake:
            return self._later(0.2, self.kill_worker)
        return self._kill(self.chance.choice(awake), "kill_worker", within=0.5)

    def kill_fallback(self):
        self._kill(self.fallback, "kill_fallback", within=0.5)

    def restart_redis(self):
        self._kill(self.redis, "restart_redis", within=1)

    def restart_sink(self):
        self._kill(self.sink, "restart_sink", within=1)

    def restart_beat(self):
        self._kill(self.chance.choice(self.beats), "restart_beat", within=1)

    def crash_postgres(self):
        self._kill(self.postgres, "crash_postgres", within=0.5)

    def flush(self):
        if self.redis in self.down:
            return self._later(0.2, self.flush)
        with redis.Redis.from_url(self.redis.url) as client:
            client.flushall()
        self.fallen["flush"] += 1

    # --- After ----------------------------------------------------------------------------------------------------

    def counts(self):
        fallen, (offered, faults) = self.fallen, self.sink.faults()
        return {
            "SIGKILL": fallen["kill_child"] + fallen["kill_worker"] + fallen["kill_fallback"],
            "  of a worker with its children": fallen["kill_worker"],
            "  of send_due": fallen["kill_fallback"],
            "  of all who write, amid writing": fallen["kill_writers"],
            "  of all, amid an answer": fallen["kill_unanswered"],
            "SIGSTOP": fallen["freeze"],
            "  thawed beyond the lease": fallen["thaw"],
            "FLUSHALL": fallen["flush"],
            "Redis restarts": fallen["restart_redis"],
            "SMTP server restarts": fallen["restart_sink"],
            "beat restarts": fallen["restart_beat"],
            "PostgreSQL crashes": fallen["crash_postgres"],
            "mails offered to the SMTP server amid faults": offered,
            "  of 100 mails, met an SMTP fault": round(100 * faults / offered, 1) if offered else 0,
            "mailings held for failures": self.staff.resumed(),
            "letters seen waiting for their turn": len(self.wanting_turns),
        }

    def times(self):
        storm = {
            "seconds until the last fault": round(self.ended - self.began),
            "seconds from then until all was settled": round(self.settled - self.ended, 1),
        }
        return {**({} if self.form.is_calm else storm), "seconds in all": round(self.settled - self.began)}

    def fell_short(self):
        """What should have fallen more often than it did."""
        kinds = {kind: getattr(self.form, kind) for kind in (*Form.AT_RANDOM, *Form.AIMED)}
        counts = {name.strip(): count for name, count in self.counts().items()}
        short = {kind: (self.fallen[kind], times) for kind, times in kinds.items()}
        short |= {name: (counts[name], least) for name, least in self.form.least.items()}
        return {name: f"{count} of {times}" for name, (count, times) in short.items() if count < times}

    def letters(self):
        rows = self._ask(
            """
            SELECT recipient_id::int, state, uncertain_at IS NOT NULL, message_id, body_sha256,
                   (SELECT count(*) FROM mail_personallink WHERE letter_id = mail_letter.id)
            FROM mail_letter
            """
        )
        return [Letter(address(number, self.form.letters), *facts) for number, *facts in rows]

    def journal(self):
        """The Message-IDs in the product's own journal of what was accepted; one per line, in no order."""
        lines = [line for slot in self.noted.glob("*.jsonl") for line in slot.read_text().splitlines()]
        return [json.loads(line)["message_id"] for line in lines if line.endswith("}")]

    def people(self):
        return [address(number, self.form.letters) for number in range(self.form.letters)]

    def history(self, victim):
        """What happened to the letters of one recipient, for whoever must find out why."""
        number = victim.removeprefix("person").split("@")[0]
        return self._ask(
            """
            SELECT letter_id, number, to_char(at, 'MI:SS.MS'), attempt.state, attempt.phase, attempt.code
            FROM mail_attempt attempt JOIN mail_letter ON letter_id = mail_letter.id
            WHERE recipient_id = %s ORDER BY attempt.id
            """,
            number,
        )

    def _arrived(self):
        return self.sink.count() / self.form.letters

    def _ahead(self):
        """How many letters are on their way or to be written; those held for staff are where they should be."""
        rows = self._ask(
            """
            SELECT (SELECT count(*) FROM mail_letter WHERE state IN ('pending', 'sending', 'deferred')),
                   (SELECT count(*) FROM mail_mailing WHERE kind = 'storm' AND state IN ('planned', 'writing'))
            """
        )
        if not rows:
            return self.form.letters
        [(letters, mailings)] = rows
        return letters + mailings * self.form.letters // self.form.mailings

    def _ask(self, question, *values):
        """Look into the database; nothing while it is down."""
        try:
            if self.connection is None:
                self.connection = psycopg2.connect(self.postgres.url)
                self.connection.autocommit = True
            with self.connection.cursor() as cursor:
                cursor.execute(question, values)
                return cursor.fetchall()
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self.connection = None
            return []
