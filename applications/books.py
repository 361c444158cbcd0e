"""Whether database and private files agree: each file that a row names is there as it was received, and no other.
Room: applications; imports uploads.

Nothing is changed: `uploads.sweep` removes what no row names once it is a day old, and what is missing or altered comes
back from a backup (docs/backup.md) or from whoever sent it.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Value

from applications.models import Attachment, Piece
from applications.uploads import FILES
from presessions import vault

DELETED, ALTERED, ADDED = "deleted", "altered", "added"
ON_ITS_WAY = timedelta(hours=1)  # a file stands there before its row does; one that is being sent has no row yet
BATCH = 500
# What rows know of their file, beside its name: its size, its hash, whose it is.
NOTED = {
    (Attachment, "stored"): ("size", "sha256", "application__reference"),
    (Attachment, "cleaned"): ("cleaned_size", "cleaned_sha256", "application__reference"),
    (Piece, "stored"): ("size", Value(""), "upload__application__reference"),
}


@dataclass(frozen=True)
class Difference:
    """One file about which the two disagree. `owner` is an application's reference, "" where no row names the file."""

    what: str
    name: str
    owner: str = ""


@dataclass(frozen=True)
class Named:
    """One file as a row of ours knows it. `size` and `sha256` are of its plain bytes; "" where nobody has noted it."""

    pk: int
    name: str
    size: int
    sha256: str
    owner: str


def differences(now, *, tell=lambda done, of: None):
    """Every `Difference`, those of the rows first. All files are read and decrypted.

    tell -- called after each file that a row names: how many have been read, and of how many
    """
    of = sum(_rows(model, column).count() for model, column in FILES)
    done = 0
    for model, column in FILES:
        for file in _named(model, column):
            done += 1
            what = _what_is_wrong(file)
            # Meanwhile the row may have gone, as when somebody erases what they sent.
            if what and model.objects.filter(**{column: file.name}).exists():
                yield Difference(what, file.name, file.owner)
            tell(done, max(of, done))
    yield from _added(now)


def _rows(model, column):
    return model.objects.exclude(**{column: ""})


def _named(model, column):
    """A batch at a time: no transaction is open while files are read."""
    facts, last = ("pk", column, *NOTED[model, column]), 0
    while batch := _rows(model, column).filter(pk__gt=last).order_by("pk").values_list(*facts)[:BATCH]:
        for row in batch:
            yield Named(*row)
            last = row[0]


def _what_is_wrong(file):
    size, hashed = 0, hashlib.sha256()
    try:
        with vault.storage.open(file.name) as stored:
            for chunk in stored.chunks():
                size += len(chunk)
                hashed.update(chunk)
    except FileNotFoundError:
        return DELETED
    except vault.Unreadable:
        return ALTERED
    as_received = size == file.size and file.sha256 in ("", hashed.hexdigest())
    return "" if as_received else ALTERED


def _added(now):
    """Files are listed before the rows are asked, and the row is written after the file."""
    before = (now - ON_ITS_WAY).timestamp()
    there = {name for name, _path, changed in vault.storage.kept() if changed < before}
    for model, column in FILES if there else ():
        there.difference_update(_rows(model, column).values_list(column, flat=True).iterator())
    for name in sorted(there):
        yield Difference(ADDED, name)
