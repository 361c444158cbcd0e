"""The matrix of a State: every applicant beside the others, and nothing of those who are masked."""

import re

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from applications import assessments, at_risk
from applications.models import Application, Theme
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.applications.test_admin import text
from tests.applications.test_organisations import call_on

pytestmark = pytest.mark.django_db

CELL, TAG = re.compile("</t[hd]>"), re.compile("<[^>]+>")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def staff():
    return StaffFactory(name="Nadia Staff")


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def kenya():
    return StateCallFactory()


def sent(state_call, name="Rights Now", **facts):
    return ApplicationFactory(state_call=state_call, submitted=True, organisation_name=name, **facts)


def matrix(client, state_call):
    return client.get(reverse("admin:applications_matrix", args=[state_call.meeting.pk]))


def row(response, heading):
    """The cells of the row with this heading, as they read."""
    for part in response.content.decode().split("<tr>")[1:]:
        head, *cells = [" ".join(TAG.sub(" ", cell).split()) for cell in CELL.split(part.split("</tr>")[0])[:-1]]
        if head == heading:
            return cells
    raise AssertionError(heading)


def test_applicants_stand_side_by_side_institutions_first(desk, kenya):
    sent(kenya, "Rights Now", gender="woman")
    sent(kenya, "National Commission", kind="nhri", scope="", ganhri_status="a", gender="man")
    sent(kenya, "Worldwide", scope="international")
    ApplicationFactory(state_call=kenya, organisation_name="A draft")
    ApplicationFactory(state_call=kenya, organisation_name="Taken back", submitted=True, withdrawn=True)
    response = matrix(desk, kenya)
    assert [one.name for one in response.context["applicants"]] == ["National Commission", "Rights Now", "Worldwide"]
    assert row(response, "Institution") == ["NHRI A status", "CSO", "CSO"]
    assert row(response, "National or international") == ["–", "National or local", "International or regional"]
    assert row(response, "Speaker’s gender") == ["Man", "Woman", "–"]
    assert "1 NHRI, 2 CSO, 1 national · women 1, men 1" in text(response)


def test_themes_are_rows_and_those_that_nobody_chose_are_named(desk, kenya):
    prisons = Theme.objects.create(slug="prisons", name_en="Prisons")
    Theme.objects.create(slug="sea", name_en="Law of the sea")
    sent(kenya)
    sent(kenya).themes.add(prisons)
    response = matrix(desk, kenya)
    assert row(response, "Prisons 1") == ["", "● yes"]
    assert "Chosen by nobody:" in text(response)
    assert "Law of the sea" in text(response).split("Chosen by nobody:")[1]


def test_it_says_where_the_same_organisation_applied_before(desk):
    earlier = call_on("KE", 48)
    sent(earlier)
    sent(earlier, "Somebody else")
    here = call_on("KE")
    sent(here)
    sent(here, "Newcomers")
    assert row(matrix(desk, here), "Other applications") == ["48 Kenya submitted", "first time"]


def test_views_stand_side_by_side_and_are_hidden_where_mine_is_not_saved(desk, staff, kenya):
    seen, hidden = sent(kenya, "One"), sent(kenya, "Two")
    omar = StaffFactory(name="Omar Staff")
    for application in (seen, hidden):
        assessments.assess(application, by=omar, now=MONDAY, overall="weak", note="Too general.", national_voice=1)
    assessments.assess(seen, by=staff, now=MONDAY, overall="strong", note="Clear.")
    response = matrix(desk, kenya)
    assert row(response, "Overall") == ["strong 1 weak 1", "1 saved; shown once yours is"]
    assert row(response, "Omar Staff") == ["weak Grades and note National voice: a little Too general.", "–"]
    assert row(response, "Nadia Staff") == ["strong Grades and note Clear.", "–"]
    assert "Assess the one that waits for you" in text(response)


def test_of_a_masked_one_only_reference_kind_and_where_it_stands_are_shown(desk, staff, kenya):
    masked = sent(kenya, "Canary Rights", gender="woman", full_name="Amina Canary")
    assessments.assess(masked, by=staff, now=MONDAY, overall="strong", note="Canary note.")
    at_risk.mark(masked, by=staff, now=MONDAY)
    response = matrix(desk, kenya)
    shown = text(response)
    assert "Canary" not in shown
    assert masked.reference in shown
    assert row(response, "Institution") == ["CSO"]
    for heading in ("National or international", "Speaker’s gender", "Would come", "Other applications", "Overall"):
        assert row(response, heading) == ["–"]
    assert "women 0, men 0 · 1 masked" in shown
    assert "Justice" not in shown.split("Chosen by nobody:")[0]


def test_it_needs_the_right_to_see_applications_and_shows_no_step_that_would_be_refused(client, kenya):
    sent(kenya)
    reader = StaffFactory(is_superuser=False)
    client.force_login(reader)
    assert matrix(client, kenya).status_code == 403
    reader.user_permissions.set(Permission.objects.filter(codename="view_application"))
    assert "/review/" not in matrix(client, kenya).content.decode()


def test_a_meeting_without_applications_or_without_a_call(desk, kenya):
    assert "Nobody has sent an application on this State yet." in text(matrix(desk, kenya))
    assert desk.get(reverse("admin:applications_matrix", args=[404])).status_code == 404


def test_it_costs_the_same_with_more_applicants_views_and_earlier_applications(
    desk, staff, kenya, django_assert_max_num_queries
):
    def one_more():
        sent(StateCallFactory(), "International", scope="international")
        application = sent(kenya, "International", scope="international")
        for by in (staff, StaffFactory()):
            assessments.assess(application, by=by, now=MONDAY, overall="weak")

    def cost():
        with django_assert_max_num_queries(40) as queries:
            matrix(desk, kenya)
        return queries

    one_more()
    cost()
    few = len(cost())
    for _ in range(3):
        one_more()
    queries = cost()
    assert len(queries) == few
    assert len(Application.objects.for_meeting(kenya.meeting)) == 4
    assert not [query["sql"] for query in queries if '"applications_application"."issues"' in query["sql"]]
