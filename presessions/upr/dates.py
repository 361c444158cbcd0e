"""Calendar arithmetic and Geneva's clock. Room: upr, ground floor; pure functions, imports nothing of ours.

A day is a `date`, an instant an aware `datetime`. Offsets such as "one month before" are counted in days of the
calendar first; only then do they become an instant on Geneva's clock.
"""

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.utils import dateformat
from django.utils.translation import get_language
from django.utils.translation import gettext as _

GENEVA = settings.GENEVA
MINUTE = timedelta(minutes=1)

# A day in each language, in the letters of Django's date format. Never numbers only: 01/02 is two days.
DAYS = {
    "en": "D j F Y",
    "fr": "l j F Y",
    "es": r"l j \d\e F \d\e Y",
    "ru": "l, j E Y года",
    "zh": "Y年n月j日l",
}
MONTHS = {"es": r"F \d\e Y", "ru": "F Y года", "zh": "Y年n月"}
# As the United Nations write them: the name used in the Levant, then the one used elsewhere.
ARABIC_MONTHS = (
    "كانون الثاني/يناير",
    "شباط/فبراير",
    "آذار/مارس",
    "نيسان/أبريل",
    "أيار/مايو",
    "حزيران/يونيه",
    "تموز/يوليه",
    "آب/أغسطس",
    "أيلول/سبتمبر",
    "تشرين الأول/أكتوبر",
    "تشرين الثاني/نوفمبر",
    "كانون الأول/ديسمبر",
)


def months_before(day, months):
    """The same day of the month, so many calendar months earlier; the month's last day where it has no such day.

    day -- a date; months -- a whole number, negative for later
    31 May minus 3 months is 28 February, in a leap year 29 February. Raises ValueError outside the years 1 to 9999.
    """
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    month += 1
    if not date.min.year <= year <= date.max.year:
        raise ValueError(f"{months} months before {day} is outside the calendar.")
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def days_before(day, days):
    """So many days earlier. day -- a date; days -- a whole number, negative for later. May raise OverflowError."""
    return day - timedelta(days=days)


def geneva(day, hour=0, minute=0):
    """The instant at which Geneva's clocks show this time of this day; an aware datetime.

    In the hour that spring skips, the first instant after it (02:30 becomes 03:00). Of the hour that autumn repeats,
    the first. Raises ValueError for an hour above 23 or a minute above 59.
    """
    wall = datetime.combine(day, time(hour, minute), GENEVA)
    while wall.astimezone(UTC).astimezone(GENEVA).replace(tzinfo=None) != wall.replace(tzinfo=None):
        wall += MINUTE
    return wall


def day_of(instant):
    """The day of an instant, in Geneva."""
    return instant.astimezone(GENEVA).date()


def closes_after(day):
    """The first instant that is too late when "until 23:59 of this day, Geneva time" was promised."""
    return geneva(days_before(day, -1))


def last_day(closes_at):
    """The day in Geneva on which a deadline falls, given the first instant that is too late."""
    return day_of(last_minute(closes_at))


def last_minute(closes_at):
    """The last whole minute before an instant that is too late: 23:59 for 00:00 of the next day."""
    return closes_at.astimezone(UTC) - MINUTE


def time_between(earlier, later):
    """How much time really passes: a timedelta, negative if they come in the other order.

    Python subtracts two datetimes of one zone by their wall clocks, an hour wrong across a change of clocks; so does
    this not. Raises ValueError for a naive datetime, whose instant nobody knows.
    """
    if earlier.tzinfo is None or later.tzinfo is None:
        raise ValueError("An instant needs its time zone.")
    return later.astimezone(UTC) - earlier.astimezone(UTC)


def minutes_after(instant, minutes):
    """The instant so many minutes later, counted as a clock without summer time would."""
    return instant.astimezone(UTC) + minutes * MINUTE


def in_words(instant):
    """An instant on Geneva's clock in the active language: "Tue 15 December 2026, 09:00 Geneva time"."""
    local = instant.astimezone(GENEVA)
    words = {"day": day_in_words(local), "time": f"{local:%H:%M}"}
    return _("%(day)s, %(time)s Geneva time") % words


def day_in_words(day):
    """A day with its weekday, as the active language writes it in a letter: "Tue 15 December 2026"."""
    language = (get_language() or "en")[:2]
    if language == "ar":
        weekday = dateformat.format(day, "l")
        return f"{weekday}، {day.day} {ARABIC_MONTHS[day.month - 1]} {day.year}"
    first_of_french = language == "fr" and day.day == 1
    words = dateformat.format(day, r"l j\e\r F Y" if first_of_french else DAYS.get(language, "l j F Y"))
    return words.lower() if language == "ru" else words  # Django begins a Russian weekday with a capital


def month_in_words(day):
    """The month of a day with its year, as the active language writes it: "January 2027"."""
    language = (get_language() or "en")[:2]
    if language == "ar":
        return f"{ARABIC_MONTHS[day.month - 1]} {day.year}"
    words = dateformat.format(day, MONTHS.get(language, "F Y"))
    return words.lower() if language == "ru" else words


def month_named(label):
    """The first day of the last month that an English label names, "January-February 2024"; None if it names none."""
    found = re.fullmatch(r"(?:\w+-)?(\w+) (\d{4})", label.strip())
    if not found or found[1] not in calendar.month_name[1:]:
        return None
    return date(int(found[2]), list(calendar.month_name).index(found[1]), 1)


def last_minute_words(closes_at):
    """A deadline as people know it: for 00:00 of 3 March, "Mon 2 March 2026, 23:59 Geneva time"."""
    return in_words(last_minute(closes_at))
