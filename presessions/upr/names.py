"""How names of States sort, are found and are printed. Room: upr, ground floor; pure, imports nothing of ours.

The database sorts by bytes (C.UTF-8), where "É" comes after "Z"; so names are folded before they are compared.
"""

import re
import unicodedata

LANGUAGES = ("en", "fr", "es", "ar", "zh", "ru")
LEFT_OUT = re.compile(r"\bthe\b|['’ʼ`]")
NOT_A_WORD = re.compile(r"[\W_]+")
# Arabic lists write "Holland (kingdom _)": the mark stands where the name belongs.
SORTING_MARK = re.compile(r"^(?P<name>[^()]+) \((?P<before>[^()]*?) ?[-_](?P<after>[^()]*)\)$")


def fold(name):
    """The name without case, accents, apostrophes, punctuation and "the", for sorting and searching."""
    decomposed = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()
    return NOT_A_WORD.sub(" ", LEFT_OUT.sub("", plain)).strip()


def printable(name):
    """A name from a sorted list as it is written in a sentence: "هولندا (مملكة _)" becomes "مملكة هولندا"."""
    match = SORTING_MARK.match(name)
    if not match:
        return name
    return " ".join(f"{match['before']} {match['name']} {match['after']}".split())
