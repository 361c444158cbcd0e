"""Leave to publish counts for what was asked about: by who has a seat, in the words of today, and for a paper in the
very version that was seen."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from applications import cleaning, seat
from applications.models import Application, Attachment, Consent
from presessions.trail.models import Event
from tests.applications.factories import MONDAY, ApplicationFactory
from tests.applications.seats import as_asked, looked_through, open_session, receive, words_of

pytestmark = pytest.mark.django_db
TUESDAY = MONDAY + timedelta(days=1)
LATER = TUESDAY + timedelta(hours=1)
KINDS = ["statement", "fact_sheet"]


@pytest.fixture
def application(db):
    return ApplicationFactory(confirmed=True)


@pytest.fixture
def applicant(client, application):
    with time_machine.travel(LATER, tick=False):
        yield open_session(client, application)


def page():
    return reverse("applications:consent_again")


def fresh(application):
    return Application.objects.get(pk=application.pk)


def cleared(application):
    return fresh(application).cleared_items()


def refuse(file, now=LATER):
    Attachment.objects.filter(pk=file.pk).update(next_look_at=now, looks=cleaning.MOST_LOOKS)
    cleaning.look_through(now)
    file.refresh_from_db()
    assert file.state == "refused"


# --- The very version -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_leave_for_a_version_that_is_refused_is_no_leave_for_the_one_before_it(application, kind):
    looked_through(receive(application, TUESDAY, kind=kind))
    second = receive(application, TUESDAY, kind=kind, content=b"PK another")
    seat.publish_again(application, {"name", kind}, now=TUESDAY)
    assert cleared(application) == {"name", kind}
    refuse(second)
    assert fresh(application).newest(kind).version == 1
    assert cleared(application) == {"name"}
    given = Consent.objects.get(application=application, item=kind)
    assert (given.paper, given.withdrawn_at) == (second, LATER)
    assert fresh(application).cleared_at is None  # it is asked about again


def test_what_was_refused_is_not_offered_and_neither_is_the_text_it_was_to_replace(applicant, application):
    looked_through(receive(application, TUESDAY))
    assert "consent_statement" in words_of(applicant.get(page()))
    refuse(receive(application, TUESDAY, content=b"PK another"))
    assert "consent_statement" not in words_of(applicant.get(page()))
    seat.publish_again(application, {"statement"}, now=LATER)
    assert cleared(application) == set()


def test_a_refused_paper_that_nobody_gave_leave_for_is_not_asked_about_again(application):
    paper = receive(application, TUESDAY)
    seat.publish_again(application, {"name"}, now=TUESDAY)
    refuse(paper)
    assert (cleared(application), fresh(application).cleared_at) == ({"name"}, TUESDAY)


def test_a_page_opened_before_a_new_version_came_clears_nothing(applicant, application):
    receive(application, TUESDAY)
    seen = as_asked(applicant)
    receive(application, TUESDAY, content=b"PK another")
    answer = applicant.post(page(), {"seen": seen, "consent_statement": "on", "consent_name": "on"})
    assert answer.url == page()
    assert "Something has changed meanwhile. Please look again." in words_of(applicant.get(page()))
    assert cleared(application) == set()
    last = Event.objects.about(application).last()
    assert (last.code, last.refused) == ("cleared", True)
    applicant.post(page(), {"seen": as_asked(applicant), "consent_statement": "on"})
    assert cleared(application) == {"statement"}


def test_a_page_opened_before_somebody_else_was_to_speak_clears_nothing(applicant, application):
    seen = as_asked(applicant)
    seat.replace_speaker(
        application, now=TUESDAY, seen=seat.as_seen(application), person={"full_name": "Beatriz Solar"}
    )
    applicant.post(page(), {"seen": seen, "consent_name": "on", "consent_photo": "on"})
    assert cleared(application) == set()


# --- Asked with a seat, and in the words of today ---------------------------------------------------------------------


def test_the_section_of_the_form_clears_nothing_and_leads_to_being_asked(application):
    seat.publish_again(application, {"name"}, now=TUESDAY)
    application = fresh(application)
    application.save_section("safety", {"consent_name": True, "consent_photo": True}, now=LATER)
    assert application.standing_consents() == {"name", "photo"}
    assert cleared(application) == {"name"}
    assert fresh(application).cleared_at is None


def test_what_is_taken_back_in_the_section_of_the_form_ends_at_once(application):
    seat.publish_again(application, {"name", "photo"}, now=TUESDAY)
    fresh(application).save_section("safety", {"consent_name": True}, now=LATER)
    assert (cleared(application), fresh(application).cleared_at) == ({"name"}, TUESDAY)


def test_leave_given_in_older_words_clears_nothing(application):
    seat.publish_again(application, {"name", "photo"}, now=TUESDAY)
    Consent.objects.filter(item="name").update(wording="2026-11-26")
    assert cleared(application) == {"photo"}


def test_a_seat_without_the_moment_it_was_confirmed_clears_nothing(application):
    seat.publish_again(application, {"name"}, now=TUESDAY)
    Application.objects.update(seat_answered_at=None)
    assert cleared(application) == set()
