"""Rules that are only arithmetic and counting: words, minutes, and which answers are still missing. Room: applications.

Imports nothing of ours. Facts come in as plain mappings, so that a form and a stored application are judged alike.
"""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.deconstruct import deconstructible
from django.utils.translation import ngettext

AIMS_WORDS = 200  # UPR Info application form, series 29
ISSUES_WORDS = 300
RECOMMENDATIONS = 5
RECOMMENDATION_WORDS = 60

SECTIONS = ("institution", "speaker", "issues", "submission", "safety")

# What each section needs before the application can be sent. Everything may be *saved* empty.
NEEDED = {
    "institution": ("kind", "name", "founded_year", "aims"),
    "speaker": ("full_name", "position", "part_in_upr", "email", "spoken_english", "attends"),
    "issues": ("themes", "issues", "recommendation_1"),
    "submission": ("submission_kind", "file"),
    "safety": ("seen",),
}


def needed(section, facts):
    """Names of the answers that a section needs, given what has been answered so far."""
    names = list(NEEDED[section])
    if section == "institution":
        names += {"nhri": ["ganhri_status"], "cso": ["scope", "ecosoc_status"]}.get(facts.get("kind"), [])
        names += ["name_latin"] if not is_latin(facts.get("name") or "") else []
    if section == "speaker" and facts.get("under_18"):
        names += ["guardian_name", "guardian_agrees"]
    if section == "submission" and facts.get("submission_kind") == "joint":
        names += ["joint_submitters"]
    return names


def missing(section, facts):
    """Names of the needed answers that are not there yet."""
    return [name for name in needed(section, facts) if not facts.get(name)]


def is_begun(facts):
    """Whether anything at all has been answered."""
    return any(facts.values())


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
                code="too_many_words",
            )

    def __eq__(self, other):
        return isinstance(other, AtMostWords) and self.limit == other.limit


def speaking_minutes(speakers, *, meeting=60, questions=20):
    """Whole minutes for each speaker, at most 7. Raises ValueError if that leaves less than 5.

    speakers -- people on the panel, 1 or more; meeting, questions -- minutes
    Source: UPR Info application form, series 29: one hour, 5 to 7 minutes each.
    """
    minutes = min((meeting - questions) // speakers, 7)
    if minutes < 5:
        raise ValueError(f"{speakers} speakers leave {minutes} minutes each; we promise 5.")
    return minutes
