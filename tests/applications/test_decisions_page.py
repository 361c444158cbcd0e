"""The pages on which staff decide: one meeting as a whole, a changed answer, a question for more, a late link."""

import html
import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from applications import asking, assessments, decisions
from applications.models import Application, InformationRequest, Panel, Seat
from presessions.mail.models import Letter
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory
from tests.applications.factories import CLOSES_AT, ApplicationFactory, StateCallFactory

pytestmark = pytest.mark.django_db

AFTER = CLOSES_AT + timedelta(days=2)  # Wednesday 25 March 2026


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(AFTER, tick=False) as clock:
        yield clock


@pytest.fixture
def staff(db):
    return StaffFactory(name="Nadia Staff")


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def state_call(db):
    return StateCallFactory()


def page(name, *args):
    return reverse(f"admin:applications_{name}", args=args)


def text(response):
    return " ".join(html.unescape(response.content.decode()).split())


def words(response):
    return " ".join(re.sub(r"<[^>]*>", " ", text(response)).split())


def sent(state_call, **facts):
    return ApplicationFactory(state_call=state_call, submitted=True, **facts)


def choose(desk, state_call, choices, **more):
    """Post the table of the page as a browser would, with some answers changed."""
    address = page("decisions", state_call.meeting.pk)
    seen = re.findall(r'name="seen" value="([^"]+)"', table_of(desk.get(address)))
    return choose_as_seen(desk, state_call, seen, choices, **more)


def choose_as_seen(desk, state_call, seen, choices, **more):
    rows = {f"answer-{reference}": prepared for reference, _, prepared in (one.partition(":") for one in seen)}
    changed = {f"answer-{application.reference}": decision for application, decision in choices.items()}
    posted = {**rows, **changed, "seen": seen, **more}
    return desk.post(page("prepare_many", state_call.meeting.pk), posted, follow=True)


def question(application, staff):
    until = AFTER + timedelta(days=1)
    asking.ask(application, sections=["issues"], words="More?", until=until, by=staff, now=AFTER)


def table_of(response):
    return response.content.decode().split('id="previews"')[0]


def prepared():
    return dict(Application.objects.values_list("reference", "prepared"))


# --- The meeting as a whole ------------------------------------------------------------------------------------------


def test_a_row_says_who_about_what_and_what_is_thought_of_it(desk, staff, state_call):
    application = sent(state_call, organisation_name="Rights Now", gender="woman")
    assessments.assess(application, by=staff, now=AFTER, overall="strong", note="")
    panel = Panel.objects.create(meeting=state_call.meeting, version=1)
    Seat.objects.create(panel=panel, application=application, place="panel", position=2, minutes=6)
    shown = words(desk.get(page("decisions", state_call.meeting.pk)))
    for said in ("Rights Now", "CSO · National or local", "Justice", "Woman", "1 × strong", "seat 2", "submitted"):
        assert said in shown, said
    assert "the panel says: on the panel" in shown


def test_others_views_are_hidden_until_mine_is_saved(desk, state_call):
    application = sent(state_call)
    assessments.assess(application, by=StaffFactory(), now=AFTER, overall="strong", note="")
    shown = words(desk.get(page("decisions", state_call.meeting.pk)))
    assert "1 shown once yours is saved" in shown
    assert "strong" not in shown


def test_of_somebody_at_risk_it_shows_reference_and_kind_alone(desk, state_call):
    application = sent(state_call, organisation_name="Rights Now", gender="woman", language="fr")
    Application.objects.update(at_risk=True)
    shown = words(desk.get(page("decisions", state_call.meeting.pk)))
    assert "at risk: masked" in shown
    assert application.reference in shown
    for secret in ("Rights Now", "Justice", "Woman", "National"):
        assert secret not in shown, secret


def test_several_answers_are_noted_at_once_and_nobody_is_told(desk, staff, state_call):
    yes, no, later = (sent(state_call) for _ in range(3))
    answer = choose(desk, state_call, {yes: "accept", no: "decline"}, reason="Four say the same.")
    assert "2 answers are changed" in words(answer)
    assert prepared() == {yes.reference: "accept", no.reference: "decline", later.reference: ""}
    assert not Letter.objects.filter(kind__startswith="decision").exists()
    assert Event.objects.about(no).get(code="prepared_decline").reason.text == "Four say the same."
    assert not hasattr(Event.objects.about(yes).get(code="prepared_accept"), "reason")
    assert not Event.objects.about(later).filter(code__startswith="prepared").exists()


def test_all_or_none_and_what_was_chosen_is_not_lost(desk, state_call):
    yes, no = sent(state_call), sent(state_call)
    answer = choose(desk, state_call, {yes: "accept", no: "decline"})
    assert answer.status_code == 409
    assert "Please give a reason for declining" in words(answer)
    assert set(prepared().values()) == {""}
    chosen = re.findall(r'<option value="(\w*)" selected>', answer.content.decode())
    assert sorted(chosen) == ["accept", "decline"]
    assert Event.objects.about(state_call.meeting).get(code="answers_prepared").refused


