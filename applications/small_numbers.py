"""Numbers so small that they would name somebody: the one rule, and its words. Room: applications; pure functions.

“One woman”, “one who takes part from afar”: whoever knows the panel knows who is meant. So people that are divided by
something of themselves (gender, taking part remotely) are told in all the parts or in none: where one part counts one
or two people, the others would say by what is missing how many. That there is nobody names nobody.

Institutions, missions, meetings and questions are no people, and a number of them names nobody.
"""

from django.utils.translation import gettext as _

LEAST = 3


def told(parts):
    """{name: number} of people divided into parts, or None for each where one of the numbers would name somebody."""
    small = any(0 < number < LEAST for number in parts.values())
    return dict.fromkeys(parts) if small else parts


def in_words(number):
    """What stands in the place of a number. number -- None where it may not be told"""
    return _("not shown") if number is None else number


def rule():
    """The rule itself, for whoever reads the figures."""
    words = _(
        "Numbers of people by gender, or by how they take part, are not shown where one of them would be smaller than "
        "%(least)d: it would say who is meant."
    )
    return words % {"least": LEAST}
