"""`make run`: the whole application with a demonstration in it, as one tree of processes in the foreground.
Wiring, for development only; the deployed application is docker-compose.yml.

    python -m presessions.run             until Ctrl-C; what it knows stays in var/
    python -m presessions.run --forget    remove var/, so that the next run starts afresh
    python -m presessions.run --code      what the phone of the demonstration's staff shows now

PORT, VAR (another folder), DATABASE_URL, REDIS_URL and SMTP_URL are honoured; a server whose address is given is not
started here.
"""

import base64
import fcntl
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from django_otp import oath

from presessions import devservers, vault

HOME = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("VAR", HOME / "var")).absolute()
SERVERS = ("DATABASE_URL", "REDIS_URL", "SMTP_URL")
STAFF = "staff@example.org"
MISSION = "mission-se@example.org"  # one that answers, in the demonstration
TOO_OFTEN = 3  # deaths of one process
WITHIN = 60  # seconds, after which we stop starting it again


class Process(devservers.Server):
    """One of our own programs, watched like a server; its words go to var/log/."""

    working_folder = HOME
    patience = 5  # a worker finishes the letter in its hands; one that a slow server holds up survives a kill too

    def __init__(self, name, *arguments, environment, answers=lambda: True):
        self.name, self.arguments, self.environment, self._answers = name, arguments, environment, answers
        super().__init__(VAR / "log")

    def _command(self):
        return [sys.executable, *map(str, self.arguments)], None


def main():
    port = int(os.environ.get("PORT", 8000))
    if "--code" in sys.argv:
        return print(code())
    for request_to_stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(request_to_stop, signal.default_int_handler)
    VAR.mkdir(mode=0o711, parents=True, exist_ok=True)  # `nobody` passes through to its database when we are root
    with ExitStack() as servers:
        servers.enter_context(only_one())
        if "--forget" in sys.argv:
            return forget()
        if taken(port):
            sys.exit(f"Port {port} is taken. Choose another: PORT={port + 1} make run")
        try:
            watch(start(servers, port))
        except KeyboardInterrupt:
            print("\nStopping …", flush=True)
        except devservers.CannotStart as why:
            sys.exit(f"\n{why}")


def start(servers, port):
    """Start everything in its order; return what to watch. The stack ends it in the opposite order."""
    print("Pre-sessions is starting.", flush=True)
    ours = {
        "PUBLIC_URL": f"http://localhost:{port}",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "MAIL_DOMAIN": "presessions.example.org",
        "MAIL_FROM": "pre-sessions@example.org",
        "CLAMAV_URL": "none",
        "PRIVATE_FILES": str(VAR / "private"),
        "MAIL_JOURNAL": str(VAR / "journal"),
        "STATIC_ROOT": str(VAR / "static"),
        "DEMO_STAFF_EMAIL": STAFF,
        **secrets_of_this_machine(),
    }
    ours |= {name: os.environ[name] for name in (*ours, *SERVERS) if name in os.environ}
    watched = []

    def begin(server):
        watched.append(servers.enter_context(server))
        return server

    if "DATABASE_URL" not in ours:
        with step("PostgreSQL"):
            postgres = begin(devservers.Postgres(VAR))
            ours["DATABASE_URL"] = postgres.url
        if not postgres.home.is_relative_to(VAR):
            print(f"      It runs as nobody and keeps its data where that user gets in: {postgres.home}")
    if "REDIS_URL" not in ours:
        with step("Redis"):
            ours["REDIS_URL"] = begin(devservers.Redis(VAR)).url
    if "SMTP_URL" not in ours:
        with step("Mail catcher"):
            smtp_port = devservers.free_port()
            sink = ["-m", "presessions.sink", VAR / "mail", smtp_port]
            begin(Process("sink", *sink, environment=dict(os.environ), answers=lambda: taken(smtp_port)))
            ours["SMTP_URL"] = f"smtp://127.0.0.1:{smtp_port}"
    environment = {**os.environ, **ours}
    devservers.write_secret(VAR / "env", "".join(f"{name}={shlex.quote(value)}\n" for name, value in ours.items()))

    for what, command in [
        ("Tables", ["migrate", "--verbosity=0"]),
        ("Static files", ["collectstatic", "--no-input", "--verbosity=0"]),
        ("UPR calendar", ["load_calendar"]),
        ("Demonstration", ["demo"]),
    ]:
        with step(what):
            manage(command, environment)

    celery = ["-m", "celery", "--app=presessions", "--quiet"]
    with step("Web"):
        web = ["-m", "gunicorn", "--config=python:presessions.serving", f"--bind=127.0.0.1:{port}", "--threads=8"]
        begin(Process("web", *web, environment=environment, answers=lambda: healthy(port)))
    with step("Worker, beat, watch"):
        worker = ["worker", "--concurrency=1", "--without-gossip", "--without-mingle", "--loglevel=info"]
        begin(Process("worker", *celery, *worker, environment=environment))
        begin(Process("beat", *celery, "beat", "--pidfile=", "--loglevel=warning", environment=environment))
        begin(Process("watch", "manage.py", "watch", environment=environment))

    if "SMTP_URL" in os.environ:
        server = urlsplit(ours["SMTP_URL"])
        mail = f"really goes out, by {server.hostname}:{server.port or 'its usual port'}"
    else:
        mail = f"{_seen_from_home(VAR / 'mail')}/, each letter as it went (.eml) and to read (.txt)"
    print(
        f"""
Pre-sessions runs at  http://localhost:{port}/
  staff               http://localhost:{port}/admin/   {STAFF}   {ours["DEMO_STAFF_PASSWORD"]}
                      and a code: `make code` says it; each counts once, and a new one comes every 30 seconds
  a mission           {link_of_a_mission()}
  mail                {mail}
  mail's health       http://localhost:{port}/health/mail
  logs                {_seen_from_home(VAR / "log")}/
  by hand             set -a; . {_seen_from_home(VAR / "env")}; .venv/bin/python manage.py help
Ctrl-C stops everything and keeps the data; `make demo-reset` forgets it.
""",
        flush=True,
    )
    return watched


