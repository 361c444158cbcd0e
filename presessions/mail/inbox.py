"""The inbox: which letter does a mail that came back belong to, may it say so, and what follows. Room: mail.

    counts = inbox.read(now=timezone.now)

Mail to a bounce address is believed when the address proves that whoever wrote there was given that letter (`verp`).
With MAIL_BOUNCE_DOMAIN set nothing else is: an address that was made up, or a letter's own address beside another
letter's Message-ID, is FORGED; a Message-ID alone, which everybody learns to whom a letter was passed on, is for a
person to judge. Without that setting the Message-ID has to do: its 128 random bits are known to those who had the
letter in hand. The worst that they can do with either is to return their own letter, which harms nobody else.

Each mail is taken in a transaction of its own, and its report has the mail's hash for a key: however many runs read it,
and wherever one is killed, it counts once. Only then is it marked as read. What a person must see stays unread.
"""

import hashlib
import imaplib
import logging
import re
import ssl
import time
from collections import Counter
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from presessions.logs import TOKEN
from presessions.mail import bounces, registry, verp, watch
from presessions.mail.letters import STRUCK_OUT
from presessions.mail.models import Attempt, Letter, Report

log = logging.getLogger(__name__)

State, Verdict = Letter.State, Report.Verdict

ACTS = (Verdict.HARD, Verdict.LOST, Verdict.SOFT, Verdict.DELIVERED, Verdict.COMPLAINT)  # the others change nothing
LEFT_UNREAD = (Verdict.UNKNOWN, Verdict.FORGED)
MOST_AT_ONCE = 500  # mails in one run


class Trouble(Exception):
    """The inbox cannot be read. str() says why, without password or address."""


# --- Reading --------------------------------------------------------------------------------------------------------


def read(now=None, seconds=None):
    """Take what is unread and new, until the time is up. Returns a count per verdict. Raises Trouble.

    now -- a callable for the time, or None for the clock; seconds -- None: settings.INBOX_SECONDS
    """
    now, counts = now or timezone.now, Counter()
    ends = time.monotonic() + (settings.INBOX_SECONDS if seconds is None else seconds)
    with Mailbox(settings.INBOX_URL) as mailbox:
        unread = mailbox.unread()
        for place in _new(mailbox, unread):
            if time.monotonic() > ends:
                break
            raw = mailbox.fetch(place)
            if raw is not None:  # else somebody moved it meanwhile
                counts[_take(raw, place, mailbox, now(), unread)] += 1
    watch.seen("inbox", now())  # an inbox that cannot be read falls silent, and that is noticed
    if counts["trouble"]:
        watch.alarm("returned", now=now())
    else:
        watch.ended("returned", now=now())
    return counts


def _new(mailbox, unread):
    """Where the mails lie that no run has taken. One that a killed run took and did not mark is marked now."""
    known = dict(Report.objects.filter(place__in=unread).values_list("place", "verdict"))
    mailbox.mark_read([place for place, verdict in known.items() if verdict not in LEFT_UNREAD])
    return [place for place in unread if place not in known][:MOST_AT_ONCE]


def _take(raw, place, mailbox, now, unread):
    """Take one mail; a mail that breaks something stays unread for the next run, and stops no other."""
    try:
        verdict = take(raw, now=now, place=place, unread=unread)
    except (OperationalError, InterfaceError):  # the database is gone: that is not this mail's fault
        raise
    except Exception as error:  # a room's answer to a bounce may fail; no word of the mail may reach the log
        log.error("a mail in the inbox at %s cannot be dealt with: %s", place, type(error).__name__)
        return "trouble"
    if verdict not in LEFT_UNREAD or not Report.objects.filter(place=place).exists():  # of copies, one stays unread
        mailbox.mark_read([place])
    return verdict


# --- Deciding -------------------------------------------------------------------------------------------------------


