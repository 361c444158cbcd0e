"""A meeting is called off or gets another date: staff see first who is told what; then all of it happens, or none."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.models import Call
from missions import meetings, notices
from missions.models import Reply
from presessions.mail import schedule
from presessions.mail.models import Letter, Mailing
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import geneva
from presessions.upr.models import CountryMeeting, Series
from tests.accounts.factories import StaffFactory
from tests.applications.factories import ApplicationFactory
from tests.mail.letters import body_of, message_of
from tests.missions.factories import MissionFactory, invite
from tests.missions.test_admin import series_form
from tests.upr.dialogue import post
from tests.upr.factories import SessionFactory, StateFactory, StateUnderReviewFactory

pytestmark = pytest.mark.django_db
SET_UP = datetime(2026, 1, 5, 9, tzinfo=UTC)
INVITED = geneva(date(2026, 3, 17), 9)
NOW = INVITED + timedelta(days=3)
TUESDAY, WEDNESDAY = (geneva(date(2026, 4, day), 10) for day in (14, 15))


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def desk(client):
    client.force_login(StaffFactory())
    return client


@pytest.fixture
def series():
    session = SessionFactory()
    for iso2 in ("KE", "PE"):
        StateUnderReviewFactory(session=session, state=StateFactory(iso2=iso2))
    series = Series.open_for(
        session, now=SET_UP, first_day=date(2026, 4, 14), last_day=date(2026, 4, 16), venue="Palais des Nations"
    )
    kenya(series).reschedule(now=SET_UP, starts_at=TUESDAY, room="Room XXI")
    Call.open_for(series, opens_at=SET_UP, closes_at=geneva(date(2026, 3, 10)), now=SET_UP)
    return series


def kenya(series):
    return series.meetings().with_state().get(state_under_review__state="KE")


def applicants(series, *statuses):
    """One applicant of each status; their references by it."""
    state_call = series.call.state_calls.with_state().get(meeting=kenya(series))
    return {status: ApplicationFactory(state_call=state_call, **{status: True}).reference for status in statuses}


def answered(series, iso2, answer, **facts):
    mission = MissionFactory(iso2=iso2, **facts)
    invitation, _path = invite(mission, series=series)
    Reply.objects.create(invitation=invitation, meeting=kenya(series), answer=answer, at=NOW)
    return mission


def told(kind):
    return set(Letter.objects.filter(kind=kind).values_list("recipient_id", flat=True))


def page(step, series):
    return reverse(f"admin:upr_meeting_{step}", args=[kenya(series).pk])


# --- Called off -------------------------------------------------------------------------------------------------------


def test_who_reckons_with_the_meeting_is_told_that_it_is_off(series):
    waiting = applicants(series, "submitted", "waitlisted", "accepted", "declined", "withdrawn")
    meetings.call_off(kenya(series), "postponed", by=None, now=NOW)
    assert told("meeting_off") == {waiting[status] for status in ("submitted", "waitlisted", "accepted")}
    assert kenya(series).status == "not_held"


def test_their_letter_names_no_state_and_says_what_comes(series):
    applicants(series, "accepted")
    meetings.call_off(kenya(series), "postponed", by=None, now=NOW)
    letter = Letter.objects.get(kind="meeting_off")
    text = f"{letter.subject} {body_of(letter)}"
    assert "Kenya" not in text
    assert "It is postponed. We do not know the new date yet" in text
    assert "cancel what can be cancelled" in text  # they have a seat, and may have booked


def test_missions_that_answered_are_told_and_their_calendars_too(series):
    coming, undecided = answered(series, "BR", "in_person"), answered(series, "FR", "undecided", language="fr")
    answered(series, "TR", "no")
    MissionFactory(iso2="SN")  # has not answered
    before = kenya(series).sequence
    meetings.call_off(kenya(series), "too_few", by=None, now=NOW)
    assert told("mission_meeting_off") == {str(coming.pk), str(undecided.pk)}
    message = message_of(Letter.objects.get(recipient_id=str(coming.pk)))
    entry = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    assert (entry.get_param("method"), entry.get_filename()) == ("CANCEL", "meeting.ics")
    assert f"UID:{kenya(series).uid}@" in entry.get_content()
    assert f"SEQUENCE:{before + 1}" in entry.get_content()
    assert "The attached file takes it out of your calendar." in message.get_body(("plain",)).get_content()


def test_a_mission_that_cannot_be_written_to_stops_nobody_else(series):
    answered(series, "BR", "in_person", email=None)
    reached = answered(series, "FR", "online")
    meetings.call_off(kenya(series), "other", by=None, now=NOW)
    assert told("mission_meeting_off") == {str(reached.pk)}


def test_of_two_clicks_one_wins_and_the_other_leaves_its_event(series):
    applicants(series, "submitted")
    staff = StaffFactory()
    meetings.call_off(kenya(series), "postponed", by=staff, now=NOW)
    with pytest.raises(WrongStep, match="already not held"):
        meetings.call_off(kenya(series), "postponed", by=staff, now=NOW)
    assert Letter.objects.filter(kind="meeting_off").count() == 1
    events = Event.objects.about(kenya(series)).filter(code="called off")
    assert sorted(events.values_list("refused", flat=True)) == [False, True]


def test_all_of_it_or_nothing(series, monkeypatch):
    applicants(series, "submitted")

    def fails(*args, **kwargs):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(notices.outbox, "put", fails)
    with pytest.raises(RuntimeError):
        meetings.call_off(kenya(series), "postponed", by=None, now=NOW)
    assert kenya(series).goes_ahead


# --- Another date -----------------------------------------------------------------------------------------------------


def test_speakers_with_a_seat_hear_of_the_new_date_and_nobody_else_does(series):
    """Who has no answer yet must not read from a letter that somebody has a seat."""
    there = applicants(series, "submitted", "waitlisted", "accepted", "confirmed")
    meetings.move(kenya(series), WEDNESDAY, by=None, now=NOW)
    assert told("meeting_moved") == {there["accepted"], there["confirmed"]}
    text = body_of(Letter.objects.filter(kind="meeting_moved").first())
    assert "When: Wed 15 April 2026, 10:00 Geneva time" in text
    assert "Where: Room XXI, Palais des Nations" in text
    assert "Previously announced: Tue 14 April 2026, 10:00 Geneva time" in text


def test_missions_get_the_entry_of_the_new_date(series):
    answered(series, "BR", "in_person")
    meetings.move(kenya(series), WEDNESDAY, by=None, now=NOW, room="Room XXII")
    message = message_of(Letter.objects.get(kind="mission_meeting_moved"))
    entry = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    assert entry.get_param("method") == "PUBLISH"
    assert "DTSTART:20260415T080000Z" in entry.get_content()
    assert "Room XXII" in entry.get_content()


def test_what_was_called_off_is_held_after_all_and_whoever_was_told_is_told(series):
    there = applicants(series, "submitted", "accepted")
    mission = answered(series, "BR", "in_person")
    meetings.call_off(kenya(series), "postponed", by=None, now=NOW)
    meetings.move(kenya(series), WEDNESDAY, by=None, now=NOW)
    assert (kenya(series).status, kenya(series).starts_at) == ("planned", WEDNESDAY)
    assert told("meeting_moved") == set(there.values())
    assert told("mission_meeting_moved") == {str(mission.pk)}
    assert "will be held after all" in body_of(
        Letter.objects.get(recipient_id=there["submitted"], kind="meeting_moved")
    )


@pytest.mark.parametrize(("starts_at", "words"), [(NOW, "lies in the past"), (TUESDAY, "begins at that time already")])
def test_a_date_that_is_none_is_refused_and_leaves_its_event(series, starts_at, words):
    with pytest.raises(WrongStep, match=words):
        meetings.move(kenya(series), starts_at, by=None, now=NOW)
    assert Event.objects.about(kenya(series)).filter(code="changed", refused=True).count() == 1
    assert kenya(series).starts_at == TUESDAY


# --- Nobody gets two mails of one thing -------------------------------------------------------------------------------


def test_who_got_the_notice_does_not_get_the_correction_too(series):
    answering, silent = answered(series, "BR", "in_person"), MissionFactory(iso2="FR")
    schedule.write_due(INVITED)
    Letter.objects.update(state="sent", sent_at=INVITED)
    meetings.move(kenya(series), WEDNESDAY, by=None, now=NOW)
    correction = Mailing.objects.get(kind="correction_missions")
    assert correction.held_reason == "proposed"
    assert [person.id for person in correction.people()] == [str(silent.pk)]
    kenya(series).reschedule(now=NOW, starts_at=TUESDAY + timedelta(hours=1))  # once more, and nobody was told
    correction = Mailing.objects.get(kind="correction_missions")
    assert {person.id for person in correction.people()} == {str(answering.pk), str(silent.pk)}


# --- By the pages -----------------------------------------------------------------------------------------------------


def test_staff_see_who_would_read_what_before_anything_is_written(desk, series):
    applicants(series, "submitted", "accepted")
    answered(series, "BR", "in_person")
    look = desk.post(page("off", series), {"why": "postponed", "reason": "A strike."})
    words = look.content.decode()
    assert "2 applicants" in words
    assert "1 mission that answered" in words
    assert "It is postponed." in words
    assert kenya(series).goes_ahead
    assert not Letter.objects.filter(kind__in=("meeting_off", "mission_meeting_off")).exists()
    assert not Event.objects.about(kenya(series)).filter(code="called off").exists()


def test_the_last_button_does_what_was_seen(desk, series):
    applicants(series, "submitted")
    typed = {"why": "postponed", "reason": "A strike."}
    mark = desk.post(page("off", series), typed).context["seen"].mark
    done = desk.post(page("off", series), typed | {"do": mark}, follow=True)
    assert "Told at once: 1 applicant." in done.content.decode()
    assert not kenya(series).goes_ahead
    assert Event.objects.about(kenya(series)).get(code="called off").reason.text == "A strike."


def test_the_last_button_asks_whether_it_is_still_you(desk, series, clock, settings):
    settings.STAFF_PROOF = 10  # minutes
    applicants(series, "submitted")
    clock.move_to(NOW + timedelta(minutes=11))
    mark = desk.post(page("off", series), {"why": "postponed"}).context["seen"].mark
    answer = desk.post(page("off", series), {"why": "postponed", "do": mark})
    assert ("why", "postponed") in answer.context["carried"]
    assert kenya(series).goes_ahead


def test_where_nobody_would_be_told_it_does_not(desk, series, clock, settings):
    settings.STAFF_PROOF = 10  # minutes
    clock.move_to(NOW + timedelta(minutes=11))
    mark = desk.post(page("off", series), {"why": "postponed"}).context["seen"].mark
    answer = desk.post(page("off", series), {"why": "postponed", "do": mark}, follow=True)
    assert "There was nobody to tell." in answer.content.decode()
    assert not kenya(series).goes_ahead


def test_of_missions_that_know_the_earlier_date_it_speaks_once_there_are_any(desk, series):
    MissionFactory(iso2="FR")
    words = "Missions that were told the earlier date"
    assert words not in desk.post(page("off", series), {"why": "postponed"}).content.decode()
    schedule.write_due(INVITED)
    assert words in desk.post(page("off", series), {"why": "postponed"}).content.decode()


def test_when_somebody_has_joined_since_staff_look_again(desk, series):
    applicants(series, "submitted")
    mark = desk.post(page("off", series), {"why": "postponed"}).context["seen"].mark
    answered(series, "BR", "in_person")
    again = desk.post(page("off", series), {"why": "postponed", "do": mark})
    assert "Something has changed since you looked" in again.content.decode()
    assert kenya(series).goes_ahead


def test_a_new_date_by_its_page(desk, series):
    applicants(series, "accepted")
    typed = {"starts_at": "2026-04-15T10:00", "room": "Room XXI", "online_link": ""}
    mark = desk.post(page("move", series), typed).context["seen"].mark
    assert desk.post(page("move", series), typed | {"do": mark}).status_code == 302
    assert kenya(series).starts_at == WEDNESDAY
    assert len(told("meeting_moved")) == 1


def test_what_speaks_against_the_new_date_is_said_and_does_not_forbid_it(desk, series):
    peru = series.meetings().get(state_under_review__state="PE")
    peru.reschedule(now=SET_UP, starts_at=WEDNESDAY)
    words = desk.post(page("move", series), {"starts_at": "2026-04-15T10:30"}).content.decode()
    assert "At the same time as the meeting about Peru" in words
    words = desk.post(page("move", series), {"starts_at": "2026-04-20T10:30"}).content.decode()
    assert "The Pre-sessions take place from Tue 14 April 2026 to Thu 16 April 2026." in words


def test_a_refusal_is_said_on_the_page(desk, series):
    answer = desk.post(page("move", series), {"starts_at": "2026-03-01T10:00"})
    assert "This start lies in the past." in answer.content.decode()


def test_a_meeting_that_is_off_leads_to_its_new_date(desk, series):
    kenya(series).call_off("postponed", now=NOW)
    assert desk.get(page("off", series)).url == page("move", series)
    assert "A new date for the meeting on Kenya" in desk.get(page("move", series)).content.decode()


@pytest.mark.parametrize("step", ["off", "move", "extend"])
def test_only_for_those_who_may(client, series, step):
    client.force_login(StaffFactory(is_superuser=False))
    assert client.get(page(step, series)).status_code == 403
    assert client.post(page(step, series), {}).status_code == 403


def test_the_page_of_a_meeting_leads_to_its_steps(desk, series):
    words = desk.get(reverse("admin:upr_countrymeeting_change", args=[kenya(series).pk])).content.decode()
    assert all(page(step, series) in words for step in ("off", "move", "extend"))


# --- More time for one State ------------------------------------------------------------------------------------------


def test_one_click_on_the_page_of_the_series_gives_a_state_a_week_more(desk, series, clock):
    clock.move_to(geneva(date(2026, 3, 9), 10))
    desk.post(page("extend", series), {"days": 7}, follow=True)
    state_call = series.call.state_calls.get(meeting=kenya(series))
    assert (state_call.closes_at, state_call.reason) == (geneva(date(2026, 3, 17)), "Few applications so far")


def test_after_the_deadline_the_days_are_counted_from_today(desk, series):
    desk.post(page("extend", series), {"days": 3, "reason": "A cyclone."})
    state_call = series.call.state_calls.get(meeting=kenya(series))
    assert (state_call.closes_at, state_call.reason) == (geneva(date(2026, 3, 24)), "A cyclone.")


@pytest.mark.parametrize("days", ["0", "61", "many", ""])
def test_what_is_no_number_of_days_extends_nothing(desk, series, days):
    answer = desk.post(page("extend", series), {"days": days}, follow=True)
    assert "Choose between 1 and 60 days." in answer.content.decode()
    assert series.call.state_calls.get(meeting=kenya(series)).closes_at is None


def test_a_meeting_that_is_off_gets_no_more_time(desk, series):
    kenya(series).call_off("postponed", now=NOW)
    assert "will not be held" in desk.post(page("extend", series), {"days": 7}, follow=True).content.decode()
    assert series.call.state_calls.get(meeting=kenya(series)).closes_at is None


def test_enter_in_a_field_of_the_series_extends_nothing(desk, series):
    """The first button of a form is pressed by Enter: those of the meetings belong to a form of their own."""
    words = desk.get(reverse("admin:upr_series_change", args=[series.pk])).content.decode()
    buttons = words.count("formaction=")
    assert buttons == CountryMeeting.objects.count()
    assert words.count('form="more-time" formaction=') == buttons


# --- Changed where nobody is told -------------------------------------------------------------------------------------


def test_who_does_not_know_of_a_change_of_the_programme_can_be_told_once(series):
    there, mission = applicants(series, "accepted"), answered(series, "BR", "in_person")
    kenya(series).reschedule(now=NOW, starts_at=WEDNESDAY)
    meetings.tell(kenya(series), by=None, now=NOW)
    assert told("meeting_moved") == {there["accepted"]}
    assert told("mission_meeting_moved") == {str(mission.pk)}
    with pytest.raises(WrongStep, match="nobody to tell"):
        meetings.tell(kenya(series), by=None, now=NOW)
    assert sorted(Event.objects.about(kenya(series)).filter(code="told").values_list("refused", flat=True)) == [
        False,
        True,
    ]


def test_off_on_and_off_again_is_told_each_time(series):
    applicants(series, "accepted")
    for _time in range(2):
        meetings.call_off(kenya(series), "postponed", by=None, now=NOW)
        meetings.move(kenya(series), WEDNESDAY, by=None, now=NOW)
    assert Letter.objects.filter(kind="meeting_off").count() == Letter.objects.filter(kind="meeting_moved").count() == 2
    kenya(series).call_off("postponed", now=NOW)  # by an action of the list, which tells nobody
    meetings.tell(kenya(series), by=None, now=NOW)
    assert Letter.objects.filter(kind="meeting_off").count() == 3


def test_the_page_of_the_series_warns_of_whom_nobody_has_told(desk, series):
    applicants(series, "accepted")
    posted = series_form(series, KE={"starts_at": "2026-04-15T10:00"})
    address = reverse("admin:upr_series_change", args=[series.pk])
    words = post(desk, address, posted, follow=True).content.decode()
    assert "Kenya: nobody has told 1 speaker who has a seat." in words
    assert page("tell", series) in words


def test_telling_by_its_page(desk, series):
    applicants(series, "accepted")
    look = desk.get(page("tell", series))
    assert "1 speaker who has a seat" in look.content.decode()
    assert not told("meeting_moved")
    desk.post(page("tell", series), {"do": look.context["seen"].mark})
    assert len(told("meeting_moved")) == 1
    assert "knows how it stands" in desk.get(page("tell", series)).content.decode()


def test_an_action_of_the_list_says_that_it_told_nobody(desk, series):
    posted = {"action": "postpone", "_selected_action": [kenya(series).pk]}
    words = post(desk, reverse("admin:upr_countrymeeting_changelist"), posted, follow=True).content.decode()
    assert "This told nobody by itself." in words


@pytest.mark.parametrize("look", ["off", "move"])
def test_looking_costs_the_same_for_one_person_and_for_four(series, look):
    def queries():
        with CaptureQueriesContext(connection) as found:
            if look == "off":
                meetings.look_at_calling_off(kenya(series), "postponed", by=None, now=NOW)
            else:
                meetings.look_at_moving(kenya(series), WEDNESDAY, by=None, now=NOW)
        return len(found)

    applicants(series, "accepted")
    answered(series, "BR", "in_person")
    queries()  # what is asked once and remembered
    one = queries()
    for iso2 in ("FR", "TR", "SN"):
        applicants(series, "accepted")
        answered(series, iso2, "in_person")
    assert queries() == one
