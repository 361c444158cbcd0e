"""How instants and days are written on pages and in letters. Room: applications."""

from django import template

from presessions.upr import dates

register = template.Library()

register.filter("in_words", dates.in_words)
register.filter("day_in_words", dates.day_in_words)
