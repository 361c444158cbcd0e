"""Recommendations made in the Working Group from a list: read, compared with those we have, shown, and written only as
they were shown. Room: applications; imports its models.

A list is a table (CSV or XLSX) whose first line names its columns, or the paragraphs of the report itself, pasted:
"148.1 Ratify the Optional Protocol (France) (Kenya);". A table may give less than everything, such as numbers and
answers alone: what it has no column for stays as it is. Nothing is ever removed by a list.
"""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field, replace

from django.db import IntegrityError, models, transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications import afterwards
from applications.models import MadeRecommendation, Theme
from presessions import imports, trail
from presessions.imports import Unreadable
from presessions.upr import dates
from presessions.upr.models import State
from presessions.upr.names import LANGUAGES, fold, printable

MOST = 1000  # lines of one list; no State has ever been given half as many
COLUMNS = {  # as lists name them, folded; what stands under another name is not read
    "number": ("number", "no", "nr", "paragraph", "para", "numero", "paragraphe"),
    "text": ("recommendation", "recommendations", "text", "recommandation", "texte"),
    "made_by": ("made by", "recommending state", "recommending states", "recommending state entity", "states", "state",
                "faite par", "etat recommandant", "etats recommandants", "etats"),
    "theme": ("theme", "themes", "issue", "issues"),
    "response": ("response", "position", "answer", "reponse"),
    "responded_on": ("response of", "date", "date of response", "reponse du", "date de la reponse"),
}  # fmt: skip
ANSWERS = {  # beside our own words for them
    "supported": ("supported", "support", "accepted", "acceptee", "appuyee", "soutenue", "aceptada", "apoyada"),
    "noted": ("noted", "not supported", "rejected", "notee", "prise en note", "rejetee", "anotada", "tomada nota"),
    "pending": ("pending", "en attente", "pendiente"),
}
PARAGRAPH = re.compile(r"(?P<number>\d+\.\d+)\.?\s+(?P<text>\S.*)", re.DOTALL)
BETWEEN = re.compile(r"[;|\n]")


class Outcome(models.TextChoices):
    """What becomes of a line; the last four are left as they are."""

    NEW = "new", gettext_lazy("new")
    CHANGED = "changed", gettext_lazy("changed")
    REFUSED = "refused", gettext_lazy("cannot be read")
    TWICE = "twice", gettext_lazy("twice in this list")
    SAME = "same", gettext_lazy("as we have it")


@dataclass(frozen=True)
class Row:
    """One line. facts -- what it gives; before -- the recommendation that we have under this number
    what -- sentences for staff: the trouble and what to do, or what would change"""

    line: int
    number: str
    facts: dict = field(default_factory=dict)
    outcome: str = Outcome.NEW
    what: tuple = ()
    before: MadeRecommendation | None = None

    @property
    def text(self):
        return self.facts.get("text") or (self.before.text if self.before else "")


@dataclass(frozen=True)
class Plan:
    rows: list
    unread: list  # names of columns that are not read
    untouched: int  # recommendations that we have and the list does not name

    @property
    def lines(self):
        return len(self.rows)

    def of(self, *outcomes):
        return [row for row in self.rows if row.outcome in outcomes]

    @property
    def to_write(self):
        return self.of(Outcome.NEW, Outcome.CHANGED)

    @property
    def seen(self):
        """Says whether two plans are the same: of the same lines, beside the same rows of ours."""
        told = [
            (row.line, row.number, str(row.outcome), sorted((name, str(value)) for name, value in row.facts.items()))
            + ((afterwards.mark(row.before),) if row.before else ())
            for row in self.rows
        ]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:32]

    def groups(self):
        """(outcome, its rows), those that matter first; empty ones are left out."""
        return [(outcome, rows) for outcome in Outcome if (rows := self.of(outcome))]


# --- Reading ---------------------------------------------------------------------------------------------------------


