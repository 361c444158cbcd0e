"""How names of States sort, are found and are printed. Room: upr, ground floor; pure, imports nothing of ours.

The database sorts by bytes (C.UTF-8), where "É" comes after "Z"; so names are folded before they are compared.
"""

import re
import unicodedata
from bisect import bisect

LANGUAGES = ("en", "fr", "es", "ar", "zh", "ru")
LEFT_OUT = re.compile(r"\bthe\b|['’ʼ`]")
ARABIC_ARTICLE = re.compile(r"^ال(?=\w{2})")  # a first letter with hamza, as in ألبانيا, belongs to the name
NOT_A_WORD = re.compile(r"[\W_]+")
# Arabic lists write "Holland (kingdom _)": the mark stands where the name belongs.
SORTING_MARK = re.compile(r"^(?P<name>[^()]+) \((?P<before>[^()]*?) ?[-_](?P<after>[^()]*)\)$")

SOUNDS_LIKE = str.maketrans({"斐": "非", "瑙": "脑"})
# The first sign of each letter A to Z (there is none for I, U, V), in hexadecimal GB 2312.
FIRST_OF_SOUND = (
    *("b0a1", "b0c5", "b2c1", "b4ee", "b6ea", "b7a2", "b8c1", "b9fe", "bbf7", "bfa6", "c0ac", "c2e8", "c4c3", "c5b6"),
    *("c5be", "c6da", "c8bb", "c8f6", "cbfa", "cdda", "cef4", "d1b9", "d4d1"),
)


def fold(name):
    """The name without case, accents, apostrophes, punctuation and "the", for sorting and searching."""
    decomposed = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()
    return NOT_A_WORD.sub(" ", LEFT_OUT.sub("", plain)).strip()


def place(name, language):
    """Where a name stands in a list of its language: compare these. language -- "fr", or "fr-ch" alike

    Russian has й as a letter of its own. Arabic lists pass over the article, and go by the name as it is printed: the
    UN turns some long names round, such as Iran's, and others not, such as that of the Republic of Korea. Chinese lists
    go by the sound of the signs, the order of the first level of GB 2312; the few signs of States' names beyond it sort
    as one that sounds alike.
    """
    if language.startswith("ru"):
        return fold(name.casefold().replace("й", "и\u04ff"))
    if language.startswith("ar"):
        return fold(ARABIC_ARTICLE.sub("", printable(name)))
    if language.startswith("zh"):
        return name.translate(SOUNDS_LIKE).encode("gb18030").hex()
    return fold(name)


def initial(name, language):
    """The letter under which a name stands in such a list: Э for Эфиопия, A for 阿曼."""
    if language.startswith("zh"):
        return "ABCDEFGHJKLMNOPQRSTWXYZ"[bisect(FIRST_OF_SOUND, place(name, language)) - 1]
    if language.startswith("ru"):
        return name[:1].upper().replace("Ё", "Е")
    return place(name, language)[:1].upper()


def printable(name):
    """A name from a sorted list as it is written in a sentence: "هولندا (مملكة _)" becomes "مملكة هولندا"."""
    match = SORTING_MARK.match(name)
    if not match:
        return name
    return " ".join(f"{match['before']} {match['name']} {match['after']}".split())
