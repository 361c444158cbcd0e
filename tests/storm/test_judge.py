"""A judge that cannot condemn is worth nothing: one small case for each crime, and for what is none."""

from dataclasses import replace

import pytest

from tests.storm.judge import Accepted, Judge, Letter

ANNA, BEN = "anna@example.org", "ben@example.org"
SENT = Letter(ANNA, "sent", False, "<1>", "aa")
COPY = Accepted("<1>", "b1@us", ANNA, "aa")
FLAGGED = replace(SENT, flagged=True)


def crimes(letters, journal, people=(ANNA,), noted=None, **facts):
    noted = [copy.message_id for copy in journal] if noted is None else noted
    return Judge(letters, journal, people, noted=noted, **facts).crimes()


@pytest.mark.parametrize(
    ("letters", "journal"),
    [
        pytest.param([SENT], [COPY], id="sent and accepted"),
        pytest.param([FLAGGED], [COPY, COPY], id="two copies under a flag"),
        pytest.param([replace(FLAGGED, state="uncertain")], [], id="held, and never arrived"),
        pytest.param([replace(FLAGGED, state="uncertain")], [COPY, COPY], id="held, and arrived twice"),
        pytest.param([replace(SENT, state="expired")], [], id="expired"),
    ],
)
def test_what_is_allowed(letters, journal):
    assert crimes(letters, journal) == {}


def test_a_recipient_that_does_not_exist_may_fail():
    assert crimes([replace(SENT, state="failed")], [], refused=[ANNA]) == {}


@pytest.mark.parametrize(
    ("crime", "letters", "journal"),
    [
        ("no letter", [], []),
        ("more than one letter", [SENT, replace(SENT, message_id="<2>")], [COPY]),
        ("a letter to a stranger", [SENT, replace(SENT, recipient=BEN)], [COPY]),
        ("not one link each", [replace(SENT, links=2)], [COPY]),
        ("not settled", [replace(SENT, state="sending")], []),
        ("lost silently", [SENT], []),
        ("duplicate without a flag", [SENT], [COPY, COPY]),
        ("more than two copies", [FLAGGED], [COPY, COPY, COPY]),
        ("altered", [FLAGGED], [COPY, replace(COPY, sha256="bb")]),
        ("misdirected", [SENT], [replace(COPY, to=BEN)]),
        ("a mail that no letter knows", [SENT], [COPY, replace(COPY, message_id="<3>", to=BEN)]),
        ("arrived, neither sent nor flagged", [replace(SENT, state="expired")], [COPY]),
        ("blamed for our server's fault", [replace(SENT, state="failed")], []),
    ],
)
def test_what_is_a_crime(crime, letters, journal):
    assert crime in crimes(letters, journal)


@pytest.mark.parametrize(
    ("noted", "crime"),
    [
        pytest.param([], "sent, and not noted", id="an accepted letter is missing"),
        pytest.param(["<1>", "<1>"], "noted more often than accepted", id="twice, and accepted once"),
        pytest.param(["<1>", "<2>"], "noted more often than accepted", id="one that never went"),
    ],
)
def test_what_our_own_journal_must_say(noted, crime):
    assert set(crimes([SENT], [COPY], noted=noted)) == {crime}


def test_a_copy_that_nobody_answered_for_need_not_be_noted():
    assert crimes([FLAGGED], [COPY, COPY], noted=["<1>"]) == {}


def test_a_bounce_must_find_its_letter():
    letters = [SENT, replace(SENT, recipient=BEN, message_id="<2>")]
    journal = [COPY, replace(COPY, to=BEN, message_id="<2>")]
    assert crimes(letters, journal, people=[ANNA, BEN]) == {"one sender for two letters": ["b1@us"]}


def test_two_letters_to_one_person_are_no_alibi_for_two_unflagged_copies():
    found = crimes([SENT, replace(SENT, message_id="<2>")], [COPY, replace(COPY, sender="b2@us", message_id="<2>")])
    assert found == {"more than one letter": [ANNA], "duplicate without a flag": [ANNA]}
