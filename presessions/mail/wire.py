"""The wire: one SMTP connection that carries many letters, each one's frozen bytes as they are. Room: mail.

Knows SMTP and nothing of rows. What the server said, or failed to say, comes back as one of five verdicts; whether
it is safe to try again hangs on one thing only: had the server been given the bytes?
"""

import contextlib
import re
import smtplib
import ssl
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote, urlsplit

from django.conf import settings


class Verdict(Enum):
    ACCEPTED = "accepted"  # the server answered for it
    LATER = "later"  # provably not taken; try again
    REFUSED = "refused"  # this recipient or this letter, for good
    OURS = "ours"  # the server refuses us, whoever the letter is for
    UNKNOWN = "unknown"  # it was handed over, and no answer came


@dataclass(frozen=True)
class Answer:
    verdict: Verdict
    code: str  # "250", or one word where there was no answer: "timeout", "dropped", "garbage", "refused"
    text: str = ""
    stage: str = ""

    @property
    def reached_recipients(self):
        """Whether the server was willing to talk about a recipient at all."""
        return self.stage in ("RCPT", "DATA", "dot")

    @property
    def is_of_server(self):
        """Whether the server said anything at all that is SMTP's."""
        return self.code.isdigit() or self.code == "login"


class Connection(smtplib.SMTP):
    """smtplib's client with a hook right before DATA, and the long wait that RFC 5321 asks for after the final dot."""

    before_data = None
    handed_over = False  # whether the server was given the letter's bytes

    def data(self, message):
        self.before_data()
        code, text = self.docmd("DATA")
        if code != 354:
            raise smtplib.SMTPDataError(code, text)
        self.handed_over = True
        self.send(re.sub(rb"(?m)^\.", b"..", message) + b".\r\n")
        self.sock.settimeout(settings.MAIL_FINAL_DOT_TIMEOUT)
        code, text = self.getreply()
        if self.sock:
            self.sock.settimeout(settings.MAIL_COMMAND_TIMEOUT)
        return code, text


class TLSConnection(Connection, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte (smtps://)."""


class Wire:
    """A connection that opens when it is needed and stays while it serves. Use it in a `with` block."""

    def __init__(self, url=None):
        self.url = urlsplit(url or settings.SMTP_URL)
        self.smtp = None
        self.is_clean = False  # the last letter was accepted: the server waits for the next MAIL
        self.unreachable = False  # the last letter found no server, or none that would talk

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close(politely=True)

    def deliver(self, to, message, before_data, sender=None):
        """Offer one letter; always comes back with an Answer. What `before_data` raises hangs up and goes through.

        sender -- where bounces go; MAIL_FROM when not said
        """
        try:
            self._begin(sender or settings.MAIL_FROM)
            self.smtp.before_data = before_data
            self._expect("RCPT", self.smtp.rcpt, to)
            self.stage = "DATA"
            code, text = self.smtp.data(message)
            self.is_clean = code == 250
            return self._answer(code, text)
        except smtplib.SMTPResponseException as error:
            own_words = isinstance(error.smtp_error, str)  # smtplib's "Line too long", which it numbers 500
            return self._answer(-1 if own_words else error.smtp_code, error.smtp_error)
        except (smtplib.SMTPNotSupportedError, smtplib.SMTPAuthenticationError) as error:
            self.close()
            return Answer(Verdict.OURS, "login", str(error), self.stage)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return self._silence(error)
        except BaseException:
            self.close()
            raise

    def answers(self):
        """Whether the server speaks to us at this moment. No password is tried for that."""
        try:
            if self.smtp is None:
                with contextlib.closing(self._connect()) as smtp:
                    return smtp.ehlo()[0] > 0
            return self.smtp.noop()[0] > 0
        except smtplib.SMTPResponseException as error:
            return error.smtp_code > 0
        except (smtplib.SMTPException, OSError):
            self.close()
            return False

    def close(self, politely=False):
        smtp, self.smtp = self.smtp, None
        if smtp:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                if politely:
                    smtp.docmd("QUIT")
            smtp.close()

    def _begin(self, sender):
        """MAIL, over a connection that served before or over a new one. A server may hang up between two letters, or
        say 421; that is no answer about the next, which goes over a new connection."""
        if self.smtp:
            clean, self.is_clean, self.smtp.handed_over = self.is_clean, False, False
            try:
                if clean or self.smtp.rset()[0] == 250:
                    return self._expect("MAIL", self.smtp.mail, sender)
            except smtplib.SMTPResponseException as error:
                if error.smtp_code not in (421, -1):
                    raise
            except OSError:  # and SMTPServerDisconnected, which is one
                pass
            self.close()
        self.stage, self.unreachable = "connect", True
        self._open()
        self.unreachable = self.smtp.handed_over = False
        self._expect("MAIL", self.smtp.mail, sender)

    def _open(self):
        self.smtp = self._connect()
        self.smtp.ehlo_or_helo_if_needed()
        if self.url.scheme == "smtp+tls":
            self.smtp.starttls(context=ssl.create_default_context())
        if self.url.username:
            self.smtp.login(unquote(self.url.username), unquote(self.url.password or ""))

    def _connect(self):
        scheme, options = self.url.scheme, {}
        if scheme == "smtps":
            options["context"] = ssl.create_default_context()
        return (TLSConnection if options else Connection)(
            self.url.hostname,
            self.url.port or {"smtps": 465, "smtp+tls": 587}.get(scheme, 25),
            local_hostname=settings.MAIL_DOMAIN,
            timeout=settings.MAIL_COMMAND_TIMEOUT,
            **options,
        )

    def _expect(self, stage, command, address):
        self.stage = stage
        code, text = command(address)
        if code // 100 != 2:
            raise smtplib.SMTPResponseException(code, text)

    def _answer(self, code, text):
        """Read a reply. Anything that is not a reply to what we asked counts as none."""
        handed_over = bool(self.smtp and self.smtp.handed_over)
        stage = "dot" if handed_over else self.stage
        text = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
        if code // 100 == 2 and handed_over:
            return Answer(Verdict.ACCEPTED, str(code), text, stage)
        if code // 100 == 5:
            if stage in ("connect", "MAIL"):
                self.close()
                return Answer(Verdict.OURS, str(code), text, stage)
            return Answer(Verdict.REFUSED, str(code), text, stage)
        if code // 100 == 4:
            if code == 421 or stage == "connect":
                self.close()
            return Answer(Verdict.LATER, str(code), text, stage)
        self.close()
        return Answer(Verdict.UNKNOWN if handed_over else Verdict.LATER, "garbage", text, stage)

    def _silence(self, error):
        """No reply: the connection was refused, dropped, or ran out of time."""
        handed_over = bool(self.smtp and self.smtp.handed_over)
        self.close()
        if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
            code = "timeout"
        elif isinstance(error, ConnectionRefusedError):
            code = "refused"
        else:
            code = "dropped"
        verdict = Verdict.UNKNOWN if handed_over else Verdict.LATER
        return Answer(verdict, code, type(error).__name__, "dot" if handed_over else self.stage)
