"""Counting words, minutes and members, the hour of grace, and what each section needs."""

from datetime import UTC, datetime, timedelta

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


@pytest.mark.parametrize(
    "text, members",
    [
        ("", []),
        ("\n  \n", []),
        ("Rights Now\nVoices", ["Rights Now", "Voices"]),
        ("Rights Now\nRIGHTS  NOW!\n “Rights now”.", ["Rights Now"]),
        ("1. Voices\n2) Voices\n- Voices\n• Voices\n(3) Mothers", ["Voices", "Mothers"]),
        ("Égalité\nEgalite", ["Égalité"]),
        ("Права сейчас\nПРАВА СЕЙЧАС", ["Права сейчас"]),
        ("حُقُوق الإنسان\nحقوق الإنسان", ["حُقُوق الإنسان"]),  # with and without its vowels
        ("กิ\nกี", ["กิ", "กี"]),  # two vowels are two names
        ("人权\n人权 ", ["人权"]),
        ("Our Own House\nVoices\nour own house", ["Voices"]),  # the institution itself is no member
        ("Maison à nous\nVoices", ["Voices"]),
        ("...\n–\nVoices", ["Voices"]),
        ("350.org\n350.org", ["350.org"]),  # a number that begins a name is not that of a list
    ],
)
def test_members_of_a_coalition_are_counted_once(text, members):
    assert rules.coalition_members(text, "Our Own House", "Maison à nous") == members


INSTANT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "opened, counts",
    [(None, 0), (0, 0), (-1, -1), (-59, -59), (-60, -60), (-61, -60), (-10_000, -60), (1, 0), (10_000, 0)],
)
def test_a_deadline_is_asked_about_the_minute_of_opening_and_at_most_an_hour_ago(opened, counts):
    opened_at = None if opened is None else INSTANT + timedelta(minutes=opened)
    assert rules.counts_as(INSTANT, opened_at) == INSTANT + timedelta(minutes=counts)


@pytest.mark.parametrize(
    "section, facts, state",
    [
        ("issues", {}, "not_started"),
        ("issues", {"issues": "Prisons."}, "incomplete"),
        ("issues", {"issues": "Prisons.", "themes": ["justice"]}, "done"),
        ("replacement", {}, "optional"),
        ("replacement", {"full_name": ""}, "optional"),
        ("replacement", {"full_name": "B."}, "done"),
        ("replacement", {"email": "b@example.org"}, "incomplete"),
        ("replacement", {"full_name": "B.", "under_18": True}, "incomplete"),
    ],
)
def test_the_task_list_says_how_far_a_section_is(section, facts, state):
    assert rules.state_of(section, facts) == state


@pytest.mark.parametrize("speakers, minutes", [(1, 7), (5, 7), (6, 6), (8, 5)])
def test_speakers_share_what_questions_leave(speakers, minutes):
    assert rules.speaking_minutes(speakers) == minutes


def test_nobody_is_promised_less_than_five_minutes():
    with pytest.raises(ValueError, match="we promise 5"):
        rules.speaking_minutes(9)


@pytest.mark.parametrize("section", rules.SECTIONS)
def test_an_empty_section_misses_all_it_needs(section):
    assert rules.missing(section, {}) == list(rules.NEEDED[section])
