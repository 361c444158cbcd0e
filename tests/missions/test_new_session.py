"""The next session of the Working Group is entered with its States, in the order of the last cycle."""

from datetime import date

import pytest
from django.urls import reverse

from presessions.trail.models import Event
from presessions.upr.models import StateUnderReview, WorkingGroupSession
from tests.accounts.factories import StaffFactory
from tests.upr.factories import SessionFactory, StateFactory, StateUnderReviewFactory

pytestmark = pytest.mark.django_db
PAGE = "admin:upr_series_set_up_session"
DATES = {"starts_on": "2027-05-03", "ends_on": "2027-05-14"}


@pytest.fixture
def desk(client):
    client.force_login(StaffFactory())
    return client


@pytest.fixture
def last_cycle():
    """Session 41 reviewed Kenya, then Peru; France was moved away. The newest is 54."""
    SessionFactory(number=54)
    session = SessionFactory(number=41, cycle=4)
    for order, (iso2, status) in enumerate((("KE", "reviewed"), ("PE", "reviewed"), ("FR", "moved")), start=1):
        StateUnderReviewFactory(session=session, state=StateFactory(iso2=iso2), review_order=order, status=status)
    StateFactory(iso2="SN")
    return session


def proposed(page):
    return [code for code, _name in page.context["form"].fields["proposed"].choices]


def test_the_states_of_fourteen_sessions_before_are_proposed(desk, last_cycle):
    page = desk.get(reverse(PAGE))
    assert page.context["form"]["number"].value() == 55
    assert proposed(page) == ["KE", "PE"]


def test_one_post_enters_session_and_states_and_leads_to_the_plan(desk, last_cycle):
    answer = desk.post(reverse(PAGE), {"number": 55, **DATES, "proposed": ["KE", "PE"], "more_1": "SN"})
    assert answer.url == reverse("admin:upr_series_set_up_plan", args=[55])
    session = WorkingGroupSession.objects.get(number=55)
    assert (session.cycle, session.starts_on) == (5, date(2027, 5, 3))
    rows = session.states_under_review.order_by("review_order").values_list("state", "basis")
    assert list(rows) == [("KE", "inferred"), ("PE", "inferred"), ("SN", "sourced")]
    assert Event.objects.about(session).get().code == "added"


def test_a_state_that_is_named_twice_is_in_it_once(desk, last_cycle):
    desk.post(reverse(PAGE), {"number": 55, "proposed": ["KE"], "more_1": "KE", "more_2": "SN"})
    assert StateUnderReview.objects.filter(session__number=55).count() == 2


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"number": 54, "proposed": ["KE"]}, "in the calendar already"),
        ({"number": 55}, "Choose the States"),
        ({"number": 55, "more_1": "SN", "starts_on": "2027-05-14", "ends_on": "2027-05-03"}, "cannot end before"),
        ({"number": 55, "more_1": "SN", "month_label": "next spring"}, "in English, with its year"),
    ],
)
def test_what_cannot_be_is_refused_in_words(desk, last_cycle, typed, words):
    answer = desk.post(reverse(PAGE), typed)
    assert words in str(answer.context["form"].errors)
    assert not WorkingGroupSession.objects.filter(number=55).exists()


def test_what_was_typed_for_another_number_proposes_that_ones_states(desk, last_cycle):
    StateUnderReviewFactory(session=SessionFactory(number=42, cycle=4), state=StateFactory(iso2="SN"))
    answer = desk.post(reverse(PAGE), {"number": 56})
    assert proposed(answer) == ["SN"]


def test_only_for_those_who_may(client, last_cycle):
    client.force_login(StaffFactory(is_superuser=False))
    assert client.get(reverse(PAGE)).status_code == 403
