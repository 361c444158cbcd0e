"""What staff see of a seat, and how they read a passport: by a press that stands in the history."""

from datetime import date, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from applications import seat
from applications.models import Application, Attachment
from presessions import trail
from presessions.trail.models import Event
from presessions.upr.dates import geneva
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory, answers
from tests.applications.seats import looked_through, receive, words_of

pytestmark = pytest.mark.django_db
TUESDAY = MONDAY + timedelta(days=1)
LATE = geneva(date(2026, 3, 13))
PASSPORT = {
    "passport_name": "CANARY AMINA",
    "passport_number": "AB123456",
    "nationality": "Kenyan",
    "born_on": "1985-05-31",
}


@pytest.fixture(autouse=True)
def on_tuesday():
    with time_machine.travel(TUESDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def staff(client):
    """May read applications and documents."""
    user = StaffFactory(is_superuser=False)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_application", "read_document"]))
    client.force_login(user)
    client.user = user
    return client


def desk(staff, application):
    return words_of(staff.get(reverse("admin:applications_application_change", args=[application.pk])))


def with_passport():
    application = ApplicationFactory(confirmed=True)
    seat.save_needs(application, {"visa_letter": True, "accessibility": "A ramp"}, now=TUESDAY)
    seat.save_passport(application, PASSPORT, now=TUESDAY)
    return application


def test_an_accepted_seat_shows_by_when_and_that_it_is_late(staff, on_tuesday):
    application = ApplicationFactory(accepted=True)
    page = desk(staff, application)
    assert "Thu 12 March 2026, 23:59 Geneva time" in page
    assert "not confirmed in time" not in page
    on_tuesday.move_to(LATE)
    staff.force_login(staff.user)
    assert "not confirmed in time" in desk(staff, application)


def test_the_list_finds_seats_that_were_not_confirmed_in_time(staff, on_tuesday):
    late, confirmed = ApplicationFactory(accepted=True), ApplicationFactory(confirmed=True)
    on_tuesday.move_to(LATE)
    in_time = ApplicationFactory(accepted=True, now=LATE)
    staff.force_login(staff.user)
    listed = words_of(staff.get(reverse("admin:applications_application_changelist"), {"stands": "unconfirmed"}))
    assert late.reference in listed
    assert confirmed.reference not in listed
    assert in_time.reference not in listed


def test_the_page_says_how_often_the_speaker_has_made_a_letter_for_a_visa(staff, client):
    application = with_passport()
    assert "made 1 time" not in desk(staff, application)
    for _time in range(2):
        trail.record(application, "visa_letter_made", now=TUESDAY)
    assert "made 2 times, last Tue 3 March 2026" in desk(staff, application)


def test_who_never_had_a_seat_has_no_such_section(staff):
    assert 'id="seat"' not in desk(staff, ApplicationFactory(submitted=True))


def test_people_are_told_apart(staff):
    application = ApplicationFactory(confirmed=True, full_name="Amina Canary")
    application.speakers.create(role="replacement", **answers()["speaker"] | {"full_name": "Chidi Vale"})
    page = desk(staff, application)
    assert "Replacement" in page
    seat.replace_speaker(application, now=TUESDAY, seen=seat.as_seen(application))
    page = desk(staff, application)
    assert "Speaker until Tue 3 March 2026, then replaced" in page
    assert "Speaker replaced" in page


def test_papers_with_their_minutes_and_what_may_be_published(staff):
    application = ApplicationFactory(confirmed=True, consents=["name", "photo"])
    looked_through(receive(application, geneva(date(2026, 4, 2), 9)), words=840)
    seat.publish_again(application, {"name"}, now=TUESDAY)
    page = desk(staff, application)
    assert "840 words, about 6½ min" in page
    assert "late" in page
    assert '<span class="pill pill-done">speaker’s name</span>' in page
    assert '<span class="pill pill-quiet">photographs</span>' in page


def test_before_it_is_answered_anew_nothing_may_be_published(staff):
    page = desk(staff, ApplicationFactory(confirmed=True, consents=["name"]))
    assert "to be answered anew by the speaker" in page
    assert '<span class="pill pill-done">speaker’s name</span>' not in page


def test_a_paper_is_downloaded_only_once_it_is_looked_through(staff):
    application = ApplicationFactory(confirmed=True)
    paper = receive(application, TUESDAY)
    address = reverse("admin:applications_document", args=[application.pk, paper.pk])
    assert address not in desk(staff, application)
    assert staff.get(address).status_code == 404
    Attachment.objects.filter(pk=paper.pk).update(state="checked")
    assert address in desk(staff, application)


# --- The passport -----------------------------------------------------------------------------------------------------


def press(staff, application):
    return staff.post(reverse("admin:applications_passport", args=[application.pk]))


def test_the_passport_is_read_by_a_press_that_is_noted(staff):
    application = with_passport()
    page = desk(staff, application)
    for secret in PASSPORT.values():
        assert secret not in page
    assert "A ramp" in page
    answer = press(staff, application)
    for secret in PASSPORT.values():
        assert secret in words_of(answer)
    assert "no-store" in answer["Cache-Control"]
    assert Event.objects.about(application).get(code="passport_read").staff_id == staff.user.pk
    assert "Passport read" in desk(staff, application)


def test_looking_reads_no_passport(staff):
    assert staff.get(reverse("admin:applications_passport", args=[with_passport().pk])).status_code == 405


@pytest.mark.parametrize("codename", ["view_application", "read_document"])
def test_both_permissions_are_needed(staff, codename):
    application = with_passport()
    staff.user.user_permissions.remove(Permission.objects.get(codename=codename))
    assert press(staff, application).status_code == 403
    assert not Event.objects.filter(code="passport_read").exists()


def test_there_is_none_where_none_is_wanted_or_the_seat_is_gone(staff):
    application = ApplicationFactory(confirmed=True)
    assert press(staff, application).status_code == 404
    gone = with_passport()
    seat.give_up(Application.objects.with_state().get(pk=gone.pk), now=TUESDAY)
    assert press(staff, gone).status_code == 404


@pytest.mark.parametrize("papers", [1, 4])
def test_the_desk_costs_the_same_for_one_paper_and_for_many(staff, papers, django_assert_max_num_queries):
    state_call = StateCallFactory()
    application = ApplicationFactory(state_call=state_call, confirmed=True)
    for number in range(papers):
        receive(application, TUESDAY, content=b"PK version %d" % number)
        ApplicationFactory(state_call=state_call, confirmed=True)
    desk(staff, application)
    with django_assert_max_num_queries(23):
        desk(staff, application)
