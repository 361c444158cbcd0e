"""What we refuse to start with: secrets that protect nothing, doors left open, decisions that nobody has taken.

Wiring: the settings ask before they read anything, so that web, workers, beat, watch and every command refuse alike,
each of them with all reasons at once. A sentence says what to do and holds nothing of a value: it ends in a log.
"""

import base64
import binascii
import hashlib
import ipaddress
import math
import re
import zlib
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

from presessions.keys import Keyset

NEEDED = {
    "SECRET_KEY": "50 random characters or more: openssl rand -base64 48",
    "DATABASE_URL": "the PostgreSQL to use: postgres://user:password@host:5432/database",
    "REDIS_URL": "the Redis to use: redis://:password@host:6379/0",
    "SMTP_URL": "the mail relay: smtp+tls://user:password@host:587",
    "PUBLIC_URL": "the address as people type it: https://presessions.example.org",
    "ALLOWED_HOSTS": "the host names that this site answers to, with commas between them",
    "MAIL_DOMAIN": "the domain that letters come from",
    "MAIL_FROM": "the address that letters come from",
    "PRIVATE_FILES": "a folder for encrypted files, outside the web root",
    "CLAMAV_URL": "tcp://host:3310 or unix:/path of the virus scanner, or to none when you have decided to go without",
}
SECRET_LENGTH, SECRET_BITS = 50, 160
LEAST_TOKEN = 24  # letters and digits
PLACEHOLDER = re.compile(
    r"django-insecure|change.?me|see.\.?env|secret.?key|example|placeholder|password", re.IGNORECASE
)
# Never leaves this machine. `testserver` is what Django's own test client calls itself.
LOOPBACK_NAMES = {"localhost", "testserver"}


class Refused(ImproperlyConfigured):
    """We do not start like this. str() has a line for each reason."""


def refuse(environment):
    """Raises Refused when there is any reason not to start with these environment variables."""
    if reasons := refused(environment):
        lines = "".join(f"\n  - {reason}" for reason in reasons)
        raise Refused(f"Pre-sessions does not start like this:{lines}")


def refused(environment):
    """A list of sentences, one for each reason."""
    given = {name: value.strip() for name, value in environment.items() if value.strip()}
    return [f"Set {name} to {what}." for name, what in NEEDED.items() if name not in given] + [
        reason for look in LOOKS for reason in look(given)
    ]


# --- Keys -------------------------------------------------------------------------------------------------------------


def _secret_key(given):
    keys = [("SECRET_KEY", given.get("SECRET_KEY"))]
    keys += [("SECRET_KEY_FALLBACKS", old.strip()) for old in given.get("SECRET_KEY_FALLBACKS", "").split(",")]
    for name, key in keys:
        if key and is_weak(key):
            hint = "Make a new one: openssl rand -base64 48" if name == "SECRET_KEY" else "Take it out"
            yield f"{name} can be guessed: it is short, repeats itself, or was never filled in. {hint}."
    if len({key for _name, key in keys if key}) < len([key for _name, key in keys if key]):
        yield "SECRET_KEY and SECRET_KEY_FALLBACKS hold one key twice. Make SECRET_KEY anew: openssl rand -base64 48."


def is_weak(secret):
    """Whether a secret is too short, a placeholder, or has too little in it for its length."""
    counts = Counter(secret)
    bits = -sum(number * math.log2(number / len(secret)) for number in counts.values())
    packed = len(zlib.compress(secret.encode(), 9)) - len(zlib.compress(b""))
    repeats = packed * 8 < bits * 0.8  # what is said twice can be packed to less than its letters tell
    return len(secret) < SECRET_LENGTH or bits < SECRET_BITS or repeats or bool(PLACEHOLDER.search(secret))


def _keyset(given):
    text = given.get("VAULT_KEYSET", "")
    if not text:
        file = given.get("VAULT_KEYSET_FILE")
        try:
            text = Path(file).read_text() if file else ""
        except (OSError, ValueError):
            yield "VAULT_KEYSET_FILE cannot be read. Give it to the user that runs this, or set VAULT_KEYSET."
            return
        if not text.strip():
            yield "Set VAULT_KEYSET, or VAULT_KEYSET_FILE, to what manage.py new_keyset prints, and keep it twice."
            return
    try:
        keys = Keyset(text)
    except ImproperlyConfigured as why:
        yield str(why)
        return
    secrets = [given.get("SECRET_KEY", ""), *given.get("SECRET_KEY_FALLBACKS", "").split(",")]
    if any(_comes_from(key, secret.strip()) for key in keys.masters.values() for secret in secrets if secret.strip()):
        yield "A key in VAULT_KEYSET comes from SECRET_KEY, so that one thief has both. Make it anew, at random."


