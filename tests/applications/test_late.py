"""One applicant alone has more time: to the second, with a reason, and nobody else."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from applications import decisions, late, rules
from applications.models import Application, Closed
from presessions.mail.models import Letter
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from tests.accounts.factories import StaffFactory
from tests.applications.factories import CLOSES_AT, MONDAY, OPENS_AT, ApplicationFactory, StateCallFactory
from tests.applications.seats import open_session, words_of
from tests.mail.letters import body_of, link_in
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

AFTER = CLOSES_AT + timedelta(days=2)
UNTIL = AFTER + timedelta(days=3)  # the first instant too late
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.fixture
def staff(db):
    return StaffFactory()


@pytest.fixture
def draft(db):
    return ApplicationFactory()


def allow(application, staff, **changed):
    late.allow(application, by=staff, **{"until": UNTIL, "reason": "No power for a week.", "now": AFTER} | changed)


def begin(state_call, staff, **changed):
    facts = {"email": "late@example.org", "language": "fr", "until": UNTIL, "reason": "Arrested.", "now": AFTER}
    return late.begin(state_call, by=staff, **facts | changed)


# --- Until when ------------------------------------------------------------------------------------------------------

TABLE = [  # when the form was opened and when it is sent, after the last instant; is it taken, and marked
    (None, -SECOND, "in time"),
    (None, SECOND * 0, "too late"),
    (-SECOND, SECOND * 0, "in grace"),
    (-SECOND, HOUR - SECOND, "in grace"),
    (-SECOND, HOUR, "too late"),
    (SECOND * 0, SECOND * 0, "too late"),
    (SECOND * 0, HOUR - SECOND, "too late"),
]


@pytest.mark.parametrize(("opened", "sent", "verdict"), TABLE)
def test_it_closes_on_the_second_and_has_the_same_hour_of_grace(draft, staff, opened, sent, verdict):
    allow(draft, staff)
    draft.opened_at = None if opened is None else UNTIL + opened
    assert draft.can_change(UNTIL + sent) is (verdict != "too late")
    if verdict == "too late":
        with pytest.raises(Closed):
            draft.submit(now=UNTIL + sent)
    else:
        draft.submit(now=UNTIL + sent)
    draft.refresh_from_db()
    assert (draft.status == "submitted", draft.in_grace) == (verdict != "too late", verdict == "in grace")


def test_nobody_else_has_more_time(draft, staff):
    other = ApplicationFactory(state_call=draft.state_call)
    allow(draft, staff)
    assert draft.can_change(AFTER)
    assert not other.can_change(AFTER)
    with pytest.raises(Closed):
        other.submit(now=AFTER)
    with pytest.raises(Closed):
        Application.start(draft.state_call, email="third@example.org", language="en", now=AFTER)


def test_what_is_sent_may_still_be_changed_until_then(draft, staff):
    allow(draft, staff)
    draft.submit(now=AFTER)
    assert all(draft.can_change(AFTER, section) for section in rules.SECTIONS)
    assert not draft.can_change(UNTIL)


def test_a_deadline_of_the_state_that_is_later_wins(draft, staff):
    allow(draft, staff)
    draft.state_call.extend(UNTIL + timedelta(days=2), now=AFTER)
    assert draft.can_change(UNTIL)
    assert draft.deadline == UNTIL + timedelta(days=2)


def test_nothing_is_taken_for_a_meeting_that_is_called_off(draft, staff):
    allow(draft, staff)
    draft.meeting.call_off("too_few", now=AFTER, by=staff)
    with pytest.raises(Closed):
        Application.objects.with_state().get().submit(now=AFTER)


def test_page_and_guard_say_the_same(draft, staff):
    allow(draft, staff)
    for opened_at in (None, UNTIL - SECOND, UNTIL):
        draft.opened_at = opened_at
        for moment in (AFTER, UNTIL - SECOND, UNTIL, UNTIL + HOUR - SECOND, UNTIL + HOUR):
            guard = Application.objects.open(moment, opened_at).filter(pk=draft.pk).exists()
            assert guard is draft.can_change(moment), (opened_at, moment)


# --- The link --------------------------------------------------------------------------------------------------------


def test_the_letter_has_the_link_and_the_moment_and_not_the_reason(draft, staff):
    allow(draft, staff)
    letter = Letter.objects.get(kind="late_link")
    assert "Fri 27 March 2026, 23:59" in body_of(letter)
    assert "/application/" in link_in(letter)
    assert "power" not in letter.subject + body_of(letter)
    assert Event.objects.about(draft).get(code="late_allowed").reason.text == "No power for a week."


def test_behind_it_is_the_form_with_its_own_last_minute(draft, staff):
    allow(draft, staff)
    with time_machine.travel(AFTER, tick=False):
        client = open_session(Client(), draft)
        page = words_of(client.get(reverse("applications:tasks")))
        assert "Fri 27 March 2026, 23:59" in page
        assert "cannot be sent any more" not in page
        client.post(reverse("applications:check"), {"understood": "on"})
    assert Application.objects.get().status == "submitted"


def test_who_has_not_begun_gets_a_draft_in_their_language(staff):
    state_call = StateCallFactory()
    application = begin(state_call, staff)
    assert (application.status, application.language, application.late_until) == ("draft", "fr", UNTIL)
    letter = Letter.objects.get()
    assert (letter.kind, letter.recipient_id) == ("late_link", application.reference)


def test_an_address_that_has_a_draft_goes_on_with_it(draft, staff):
    assert begin(draft.state_call, staff, email=draft.email).pk == draft.pk
    assert Application.objects.count() == 1


def test_an_address_that_has_sent_one_is_not_given_another(staff):
    sent = ApplicationFactory(submitted=True)
    with pytest.raises(late.Sent) as refusal:
        begin(sent.state_call, staff, email=sent.email)
    assert refusal.value.application == sent
    assert Event.objects.about(sent).get(code="late_allowed").refused
    assert not Letter.objects.filter(kind="late_link").exists()


def test_one_who_withdrew_may_begin_again(staff):
    gone = ApplicationFactory(submitted=True, withdrawn=True)
    assert begin(gone.state_call, staff, email=gone.email).pk != gone.pk


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"until": AFTER}, "in the past"),
        ({"until": CLOSES_AT, "now": MONDAY}, "open longer"),
        ({"reason": " "}, "say why"),
        ({"now": OPENS_AT - SECOND}, "not open yet"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words_and_noted(draft, staff, changed, says):
    with pytest.raises(WrongStep, match=says):
        allow(draft, staff, **changed)
    with pytest.raises(WrongStep, match=says):
        begin(draft.state_call, staff, **changed)
    assert Event.objects.about(draft).get(code="late_allowed").refused
    assert Event.objects.about(draft.state_call).get(code="late_allowed").refused
    assert not Letter.objects.filter(kind="late_link").exists()


def test_not_until_after_the_meeting_has_begun(draft, staff):
    draft.meeting.reschedule(now=MONDAY, by=staff, starts_at=AFTER + timedelta(days=1))
    with pytest.raises(WrongStep, match="begun by then"):
        allow(Application.objects.with_state().get(), staff)


@pytest.mark.parametrize("facts", [{"submitted": True}, {"declined": True}, {"withdrawn": True}])
def test_only_a_draft_has_more_time(staff, facts):
    application = ApplicationFactory(**facts)
    with pytest.raises(WrongStep):
        allow(application, staff)
    assert Event.objects.about(application).get(code="late_allowed").refused


def test_a_series_is_not_closed_while_somebody_may_still_send(draft, staff):
    allow(draft, staff)
    with pytest.raises(WrongStep, match="late link"):
        decisions.refuse_undecided(draft.state_call.series, AFTER)
    decisions.refuse_undecided(draft.state_call.series, UNTIL)


def test_staff_see_those_that_are_open_now(draft, staff):
    allow(draft, staff)
    other = ApplicationFactory(
        state_call=StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="CL")))
    )
    assert list(late.open_drafts(Application.objects.all(), AFTER)) == [draft]
    assert list(late.open_drafts(Application.objects.all(), UNTIL)) == []
    assert other.status == "draft"
