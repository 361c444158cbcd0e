"""Staff ask for more: the sections they name are open until a date, for that applicant alone, and nothing else is."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from applications import asking, assessments, decisions, erasure, rules
from applications.models import Application, InformationRequest
from presessions.mail.models import Letter
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from tests.accounts.factories import StaffFactory
from tests.applications.factories import CLOSES_AT, MONDAY, ApplicationFactory, StateCallFactory, answers
from tests.applications.seats import open_session, words_of
from tests.applications.test_journey import posted
from tests.mail.letters import body_of, link_in

pytestmark = pytest.mark.django_db

AFTER = CLOSES_AT + timedelta(days=2)
UNTIL = AFTER + timedelta(days=5)  # the first instant too late
SECOND = timedelta(seconds=1)
SECTIONS = ("issues", "recommendations")


@pytest.fixture
def staff(db):
    return StaffFactory()


@pytest.fixture
def application(db):
    return ApplicationFactory(submitted=True)


def ask(application, staff, **changed):
    facts = {"sections": SECTIONS, "words": "Which prisons do you visit?", "until": UNTIL, "now": AFTER} | changed
    return asking.ask(application, by=staff, **facts)


def saved(application, section, moment):
    """The status of the answer when that section is saved at that moment, by who opens the page then."""
    with time_machine.travel(moment, tick=False):
        client = open_session(Client(), application)
        facts = posted(answers(issues="New words.").get(section, {})) | {"save": "1"}
        return client.post(reverse("applications:section", args=[section]), facts).status_code


# --- What is open, and until when ------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", [name for name in rules.SECTIONS if name not in ("safety", "file")])
def test_only_the_sections_that_were_named_are_open(application, staff, section):
    ask(application, staff)
    assert saved(application, section, AFTER) == (302 if section in SECTIONS else 410)


@pytest.mark.parametrize(("moment", "status"), [(UNTIL - SECOND, 302), (UNTIL, 410)])
def test_they_close_on_the_second(application, staff, moment, status):
    ask(application, staff)
    assert saved(application, "issues", moment) == status


@pytest.mark.parametrize(
    ("opened", "sent", "taken"),
    [(-SECOND, timedelta(minutes=59), True), (-SECOND, timedelta(hours=1), False), (SECOND * 0, SECOND, False)],
)
def test_who_had_opened_the_form_has_an_hour_more(application, staff, opened, sent, taken):
    ask(application, staff)
    application.opened_at = UNTIL + opened
    assert application.can_change(UNTIL + sent, "issues") is taken
    try:
        application.save_section("issues", answers(issues="Slow line.")["issues"], now=UNTIL + sent)
    except WrongStep:
        assert not taken
    else:
        assert taken
    assert not Application.objects.get().in_grace  # the application itself came in time


def test_a_file_is_taken_where_it_was_asked_for_and_nowhere_else(staff):
    asked, other = ApplicationFactory(submitted=True), ApplicationFactory(submitted=True)
    ask(asked, staff, sections=["file"])
    ask(other, staff, sections=["issues"])
    assert asked.can_send_file(AFTER)
    assert not asked.can_send_file(UNTIL)
    assert not other.can_send_file(AFTER)


def test_page_and_guard_say_the_same(application, staff):
    ask(application, staff)
    for moment in (AFTER, UNTIL - SECOND, UNTIL):
        for section in rules.SECTIONS:
            guard = Application.objects.asked_about(section, moment).filter(pk=application.pk).exists()
            assert guard is (section in application.asked_about(moment)), (section, moment)


def test_nothing_is_open_any_more_once_the_answer_is_released(application, staff):
    ask(application, staff)
    application.prepare("waitlist", by=staff, now=AFTER)
    decisions.release(application.meeting, by=staff, now=AFTER)
    application.refresh_from_db()
    assert not application.can_change(AFTER, "issues")
    assert InformationRequest.objects.get().ended_at == AFTER


def test_nor_for_a_meeting_that_is_called_off(application, staff):
    ask(application, staff)
    application.meeting.call_off("too_few", now=AFTER, by=staff)
    assert saved(application, "issues", AFTER) == 410


# --- The letter, and the applicant's page ----------------------------------------------------------------------------


def test_the_letter_says_until_when_and_not_what(application, staff):
    ask(application, staff)
    letter = Letter.objects.get(kind="more_information")
    assert "until Sun 29 March 2026, 23:59 Geneva time" in body_of(letter)
    assert application.reference in body_of(letter)
    assert "prisons" not in letter.subject + body_of(letter)
    assert "/application/" in link_in(letter)


def test_a_letter_that_waits_does_not_leave_once_the_question_is_taken_back(application, staff):
    from applications.mailings import still_an_application

    ask(application, staff)
    letter = Letter.objects.get(kind="more_information")
    assert still_an_application(letter)
    asking.take_back(application, by=staff, now=AFTER)
    assert not still_an_application(letter)


def test_the_page_shows_what_is_asked_and_leads_there(application, staff):
    ask(application, staff)
    with time_machine.travel(AFTER, tick=False):
        client = open_session(Client(), application)
        status = words_of(client.get(reverse("applications:status")))
        check = words_of(client.get(reverse("applications:check")))
    assert "Which prisons do you visit?" in status
    for section in SECTIONS:
        assert reverse("applications:section", args=[section]) in status
        assert f"{reverse('applications:section', args=[section])}?then=check" in check
    assert f"{reverse('applications:section', args=['speaker'])}?then=check" not in check


def test_one_button_answers_and_everything_is_read_only_again(application, staff):
    ask(application, staff)
    with time_machine.travel(AFTER, tick=False):
        client = open_session(Client(), application)
        client.post(reverse("applications:more_given"))
        status = words_of(client.get(reverse("applications:status")))
    assert "Which prisons" not in status
    assert "Thank you" in status
    assert saved(application, "issues", AFTER) == 410
    assert InformationRequest.objects.get().answered_at == AFTER


def test_pressed_twice_it_is_answered_once_and_says_so(application, staff):
    ask(application, staff)
    asking.answer(application, now=AFTER)
    with pytest.raises(WrongStep, match="no open question"):
        asking.answer(application, now=AFTER + SECOND)
    assert list(Event.objects.about(application).filter(code="more_given").values_list("refused", flat=True)) == [
        False,
        True,
    ]


def test_everything_we_hold_has_the_question_in_it(application, staff):
    from applications import everything

    ask(application, staff)
    found = everything.gathered(application, now=AFTER)
    assert found["requests"][0]["words"] == "Which prisons do you visit?"
    assert "Sun 29 March 2026, 23:59" in everything.page(application, found)


def test_erased_it_is_gone(application, staff):
    ask(application, staff)
    erasure.erase(application, now=AFTER)
    assert not InformationRequest.objects.exists()


# --- What staff cannot ask -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"sections": []}, "Choose at least one section"),
        ({"sections": ["safety"]}, "Choose at least one section"),
        ({"words": "  "}, "write what you ask for"),
        ({"until": AFTER}, "in the past"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words_and_noted(application, staff, changed, says):
    with pytest.raises(WrongStep, match=says):
        ask(application, staff, **changed)
    assert not InformationRequest.objects.exists()
    assert not Letter.objects.filter(kind="more_information").exists()
    assert Event.objects.about(application).get(code="more_asked").refused


def test_not_until_after_the_meeting_has_begun(application, staff):
    meeting = application.meeting
    meeting.reschedule(now=MONDAY, by=staff, starts_at=AFTER + timedelta(days=3))
    application = Application.objects.with_state().get()
    with pytest.raises(WrongStep, match="begun by then"):
        ask(application, staff)


def test_one_question_at_a_time_and_a_lapsed_one_makes_room(application, staff):
    ask(application, staff)
    with pytest.raises(WrongStep, match="already"):
        ask(application, staff)
    assert Letter.objects.filter(kind="more_information").count() == 1
    ask(application, staff, now=UNTIL, until=UNTIL + timedelta(days=1))
    assert Letter.objects.filter(kind="more_information").count() == 2
    assert InformationRequest.objects.filter(ended_at=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_ask_at_once_one_is_told_that_somebody_else_has(staff):
    application, outcomes, start = ApplicationFactory(submitted=True), [], Barrier(2)

    def press():
        start.wait()
        try:
            ask(Application.objects.with_state().get(pk=application.pk), staff)
            outcomes.append("asked")
        except WrongStep:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["asked", "refused"]
    assert Letter.objects.filter(kind="more_information").count() == 1
    told = Event.objects.about(application).filter(code="more_asked").values_list("refused", flat=True)
    assert sorted(told) == [False, True]


@pytest.mark.parametrize("facts", [{}, {"declined": True}, {"accepted": True}, {"submitted": True, "withdrawn": True}])
def test_only_who_waits_for_an_answer_is_asked(staff, facts):
    application = ApplicationFactory(**facts)
    with pytest.raises(WrongStep, match="already"):
        ask(application, staff)
    assert Event.objects.about(application).get(code="more_asked").refused


# --- For the lists of staff ------------------------------------------------------------------------------------------


def test_staff_see_who_was_asked_and_who_is_to_be_read_again(staff):
    state_call = StateCallFactory()
    open_one, answered, lapsed, seen, plain = (
        ApplicationFactory(state_call=state_call, submitted=True) for _ in range(5)
    )
    later = AFTER + timedelta(days=1)
    for one in (open_one, answered, seen):
        ask(one, staff)
    ask(lapsed, staff, until=AFTER + SECOND)
    for one in (answered, seen):
        asking.answer(one, now=AFTER + SECOND)
    assessments.assess(seen, by=staff, now=later, overall="strong", note="")
    everything = Application.objects.all()
    assert set(asking.waiting(everything, later)) == {open_one}
    assert set(asking.to_read_again(everything, later)) == {answered, lapsed}
    answered.prepare("decline", by=staff, now=later, reason="Still nothing.")
    assert set(asking.to_read_again(everything, later)) == {lapsed}
    assert plain not in asking.to_read_again(everything, timezone.now())
