"""Which form of a noun goes with a whole number, in the six languages of our letters. Room: mail; pure.

Source: Unicode CLDR, "Language Plural Rules", cardinals, whole numbers only.
"""


def _one(number):
    return "one" if number == 1 else "other"


def _french(number):
    return "one" if number in (0, 1) else "other"


def _russian(number):
    tens, hundreds = number % 10, number % 100
    if tens == 1 and hundreds != 11:
        return "one"
    return "few" if 2 <= tens <= 4 and not 12 <= hundreds <= 14 else "many"


def _arabic(number):
    if number in (0, 1, 2):
        return ("zero", "one", "two")[number]
    hundreds = number % 100
    if 3 <= hundreds <= 10:
        return "few"
    return "many" if hundreds >= 11 else "other"


RULES = {"en": _one, "es": _one, "fr": _french, "ru": _russian, "ar": _arabic, "zh": lambda number: "other"}


def form(number, language):
    """ "zero", "one", "two", "few", "many" or "other". number -- a whole number, not negative"""
    return RULES[language[:2]](number)


def samples(language):
    """{form: the smallest number that takes it}, in the order of these numbers."""
    found = {}
    for number in [*range(1, 200), 0]:
        found.setdefault(form(number, language), number)
    return found
