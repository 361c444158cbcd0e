"""What a mail that came back says: bounce, delay, automatic reply, complaint. Room: mail; pure, no rows, no settings.

    finding = bounces.read(raw)

Reports in the form of RFC 3464 and complaints in that of RFC 5965 are read field by field; of servers that write plain
words (qmail, Exim, Yahoo and their kind) the words are weighed; automatic replies are known by their headers alone.
Nothing here is believed: who may say what about which letter is decided by `inbox`.

Two questions are kept apart. Has the letter arrived? And does the address work? A full mailbox, a refusal for our
looks, or a server that stayed away for five days lose this letter, and say nothing against the next one: LOST. Only
"there is no such person, mailbox or domain" is HARD, and stops us from writing there.
"""

import base64
import binascii
import html
import quopri
import re
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.header import decode_header, make_header
from enum import StrEnum
from itertools import islice

MOST_BYTES = 128 * 1024  # of a mail; what a report says stands in front of the letter that it brings back
MOST_PARTS = 60
MOST_WORDS = 4000
MOST_HEADER = 2000
DEEPEST = 3  # a report inside of a forwarded mail inside of another


class Verdict(StrEnum):
    """As in models.Report, where FORGED is added by those who know the letters."""

    HARD = "hard"
    LOST = "lost"
    SOFT = "soft"
    DELIVERED = "delivered"
    AUTOMATIC = "automatic"
    COMPLAINT = "complaint"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """What one mail says.

    code -- an enhanced status like "5.1.1", an SMTP reply like "550", a kind of complaint, or ""
    message_ids -- of the letter that it is about, as far as it names one; the surest first
    addresses -- where it was sent, and from where it says the letter came: one may be a letter's own envelope sender
    recipient -- who did not get it, in the reporting server's words
    answer -- what the other server said
    words -- for a person to read; without the letter that came back
    """

    verdict: Verdict
    code: str = ""
    message_ids: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    recipient: str = ""
    answer: str = ""
    words: str = ""


def read(raw):
    """The Finding of any bytes whatever. Never raises: what cannot be read is for a person."""
    raw = bytes(raw[:MOST_BYTES])
    try:
        return _read(raw)
    except Exception:  # a mail may break a parser in ways that nobody has thought of, endless nesting among them
        return Finding(Verdict.UNKNOWN, words=_kept(raw[:MOST_WORDS].decode("ascii", "replace")))


def _read(raw):
    mail = Mail(message_from_bytes(raw))
    outcome = _of_fields(mail) or _of_complaint(mail) or _of_words(mail) or _of_headers(mail)
    verdict, code, recipient, answer = outcome or (Verdict.UNKNOWN, "", "", "")
    return Finding(
        verdict,
        _kept(code)[:20],
        message_ids=tuple(map(_kept, mail.message_ids())),
        addresses=tuple(map(_kept, mail.addresses())),
        recipient=_kept(recipient)[:254],
        answer=_kept(answer)[:500],
        words=_kept(mail.words()),
    )


