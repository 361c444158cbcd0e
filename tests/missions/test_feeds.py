"""Calendars to subscribe to, as two independent parsers read them, held to the rules of RFC 5545 and RFC 7986."""

import re
from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
import time_machine
import vobject
from django.conf import settings
from django.urls import reverse

from missions.models import Reply
from presessions.mail.models import LinkVisit
from presessions.upr.dates import geneva
from presessions.upr.models import CountryMeeting, Series
from tests.missions.factories import invite
from tests.missions.pages import dump
from tests.upr.factories import CODES, CountryMeetingFactory, SeriesFactory, SessionFactory, StateFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, 10, tzinfo=UTC)
LANGUAGES = [code for code, _name in settings.MAIL_LANGUAGES]
LONG = "Salle des droits de l’homme; bâtiment E, porte 40, 3ᵉ étage \\ aile sud, à l’étage"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def series():
    """Kenya in a room with a long name; Peru called off; Türkiye without an hour; Togo, with a link to take part."""
    series = SeriesFactory(venue="Palais des Nations", reply_to="missions@upr.example.org", format="hybrid")
    CountryMeetingFactory(series=series, state=StateFactory(iso2="KE"), room=LONG)
    CountryMeetingFactory(series=series, state=StateFactory(iso2="PE"), status="not_held", not_held_reason="postponed")
    CountryMeetingFactory(series=series, state=StateFactory(iso2="TR"), starts_at=None)
    CountryMeetingFactory(
        series=series, state=StateFactory(iso2="TG"), online_link="https://meet.example.org/" + "é" * 90
    )
    return series


def about(series, iso2):
    return series.meetings().with_state().get(state_under_review__state=iso2)


def mission_of(series, **answers):
    """(Invitation, path of its page) of Brazil's mission, which has answered."""
    invitation, path = invite("BR", series=series)
    for iso2, answer in answers.items():
        Reply.objects.create(invitation=invitation, meeting=about(series, iso2), answer=answer, at=NOW)
    return invitation, path


def feeds(series, language="en"):
    """The address of every calendar there is, by its name."""
    _invitation, path = mission_of(series, KE="in_person", PE="in_person", TG="online")
    path = path.replace("/en/", f"/{language}/")
    asked = f"?lang={language}"
    return {
        "series": reverse("feeds:series", args=[54]) + asked,
        "meeting": reverse("feeds:meeting", args=[54, "KE"]) + asked,
        "state": reverse("feeds:state", args=["KE"]) + asked,
        "a State without a meeting": reverse("feeds:state", args=[StateFactory(iso2="FR").pk]) + asked,
        "mine": f"{path}my-meetings.ics",
        "all": f"{path}all.ics",
        "one": f"{path}KE.ics",
        "one that is off": f"{path}PE.ics",
    }


def events(client, path, **asked):
    """The entries behind an address by State, as icalendar reads them."""
    found = icalendar.Calendar.from_ical(client.get(path, **asked).content).walk("VEVENT")
    return {str(event["url"]).split("/")[-2]: event for event in found}


def unfolded(body):
    return re.sub(rb"\r\n[ \t]", b"", body).decode()


# --- What programs need -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_calendar_obeys_the_rules_of_its_format(client, series, language):
    for name, path in feeds(series, language).items():
        response = client.get(path)
        assert response.status_code == 200, name
        obeys(response.content, response["Content-Type"])


