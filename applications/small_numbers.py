"""Numbers so small that they would name somebody: the one rule, and its words. Room: applications; pure functions.

“One woman”, “one who takes part from afar”: whoever knows the panel knows who is meant. So what counts people by
something of themselves (gender, taking part remotely) is not told where it counts fewer than three. Nor may it be
worked out: where a total stands beside its parts and one part alone were missing, it would be what is left. Then the
next smallest part is not told either, until what is missing adds up to three or more in at least two parts.

Institutions, missions, meetings and questions are no people, and a number of them names nobody.
"""

from django.utils.translation import gettext as _

LEAST = 3


def may_be_told(number):
    """Whether a number of people stands alone without naming one of them; that there is nobody, names nobody."""
    return number == 0 or number >= LEAST


def told(parts):
    """{name: number} of people divided into parts, as it may be told beside its total: None where it may not be."""
    hidden = {name for name, number in parts.items() if not may_be_told(number)}
    others = sorted((number, name) for name, number in parts.items() if number >= LEAST)
    while hidden and others and (len(hidden) < 2 or sum(parts[name] for name in hidden) < LEAST):
        hidden.add(others.pop(0)[1])
    return {name: None if name in hidden else number for name, number in parts.items()}


def in_words(number):
    """What stands in the place of a number. number -- None where it may not be told"""
    return _("not shown") if number is None else number


def rule():
    """The rule itself, for whoever reads the figures."""
    words = _(
        "Where fewer than %(least)d people would be counted by gender or by how they take part, the number is not "
        "shown, nor is one from which it could be worked out: it would say who is meant."
    )
    return words % {"least": LEAST}
