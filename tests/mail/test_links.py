"""Personal links: safe to fetch, impossible to guess, revocable."""

import hashlib
from datetime import timedelta

import pytest
from django.test import RequestFactory

from presessions.mail import delivery, links
from presessions.mail.models import Letter, LinkVisit, PersonalLink
from tests.mail.factories import LONG_BEFORE, put
from tests.mail.letters import link_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

NOW = LONG_BEFORE


def token_in(letter):
    return link_in(letter).rstrip("/").split("/")[-1]


@pytest.fixture
def letter():
    return put(id="7")


def test_the_link_of_a_letter_finds_what_it_opens(letter):
    link = links.find(token_in(letter), "invitation", now=NOW)
    assert (link.target_id, link.letter) == ("7", letter)


def test_a_link_may_open_something_else_than_its_reader():
    letter = put(person={"link_target": "54"})
    assert links.find(token_in(letter), "invitation", now=NOW).target_id == "54"


def test_a_token_has_256_random_bits_and_only_its_hash_is_kept(letter):
    token = token_in(letter)
    assert len(token) == 43
    assert token != token_in(put(id="7"))
    kept = bytes(PersonalLink.objects.order_by("pk").values_list("token_hash", flat=True)[0])
    assert kept == hashlib.sha256(token.encode()).digest()


@pytest.mark.parametrize("token", ["", "x", "x" * 10_000, "\ud800", "é\0", "' OR 1=1 --"])
def test_nonsense_opens_nothing(letter, token):
    assert links.find(token, "invitation", now=NOW) is None


def test_altered_or_of_another_purpose_it_opens_nothing(letter):
    token = token_in(letter)
    assert links.find(token[:-1] + ("A" if token[-1] != "A" else "B"), "invitation", now=NOW) is None
    assert links.find(token, "leave", now=NOW) is None


def test_known_or_unknown_it_costs_one_query(letter, django_assert_num_queries):
    for token in (token_in(letter), "unknown"):
        with django_assert_num_queries(1):
            links.find(token, "invitation", now=NOW)


def test_when_it_ends_is_asked_each_time_it_is_opened(timetable, letter):
    ends = {"at": None}
    timetable.link_purpose("invitation", path=lambda token: f"/{token}/", expires=lambda link: ends["at"])
    assert links.find(token_in(letter), "invitation", now=NOW + timedelta(days=9999))
    ends["at"] = NOW
    assert links.find(token_in(letter), "invitation", now=NOW - timedelta(seconds=1))
    assert links.find(token_in(letter), "invitation", now=NOW) is None


def test_all_links_to_one_thing_are_revoked_together_and_no_others(letter):
    second, other = put(id="7"), put(id="8")
    assert links.revoke("invitation", "7", NOW) == 2
    found = [links.find(token_in(one), "invitation", now=NOW) for one in (letter, second, other)]
    assert [link and link.target_id for link in found] == [None, None, "8"]


def test_links_outlive_their_letter_s_bytes(sink, letter):
    token = token_in(letter)
    delivery.drain(0, now=lambda: NOW)
    assert Letter.objects.get(pk=letter.pk).frozen == b""
    assert links.find(token, "invitation", now=NOW)


@pytest.mark.parametrize(
    ("method", "after", "maybe_filter"),
    [
        ("get", timedelta(seconds=119), True),
        ("get", timedelta(minutes=2), False),
        ("head", timedelta(days=1), True),
        ("get", timedelta(days=1), False),
    ],
)
def test_a_visit_is_noted_as_perhaps_a_filter_s(letter, method, after, maybe_filter):
    Letter.objects.update(state="sent", sent_at=NOW)
    link = links.find(token_in(letter), "invitation", now=NOW)
    links.visited(link, getattr(RequestFactory(), method)("/"), NOW + after)
    assert LinkVisit.objects.get().maybe_filter is maybe_filter


def test_finding_and_visiting_change_nothing_else(letter):
    def rows():
        return [list(model.objects.order_by("pk").values()) for model in (Letter, PersonalLink)]

    before = rows()
    for _ in range(3):
        links.visited(links.find(token_in(letter), "invitation", now=NOW), RequestFactory().get("/"), NOW)
    assert rows() == before