def obeys(body, content_type):
    """RFC 5545: 3.1 lines and folding, 3.3.11 escaping, 3.6 components, 3.7 and 3.8 properties; 5546: 3.2.1 PUBLISH."""
    assert body.startswith(b"BEGIN:VCALENDAR\r\n")
    assert body.endswith(b"END:VCALENDAR\r\n")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", body)  # CRLF, and neither alone
    for line in body.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # no character is cut in two
        assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", line)
    lines = unfolded(body).split("\r\n")[:-1]
    assert all(re.fullmatch(r"[A-Z0-9-]+(;[A-Z-]+=(\"[^\"]*\"|[^\";:,]+))*:.*", line) for line in lines)
    values = [line.split(":", 1) for line in lines]
    for name, value in values:
        if name in ("SUMMARY", "LOCATION", "DESCRIPTION", "NAME", "X-WR-CALNAME"):
            assert not re.search(r"(?<!\\)(\\\\)*[,;]|(?<!\\)(\\\\)*\\(?![\\;,nN])", value), value
    method = dict(values)["METHOD"]
    assert content_type == f"text/calendar; charset=utf-8; method={method}"
    assert method in ("PUBLISH", "CANCEL")
    assert [name for name, _value in values].count("PRODID") == 1
    assert ["VERSION", "2.0"] in values
    assert any(name == "BEGIN" and value != "VCALENDAR" for name, value in values)  # at least one component
    assert not any(name.startswith("ATTENDEE") for name, _value in values)

    by_icalendar = icalendar.Calendar.from_ical(body).walk("VEVENT")
    by_vobject = vobject.readOne(body.decode()).contents.get("vevent", [])
    assert len(by_icalendar) == len(by_vobject) == lines.count("BEGIN:VEVENT")
    assert all(not event.errors for event in by_icalendar)
    for event, other in zip(by_icalendar, by_vobject, strict=True):
        assert str(event["uid"]) == other.uid.value
        assert int(event["sequence"]) == int(other.sequence.value)
        for name in ("dtstart", "dtend"):
            assert event.decoded(name) == getattr(other, name).value
        assert event.decoded("dtstamp") == NOW
        assert all(event[name].to_ical().endswith(b"Z") for name in ("dtstamp", "dtstart", "dtend"))
        for name in ("summary", "location", "description", "status", "organizer"):
            assert str(event[name]) == getattr(other, name).value
    assert len({event["uid"] for event in by_icalendar}) == len(by_icalendar)


def test_a_calendar_says_its_name_where_it_comes_from_and_when_to_ask_again(client, series):
    calendar = icalendar.Calendar.from_ical(client.get("/54.ics?lang=fr").content)
    assert calendar["name"] == calendar["x-wr-calname"] == "Pré-sessions 54"
    assert calendar["source"] == f"{settings.PUBLIC_URL}/54.ics?lang=fr"
    assert calendar["refresh-interval"].dt == timedelta(hours=6)
    assert str(calendar["x-published-ttl"]) == "PT6H"


def test_the_words_are_those_asked_for_or_those_that_the_program_says_it_reads(client, series):
    def summary(path, wish=""):
        return str(events(client, path, headers={"Accept-Language": wish})["KE"]["summary"])

    assert summary("/54.ics") == "Pre-session on Kenya"
    assert (
        summary("/54.ics?lang=fr")
        == summary("/54.ics", wish="fr-CH, en;q=0.5")
        == "Pré-session\N{NO-BREAK SPACE}: Kenya"
    )
    assert summary("/54.ics?lang=en", wish="fr") == "Pre-session on Kenya"
    assert summary("/54.ics?lang=tlh", wish="fr") == "Pré-session\N{NO-BREAK SPACE}: Kenya"
    assert "肯尼亚" in summary("/54.ics?lang=zh")
    assert client.get("/54.ics?lang=zh")["Content-Language"] == "zh-hans"
    assert "Accept-Language" in client.get("/54.ics")["Vary"]


def test_what_somebody_has_chosen_on_our_pages_does_not_change_a_calendar_that_is_kept_for_everybody(client, series):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ar"
    for path in PUBLIC:
        answer = client.get(path, headers={"Accept-Language": "fr, en;q=0.5"})
        assert answer["Content-Language"] == ("ar" if "lang=ar" in path else "fr"), path
        assert ("Accept-Language" in answer["Vary"], "Cookie" in answer["Vary"]) == (True, False), path


# --- What they hold ---------------------------------------------------------------------------------------------------


def test_a_series_holds_every_meeting_that_has_an_hour_and_what_is_off_as_cancelled(client, series):
    found = events(client, "/54.ics")
    assert {iso2: str(event["status"]) for iso2, event in found.items()} == {
        "KE": "CONFIRMED",
        "PE": "CANCELLED",
        "TG": "CONFIRMED",
    }
    about(series, "TR").reschedule(now=NOW, starts_at=geneva(date(2026, 4, 15), 9))
    assert events(client, "/54.ics")["TR"].decoded("dtstart") == datetime(2026, 4, 15, 7, tzinfo=UTC)


def test_the_way_in_online_is_for_missions_and_not_for_everybody(client, series):
    paths = feeds(series)
    link = "https://meet.example.org/"
    assert {name: link in unfolded(client.get(path).content) for name, path in paths.items()} == {
        **dict.fromkeys(paths, False),
        "mine": True,
        "all": True,
    }


def test_an_entry_leads_to_the_page_of_the_meeting_in_its_language(client, series):
    page = f"{settings.PUBLIC_URL}/ar/54/KE/"
    event = events(client, "/54.ics?lang=ar")["KE"]
    assert event["url"] == page
    assert page in event["description"]