def test_what_a_colleague_has_changed_meanwhile_is_not_overwritten(desk, state_call):
    first, second = sent(state_call), sent(state_call)
    seen = re.findall(r'name="seen" value="([^"]+)"', table_of(desk.get(page("decisions", state_call.meeting.pk))))
    first.prepare("decline", by=StaffFactory(name="Ben Rossi"), now=AFTER, reason="Too far from the theme.")
    answer = choose_as_seen(desk, state_call, seen, {first: "accept", second: "accept"})
    assert f"{first.reference} was changed by Ben Rossi meanwhile" in words(answer)
    assert prepared() == {first.reference: "decline", second.reference: ""}


def test_what_is_not_on_the_page_is_left_alone(desk, state_call):
    """A colleague has noted an answer for somebody whose row was not touched here."""
    touched, other = sent(state_call), sent(state_call)
    seen = re.findall(r'name="seen" value="([^"]+)"', table_of(desk.get(page("decisions", state_call.meeting.pk))))
    other.prepare("waitlist", by=StaffFactory(), now=AFTER)
    choose_as_seen(desk, state_call, seen, {touched: "accept"})
    assert prepared() == {touched.reference: "accept", other.reference: "waitlist"}


def test_no_answer_of_another_meeting_can_be_noted_here(desk, state_call):
    other = sent(StateCallFactory())
    answer = choose_as_seen(desk, state_call, [f"{other.reference}:"], {other: "accept"})
    assert answer.status_code == 409
    assert prepared()[other.reference] == ""


def test_what_goes_out_is_counted_and_shown_in_each_language(desk, staff, state_call):
    for decision, language in (("accept", "fr"), ("waitlist", "en"), ("decline", "en")):
        sent(state_call, language=language).prepare(decision, by=staff, now=AFTER, reason="So.")
    sent(state_call)
    shown = desk.get(page("decisions", state_call.meeting.pk))
    assert "1 × accept, 1 × waiting list, 1 × decline" in words(shown)
    assert "One application has no prepared answer" in words(shown)
    assert 'class="letter" lang="fr"' in text(shown)


def test_queries_do_not_grow_with_the_applications(desk, staff, state_call):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            desk.get(page("decisions", state_call.meeting.pk))
        return len(queries)

    def one_more():
        application = sent(state_call)
        assessments.assess(application, by=staff, now=AFTER, overall="strong", note="")
        asking.ask(
            application, sections=["issues"], words="More?", until=AFTER + timedelta(days=1), by=staff, now=AFTER
        )
        application.prepare("accept", by=staff, now=AFTER)

    one_more()
    cost()
    few = cost()
    for _ in range(3):
        one_more()
    assert cost() == few


def test_who_only_reads_is_offered_no_answer(client, state_call):
    reader = StaffFactory(is_superuser=False)
    reader.user_permissions.add(Permission.objects.get(codename="view_application"))
    client.force_login(reader)
    application = sent(state_call)
    shown = text(client.get(page("decisions", state_call.meeting.pk)))
    assert "<select" not in shown
    assert "Release" not in shown
    for name, key in (("prepare_many", state_call.meeting.pk), ("reverse", application.pk), ("ask", application.pk),
                      ("ask_back", application.pk), ("late_allow", application.pk)):  # fmt: skip
        assert client.post(page(name, key)).status_code == 403, name
    assert client.get(page("late")).status_code == 403


# --- The place on the waiting list -----------------------------------------------------------------------------------


def waiting_list(state_call, applications):
    panel, _new = Panel.objects.get_or_create(meeting=state_call.meeting, defaults={"version": 1})
    for position, application in enumerate(applications, start=1):
        Seat.objects.create(panel=panel, application=application, place="waiting", position=position)


def test_who_waits_is_told_the_place_where_staff_have_made_an_order(desk, staff, state_call):
    waiting = [sent(state_call) for _ in range(3)]
    for application in waiting:
        application.prepare("waitlist", by=staff, now=AFTER)
    waiting_list(state_call, reversed(waiting))
    shown = text(desk.get(page("decisions", state_call.meeting.pk)))
    places = re.findall(r"you are number (\d) of 3", shown)
    assert places == ["3", "2", "1"]  # in the order they were sent
    assert "please make no travel plans before you hear from us" in shown


def test_half_an_order_promises_nothing(desk, staff, state_call):
    first, second = sent(state_call), sent(state_call)
    for application in (first, second):
        application.prepare("waitlist", by=staff, now=AFTER)
    waiting_list(state_call, [first])
    assert "you are number" not in text(desk.get(page("decisions", state_call.meeting.pk)))


def test_a_place_that_nobody_has_seen_is_not_told(desk, staff, state_call):
    """The order was changed between the preview and the button."""
    first, second = sent(state_call), sent(state_call)
    for application in (first, second):
        application.prepare("waitlist", by=staff, now=AFTER)
    waiting_list(state_call, [first, second])
    seen = [preview.seen for preview in decisions.preview(state_call.meeting, now=AFTER)]
    Seat.objects.all().delete()
    waiting_list(state_call, [second, first])
    answer = desk.post(page("release", state_call.meeting.pk), {"seen": seen}, follow=True)
    assert "have changed since you saw them" in text(answer)
    assert not Letter.objects.filter(kind="decision_waitlisted").exists()