class Names:
    """States and themes by any of their names. Two queries."""

    def __init__(self):
        self.states, self.codes, self.themes = {}, {}, {}
        for state in State.objects.all():
            for tongue in LANGUAGES:
                listed, formal = state.listed_name_in(tongue), state.formal_name_in(tongue)
                self.states |= {fold(name): state for name in (listed, printable(listed), formal) if name}
            self.codes |= {fold(state.pk): state, fold(state.iso3): state}
        for theme in Theme.objects.all():
            names = [theme.slug, *(getattr(theme, f"name_{tongue}", "") for tongue in LANGUAGES)]
            self.themes |= {fold(name): theme for name in names if name}

    def read(self, words, codes=True):
        """([States], [what is none]) of "France; KE". codes -- whether a code may stand for a name"""
        parts = [part.strip(" .,") for part in BETWEEN.split(words)]
        found, unknown = [], []
        for part in filter(None, parts):
            state = self.states.get(fold(part)) or (codes and self.codes.get(fold(part))) or None
            if state is None and "," in part:
                more, others = self.read(part.replace(",", ";"), codes)
                found, unknown = found + more, unknown + others
            elif state is None:
                unknown.append(part)
            else:
                found.append(state)
        return list(dict.fromkeys(found)), unknown

    def split(self, text):
        """A paragraph as (text, [States], [what is none]): States stand in brackets at its end. A bracket that names
        none belongs to the text; of one that names some, those that are no Member State are put back. Where no State
        is found, what is none is the last bracket."""
        found, others, last, rest = [], [], [], text.rstrip(" ;.\n")
        while rest.endswith(")") and (start := _opening(rest)) is not None:
            states, unknown = self.read(rest[start + 1 : -1], codes=False)
            if not states:
                last = unknown
                break
            found, others = states + found, unknown + others
            rest = rest[:start].rstrip(" ;.\n")
        if not found:
            return text.strip(), [], last
        return rest + (f" ({'; '.join(others)})" if others else ""), list(dict.fromkeys(found)), others


def _opening(text):
    """Where the bracket begins that the text ends with."""
    depth = 0
    for place in range(len(text) - 1, -1, -1):
        depth += (text[place] == ")") - (text[place] == "(")
        if depth == 0:
            return place
    return None


def plan(meeting, text):
    """What importing this list would do; nothing is written. Costs the same queries for one line and for hundreds.
    Raises Unreadable."""
    text = imports.normal(text)
    table = _paragraphs(text) or imports.read(text, COLUMNS, fold=fold, most=MOST)
    if "number" not in table.columns and "text" not in table.columns:
        raise Unreadable(_("No column has the numbers. Name the columns in the first line, for instance “number”."))
    names, known = Names(), {row.number: row for row in afterwards.made_for(meeting)}
    rows, first = [], {}
    for line, cells in table.rows:
        row = _row(meeting, line, cells, names, known)
        if row.number in first and row.outcome != Outcome.REFUSED:
            words = _("The same number stands on line %(line)s. Keep one of the two.") % {"line": first[row.number]}
            row = replace(row, outcome=Outcome.TWICE, what=(words,))
        elif row.outcome != Outcome.REFUSED:
            first[row.number] = line
        rows.append(row)
    return Plan(rows, table.unread, len(known.keys() - first.keys()))


def _paragraphs(text):
    """The paragraphs of a report as a table; None where the text does not begin with one. A line without a number goes
    on with what stands above it."""
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not lines or not PARAGRAPH.fullmatch(lines[0][1]):
        return None
    found = []
    for number, line in lines:
        match = PARAGRAPH.fullmatch(line)
        if match:
            found.append((number, match.groupdict()))
        else:
            found[-1][1]["text"] += f" {line}"
    if len(found) > MOST:
        words = {"lines": len(found), "most": MOST}
        raise Unreadable(_("The list has %(lines)s lines; at most %(most)s at a time. Please divide it.") % words)
    return imports.Read(("number", "text"), [], found)


def _row(meeting, line, cells, names, known):
    """One line, read and compared."""
    facts, trouble, notes, unknown = {}, [], [], []
    number, text = cells.get("number", "").strip(" ."), cells.get("text", "")
    if text and not number and (match := PARAGRAPH.fullmatch(text)):
        number, text = match["number"], match["text"]
    before = known.get(number)
    if not number:
        trouble.append(_("The number is missing. Write it as in the report, like 148.23."))
    elif len(number) > 20:
        trouble.append(_("This is no number of a recommendation. Write it as in the report, like 148.23."))
    if text:
        facts["text"], states, unknown = names.split(text)
        if states:
            facts["made_by"] = states
            notes += [_no_member(unknown)] if unknown else []
    elif not before:
        trouble.append(_("The text is missing, and we have no recommendation of this number yet."))
    if cells.get("made_by"):
        facts["made_by"], unknown = names.read(cells["made_by"])
        notes += [_no_member(unknown)] if unknown else []
    if not facts.get("made_by") and (cells.get("made_by") or not before):
        trouble.append(_nobody(unknown))
    elif refusal := afterwards.to_itself(meeting, facts.get("made_by", ())):
        trouble.append(refusal)
    trouble += _read_the_rest(cells, names, facts, notes)
    if trouble:
        return Row(line, number, facts, Outcome.REFUSED, tuple(trouble), before)
    if before is None:
        return Row(line, number, facts, Outcome.NEW, tuple(notes))
    changes = _differences(before, facts)
    facts = {name: facts[name] for name, _words in changes}
    outcome = Outcome.CHANGED if changes else Outcome.SAME
    return Row(line, number, facts, outcome, (*(words for _name, words in changes), *notes), before)


