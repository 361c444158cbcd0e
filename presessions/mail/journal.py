"""The journal: each letter that the server took, written down outside the database. Room: mail; imports models, watch.

A restored backup does not know which letters left after it was taken, and would send them again. So the folder
MAIL_JOURNAL, which must not be in the backup of the database, keeps two things:

    mark.json       which installation this is, and its epoch: a number that grows while mail runs
    slot-000.jsonl  one line per accepted letter, one file per running process; keys and Message-IDs, never an address

The database is always told first (a letter's mark and a new epoch are committed before the folder learns of them), and
we always read the folder first. So a folder that knows more than the database means one thing only: the database is an
older one, or another one. Then all mail stops until staff have compared the two (`restoring`).
"""

import errno
import fcntl
import json
import logging
import os
import threading
import time
import uuid
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from presessions import trail
from presessions.mail import watch
from presessions.mail.models import Attempt, Journal, Letter, Switch

log = logging.getLogger(__name__)

RESTORED = "restored"  # the code of the switch, and of the alarm
BROKEN = "journal"  # the alarm when the folder cannot be read or written
EPOCH_SECONDS = 60  # how often a process lets the epoch grow
LONGEST_LINE = 4096  # bytes; a key has at most 160 signs

LEAP = 1_000_000  # more rows than any days between a backup and its use have made

OLDER, ANOTHER, MISSING = "older", "another", "missing"  # why mail is stopped


def accepted(letter, now):
    """Write down that the server took this letter. Called after its 250 and before the commit that says "sent".

    One write to a file opened for appending is whole or not there, also when we are killed. It is not synced to the
    disk: the line counts only when the database is lost, and a machine that loses its power keeps the database, whose
    commits are durable. A sync would cost each letter what its three commits cost.
    """
    line = {
        "at": now.isoformat(),
        "key": letter.key,
        "message_id": letter.message_id,
        "attempt": letter.attempts,
        "kind": letter.kind,
        "mailing": letter.mailing_id,
        "recipient": [letter.recipient_kind, letter.recipient_id],
        "copy": letter.copy,
        "language": letter.language,
    }
    try:
        _slot.write(json.dumps(line).encode() + b"\n")
    except OSError as error:  # the letter has gone, whatever becomes of this line
        log.error("letter %s could not be written into the journal: %s", letter.pk, type(error).__name__)
        watch.alarm(BROKEN, now=now)


def restored(now):
    """Whether all mail must wait because this database may be a restored one. Stops it when that is news.

    Asked before anything is written or sent. A folder that cannot be read proves nothing, so it too means waiting.
    """
    if Switch.objects.filter(paused_at__isnull=False, code=RESTORED).exists():
        return True
    try:
        why = _disagreement()
        if not why:
            _slot.open()
            _grow()
    except OSError as error:
        log.error("the journal cannot be used, nothing is sent: %s", type(error).__name__)
        watch.alarm(BROKEN, now=now)
        return True
    if why:
        stop(why, now)
        return True
    watch.ended(BROKEN, now=now)
    return False


def stop(why, now):
    """Stop all mail until staff have compared the two."""
    log.error("all mail is stopped: the database and the journal disagree (%s)", why)
    with transaction.atomic():
        Switch.stop_until_compared(now=now, code=RESTORED, answer=why)
        trail.record(Switch.get(), "stop_restored", now=now)
    _leap()
    watch.alarm(RESTORED, now=now)


