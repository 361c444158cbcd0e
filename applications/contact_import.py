"""Contacts from a list: read, compared with those we have, shown, and written only as they were shown.

Room: applications; imports its models. Whoever is on the list already keeps the wishes they have; whoever left, or has
an address that does not work, is not brought back by an old list.
"""

import hashlib
import re
from dataclasses import dataclass
from email.utils import parseaddr

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.forms.doors import AddressField
from applications.models import Contact
from presessions import imports, trail, vault
from presessions.imports import Unreadable
from presessions.upr.models import State
from presessions.upr.names import LANGUAGES, fold, printable

MOST = 5000  # lines of one list
COLUMNS = {  # as lists name them, folded; what stands under another name is not read
    "email": ("email", "e mail", "email address", "e mail address", "mail", "address", "courriel", "adresse",
              "adresse e mail", "adresse electronique", "adresse email"),
    "language": ("language", "lang", "langue"),
    "states": ("states", "state", "states of interest", "country", "countries", "etats", "etat", "pays"),
}  # fmt: skip
EVERY = ("", "all", "tous", "all states", "tous les etats")
BETWEEN = re.compile(r"[|/,;\n]")


class Outcome(models.TextChoices):
    """What becomes of a line; each but the first is left as it is."""

    NEW = "new", gettext_lazy("new")
    REFUSED = "refused", gettext_lazy("cannot be read")
    TWICE = "twice", gettext_lazy("twice in this list")
    LEFT = "left", gettext_lazy("has left the list")
    BOUNCED = "bounced", gettext_lazy("address does not work")
    THERE = "there", gettext_lazy("on the list, with other wishes")
    SAME = "same", gettext_lazy("on the list, with the same wishes")


@dataclass(frozen=True)
class Row:
    """One line. what -- what it means for staff: the trouble and what to do about it"""

    line: int
    email: str
    language: str = ""
    states: tuple = ()
    outcome: str = Outcome.NEW
    what: str = ""


@dataclass(frozen=True)
class Plan:
    rows: list
    unread: list  # names of columns that are not read

    @property
    def lines(self):
        return len(self.rows)

    @property
    def new(self):
        return [row for row in self.rows if row.outcome == Outcome.NEW]

    @property
    def seen(self):
        """Says whether two plans are the same."""
        rows = [(row.line, row.email, row.language, row.states, str(row.outcome)) for row in self.rows]
        return hashlib.sha256(repr(rows).encode()).hexdigest()[:32]

    def groups(self):
        """(outcome, its rows), those to do something about first; empty ones are left out."""
        by_outcome = {outcome: [row for row in self.rows if row.outcome == outcome] for outcome in Outcome}
        return [(outcome, rows) for outcome, rows in by_outcome.items() if rows]


# --- Reading ----------------------------------------------------------------------------------------------------------


def plan(text, *, language, source=""):
    """What importing this list would do; nothing is written. Costs the same queries for one line and for thousands.
    Raises Unreadable.

    language -- of the lines that name none; source -- stands with what is written, and changes no plan
    """
    columns, unread, records = _records(imports.normal(text))
    read = _Reader(language)
    rows, first = [], {}
    for line, cells in records:
        row = read.row(line, {name: cells[at].strip() for name, at in columns.items() if at < len(cells)})
        key = vault.normal_email(row.email)
        if row.outcome == Outcome.NEW and key in first:
            what = _("The same address stands on line %(line)s. Keep one of the two.") % {"line": first[key]}
            row = _changed(row, Outcome.TWICE, what)
        elif row.outcome == Outcome.NEW:
            first[key] = line
        rows.append(row)
    return Plan(_compared(rows), unread)


def _records(text):
    """({column: place}, names of the columns that are not read, [(line, cells)])."""
    records = imports.records(text, sign=imports.sign_between(text, _fits), most=MOST)
    _line, header = records[0]
    if any("@" in cell for cell in header):
        columns, unread = {name: place for place, name in enumerate(COLUMNS)}, []
    else:
        named = [_column(cell) for cell in header]
        columns = {}
        for place in sorted(range(len(header)), key=lambda place: _rank(header[place])):
            if named[place]:
                columns.setdefault(named[place], place)
        unread = [cell.strip() for place, cell in enumerate(header) if place not in columns.values() and cell.strip()]
        records = records[1:]
    if "email" not in columns:
        raise Unreadable(_("No column has addresses. Name the columns in the first line: email, language, states."))
    if not records:
        raise Unreadable(_("The list is empty."))
    return columns, unread, records


def _column(cell):
    return next((name for name, words in COLUMNS.items() if fold(cell) in words), None)


def _rank(cell):
    """Which of two columns of one name is read: that called just so, then the first; "address" may be a postal one."""
    return {"email": 0, "address": 2, "adresse": 2}.get(fold(cell), 1)


def _fits(cells):
    """Whether a line begins with an address, and how many columns it has that we know."""
    address = "@" in cells[0] and not BETWEEN.search(cells[0].replace("\t", ";"))
    return address, sum(_column(cell) is not None for cell in cells)


