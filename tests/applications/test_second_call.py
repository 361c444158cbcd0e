"""States with too few applications: seen in time, and a second call proposed to those who asked about that State."""

from datetime import date, timedelta

import pytest
import time_machine
from django.urls import reverse

from applications import thin
from applications.mailings import second_call
from applications.models import Call, StateCall
from presessions.mail import corrections, schedule, steering
from presessions.mail.models import Alarm, Letter, Mailing
from presessions.upr.dates import geneva
from tests.accounts.factories import StaffFactory
from tests.applications.factories import ApplicationFactory, ContactFactory, StateCallFactory
from tests.mail.letters import body_of, message_of
from tests.upr.factories import CountryMeetingFactory, SeriesFactory, StateFactory

pytestmark = pytest.mark.django_db

SET_UP = geneva(date(2026, 1, 5), 10)
CALL_DUE = geneva(date(2026, 2, 4), 9)
CLOSES_AT = geneva(date(2026, 3, 23))  # until 22 March, 23:59
THREE_WEEKS = geneva(date(2026, 3, 1))  # 21 days before 22 March
ONE_WEEK = geneva(date(2026, 3, 15))
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(SET_UP, tick=False) as clock:
        yield clock


@pytest.fixture
def staff():
    return StaffFactory()


@pytest.fixture
def kenya():
    """The call of Kenya and Türkiye has reached its contacts; Türkiye has enough applications, Kenya none."""
    series = SeriesFactory()
    kenya, turkey = (CountryMeetingFactory(series=series, state=StateFactory(iso2=code)) for code in ("KE", "TR"))
    elsewhere = StateCallFactory(meeting=turkey, call_closes_at=CLOSES_AT, now=SET_UP)
    state_call = StateCallFactory(meeting=kenya, call_closes_at=CLOSES_AT, now=SET_UP)
    for name, states in {"all": [], "kenya": ["KE"], "turkiye": ["TR"]}.items():
        ContactFactory(email=f"{name}@example.org", now=SET_UP, states=[StateFactory(iso2=one) for one in states])
    arrive(CALL_DUE)
    for _ in range(3):
        ApplicationFactory(state_call=elsewhere, submitted=True, now=CALL_DUE)
    return state_call


def arrive(now):
    """What is due is written, and arrives."""
    schedule.write_due(now)
    Letter.objects.filter(state="pending").update(state="sent", sent_at=now, created_at=now)


def proposals():
    return list(Mailing.objects.with_series().filter(kind="second_call", state="held", held_reason="proposed"))


def letters():
    return sorted(letter.to for letter in Letter.objects.filter(kind="second_call"))


def let_go(staff, now):
    for one in proposals():
        one.resume(by=staff, now=now)
    arrive(now)


def names(found):
    return sorted(one.state.pk for one in found)


# --- Which are thin ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "found"), [(THREE_WEEKS - SECOND, []), (THREE_WEEKS, ["KE"]), (CLOSES_AT + timedelta(days=3), ["KE"])]
)
def test_a_state_is_thin_from_three_weeks_before_its_deadline_on(kenya, now, found):
    assert names(thin.thin(StateCall.objects.with_state(), now)) == found


def test_whoever_took_it_back_or_has_not_sent_it_does_not_count(kenya):
    for _ in range(2):
        ApplicationFactory(state_call=kenya, submitted=True, now=CALL_DUE)
    ApplicationFactory(state_call=kenya, withdrawn=True, now=CALL_DUE)
    ApplicationFactory(state_call=kenya, now=CALL_DUE)
    (found,) = thin.thin(StateCall.objects.with_state(), THREE_WEEKS)
    assert found.application_count == 2
    ApplicationFactory(state_call=kenya, submitted=True, now=CALL_DUE)
    assert not thin.thin(StateCall.objects.with_state(), THREE_WEEKS).exists()


def test_the_minimum_is_that_of_the_call_and_the_deadline_the_state_s_own(kenya):
    Call.objects.update(minimum=4)
    assert names(thin.thin(StateCall.objects.with_state(), THREE_WEEKS)) == ["KE", "TR"]
    kenya.extend(CLOSES_AT + timedelta(days=1), now=SET_UP, reason="Floods.")
    assert names(thin.thin(StateCall.objects.with_state(), THREE_WEEKS)) == ["TR"]


def test_a_meeting_that_is_called_off_or_has_begun_needs_nobody(kenya):
    assert not thin.thin(StateCall.objects.with_state(), kenya.meeting.starts_at).exists()
    kenya.meeting.call_off("too_few", now=THREE_WEEKS)
    assert not thin.thin(StateCall.objects.with_state(), THREE_WEEKS).exists()


# --- The second call --------------------------------------------------------------------------------------------------


def test_it_is_proposed_three_weeks_before_the_deadline_and_waits_for_staff(kenya, staff):
    second_call.look(THREE_WEEKS - SECOND)
    assert proposals() == []
    second_call.look(THREE_WEEKS)
    (proposal,) = proposals()
    assert proposal.meeting == kenya.meeting
    arrive(THREE_WEEKS + timedelta(hours=1))
    assert letters() == []
    let_go(staff, THREE_WEEKS + timedelta(hours=2))
    assert letters() == ["kenya@example.org"]


