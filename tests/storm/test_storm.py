"""M1 and M2: no mail is lost silently, and none arrives twice without a flag, whatever is killed and whenever."""

import os
import re

import pytest

from tests.storm import report
from tests.storm.forms import CALM, FULL, SHORT
from tests.storm.judge import Judge
from tests.storm.weather import Storm

FORM = FULL if os.environ.get("STORM") == "full" else SHORT
SEEDS = [int(seed) for seed in re.findall(r"\d+", os.environ.get("STORM_SEEDS", "1 2 3" if FORM is FULL else "1"))]
RUNS = [pytest.param(FORM, seed, id=f"seed {seed}") for seed in SEEDS]
if FORM is FULL:
    RUNS.append(pytest.param(CALM, 0, id="no fault"))

columns = {}  # of the table, one for each run


@pytest.mark.storm
@pytest.mark.parametrize(("form", "seed"), RUNS)
def test_no_storm_loses_a_letter_or_doubles_one_unnoticed(form, seed, request, capsys):
    def say(words):
        with capsys.disabled():
            print(f"\n{words}", end="", flush=True)

    with Storm(form, seed, say if FORM is FULL else lambda words: None) as storm:
        storm.blow()
        settled = storm.settle()
        refused = [address for address in storm.people() if not storm.sink.exists(address)]
        judge = Judge(storm.letters(), storm.sink.accepted(), storm.people(), refused, storm.journal())
        crimes = judge.crimes()
        fell_short = storm.fell_short()
        columns[request.node.callspec.id] = storm.counts() | judge.counts() | in_numbers(crimes) | storm.times()
        say(f"{report.machine()}\n\n{report.table(columns)}\n")
        victims = sorted({victim for found in crimes.values() for victim in found})
        for victim in victims[:3]:
            say("\n".join([f"what happened to {victim}", *map(str, storm.history(victim))]))
    assert in_numbers(crimes) == {}
    assert settled
    assert fell_short == {}
    if form is CALM:
        assert judge.counts()["mails accepted by the SMTP server"] == judge.counts()["sent"]


def in_numbers(crimes):
    return {crime: len(victims) for crime, victims in crimes.items()}