def _nobody(unknown):
    """That no State made it: the name that is not known is the likely reason."""
    if not unknown:
        return _("No State is named. Write those who made it in brackets at the end, or in a column “made by”.")
    words = _(
        "We know no Member State “%(names)s”. Write the UN names of those who made it in brackets at the end, or in a "
        "column “made by”."
    )
    return words % {"names": ", ".join(unknown)[:200]}


def _no_member(names):
    return _("No Member State, and not counted among them: %(names)s.") % {"names": ", ".join(names)}


def _read_the_rest(cells, names, facts, notes):
    """Theme, answer and its day into `facts`; what cannot be read is returned as trouble."""
    trouble = []
    if theme := cells.get("theme"):
        found = names.themes.get(fold(theme))
        if found:
            facts["theme"] = found
        else:
            notes.append(_("We have no theme “%(theme)s”; it stays without one.") % {"theme": theme[:60]})
    if response := cells.get("response"):
        found = _responses().get(fold(response))
        if found:
            facts["response"] = found
        else:
            words = _("“%(words)s” is no answer that we know. Write: supported, noted, or nothing.")
            trouble.append(words % {"words": response[:60]})
    if day := cells.get("responded_on"):
        facts["responded_on"] = imports.day(day)
        if facts["responded_on"] is None:
            trouble.append(_("“%(day)s” is no date. Write it like 2026-11-26.") % {"day": day[:30]})
    return trouble


def _responses():
    """{folded words: response}"""
    known = {fold(word): response for response, words in ANSWERS.items() for word in words}
    for tongue in ("en", "fr"):
        with translation.override(tongue):
            known |= {fold(str(label)): value for value, label in MadeRecommendation.Response.choices}
    return known


def _differences(before, facts):
    """[(name, what would change, in words)] of what is not as we have it."""
    found = []
    for name, value in facts.items():
        was = list(before.made_by.all()) if name == "made_by" else getattr(before, name)
        same = {one.pk for one in was} == {one.pk for one in value} if name == "made_by" else was == value
        if not same:
            label = MadeRecommendation._meta.get_field(name).verbose_name
            words = {"what": label, "before": _said(name, was) or _("nothing"), "after": _said(name, value)}
            found.append((name, _("%(what)s: %(before)s → %(after)s") % words))
    return found


def _said(name, value):
    if name == "made_by":
        return "; ".join(sorted(state.name for state in value))
    if name == "theme":
        return value.name if value else ""
    if name == "response":
        return str(MadeRecommendation.Response(value).label)
    if name == "responded_on":
        return dates.day_in_words(value) if value else ""
    return value


# --- Writing ---------------------------------------------------------------------------------------------------------


def carry_out(meeting, text, *, seen, by, now):
    """Write the list as it was shown; returns Counter(new=…, changed=…). Raises Changed where it would not be what was
    shown, Unreadable."""
    try:
        with transaction.atomic():
            ours = MadeRecommendation.objects.filter(state_under_review=meeting.state_under_review_id)
            list(ours.select_for_update().order_by("pk").values_list("pk"))
            found = plan(meeting, text)
            if found.seen != seen:
                raise imports.Changed(found)
            _write(meeting, found, by=by, now=now)
    except IntegrityError:  # somebody else entered one of them this very moment
        raise imports.Changed(plan(meeting, text)) from None
    return Counter(str(row.outcome) for row in found.to_write)


def _write(meeting, found, *, by, now):
    named = MadeRecommendation.made_by.through
    fresh = found.of(Outcome.NEW)
    made = MadeRecommendation.objects.bulk_create(
        MadeRecommendation(
            state_under_review_id=meeting.state_under_review_id,
            number=row.number,
            entered_at=now,
            entered_by=by,
            **{name: value for name, value in row.facts.items() if name != "made_by"},
        )
        for row in fresh
    )
    by_row = list(zip(made, fresh, strict=True))
    for row in found.of(Outcome.CHANGED):
        plain = {name: value for name, value in row.facts.items() if name != "made_by"}
        if plain:
            MadeRecommendation.objects.filter(pk=row.before.pk).update(**plain)
        if "made_by" in row.facts:
            named.objects.filter(maderecommendation=row.before).delete()
            by_row.append((row.before, row))
    named.objects.bulk_create(
        named(maderecommendation=one, state=state) for one, row in by_row for state in row.facts.get("made_by", ())
    )
    if found.to_write:
        trail.record(meeting, "recommendations_imported", now=now, by=by)