def test_invented_meetings_are_called_so(client):
    series = SeriesFactory(session=SessionFactory(demonstration=True))
    CountryMeetingFactory(series=series, state=StateFactory(iso2="KE"))
    assert "invented" in events(client, "/54.ics")["KE"]["description"]


def test_a_state_holds_its_meetings_of_every_series_and_those_to_come_by_themselves(client, series):
    assert len(icalendar.Calendar.from_ical(client.get("/state/KE.ics").content).walk("VEVENT")) == 1
    later = SeriesFactory(session=SessionFactory(number=55, starts_on=date(2026, 11, 2), ends_on=date(2026, 11, 13)))
    CountryMeetingFactory(series=later, state=StateFactory(iso2="KE"), starts_at=geneva(date(2026, 10, 1), 9))
    assert len(icalendar.Calendar.from_ical(client.get("/state/KE.ics").content).walk("VEVENT")) == 2


def test_a_meeting_without_an_hour_can_be_subscribed_to_and_appears_once_it_has_one(client, series):
    assert events(client, "/54/TR.ics") == {}
    about(series, "TR").reschedule(now=NOW, starts_at=geneva(date(2026, 4, 15), 9))
    assert [*events(client, "/54/TR.ics")] == ["TR"]


@pytest.mark.parametrize("path", ["/99.ics", "/54/FR.ics", "/54/ke.ics", "/state/XX.ics", "/99999.ics", "/fr/54.ics"])
def test_what_there_is_no_calendar_of_is_not_found(client, series, path):
    assert client.get(path).status_code == 404


def test_public_hours_leave_a_reader_free_and_a_missions_own_do_not(client, series):
    paths = feeds(series)
    shown = {
        name: {str(event.get("transp")) for event in events(client, path).values()} for name, path in paths.items()
    }
    assert shown["series"] == shown["all"] == {"TRANSPARENT"}
    assert shown["mine"] == {"OPAQUE"}


# --- A mission's own --------------------------------------------------------------------------------------------------


def test_my_meetings_are_those_that_the_mission_attends(client, series):
    _invitation, path = mission_of(series, KE="in_person", TG="no")
    assert [*events(client, f"{path}my-meetings.ics")] == ["KE"]
    Reply.objects.filter(meeting=about(series, "TG")).update(answer="online")
    assert {*events(client, f"{path}my-meetings.ics")} == {"KE", "TG"}
    assert {*events(client, f"{path}all.ics")} == {"KE", "PE", "TG"}


def test_what_is_called_off_among_them_is_taken_out(client, series):
    _invitation, path = mission_of(series, KE="in_person")
    before = events(client, f"{path}my-meetings.ics")["KE"]
    about(series, "KE").call_off("postponed", now=NOW)
    after = events(client, f"{path}my-meetings.ics")["KE"]
    assert (str(before["status"]), str(after["status"])) == ("CONFIRMED", "CANCELLED")
    assert (after["uid"], after["sequence"]) == (before["uid"], before["sequence"] + 1)


def test_a_program_that_comes_again_and_again_leaves_nothing_behind(client, series):
    _invitation, path = mission_of(series, KE="in_person")
    rows = dump()
    for name in ("my-meetings.ics", "all.ics"):
        response = client.get(path + name)
        assert "no-store" in response["Cache-Control"]
        assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert dump() == rows
    assert not LinkVisit.objects.exists()


def test_its_address_is_not_written_into_it(client, series):
    """Who passes the file on would pass on the right to answer."""
    _invitation, path = mission_of(series, KE="in_person", TG="online")
    token = path.split("/")[-2]
    for name in ("my-meetings.ics", "all.ics", "KE.ics"):
        assert token not in unfolded(client.get(path + name).content)


def test_a_link_that_has_ended_opens_no_calendar(client, series):
    invitation, path = mission_of(series, KE="in_person")
    invitation.close_links(by=None, now=NOW)
    assert client.get(f"{path}my-meetings.ics").status_code == 404


# --- The version rises with every change, and never falls -------------------------------------------------------------


def test_the_version_rises_with_every_change_and_the_identifier_stays(client, series):
    def kenya():
        return about(series, "KE")

    seen = [events(client, "/54.ics")["KE"]]
    for change in (
        lambda: kenya().reschedule(now=NOW, starts_at=geneva(date(2026, 4, 15), 9)),
        lambda: kenya().reschedule(now=NOW, room="Room XX"),
        lambda: kenya().reschedule(now=NOW, minutes=90),
        lambda: kenya().reschedule(now=NOW, online_link="https://meet.example.org/ke"),
        lambda: Series.objects.get().reschedule(now=NOW, venue="Palais Wilson"),
        lambda: kenya().call_off("postponed", now=NOW),
        lambda: kenya().reinstate(now=NOW),
    ):
        change()
        seen.append(events(client, "/54.ics")["KE"])
    assert [int(event["sequence"]) for event in seen] == list(range(len(seen)))
    assert len({event["uid"] for event in seen}) == 1


