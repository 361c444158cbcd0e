"""Rules that are only arithmetic and counting: words, minutes, and which answers are still missing. Room: applications.

Imports nothing of ours. Facts come in as plain mappings, so that a form and a stored application are judged alike.
"""

import re
import unicodedata
from datetime import UTC, timedelta

from django.core.exceptions import ValidationError
from django.utils.deconstruct import deconstructible
from django.utils.translation import ngettext

AIMS_WORDS = 200  # UPR Info application form, series 29
ISSUES_WORDS = 300
RECOMMENDATIONS = 5
RECOMMENDATION_WORDS = 60
PART_IN_UPR_WORDS = 100

GRACE = timedelta(minutes=60)  # for who opened the form before the deadline
STATEMENT_ASKED_DAYS = 21  # before the meeting: then whoever has a seat and sent no statement is written to
REPLACE_FOR = timedelta(days=5)  # after a file was refused: whoever came in time may send another, deadline or not

SECTIONS = ("institution", "speaker", "replacement", "issues", "recommendations", "submission", "file", "safety")
OPTIONAL = ("replacement",)  # may stay empty; what has been begun must still be whole

BULLET = re.compile(r"^\s*(?:[-–—*•·]+|\d{1,3}\.\s|\(?\d{1,3}\))\s*")  # how people begin a line of a list
ACCENT = re.compile(
    r"COMBINING |ARABIC (FATHA|DAMMA|KASRA|SHADDA|SUKUN|TATWEEL)"
)  # marks over a letter that people leave out as often as they write them

# What may be *saved* at any length, so that nothing typed is lost, and must be shorter to be sent.
MOST_WORDS = {
    "aims": AIMS_WORDS,
    "part_in_upr": PART_IN_UPR_WORDS,
    "issues": ISSUES_WORDS,
    "follow_up": ISSUES_WORDS,
    **{f"recommendation_{number}": RECOMMENDATION_WORDS for number in range(1, RECOMMENDATIONS + 1)},
}

OF_NHRI = {"ganhri_status", "ganhri_status_on"}
OF_CSO = {"scope", "ecosoc_status", "is_coalition", "coalition_members"}

# What each section needs before the application can be sent. Everything may be *saved* empty.
NEEDED = {
    "institution": ("kind", "name", "founded_year", "aims"),
    "speaker": ("full_name", "position", "part_in_upr", "email", "spoken_english", "attends"),
    "replacement": (),
    "issues": ("themes", "issues"),
    "recommendations": ("recommendation_1",),
    "submission": ("submission_kind",),
    "file": ("file",),
    "safety": ("seen",),
}


def needed(section, facts):
    """Names of the answers that a section needs, given what has been answered so far."""
    names = list(NEEDED[section])
    if section == "institution":
        names += {"nhri": ["ganhri_status"], "cso": ["scope", "ecosoc_status"]}.get(facts.get("kind"), [])
        names += ["name_latin"] if not is_latin(facts.get("name") or "") else []
        names += ["coalition_members"] if facts.get("kind") == "cso" and facts.get("is_coalition") else []
    if section == "replacement" and is_begun(facts):
        names += ["full_name"]
    if section in ("speaker", "replacement") and facts.get("under_18"):
        names += ["guardian_name", "guardian_agrees"]
    if section == "submission" and facts.get("submission_kind") == "joint":
        names += ["joint_submitters"]
    return names


def not_asked(section, facts):
    """Names of the questions that another answer has made pointless: those of the other kind of institution, of a
    coalition there is not, of a guardian nobody needs. What stands beside them is not kept."""
    names = set()
    if section == "institution":
        names |= {"nhri": OF_CSO, "cso": OF_NHRI}.get(facts.get("kind"), set())
        names |= set() if facts.get("is_coalition") else {"coalition_members"}
    if section in ("speaker", "replacement") and not facts.get("under_18"):
        names |= {"guardian_name", "guardian_agrees"}
    if section == "submission" and facts.get("submission_kind") != "joint":
        names |= {"joint_submitters"}
    return names


def missing(section, facts):
    """Names of the needed answers that are not there yet, and of texts that must be shortened first."""
    return [name for name in needed(section, facts) if not facts.get(name)] + too_long(facts)


def too_long(facts):
    """Names of the texts that have too many words."""
    return [name for name, most in MOST_WORDS.items() if count_words(facts.get(name) or "") > most]


