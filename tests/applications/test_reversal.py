"""A released answer is changed: with a reason, a letter that says so, and everything that hung on the old one."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from applications import reversal, seat
from applications.models import Application, Needs, Panel, Seat
from presessions.mail.models import Letter
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory
from tests.applications.seats import open_session, words_of
from tests.mail.letters import body_of

pytestmark = pytest.mark.django_db
TUESDAY = MONDAY + timedelta(days=1)
WHY = "The NHRI comes after all."


@pytest.fixture
def staff(db):
    return StaffFactory()


def reverse_to(application, decision, staff, **changed):
    facts = {"seen": application.status, "reason": WHY, "now": TUESDAY} | changed
    reversal.reverse(application, decision, by=staff, **facts)
    application.refresh_from_db()


def given_up():
    application = ApplicationFactory(accepted=True)
    seat.give_up(application, now=MONDAY + timedelta(hours=1))
    return application


CHANGES = [
    ({"accepted": True}, "decline", "declined", "answer_changed_declined", "We have to take that back"),
    ({"confirmed": True}, "decline", "declined", "answer_changed_declined", "We have to take that back"),
    ({"accepted": True}, "waitlist", "waitlisted", "answer_changed_waitlisted", "the seat is not yours any more"),
    ({"declined": True}, "accept", "accepted", "answer_changed_accepted", "no longer holds"),
    ({"declined": True}, "waitlist", "waitlisted", "decision_waitlisted", "you are on the waiting list"),
]


@pytest.mark.parametrize(("facts", "decision", "status", "kind", "says"), CHANGES)
def test_each_change_has_its_status_and_a_letter_that_is_honest_about_it(staff, facts, decision, status, kind, says):
    application = ApplicationFactory(**facts)
    reverse_to(application, decision, staff)
    assert (application.status, application.released_at, application.prepared) == (status, TUESDAY, "")
    letter = Letter.objects.order_by("pk").last()
    assert letter.kind == kind
    assert says in body_of(letter)
    assert application.reference in body_of(letter)
    assert WHY not in body_of(letter)
    event = Event.objects.about(application).get(code=f"reversed_{decision}")
    assert (event.staff_id, event.reason.text, event.refused) == (staff.pk, WHY, False)


def test_a_seat_that_was_given_up_by_mistake_is_offered_again(staff):
    application = given_up()
    reverse_to(application, "accept", staff)
    assert application.status == "accepted"
    assert application.confirm_by == seat.confirm_by(Application.objects.with_state().get(), TUESDAY)
    assert application.seat_answered_at is None


def test_who_loses_the_seat_has_no_place_on_the_panel_and_no_passport_with_us(staff):
    application = ApplicationFactory(confirmed=True)
    seat.save_needs(application, {"visa_letter": True, "badge": False}, now=MONDAY + timedelta(hours=1))
    panel = Panel.objects.create(meeting=application.meeting, version=1)
    Seat.objects.create(panel=panel, application=application, place="panel", position=1, minutes=6)
    reverse_to(application, "decline", staff)
    assert not Needs.objects.exists()
    assert not Seat.objects.exists()
    assert application.cleared_items() == set()


def test_the_old_answer_does_not_leave_any_more(staff):
    from applications.mailings import still_an_application

    application = ApplicationFactory(accepted=True)
    old = Letter.objects.get(kind="decision_accepted")
    assert still_an_application(old)
    reverse_to(application, "decline", staff)
    assert not still_an_application(old)
    assert still_an_application(Letter.objects.get(kind="answer_changed_declined"))


@pytest.mark.parametrize("facts", [{"submitted": True}, {"waitlisted": True}, {"accepted": True, "withdrawn": True}])
@pytest.mark.parametrize("decision", ["accept", "decline"])
def test_what_is_not_ours_to_change_is_refused_and_noted(staff, facts, decision):
    application = ApplicationFactory(**facts)
    with pytest.raises(WrongStep, match="cannot be changed"):
        reverse_to(application, decision, staff)
    assert Event.objects.about(application).get(code=f"reversed_{decision}").refused


def test_without_a_reason_nothing_changes(staff):
    application = ApplicationFactory(accepted=True)
    with pytest.raises(WrongStep, match="say why"):
        reverse_to(application, "decline", staff, reason="  ")
    assert Application.objects.get().status == "accepted"
    assert not Letter.objects.filter(kind__startswith="answer_changed").exists()


def test_who_confirmed_since_the_page_was_shown_is_not_turned_away_unseen(staff):
    application = ApplicationFactory(accepted=True)
    seat.confirm(Application.objects.with_state().get(), now=MONDAY + timedelta(hours=1))
    with pytest.raises(WrongStep, match="already confirmed"):
        reversal.reverse(application, "decline", seen="accepted", reason=WHY, by=staff, now=TUESDAY)
    assert Application.objects.get().status == "confirmed"
    assert [event.refused for event in Event.objects.about(application).filter(code="reversed_decline")] == [True]


def test_nothing_changes_any_more_once_the_meeting_has_begun(staff):
    application = ApplicationFactory(accepted=True)
    application.meeting.reschedule(now=MONDAY, by=staff, starts_at=TUESDAY)
    with pytest.raises(WrongStep, match="has begun or is over"):
        reverse_to(Application.objects.with_state().get(), "decline", staff)


def test_a_preview_is_the_letter_and_writes_nothing(staff):
    application = ApplicationFactory(accepted=True, language="fr")
    before = Letter.objects.count(), Event.objects.count()
    text = reversal.preview(Application.objects.with_state().get(), "decline", now=TUESDAY)
    assert application.reference in text.body
    assert (Letter.objects.count(), Event.objects.count()) == before


def test_the_applicants_page_says_that_the_answer_has_changed(staff):
    application = ApplicationFactory(accepted=True)
    page = reverse("applications:status")
    assert "Our answer has changed" not in words_of(open_session(Client(), application).get(page))
    reverse_to(application, "decline", staff)
    shown = words_of(open_session(Client(), application).get(page))
    assert "Our answer has changed, Tue 3 March 2026, 10:00" in shown
    assert "There were more applications than seats" not in shown
    reverse_to(application, "accept", staff, now=TUESDAY + timedelta(hours=1))
    assert "Our answer has changed, Tue 3 March 2026, 11:00" in words_of(open_session(Client(), application).get(page))