def test_the_letter_says_what_the_preview_said(desk, staff, state_call):
    from tests.mail.letters import body_of

    application = sent(state_call)
    application.prepare("waitlist", by=staff, now=AFTER)
    waiting_list(state_call, [application])
    (seen,) = decisions.preview(state_call.meeting, now=AFTER)
    desk.post(page("release", state_call.meeting.pk), {"seen": seen.seen})
    assert "you are number 1 of 1" in body_of(Letter.objects.get(kind="decision_waitlisted"))


# --- A changed answer ------------------------------------------------------------------------------------------------


def test_the_letter_is_seen_before_the_answer_changes(desk, state_call):
    application = ApplicationFactory(state_call=state_call, accepted=True)
    bare = words(desk.get(page("reverse", application.pk)))
    assert "People rely on what we have told them" in bare
    assert "What goes out" not in bare
    shown = words(desk.get(f"{page('reverse', application.pk)}?to=decline"))
    assert "We have to take that back" in shown
    assert not Letter.objects.filter(kind__startswith="answer_changed").exists()
    posted = {"to": "decline", "seen": "accepted", "reason": "The NHRI comes after all."}
    answer = desk.post(page("reverse", application.pk), posted, follow=True)
    assert "The answer is changed" in words(answer)
    assert Application.objects.get().status == "declined"


def test_a_refusal_says_why_and_keeps_the_reason(desk, state_call):
    application = ApplicationFactory(state_call=state_call, accepted=True)
    answer = desk.post(page("reverse", application.pk), {"to": "decline", "seen": "confirmed", "reason": "Because."})
    assert "already accepted" in words(answer)
    assert "Because." in text(answer)
    assert Application.objects.get().status == "accepted"


# --- A question for more ---------------------------------------------------------------------------------------------

QUESTION = {"sections": ["issues"], "words": "Which prisons?", "until_0": "2026-03-29", "until_1": "23:59"}


def test_a_question_is_looked_at_and_then_sent(desk, state_call):
    application = sent(state_call)
    looked = desk.post(page("ask", application.pk), QUESTION)
    assert "Nothing is sent yet" in words(looked)
    assert "Sun 29 March 2026, 23:59 Geneva time" in words(looked)
    assert not InformationRequest.objects.exists()
    answer = desk.post(page("ask", application.pk), {**QUESTION, "send": "yes"}, follow=True)
    assert "may answer until Sun 29 March 2026, 23:59" in words(answer)
    assert "Which prisons?" in words(answer)
    assert InformationRequest.objects.get().sections == ["issues"]


def test_a_question_that_is_open_can_be_taken_back(desk, staff, state_call):
    application = sent(state_call)
    question(application, staff)
    assert "Something is asked already" in words(desk.get(page("ask", application.pk)))
    answer = desk.post(page("ask_back", application.pk), follow=True)
    assert "The question is taken back" in words(answer)
    assert InformationRequest.objects.get().ended_at == timezone.now()


def test_mistakes_stand_at_their_fields(desk, state_call):
    application = sent(state_call)
    answer = desk.post(page("ask", application.pk), {**QUESTION, "sections": [], "until_0": "2026-03-01"})
    assert "Choose at least one." in words(answer)
    answer = desk.post(page("ask", application.pk), {**QUESTION, "until_0": "2026-03-01"})
    assert "That is in the past" in words(answer)


# --- A late link -----------------------------------------------------------------------------------------------------

LATE = {"until_0": "2026-03-29", "until_1": "23:59", "reason": "No power for a week."}


def test_a_late_link_for_an_address(desk, state_call):
    posted = {**LATE, "state_call": state_call.pk, "email": "late@example.org", "language": "es"}
    answer = desk.post(page("late"), posted, follow=True)
    assert "may be sent until Sun 29 March 2026, 23:59 Geneva time" in words(answer)
    application = Application.objects.get()
    assert (application.status, application.language) == ("draft", "es")
    assert application.reference in words(desk.get(page("late")))


def test_the_page_of_a_meeting_leads_there_with_its_state_chosen(desk, state_call):
    shown = text(desk.get(page("decisions", state_call.meeting.pk)))
    found = re.search(r'href="([^"]+)">Late link for somebody', shown)
    assert f'<option value="{state_call.pk}" selected>' in text(desk.get(found[1]))


def test_more_time_for_a_draft_shows_none_of_its_answers(desk, state_call):
    draft = ApplicationFactory(state_call=state_call, organisation_name="Rights Now")
    assert "Rights Now" not in text(desk.get(page("late_allow", draft.pk)))
    desk.post(page("late_allow", draft.pk), LATE)
    assert Application.objects.get().late_until is not None


def test_an_address_that_has_sent_one_leads_to_it(desk, state_call):
    application = sent(state_call)
    posted = {**LATE, "state_call": state_call.pk, "email": application.email, "language": "en"}
    answer = desk.post(page("late"), posted)
    assert "Ask for more information instead" in words(answer)
    assert page("application_change", application.pk) in text(answer)
