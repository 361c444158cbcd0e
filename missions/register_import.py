"""The register from a list: read, compared with what we have, shown, and written only as it was shown.

Room: missions. One line for each address, or for a mission; an empty cell changes nothing, and no list takes anything
away: an address ends by the day on which it is no longer valid. What `exports.REGISTER` writes can be read back.
"""

import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from applications.contact_import import names_of_languages
from applications.forms.doors import AddressField
from missions import keeping
from missions.exports import HEADINGS
from missions.keeping import Difference
from missions.models import MissionAddress, PermanentMission
from presessions import imports, trail, vault
from presessions.imports import Unreadable
from presessions.upr.names import LANGUAGES, fold, printable

MOST = 3_000  # lines of one list: 196 missions with some addresses each
ALSO = {  # as lists name the columns, folded, besides the headings of our own
    "mission": ("mission", "permanent mission", "state", "country", "name", "mission permanente", "etat", "pays"),
    "code": ("iso", "iso2", "iso code", "code iso"),
    "email": ("address", "addresses", "email", "e mail", "email address", "mail", "adresse", "courriel",
              "adresse e mail", "adresse electronique", "written to"),
    "role": ("role", "function", "fonction"),
    "language": ("language", "langue"),
    "in_geneva": ("mission in geneva",),
}  # fmt: skip
FORMS = tuple(f"address_form_{language}" for language in LANGUAGES)
OF_MISSION = ("language", *FORMS, "in_geneva", "source", "as_of")
OF_ADDRESS = ("role", "position", "valid_from", "valid_until")
InGeneva, Role = PermanentMission.InGeneva, MissionAddress.Role


@dataclass(frozen=True)
class Refused:
    """A line that is not taken: what is wrong with it, and what to do."""

    line: int
    what: str


@dataclass
class Change:
    """What a list would change of one mission.

    facts -- {field: value}; addresses -- [(the MissionAddress or None, e-mail address, {field: value})]
    notes -- what staff should know, in words
    """

    mission: Any
    lines: list = field(default_factory=list)
    facts: dict = field(default_factory=dict)
    addresses: list = field(default_factory=list)
    differences: list = field(default_factory=list)
    notes: list = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    changes: list
    refused: list
    same: list  # missions of the list of which nothing changes
    unread: list  # names of columns that are not read
    lines: int

    @property
    def seen(self):
        """Says whether two plans are the same."""
        told = [
            (change.mission.code, [(one.what, one.before, one.after) for one in change.differences], change.notes)
            for change in self.changes
        ]
        told += [(one.line, one.what) for one in self.refused]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


# --- Reading ----------------------------------------------------------------------------------------------------------


def plan(text):
    """What importing this list would do; nothing is written. The same queries for one line and for thousands. Raises
    Unreadable."""
    return _plan(text, PermanentMission.objects)


def _plan(text, missions):
    read = imports.read(text, _columns(), fold=fold, most=MOST)
    if not {"mission", "code"} & set(read.columns):
        raise Unreadable(_("No column names the mission. Name the columns in the first line: mission, address, role."))
    reader = _Reader(list(missions.with_state().prefetch_related("addresses")))
    for line, cells in read.rows:
        reader.take(line, cells)
    return reader.plan(read)


def _columns():
    """{field: what a heading may be, folded}: ours in the languages of the desk, and what others write."""
    said = {name: set(ALSO.get(name, ())) for name in HEADINGS}
    for language, _name in settings.STAFF_LANGUAGES:
        with translation.override(language):
            for name, heading in HEADINGS.items():
                said[name].add(fold(str(heading)))
    return said


def _choices(choices):
    """{folded: value} by a choice's value, and by what it is called in the languages of the desk."""
    known = {fold(value): value for value in choices.values}
    for language, _name in settings.STAFF_LANGUAGES:
        with translation.override(language):
            known |= {fold(str(label)): value for value, label in choices.choices}
    return known


class _Wrong(Exception):
    """Of a cell: str() says what is wrong with it, and what to do."""


