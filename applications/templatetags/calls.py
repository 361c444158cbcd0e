"""How instants and days are written on pages and in letters, and where letters send people. Room: applications."""

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.html import format_html

from applications import kept as times
from presessions.mail import languages
from presessions.upr import dates

register = template.Library()

register.filter("in_words", dates.in_words)
register.filter("day_in_words", dates.day_in_words)
register.filter("last_minute_words", dates.last_minute_words)
register.filter("month_in_words", dates.month_in_words)


@register.filter
def timed(instant):
    """An instant in words, and for machines: site.js writes the reader's own time beside it."""
    return _time(instant, dates.in_words(instant))


@register.filter
def timed_until(closes_at):
    """A deadline, given the first instant that is too late: its last minute in words, and for machines."""
    return timed(dates.last_minute(closes_at))


@register.filter
def hours(meeting):
    """From when until when a meeting is, on Geneva's clock: "10:00–11:00"."""
    start, end = (moment.astimezone(dates.GENEVA) for moment in (meeting.starts_at, meeting.ends_at))
    return _time(start, f"{start:%H:%M}–{end:%H:%M}")


@register.filter
def time_in_geneva(instant):
    """The time of day alone, on Geneva's clock: "10:05"."""
    return _time(instant, f"{instant.astimezone(dates.GENEVA):%H:%M}")


def _time(instant, words):
    return format_html(
        '<time datetime="{}">{}</time>', instant.astimezone(dates.GENEVA).isoformat("T", "minutes"), words
    )


@register.filter
def page(series):
    """The whole address of a series' public page, for a letter: in its language."""
    return _whole("applications:series", series.number)


@register.filter
def packs(series):
    """The same of the page with its briefing packs."""
    return _whole("applications:packs", series.number)


@register.simple_tag
def whole_address(name):
    """The whole address of a page that is always there, to be read on paper or in a letter."""
    return _whole(name)


@register.simple_tag
def kept(name):
    """How long that is kept, in words: "30 days". See applications/kept.py."""
    return times.in_words(name)


def _whole(name, *arguments):
    with translation.override(languages.of_pages(translation.get_language() or languages.SOURCE)):
        return settings.PUBLIC_URL + reverse(name, args=arguments)
