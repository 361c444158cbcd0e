"""C9, first half: we do not start with secrets that protect nothing, and sound ones are made by one command.

The other half is test_c9_keys_are_rotated.py: everything goes on under a new key.
"""

import base64
import hashlib
import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from presessions import keys, refusals

HOME = Path(__file__).resolve().parents[2]
SECRET = secrets.token_urlsafe(48)
GOOD = {
    "SECRET_KEY": SECRET,
    "VAULT_KEYSET": keys.new_keyset(),
    "DATABASE_URL": "postgres://presessions:w0rd@database.example.org:5432/presessions?sslmode=verify-full",
    "REDIS_URL": "rediss://:w0rd@redis.example.org:6380/0",
    "SMTP_URL": "smtp+tls://user:w0rd@relay.example.org:587",
    "PUBLIC_URL": "https://pre-sessions.example.org",
    "ALLOWED_HOSTS": "pre-sessions.example.org,localhost",
    "MAIL_DOMAIN": "example.org",
    "MAIL_FROM": "pre-sessions@example.org",
    "PRIVATE_FILES": "/srv/private",
    "CLAMAV_URL": "none",
}


def keyset(*masters, **parts):
    named = {str(number): base64.b64encode(key).decode() for number, key in enumerate(masters, start=1)}
    return json.dumps({"primary": "1", "keys": named, **parts})


RANDOM = secrets.token_bytes(32)
BAD = [
    ("SECRET_KEY", "", "Set SECRET_KEY to 50 random characters"),
    ("SECRET_KEY", "django-insecure-" + secrets.token_urlsafe(48), "SECRET_KEY can be guessed"),
    ("SECRET_KEY", secrets.token_urlsafe(24), "SECRET_KEY can be guessed"),
    ("SECRET_KEY", "a" * 64, "SECRET_KEY can be guessed"),
    ("SECRET_KEY", "0123456789abcdef" * 8, "SECRET_KEY can be guessed"),
    ("SECRET_KEY", "please-change-me-" + secrets.token_urlsafe(48), "SECRET_KEY can be guessed"),
    ("SECRET_KEY", "correct horse battery staple " * 4, "SECRET_KEY can be guessed"),
    ("SECRET_KEY_FALLBACKS", "short", "SECRET_KEY_FALLBACKS can be guessed"),
    ("SECRET_KEY_FALLBACKS", SECRET, "hold one key twice"),
    ("VAULT_KEYSET", "", "Set VAULT_KEYSET, or VAULT_KEYSET_FILE"),
    ("VAULT_KEYSET", "{}", "VAULT_KEYSET must be JSON"),
    ("VAULT_KEYSET", secrets.token_urlsafe(48), "VAULT_KEYSET must be JSON"),
    ("VAULT_KEYSET", keyset(RANDOM, primary="2"), "VAULT_KEYSET needs its primary among its keys"),
    ("VAULT_KEYSET", keyset(RANDOM[:31]), "each of 32 bytes"),
    ("VAULT_KEYSET", keyset(RANDOM, RANDOM), "VAULT_KEYSET holds one key twice"),
    ("VAULT_KEYSET", keyset(RANDOM).replace("}}", f', "1": "{base64.b64encode(RANDOM).decode()}"}}}}'), "must be JSON"),
    ("VAULT_KEYSET", keyset(bytes(32)), "VAULT_KEYSET holds a key that is not random"),
    ("VAULT_KEYSET", keyset(RANDOM, bytes(32)), "VAULT_KEYSET holds a key that is not random"),
    ("VAULT_KEYSET", keyset(bytes(range(32))), "VAULT_KEYSET holds a key that is not random"),
    ("VAULT_KEYSET", keyset(RANDOM[:4] * 8), "VAULT_KEYSET holds a key that is not random"),
    ("VAULT_KEYSET", keyset(b"what a good password this is, eh"), "VAULT_KEYSET holds a key that is not random"),
    ("VAULT_KEYSET", keyset(hashlib.sha256(SECRET.encode()).digest()), "comes from SECRET_KEY"),
    ("VAULT_KEYSET", keyset(base64.urlsafe_b64decode(SECRET)[:32]), "comes from SECRET_KEY"),
    ("VAULT_KEYSET", keyset(RANDOM, hashlib.blake2b(SECRET.encode()).digest()[:32]), "comes from SECRET_KEY"),
    ("DEBUG", "true", "DEBUG shows the insides"),
    ("PUBLIC_URL", "http://pre-sessions.example.org", "PUBLIC_URL begins with http://"),
    ("PUBLIC_URL", "pre-sessions.example.org", "PUBLIC_URL is no address"),
    ("ALLOWED_HOSTS", "", "Set ALLOWED_HOSTS"),
    ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS lets any name in"),
    ("ALLOWED_HOSTS", "other.example.org", "ALLOWED_HOSTS leaves out the host of PUBLIC_URL"),
    ("DATABASE_URL", "", "Set DATABASE_URL"),
    ("DATABASE_URL", "postgres://presessions@database.example.org/presessions", "DATABASE_URL has no password"),
    ("DATABASE_URL", "sqlite:///db.sqlite3", "DATABASE_URL is no address of a PostgreSQL"),
    ("REDIS_URL", "redis://redis.example.org:6379/0", "REDIS_URL has no password"),
    ("REDIS_URL", "http://redis.example.org", "REDIS_URL is no address of a Redis"),
    ("SMTP_URL", "smtp://user:w0rd@relay.example.org", "SMTP_URL would send its password in clear"),
    ("SMTP_URL", "relay.example.org:587", "SMTP_URL is no address of a mail relay"),
    ("ALERT_SMTP_URL", "smtp://user:w0rd@other.example.org", "ALERT_SMTP_URL would send its password in clear"),
    ("CLAMAV_URL", "", "Set CLAMAV_URL to tcp://host:3310 or unix:/path of the virus scanner, or to none"),
    ("CLAMAV_URL", "clamav", "CLAMAV_URL is no address of a scanner"),
    ("MAIL_FROM", "Pre-sessions", "MAIL_FROM is not an e-mail address"),
    ("MAIL_FROM", "UPR Info <pre-sessions@example.org>", "MAIL_FROM is not an e-mail address"),
    ("MAIL_REPLY_TO", "nobody", "MAIL_REPLY_TO is not an e-mail address"),
    ("ALERT_TO", "duty@example.org, ops", "ALERT_TO is not an e-mail address"),
    ("METRICS_TOKEN", "prometheus", "METRICS_TOKEN can be guessed"),
]