class _Reader:
    """Reads cells. One query, however many lines."""

    def __init__(self, language):
        self.default = language
        self.addresses = AddressField(max_length=254)
        self.codes, self.names = {}, {}
        for state in State.objects.all():
            self.codes |= {state.pk: state.pk, state.iso3: state.pk}
            for tongue in LANGUAGES:
                listed = state.listed_name_in(tongue)
                self.names |= {fold(listed): state.pk, fold(printable(listed)): state.pk}
        self.languages = dict(names_of_languages())

    def row(self, line, cells):
        email, trouble = cells.get("email", ""), []
        if "<" in email:
            email = parseaddr(email)[1] or email
        email = email.removeprefix("mailto:")
        try:
            email = self.addresses.clean(email)
        except ValidationError:
            trouble.append(_("This is no address that we can write to. Write it like name@example.org."))
        language = self._language(cells["language"]) if cells.get("language") else self.default
        if not language:
            known = ", ".join(code for code, _name in settings.MAIL_LANGUAGES)
            words = {"language": cells["language"], "known": known}
            trouble.append(_("We know no language “%(language)s”. Write one of: %(known)s.") % words)
        states, unknown = self._states(cells.get("states", ""))
        if unknown:
            words = {"names": ", ".join(unknown)}
            trouble.append(
                _("We know no State “%(names)s”. Write its UN name, or its code, like KE; “|” between several.") % words
            )
        if trouble:
            return Row(line, cells.get("email", ""), outcome=Outcome.REFUSED, what=" ".join(trouble))
        return Row(line, email, language, states)

    def _language(self, cell):
        words = fold(cell)
        return self.languages.get(words) or self.languages.get(words[:2] if cell[2:3] in "-_" else "", "")

    def _states(self, cell):
        """(codes, what is no State)."""
        if fold(cell) in EVERY:
            return (), []
        parts = [part.strip() for part in BETWEEN.split(cell) if part.strip()]
        found, unknown = set(), []
        for part in [cell] if self._state(cell) else parts:
            codes = [self._state(part)] if self._state(part) else [self.codes.get(one.upper()) for one in part.split()]
            found |= set(filter(None, codes))
            unknown += [] if all(codes) else [part]
        return tuple(sorted(found)), unknown

    def _state(self, words):
        return self.codes.get(words.upper()) or self.names.get(fold(words))


def names_of_languages():
    """(folded name, code) of our six: the code, and the name in the language itself, in English and in French."""
    for tag, own_name in settings.LANGUAGES:
        names = {tag[:2], tag, own_name}
        for tongue in ("en", "fr"):
            with translation.override(tongue):
                names.add(translation.gettext(LANG_INFO[tag]["name"]))
        names |= {"Chinese", "chinois"} if tag.startswith("zh") else set()
        yield from ((fold(name), tag[:2]) for name in names)


# --- Comparing --------------------------------------------------------------------------------------------------------


def _compared(rows):
    """The rows beside the contacts that hold these addresses, or held them. Two queries."""
    indexes = {row.line: vault.blind_indexes("email", row.email) for row in rows if row.outcome == Outcome.NEW}
    wanted = {index for those in indexes.values() for index in those}
    known = {}
    contacts = Contact.objects.filter(email_index__in=wanted).exclude(email_index="").defer("email", "source")
    for contact in contacts.order_by("pk").prefetch_related("states"):
        known.setdefault(contact.email_index, []).append(contact)
    return [_beside(row, [one for index in indexes.get(row.line, ()) for one in known.get(index, ())]) for row in rows]


def _beside(row, contacts):
    there = next((one for one in contacts if one.is_confirmed), None)
    if there:
        same = (there.language, {state.pk for state in there.states.all()}) == (row.language, set(row.states))
        words = {"contact": there}
        if same:
            return _changed(row, Outcome.SAME, _("%(contact)s: nothing changes.") % words)
        return _changed(row, Outcome.THERE, _("%(contact)s: their own wishes stay.") % words)
    if any(one.bounced_at and not one.has_left for one in contacts):
        return _changed(row, Outcome.BOUNCED, _("Our mail came back. Ask for an address that works."))
    if any(one.has_left for one in contacts):
        return _changed(row, Outcome.LEFT, _("Not brought back by a list. They can sign up again themselves."))
    return row


def _changed(row, outcome, what):
    return Row(row.line, row.email, row.language, row.states, outcome, what)


# --- Writing ----------------------------------------------------------------------------------------------------------


def carry_out(text, *, language, source, seen, by, now):
    """Put the new addresses of a list on ours, as they were shown; returns how many. They count as confirmed: staff
    answer for where they come from. Raises Changed where it would not be what was shown, Unreadable."""
    try:
        with transaction.atomic():
            found = plan(text, language=language)
            if found.seen != seen:
                raise imports.Changed(found)
            _write(found.new, source=source, by=by, now=now)
    except IntegrityError:  # somebody else entered one of them this very moment
        raise imports.Changed(plan(text, language=language)) from None
    return len(found.new)


def _write(rows, *, source, by, now):
    contacts = Contact.objects.bulk_create(
        Contact(
            email=row.email,
            email_index=vault.blind_index("email", row.email),
            language=row.language,
            asked_at=now,
            confirmed_at=now,
            source=source,
            entered_by=by,
        )
        for row in rows
    )
    named = Contact.states.through
    pairs = zip(contacts, rows, strict=True)
    named.objects.bulk_create(named(contact=contact, state_id=code) for contact, row in pairs for code in row.states)
    trail.record_all(contacts, "imported", now=now, by=by)