def link_of_a_mission():
    """The newest personal link in the letters to one mission: of the series that is over, until another is invited."""
    for letter in sorted((VAR / "mail").glob(f"*-{MISSION}.txt"), reverse=True):
        if found := re.search(r"\S+/invitation/[\w-]{40,}/(?=\s)", letter.read_text()):
            return found[0]
    return "its link comes by mail, with the invitation"


def _seen_from_home(path):
    return path.relative_to(HOME) if path.is_relative_to(HOME) else path


def watch(servers):
    """Bring back whatever dies, and say so; give up on what dies at once again and again."""
    deaths = {server.name: [] for server in servers}
    while True:
        time.sleep(0.5)
        for server in servers:
            if server.alive:
                continue
            now = time.monotonic()
            deaths[server.name] = [then for then in deaths[server.name] if now - then < WITHIN] + [now]
            if len(deaths[server.name]) == TOO_OFTEN:
                raise devservers.CannotStart(
                    f"{server.name} died {TOO_OFTEN} times within {WITHIN} seconds: {server.log}"
                )
            print(f"{server.name} died (exit status {server.process.returncode}) and is started again.", flush=True)
            server.start()


def forget():
    if not (VAR / "secrets").exists():
        sys.exit(f"There is no demonstration in {VAR}.")
    database = VAR / "postgres"
    if database.is_symlink():
        shutil.rmtree(database.resolve())
    shutil.rmtree(VAR)
    print("The demonstration is forgotten.")


def secrets_of_this_machine():
    """Made once, kept in var/secrets."""
    path = VAR / "secrets"
    if not path.exists():
        made = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "VAULT_KEYSET": vault.new_keyset(),
            "DEMO_STAFF_PASSWORD": secrets.token_urlsafe(9),
            "DEMO_STAFF_PHONE": base64.b32encode(secrets.token_bytes(20)).decode(),
        }
        devservers.write_secret(path, json.dumps(made, indent=2))
    return json.loads(path.read_text())


def code():
    """The six digits that let the demonstration's staff in, as their phone would show them."""
    path = VAR / "secrets"
    if not path.exists():
        sys.exit(f"There is no demonstration in {VAR}: begin with `make run`.")
    key = json.loads(path.read_text()).get("DEMO_STAFF_PHONE")
    if not key:
        sys.exit("This demonstration is older than the second factor: `make demo-reset`, then `make run`.")
    return f"{oath.totp(base64.b32decode(key)):06d}"


def manage(command, environment):
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=HOME,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=devservers.end_with_owner(signal.SIGTERM),
    )
    if done.returncode:
        raise devservers.CannotStart(f"manage.py {command[0]} failed:\n{done.stdout[-4000:]}")


@contextmanager
def step(what):
    began = time.monotonic()
    print(f"  {what:<18}", end="", flush=True)
    yield
    print(f"{time.monotonic() - began:5.1f} s", flush=True)


@contextmanager
def only_one():
    """Two at once would share one database folder."""
    with (VAR / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"Pre-sessions already runs from {HOME}. Stop that first, with Ctrl-C where it was started.")
        yield


def taken(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def healthy(port):
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/live", timeout=5) as answer:
            return answer.status == 200
    except HTTPError as error:
        raise devservers.CannotStart(f"The web process answers {error.code}; see {VAR / 'log' / 'web.log'}") from None
    except (URLError, OSError):
        return False


if __name__ == "__main__":
    main()
