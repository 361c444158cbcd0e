"""How the programme is written on pages and in letters. Room: missions."""

from django import template

from missions import calendar
from presessions.upr import dates

register = template.Library()

register.filter("in_words", dates.in_words)
register.filter("day_in_words", dates.day_in_words)
register.filter("place", calendar.place)
