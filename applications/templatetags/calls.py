"""How instants and days are written on pages and in letters, and where letters send people. Room: applications."""

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils import translation

from presessions.mail import languages
from presessions.upr import dates

register = template.Library()

register.filter("in_words", dates.in_words)
register.filter("day_in_words", dates.day_in_words)
register.filter("last_minute_words", dates.last_minute_words)


@register.filter
def page(series):
    """The whole address of a series' public page, for a letter: in its language."""
    with translation.override(languages.of_pages(translation.get_language() or languages.SOURCE)):
        return settings.PUBLIC_URL + reverse("applications:series", args=[series.number])
