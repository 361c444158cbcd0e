"""Counting words and minutes, and what each section needs."""

import pytest
from django.core.exceptions import ValidationError

from applications import rules


@pytest.mark.parametrize(
    "text, words",
    [
        ("", 0),
        ("   \n ", 0),
        ("one", 1),
        ("one two\nthree", 3),
        ("the State’s report – of 2024", 5),  # a dash by itself is no word
        ("l’État examiné", 2),
        ("حقوق الإنسان", 2),
        ("人权理事会", 5),
        ("人权 and rights", 4),
    ],
)
def test_words_are_counted_as_a_person_counts_them(text, words):
    assert rules.count_words(text) == words


def test_a_limit_in_words_is_reached_but_not_passed():
    rules.AtMostWords(3)("one two three")
    with pytest.raises(ValidationError, match="there is 1 too many"):
        rules.AtMostWords(3)("one two three four")


@pytest.mark.parametrize(
    "text, latin",
    [("Rights Now", True), ("Ñu, s.à.r.l. 24", True), ("Права", False), ("人权", False), ("", True)],
)
def test_a_name_in_another_script_needs_a_latin_form(text, latin):
    assert rules.is_latin(text) is latin


@pytest.mark.parametrize("speakers, minutes", [(1, 7), (5, 7), (6, 6), (8, 5)])
def test_speakers_share_what_questions_leave(speakers, minutes):
    assert rules.speaking_minutes(speakers) == minutes


def test_nobody_is_promised_less_than_five_minutes():
    with pytest.raises(ValueError, match="we promise 5"):
        rules.speaking_minutes(9)


@pytest.mark.parametrize("section", rules.SECTIONS)
def test_an_empty_section_misses_all_it_needs(section):
    assert rules.missing(section, {}) == list(rules.NEEDED[section])
