"""From quarantine to a copy that staff and missions may open: scan, clean, count. Room: applications; imports mail.

    quarantine --claim, commit--> (scan, clean, count: no transaction open) --one guarded UPDATE--> checked | refused

What the door let in (`files.check`) has no address until this is done. A worker may die anywhere: its lease ends and
the next one goes on, and a file that keeps killing whoever looks into it is refused. When the fault is ours (the
scanner is away, the disk) nothing is refused and nothing let through: the file waits, and staff are told.
"""

import logging
import time
from collections import Counter
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from applications import letters, sandbox, scanner
from applications.models import Application, Attachment, Consent
from applications.refusals import REFUSALS
from presessions import trail, vault
from presessions.mail import registry, watch
from presessions.mail.models import Pulse

log = logging.getLogger(__name__)

State = Attachment.State

LEASE = timedelta(minutes=4)  # longer than one run with its last file: 40 s, then a scan, a cleaning and a counting
AGAIN = timedelta(minutes=1)  # after a trouble that is ours, or a look that ended in nothing
AT_LATEST = timedelta(minutes=30)  # a file that is in trouble again and again is looked at less and less often
MOST_LOOKS = 3  # that may end in nothing, with the program killed or out of memory; then the file is to blame
PATIENCE = timedelta(minutes=5)  # a file that waits longer is worth an alarm


def look_through(now, *, seconds=40):
    """Look through what waits in quarantine, one file after the other. Returns a count per outcome.

    seconds -- after so many no further file is begun
    """
    counts, ends = Counter(), time.monotonic() + seconds
    watch.seen("files", now)
    if _scanner_is_there(now):
        while file := _claim(now):
            try:
                counts[_look(file, now)] += 1
            except scanner.Trouble as trouble:  # no other file would fare better
                log.error("a file stays in quarantine: %s", trouble)
                counts["trouble"] += 1
                break
            if time.monotonic() >= ends:
                break
    else:
        counts["trouble"] += 1
    look_for_worries(now)
    return counts


def _scanner_is_there(now):
    """Ask the scanner, where there is one and something to scan, or to know that it lives."""
    if not settings.CLAMAV_URL or (watch.is_fresh("scanner", now) and not _waiting(now).exists()):
        return True
    try:
        scanner.greet(now)
    except scanner.Trouble as trouble:
        log.error("the scanner cannot be used: %s", trouble)
        return False
    watch.seen("scanner", now)
    return True


def _waiting(now):
    """What is due. A version whose successor waits as well is not: sixty of one file do not let others wait."""
    due = Q(next_look_at__lte=now) | Q(next_look_at=None)
    files = Attachment.objects.filter(due, state=State.QUARANTINE).exclude(Exists(_newer(State.QUARANTINE)))
    return files.annotate(is_old=Exists(_newer(State.CHECKED)))


def _newer(*states):
    """Versions after it that are in one of these states."""
    same = {"application": OuterRef("application"), "kind": OuterRef("kind")}
    return Attachment.objects.filter(**same, version__gt=OuterRef("version"), state__in=states)


def _claim(now):
    """Take the file that waits longest, old versions last, or None. Two workers never get the same one."""
    with transaction.atomic():
        rows = _waiting(now).select_for_update(skip_locked=True, of=("self",)).select_related("application")
        file = rows.order_by("is_old", "next_look_at", "pk").first()
        if file:
            file.looks, file.next_look_at = file.looks + 1, now + LEASE
            file.save(update_fields=["looks", "next_look_at"])
    return file


def _look(file, now):
    """Bring a claimed file to its next state; returns the outcome: checked, refused, again, trouble, or lost."""
    if file.looks > MOST_LOOKS:
        return _refuse(file, "unreadable", now)
    try:
        with vault.storage.open(file.stored) as original:
            if settings.CLAMAV_URL and not scanner.is_clean(_pieces(original)):
                return _refuse(file, "malware", now)
            with vault.EncryptedUpload.create("") as copy:
                return _clean(file, original, copy, now)
    except scanner.Trouble:
        _mine(file).update(next_look_at=now + AGAIN, looks=F("looks") - 1)
        raise
    except (vault.Unreadable, OSError) as trouble:
        log.error("the file of %s stays in quarantine: %s", file.application, type(trouble).__name__)
        return _later(file, now, "trouble")