def _kept(text):
    """A text without the signs that no database keeps: NUL, and halves of a pair, which some charsets can spell."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


# --- Parts ----------------------------------------------------------------------------------------------------------

TO_US = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "To", "Cc")
FROM_US = ("Return-Path", "Original-Mail-From", "X-Envelope-From", "X-Postfix-Sender", "X-Exim-Sender")
# Each repetition has an end: somebody may send 200,000 signs that nearly match.
ADDRESS = re.compile(r"[^\s<>,;:\"'()\[\]@]{1,80}@[^\s<>,;:\"'()\[\]@]{1,255}")
MESSAGE_ID = re.compile(r"<[^\s<>]{3,250}@[^\s<>]{1,250}>")
NAMES_THE_LETTER = re.compile(
    r"^[> \t]{0,40}(?:Original-)?Message-ID:\s{0,9}(<[^\s<>]{3,400}>)", re.IGNORECASE | re.MULTILINE
)
NAMES_ITS_SENDER = re.compile(r"^[> \t]{0,40}Return-Path:\s{0,9}<([^\s<>]{3,300})>", re.IGNORECASE | re.MULTILINE)


class Mail:
    """A mail taken apart into what its author wrote, the fields for machines, and the letter that came back."""

    def __init__(self, message):
        self.message = message
        self.texts, self.pages, self.blocks, self.complaint, self.returned = [], [], [], {}, []
        self._take(message, DEEPEST)
        self.text = "\n\n".join(self.texts or self.pages)
        if not self.blocks and "final-recipient:" in self.text.lower():  # its sender did not say that it is a report
            self.blocks = [block for block in _blocks(self.text) if "final-recipient" in block]

    def header(self, name):
        value = self.message.get(name)
        if value is None:
            return ""
        value = str(value)[:MOST_HEADER]
        try:
            return " ".join(str(make_header(decode_header(value))).split())
        except (LookupError, ValueError, binascii.Error):
            return " ".join(value.split())

    def message_ids(self):
        found = [_id for letter in self.returned for _id in MESSAGE_ID.findall(str(letter.get("Message-ID", "")))]
        for block in self.blocks:
            found += MESSAGE_ID.findall(block.get("original-message-id", ""))
        found += NAMES_THE_LETTER.findall(self.text)
        for name in ("In-Reply-To", "References"):
            found += MESSAGE_ID.findall(str(self.message.get(name, "")))
        return tuple(dict.fromkeys(found))[:20]

    def addresses(self):
        values = [value for name in TO_US for value in self.message.get_all(name, [])]
        values += [value for letter in self.returned for name in FROM_US for value in letter.get_all(name, [])]
        for block in [*self.blocks, self.complaint]:
            values += [block[name.lower()] for name in FROM_US if name.lower() in block]
        values += NAMES_ITS_SENDER.findall(self.text)
        return tuple(dict.fromkeys(address for value in values for address in ADDRESS.findall(str(value))))[:50]

    def own_words(self):
        """What the author wrote before the copy of the letter."""
        return COPY.split(self.text, maxsplit=1)[0]

    def words(self):
        head = [f"{name}: {self.header(name)}"[:400] for name in ("From", "Subject", "Date") if self.header(name)]
        fields = [f"{name}: {value}" for block in self.blocks for name, value in block.items() if name in TOLD]
        parts = ["\n".join(head), self.own_words().strip()[:MOST_WORDS], "\n".join(fields)[:1000]]
        return "\n\n".join(part for part in parts if part)

    def _take(self, message, depth):
        """Sort the parts of a message; a message that came back is opened only when it is a report itself."""
        for part in islice(_leaves(message), MOST_PARTS):
            kind, subtype = part.get_content_maintype(), part.get_content_subtype()
            if subtype in ("delivery-status", "global-delivery-status", "disposition-notification"):
                self.blocks += _blocks(_plain(part))
            elif subtype == "feedback-report":
                self.complaint = next(iter(_blocks(_plain(part))), {})
            elif subtype in ("rfc822-headers", "global-headers"):
                self.returned.append(message_from_string(_decoded(part) or _plain(part)))
            elif kind == "message":
                self._take_returned(part, depth)
            elif kind == "text":
                self.pages.append(_without_tags(_decoded(part))) if subtype == "html" else self.texts.append(
                    _decoded(part)
                )

    def _take_returned(self, part, depth):
        inside = part.get_payload()
        letter = inside[0] if isinstance(inside, list) and inside else message_from_string(_plain(part))
        if letter.get("Message-ID") is None and part.get("Content-Transfer-Encoding"):
            letter = message_from_string(_plain(part))  # packed, though no message may be
        if depth and letter.get_content_type() == "multipart/report":
            self._take(letter, depth - 1)
        self.returned.append(letter)


def _leaves(message):
    """The parts of a message without those of a message that is one of them."""
    if message.get_content_maintype() == "multipart" and isinstance(message.get_payload(), list):
        for part in message.get_payload():
            yield from _leaves(part)
    else:
        yield message


def _plain(part):
    """The text of a part that the parser took for a message or for several, unpacked."""
    inside = part.get_payload()
    text = "\n\n".join(_flat(block) for block in inside) if isinstance(inside, list) else str(inside or "")
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    try:
        if encoding == "base64":
            text = base64.b64decode(re.sub(r"[^A-Za-z0-9+/=]", "", text)).decode("utf-8", "replace")
        elif encoding == "quoted-printable":
            text = quopri.decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace")
    except (ValueError, binascii.Error):
        pass
    return text


def _flat(block):
    head = "\n".join(f"{name}: {value}" for name, value in block.items())
    inside = block.get_payload()
    body = inside if isinstance(inside, str) else ""
    return f"{head}\n\n{body}".strip()


def _blocks(text):
    """Groups of fields, {small name: value on one line}; blank lines lie between them."""
    blocks = []
    for group in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n"))[:MOST_PARTS]:
        unfolded = re.sub(r"\n[ \t]+", " ", group)
        fields = re.findall(r"^([A-Za-z][A-Za-z-]{1,60}):[ \t]*(.*)$", unfolded, re.MULTILINE)
        if fields:
            blocks.append({name.lower(): value.strip()[:1000] for name, value in reversed(fields)})
    return blocks


def _decoded(part):
    data = part.get_payload(decode=True) or b""  # None for what the parser took for a message
    charset = str(part.get_content_charset() or "utf-8")
    try:
        return data.decode(charset, "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")


def _without_tags(text):
    return html.unescape(re.sub(r"<[^<>]{0,2000}>", " ", re.sub(r"(?i)<br|</p|</tr|</h\d", "\n<", text)))


# --- Reports for machines -------------------------------------------------------------------------------------------

TOLD = ("final-recipient", "action", "status", "diagnostic-code", "remote-mta", "disposition")
ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
REPLY = re.compile(r"(?<![\d.])([45]\d\d)(?=[ \-:#])(?!\.)")
LUCK = (Verdict.HARD, Verdict.LOST, Verdict.SOFT, Verdict.DELIVERED)  # one of several recipients is enough


def _of_fields(mail):
    """From the fields of RFC 3464; of several recipients, as a mission's address may be a list, the luckiest counts."""
    outcomes = [outcome for block in mail.blocks if (outcome := _of_block(block, mail))]
    return max(outcomes, key=lambda outcome: LUCK.index(outcome[0])) if outcomes else None


