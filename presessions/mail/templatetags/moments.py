"""Instants and days in words, for the pages that staff read about mail. Room: mail."""

from django import template

from presessions.upr import dates

register = template.Library()

register.filter("in_words", dates.in_words)
register.filter("day_in_words", dates.day_in_words)
