"""The calendar as everybody may read it: States, their reviews, series past and to come; and home, whatever is open."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse
from lxml import html

from presessions.upr.dates import GENEVA
from presessions.upr.models import StateUnderReview
from tests.applications.factories import CLOSES_AT, MONDAY, StateCallFactory
from tests.upr.factories import (
    CountryMeetingFactory,
    SeriesFactory,
    SessionFactory,
    StateFactory,
    StateUnderReviewFactory,
)

pytestmark = pytest.mark.django_db
MANY = ["KE", "TR", "CL", "FR", "NO", "VN", "CI", "NL", "GM", "PE", "JP", "MX", "EG", "TD"]


@pytest.fixture(autouse=True)
def on_monday():
    with time_machine.travel(MONDAY, tick=False):
        yield


def page(client, name, *args, language="en", **query):
    address = reverse(f"applications:{name}", args=args).replace("/en/", f"/{language}/", 1)
    return html.document_fromstring(client.get(address, query).content)


def words(tree):
    return " ".join(tree.xpath("//main")[0].text_content().split())


def open_call(iso2, **facts):
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2=iso2)), **facts)


# --- Home ---------------------------------------------------------------------------------------------------------


def test_states_with_the_same_deadline_stand_together_and_an_extended_one_says_so(client):
    for code in ("TR", "KE"):
        open_call(code)
    open_call("CL", closes_at=CLOSES_AT + timedelta(days=9))
    blocks = page(client, "home").xpath("//*[@class='until']")
    assert [" ".join(block.find("h3").text_content().split()) for block in blocks] == [
        "Apply until Sun 22 March 2026, 23:59 Geneva time",
        "Extended Apply until Tue 31 March 2026, 23:59 Geneva time",
    ]
    lists = [block.getnext().xpath(".//a/text()") for block in blocks]
    assert lists == [["Kenya", "Türkiye"], ["Chile"]]


def test_a_deadline_tells_machines_its_last_minute_with_genevas_offset(client):
    open_call("KE")
    assert page(client, "home").xpath("//main//time/@datetime") == ["2026-03-22T23:59+01:00"]


def test_a_call_that_is_announced_says_when_it_opens(client):
    opens_at = datetime(2026, 3, 10, 9, tzinfo=GENEVA)
    open_call("KE").call.move_deadline(CLOSES_AT, opens_at=opens_at, now=MONDAY)
    text = words(page(client, "home"))
    assert "The call opens Tue 10 March 2026, 09:00 Geneva time." in text
    assert "days left" not in text


def test_without_an_open_call_home_says_what_comes_next_and_by_when(client):
    SessionFactory(number=55, starts_on=date(2026, 11, 2), ends_on=date(2026, 11, 13))
    text = words(page(client, "home"))
    assert "No call is open at the moment." in text
    assert "Pre-sessions 55" in text
    assert "The call is expected about Sun 2 August 2026, three months before the review." in text


def test_of_a_session_whose_days_are_not_known_home_knows_the_month(client):
    SessionFactory(number=55, starts_on=None, ends_on=None, month_label="April-May 2027")
    assert "The call is expected in February 2027" in words(page(client, "home"))
    assert "novembre" not in words(page(client, "home", language="fr"))


def test_what_is_over_does_not_come_next(client):
    SessionFactory(number=51, starts_on=date(2026, 1, 19), ends_on=None, month_label="January 2026")
    SessionFactory(number=45, starts_on=None, ends_on=None, month_label="January-February 2024")
    assert "Pre-sessions 51" not in words(page(client, "home"))
    assert "Pre-sessions 45" not in words(page(client, "home"))


def test_between_deadline_and_meetings_home_leads_to_the_programme(client):
    open_call("KE")
    with time_machine.travel(CLOSES_AT, tick=False):
        tree = page(client, "home")
    assert "Meetings: Tue 14 April 2026 to Thu 16 April 2026 Review: Mon 4 May" in words(tree)
    assert reverse("applications:series", args=[54]) in tree.xpath("//main//a/@href")


# --- States --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("cote d'ivoire", ["Côte d’Ivoire"]),
        ("TURK", ["Türkiye"]),
        ("كينيا", ["Kenya"]),
        ("Кения", ["Kenya"]),
        ("xyz", []),
    ],
)
def test_a_state_is_found_by_a_part_of_its_name_in_any_language_with_or_without_accents(client, typed, found):
    for code in ("CI", "TR", "KE"):
        StateFactory(iso2=code)
    tree = page(client, "states", q=typed)
    assert [name.replace("'", "’") for name in tree.xpath("//*[@class='states']//a/text()")] == found
    assert tree.xpath("//input[@name='q']/@value") == [typed]


def test_states_stand_under_the_letter_of_the_readers_alphabet(client):
    for code in ("EG", "ES", "TR"):
        StateFactory(iso2=code)
    groups = page(client, "states", language="fr").xpath("//section[@class='group']")
    assert [group.findtext("h2") for group in groups] == ["E", "T"]
    assert groups[0].xpath(".//a/text()") == ["Égypte", "Espagne"]


def test_each_state_shows_the_session_that_reviews_it_next_and_else_the_last_one(client):
    kenya, chile = StateFactory(iso2="KE"), StateFactory(iso2="CL")
    past = SessionFactory(number=49, starts_on=date(2025, 4, 28), ends_on=date(2025, 5, 9))
    StateUnderReviewFactory(session=past, state=kenya, status=StateUnderReview.Status.REVIEWED)
    StateUnderReviewFactory(session=past, state=chile, status=StateUnderReview.Status.REVIEWED)
    StateUnderReviewFactory(session=SessionFactory(number=54), state=kenya)
    rows = page(client, "states").xpath("//*[@class='states']/li")
    assert [(row.findtext("a"), row.find("span").text, row.find("span").get("class")) for row in rows] == [
        ("Chile", "49", "meta"),
        ("Kenya", "54", "tag tag-open"),
    ]


def test_states_can_be_read_by_session_the_newest_first(client):
    StateUnderReviewFactory(session=SessionFactory(number=54), state=StateFactory(iso2="KE"))
    StateUnderReviewFactory(session=SessionFactory(number=55), state=StateFactory(iso2="CL"))
    StateUnderReviewFactory(session=None, state=StateFactory(iso2="UA"))
    headings = page(client, "states", by="session").xpath("//section[@class='group']/h2")
    assert [" ".join(heading.text_content().split())[:10] for heading in headings] == [
        "Session no",
        "Session 55",
        "Session 54",
    ]


# --- One State -----------------------------------------------------------------------------------------------------


def test_a_state_shows_its_next_review_with_its_meeting_and_how_to_apply(client):
    meeting = CountryMeetingFactory(state=StateFactory(iso2="KE"), room="Room XX")
    StateCallFactory(meeting=meeting)
    tree = page(client, "state", "KE")
    text = words(tree)
    assert "Session 54 of the UPR Working Group" in text
    assert "Mon 4 May 2026 to Fri 15 May 2026" in text
    assert "Tue 14 April 2026, 10:00 Geneva time" in text
    assert "Room XX" in text
    assert "Apply until Sun 22 March 2026, 23:59 Geneva time" in text
    assert reverse("applications:start", args=[54, "KE"]) in tree.xpath("//main//a/@href")


def test_a_state_shows_its_past_reviews_apart(client):
    kenya = StateFactory(iso2="KE")
    past = SessionFactory(number=49, starts_on=date(2025, 4, 28), ends_on=date(2025, 5, 9))
    StateUnderReviewFactory(session=past, state=kenya, status=StateUnderReview.Status.REVIEWED)
    text = words(page(client, "state", "KE"))
    assert text.index("The date of the next review is not known yet.") < text.index("Earlier reviews")
    assert text.index("Earlier reviews") < text.index("Session 49 of the UPR Working Group")


def test_a_state_that_was_moved_says_so_and_shows_where_to(client):
    place = CountryMeetingFactory(state=StateFactory(iso2="KE")).state_under_review
    place.move_to(SessionFactory(number=55, starts_on=None, ends_on=None), now=MONDAY)
    text = words(page(client, "state", "KE"))
    assert text.index("Session 55") < text.index("Earlier reviews") < text.index("Session 54")
    assert "The review was moved to another session." in text
    assert "Not held: the State was moved to another session" in text


def test_a_postponed_review_waits_for_its_session(client):
    place = StateUnderReviewFactory(session=SessionFactory(number=54), state=StateFactory(iso2="KE"))
    place.move_to(None, now=MONDAY)
    text = words(page(client, "state", "KE"))
    assert "The review was postponed. Its new date is not known yet." in text


@pytest.mark.parametrize("path", ["/en/state/XX/", "/en/state/ke/", "/en/state/KEN/"])
def test_a_state_that_is_none_is_not_found(client, path):
    StateFactory(iso2="KE")
    assert client.get(path).status_code == 404


# --- Series --------------------------------------------------------------------------------------------------------


def test_a_series_is_a_programme_by_day_and_hour(client):
    first = datetime(2026, 4, 14, 10, tzinfo=GENEVA)
    CountryMeetingFactory(state=StateFactory(iso2="KE"), starts_at=first, room="Room XX")
    CountryMeetingFactory(state=StateFactory(iso2="CL"), starts_at=first + timedelta(hours=2))
    CountryMeetingFactory(state=StateFactory(iso2="TR"), starts_at=first + timedelta(days=1))
    CountryMeetingFactory(state=StateFactory(iso2="FR"), starts_at=None)
    tables = page(client, "series", 54).xpath("//table")
    assert [" ".join(table.findtext("caption").split()) for table in tables] == [
        "Tue 14 April 2026",
        "Wed 15 April 2026",
        "Day and time to be announced",
    ]
    assert tables[0].xpath(".//time/text()") == ["10:00–11:00", "12:00–13:00"]
    assert tables[0].xpath(".//th[@scope='row']/a/text()") == ["Kenya", "Chile"]
    assert "Room XX" in tables[0].text_content()


def test_a_series_that_is_over_shows_its_programme_as_it_was_and_what_was_not_held(client):
    CountryMeetingFactory(state=StateFactory(iso2="KE"), room="Room XX").mark_held(now=MONDAY)
    CountryMeetingFactory(state=StateFactory(iso2="CL")).call_off("too_few", now=MONDAY)
    with time_machine.travel(datetime(2026, 6, 1, tzinfo=GENEVA), tick=False):
        text = words(page(client, "series", 54))
    assert "These Pre-sessions are over. You see the programme as it was." in text
    assert "10:00–11:00 Kenya Room XX" in text
    assert "Chile: too few applications" in text
    assert "Applications" not in text


def test_no_speaker_and_no_applicant_is_on_any_page_of_the_calendar(client):
    CountryMeetingFactory(state=StateFactory(iso2="KE"), moderator="Ada Keller")
    for name, args in [("home", []), ("states", []), ("state", ["KE"]), ("all_series", []), ("series", [54])]:
        assert "Ada Keller" not in words(page(client, name, *args))


def test_all_series_are_listed_past_apart_from_those_to_come_with_older_days_from_the_sources(client):
    CountryMeetingFactory(state=StateFactory(iso2="KE"))
    CountryMeetingFactory(state=StateFactory(iso2="CL")).call_off("too_few", now=MONDAY)
    older = SessionFactory(
        number=46,
        starts_on=date(2024, 4, 29),
        ends_on=date(2024, 5, 10),
        presessions_start_on=date(2024, 2, 13),
        presessions_end_on=date(2024, 2, 16),
    )
    StateUnderReviewFactory(session=older, state=StateFactory(iso2="FR"), status=StateUnderReview.Status.REVIEWED)
    tree = page(client, "all_series")
    ahead, past = tree.xpath("//section")
    assert ahead.xpath(".//a/@href") == ["/en/54/", "/en/54/KE/"]
    assert "Tue 13 February 2024 to Fri 16 February 2024" in " ".join(past.text_content().split())
    assert past.xpath(".//a/@href") == ["/en/state/FR/"]


# --- What a page costs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "args", "queries"),
    [("home", [], 2), ("states", [], 2), ("state", ["KE"], 2), ("all_series", [], 2), ("series", [54], 2)],
)
@pytest.mark.parametrize("rows", [1, 14])
def test_a_page_costs_the_same_for_one_row_and_for_many(client, django_assert_num_queries, name, args, queries, rows):
    for code in MANY[:rows]:
        open_call(code)
    for number in range(30, 30 + rows):
        past = SessionFactory(number=number, starts_on=date(2020, 4, 28), ends_on=date(2020, 5, 9))
        series = SeriesFactory(session=past, first_day=date(2020, 4, 1), last_day=date(2020, 4, 3))
        CountryMeetingFactory(state=StateFactory(iso2="KE"), series=series)
    for number in range(60, 60 + rows):
        SeriesFactory(session=SessionFactory(number=number, starts_on=date(2027, 4, 28), ends_on=None))
    client.get("/en/about/")
    with django_assert_num_queries(queries):
        client.get(reverse(f"applications:{name}", args=args))
