"""Numbers of people that would name one of them are not told, and cannot be worked out."""

from collections import defaultdict
from itertools import product

import pytest

from applications import small_numbers
from applications.figures import Tally

LEAST = small_numbers.LEAST


def tally(women, men, other, not_said, remote=0):
    speakers = women + men + other + not_said
    return Tally(speakers=speakers, women=women, men=men, other=other, not_said=not_said, remote=remote)


@pytest.mark.parametrize(
    ("numbers", "women", "not_said"),
    [
        ((29, 13, 0, 0), 29, 0),
        ((29, 10, 0, 3), 29, 3),
        ((29, 12, 0, 1), 29, None),  # women are told, and not who did not say
        ((40, 2, 0, 0), None, None),  # else the two men are what is missing of 42
        ((2, 40, 0, 0), None, None),
        ((0, 40, 0, 0), 0, 0),
        ((0, 1, 0, 0), None, None),
    ],
)
def test_fewer_than_three_people_are_not_told_nor_is_what_they_follow_from(numbers, women, not_said):
    shown = tally(*numbers).shown
    assert (shown["women"], shown["not_said"]) == (women, not_said)


def test_taking_part_remotely_is_told_alike():
    assert [tally(20, 20, 0, 0, remote=number).shown["remote"] for number in (0, 1, 3, 38, 40)] == [
        0,
        None,
        3,
        None,
        40,
    ]


@pytest.mark.parametrize("total", range(16))
def test_nobody_can_work_out_a_small_number_from_what_is_told_even_who_knows_the_rule(total):
    looks_like = defaultdict(list)  # what is told -> every division of the speakers that is told so
    for numbers in product(range(total + 1), repeat=4):
        if sum(numbers) == total:
            looks_like[tuple(tally(*numbers).shown.items())].append(numbers)
    for shown, possible in looks_like.items():
        for place, (name, number) in enumerate(shown[:4]):
            if any(0 < numbers[place] < LEAST for numbers in possible):
                assert number is None, (name, shown)
                assert total == 0 or len({numbers[place] for numbers in possible}) > 1, (name, shown)


def test_what_is_not_told_says_so_and_the_rule_stands_beside_it():
    assert small_numbers.in_words(None) == "not shown"
    assert small_numbers.in_words(0) == 0
    assert "smaller than 3" in small_numbers.rule()
