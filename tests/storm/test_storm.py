"""M1 and M2: no mail is lost silently, and none arrives twice without a flag, whatever is killed and whenever."""

import os
import time

import pytest

from tests.storm.judge import Judge
from tests.storm.weather import FULL, SHORT, Storm

FORM = FULL if os.environ.get("STORM") == "full" else SHORT
SEEDS = [int(seed) for seed in os.environ.get("STORM_SEEDS", "1 2 3" if FORM is FULL else "1").split()]


@pytest.mark.storm
@pytest.mark.parametrize("seed", SEEDS)
def test_no_storm_loses_a_letter_or_doubles_one_unnoticed(seed, capsys):
    def say(words):
        with capsys.disabled():
            print(f"\n{words}", end="", flush=True)

    began = time.monotonic()
    with Storm(FORM, seed, say if FORM is FULL else lambda words: None) as storm:
        storm.blow()
        settled = storm.settle()
        refused = [address for address in storm.people() if not storm.sink.exists(address)]
        judge = Judge(storm.letters(), storm.sink.accepted(), storm.people(), refused)
        crimes = judge.crimes()
        say(
            table(
                f"storm {seed}, {time.monotonic() - began:.0f} s", storm.counts() | judge.counts() | in_numbers(crimes)
            )
        )
        victims = sorted({victim for found in crimes.values() for victim in found})
        for victim in victims[:3]:
            say(table(f"what happened to {victim}", dict(enumerate(storm.history(victim)))))
    assert in_numbers(crimes) == {}
    assert settled
    assert storm.fell_short() == {}


def in_numbers(crimes):
    return {crime: len(victims) for crime, victims in crimes.items()}


def table(title, rows):
    return "\n".join([title, *(f"  {name!s:<36} {value}" for name, value in rows.items())])