def take(raw, *, now, place="", unread=()):
    """Note one mail and do what follows from it, both or neither; returns its verdict. Again is no harm.

    place, unread -- where it lies, and where all lie that are unread: a mail that is known from a place that is no
    more, as when the mailbox was numbered anew, lies here now
    """
    fingerprint = hashlib.sha256(raw[: bounces.MOST_BYTES]).hexdigest()
    report, finding = Report(fingerprint=fingerprint, place=place, read_at=now), bounces.read(raw)
    try:
        with transaction.atomic():
            _fill(report, finding, now)
            report.save(force_insert=True)  # a second run waits here until the first is through, and is refused then
            if report.letter and report.verdict in ACTS:
                _follow(report.letter, report.verdict, finding, now)
    except IntegrityError:
        known = Report.objects.filter(fingerprint=fingerprint).first()
        if known is None:
            raise
        if place and known.place not in unread:
            Report.objects.filter(pk=known.pk).update(place=place)
        return Verdict(known.verdict)
    except (ValueError, DataError) as error:
        if report.pk:  # its words can be kept: a room's answer failed, and is asked again
            raise
        log.error("a mail in the inbox at %s cannot be kept: %s", place, type(error).__name__)
        unreadable = {"place": place, "read_at": now, "verdict": Verdict.UNKNOWN, "text": ""}
        Report.objects.get_or_create(fingerprint=fingerprint, defaults=unreadable)
        return Verdict.UNKNOWN
    return report.verdict


def _fill(report, finding, now):
    report.verdict, report.letter = judge(finding)
    report.code, report.text = finding.code, without_links(finding.words)
    if report.letter and report.letter.forgotten_at:  # it names the address that we were asked to forget
        report.text = ""
    report.handled_at = None if report.verdict in Report.FOR_A_PERSON else now


def judge(finding):
    """(verdict, letter or None): whose mail it is about, and whether that is proven."""
    ours = {address: verp.letter_of(address) for address in finding.addresses if verp.is_ours(address)}
    letters = Letter.objects.defer(*Letter.SEALED)
    named = list(letters.filter(message_id__in=finding.message_ids).order_by("pk")[:3]) if finding.message_ids else []
    numbers = set(ours.values())
    if None in numbers or len(numbers) > 1:
        return Verdict.FORGED, None
    if numbers:
        letter = letters.filter(pk=numbers.pop()).first()
        if named and letter not in named:
            return Verdict.FORGED, None
        return (Verdict(finding.verdict) if letter else Verdict.UNKNOWN), letter
    if not named:  # an absence needs no letter; all else is for a person
        known = finding.verdict in (Verdict.AUTOMATIC, Verdict.COMPLAINT)
        return Verdict(finding.verdict) if known else Verdict.UNKNOWN, None
    if settings.MAIL_BOUNCE_DOMAIN and finding.verdict in ACTS:
        return Verdict.UNKNOWN, named[0]
    return Verdict(finding.verdict), named[0]


def _follow(letter, verdict, finding, now):
    """What a report means for its letter. Each step is guarded: whoever was faster, the letter tells the truth.

    A report may come before the worker that handed the letter over has written down the 250, and even for a letter
    that an older database believes to be waiting. It went, or there would be no report: so a report settles a letter
    that is not settled, and the worker's own closing finds it so and lets it be.
    """
    recipient = registry.recipient_kind(letter.recipient_kind)
    code, answer = finding.code, "" if letter.forgotten_at else finding.answer
    if verdict in (Verdict.HARD, Verdict.LOST):
        guard = Q(state__in=(*Letter.UNSETTLED, State.SENT))
        if letter.step(guard, state=State.BOUNCED, now=now, code=code, answer=answer):
            letter.refresh_from_db(fields=["state", "last_code"])
            recipient.on_bounce(letter, now=now, code=code, dead=verdict == Verdict.HARD)
    elif verdict == Verdict.COMPLAINT:
        _note(letter, "complaint", finding.code, now)
        recipient.on_complaint(letter, now=now)
    else:  # delivered, or in the hands of a server that will report again: no repeat is needed
        settled = letter.step(
            Q(state__in=Letter.UNSETTLED), state=State.SENT, now=now, code=code, answer=answer, sent_at=now
        )
        if not settled and verdict == Verdict.SOFT:
            _note(letter, code or "delayed", answer, now)


def _note(letter, code, answer, now):
    letter.refresh_from_db(fields=["state", "phase", "attempts"])
    Attempt.objects.create(
        letter_id=letter.pk,
        at=now,
        number=letter.attempts,
        state=letter.state,
        phase=letter.phase,
        code=code[:20],
        answer=answer,
    )