def _comes_from(key, secret):
    """Whether a key is the secret in another spelling, or what the usual ways make of it."""
    raw = secret.encode()
    kin = [raw, raw[:32], raw[-32:], raw.ljust(32, b"\0")]
    kin += [hashlib.new(name, raw).digest()[:32] for name in ("sha256", "sha512", "sha3_256", "blake2b", "blake2s")]
    kin += [hashlib.md5(raw, usedforsecurity=False).hexdigest().encode()]
    for decode in (base64.b64decode, base64.urlsafe_b64decode, bytes.fromhex):
        for text in (secret, secret + "=" * (-len(secret) % 4)):
            try:
                decoded = decode(text)
            except (ValueError, binascii.Error):
                continue
            kin += [decoded[:32], decoded[-32:]]
    spelled = base64.b64encode(key).decode().rstrip("=")
    return key in kin or key in raw or spelled in secret or key.hex() in secret.lower()


# --- Doors ------------------------------------------------------------------------------------------------------------


def _public_url(given):
    url, debug = given.get("PUBLIC_URL", ""), given.get("DEBUG", "").lower()
    if not url:
        return
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        yield "PUBLIC_URL is no address. Write it as people type it: https://presessions.example.org"
        return
    if parts.scheme == "http" and not _is_here(parts.hostname):
        yield "PUBLIC_URL begins with http://, so that everybody on the way reads along. Put TLS in front and write https://"
    if parts.scheme == "https" and debug not in ("", "0", "false", "no", "off", "f", "n"):
        yield "DEBUG shows the insides of every error to whoever meets one. Take it out of what the world can reach."
    hosts = [host.strip() for host in given.get("ALLOWED_HOSTS", "").split(",") if host.strip()]
    if any("*" in host for host in hosts):
        yield "ALLOWED_HOSTS lets any name in. Write the names that this site answers to."
    elif hosts and not any(_answers_to(host, parts.hostname) for host in hosts):
        yield "ALLOWED_HOSTS leaves out the host of PUBLIC_URL, so that no page would answer. Add it."


def _answers_to(allowed, host):
    allowed = allowed.lower().rpartition(":")[0] if re.search(r":\d+$", allowed) else allowed.lower()
    return host == allowed.strip("[]") or (allowed.startswith(".") and f".{host}".endswith(allowed))


def _servers(given):
    database = _split(given.get("DATABASE_URL", "postgres://localhost/"))
    options = parse_qs(database.query) if database else {}
    proved = {"PGPASSWORD", "PGPASSFILE", "PGSSLCERT"} & given.keys() or {"sslcert", "passfile"} & options.keys()
    if database is None or not database.scheme.startswith(("postgres", "pgsql")):
        yield "DATABASE_URL is no address of a PostgreSQL. Write postgres://user:password@host:5432/database"
    elif not database.password and not proved and not _is_local(database):
        yield "DATABASE_URL has no password, and the database is on another machine. Give its user one."
    redis = _split(given.get("REDIS_URL", "redis://localhost"))
    if redis is None or redis.scheme not in ("redis", "rediss", "unix"):
        yield "REDIS_URL is no address of a Redis. Write redis://:password@host:6379/0, or rediss:// with TLS"
    elif redis.scheme != "unix" and not redis.password and not _is_local(redis):
        yield "REDIS_URL has no password, and that Redis is on another machine. Set requirepass there."
    for name in ("SMTP_URL", "ALERT_SMTP_URL"):
        relay = _split(given.get(name, "smtp://localhost"))
        if relay is None or relay.scheme not in ("smtp", "smtps", "smtp+tls") or not relay.hostname:
            yield f"{name} is no address of a mail relay. Write smtp+tls://user:password@host:587, or smtps:// there"
        elif relay.scheme == "smtp" and relay.password and not _is_local(relay):
            yield f"{name} would send its password in clear. Write smtp+tls:// or smtps://, or no password."


def _scanner(given):
    url = given.get("CLAMAV_URL", "none")
    if url != "none" and not re.match(r"tcp://[^/]+:\d+/?$|unix:/", url):
        yield "CLAMAV_URL is no address of a scanner. Write tcp://host:3310 or unix:/path, or none to go without one."


def _token(given):
    if len(given.get("METRICS_TOKEN", "x" * LEAST_TOKEN)) < LEAST_TOKEN:
        yield "METRICS_TOKEN can be guessed. Make a new one: openssl rand -hex 24"


def _addresses(given):
    named = {name: [given[name]] for name in ("MAIL_FROM", "MAIL_REPLY_TO") if name in given}
    named["ALERT_TO"] = [one.strip() for one in given.get("ALERT_TO", "").split(",") if one.strip()]
    for name, addresses in named.items():
        for address in addresses:
            try:
                validate_email(address)
            except ValidationError:
                yield f"{name} is not an e-mail address. Write it as somebody@example.org, without a name before it."
                break


LOOKS = (_secret_key, _keyset, _public_url, _servers, _scanner, _token, _addresses)


# --- Addresses of servers ---------------------------------------------------------------------------------------------


def _split(url):
    try:
        parts = urlsplit(url)
        _ = parts.port, parts.hostname
    except ValueError:
        return None
    return parts


def _is_local(parts):
    """On this machine: a socket, or the loopback."""
    socket = parse_qs(parts.query).get("host", [""])[0] or unquote(parts.hostname or "")
    return not socket or socket.startswith("/") or _is_here(socket)


def _is_here(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in LOOPBACK_NAMES or host.endswith(".localhost")
