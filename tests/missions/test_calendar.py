"""A meeting in somebody's own calendar, as two independent parsers read it."""

from datetime import UTC, date, datetime

import icalendar
import pytest
import time_machine
import vobject
from django.utils import translation

from missions import calendar
from presessions.upr.dates import geneva
from presessions.upr.models import CountryMeeting
from tests.missions.factories import invite
from tests.upr.factories import CountryMeetingFactory, SeriesFactory, StateFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def meeting():
    series = SeriesFactory(venue="Palais des Nations", reply_to="missions@upr.example.org")
    made = CountryMeetingFactory(series=series, state=StateFactory(iso2="KE"), room="Room XXI")
    return CountryMeeting.objects.with_state().get(pk=made.pk)


def by_icalendar(meeting):
    parsed = icalendar.Calendar.from_ical(calendar.entry(meeting, now=NOW))
    [event] = parsed.walk("VEVENT")
    return parsed, event


def by_vobject(meeting):
    parsed = vobject.readOne(calendar.entry(meeting, now=NOW).decode())
    return parsed, parsed.vevent


def test_both_parsers_read_the_hour_the_place_and_the_subject(meeting):
    _, event = by_icalendar(meeting)
    assert event.decoded("dtstart") == datetime(2026, 4, 14, 8, tzinfo=UTC)
    assert event.decoded("dtend") == datetime(2026, 4, 14, 9, tzinfo=UTC)
    _, other = by_vobject(meeting)
    assert other.dtstart.value == datetime(2026, 4, 14, 8, tzinfo=UTC)
    assert other.dtend.value == datetime(2026, 4, 14, 9, tzinfo=UTC)
    for summary, location in ((event["summary"], event["location"]), (other.summary.value, other.location.value)):
        assert (summary, location) == ("Pre-session on Kenya", "Room XXI, Palais des Nations")


def test_it_is_published_and_asks_for_no_answer_by_mail(meeting):
    parsed, event = by_icalendar(meeting)
    assert parsed["method"] == "PUBLISH"
    assert event["status"] == "CONFIRMED"
    assert "attendee" not in event
    assert event["organizer"] == "mailto:missions@upr.example.org"
    assert by_vobject(meeting)[0].method.value == "PUBLISH"


def test_a_change_keeps_the_identifier_and_raises_the_version(meeting):
    _, before = by_icalendar(meeting)
    meeting.reschedule(now=NOW, starts_at=geneva(date(2026, 4, 15), 9))
    _, after = by_icalendar(meeting)
    assert after["uid"] == before["uid"]
    assert after["sequence"] == before["sequence"] + 1
    assert after.decoded("dtstart") == datetime(2026, 4, 15, 7, tzinfo=UTC)


def test_a_meeting_called_off_is_taken_out_of_the_calendar(meeting):
    meeting.call_off("too_few", now=NOW)
    parsed, event = by_icalendar(meeting)
    assert (parsed["method"], event["status"]) == ("CANCEL", "CANCELLED")
    assert by_vobject(meeting)[1].status.value == "CANCELLED"


def test_lines_end_in_crlf_and_are_at_most_75_bytes(meeting):
    meeting.online_link = "https://meet.example.org/" + "é" * 200
    text = calendar.entry(meeting, now=NOW)
    assert text.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in text.replace(b"\r\n", b"")
    assert max(len(line) for line in text.split(b"\r\n")) <= 75


def test_times_are_utc_whatever_the_reader_has_set(meeting):
    assert b"DTSTART:20260414T080000Z" in calendar.entry(meeting, now=NOW)


def test_a_room_not_known_yet_is_to_be_confirmed(meeting):
    meeting.room = ""
    assert by_icalendar(meeting)[1]["location"] == "room to be confirmed, Palais des Nations"


def test_an_online_series_has_its_link_in_the_entry(meeting):
    meeting.series.format = "virtual"
    meeting.online_link = "https://meet.example.org/54-ke"
    _, event = by_icalendar(meeting)
    assert event["location"] == "online"
    assert "https://meet.example.org/54-ke" in event["description"]


def test_the_state_is_called_by_its_name_in_the_readers_language(meeting):
    meeting.state_under_review.state = StateFactory(iso2="DE")
    with translation.override("fr"):
        assert "Allemagne" in by_icalendar(meeting)[1]["summary"]


def test_the_mission_gets_it_as_a_file(client, meeting):
    _invitation, path = invite("BR", series=meeting.series)
    response = client.get(f"{path}KE.ics")
    assert response["Content-Type"] == "text/calendar; charset=utf-8; method=PUBLISH"
    assert response["Content-Disposition"] == 'attachment; filename="pre-session-54-KE.ics"'
    assert "no-store" in response["Cache-Control"]
    assert b"BEGIN:VEVENT" in response.content


@pytest.mark.parametrize("name", ["PE.ics", "KEN.ics", "54.ics"])
def test_a_state_without_a_meeting_has_no_entry(client, meeting, name):
    _invitation, path = invite("BR", series=meeting.series)
    assert client.get(path + name).status_code == 404


def test_a_meeting_without_a_start_has_no_entry_yet(client, meeting):
    CountryMeetingFactory(series=meeting.series, state=StateFactory(iso2="PE"), starts_at=None)
    _invitation, path = invite("BR", series=meeting.series)
    assert client.get(f"{path}PE.ics").status_code == 404