@pytest.mark.parametrize("name, value, words", BAD, ids=map(str, range(len(BAD))))  # no random values in names
def test_each_weakness_is_refused_in_a_sentence_that_gives_nothing_away(name, value, words):
    (said,) = refusals.refused({**GOOD, name: value})
    assert words in said
    assert len(value) < 20 or value not in said
    assert "w0rd" not in said


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"SECRET_KEY": secrets.token_hex(32)},
        {"SECRET_KEY": base64.b64encode(secrets.token_bytes(48)).decode()},
        {"SECRET_KEY_FALLBACKS": f"{secrets.token_urlsafe(48)}, {secrets.token_urlsafe(48)}"},
        {"VAULT_KEYSET": keys.Keyset(GOOD["VAULT_KEYSET"]).add("2").promote("2").retire("1").text()},
        {"DATABASE_URL": "postgres:///presessions"},
        {"DATABASE_URL": "postgres://presessions@%2Fvar%2Frun%2Fpostgresql/presessions"},
        {"DATABASE_URL": "postgres://presessions@localhost/presessions"},
        {"DATABASE_URL": "postgres://presessions@db.example.org/presessions?sslcert=/srv/us.crt&sslkey=/srv/us.key"},
        {"DATABASE_URL": "postgres://presessions@db.example.org/presessions", "PGPASSFILE": "/run/secrets/pgpass"},
        {"REDIS_URL": "redis://127.0.0.1:6379/0"},
        {"REDIS_URL": "unix:///run/redis.sock"},
        {"SMTP_URL": "smtp://mailpit:1025"},
        {"SMTP_URL": "smtps://user:w0rd@relay.example.org"},
        {"SMTP_URL": "smtp://user:w0rd@127.0.0.1:2525"},
        {"PUBLIC_URL": "http://localhost:8000", "DEBUG": "true"},
        {"PUBLIC_URL": "http://[::1]:8000", "ALLOWED_HOSTS": "[::1]"},
        {"ALLOWED_HOSTS": ".example.org"},
        {"CLAMAV_URL": "tcp://clamav:3310"},
        {"METRICS_TOKEN": secrets.token_hex(24)},
        {"CLAMAV_URL": "unix:/run/clamd.sock"},
        {"ALERT_TO": "duty@example.net, ops@example.net", "ALERT_SMTP_URL": "smtps://u:w0rd@other.example.net"},
    ],
)
def test_what_is_sound_starts(changed):
    assert refusals.refused({**GOOD, **changed}) == []


def test_a_keyset_in_a_file_is_looked_at_alike(tmp_path):
    file = tmp_path / "keyset"
    without = {name: value for name, value in GOOD.items() if name != "VAULT_KEYSET"}
    (said,) = refusals.refused({**without, "VAULT_KEYSET_FILE": str(file)})
    assert "cannot be read" in said
    file.write_text(keyset(bytes(32)))
    assert "not random" in refusals.refused({**without, "VAULT_KEYSET_FILE": str(file)})[0]
    file.write_text(GOOD["VAULT_KEYSET"])
    assert refusals.refused({**without, "VAULT_KEYSET_FILE": str(file)}) == []


