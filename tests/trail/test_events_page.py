"""The page of events: who did what, when, about what and why; found by name, by reference and by what was done."""

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.models import Application
from presessions import trail
from presessions.trail import history, words
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.missions.factories import MissionFactory

pytestmark = pytest.mark.django_db

PAGE = "/admin/trail/event/"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def ada():
    return StaffFactory(name="Ada Keller", email="ada@example.org")


@pytest.fixture
def desk(client, ada):
    client.force_login(ada)
    return client


@pytest.fixture
def application():
    return ApplicationFactory(state_call=StateCallFactory(), submitted=True)


def listed(desk, **asked):
    """The rows as a reader sees them: [[when, who, what, about, why]]."""
    page = desk.get(PAGE, asked)
    assert page.status_code == 200
    told = page.context["cl"].result_list
    return [(event.line.who, event.line.what, event.line.about, event.line.reason) for event in told]


def test_each_event_says_who_what_about_what_and_why_in_words(desk, ada, application):
    application.prepare("decline", by=ada, now=MONDAY, reason="Came twice.")
    told = ("Ada Keller", "prepared: decline", f"application {application.reference}", "Came twice.")
    assert listed(desk)[0] == told
    page = desk.get(PAGE).content.decode()
    event = Event.objects.latest("pk")
    there = reverse("admin:trail_event_about", args=[event.pk])
    assert f'<a href="{there}">' in page
    onwards = desk.get(there)
    assert onwards.url == reverse("admin:applications_application_change", args=[application.pk])
    assert "2 Mar 2026 10:00:00" in page


@pytest.mark.parametrize("term", ["ada", "Keller", "ada@example.org", "prepared: dec"])
def test_it_is_found_by_who_did_it_and_by_what_was_done(desk, ada, application, term):
    application.prepare("decline", by=ada, now=MONDAY)
    assert [what for _who, what, *_more in listed(desk, q=term)] == ["prepared: decline"]


def test_it_is_found_by_the_reference_or_its_beginning(desk, application):
    other = ApplicationFactory(state_call=application.state_call)
    for term in (application.reference, application.reference[:6].lower()):
        found = {about for _who, _what, about, _why in listed(desk, q=term)}
        assert found == {f"application {application.reference}"}
    assert listed(desk, q=other.reference)


def test_all_of_one_row_is_what_its_own_page_links_to(desk, ada, application):
    ApplicationFactory(state_call=application.state_call)
    page = desk.get(reverse("admin:applications_application_change", args=[application.pk])).content.decode()
    link = f"{PAGE}?about=applications.application:{application.reference}"
    assert f'href="{link}"' in page
    assert {about for *_who, about, _why in listed(desk, about=link.partition("about=")[2])} == {
        f"application {application.reference}"
    }


def test_it_is_filtered_by_who_and_by_what_kind_of_thing_was_done(desk, ada, application):
    application.prepare("accept", by=ada, now=MONDAY)
    trail.record(application, "document_read", now=MONDAY, by=ada)
    trail.record(application, "revealed", now=MONDAY, by=ada, refused=True)
    assert [what for _who, what, *_more in listed(desk, what="refused")] == ["revealed by a safety officer"]
    looks = [what for _who, what, *_more in listed(desk, what="looks")]
    assert looks[:2] == ["revealed by a safety officer", "document read"]
    assert "prepared: accept" not in looks
    assert {who for who, *_more in listed(desk, who=ada.pk)} == {"Ada Keller"}
    assert {about.split()[0] for *_who, about, _why in listed(desk, kind="applications.application")} == {"application"}


@pytest.mark.parametrize("asked", [{"who": "x"}, {"who": "9" * 30}, {"about": "x"}, {"about": "x:y"}, {"kind": "x"}])
def test_what_somebody_types_into_the_address_breaks_nothing(desk, application, asked):
    assert desk.get(PAGE, asked).status_code == 200


def test_why_something_was_done_about_somebody_at_risk_is_masked(client, ada, application):
    application.prepare("decline", by=ada, now=MONDAY, reason="Zorblatt came twice.")
    Application.objects.update(at_risk=True)
    reader = StaffFactory(is_superuser=False)
    reader.user_permissions.set(Permission.objects.filter(codename__in=["view_event", "view_application"]))
    client.force_login(reader)
    page = client.get(PAGE).content.decode()
    assert "prepared: decline" in page.lower()
    assert "Zorblatt" not in page


