"""Tombstones: what was forgotten, written down outside the database, so that a restored backup can be made to forget it
again. Room: retention.

    MAIL_JOURNAL/tombstones/2026-11-26.<random>.jsonl      {"kind": "application", "name": "K7QF2-9MXA4", "at": ...}

A line names its subject by its random reference, at most by a keyed hash: without the database and the keyset it names
nobody. The folder is never in the database's backup, and is shared by all machines (see mail/journal.py).

The database is told first: a line is written once its transaction is committed. What a crash or a full disk loses there
is made good each night (`catch_up`), from what the database knows to be forgotten; `again` goes the other way round.
"""

import json
import logging
import os
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.dateparse import parse_datetime

log = logging.getLogger(__name__)

KEPT_DAYS = 365  # backups live for 30; one that is older than a year is not restored
BATCH = 500


@dataclass(frozen=True)
class Line:
    """One thing that was forgotten. facts -- what its kind needs besides, as JSON holds it"""

    kind: str
    name: str
    at: datetime
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """What can be forgotten a second time.

    standing(lines) -> those of them whose subject is there and was not forgotten since; the same few queries for many
    bury(line, now=) -- forgets it; again is no harm
    known(since) -> Lines of what this database knows to be forgotten since then
    needs -- the facts without which a line says nothing
    """

    name: str
    standing: Callable[[list], list]
    bury: Callable[..., None]
    known: Callable[[datetime], Iterable]
    needs: tuple = ()


KINDS: dict[str, Kind] = {}


def kind(name, *, standing, known, needs=()):
    """Register a kind; decorates its `bury(line, *, now)`."""

    def register(bury):
        KINDS[name] = Kind(name, standing, bury, known, needs)
        return bury

    return register


# --- Writing ----------------------------------------------------------------------------------------------------------


def write(kind, name, at, **facts):
    """Write a line down once the transaction is committed. Never fails: what cannot be written is logged, and caught up
    with at night."""
    line = Line(kind, str(name), at, facts)
    transaction.on_commit(lambda: _write([line]), robust=True)


def _write(lines):
    """A file of their own: whole or not there, whichever machines write at the same moment."""
    if not lines:
        return True
    try:
        _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{lines[0].at.astimezone(settings.GENEVA):%Y-%m-%d}.{uuid.uuid4().hex}"
        fresh = _folder() / f"{name}.new"
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.writelines(json.dumps(_as_json(line)) + "\n" for line in lines)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(_folder() / f"{name}.jsonl")
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
    except OSError as error:
        log.error("%s tombstones could not be written: %s", len(lines), type(error).__name__)
        return False
    return True


def catch_up(now):
    """Write down what the database knows to be forgotten and the folder does not; returns how many lines."""
    since, there = now - timedelta(days=KEPT_DAYS), {(line.kind, line.name, line.at) for line in lines()}
    known = (line for one in KINDS.values() for line in one.known(since))
    missing = [line for line in known if (line.kind, line.name, line.at) not in there]
    return len(missing) if _write(missing) else 0


def expire(now):
    """Remove what is older than any backup; returns how many files."""
    last = f"{(now - timedelta(days=KEPT_DAYS)).astimezone(settings.GENEVA):%Y-%m-%d}"
    old = [path for path in _files() if path.name[:10] < last]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


# --- Reading, and forgetting again ----------------------------------------------------------------------------------


def lines():
    """Every line, in the order of their days. One that cannot be read is passed by, and said so in the log. Raises
    OSError where the folder itself cannot be read."""
    for path in _files():
        for text in path.read_text(errors="replace").splitlines():
            if line := _parsed(text):
                yield line
            else:
                log.error("a tombstone in %s cannot be read", path.name)


def standing():
    """Lines whose subject is there, and was not forgotten since, in the order in which that happened: only a restored
    backup has any."""
    found = []
    for name, those in _by_kind().items():
        rows = iter(those)
        while batch := list(islice(rows, BATCH)):
            found += KINDS[name].standing(batch)
    return sorted(found, key=lambda line: line.at)  # who took it back before its time was over has had no seat


def again(now, *, seconds=None, tick=None):
    """Forget all of it again; returns (how many were, how many are left). Again is no harm.

    seconds -- stop after so many, and leave the rest; tick(done, of) -- told after each
    """
    began, found, done, failed = monotonic(), standing(), 0, 0
    for number, line in enumerate(found, start=1):
        try:
            KINDS[line.kind].bury(line, now=now)
            done += 1
        except Exception as error:  # one that does not work must not keep the others
            failed += 1
            log.error("a %s could not be forgotten again: %s", line.kind, type(error).__name__)
        if tick:
            tick(number, len(found))
        if seconds is not None and monotonic() - began > seconds:
            break
    return done, len(found) - done


def _by_kind():
    found = {name: {} for name in KINDS}
    for line in lines():
        if line.kind in found:
            found[line.kind][line.name, line.at, json.dumps(line.facts, sort_keys=True)] = line
    return {name: list(those.values()) for name, those in found.items()}


def _folder():
    return Path(settings.MAIL_JOURNAL) / "tombstones"


def _files():
    """No path where nothing was ever written. Raises OSError where there is something that we may not see: `glob` would
    say that it is empty, and mail would go to who was forgotten."""
    try:
        names = os.listdir(_folder())
    except FileNotFoundError:
        return []
    return sorted(_folder() / name for name in names if name.endswith(".jsonl"))


def _as_json(line):
    return {"kind": line.kind, "name": line.name, "at": line.at.isoformat(), **line.facts}


def _parsed(text):
    try:
        found = json.loads(text)
        kind, name, at = found.pop("kind"), found.pop("name"), parse_datetime(found.pop("at"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    is_whole = at and at.tzinfo and isinstance(kind, str) and isinstance(name, str)
    return Line(kind, name, at, found) if is_whole and _needs(kind) <= found.keys() else None


def _needs(kind):
    return set(KINDS[kind].needs) if kind in KINDS else set()
