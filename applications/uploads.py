"""Files on their way in, in pieces over a bad line or whole with a form, until they are kept. Room: applications.

A browser that runs scripts sends a file in pieces of 16 to 512 KB and asks, whenever the line comes back, how much
has arrived; then its form carries `upload=<key>` where another form carries the file. From there on both go the same
way: `take` looks into the file (`files.check`) and keeps it (`Application.attach`, or what the room of its kind says).

Each piece is encrypted the moment it comes and durable before it is counted, so that a process killed at any instant
leaves at most a file that no row names; `sweep` removes those, and what nobody has finished, after a day.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from applications import files
from applications.models import Application, Attachment, Piece, Upload
from presessions import retention, vault
from presessions.mail import journal, restoring

PIECE = 512 * 1024  # bytes at most
LEAST = 16 * 1024  # bytes; only the last piece is smaller, or a file of 20 MB would become a million of ours
AT_ONCE = 3  # of one application, unfinished; a further one takes the place of the oldest
KEPT_FOR = timedelta(hours=24)
VERSIONS = 10  # of one kind in a day: each is scanned, cleaned and kept
RESTORED_KEPT_FOR = timedelta(days=30)

# What names a file in private storage. `sweep` removes what none of them names.
FILES = ((Attachment, "stored"), (Attachment, "cleaned"), (Piece, "stored"))

_NOT_WHOLE = _("The file has not arrived whole. Choose it once more and save: what has arrived is kept.")
_ALTERED = _("The file did not arrive as it left your device. Choose it once more and save.")
_OFTEN = _(
    "Ten versions of this file have come within a day. Please send the next one tomorrow; if it cannot wait, write to "
    "us."
)


class WrongPlace(Exception):
    """A piece that does not fit where the file ends so far; `received` says where to go on."""

    def __init__(self, received):
        super().__init__("not the next piece")
        self.received = received


@dataclass(frozen=True)
class Door:
    """Who lets files of one kind in: `may(application, now)` while they are taken, `attach` as Application.attach."""

    may: Callable
    attach: Callable


# Further kinds are entered by the modules that they belong to.
DOORS = {Attachment.Kind.UPR_SUBMISSION.value: Door(Application.can_send_file, Application.attach)}


def begin(application, kind, *, name, size, sha256="", now):
    """The Upload to send pieces to. One that was begun with the same file goes on where it stopped, from whichever
    device; without its SHA-256 a file cannot be known again. Raises files.Refused."""
    if not size:
        raise files.refusal("empty")
    if size > settings.UPLOAD_LIMIT:
        raise files.refusal("too_large")
    name = files.clean_name(name)
    _refuse_too_often(application, kind, now)
    with transaction.atomic():
        # Of two starts at once, one begins; and none once it was erased, whatever the page has read before.
        row = Application.objects.select_for_update(of=("self",)).with_state().get(pk=application.pk)
        if row.erased_at:
            words = {"application": row, "status": row.get_status_display()}
            raise files.Refused(gettext("%(application)s is already %(status)s.") % words)
        going = list(application.uploads.filter(done_at=None).order_by("touched_at"))
        for upload in going:
            if sha256 and (upload.kind, upload.name, upload.size, upload.sha256) == (kind, name, size, sha256):
                Upload.objects.filter(pk=upload.pk).update(touched_at=now)
                return upload
        remove(going[: len(going) - AT_ONCE + 1] if len(going) >= AT_ONCE else [])
        return Upload.objects.create(
            key=secrets.token_urlsafe(32),
            application=application,
            kind=kind,
            name=name,
            size=size,
            sha256=sha256,
            begun_at=now,
            touched_at=now,
        )


def find(application, key):
    """The unfinished Upload of this application under that key, or None: the key alone opens nothing."""
    return application.uploads.filter(key=key, done_at=None).first()


def add(upload, start, data, *, now):
    """Keep one piece; returns how much of the file is here. The same piece again is as good. Raises WrongPlace."""
    if start < upload.received and upload.pieces.filter(start=start, size=len(data)).exists():
        return upload.received
    rest = upload.size - start
    if start != upload.received or not min(LEAST, max(rest, 1)) <= len(data) <= min(PIECE, rest):
        raise WrongPlace(upload.received)
    with vault.EncryptedUpload.create("") as piece:
        piece.write(data)
        piece.finish()
        stored = vault.storage.keep(piece)
    try:
        with transaction.atomic():
            place = Upload.objects.filter(pk=upload.pk, received=start, done_at=None)
            if not place.update(received=F("received") + len(data), touched_at=now):
                raise WrongPlace(None)
            Piece.objects.create(upload=upload, start=start, size=len(data), stored=stored)
    except WrongPlace:  # the same piece came twice at once, and the other one was counted
        vault.storage.delete(stored)
        known = Upload.objects.filter(pk=upload.pk).values_list("received", flat=True).first()
        upload.received = known or 0  # or it was erased meanwhile
        if start < upload.received:
            return upload.received
        raise WrongPlace(upload.received) from None
    upload.received = start + len(data)
    return upload.received


def put_aside(application, kind, file, *, now):
    """Keep a whole file that came with a form in which something else has to be mended; returns its Upload."""
    with transaction.atomic():
        upload = begin(application, kind, name=file.name or "", size=file.size, sha256=file.sha256, now=now)
        remove_pieces(upload)
        Piece.objects.create(upload=upload, start=0, size=file.size, stored=vault.storage.keep(file))
        Upload.objects.filter(pk=upload.pk).update(received=file.size)
    upload.received = file.size
    return upload


def take(application, kind, *, file=None, key="", now):
    """Look into a file that came with a form, or in pieces before it, and keep it; returns its Attachment.

    Asking again with a key whose file is kept already is asking once. Raises files.Refused; WrongStep and Closed as
    the door of its kind does.
    """
    _let_go()
    with files.turn(application.reference):
        if file is not None:
            _refuse_too_often(application, kind, now)
            return DOORS[kind].attach(application, file, kind, _check(file, application), now=now)
        return _take_pieces(application, kind, key, now)


def _take_pieces(application, kind, key, now):
    upload = application.uploads.filter(key=key, kind=kind).first()
    if kept := _kept(upload):
        return kept
    if upload is None or upload.received < upload.size:
        raise files.Refused(gettext(_NOT_WHOLE))
    _refuse_too_often(application, kind, now)
    try:
        with _joined(upload) as whole:
            verdict = _check(whole, application)
            attachment = DOORS[kind].attach(application, whole, kind, verdict, now=now)
    except files.Refused as refused:
        if kept := _kept(upload):  # by a second click that another process answered
            return kept
        if refused.word != "busy":  # then the same file may be tried again
            remove([upload])
        raise
    with transaction.atomic():
        Upload.objects.filter(pk=upload.pk).update(done_at=now)
        remove_pieces(upload)
    return attachment


def _kept(upload):
    """The file that an upload has become, None while it is none."""
    if upload is None or not Upload.objects.filter(pk=upload.pk, done_at__isnull=False).exists():
        return None
    return upload.application.attachments.filter(kind=upload.kind).first()


def _refuse_too_often(application, kind, now):
    since = now - timedelta(days=1)
    if sum(file.kind == kind and file.uploaded_at > since for file in application.attachments.all()) >= VERSIONS:
        raise files.Refused(gettext(_OFTEN))


def _check(file, application):
    _let_go()
    return files.check(file, application.reference)


def _let_go():
    """Hold no connection while waiting for a turn: many do in the hour before a deadline, and the database has fewer
    connections than the web has threads."""
    if not connection.in_atomic_block:
        connection.close()


def _joined(upload):
    """The pieces as one file on its way in, encrypted anew as they stream. Raises files.Refused when they are not what
    left the device."""
    whole = vault.EncryptedUpload.create(upload.name)
    try:
        for piece in upload.pieces.all():
            with vault.storage.open(piece.stored) as stored:
                for chunk in stored.chunks():
                    whole.write(chunk)
        whole.finish()
        if (whole.size, whole.sha256) != (upload.size, upload.sha256 or whole.sha256):
            raise files.Refused(gettext(_ALTERED))
    except (OSError, vault.Unreadable, files.Refused) as error:
        whole.close()
        raise files.Refused(gettext(_ALTERED)) from error
    return whole


# --- Removing -------------------------------------------------------------------------------------------------------


def remove(uploads):
    """Forget uploads with their pieces; the files go once that is certain."""
    for upload in uploads:
        with transaction.atomic():
            remove_pieces(upload)
            upload.delete()


def remove_pieces(upload):
    names = list(upload.pieces.values_list("stored", flat=True))
    upload.pieces.all().delete()
    transaction.on_commit(lambda: [vault.storage.delete(name) for name in names])


def sweep(now):
    """Remove what nobody has gone on with for a day, and files that no row names; returns how many of each."""
    old = list(retention.RULES["uploads"].due(now))
    remove(old)
    # A restored database names fewer files than there are: until staff have compared the two, none is removed.
    return {"uploads": len(old), "files": 0 if journal.restored(now) else _sweep_files(now)}


def _sweep_files(now):
    """A file is there before its row is, so rows are asked after files, and only about files older than a day. After a
    restored backup files that came before mail was resumed may be the only trace of what was lost: they stay a month.
    """
    before, resumed = (now - KEPT_FOR).timestamp(), restoring.resumed_at()
    since = resumed.timestamp() if resumed and now < resumed + RESTORED_KEPT_FOR else 0
    old = [(name, path) for name, path, changed in vault.storage.kept() if since <= changed < before]
    named = set()
    for model, column in FILES if old else ():
        named |= set(model.objects.exclude(**{column: ""}).values_list(column, flat=True).iterator())
    lost = [path for name, path in old if name not in named]
    for path in lost:
        path.unlink(missing_ok=True)
    return len(lost)