def _of_block(block, mail):
    if "disposition" in block:  # a receipt that a mail program sends when it shows a letter
        return Verdict.DELIVERED, "", _address(block.get("final-recipient", "")), block["disposition"]
    if not block.keys() & {"final-recipient", "original-recipient"}:
        return None
    answer = block.get("diagnostic-code", "")
    code = _surest(block.get("status", ""), answer)
    recipient = _address(block.get("original-recipient") or block.get("final-recipient", ""))
    action = block.get("action", "").split()[0].strip("();,").lower() if block.get("action") else ""
    action = action or {"2": "delivered", "4": "delayed", "5": "failed"}.get(code[:1], "")
    if action in ("delivered", "relayed", "expanded"):
        return Verdict.DELIVERED, code, recipient, answer
    if action == "delayed":
        return Verdict.SOFT, code, recipient, answer
    if action == "failed":
        return _why(code, answer or mail.own_words()), code or "failed", recipient, answer
    return None


def _address(field):
    found = ADDRESS.search(field)
    return found[0] if found else ""


def _surest(status, answer):
    """The status, or what the other server said where the status only says "something" (5.0.0)."""
    given, said = ENHANCED.search(status), ENHANCED.search(answer)
    if given and not (said and given[1][1:] in (".0.0", ".3.0", ".5.0") and said[1][0] == given[1][0]):
        return given[1]
    if said:
        return said[1]
    reply = REPLY.search(answer + " ")
    return reply[1] if reply else ""


# RFC 3463 and the registry of enhanced codes. 5.1.0 says "something about an address"; 5.1.7 to 5.1.9 blame the sender.
NO_SUCH_ADDRESS = re.compile(r"5\.(1\.(?!0$|7$|8$|9$)\d+|2\.1|4\.4|4\.310)$")
SAYS_NOTHING = re.compile(r"([45]\.[0-35]\.0|5\.5\.\d|5\.7\.1|[45]\d\d|)$")
FULL = re.compile(
    r"quota|(mailbox|inbox|storage|account|box)\s+(is\s+)?(over|full|exceed)|full\s+mailbox", re.IGNORECASE
)
NOBODY = re.compile(
    r"""(user|recipient|mailbox|account|address|addressee)\s+(is\s+|name\s+)?unknown
    | (unknown|invalid|no\s+such|unrouteable|nonexistent|non-existent)\s+
      (local\s+|virtual\s+)?(user|recipient|mailbox|account|address|person|domain|host|local.part)
    | (user|recipient|mailbox|account|address|domain|host)\b[^.\n]{0,60}
      \b(does\s+not\s+exist|doesn['’]t\s+exist|not\s+exist|not\s+(be\s+)?found|disabled|inactive|no\s+longer|not\s+listed)
    | doesn['’]t\s+have\s+an?\s+\S+\s+account | recip(ient)?notfound | recipnotfound | not\s+listed\s+in
    | no\s+mailbox\s+(here|by) | couldn['’]t\s+find\s+any\s+host | not\s+a\s+valid\s+(user|mailbox|recipient)""",
    re.IGNORECASE | re.VERBOSE,
)


def _why(code, words):
    """Of a letter that did not arrive: is the address to blame? When in doubt, it is not."""
    if NO_SUCH_ADDRESS.match(code):
        return Verdict.LOST if FULL.search(words) else Verdict.HARD
    if SAYS_NOTHING.match(code) and not FULL.search(words) and NOBODY.search(words):
        return Verdict.HARD
    return Verdict.LOST