def test_the_example_as_it_stands_is_refused_for_all_that_nobody_filled_in():
    lines = re.findall(r"^(\w+)=(.*)$", (HOME / ".env.example").read_text(), re.M)
    example = {name: value.strip("'") for name, value in lines}
    said = refusals.refused({**example, "DATABASE_URL": "postgres://localhost", "REDIS_URL": "redis://localhost"})
    assert {re.search(r"[A-Z_]{6,}", words)[0] for words in said} >= {"SECRET_KEY", "VAULT_KEYSET", "CLAMAV_URL"}


# Each process that our compose file starts, and the command that somebody types: none runs Django's checks by itself.
PROCESSES = {
    "web": ["-m", "gunicorn", "--bind=127.0.0.1:0", "--no-control-socket", "presessions.wsgi"],
    "worker": ["-m", "celery", "--app=presessions", "worker"],
    "beat": ["-m", "celery", "--app=presessions", "beat", "--pidfile="],
    "watch": ["manage.py", "watch"],
    "migrate": ["manage.py", "migrate", "--no-input"],
}


def test_every_process_refuses_with_all_reasons_at_once_and_gives_nothing_away():
    """Real processes, side by side: seconds of starting Python, and the only proof that none of them goes on."""
    bad = {
        "SECRET_KEY": "django-insecure-CANARY",
        "VAULT_KEYSET": keyset(bytes(32)),
        "DATABASE_URL": "postgres://CANARY@database.example.org/presessions",
        "REDIS_URL": "redis://CANARY.example.org",
        "SMTP_URL": "smtp://user:CANARY@relay.example.org",
        "PUBLIC_URL": "http://CANARY.example.org",
        "ALLOWED_HOSTS": "*",
        "MAIL_FROM": "CANARY",
        "PRIVATE_FILES": "/CANARY",
    }
    ours = {*refusals.NEEDED, "VAULT_KEYSET", "ALERT_TO", "DJANGO_SETTINGS_MODULE"}
    environment = {name: value for name, value in os.environ.items() if name not in ours} | bad
    expected = refusals.refused(bad)
    assert len(expected) == 10
    started = {
        name: subprocess.Popen(
            [sys.executable, *command], cwd=HOME, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )
        for name, command in PROCESSES.items()
    }  # fmt: skip
    for name, process in started.items():
        said, _nothing = process.communicate(timeout=120)
        assert process.returncode, name
        assert [words for words in expected if f"- {words}" not in said] == [], name
        assert "CANARY" not in said, name
        assert "AAAAAAAA" not in said, name


def test_django_has_nothing_to_add_to_a_real_deployment():
    """In a process of its own: what is asked is what the settings make of an address with https."""
    environment = {**os.environ, "PUBLIC_URL": GOOD["PUBLIC_URL"], "ALLOWED_HOSTS": GOOD["ALLOWED_HOSTS"]}
    environment |= {"BEHIND_PROXY": "true", "DJANGO_SETTINGS_MODULE": "presessions.settings"}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=HOME, env=environment, text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no issues (0 silenced)" in done.stdout


# --- Making keys -----------------------------------------------------------------------------------------------------


def test_a_keyset_can_be_made_before_there_are_any_settings():
    environment = {"PATH": os.environ["PATH"]}
    command = [sys.executable, "manage.py", "new_keyset", "2026"]
    made = subprocess.run(command, cwd=HOME, env=environment, text=True, capture_output=True, check=True).stdout
    assert refusals.refused({**GOOD, "VAULT_KEYSET": made}) == []
    assert keys.Keyset(made).primary == "2026"


def test_a_keyset_grows_and_shrinks_without_losing_a_key_that_is_needed(monkeypatch, capsys):
    def changed(*arguments):
        call_command("new_keyset", *arguments)
        monkeypatch.setenv("VAULT_KEYSET", capsys.readouterr().out)
        return keys.Keyset(os.environ["VAULT_KEYSET"])

    monkeypatch.setenv("VAULT_KEYSET", "")
    old = changed("2026")
    added = changed("--add", "2027")
    assert (added.primary, added.masters["2026"]) == ("2026", old.masters["2026"])
    promoted = changed("--promote", "2027")
    assert (promoted.primary, promoted.newest_first()) == ("2027", ["2027", "2026"])
    retired = changed("--retire", "2026")
    assert list(retired.masters) == ["2027"]
    assert retired.retired == {"2026": {purpose: old.key("2026", purpose) for purpose in keys.PROOFS}}
    for purpose in ("column", "verp", "index:domain"):
        with pytest.raises(keys.Unreadable):
            retired.key("2026", purpose)
    with pytest.raises(keys.Unreadable):  # no file either
        retired.key("2026", "file", b"salt")


@pytest.mark.parametrize("arguments", [("--add", "1"), ("--promote", "2"), ("--retire", "1"), ("--retire", "2")])
def test_a_change_that_would_lose_something_is_refused(arguments, monkeypatch, capsys):
    monkeypatch.setenv("VAULT_KEYSET", keys.new_keyset())
    with pytest.raises(CommandError):
        call_command("new_keyset", *arguments)
    assert capsys.readouterr().out == ""