# --- Asked again ------------------------------------------------------------------------------------------------------

PUBLIC = ["/54.ics", "/54/KE.ics", "/state/KE.ics", "/54.ics?lang=ar"]


@pytest.mark.parametrize("path", PUBLIC)
def test_who_has_it_already_is_told_so_in_one_line(client, series, clock, path):
    first = client.get(path)
    assert first["Cache-Control"] == "public, max-age=900"
    clock.move_to(NOW + timedelta(hours=6))
    for answer in (client.get, client.head):
        again = answer(path, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (again["ETag"], again["Cache-Control"]) == (first["ETag"], first["Cache-Control"])
    assert "Set-Cookie" not in first


@pytest.mark.parametrize(
    "change",
    [{"starts_at": geneva(date(2026, 4, 15), 9)}, {"room": "Room XX"}, {"minutes": 90}],
    ids=["hour", "room", "length"],
)
def test_who_has_an_older_one_gets_the_new_one(client, series, change):
    first = client.get("/54.ics")
    about(series, "KE").reschedule(now=NOW, **change)
    again = client.get("/54.ics", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200
    assert again["ETag"] != first["ETag"]


def test_each_language_and_each_calendar_has_its_own(client, series):
    marks = [client.get(path)["ETag"] for path in ("/54.ics?lang=en", "/54.ics?lang=fr", "/54/KE.ics", "/state/KE.ics")]
    assert len(set(marks)) == len(marks)


@pytest.mark.parametrize(("path", "queries"), [("/54.ics", 2), ("/54/KE.ics", 1), ("/state/KE.ics", 2)])
def test_it_costs_as_many_queries_for_fourteen_meetings_as_for_one(client, path, queries, django_assert_num_queries):
    series = SeriesFactory()
    for iso2 in ("KE", *[code for code in CODES if code != "KE"][:13]):
        CountryMeetingFactory(series=series, state=StateFactory(iso2=iso2))
    with django_assert_num_queries(queries):
        assert client.get(path).status_code == 200
    CountryMeeting.objects.exclude(state_under_review__state="KE").delete()
    with django_assert_num_queries(queries):
        assert client.get(path).status_code == 200


# --- On the pages -----------------------------------------------------------------------------------------------------

ON_PAGES = {
    "applications:series": ([54], "/54.ics"),
    "applications:meeting": ([54, "KE"], "/54/KE.ics"),
    "applications:state": (["KE"], "/state/KE.ics"),
}


@pytest.mark.parametrize("name", ON_PAGES)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_public_page_says_how_to_subscribe_in_its_own_language(client, series, name, language):
    arguments, path = ON_PAGES[name]
    page = client.get(reverse(name, args=arguments).replace("/en/", f"/{language}/")).content.decode()
    address = f"{settings.PUBLIC_URL}{path}?lang={language}"
    assert f'href="webcal:{address.partition(":")[2]}"' in page
    assert f">{address}</a>" in page  # to be copied
    assert f'href="{path}?lang={language}" download' in page


def test_what_is_over_offers_no_calendar_of_itself_but_the_states_stays(client, series, clock):
    about(series, "TR").reschedule(now=NOW, starts_at=geneva(date(2026, 4, 15), 9))
    clock.move_to(NOW + timedelta(days=60))
    pages = {name: client.get(reverse(name, args=asked)).content for name, (asked, _path) in ON_PAGES.items()}
    assert {name: b"webcal:" in page for name, page in pages.items()} == {
        "applications:series": False,
        "applications:meeting": False,
        "applications:state": True,
    }


def test_a_missions_page_offers_its_own_calendar_and_the_whole_one(client, series):
    _invitation, path = mission_of(series, KE="in_person")
    page = client.get(path).content.decode()
    for name in ("my-meetings.ics", "all.ics"):
        assert f'href="webcal:{settings.PUBLIC_URL.partition(":")[2]}{path}{name}"' in page
        assert f'href="{path}{name}" download' in page
        assert client.get(path + name).status_code == 200
    assert f">{settings.PUBLIC_URL}{path}my-meetings.ics</a>" in page  # to be copied
