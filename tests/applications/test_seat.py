"""A seat is offered until a day, confirmed with one press or given up, and nobody is thrown out by the clock."""

from datetime import date, datetime, timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.db import connections
from django.urls import reverse

from applications import decisions, seat
from applications.models import Application, Needs
from presessions.mail.models import Letter
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import GENEVA, geneva
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.applications.seats import open_session, words_of
from tests.mail.letters import body_of, link_in, message_of
from tests.upr.factories import CountryMeetingFactory

pytestmark = pytest.mark.django_db
TUESDAY = MONDAY + timedelta(days=1)
MEETING = geneva(date(2026, 4, 14), 10)
LATE = geneva(date(2026, 3, 13))  # ten days after Monday 2 March are over


@pytest.fixture
def on_tuesday():
    with time_machine.travel(TUESDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def accepted(db):
    return ApplicationFactory(accepted=True, full_name="Amina Canary")


@pytest.fixture
def applicant(client, accepted, on_tuesday):
    return open_session(client, accepted)


def at(clock, moment, applicant, application):
    """A session lives for half a day; later on, the link opens another one."""
    clock.move_to(moment)
    open_session(applicant, application)


def page(name):
    return reverse(f"applications:{name}")


def fresh(application):
    return Application.objects.with_state().get(pk=application.pk)


def offered(released_at, **facts):
    """The first instant too late to confirm a seat offered at that one."""
    state_call = StateCallFactory(meeting=CountryMeetingFactory(**facts))
    return seat.confirm_by(ApplicationFactory(state_call=state_call), released_at)


# --- Until when -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("released_at", "starts_at", "too_late"),
    [
        (MONDAY, MEETING, LATE),
        (geneva(date(2026, 3, 2), 23, 59), MEETING, LATE),
        (geneva(date(2026, 3, 22), 10), None, geneva(date(2026, 4, 2))),  # the clocks change on the way
        (MONDAY, geneva(date(2026, 3, 10), 10), geneva(date(2026, 3, 9))),  # two days before the meeting
        (MONDAY, geneva(date(2026, 3, 3), 10), geneva(date(2026, 3, 3))),  # the rest of the day at least
        (MONDAY, geneva(date(2026, 3, 2), 15), geneva(date(2026, 3, 2), 15)),  # unless the meeting comes first
    ],
)
def test_a_seat_is_to_be_confirmed_within_days_and_before_the_meeting(released_at, starts_at, too_late):
    assert offered(released_at, starts_at=starts_at) == too_late


def test_the_answer_says_by_when(accepted):
    assert accepted.confirm_by == LATE
    letter = Letter.objects.get(kind="decision_accepted")
    assert "Please confirm your seat by Thu 12 March 2026, 23:59 Geneva time" in body_of(letter)


def test_staff_see_the_same_date_before_they_release(accepted):
    waiting = ApplicationFactory(state_call=accepted.state_call, submitted=True)
    waiting.prepare("accept", by=StaffFactory(), now=MONDAY)
    (preview,) = decisions.preview(accepted.meeting, now=TUESDAY)
    assert "Fri 13 March 2026, 23:59 Geneva time" in preview.text.body


def test_who_is_declined_has_no_date_to_answer_by():
    assert ApplicationFactory(declined=True).confirm_by is None


# --- Confirming -------------------------------------------------------------------------------------------------------


def test_one_press_confirms(applicant, accepted):
    assert "Thu 12 March 2026, 23:59 Geneva time" in words_of(applicant.get(page("seat")))
    assert applicant.post(page("seat")).url == page("seat")
    application = fresh(accepted)
    assert (application.status, application.seat_answered_at) == ("confirmed", TUESDAY)
    assert "Your seat is confirmed" in words_of(applicant.get(page("seat")))
    letter = Letter.objects.get(kind="seat_confirmed")
    assert letter.subject == "Thank you for your answer"
    assert "/application/" in link_in(letter)
    for secret in ("Amina", accepted.state_call.state.name):
        assert secret not in message_of(letter).as_string()


def test_looking_confirms_nothing(applicant, accepted):
    applicant.get(page("seat"))
    assert fresh(accepted).status == "accepted"


def test_a_second_press_is_told_in_words_and_writes_no_second_letter(applicant, accepted):
    applicant.post(page("seat"))
    answer = applicant.post(page("seat"), follow=True)
    assert f"{accepted.reference} is already confirmed." in words_of(answer)
    assert Letter.objects.filter(kind="seat_confirmed").count() == 1
    assert [event.refused for event in Event.objects.about(accepted).filter(code="seat_confirmed")] == [False, True]


def test_after_the_date_it_is_late_and_still_taken(applicant, accepted, on_tuesday):
    at(on_tuesday, LATE - timedelta(seconds=1), applicant, accepted)
    assert "was to be confirmed by" not in words_of(applicant.get(page("seat")))
    at(on_tuesday, LATE, applicant, accepted)
    assert "was to be confirmed by Thu 12 March 2026, 23:59 Geneva time" in words_of(applicant.get(page("seat")))
    applicant.post(page("seat"))
    assert fresh(accepted).status == "confirmed"


@pytest.mark.parametrize(("moment", "status"), [(MEETING - timedelta(seconds=1), "confirmed"), (MEETING, "accepted")])
def test_the_meeting_is_the_end_of_it(applicant, accepted, on_tuesday, moment, status):
    at(on_tuesday, moment, applicant, accepted)
    answer = applicant.post(page("seat"), follow=True)
    assert fresh(accepted).status == status
    assert ("The meeting has begun or is over" in words_of(answer)) == (status == "accepted")


