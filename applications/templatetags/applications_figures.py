"""Shares in tables of figures. Room: applications."""

from django import template
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def in_percent(tally, number):
    """Behind a number: " (59%)", its share of all speakers; nothing where there are none."""
    share = tally.share(number)
    return "" if share is None else " " + _("(%(share)d%%)") % {"share": share}
