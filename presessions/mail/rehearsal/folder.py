"""The letters of a rehearsal as files that a mail program opens, and a page that leads to them. Room: mail.

Masked unless told otherwise: one letter of each mailing and language, as staff see it on its page, to nobody; and none
of a person at risk. `full` keeps every letter as it would go, addresses and links included: links open nothing, because
they are known to the copy alone.
"""

import os
from pathlib import Path
from types import SimpleNamespace

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string

from presessions.mail import letters, registry
from presessions.mail.models import Letter
from presessions.mail.rehearsal.problems import named

MASKED = "masked@masked.invalid"
SHOWN = 200  # letters of one mailing that the page leads to, where all are there


class Folder:
    """Where the letters go. Nobody but its owner can read it."""

    def __init__(self, path, *, full=False):
        self.path, self.full, self.files, self.rows = Path(path), full, {}, []
        self.path.mkdir(mode=0o700, parents=True)
        (self.path / "letters").mkdir(mode=0o700)

    def keep(self, message_id, message):
        """One letter, byte for byte."""
        name = f"letters/{len(self.files) + 1:05}.eml"
        self._write(name, message)
        self.files[message_id] = name

    def add(self, going):
        """What went at one moment, with the letters to look at."""
        shown = self._all(going) if self.full else self._one_of_each_language(going)
        self.rows.append({"going": going, "letters": shown})

    def finish(self, **facts):
        """Write the page; returns where."""
        self._write("index.html", render_to_string("mail/rehearsal.html", {"rows": self.rows, **facts}).encode())
        return self.path / "index.html"

    def _all(self, going):
        sent = list(going.letters().order_by("pk").defer("frozen", "kept", "kept_html")[:SHOWN])
        labels = registry.recipient_kind(sent[0].recipient_kind).label(sent) if sent else {}
        more = going.number - len(sent)
        left_off = [{"words": f"and {more} more, in the folder letters", "file": ""}] if more else []
        return [
            {
                "words": f"{labels.get(letter.recipient_id, letter.recipient_id)} <{letter.to}>",
                "file": self.files[letter.message_id],
            }
            for letter in sent
        ] + left_off

    def _one_of_each_language(self, going):
        found = []
        for language in sorted(going.languages):
            letter = self._first_unmasked(going, language)
            words = named(language)
            if letter is None:
                found.append({"words": f"{words}: masked, for the safety officer alone", "file": ""})
                continue
            name = f"letters/{len(self.rows) + 1:03}-{going.kind}-{language}"
            self._write(f"{name}.eml", _to_nobody(letter))
            found.append({"words": words, "file": f"{name}.eml", "subject": letter.subject})
        return found

    def _first_unmasked(self, going, language):
        nobody = SimpleNamespace(user=AnonymousUser(), session={})
        of_language = going.letters().filter(language=language).order_by("pk")
        for letter in of_language.defer("frozen").iterator(chunk_size=20):
            asked = registry.recipient_kind(letter.recipient_kind)
            if not asked.masked(nobody, [letter.recipient_id]):
                return letter
        return None

    def _write(self, name, content):
        with os.fdopen(os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)


def _to_nobody(letter: Letter):
    """A letter that was sent, as staff see it: links struck out, and no address."""
    return letters.freeze(
        letters.Text(letter.subject, letter.kept, letter.kept_html),
        to=MASKED,
        reply_to=settings.MAIL_REPLY_TO,
        message_id=letter.message_id,
        date=letter.date_header,
        language=letter.language,
    )