def test_a_meeting_that_is_called_off_says_so_and_asks_nothing(applicant, accepted):
    accepted.meeting.call_off("postponed", now=TUESDAY)
    words = words_of(applicant.get(page("seat")))
    assert "This meeting will not be held." in words
    assert "confirm the seat" not in words
    assert "This meeting will not be held." in words_of(applicant.post(page("seat"), follow=True))
    assert fresh(accepted).status == "accepted"
    assert Event.objects.about(accepted).get(code="seat_confirmed").refused


# --- Giving up --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["accepted", "confirmed"])
def test_a_seat_is_given_up_before_or_after_confirming_and_the_reason_stays_private(client, on_tuesday, status):
    application = ApplicationFactory(**{status: True})
    applicant = open_session(client, application)
    answer = applicant.post(page("give_up"), {"sure": "on", "reason": "We are being watched."}, follow=True)
    assert fresh(application).status == "released"
    assert "You have given up your seat" in words_of(answer)
    event = Event.objects.about(application).get(code="seat_given_up")
    assert event.reason.text == "We are being watched."
    letter = Letter.objects.get(kind="seat_given_up")
    assert letter.subject == "Thank you for your answer"
    assert "watched" not in message_of(letter).as_string()


def test_a_press_without_the_tick_gives_nothing_up_and_keeps_the_words(applicant, accepted):
    answer = applicant.post(page("give_up"), {"reason": "We are being watched."})
    assert "We are being watched." in words_of(answer)
    assert "Tick the box if you want to give up the seat." in words_of(answer)
    assert fresh(accepted).status == "accepted"


def test_with_the_seat_go_the_needs(accepted):
    seat.save_needs(accepted, {"badge": True, "accessibility": "A ramp"}, now=TUESDAY)
    assert Needs.objects.exists()
    seat.give_up(accepted, now=TUESDAY)
    assert not Needs.objects.exists()


def test_it_cannot_be_given_up_when_the_meeting_has_begun_and_what_was_typed_comes_back(
    applicant, accepted, on_tuesday
):
    at(on_tuesday, MEETING, applicant, accepted)
    answer = applicant.post(page("give_up"), {"sure": "on", "reason": "We are being watched."})
    assert answer.status_code == 410
    assert "We are being watched." in words_of(answer)
    assert fresh(accepted).status == "accepted"


def test_a_seat_that_is_offered_again_is_to_be_answered_again(accepted):
    """From the waiting list, after somebody else gave up; the second answer has a letter of its own."""
    application = ApplicationFactory(state_call=accepted.state_call, waitlisted=True)
    application.prepare("accept", by=StaffFactory(), now=TUESDAY)
    decisions.release(application.meeting, by=StaffFactory(), now=TUESDAY)
    application = fresh(application)
    assert application.confirm_by == LATE + timedelta(days=1)
    assert (application.seat_answered_at, application.cleared_at) == (None, None)


# --- Who may come here ------------------------------------------------------------------------------------------------

PAGES = [
    "seat",
    "give_up",
    "speaker_change",
    "needs",
    "passport",
    "visa_letter",
    "statement",
    "fact_sheet",
    "consent_again",
]


@pytest.mark.parametrize("status", ["submitted", "waitlisted", "declined", "withdrawn", "released"])
def test_who_has_no_seat_is_led_to_the_status_page_in_words(client, on_tuesday, status):
    application = ApplicationFactory(**{status: True} if status != "released" else {"accepted": True})
    if status == "released":
        seat.give_up(application, now=MONDAY)
    applicant = open_session(client, application)
    for name in PAGES:
        assert applicant.post(page(name), {"sure": "on"}).url == page("status"), name
        answer = applicant.get(page(name), follow=True)
        assert answer.redirect_chain == [(page("status"), 302)], name
        assert "That page is for applications with a seat." in words_of(answer), name
        assert fresh(application).status == status, name


@pytest.mark.parametrize("name", PAGES)
def test_without_a_session_nothing_is_shown(client, accepted, name):
    assert client.get(page(name)).status_code == 404
    assert client.post(page(name)).status_code == 404


def test_a_page_of_another_application_is_refused(applicant, accepted):
    answer = applicant.post(page("give_up"), {"sure": "on", "application": "AAAAA-BBBBB", "reason": "Ours alone."})
    assert answer.status_code == 409
    assert "Ours alone." in words_of(answer)
    assert fresh(accepted).status == "accepted"


@pytest.mark.parametrize("applications", [1, 4])
def test_the_page_costs_the_same_whoever_else_was_accepted(client, on_tuesday, applications, django_assert_num_queries):
    state_call = StateCallFactory()
    for _ in range(applications):
        application = ApplicationFactory(state_call=state_call, confirmed=True)
    applicant = open_session(client, application)
    applicant.get(page("seat"))
    with django_assert_num_queries(11):
        applicant.get(page("seat"))


# --- Two clicks at once -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_confirming_and_giving_up_at_once_one_wins_and_the_other_is_told():
    pk = ApplicationFactory(accepted=True).pk
    barrier, results = Barrier(2), []

    def click(step):
        application = Application.objects.with_state().get(pk=pk)
        barrier.wait()
        try:
            step(application, now=TUESDAY)
            results.append("done")
        except WrongStep as wrong:
            results.append(str(wrong))
        finally:
            connections.close_all()

    clicks = [Thread(target=click, args=[step]) for step in (seat.confirm, seat.confirm)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert sorted(results)[1:] == ["done"]
    assert "is already confirmed." in sorted(results)[0]
    assert Letter.objects.filter(kind="seat_confirmed").count() == 1


def test_a_moment_of_the_clock(accepted):
    assert not seat.is_late(accepted, datetime(2026, 3, 12, 23, 59, 59, tzinfo=GENEVA))
    assert seat.is_late(accepted, datetime(2026, 3, 13, 0, 0, tzinfo=GENEVA))
