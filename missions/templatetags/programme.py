"""Where a meeting takes place, for letters; instants and days are in applications' `calls`. Room: missions."""

from django import template

from missions import calendar

register = template.Library()

register.filter("place", calendar.place)
