"""Somebody else speaks: the replacement that was named, or somebody new; nobody inherits another one's passport or
leave to publish."""

from datetime import date, timedelta

import pytest
import time_machine
from django.urls import reverse

from applications import seat
from applications.models import Application, Consent, Needs
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import geneva
from tests.applications.factories import MONDAY, ApplicationFactory, answers
from tests.applications.seats import as_asked, open_session, receive, words_of

pytestmark = pytest.mark.django_db
TUESDAY = MONDAY + timedelta(days=1)
MEETING = geneva(date(2026, 4, 14), 10)
EVERYTHING = set(Consent.Item.values) - set(Consent.OF_THE_PAPER.values())  # no paper is there yet
SOMEBODY = {
    "new": "yes",
    "full_name": "Beatriz Solar",
    "position": "Lawyer",
    "part_in_upr": "Spoke at the last review.",
    "email": "beatriz@example.org",
    "spoken_english": "good",
    "attends": "remote",
}


@pytest.fixture
def on_tuesday():
    with time_machine.travel(TUESDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def application(db):
    """A seat confirmed on Monday; one speaker, one replacement, needs told, everything cleared for publication."""
    application = ApplicationFactory(accepted=True, full_name="Amina Canary")
    person = answers()["speaker"] | {"full_name": "Chidi Vale", "under_18": False}
    application.speakers.create(role="replacement", **person)
    seat.confirm(application, now=MONDAY)
    seat.save_needs(application, {"badge": True, "accessibility": "A ramp"}, now=MONDAY)
    seat.publish_again(application, EVERYTHING, now=MONDAY)
    return application


@pytest.fixture
def applicant(client, application, on_tuesday):
    return open_session(client, application)


def page():
    return reverse("applications:speaker_change")


def fresh(application):
    return Application.objects.with_state().get(pk=application.pk)


def seen(answer):
    return answer.context["seen"]


def press(applicant, **posted):
    return applicant.post(page(), {"seen": seen(applicant.get(page())), **posted})


def test_the_replacement_takes_over_with_one_press(applicant, application):
    assert "Chidi Vale" in words_of(applicant.get(page()))
    assert press(applicant, replacement="yes").url == reverse("applications:seat")
    now_speaking = fresh(application)
    assert (now_speaking.speaker.full_name, now_speaking.replacement) == ("Chidi Vale", None)
    before = application.speakers.get(full_name__isnull=False, replaced_at__isnull=False)
    assert (before.full_name, before.replaced_at) == ("Amina Canary", TUESDAY)


def test_somebody_new_is_named_in_full(applicant, application):
    assert press(applicant, **SOMEBODY).url == reverse("applications:seat")
    now_speaking = fresh(application)
    assert (now_speaking.speaker.full_name, now_speaking.speaker.attends) == ("Beatriz Solar", "remote")
    assert now_speaking.replacement.full_name == "Chidi Vale"
    assert "Beatriz Solar" in words_of(applicant.get(reverse("applications:seat")))


def test_gaps_are_named_and_nothing_typed_is_lost(applicant, application):
    answer = press(applicant, **{**SOMEBODY, "position": ""})
    assert "Enter the person’s position in your institution." in words_of(answer)
    assert "Beatriz Solar" in words_of(answer)
    assert fresh(application).speaker.full_name == "Amina Canary"


@pytest.mark.parametrize(("guardian", "speaks"), [({}, "Amina Canary"), (
    {"guardian_name": "Rosa Solar", "guardian_agrees": "on"}, "Beatriz Solar")])  # fmt: skip
def test_for_somebody_under_18_a_guardian_agrees(applicant, application, guardian, speaks):
    answer = press(applicant, **SOMEBODY, under_18="on", **guardian)
    assert fresh(application).speaker.full_name == speaks
    if not guardian:
        assert "We need the agreement of a parent or guardian." in words_of(answer)


def test_leave_that_belongs_to_the_person_ends_and_is_asked_again(applicant, application):
    press(applicant, replacement="yes")
    now_speaking = fresh(application)
    assert now_speaking.cleared_items() == EVERYTHING - {"name", "photo", "recording"}
    assert now_speaking.cleared_at is None
    assert "Please answer" in words_of(applicant.get(reverse("applications:seat")))


def test_passport_and_needs_are_forgotten_with_the_person(applicant, application):
    press(applicant, replacement="yes")
    assert not Needs.objects.exists()


@pytest.mark.parametrize("person", [None, {"full_name": "Beatriz Solar"}])
def test_a_second_click_replaces_nobody_a_second_time(application, person):
    mark = seat.as_seen(application)
    seat.replace_speaker(application, now=TUESDAY, seen=mark, person=person)
    with pytest.raises(WrongStep, match="The speaker has been changed meanwhile"):
        seat.replace_speaker(fresh(application), now=TUESDAY, seen=mark, person=person)
    assert application.speakers.exclude(replaced_at=None).count() == 1
    assert [event.refused for event in Event.objects.about(application).filter(code="speaker_replaced")] == [
        False,
        True,
    ]


def test_the_loser_is_told_in_words(applicant, application):
    mark = seen(applicant.get(page()))
    applicant.post(page(), {"seen": mark, **SOMEBODY})
    answer = applicant.post(page(), {"seen": mark, "replacement": "yes"}, follow=True)
    assert "The speaker has been changed meanwhile. Please look again." in words_of(answer)
    assert fresh(application).speaker.full_name == "Beatriz Solar"


def test_without_a_replacement_there_is_nothing_to_press(applicant, application):
    application.speakers.filter(role="replacement").delete()
    assert "Let the replacement speak" not in words_of(applicant.get(page()))
    answer = applicant.post(page(), {"seen": seat.as_seen(fresh(application))}, follow=True)
    assert "No replacement is named any more." in words_of(answer)
    assert fresh(application).speaker.full_name == "Amina Canary"


@pytest.mark.parametrize(
    ("moment", "speaks"), [(MEETING - timedelta(seconds=1), "Beatriz Solar"), (MEETING, "Amina Canary")]
)
def test_until_the_meeting_and_what_was_typed_comes_back(client, application, moment, speaks):
    with time_machine.travel(moment, tick=False):
        posted = {"seen": seat.as_seen(application), **SOMEBODY}
        answer = open_session(client, application).post(page(), posted)
    assert fresh(application).speaker.full_name == speaks
    if speaks != "Beatriz Solar":
        assert answer.status_code == 410
        assert "Beatriz Solar" in words_of(answer)


# --- What may be published --------------------------------------------------------------------------------------------


def publish():
    return reverse("applications:consent_again")


def test_what_was_agreed_to_with_the_application_clears_nothing(db):
    application = ApplicationFactory(confirmed=True, consents=["name", "organisation"])
    assert application.standing_consents() == {"name", "organisation"}
    assert application.cleared_items() == set()


def test_nobody_is_cleared_without_a_confirmed_seat(db):
    application = ApplicationFactory(accepted=True, consents=["name"])
    with pytest.raises(WrongStep):
        seat.publish_again(application, {"name"}, now=TUESDAY)
    assert Event.objects.about(application).filter(code="cleared", refused=True).count() == 1
    seat.confirm(application, now=TUESDAY)
    seat.publish_again(application, {"name"}, now=TUESDAY)
    assert fresh(application).cleared_items() == {"name"}
    seat.give_up(application, now=TUESDAY)
    assert fresh(application).cleared_items() == set()


def test_each_item_is_asked_anew_and_nothing_is_ticked_before(client, on_tuesday):
    application = ApplicationFactory(confirmed=True, consents=["name", "organisation"])
    applicant = open_session(client, application)
    answer = applicant.get(publish())
    assert " checked" not in words_of(answer)
    assert words_of(answer).count("You agreed to this before; please answer it anew.") == 2
    assert applicant.post(publish(), {"seen": as_asked(applicant), "consent_organisation": "on"}).url == reverse(
        "applications:seat"
    )
    application = fresh(application)
    assert (application.cleared_items(), application.cleared_at) == ({"organisation"}, TUESDAY)
    rows = [(row.item, row.given_at, row.withdrawn_at) for row in application.consents.order_by("item", "pk")]
    assert rows == [("name", MONDAY, TUESDAY), ("organisation", MONDAY, TUESDAY), ("organisation", TUESDAY, None)]


def test_no_to_everything_is_an_answer(applicant, application):
    application.refresh_from_db()
    applicant.post(publish(), {"seen": as_asked(applicant), "application": application.reference})
    assert (fresh(application).cleared_items(), fresh(application).cleared_at) == (set(), TUESDAY)


def test_leave_can_be_taken_back_after_the_meeting(client, application):
    with time_machine.travel(MEETING + timedelta(days=20), tick=False):
        applicant = open_session(client, application)
        applicant.post(publish(), {"seen": as_asked(applicant), "consent_name": "on"})
    assert fresh(application).cleared_items() == {"name"}


def test_papers_are_asked_about_once_they_are_there(applicant, application):
    assert "consent_statement" not in words_of(applicant.get(publish()))
    receive(application, TUESDAY)
    assert "consent_statement" in words_of(applicant.get(publish()))
    assert "consent_fact_sheet" not in words_of(applicant.get(publish()))
