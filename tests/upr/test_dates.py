"""Dates are right (promise M9): every case computed by hand, none by the function that it tests."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation

from presessions.upr.dates import (
    GENEVA,
    closes_after,
    day_in_words,
    days_before,
    geneva,
    in_words,
    last_day,
    last_minute_words,
    minutes_after,
    months_before,
    time_between,
)


def day(text):
    return date.fromisoformat(text)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        # in the middle of a month nothing is special
        ("2027-01-18", 1, "2026-12-18"),
        ("2027-01-18", 3, "2026-10-18"),
        ("2026-11-02", 1, "2026-10-02"),
        ("2026-11-02", 3, "2026-08-02"),
        ("2026-05-04", 3, "2026-02-04"),
        ("2026-05-04", 12, "2025-05-04"),
        ("2026-05-04", 0, "2026-05-04"),
        # over the new year
        ("2026-01-01", 1, "2025-12-01"),
        ("2026-01-31", 1, "2025-12-31"),
        ("2026-03-15", 3, "2025-12-15"),
        ("2026-12-31", 13, "2025-11-30"),
        ("2026-12-31", 12, "2025-12-31"),
        # a month that has no such day gives its last
        ("2027-05-31", 3, "2027-02-28"),
        ("2028-05-31", 3, "2028-02-29"),
        ("2027-05-30", 3, "2027-02-28"),
        ("2027-05-29", 3, "2027-02-28"),
        ("2027-05-28", 3, "2027-02-28"),
        ("2028-05-29", 3, "2028-02-29"),
        ("2028-05-28", 3, "2028-02-28"),
        ("2026-07-31", 1, "2026-06-30"),
        ("2026-10-31", 1, "2026-09-30"),
        ("2026-12-31", 1, "2026-11-30"),
        ("2026-05-31", 1, "2026-04-30"),
        ("2026-08-31", 1, "2026-07-31"),
        # 28 to 31 March share one "one month before"
        ("2027-03-27", 1, "2027-02-27"),
        ("2027-03-28", 1, "2027-02-28"),
        ("2027-03-29", 1, "2027-02-28"),
        ("2027-03-30", 1, "2027-02-28"),
        ("2027-03-31", 1, "2027-02-28"),
        ("2028-03-28", 1, "2028-02-28"),
        ("2028-03-29", 1, "2028-02-29"),
        ("2028-03-31", 1, "2028-02-29"),
        # leap days: 2000 and 2024 have one, 2100 has none
        ("2024-02-29", 12, "2023-02-28"),
        ("2024-02-29", 48, "2020-02-29"),
        ("2000-03-31", 1, "2000-02-29"),
        ("2100-03-31", 1, "2100-02-28"),
        # later instead of earlier
        ("2026-01-31", -1, "2026-02-28"),
        ("2026-11-30", -3, "2027-02-28"),
        ("2026-12-15", -1, "2027-01-15"),
        # the real sessions 41 to 50: one month before each
        ("2022-11-07", 1, "2022-10-07"),
        ("2023-01-23", 1, "2022-12-23"),
        ("2023-05-01", 1, "2023-04-01"),
        ("2024-04-29", 1, "2024-03-29"),
        ("2025-04-28", 1, "2025-03-28"),
        ("2025-11-03", 3, "2025-08-03"),
    ],
)
def test_so_many_months_before(start, months, expected):
    assert months_before(day(start), months) == day(expected)


@pytest.mark.parametrize(("start", "months"), [("0001-01-15", 1), ("9999-12-15", -1)])
def test_months_outside_the_calendar_are_refused(start, months):
    with pytest.raises(ValueError, match="outside the calendar"):
        months_before(day(start), months)


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2026-12-15", 28, "2026-11-17"),
        ("2026-12-15", 7, "2026-12-08"),
        ("2024-03-07", 7, "2024-02-29"),
        ("2026-03-07", 7, "2026-02-28"),
        ("2027-01-05", 21, "2026-12-15"),
        ("2026-04-05", 14, "2026-03-22"),  # fourteen days, one of them of 23 hours
        ("2026-12-17", -1, "2026-12-18"),
    ],
)
def test_so_many_days_before(start, days, expected):
    assert days_before(day(start), days) == day(expected)


@pytest.mark.parametrize(
    ("on", "hour", "minute", "expected"),
    [
        # winter and summer
        ("2026-12-18", 9, 0, "2026-12-18 08:00"),
        ("2026-07-18", 9, 0, "2026-07-18 07:00"),
        ("2026-12-18", 0, 0, "2026-12-17 23:00"),
        ("2026-07-18", 0, 0, "2026-07-17 22:00"),
        ("2026-12-31", 23, 59, "2026-12-31 22:59"),
        # 09:00 of the day before, the day of, and the day after each switch
        ("2026-03-28", 9, 0, "2026-03-28 08:00"),
        ("2026-03-29", 9, 0, "2026-03-29 07:00"),
        ("2026-03-30", 9, 0, "2026-03-30 07:00"),
        ("2026-10-24", 9, 0, "2026-10-24 07:00"),
        ("2026-10-25", 9, 0, "2026-10-25 08:00"),
        ("2026-10-26", 9, 0, "2026-10-26 08:00"),
        ("2024-03-31", 9, 0, "2024-03-31 07:00"),
        ("2025-03-30", 9, 0, "2025-03-30 07:00"),
        ("2027-03-28", 9, 0, "2027-03-28 07:00"),
        ("2028-03-26", 9, 0, "2028-03-26 07:00"),
        ("2024-10-27", 9, 0, "2024-10-27 08:00"),
        ("2025-10-26", 9, 0, "2025-10-26 08:00"),
        ("2027-10-31", 9, 0, "2027-10-31 08:00"),
        ("2028-10-29", 9, 0, "2028-10-29 08:00"),
        # in the hour that does not exist: the first instant after it
        ("2026-03-29", 1, 59, "2026-03-29 00:59"),
        ("2026-03-29", 2, 0, "2026-03-29 01:00"),
        ("2026-03-29", 2, 30, "2026-03-29 01:00"),
        ("2026-03-29", 2, 59, "2026-03-29 01:00"),
        ("2026-03-29", 3, 0, "2026-03-29 01:00"),
        ("2027-03-28", 2, 30, "2027-03-28 01:00"),
        ("2028-03-26", 2, 30, "2028-03-26 01:00"),
        # of the hour that comes twice: the first
        ("2026-10-25", 1, 59, "2026-10-24 23:59"),
        ("2026-10-25", 2, 0, "2026-10-25 00:00"),
        ("2026-10-25", 2, 30, "2026-10-25 00:30"),
        ("2026-10-25", 3, 0, "2026-10-25 02:00"),
        ("2027-10-31", 2, 30, "2027-10-31 00:30"),
    ],
)
def test_geneva_time_is_an_instant(on, hour, minute, expected):
    assert geneva(day(on), hour, minute).astimezone(UTC) == utc(expected)


@pytest.mark.parametrize(("hour", "minute"), [(24, 0), (-1, 0), (9, 60)])
def test_an_hour_that_no_clock_shows_is_refused(hour, minute):
    with pytest.raises(ValueError):
        geneva(day("2026-12-18"), hour, minute)


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("2026-03-02", "2026-03-02 23:00"),
        ("2026-07-17", "2026-07-17 22:00"),
        ("2026-12-31", "2026-12-31 23:00"),
        ("2024-02-28", "2024-02-28 23:00"),
        ("2024-02-29", "2024-02-29 23:00"),
        ("2026-03-28", "2026-03-28 23:00"),  # the night before the switch
        ("2026-03-29", "2026-03-29 22:00"),  # a deadline day of 23 hours
        ("2026-10-25", "2026-10-25 23:00"),  # and of 25
    ],
)
def test_a_deadline_is_the_first_instant_that_is_too_late(on, expected):
    closes_at = closes_after(day(on))
    assert closes_at.astimezone(UTC) == utc(expected)
    assert last_day(closes_at) == day(on)


@pytest.mark.parametrize(
    ("closes_at", "words"),
    [
        (datetime(2026, 3, 3, 0, 0, tzinfo=GENEVA), "Mon 2 March 2026, 23:59 Geneva time"),
        (datetime(2027, 1, 1, 0, 0, tzinfo=GENEVA), "Thu 31 December 2026, 23:59 Geneva time"),
        (datetime(2026, 3, 30, 0, 0, tzinfo=GENEVA), "Sun 29 March 2026, 23:59 Geneva time"),
        (datetime(2026, 3, 29, 3, 0, tzinfo=GENEVA), "Sun 29 March 2026, 01:59 Geneva time"),
        (datetime(2024, 3, 1, 0, 0, tzinfo=GENEVA), "Thu 29 February 2024, 23:59 Geneva time"),
        (datetime(2026, 7, 17, 22, 0, tzinfo=UTC), "Fri 17 July 2026, 23:59 Geneva time"),
    ],
)
def test_a_deadline_is_said_by_its_last_minute(closes_at, words):
    assert last_minute_words(closes_at) == words


@pytest.mark.parametrize(
    ("earlier", "later", "hours"),
    [
        (geneva(day("2026-03-28"), 12), geneva(day("2026-03-29"), 12), 23),
        (geneva(day("2026-10-24"), 12), geneva(day("2026-10-25"), 12), 25),
        (geneva(day("2026-03-28"), 12), utc("2026-03-29 10:00"), 23),
        (geneva(day("2026-06-28"), 12), geneva(day("2026-06-29"), 12), 24),
        (geneva(day("2026-06-29"), 12), geneva(day("2026-06-28"), 12), -24),
        (geneva(day("2027-10-31"), 0), geneva(day("2027-11-01"), 0), 25),
    ],
)
def test_time_that_really_passes(earlier, later, hours):
    assert time_between(earlier, later) == timedelta(hours=hours)


def test_a_meeting_across_the_change_of_clocks_lasts_an_hour():
    assert minutes_after(geneva(day("2026-03-29"), 1, 30), 60) == utc("2026-03-29 01:30")  # 03:30 on Geneva's clocks


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        time_between(datetime(2026, 3, 2, 10, 0), geneva(day("2026-03-02")))


def test_an_instant_in_words_is_genevas_whatever_zone_it_comes_in():
    assert in_words(utc("2026-12-15 08:00")) == "Tue 15 December 2026, 09:00 Geneva time"
    assert in_words(utc("2026-07-14 22:30")) == "Wed 15 July 2026, 00:30 Geneva time"


@pytest.mark.parametrize(
    ("language", "on", "words"),
    [
        ("en", "2026-12-15", "Tue 15 December 2026"),
        ("en", "2026-12-01", "Tue 1 December 2026"),
        ("fr", "2026-12-15", "mardi 15 décembre 2026"),
        ("fr", "2026-12-01", "mardi 1er décembre 2026"),
        ("fr", "2026-12-11", "vendredi 11 décembre 2026"),
        ("es", "2026-12-01", "martes 1 de diciembre de 2026"),
        ("es", "2027-02-06", "sábado 6 de febrero de 2027"),
        ("ar", "2026-12-01", "الثلاثاء، 1 كانون الأول/ديسمبر 2026"),
        ("ar", "2027-06-30", "الأربعاء، 30 حزيران/يونيه 2027"),
        ("ru", "2026-12-01", "вторник, 1 декабря 2026 года"),
        ("ru", "2027-05-05", "среда, 5 мая 2027 года"),
        ("zh-hans", "2026-12-01", "2026年12月1日星期二"),
        ("zh-hans", "2027-02-07", "2027年2月7日星期日"),
    ],
)
def test_a_day_is_written_as_its_reader_writes_it(language, on, words):
    with translation.override(language):
        assert day_in_words(day(on)) == words
        assert in_words(geneva(day(on), 9)).startswith(words)


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar", "ru", "zh-hans"])
def test_every_day_has_western_digits_and_no_month_in_numbers_alone_but_in_chinese(language):
    with translation.override(language):
        for month in range(1, 13):
            words = day_in_words(day(f"2027-{month:02}-23"))
            digits = re.findall(r"\d+", words)
            assert digits == (["2027", str(month), "23"] if language == "zh-hans" else ["23", "2027"])
            assert all(digit.isascii() for digit in digits)
