"""Files of applicants: what is let in, under which name, and how it is handed out again.

Room: applications, floor 2. No file is opened in this process: `check` streams it to a program in the sandbox, which
looks into it under limits and answers with one word. The upload stays encrypted on disk the whole time, and nothing of
its content reaches a log, an exception or a page. What is let in waits in quarantine for `cleaning`.
"""

import threading
import unicodedata
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import perf_counter

from django.conf import settings
from django.core.cache import cache
from django.http import StreamingHttpResponse
from redis.exceptions import RedisError

from applications import sandbox
from applications.refusals import sentences
from presessions import vault

AT_ONCE = threading.BoundedSemaphore(4)  # inspections of one web process; each may take 512 MB
OWN_TURN = 5  # seconds that a second file of the same applicant waits for the first; a second click needs no more
# Seconds of looking that one applicant's files may cost in an hour: hundreds of honest ones, and fifteen of those that
# keep a program busy until it is stopped. So many, because on a busy evening an honest file may be stopped by the clock
# as well. With the turns it keeps a few people from shutting the door on everybody.
HOURLY, HOUR = 300, 3600
NAME_LENGTH = 100  # characters, its ending included
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³")}

PDF, DOCX, ODT = "pdf", "docx", "odt"
CONTENT_TYPES = {
    PDF: "application/pdf",
    DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ODT: "application/vnd.oasis.opendocument.text",
}


class Refused(Exception):
    """A file that is not let in. str() is fit to show to the applicant: what is wrong, and what to do about it."""

    word = ""  # of REFUSALS


@dataclass(frozen=True)
class Verdict:
    """A file that is let in, by what it contains and not by what it says."""

    content_type: str  # PDF, DOCX or ODT
    name: str  # as the applicant called it, made harmless


def check(upload, of=""):
    """The Verdict on a vault.EncryptedUpload. Raises Refused.

    of -- the reference of whose file it is: what looking costs is counted
    """
    if not upload.size:
        raise refusal("empty")
    if upload.size > settings.UPLOAD_LIMIT:
        raise refusal("too_large")
    name = clean_name(upload.name or "")
    word = inspect(upload, of)
    if word not in CONTENT_TYPES:
        raise refusal(word)
    if ending(name) not in ("", word):
        raise refusal("wrong_name")
    return Verdict(content_type=word, name=name)


def refusal(word):
    refused = Refused(" ".join(str(sentence) for sentence in sentences(word)))
    refused.word = word
    return refused


def inspect(upload, of=""):
    """The sandbox's word about an upload; "unreadable" when it crashed or was stopped."""
    if _spent(of) >= HOURLY or not AT_ONCE.acquire(timeout=2 * sandbox.SECONDS):
        return "busy"
    began = perf_counter()
    try:
        return sandbox.run("inspect", upload) or "unreadable"
    finally:
        AT_ONCE.release()
        _spend(of, perf_counter() - began)


# --- Of each applicant no more than a share ---------------------------------------------------------------------------

_looking, _changed = set(), threading.Condition()


@contextmanager
def turn(of):
    """One file of an applicant after the other in this process, so that nobody takes all places of AT_ONCE. Raises
    Refused when the one before takes long."""
    with _changed:
        if not _changed.wait_for(lambda: of not in _looking, OWN_TURN):
            raise refusal("busy")
        _looking.add(of)
    try:
        yield
    finally:
        with _changed:
            _looking.remove(of)
            _changed.notify_all()


def _spent(of):
    """Seconds that looking into files of this applicant has taken in the hour that began with the first; where Redis
    does not answer nothing is counted, and the turns remain."""
    try:
        return (cache.get(f"looking:{of}") or 0) / 1000 if of else 0
    except RedisError:
        return 0


def _spend(of, seconds):
    with suppress(RedisError, ValueError):  # ValueError: the hour ended between the two
        if of:
            cache.add(f"looking:{of}", 0, timeout=HOUR)
            cache.incr(f"looking:{of}", int(seconds * 1000))


# --- Names ----------------------------------------------------------------------------------------------------------


def clean_name(name):
    """A file's name fit for a page: no folders, nothing invisible, nothing that turns the reading direction, not too
    long. It is shown and never used for a file on a disk or in a header."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    # All that begins with C: control, format (such as changes of direction), surrogates, private and unassigned signs.
    name = "".join(sign for sign in name if unicodedata.category(sign)[0] != "C")
    name = " ".join(name.split()).strip(". ")
    stem, dot, end = name.rpartition(".")
    if not dot:
        stem, end = name, ""
    if stem.split(".")[0].strip().lower() in DEVICES:
        stem = f"_{stem}"
    end = end[:10]
    stem = stem[: NAME_LENGTH - len(end) - len(dot)].rstrip(". ")
    return f"{stem}{dot}{end}" if stem else "document"


def ending(name):
    """What the name says the file is; "" when it says nothing, as on some phones."""
    return name.rpartition(".")[2].strip().lower() if "." in name else ""


# --- Handing out ----------------------------------------------------------------------------------------------------

# For a PDF inside our own page. Without `sandbox`, under which not every browser starts its viewer; what could act
# was refused at the door, and nothing here may run or load anything.
INLINE_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
DOWNLOAD_POLICY = "sandbox; default-src 'none'"


def stream(attachment, *, inline, name=""):
    """The cleaned copy as an answer, decrypted piece by piece; only a PDF shows inline. Who asks was checked before.

    name -- how the file is called on its way, for those who may not learn the reference of its application
    """
    inline = inline and attachment.content_type == PDF
    response = _answer(attachment, attachment.cleaned, attachment.cleaned_size, name)
    if inline:
        response["Content-Disposition"] = response["Content-Disposition"].replace("attachment", "inline", 1)
        response["Content-Security-Policy"], response["X-Frame-Options"] = INLINE_POLICY, "SAMEORIGIN"
    return response


def stream_original(attachment):
    """What was received, as a download, byte for byte: for nobody but the applicant who sent it."""
    return _answer(attachment, attachment.stored, attachment.size)


def _answer(attachment, stored, size, name=""):
    file = vault.storage.open(stored)
    response = StreamingHttpResponse(file.chunks(), content_type=CONTENT_TYPES[attachment.content_type])
    if not name:
        kind = attachment.kind.removeprefix("upr_").replace("_", "-")
        name = f"{attachment.application.reference}-{kind}-{attachment.version}.{attachment.content_type}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Length"] = size
    response["Content-Encoding"] = "identity"  # or it would be compressed a second time, and lose its length
    response["Content-Security-Policy"] = DOWNLOAD_POLICY
    response["X-Frame-Options"] = "DENY"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