def test_it_costs_the_same_for_fifty_events_as_for_one(desk, ada, application):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(PAGE).status_code == 200
        return len(queries)

    few = cost()
    for _ in range(50):
        trail.record(application, "document_read", now=MONDAY, by=StaffFactory(), reason="Because.")
    assert cost() == few


def test_only_who_may_sees_it_and_nobody_changes_it(client, application):
    client.force_login(StaffFactory(is_superuser=False))
    assert client.get(PAGE).status_code == 403
    client.force_login(StaffFactory())
    event = Event.objects.latest("pk")
    page = reverse("admin:trail_event_change", args=[event.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {"code": "nothing"}).status_code == 403
    assert client.post(reverse("admin:trail_event_delete", args=[event.pk]), {"post": "yes"}).status_code == 403


def test_a_page_ends_with_the_history_of_its_row(desk, ada):
    other = StaffFactory(name="Ben Rossi")
    trail.record(other, "reset", now=MONDAY, by=ada, reason="Lost the phone.")
    page = desk.get(reverse("admin:accounts_user_change", args=[other.pk])).content.decode()
    assert "Lost the phone." in page
    assert "Ada Keller" in page


def test_a_history_is_cut_after_its_newest_events_and_says_so(desk, ada, application, monkeypatch):
    monkeypatch.setattr(history, "MOST", 3)
    for _ in range(4):
        trail.record(application, "document_read", now=MONDAY, by=ada)
    page = desk.get(reverse("admin:applications_application_change", args=[application.pk])).content.decode()
    assert page.count("Document read") == 3
    assert "Older events are on the page of events." in page


def test_a_code_without_words_is_still_readable():
    assert words.of("applications.application", "something_new") == "something new"
    assert words.of("nowhere.nothing", "x") == "x"
    assert words.kind_of("nowhere.nothing") == "nowhere.nothing"
    assert words.pages_of("nowhere.nothing", {"1"}) == {}


def test_whatever_has_a_page_is_led_to_though_its_reference_is_no_key_of_it(desk, ada, application):
    meeting, series = application.meeting, application.state_call.series
    mission = MissionFactory(iso2="TR")
    for row in (meeting, series, series.session, meeting.state_under_review, mission, ada):
        trail.record(row, "changed", now=MONDAY, by=ada)
        app, model = row._meta.app_label, row._meta.model_name
        onwards = desk.get(reverse("admin:trail_event_about", args=[Event.objects.latest("pk").pk]))
        assert onwards.url == reverse(f"admin:{app}_{model}_change", args=[row.pk]), row


def test_what_is_gone_leads_to_all_that_happened_to_it(desk, ada):
    gone = StaffFactory()
    event = trail.record(gone, "staff_added", now=MONDAY, by=ada)
    reference = gone.pk
    gone.delete()
    assert (
        desk.get(reverse("admin:trail_event_about", args=[event.pk])).url == f"{PAGE}?about=accounts.user%3A{reference}"
    )
    assert [what for _who, what, *_more in listed(desk, about=f"accounts.user:{reference}")] == ["added to the staff"]


def test_a_reference_that_is_no_key_is_never_taken_for_one():
    page = words.pages_of("upr.series", {str(pk) for pk in range(1000)})
    assert page == {}
    assert words.pages_of("upr.countrymeeting", {"–/KE", "x", "1/2/3"}) == {}


def test_what_a_member_of_staff_did_last_stands_on_their_page(desk, ada, application):
    other = StaffFactory(name="Ben Rossi")
    application.prepare("accept", by=other, now=MONDAY)
    page = desk.get(reverse("admin:accounts_user_change", args=[other.pk])).content.decode()
    assert "Prepared: accept" in page
    assert f'href="{PAGE}?who={other.pk}"' in page


def test_the_history_of_the_stock_admin_is_ours(desk, ada, application):
    series = application.state_call.series
    trail.record(series, "changed", now=MONDAY, by=ada, reason="The hall burnt down.")
    page = desk.get(reverse("admin:upr_series_history", args=[series.pk])).content.decode()
    assert "The hall burnt down." in page
    assert "This object doesn’t have a change history" not in page