def _leap():
    """Give rows made from now on numbers that the lost days cannot have used: a key such as "invitation:12:mission:5"
    in the journal must never be taken for that of another mailing which got the number 12 a second time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(format('%%I.%%I', schemaname, sequencename)::regclass, coalesce(last_value, 0) + %s)"
            " FROM pg_sequences WHERE schemaname = current_schema() AND coalesce(last_value, 0) + 2 * %s < max_value",
            [LEAP, LEAP],
        )


def lines():
    """Every letter in the journal, in no order. A line that was cut off is passed by: it was being written when the
    machine stopped, or the disk was full."""
    for path in _slots():
        with path.open("rb") as file:
            yield from filter(None, map(_parsed, file))


def mark():
    """What the folder says about itself, or None where there is no mark. Raises OSError, also for one that was cut
    off or is none: it proves nothing."""
    try:
        found = json.loads((_folder() / "mark.json").read_text())
        return {"installation": str(found["installation"]), "epoch": int(found["epoch"])}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise OSError(errno.EIO, "the mark cannot be read") from error


def write_mark(installation, epoch):
    """Another process may have written a higher epoch meanwhile; ours is one that was right a moment ago, and will be
    again at the next growth. A lock would make everybody wait for a process that was stopped while it held it."""
    known = mark()
    if known and known["installation"] == installation and known["epoch"] >= epoch:
        return
    _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = _folder() / f"mark.{os.getpid()}.{uuid.uuid4().hex}"
    try:
        with fresh.open("w") as file:
            file.write(json.dumps({"installation": installation, "epoch": epoch}))
            file.flush()
            os.fsync(file.fileno())  # an empty mark after a power cut would stop all mail
        fresh.replace(_folder() / "mark.json")
    except OSError:  # a disk that is full must not be filled with what we began
        fresh.unlink(missing_ok=True)
        raise


# --- Does the folder know more than the database? --------------------------------------------------------------------


def _disagreement():
    """Why this database and this folder do not belong together, or None. The folder is read first: it learns last."""
    ours, latest = mark(), [line for path in _slots() if (line := _last(path))]
    row = Journal.objects.filter(pk=Journal.ONLY).first()
    if ours is None:
        if row is None or not row.installation or not Attempt.objects.filter(state=Letter.State.SENDING).exists():
            return _begin() if not latest else ANOTHER
        ours = mark()  # somebody may have begun between our first look and now
        if ours is None:
            return MISSING
    if row is None or not row.installation:
        return _adopt(ours) if not latest else OLDER
    if ours["installation"] != row.installation:
        return ANOTHER
    if ours["epoch"] > row.epoch or not all(map(_is_known, latest)):
        return OLDER
    return None


def _is_known(line):
    """Whether the database remembers trying this letter at least as often as the line says."""
    return Letter.objects.filter(message_id=line["message_id"], attempts__gte=line["attempt"]).exists()


def _begin():
    """The first start: give the database its mark, then the folder the same."""
    row, _made = Journal.objects.get_or_create(pk=Journal.ONLY)
    Journal.objects.filter(Q(installation=""), pk=row.pk).update(installation=uuid.uuid4().hex)
    row.refresh_from_db()
    write_mark(row.installation, row.epoch)


def _adopt(ours):
    """A new database beside a folder that has never seen a letter."""
    row, _made = Journal.objects.get_or_create(pk=Journal.ONLY)
    Journal.objects.filter(installation="", pk=row.pk).update(**ours)


def _grow():
    """Let the epoch grow now and then: what a backup holds is soon behind, also when no letter leaves."""
    if time.monotonic() - _slot.grown_at < EPOCH_SECONDS:
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO on")  # the database must not forget what the folder knows
        # Whoever holds the row lets it grow for us, and a process that sleeps holding it must not stop the others.
        row = Journal.objects.select_for_update(skip_locked=True).filter(pk=Journal.ONLY).first()
        if row is None:
            return
        row.epoch += 1
        row.save(update_fields=["epoch"])
    write_mark(row.installation, row.epoch)
    _slot.grown_at = time.monotonic()


# --- Files -----------------------------------------------------------------------------------------------------------


class Slot:
    """The file of this process. It is locked while we live, so that each process writes to one of its own and the
    number of files is that of processes at one time, not of all that ever ran. Its threads share it."""

    def __init__(self):
        self.of, self.fd, self.grown_at = None, -1, float("-inf")
        self.in_hand = threading.RLock()  # one thread must not write to a file that another has just closed

    def open(self):
        """Have a file to append to. Raises OSError."""
        with self.in_hand:
            mine = (os.getpid(), _folder())
            if self.of != mine:  # a fork must not write through its parent's file
                self.close()
                self.fd, self.of = self._take(), mine

    def write(self, line):
        """Append one line. Raises OSError, and opens anew the next time."""
        with self.in_hand:
            try:
                self.open()
                _write_whole(self.fd, line)
            except OSError:
                self.close()
                raise

    def close(self):
        with self.in_hand:
            if self.of:
                os.close(self.fd)
            self.of, self.fd, self.grown_at = None, -1, float("-inf")

    @staticmethod
    def _take():
        _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(10_000):
            path = _folder() / f"slot-{number:03}.jsonl"
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not _ends_whole(path):
                    _write_whole(fd, b"\n")  # a line that was cut off must not spoil the next one
            except BlockingIOError:
                os.close(fd)
                continue
            except BaseException:  # our lock must not outlive the attempt
                os.close(fd)
                raise
            return fd
        raise OSError("no free slot")


_slot = Slot()


def forget():
    """For tests: this process has written nothing yet."""
    _slot.close()


def _write_whole(fd, line):
    """A disk that fills up takes the beginning of a line and says nothing but how much."""
    if os.write(fd, line) != len(line):
        raise OSError(errno.ENOSPC, "only a part was written")


def _folder():
    return Path(settings.MAIL_JOURNAL)


def _slots():
    return sorted(_folder().glob("slot-*.jsonl"))


def _tail(path):
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - 2 * LONGEST_LINE))
        return file.read()


def _ends_whole(path):
    tail = _tail(path)
    return not tail or tail.endswith(b"\n")


def _last(path):
    """The last whole line of a file, or None."""
    whole = [line for line in _tail(path).split(b"\n")[:-1] if line]
    return next(filter(None, map(_parsed, reversed(whole))), None)


def _parsed(line):
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("key") else None
