"""C8: we call nobody. tests/connections.py refuses every far connection of the whole suite and fails the test that
wanted it; here it is tried out. What else would reach the network: the parsers of files, and code of ours that opens
connections without anybody having thought of it."""

import ast
import os
import socket
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from applications import sandbox
from tests.connections import near
from tests.setup.test_gate import gate  # noqa: F401

HOME = Path(__file__).resolve().parents[2]
FAR = "192.0.2.7"  # RFC 5737: an address that is nobody's
OPENS = {"asyncio", "dns", "ftplib", "http", "imaplib", "poplib", "redis", "smtplib", "socket", "socketserver", "ssl",
         "urllib.request", "xmlrpc", "requests", "httpx", "urllib3", "aiohttp", "boto3", "botocore"}  # fmt: skip
CALLERS = {
    "presessions/mail/wire.py": "SMTP_URL, our relay",
    "presessions/mail/relay.py": "ALERT_SMTP_URL, the relay for alarms",
    "presessions/mail/inbox.py": "INBOX_URL, our mailbox",
    "presessions/mail/troubles.py": "REDIS_URL: does it live",
    "presessions/mail/management/commands/check_mail_domain.py": "the name servers, for our own domain",
    "applications/scanner.py": "CLAMAV_URL, the scanner",
    "presessions/objects.py": "S3_*, the store of private files, where one is chosen",
    "applications/throttle.py": "only the errors of Redis",
    "applications/files.py": "only the errors of Redis",
    "presessions/devservers.py": "development only: servers of this machine",
    "presessions/run.py": "development only: asks its own web process whether it is up",
    "presessions/sink.py": "development only: receives mail",
}


@pytest.fixture
def noticed(pytestconfig):
    """Where this test wanted to go, taken off the list that would fail it."""
    return pytestconfig.pluginmanager.getplugin("connections").wanted


# --- Nobody is reached -----------------------------------------------------------------------------------------------


def connect():
    socket.create_connection((FAR, 443), timeout=1)


def connect_by_number():
    with socket.socket() as line:
        line.settimeout(1)
        line.connect_ex((FAR, 443))


def send_a_datagram():
    with socket.socket(type=socket.SOCK_DGRAM) as line:
        line.sendto(b"who is there", (FAR, 53))


def ask_for_a_name():
    socket.getaddrinfo("hooks.example.org", 443)


def ask_in_the_old_way():
    socket.gethostbyname("hooks.example.org")


def open_a_database():
    psycopg2.connect(f"postgres://{FAR}/presessions", connect_timeout=1)


WAYS = {
    connect: f"{FAR}:443",
    connect_by_number: f"{FAR}:443",
    send_a_datagram: f"{FAR}:53",
    ask_for_a_name: "hooks.example.org:443",
    ask_in_the_old_way: "hooks.example.org",
    open_a_database: FAR,
}


@pytest.mark.parametrize("way", WAYS)
def test_another_machine_is_not_reached_and_is_named(noticed, way):
    with pytest.raises(near.Far):
        way()
    (note,) = noticed()
    assert note.startswith(f"{WAYS[way]} (by ")


def test_nor_by_a_process_that_a_test_starts(noticed):
    code = f"import socket; socket.create_connection(({FAR!r}, 25), timeout=1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "near.Far" in done.stderr
    assert noticed() == [f"{FAR}:25 (by -c)"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST.", b"localhost", "", None, "0.0.0.0", "::"]
)
def test_this_machine_is_near(host):
    assert near.is_near(host)


@pytest.mark.parametrize(
    "host", [FAR, "10.0.0.1", "169.254.169.254", "fe80::1%eth0", "localhost.example.org", "2001:db8::1", b"example.org"]
)
def test_nobody_else_is(host):
    assert not near.is_near(host)


def test_servers_of_this_machine_answer(noticed):
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    assert noticed() == []


FAR_TEST = f"""
import socket
def test_far():
    try:
        socket.create_connection(({FAR!r}, 443), timeout=1)
    except OSError:
        pass  # as code does that goes on without
"""


@pytest.mark.parametrize("processes", ["-n0", "-n1"])
def test_a_test_that_tries_has_failed_though_nothing_came_of_it(gate, processes):  # noqa: F811
    done = gate(processes, "-p", "tests.connections", test_far=FAR_TEST)
    assert done.returncode == 1
    assert f"reached for another machine: {FAR}:443" in done.stdout


def test_our_own_pytest_settings_watch_every_test(pytestconfig):
    assert pytestconfig.pluginmanager.hasplugin("connections")
    assert os.environ[near.FOLDER]


# --- Nothing of ours wants to ----------------------------------------------------------------------------------------


def imported(path):
    """Names of all modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{one.name}" for one in node.names)


def opens_connections(path):
    return any(name == one or name.startswith(f"{one}.") for name in imported(path) for one in OPENS)


def test_only_these_modules_open_connections_each_to_what_a_setting_names():
    rooms = (HOME / "presessions", HOME / "applications", HOME / "missions")
    files = [path for room in rooms for path in room.rglob("*.py")]
    assert {str(path.relative_to(HOME)) for path in files if opens_connections(path)} == CALLERS.keys()


ESCAPE = """
import sys; sys.path.insert(0, {folder!r})
import ctypes, os, socket, limits
limits.give_up_rights("clean")
for name, attempt in {{
    "a socket": lambda: socket.socket(),
    "one in the place of standard input": lambda: (os.close(0), socket.socket()),
    "by the C library": lambda: ctypes.CDLL(None, use_errno=True).socket(2, 1, 0) >= 0 or 1 / 0,
    "a pair": lambda: socket.socketpair(),
    "a process": lambda: os.fork() or os._exit(0),
}}.items():
    try:
        attempt()
    except (OSError, ZeroDivisionError):
        continue
    print(name)
"""


def test_what_parses_a_file_can_open_no_connection_at_all():
    """As another user where we are root: the kernel does not count root's processes."""
    code = ESCAPE.format(folder=str(sandbox.PROGRAM))
    command = [sys.executable, "-I", "-B", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env={}, cwd="/")
    escaped = [line for line in done.stdout.splitlines() if line != "a process" or os.geteuid()]
    assert (done.returncode, done.stderr, escaped) == (0, "", [])


def test_the_servers_of_tests_listen_on_this_machine_alone(settings):
    assert near.is_near(settings.DATABASES["default"]["HOST"])
    assert "@127.0.0.1:" in settings.REDIS_URL
    assert _listens_near(settings.REDIS_URL)


def _listens_near(url):
    """Whether nobody answers at that port on an address of this machine that others could reach."""
    port = int(url.rpartition(":")[2].partition("/")[0])
    listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
    places = [line.split()[1].split(":")[0] for line in listening if line.split()[1].endswith(f":{port:04X}")]
    return set(places) == {"0100007F"}