class _Reader:
    """Takes lines one by one, and keeps what they say of each mission."""

    def __init__(self, missions):
        self.missions = {mission.pk: mission for mission in missions}
        self.codes, self.names = {}, {}
        for mission in missions:
            self.codes[mission.code] = mission
            if mission.state:
                self.codes[mission.state.iso3] = mission
            for language in LANGUAGES:
                name = mission.state.listed_name_in(language) if mission.state else mission.name_in(language)
                self.names |= {fold(name): mission, fold(printable(name)): mission}
        self.homes = {}  # {address: keys of the missions that it stands at}
        for mission in missions:
            for one in mission.addresses.all():
                self.homes.setdefault(vault.normal_email(one.email), []).append(mission.pk)
        self.email = AddressField(max_length=254)
        self.languages, self.roles, self.places = dict(names_of_languages()), _choices(Role), _choices(InGeneva)
        self.said, self.lines, self.refused = {}, {}, []

    # A line

    def take(self, line, cells):
        cells = {name: cell for name, cell in cells.items() if cell}
        wrong, read = [], {}
        try:
            mission = self._mission(cells)
        except _Wrong as problem:
            mission = None
            wrong.append(str(problem))
        for name, cell in cells.items():
            try:
                read[name] = self._cell(name, cell)
            except _Wrong as problem:
                wrong.append(str(problem))
        if mission and not wrong:
            wrong = list(self._wrong_together(mission, read, line))
        if wrong:
            self.refused.append(Refused(line, " ".join(wrong)))
            return
        facts, addresses = self.said.setdefault(mission.pk, ({}, {}))
        self.lines.setdefault(mission.pk, []).append(line)
        facts |= {
            name: (read[name], line) for name in OF_MISSION if name in read and read[name] != getattr(mission, name)
        }
        if "email" in read:
            own = {name: read[name] for name in OF_ADDRESS if name in read}
            addresses[vault.normal_email(read["email"])] = (read["email"], own, line)

    def _mission(self, cells):
        code, name = cells.get("code", ""), cells.get("mission", "")
        if not code and not name:
            raise _Wrong(_("No mission is named. Write its State’s UN name, or its code, like KE."))
        by_code = self.codes.get(code.upper())
        by_name = self.names.get(fold(name)) or self.codes.get(name.upper())
        if code and not by_code:
            raise _Wrong(_("We know no mission with the code “%(code)s”. Write one like KE.") % {"code": code})
        if name and not by_name and not by_code:
            words = _("We know no mission “%(name)s”. Write its State’s UN name, or its code, like KE.")
            raise _Wrong(words % {"name": name})
        if by_code and by_name and by_code != by_name:
            words = {"code": code, "name": name}
            raise _Wrong(_("The code %(code)s is not that of “%(name)s”. Keep the one that is right.") % words)
        return by_code or by_name

    def _cell(self, name, cell):
        read = getattr(self, f"_read_{name}", None)
        return read(cell) if read else _of_length(name, cell)

    def _read_mission(self, cell):
        return cell

    _read_code = _read_mission

    def _read_email(self, cell):
        try:
            return self.email.clean(cell.removeprefix("mailto:"))
        except ValidationError:
            raise _Wrong(_("“%(cell)s” is no address that we can write to. Write it like name@example.org.")
                         % {"cell": cell}) from None  # fmt: skip

    def _read_role(self, cell):
        return _among(self.roles, cell, Role, _("We know no role “%(cell)s”. Write one of: %(known)s."))

    def _read_in_geneva(self, cell):
        return _among(
            self.places, cell, InGeneva, _("“%(cell)s” is not clear in “in Geneva”. Write one of: %(known)s.")
        )

    def _read_language(self, cell):
        words = fold(cell)
        found = self.languages.get(words) or self.languages.get(words[:2] if cell[2:3] in "-_" else "", "")
        if not found:
            known = ", ".join(code for code, _name in settings.MAIL_LANGUAGES)
            words = {"language": cell, "known": known}
            raise _Wrong(_("We know no language “%(language)s”. Write one of: %(known)s.") % words)
        return found

    def _read_valid_from(self, cell):
        day = imports.day(cell)
        if day is None:
            raise _Wrong(_("“%(cell)s” is no date. Write it like 2026-03-31.") % {"cell": cell})
        return day

    _read_valid_until = _read_valid_from

    def _read_position(self, cell):
        if not cell.isdecimal() or not 1 <= int(cell) <= 99:
            raise _Wrong(_("“%(cell)s” is no place in the order. Write a number: letters go to 1.") % {"cell": cell})
        return int(cell)

    def _wrong_together(self, mission, read, line):
        """What is wrong with a line beside the lines before it, and beside what stands in the register."""
        facts, addresses = self.said.get(mission.pk, ({}, {}))
        for name in OF_MISSION:
            # Lines that repeat what we have already do not speak against one that changes it.
            if name in read and read[name] not in (getattr(mission, name), facts.get(name, (read[name],))[0]):
                words = {"column": HEADINGS[name], "line": facts[name][1], "mission": mission}
                yield _("“%(column)s” of %(mission)s is another one on line %(line)s. Keep one of the two.") % words
        known = addresses.get(vault.normal_email(read["email"])) if "email" in read else None
        if known:
            yield _("The same address stands on line %(line)s. Keep one of the two.") % {"line": known[2]}
        if "email" not in read and any(name in read for name in OF_ADDRESS):
            yield _("Something is said of an address, and there is none. Write the address, or empty those cells.")
        there = _address(mission, read.get("email", ""))
        begins = read.get("valid_from") or (there and there.valid_from)
        ends = read.get("valid_until") or (there and there.valid_until)
        if begins and ends and ends < begins:
            yield _("The address would end before it begins. Look at “valid from” and “valid until”.")
        source = read.get("source") or facts.get("source", ("",))[0] or mission.source
        if read.get("in_geneva") == InGeneva.NO and not source:
            yield _("Who says that there is no mission in Geneva? Write it into “source”.")

    # All lines

    def plan(self, read):
        changes, same = [], []
        for pk, (facts, addresses) in self.said.items():
            mission = self.missions[pk]
            change = Change(mission, self.lines[pk])
            self._compare_facts(change, facts)
            for email, own, _line in addresses.values():
                self._compare_address(change, email, own)
            (changes if change.differences else same).append(change)
        changes.sort(key=lambda change: change.mission.sort_key)
        unchanged = sorted((change.mission for change in same), key=lambda mission: mission.sort_key)
        return Plan(changes, self.refused, unchanged, read.unread, len(read.rows))

    def _compare_facts(self, change, facts):
        for name, (value, _line) in facts.items():
            before = _words(name, getattr(change.mission, name))
            change.facts[name] = value
            change.differences.append(Difference(str(HEADINGS[name]), before, _words(name, value)))

    def _compare_address(self, change, email, own):
        there = _address(change.mission, email)
        if there is None:
            own = {"role": Role.MISSION, **own}
            change.addresses.append((None, email, own))
            said = ", ".join(_words(name, own[name], named=True) for name in OF_ADDRESS if name in own)
            change.differences.append(Difference(_("new address"), "", f"{email} ({said})"))
        else:
            other = {name: value for name, value in own.items() if getattr(there, name) != value}
            if other:
                change.addresses.append((there, email, other))
            for name, value in other.items():
                before = _words(name, getattr(there, name))
                change.differences.append(Difference(f"{there.email}: {HEADINGS[name]}", before, _words(name, value)))
        if there and there.bounced_at:
            words = _("%(email)s has bounced, and stays marked until somebody empties the mark on the mission’s page.")
            change.notes.append(words % {"email": there.email})
        others = [pk for pk in self.homes.get(vault.normal_email(email), ()) if pk != change.mission.pk]
        if there is None and others:
            names = ", ".join(sorted(self.missions[pk].name for pk in others))
            change.notes.append(_("%(email)s stands at %(missions)s, too.") % {"email": email, "missions": names})