PACKED = re.compile(r"(?m)^[A-Za-z0-9+/]{60,}={0,2}\s*$")


def without_links(words):
    """The words without what may be a personal link: reports bring letters back, and people quote them."""
    unfolded = re.sub(r"=\r?\n", "", words).replace("=3D", "=")
    return TOKEN.sub(STRUCK_OUT, PACKED.sub(STRUCK_OUT, unfolded))


# --- The mailbox ----------------------------------------------------------------------------------------------------


class Mailbox:
    """A folder on an IMAP server, for a `with` block. A place in it is "validity.uid", which no other mail ever has."""

    def __init__(self, url):
        self.url = urlsplit(url)
        self.imap = None

    def __enter__(self):
        try:
            self.imap = self._connect()
            self._log_in(unquote(self.url.username or ""), unquote(self.url.password or ""))
            folder = unquote(self.url.path.strip("/")) or "INBOX"
            quoted = folder.replace("\\", "\\\\").replace('"', '\\"')
            status, _answer = self.imap.select(f'"{quoted}"')
            if status != "OK":
                raise Trouble("The mail server has no such folder.")
            self.validity = int(self.imap.response("UIDVALIDITY")[1][0])
        except Trouble:
            self.close()
            raise
        except (imaplib.IMAP4.error, OSError, ValueError, TypeError) as error:
            self.close()
            raise Trouble(_in_words(error)) from error
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        imap, self.imap = self.imap, None
        if imap:
            try:
                imap.logout()
            except (imaplib.IMAP4.error, OSError):
                imap.shutdown()

    def unread(self):
        found = self._ask("SEARCH", None, "UNSEEN")[0] or b""
        return [f"{self.validity}.{uid.decode()}" for uid in found.split()]

    def fetch(self, place):
        """The first part of a mail as bytes, without marking it as read; None when it is gone."""
        answer = self._ask("FETCH", place.split(".")[1], f"(BODY.PEEK[]<0.{bounces.MOST_BYTES}>)")
        return next((bytes(part[1]) for part in answer if isinstance(part, tuple)), None)

    def mark_read(self, places):
        for start in range(0, len(places), 100):
            uids = ",".join(place.split(".")[1] for place in places[start : start + 100])
            self._ask("STORE", uids, "+FLAGS.SILENT", r"(\Seen)")

    def _ask(self, *command):
        try:
            status, answer = self.imap.uid(*command)
        except (imaplib.IMAP4.error, OSError) as error:
            raise Trouble(_in_words(error)) from error
        if status != "OK":
            raise Trouble(f"The mail server refuses {command[0]}.")
        return answer

    def _log_in(self, user, password):
        if "AUTH=PLAIN" in self.imap.capabilities:  # takes every sign; LOGIN takes ASCII only
            self.imap.authenticate("PLAIN", lambda _challenge: f"\0{user}\0{password}".encode())
        else:
            self.imap.login(user, password)

    def _connect(self):
        scheme, host, port = self.url.scheme, self.url.hostname or "", self.url.port
        wait = settings.MAIL_COMMAND_TIMEOUT
        tls = ssl.create_default_context()
        if settings.INBOX_CA_FILE:
            tls.load_verify_locations(settings.INBOX_CA_FILE)
        if scheme == "imaps":
            return imaplib.IMAP4_SSL(host, port or 993, ssl_context=tls, timeout=wait)
        if scheme != "imap+tls":
            raise Trouble("INBOX_URL must begin with imaps:// or imap+tls://: a password needs an encrypted line.")
        imap = imaplib.IMAP4(host, port or 143, timeout=wait)
        imap.starttls(ssl_context=tls)
        return imap


def _in_words(error):
    """What went wrong, in words that hold nothing of ours: a server may repeat a user's name."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The mail server's certificate is not trusted: {error.verify_message}."
    if isinstance(error, TimeoutError):
        return "The mail server does not answer in time."
    if isinstance(error, ConnectionRefusedError):
        return "No mail server listens at that address."
    if isinstance(error, imaplib.IMAP4.error) and "AUTH" in str(error).upper():
        return "The mail server refuses our name or password."
    if isinstance(error, imaplib.IMAP4.abort | ConnectionError):
        return "The mail server hung up."
    return f"The mail server cannot be read: {type(error).__name__}."