def state_of(section, facts):
    """How far a section is: "done", "incomplete", "optional" where nothing need be done, or "not_started"."""
    if not is_begun(facts):
        return "optional" if section in OPTIONAL else "not_started"
    return "incomplete" if missing(section, facts) else "done"


def is_begun(facts):
    """Whether anything at all has been answered."""
    return any(facts.values())


def counts_as(now, opened_at):
    """The instant that a deadline is compared with: now; for who opened the form earlier, then, but no longer ago than
    the grace. So a form opened a second before the deadline has an hour more, and one opened at it has none.

    opened_at -- None where no form was opened
    Counted in UTC: two instants of one zone are compared by their wall clocks, an hour wrong when those change.
    """
    now = now.astimezone(UTC)
    return now if opened_at is None else min(now, max(opened_at.astimezone(UTC), now - GRACE))


def coalition_members(text, *own_names):
    """The members named in a text, one a line, each once and in its own spelling.

    own_names -- of the institution itself, which is no member of its coalition
    "1. Rights Now", "RIGHTS NOW!" and "Rights  now" are one name.
    """
    seen, members = {_folded(name) for name in own_names if name} | {""}, []
    for line in text.splitlines():
        name = BULLET.sub("", line).strip(" \t,;.")
        if (folded := _folded(name)) not in seen:
            seen.add(folded)
            members.append(name)
    return members


def _folded(name):
    """A name without case, accents and punctuation. Marks that are vowels of their script (Thai, Hindi) stay."""
    signs = [sign for sign in unicodedata.normalize("NFKD", name) if not ACCENT.match(unicodedata.name(sign, ""))]
    return " ".join(
        "".join(" " if unicodedata.category(sign)[0] in "PSZC" else sign for sign in signs).casefold().split()
    )


def count_words(text):
    """Words as a person counts them: what stands between blanks and has a letter or a digit in it. Scripts without
    blanks (Chinese, Japanese) count each character, as their writers do."""
    characters = sum(_is_ideograph(sign) for sign in text)
    rest = "".join(" " if _is_ideograph(sign) else sign for sign in text)
    return characters + sum(bool(re.search(r"\w", word)) for word in rest.split())


def _is_ideograph(sign):
    return unicodedata.name(sign, "").startswith(("CJK UNIFIED", "HIRAGANA", "KATAKANA"))


def is_latin(text):
    """Whether every letter is a Latin one, so that a reader in Geneva can file and pronounce it."""
    return all(unicodedata.name(sign, "").startswith("LATIN") for sign in text if sign.isalpha())


@deconstructible
class AtMostWords:
    """A validator that says how many words are too many."""

    code = "too_many_words"

    def __init__(self, limit):
        self.limit = limit

    def __call__(self, text):
        over = count_words(text) - self.limit
        if over > 0:
            raise ValidationError(
                ngettext(
                    "Please shorten this to %(limit)s words: there is %(over)s too many.",
                    "Please shorten this to %(limit)s words: there are %(over)s too many.",
                    over,
                )
                % {"limit": self.limit, "over": over},
                code=self.code,
            )

    def __eq__(self, other):
        return isinstance(other, AtMostWords) and self.limit == other.limit


LEAST_MINUTES, MOST_MINUTES = 5, 7  # of a speaker: UPR Info application form, series 29
OPENING_MINUTES = 3  # of the moderator
FLOOR_MINUTES = 2  # of the State under Review, where it asks for the floor


def speaking_minutes(speakers, *, meeting=60, questions=20):
    """Whole minutes for each speaker, at most 7. Raises ValueError if that leaves less than 5.

    speakers -- people on the panel, 1 or more; meeting, questions -- minutes
    Source: UPR Info application form, series 29: one hour, 5 to 7 minutes each.
    """
    minutes = min((meeting - questions) // speakers, MOST_MINUTES)
    if minutes < LEAST_MINUTES:
        raise ValueError(f"{speakers} speakers leave {minutes} minutes each; we promise {LEAST_MINUTES}.")
    return minutes


def question_minutes(meeting, opening, floor, speakers):
    """Minutes of a meeting that are left for questions; negative where the panel would run over.

    speakers -- minutes of each of them
    """
    return meeting - opening - floor - sum(speakers)


# Read aloud so that a whole room follows. ISHR (“How to deliver an oral statement”) counts at most 300 words for two
# minutes; we count fewer, because most speakers read in a language that is not their own.
WORDS_PER_MINUTE = 130


def reading_minutes(words):
    """Minutes that so many words take at a calm pace, to the nearest half and at least a half."""
    return max(round(2 * words / WORDS_PER_MINUTE), 1) / 2