def test_it_tells_the_last_minute_and_not_how_many_have_applied_and_how_to_leave(kenya, staff):
    ApplicationFactory(state_call=kenya, submitted=True, now=CALL_DUE)
    second_call.look(THREE_WEEKS)
    let_go(staff, THREE_WEEKS)
    letter = Letter.objects.get(kind="second_call")
    assert letter.subject == "Still open: applications for the Pre-sessions 54"
    assert "- Kenya: Sun 22 March 2026, 23:59 Geneva time" in body_of(letter)
    assert "few" not in body_of(letter) and "Türkiye" not in body_of(letter)
    assert message_of(letter)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_staff_read_why_it_is_proposed(kenya):
    second_call.look(THREE_WEEKS)
    (proposal,) = proposals()
    assert schedule.explain(proposal, count=1) == (
        "Kenya has 0 of 3 applications; its deadline: Sun 22 March 2026, 23:59 Geneva time. "
        "Let it go, and it is sent to 1 contact."
    )


def test_looking_again_proposes_nothing_new_until_one_week_before(kenya, staff):
    for hours in range(3):
        second_call.look(THREE_WEEKS + timedelta(hours=hours))
    let_go(staff, THREE_WEEKS + timedelta(hours=3))
    second_call.look(ONE_WEEK - SECOND)
    assert proposals() == []
    second_call.look(ONE_WEEK)
    second_call.look(ONE_WEEK + SECOND)
    (again,) = proposals()
    assert again.step == "2"


def test_what_staff_have_refused_is_asked_once_more_and_no_third_time(kenya, staff):
    for day in (THREE_WEEKS, ONE_WEEK):
        second_call.look(day)
        (proposal,) = proposals()
        proposal.cancel(by=staff, now=day + SECOND)
    second_call.look(ONE_WEEK + timedelta(days=1))
    assert proposals() == []


def test_whoever_has_applied_or_begun_is_not_asked(kenya, staff):
    ApplicationFactory(state_call=kenya, email="kenya@example.org", complete=False, now=CALL_DUE)
    second_call.look(THREE_WEEKS)
    assert proposals() == []  # there is nobody to write to


def test_it_is_taken_back_when_enough_have_applied(kenya):
    second_call.look(THREE_WEEKS)
    for _ in range(3):
        ApplicationFactory(state_call=kenya, submitted=True, now=THREE_WEEKS)
    second_call.look(THREE_WEEKS + SECOND)
    assert proposals() == []
    assert Mailing.objects.get(kind="second_call").state == "not_needed"


def test_what_staff_have_let_go_is_not_taken_back(kenya, staff):
    second_call.look(THREE_WEEKS)
    (proposal,) = proposals()
    corrections.take_back(proposal, now=THREE_WEEKS)  # a page that was looked at long ago
    proposal.refresh_from_db()
    assert proposal.state == "not_needed"
    Mailing.objects.filter(pk=proposal.pk).update(state="planned", held_reason="")
    corrections.take_back(proposal, now=THREE_WEEKS)
    proposal.refresh_from_db()
    assert proposal.state == "planned"


def test_it_is_taken_back_when_the_meeting_is_called_off(kenya):
    second_call.look(THREE_WEEKS)
    kenya.meeting.call_off("postponed", now=THREE_WEEKS + SECOND)
    assert proposals() == []


def test_it_is_no_alarm_that_it_waits(kenya):
    second_call.look(THREE_WEEKS)
    steering.sound_alarms(THREE_WEEKS + timedelta(days=14))
    assert not Alarm.objects.exists()


def test_its_page_says_that_no_date_changed(kenya, staff, client):
    second_call.look(THREE_WEEKS)
    (proposal,) = proposals()
    client.force_login(staff)
    page = client.get(reverse("admin:mail_mailing_change", args=[proposal.pk])).content.decode()
    assert "roposed by the clock; no date changed" in page
    assert "See the mailing that it follows" in page


def test_before_the_call_itself_has_gone_there_is_no_second_one(kenya):
    Mailing.objects.filter(kind="call").update(state="planned", told=None, writing_at=None)
    second_call.look(THREE_WEEKS)
    assert proposals() == []


# --- Beside a change of dates -----------------------------------------------------------------------------------------


def corrected():
    """What an open correction of the call would tell: {State: the date told before}."""
    for one in Mailing.objects.with_series().filter(kind="correction_call", held_reason="proposed"):
        was = corrections.changes(one, one.due_at)
        return {call.state.pk for call in StateCall.objects.with_state() if call.meeting.uid in was}
    return set()


@pytest.mark.parametrize("refused", [False, True])
def test_a_second_call_that_was_not_sent_keeps_nobody_from_being_told_another_date(kenya, staff, refused):
    second_call.look(THREE_WEEKS)
    if refused:
        proposals()[0].cancel(by=staff, now=THREE_WEEKS)
    kenya.call.move_deadline(CLOSES_AT - timedelta(days=2), now=THREE_WEEKS + SECOND, by=staff)
    assert corrected() == {"KE", "TR"}


def test_it_tells_the_date_of_the_day_on_which_it_goes(kenya, staff):
    second_call.look(THREE_WEEKS)
    kenya.call.move_deadline(CLOSES_AT - timedelta(days=2), now=THREE_WEEKS + SECOND, by=staff)
    let_go(staff, THREE_WEEKS + timedelta(hours=1))
    assert "- Kenya: Fri 20 March 2026, 23:59 Geneva time" in body_of(Letter.objects.get(kind="second_call"))