def _address(mission, email):
    """The mission's address of that name, or None."""
    wanted = vault.normal_email(email)
    return next((one for one in mission.addresses.all() if vault.normal_email(one.email) == wanted), None)


def _of_length(name, cell):
    longest = PermanentMission._meta.get_field(name).max_length
    if len(cell) > longest:
        words = {"column": HEADINGS[name], "most": longest}
        raise _Wrong(_("“%(column)s” is longer than %(most)s letters. Please shorten it.") % words)
    return " ".join(cell.split())


def _among(known, cell, choices, words):
    if fold(cell) not in known:
        raise _Wrong(words % {"cell": cell, "known": ", ".join(map(str, choices.labels))})
    return known[fold(cell)]


def _words(name, value, *, named=False):
    """A value as a person reads it; "" for nothing. named -- with what it is"""
    if value in (None, ""):
        return ""
    if name in ("role", "in_geneva"):
        return str({"role": Role, "in_geneva": InGeneva}[name](value).label)
    if name == "language":
        return str(dict(settings.MAIL_LANGUAGES)[value])
    words = date_format(value, "j F Y") if name.startswith("valid_") else str(value)
    return f"{HEADINGS[name]} {words}" if named else words


# --- Writing ----------------------------------------------------------------------------------------------------------


def carry_out(text, *, seen, by, now):
    """Change the register as it was shown; returns how many missions. Raises Changed where it would not be what was
    shown, Unreadable."""
    try:
        with transaction.atomic():
            found = _plan(text, PermanentMission.objects.select_for_update(of=("self",)).order_by("pk"))
            if found.seen != seen:
                raise imports.Changed(found)
            _write(found.changes, by=by, now=now)
    except IntegrityError:  # somebody else entered one of the addresses this very moment
        raise imports.Changed(plan(text)) from None
    return len(found.changes)


def _write(changes, *, by, now):
    """In the same few queries for one mission and for all."""
    happened, missions, fresh, old = {}, [], [], []
    for change in changes:
        for name, value in change.facts.items():
            setattr(change.mission, name, value)
        if change.facts:
            missions.append(change.mission)
        for code in keeping.codes_of(change.facts):
            happened.setdefault(code, []).append(change.mission)
        last = max((one.position for one in change.mission.addresses.all()), default=0)
        for there, email, own in change.addresses:
            code = keeping.CHANGED if there else keeping.ADDED
            happened.setdefault(code, []).append(change.mission)
            if there is None:
                last += 1
                there = MissionAddress(mission=change.mission, email=email, position=last)
                there.email_index = vault.blind_index("email", email)
                fresh.append(there)
            else:
                old.append(there)
            for name, value in own.items():
                setattr(there, name, value)
    PermanentMission.objects.bulk_update(missions, OF_MISSION)
    MissionAddress.objects.bulk_create(fresh)
    MissionAddress.objects.bulk_update(old, OF_ADDRESS)
    record = partial(trail.record_all, now=now, by=by)
    record([change.mission for change in changes], "imported")
    for code in sorted(happened):
        record(list(dict.fromkeys(happened[code])), code)
