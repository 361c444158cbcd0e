"""The briefing packs behind an invitation: for every mission the same, from the evening before."""

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from lxml import html

from tests.applications.factories import StateCallFactory
from tests.applications.test_pack import (
    EVENING_BEFORE,
    EVERYTHING,
    OVER,
    SECOND,
    TUESDAY,
    ada,
    meeting,
    publish,
    seated,
    state_call,
)  # fmt: skip
from tests.missions.factories import MissionFactory, invite
from tests.upr.factories import CountryMeetingFactory, SeriesFactory, SessionFactory, StateFactory

pytestmark = pytest.mark.django_db

__all__ = ["ada", "meeting", "state_call"]  # fixtures


@pytest.fixture
def pages(meeting):
    """Paths of the page of Kenya's mission, on whose State the meeting is, and of another one's."""
    return {code: invite(code, series=meeting.series, now=TUESDAY)[1] for code in ("KE", "BR")}


@pytest.fixture
def at(client):
    def get(where, moment=EVENING_BEFORE):
        with time_machine.travel(moment, tick=False):
            return client.get(where)

    return get


def token_of(page):
    return page.split("/")[3]


def test_a_mission_reads_the_papers_from_the_evening_before_and_everybody_once_it_is_over(state_call, pages, at):
    seated(state_call, *EVERYTHING)
    ours, public = f"{pages['BR']}KE/pack/", reverse("applications:pack", args=[54, "KE"])
    shown = {
        (where, moment): b"Ratify the Optional Protocol" in at(where, moment).content
        for where in (ours, public)
        for moment in (EVENING_BEFORE - SECOND, EVENING_BEFORE, OVER)
    }
    assert list(shown.values()) == [False, True, True, False, False, True]


def test_the_state_under_review_reads_what_the_others_read_word_for_word(meeting, state_call, pages, at, ada):
    publish(meeting, ada, seated(state_call, *EVERYTHING))
    for more in ("pack/", "KE/pack/"):
        own, others = (at(page + more).content.decode().replace(token_of(page), "") for page in pages.values())
        assert own == others


def test_from_the_invitation_two_steps_lead_to_a_paper_that_nobody_keeps(state_call, pages, at):
    seated(state_call, *EVERYTHING)
    page, packs = pages["BR"], f"{pages['BR']}pack/"
    assert packs in html.document_fromstring(at(page).content).xpath("//main//a/@href")
    (pack,) = html.document_fromstring(at(packs).content).xpath("//tbody//a/@href")
    paper = html.document_fromstring(at(pack).content).xpath("//ul[@class='links']//a/@href")[0]
    assert pack.startswith(page) and paper.startswith(pack)
    answer = at(paper)
    assert b"".join(answer.streaming_content) == b"PK the statement"
    for one in (at(packs), at(pack), answer, at(f"{pack}all.zip")):
        assert (one.status_code, "no-store" in one["Cache-Control"]) == (200, True)
        assert "noindex" in one["X-Robots-Tag"]


def test_a_paper_that_is_gone_says_so_and_leads_back_to_the_own_pack(state_call, pages, at):
    answer = at(f"{pages['BR']}KE/pack/{'0' * 20}/")
    assert answer.status_code == 404
    assert f'href="{pages["BR"]}KE/pack/"'.encode() in answer.content


def test_an_invitation_opens_the_packs_of_its_own_series_alone(meeting, pages, at):
    other = SeriesFactory(session=SessionFactory(number=55))
    StateCallFactory(meeting=CountryMeetingFactory(series=other, state=StateFactory(iso2="PE")))
    assert at(f"{pages['BR']}PE/pack/").status_code == 404
    assert at(reverse("applications:pack", args=[55, "PE"])).status_code == 200


def test_a_link_that_has_ended_opens_no_pack(meeting, at):
    assert MissionFactory(iso2="BR")
    for more in ("pack/", "KE/pack/", "KE/pack/all.zip", f"KE/pack/{'0' * 20}/"):
        answer = at(f"/en/invitation/{'x' * 43}/{more}")
        assert (answer.status_code, b"does not open an invitation" in answer.content) == (404, True)


NOTHING = (
    "%00/ %00/pack/ %00/pack/all.zip KE/pack/%00/ ke/pack/ KEN/pack/ %00.ics KE%00.ics KE.ics%0A %C2%B2%C2%B2.ics "
    "colleagues/%00/ colleagues/AAAAA-AAAA%00/"
)


@pytest.mark.parametrize("more", NOTHING.split())
def test_what_no_address_holds_is_not_found(pages, at, more):
    for address in (pages["BR"] + more, f"/en/invitation/{'x' * 43}/{more}", f"/en/invitation/%00/{more}"):
        assert at(address).status_code == 404, address
        assert Client().post(address).status_code in (404, 405), address