def is_dead(answer):
    """The same of a server that refuses the address while we talk to it, by its words."""
    return _why(_surest("", answer), answer) == Verdict.HARD


# --- Complaints -----------------------------------------------------------------------------------------------------


def _of_complaint(mail):
    """From a report of RFC 5965: its reader pressed "this is spam"."""
    kind = mail.complaint.get("feedback-type", "").lower()
    if kind in ("abuse", "fraud", "virus", "opt-out", "other"):
        return Verdict.COMPLAINT, kind, mail.complaint.get("original-rcpt-to", ""), ""
    return None  # "not-spam", and reports about signatures, are for a person


# --- Reports in plain words -----------------------------------------------------------------------------------------

COPY = re.compile(
    r"^[^\w\n]{0,80}(?:below this line is a copy|this is a copy of (?:the|your)|original message follows"
    r"|-{3,} ?original message|(?:return-path|received|message-id):).*",
    re.IGNORECASE | re.MULTILINE,
)
ROBOT = re.compile(
    r"\b(mailer[-_.]?daemon|mail[-_.]?daemon|postmaster|mail delivery (sub)?system|mail administrator)\b", re.I
)
FAILS = re.compile(
    r"undeliver|not (be )?deliver|n['o]t deliver|unable to deliver|delivery (has )?(fail|error)|failure notice"
    r"|returned (mail|to sender)|wasn't able|could ?n[o']t be sent|permanent|giv(en|ing) up|gave up|rejected",
    re.IGNORECASE,
)
STILL_TRIES = re.compile(
    r"\b(warning|delayed|will (continue|keep|be) ?(to )?(try|retr)|will be retried|not yet been delivered"
    r"|no action is required)",
    re.IGNORECASE,
)


def _of_words(mail):
    """From what a server wrote for people. Only where a machine has plainly written it."""
    words, subject = mail.own_words(), mail.header("Subject")
    failed = mail.header("X-Failed-Recipients")
    from_nobody = str(mail.message.get("Return-Path", "")).strip() == "<>"
    robot = ROBOT.search(mail.header("From")) or from_nobody or words.lstrip().startswith("Hi. This is the")
    if not (failed or robot) or not (
        FAILS.search(subject + "\n" + words) or STILL_TRIES.search(subject + "\n" + words)
    ):
        return None
    said = ENHANCED.search(words) or REPLY.search(words)
    code = said[1] if said else ""
    recipient = _address(failed) or _address(words)
    answer = next((line.strip() for line in words.splitlines() if code and code in line), "")
    if STILL_TRIES.search(subject + "\n" + words) and not re.search(r"permanent|giv(en|ing) up|gave up", words, re.I):
        return Verdict.SOFT, code, recipient, answer
    return _why(code, words), code or "failed", recipient, answer


# --- Automatic replies, by their headers alone ----------------------------------------------------------------------

REPLIES = re.compile(
    r"^\W*(automatic reply|auto(matic)?[- ]?(reply|response)|autoreply|out of (the )?office"
    r"|r[ée]ponse automatique|absence du bureau|absent du bureau"
    r"|respuesta autom[áa]tica|fuera de (la )?oficina|resposta autom[áa]tica|risposta automatica|fuori sede"
    r"|automatische (antwort|abwesenheit)|abwesenheit|автоматический ответ|нет на месте"
    r"|رد تلقائي|خارج المكتب|自动(答复|回复)|自動(応答|回覆|答覆)|不在办公室)",
    re.IGNORECASE,
)
ASKS = re.compile(
    r"\b(confirm|verif|validat|authenticat|captcha|challenge)\w*.{0,60}\b(sender|message|e-?mail|mail|address|deliver\w*|human)"
    r"|\b(sender|message|e-?mail|delivery)\b.{0,60}\b(confirm|verif|validat|authori[sz])\w*",
    re.IGNORECASE,
)


def _of_headers(mail):
    """An absence, a receipt of a ticket system; not one that wants a person to press a button before it delivers."""
    submitted = mail.header("Auto-Submitted").split(";")[0].strip().lower()
    precedence = mail.header("Precedence").lower()
    automatic = (
        submitted.startswith("auto-")
        or mail.header("X-Autoreply")
        or mail.header("X-Autorespond")
        or mail.header("X-Auto-Reply")
        or precedence in ("auto_reply", "auto-reply")
        or REPLIES.search(mail.header("Subject"))
    )
    if not automatic or ASKS.search(mail.header("Subject")):
        return None
    return Verdict.AUTOMATIC, "", "", ""