def _later(file, now, outcome):
    """Not what is in the file is to blame, so that this look does not count."""
    pause = min(max(AGAIN, (now - file.uploaded_at) / 8), AT_LATEST)
    _mine(file).update(next_look_at=now + pause, looks=F("looks") - 1)
    return outcome


def _pieces(file):
    """Its bytes for the scanner: what cannot be read here is no trouble of the scanner's."""
    try:
        yield from file.chunks()
    except OSError as trouble:
        raise vault.Unreadable from trouble


def _clean(file, original, copy, now):
    word = sandbox.run("clean", original, copy)
    if word == "busy":
        log.error("the file of %s stays in quarantine: this machine was too busy to clean it", file.application)
        return _later(file, now, "again")
    if not word:
        _mine(file).update(next_look_at=now + AGAIN)
        return "again"
    if word != f"cleaned {file.content_type}":
        return _refuse(file, word if word in REFUSALS else "unreadable", now)
    copy.finish()
    counted = sandbox.run("count", copy)
    stored = vault.storage.keep(copy)
    facts = {
        "state": State.CHECKED,
        "checked_at": now,
        "next_look_at": None,
        "cleaned": stored,
        "cleaned_size": copy.size,
        "cleaned_sha256": copy.sha256,
        "words": int(counted) if counted.isdecimal() else None,
    }
    with transaction.atomic():
        moved = _mine(file).update(**facts)
        if moved:
            trail.record(file.application, "file_checked", now=now)
    if not moved:
        vault.storage.delete(stored)
    return "checked" if moved else "lost"


def _refuse(file, word, now):
    """Refuse it in words, and tell the applicant unless a newer file has taken its place."""
    with transaction.atomic():
        # First the application's row, as whoever erases or publishes it does, so that nobody waits for us in a ring.
        Application.objects.select_for_update(of=("self",)).filter(pk=file.application_id).first()
        moved = _mine(file).update(state=State.REFUSED, refused_because=word, checked_at=now, next_look_at=None)
        if not moved:
            return "lost"
        trail.record(file.application, "file_refused", now=now)
        if Consent.objects.filter(paper=file, withdrawn_at=None).update(withdrawn_at=now):  # it was for this version
            Application.objects.filter(pk=file.application_id).update(cleared_at=None)
        newer = Attachment.objects.filter(application=file.application_id, kind=file.kind, version__gt=file.version)
        if not newer.exists():
            file.state, file.refused_because = State.REFUSED, word
            letters.tell_of_refused_file(file, now=now)
    log.warning("a file was refused: %s", word)
    return "refused"


def _mine(file):
    """The row, as long as the lease is ours: it may have been erased, or taken by somebody else, meanwhile."""
    held = {"state": State.QUARANTINE, "looks": file.looks, "next_look_at": file.next_look_at}
    return Attachment.objects.filter(pk=file.pk, **held)


# --- Silence is noticed ----------------------------------------------------------------------------------------------


@registry.looked_at
def look_for_worries(now):
    """Open and end the alarms of this room: whoever watches calls it too, so that dead workers keep none back."""
    _alarm("files", _waits_too_long(now), now)
    _alarm("scanner", bool(settings.CLAMAV_URL) and _is_silent(now), now)


def _waits_too_long(now):
    late = Attachment.objects.filter(state=State.QUARANTINE, uploaded_at__lt=now - PATIENCE)
    return late.exclude(Exists(_newer(State.QUARANTINE, State.CHECKED))).exists()


def _is_silent(now):
    """Silent only beside a look: while nobody looks through files, nobody knows whether it would answer."""
    last, silence = dict(Pulse.objects.values_list("part", "at")), timedelta(seconds=settings.MAIL_SILENCE)
    looked = last.get("files")
    if looked is None or now - looked >= silence:
        return False
    if "scanner" not in last:  # silent from our first look on, not from the beginning of time
        Pulse.objects.bulk_create([Pulse(part="scanner", at=now)], ignore_conflicts=True)
    return looked - last.get("scanner", now) >= silence


def _alarm(code, is_wrong, now):
    watch.alarm(code, now=now) if is_wrong else watch.ended(code, now=now)
