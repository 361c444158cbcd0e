"""Decisions are prepared quietly, seen as each applicant will get them, and released together."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connections

from applications import assessments, decisions
from applications.models import Application, Assessment
from presessions.mail.models import Letter, PersonalLink
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.models import CountryMeeting
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.mail.letters import body_of, link_in

pytestmark = pytest.mark.django_db
TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
def staff(db):
    return StaffFactory()


@pytest.fixture
def state_call(db):
    return StateCallFactory()


def prepared(state_call, staff, decision, **facts):
    application = ApplicationFactory(state_call=state_call, submitted=True, **facts)
    application.prepare(decision, by=staff, now=MONDAY, reason="Four speakers say the same.")
    return application


def answers():
    return Letter.objects.filter(kind__startswith="decision_")


def test_preparing_tells_nobody(state_call, staff):
    prepared(state_call, staff, "accept")
    assert not answers().exists()
    assert Application.objects.get().status == "submitted"


def test_release_writes_one_letter_each_whose_subject_gives_nobody_away(state_call, staff):
    prepared(state_call, staff, "accept", organisation_name="Rights Now", full_name="Amina Canary")
    assert decisions.release(state_call.meeting, by=staff, now=TUESDAY) == 1
    letter = answers().get()
    assert (letter.subject, letter.due_at) == ("Your application to speak", TUESDAY)
    for secret in ("Rights Now", "Amina", state_call.state.name):
        assert secret not in body_of(letter)


@pytest.mark.parametrize(
    ("decision", "status", "kind", "says"),
    [
        ("accept", "accepted", "decision_accepted", "has been accepted"),
        ("waitlist", "waitlisted", "decision_waitlisted", "on the waiting list"),
        ("decline", "declined", "decision_declined", "cannot offer you a seat"),
    ],
)
def test_each_decision_has_its_status_and_its_words(state_call, staff, decision, status, kind, says):
    application = prepared(state_call, staff, decision)
    decisions.release(state_call.meeting, by=staff, now=TUESDAY)
    application.refresh_from_db()
    assert (application.status, application.prepared, application.released_at) == (status, "", TUESDAY)
    letter = answers().get()
    assert letter.kind == kind
    assert says in body_of(letter)
    assert "/application/" in link_in(letter)
    assert application.reference in body_of(letter)


def test_the_letter_is_in_the_applicants_language(state_call, staff):
    prepared(state_call, staff, "accept", language="fr")
    decisions.release(state_call.meeting, by=staff, now=TUESDAY)
    assert answers().get().language == "fr"
    assert "/fr/" in link_in(answers().get())


def test_all_of_a_meeting_go_together_and_no_other_meeting(state_call, staff):
    for decision in ("accept", "waitlist", "decline"):
        prepared(state_call, staff, decision)
    other = prepared(StateCallFactory(), staff, "accept")
    left = ApplicationFactory(state_call=state_call, submitted=True)
    assert decisions.release(state_call.meeting, by=staff, now=TUESDAY) == 3
    assert answers().count() == 3
    for application in (other, left):
        application.refresh_from_db()
        assert application.status == "submitted"


def test_a_failure_in_the_middle_releases_nobody(state_call, staff, monkeypatch):
    prepared(state_call, staff, "accept")
    prepared(state_call, staff, "decline")
    real = decisions.outbox.put
    calls = []

    def breaks_at_the_second(**letter):
        calls.append(letter)
        if len(calls) == 2:
            raise RuntimeError("the disk is full")
        return real(**letter)

    monkeypatch.setattr(decisions.outbox, "put", breaks_at_the_second)
    with pytest.raises(RuntimeError):
        decisions.release(state_call.meeting, by=staff, now=TUESDAY)
    assert not answers().exists()
    assert set(Application.objects.values_list("status", flat=True)) == {"submitted"}
    assert not Event.objects.filter(code="decisions_released").exists()


def test_nothing_prepared_is_refused_in_words_and_noted(state_call, staff):
    ApplicationFactory(state_call=state_call, submitted=True)
    with pytest.raises(WrongStep, match="No answer is prepared"):
        decisions.release(state_call.meeting, by=staff, now=TUESDAY)
    assert Event.objects.about(state_call.meeting).get(code="decisions_released").refused


def test_release_says_who_and_when_of_every_answer(state_call, staff):
    application = prepared(state_call, staff, "decline")
    decisions.release(state_call.meeting, by=staff, now=TUESDAY)
    codes = Event.objects.about(application).values_list("code", "staff_id", "at", "refused")
    assert ("prepared_decline", staff.pk, MONDAY, False) in codes
    assert ("released_decline", staff.pk, TUESDAY, False) in codes
    assert Event.objects.about(application).get(code="prepared_decline").reason.text == "Four speakers say the same."


def test_a_released_answer_cannot_be_prepared_again(state_call, staff):
    application = prepared(state_call, staff, "decline")
    decisions.release(state_call.meeting, by=staff, now=TUESDAY)
    with pytest.raises(WrongStep, match="already declined"):
        application.prepare("accept", by=staff, now=TUESDAY)


def test_the_waiting_list_may_still_hear_good_news(state_call, staff):
    application = prepared(state_call, staff, "waitlist")
    decisions.release(state_call.meeting, by=staff, now=TUESDAY)
    application.prepare("accept", by=staff, now=TUESDAY)
    decisions.release(state_call.meeting, by=staff, now=TUESDAY + timedelta(days=1))
    application.refresh_from_db()
    assert application.status == "accepted"
    assert list(answers().order_by("pk").values_list("kind", flat=True)) == ["decision_waitlisted", "decision_accepted"]


def test_who_withdrew_meanwhile_gets_no_answer(state_call, staff):
    application = prepared(state_call, staff, "accept")
    application.withdraw(now=MONDAY)
    assert decisions.preview(state_call.meeting, now=MONDAY) == []
    with pytest.raises(WrongStep):
        decisions.release(state_call.meeting, by=staff, now=TUESDAY)
    application.refresh_from_db()
    assert application.status == "withdrawn"


def test_what_changed_since_it_was_seen_is_not_released(state_call, staff):
    application = prepared(state_call, staff, "accept")
    seen = {preview.seen for preview in decisions.preview(state_call.meeting, now=MONDAY)}
    application.prepare("decline", by=staff, now=MONDAY)
    with pytest.raises(WrongStep, match="have changed"):
        decisions.release(state_call.meeting, by=staff, now=TUESDAY, seen=seen)
    assert not answers().exists()


def test_nobody_is_accepted_for_a_meeting_that_does_not_take_place(state_call, staff):
    application = prepared(state_call, staff, "accept")
    state_call.meeting.call_off(CountryMeeting.NotHeld.TOO_FEW, now=MONDAY, by=staff)
    with pytest.raises(WrongStep, match="does not take place"):
        decisions.release(state_call.meeting, by=staff, now=TUESDAY)
    application.prepare("decline", by=staff, now=MONDAY)
    assert decisions.release(state_call.meeting, by=staff, now=TUESDAY) == 1


def test_a_broken_address_fails_its_own_letter_and_nobody_elses(state_call, staff):
    broken = prepared(state_call, staff, "accept")
    Application.objects.filter(pk=broken.pk).update(email="nobody@[127.0.0.1]")
    prepared(state_call, staff, "accept")
    assert decisions.release(state_call.meeting, by=staff, now=TUESDAY) == 2
    assert sorted(answers().values_list("state", flat=True)) == ["failed", "pending"]


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_write_one_letter(staff, state_call):
    prepared(state_call, staff, "accept")
    outcomes, start = [], Barrier(2)

    def click():
        start.wait()
        try:
            outcomes.append(decisions.release(state_call.meeting, by=staff, now=TUESDAY))
        except WrongStep:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == ["1", "refused"]
    assert answers().count() == 1


def test_a_preview_shows_the_words_and_writes_nothing(state_call, staff):
    prepared(state_call, staff, "accept", language="fr")
    prepared(state_call, staff, "decline")
    before = Letter.objects.count(), PersonalLink.objects.count(), Event.objects.count()
    previews = decisions.preview(state_call.meeting, now=MONDAY)
    assert [(preview.decision, preview.application.language) for preview in previews] == [
        ("accept", "fr"),
        ("decline", "en"),
    ]
    assert "cannot offer you a seat" in previews[1].text.body
    assert "[struck out]" in previews[1].text.body
    assert (Letter.objects.count(), PersonalLink.objects.count(), Event.objects.count()) == before


def test_release_costs_the_same_queries_for_each_answer(state_call, staff, django_assert_max_num_queries):
    for _ in range(4):
        prepared(state_call, staff, "accept")
    with django_assert_max_num_queries(12 + 4 * 14):
        decisions.release(state_call.meeting, by=staff, now=TUESDAY)


def test_a_series_cannot_be_closed_while_anybody_waits(state_call, staff):
    application = prepared(state_call, staff, "accept")
    series = state_call.series
    assert list(decisions.undecided(series)) == [application]
    with pytest.raises(WrongStep, match="1 applicant is still"):
        decisions.refuse_undecided(series)
    decisions.release(state_call.meeting, by=staff, now=TUESDAY)
    decisions.refuse_undecided(series)


# --- Assessments -----------------------------------------------------------------------------------------------------


VIEW = {
    "national_voice": 3,
    "follow_up": 2,
    "recommendations": 1,
    "new_theme": 0,
    "overall": "strong",
    "note": "Clear.",
}


def test_others_are_hidden_until_mine_is_saved(state_call, staff):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    colleague = StaffFactory()
    assessments.assess(application, by=colleague, now=MONDAY, **VIEW)
    assert assessments.visible_to(staff, application) == []
    assessments.assess(application, by=staff, now=MONDAY, **VIEW)
    assert [row.by for row in assessments.visible_to(staff, application)] == [colleague, staff]


def test_a_second_view_of_mine_takes_the_place_of_the_first(state_call, staff):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    assessments.assess(application, by=staff, now=MONDAY, **VIEW)
    assessments.assess(application, by=staff, now=TUESDAY, **VIEW | {"overall": "weak"})
    row = Assessment.objects.get()
    assert (row.overall, row.saved_at) == ("weak", TUESDAY)
    assert Event.objects.about(application).filter(code="assessed").count() == 2


def test_who_abstains_gives_no_view(state_call, staff):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    assessments.assess(application, by=staff, now=MONDAY, **VIEW, abstained=True)
    row = Assessment.objects.get()
    assert (row.abstained, row.overall, row.note, row.national_voice) == (True, "", "", None)


@pytest.mark.parametrize("facts", [{}, {"submitted": True, "withdrawn": True}, {"declined": True}])
def test_what_is_not_there_to_be_assessed_is_refused_and_noted(state_call, staff, facts):
    application = ApplicationFactory(state_call=state_call, **facts)
    with pytest.raises(WrongStep, match="cannot be assessed"):
        assessments.assess(application, by=staff, now=MONDAY, **VIEW)
    assert not Assessment.objects.exists()
    assert Event.objects.about(application).get(code="assessed").refused
