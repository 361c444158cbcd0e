"""What waits for staff: which applications each choice of the list holds, and that the numbers are those lists."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications import assessments, work
from applications.models import Application
from presessions import trail
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.upr.factories import CountryMeetingFactory

pytestmark = pytest.mark.django_db
VIEW = {"overall": "suitable", "note": "", **dict.fromkeys(("national_voice", "follow_up", "recommendations"), 1)}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def staff():
    return StaffFactory()


@pytest.fixture
def state_call():
    return StateCallFactory()


def waiting(code, user, now=MONDAY):
    return set(work.find(code).rows(Application.objects.all(), now, user))


def test_an_application_is_unread_until_somebody_opens_its_document_or_saves_a_view(state_call, staff):
    unread, opened, assessed = (ApplicationFactory(state_call=state_call, submitted=True) for _ in range(3))
    ApplicationFactory(state_call=state_call)  # a draft waits for nobody
    trail.record(opened, "document_read", now=MONDAY, by=staff)
    assessments.assess(assessed, by=staff, now=MONDAY, **VIEW)
    assert waiting("unread", staff) == {unread}


def test_what_the_applicant_does_is_no_reading(state_call, staff):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    trail.record(application, "document_read", now=MONDAY)
    trail.record(application, "document_read", now=MONDAY, by=staff, refused=True)
    assert waiting("unread", staff) == {application}


def test_each_member_of_staff_has_their_own_to_assess(state_call, staff):
    mine, ours = (ApplicationFactory(state_call=state_call, submitted=True) for _ in range(2))
    assessments.assess(ours, by=staff, now=MONDAY, **VIEW)
    assert waiting("mine", staff) == {mine}
    assert waiting("mine", StaffFactory()) == {mine, ours}


def test_a_statement_is_missed_from_three_weeks_before_the_meeting_until_it_begins(state_call, staff):
    holder = ApplicationFactory(state_call=state_call, accepted=True)
    ApplicationFactory(state_call=state_call, submitted=True)
    starts_at = holder.meeting.starts_at
    missed = [waiting("statement", staff, now) for now in (
        starts_at - timedelta(days=21, seconds=1), starts_at - timedelta(days=21), starts_at - timedelta(seconds=1),
        starts_at)]  # fmt: skip
    assert missed == [set(), {holder}, {holder}, set()]


def test_nobody_misses_a_statement_for_a_meeting_that_is_called_off(state_call, staff):
    holder = ApplicationFactory(state_call=state_call, accepted=True)
    holder.meeting.call_off("too_few", now=MONDAY)
    assert waiting("statement", staff, holder.meeting.starts_at - timedelta(days=1)) == set()


def test_a_number_is_the_list_it_leads_to(state_call, staff, client):
    ApplicationFactory(state_call=state_call, accepted=True)
    one, two = (ApplicationFactory(state_call=state_call, submitted=True) for _ in range(2))
    two.prepare("accept", by=staff, now=MONDAY)
    assessments.assess(one, by=staff, now=MONDAY, **VIEW)
    series = state_call.series
    client.force_login(staff)
    numbers = work.of_series([series], MONDAY, staff)
    found = {"": 2, "unread": 1, "mine": 1, "prepared": 1}
    assert numbers == {(series.pk, code): number for code, number in found.items()}
    page = reverse("admin:applications_application_changelist")
    for (pk, code), number in numbers.items():
        chosen = {"stands": code} if code else {}
        assert client.get(page, {**chosen, "series": pk}).context["cl"].result_count == number, code


def test_only_what_one_may_do_is_counted(state_call):
    reader = StaffFactory(is_superuser=False)
    ApplicationFactory(state_call=state_call, submitted=True)
    assert work.of_series([state_call.series], MONDAY, reader) == {}


def test_counting_costs_the_same_for_one_application_and_for_many(state_call, staff):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            work.of_series([state_call.series], MONDAY, staff)
        return len(queries)

    ApplicationFactory(state_call=state_call, submitted=True)
    few = cost()
    elsewhere = StateCallFactory(meeting=CountryMeetingFactory(series=state_call.series))
    for call in (state_call, elsewhere, elsewhere):
        ApplicationFactory(state_call=call, submitted=True)
    assert cost() == few == len(work.WORK)
