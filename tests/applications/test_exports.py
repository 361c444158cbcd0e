"""What leaves the house: to whom, which columns, what stays masked, and who took it."""

import csv
import io
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications import exporting, exports, seat
from applications.models import Application, Needs
from presessions import exports as ground
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory
from tests.accounts.logins import forget_proof
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory

pytestmark = pytest.mark.django_db

PAGE = "admin:applications_application_export"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def state_call(db):
    return StateCallFactory()


@pytest.fixture
def staff(db):
    return StaffFactory(name="Nadia Staff")


@pytest.fixture
def desk(client, staff):
    """A browser whose owner has just shown who they are."""
    client.force_login(staff)
    return client


def may(*codenames):
    user = StaffFactory(is_superuser=False)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="applications", codename__in=codenames))
    assert user.user_permissions.count() == len(codenames)
    return user


def export(browser, audience="internal", filter="stands=all", format="csv"):
    return browser.post(reverse(PAGE), {"audience": audience, "filter": filter, "format": format})


def rows(answer):
    """[{heading: cell}] of a CSV."""
    assert answer.status_code == 200, answer.status_code
    told = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    return [dict(zip(told[0], [ground.unguarded(cell) for cell in row], strict=True)) for row in told[1:]]


def seated(state_call, **facts):
    application = ApplicationFactory(state_call=state_call, confirmed=True, **facts)
    return Application.objects.with_state().get(pk=application.pk)


# --- What goes out ---------------------------------------------------------------------------------------------------


def test_the_rows_are_those_that_the_list_shows(desk, state_call):
    sent = ApplicationFactory(state_call=state_call, submitted=True)
    declined = ApplicationFactory(state_call=state_call, declined=True)
    ApplicationFactory(state_call=state_call)  # a draft goes out to nobody
    ApplicationFactory(state_call=state_call, submitted=True, withdrawn=True)
    found = {name: {row["reference"] for row in rows(export(desk, filter=name))} for name in ("", "stands=declined")}
    assert found == {"": {sent.reference}, "stands=declined": {declined.reference}}
    everything = {row["reference"] for row in rows(export(desk, filter="stands=all"))}
    assert everything == {sent.reference, declined.reference}
    assert [row["reference"] for row in rows(export(desk, filter=f"q={sent.reference}"))] == [sent.reference]


def test_the_page_says_how_many_rows_by_which_filter_and_for_whom(desk, state_call):
    ApplicationFactory(state_call=state_call, submitted=True)
    page = desk.get(reverse(PAGE), {"stands": "submitted", "series": state_call.series.pk})
    text = page.content.decode()
    assert "1 row, as the list shows it." in text
    assert f"Series: {state_call.series}" in text
    assert all(f'value="{audience.name}"' in text for audience in exports.AUDIENCES)
    assert Event.objects.filter(code__startswith="exported").count() == 0


def test_the_list_leads_there_with_its_filters(desk, state_call):
    ApplicationFactory(state_call=state_call, submitted=True)
    page = desk.get(reverse("admin:applications_application_changelist"), {"stands": "all"})
    assert f'href="{reverse(PAGE)}?stands=all"' in page.content.decode()


def test_both_formats_are_files_to_keep_and_nothing_remembers_them(desk, state_call):
    ApplicationFactory(state_call=state_call, submitted=True)
    for format, kind in (("xlsx", "spreadsheetml"), ("csv", "text/csv")):
        answer = export(desk, format=format)
        assert kind in answer["Content-Type"]
        assert answer["Content-Disposition"] == f'attachment; filename="application-internal-2026-03-02.{format}"'
        assert "no-store" in answer["Cache-Control"]


def test_a_formula_that_an_applicant_typed_is_a_text(desk, state_call):
    ApplicationFactory(state_call=state_call, submitted=True, organisation_name='=HYPERLINK("https://evil.example")')
    answer = export(desk)
    assert b"\"'=HYPERLINK" in answer.content
    assert rows(answer)[0]["name of the institution"] == '=HYPERLINK("https://evil.example")'


# --- To whom ---------------------------------------------------------------------------------------------------------

SAID = {
    "organisation_name": "Rights Now",
    "full_name": "Amina Canary",
    "phone": "+41 22 000 00 00",
    "security_note": "They know where I live.",
    "aims": "Our aims.",
    "issues": "Our issues.",
    "gender": "woman",
}
PASSPORT = {
    "passport_name": "CANARY AMINA",
    "passport_number": "X1234567",
    "nationality": "Kenyan",
    "born_on": "1990-01-02",
}


def wanting_a_badge(application):
    Needs.objects.create(application=application, badge=True, saved_at=MONDAY, **PASSPORT)


def test_each_audience_gets_its_columns_and_no_more(desk, state_call):
    application = seated(state_call, **SAID, consents=["organisation"])
    Application.objects.filter(pk=application.pk).update(at_risk=False)  # a note to few eyes marks it at once
    wanting_a_badge(application)
    said = {*SAID.values(), *PASSPORT.values(), application.email, "amina@example.org", application.reference}
    said |= {"Ratify the Optional Protocol by 2027.", "Justice", "woman"}
    told = {}
    for audience in exports.AUDIENCES:
        cells = " | ".join(" | ".join(row.values()) for row in rows(export(desk, audience.name))).replace(
            "Woman", "woman"
        )
        told[audience.name] = {words for words in said if words in cells}
    assert told == {
        "internal": said - {SAID["security_note"], *PASSPORT.values()},
        "moderator": {"Rights Now", "Amina Canary", "Our issues.", "Ratify the Optional Protocol by 2027.", "Justice"},
        "badges": {*PASSPORT.values(), "Rights Now"},
        "publication": set(),  # what was agreed to with the application has not been confirmed anew
        "statistics": {"woman", "Justice"},
    }


def test_the_public_gets_of_each_what_that_person_has_cleared(desk, state_call, clock):
    nobody, one = (seated(state_call, organisation_name=name) for name in ("Hidden", "Rights Now"))
    seat.publish_again(one, {"organisation", "recommendations"}, now=MONDAY + timedelta(hours=1))
    told = {row["institution"]: (row["speaker"], row["recommendations"]) for row in rows(export(desk, "publication"))}
    recommended = "1. Ratify the Optional Protocol by 2027."
    assert told == {"a national CSO": ("", ""), "Rights Now": ("", recommended)}
    assert nobody.reference not in export(desk, "publication").content.decode()


def test_badges_are_for_those_with_a_seat_who_asked(desk, state_call):
    wanting, without, given_up = (seated(state_call) for _ in range(3))
    for application in (wanting, given_up):
        wanting_a_badge(application)
    seat.give_up(given_up, now=MONDAY + timedelta(minutes=2))
    assert [row["number of the passport"] for row in rows(export(desk, "badges"))] == ["X1234567"]
    codes = Event.objects.filter(code="exported_badges").values_list("reference", flat=True)
    assert list(codes) == [wanting.reference] and without.reference not in codes


def test_whose_passport_is_not_known_stands_among_the_badges_and_the_cells_say_so(desk, state_call):
    application = seated(state_call)
    Needs.objects.create(application=application, badge=True, saved_at=MONDAY)
    (row,) = rows(export(desk, "badges"))
    assert [row[name] for name in list(row)[:4]] == ["not answered"] * 4


# --- At risk ---------------------------------------------------------------------------------------------------------


def test_somebody_at_risk_goes_out_masked_or_not_at_all(desk, state_call):
    application = seated(state_call, **SAID, consents=["organisation", "name"])
    wanting_a_badge(application)
    Application.objects.filter(pk=application.pk).update(at_risk=True)
    told = {audience.name: rows(export(desk, audience.name)) for audience in exports.AUDIENCES}
    assert {name: len(lines) for name, lines in told.items()} == {
        "internal": 1, "moderator": 1, "badges": 0, "publication": 0, "statistics": 1,
    }  # fmt: skip
    shown = " ".join(cell for lines in told.values() for line in lines for cell in line.values())
    known = {*SAID.values(), *PASSPORT.values(), "amina@example.org", "Justice", "National or local", "Woman"}
    assert [words for words in known if words in shown] == []
    assert told["internal"][0]["name of the institution"] == "at risk: masked"
    assert told["internal"][0]["reference"] == application.reference
    assert not Event.objects.filter(code__startswith="exported_").exists()  # nothing of it went out


def test_once_revealed_it_goes_out_and_its_history_says_so(desk, state_call):
    application = seated(state_call, **SAID)
    Application.objects.filter(pk=application.pk).update(at_risk=True)
    reveal = reverse("admin:applications_reveal", args=[application.pk])
    assert desk.post(reveal, {"reason": "The badge office has called."}).status_code == 302
    assert rows(export(desk))[0]["name of the institution"] == "Rights Now"
    assert Event.objects.about(application).filter(code="exported_internal").count() == 1


# --- Who may, and who took what --------------------------------------------------------------------------------------


def test_who_took_what_for_whom_and_by_which_filter_is_kept(desk, staff, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    export(desk, filter="stands=all", format="xlsx")
    taken = Event.objects.about(staff).get(code="exported")
    assert (taken.staff_id, taken.refused) == (staff.pk, False)
    assert taken.reason.text == "applications · internal · xlsx · 1 · where it stands: all"
    assert Event.objects.about(application).get(code="exported_internal").staff_id == staff.pk


def test_an_address_that_was_searched_for_stays_out_of_the_trail(desk, staff, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    export(desk, filter=f"q={application.email}")
    taken = Event.objects.about(staff).get(code="exported").reason.text
    assert application.email not in taken and "search: an address" in taken


def test_statistics_leave_no_event_on_anybody(desk, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    export(desk, "statistics")
    assert not Event.objects.about(application).filter(code__startswith="exported").exists()


def test_who_may_read_and_not_export_is_refused_and_that_is_kept(client, state_call):
    ApplicationFactory(state_call=state_call, submitted=True)
    reader = may("view_application")
    client.force_login(reader)
    assert client.get(reverse(PAGE)).status_code == 403
    assert export(client).status_code == 403
    assert Event.objects.about(reader).get(code="exported").refused
    assert "export" not in client.get(reverse("admin:applications_application_changelist")).content.decode().lower()


def test_passports_need_the_right_to_read_documents_as_well(client, state_call):
    wanting_a_badge(seated(state_call))
    lead = may("view_application", "export")
    client.force_login(lead)
    assert 'value="badges"' not in client.get(reverse(PAGE), {"stands": "all"}).content.decode()
    assert export(client, "badges").status_code == 403
    assert Event.objects.about(lead).get(code="exported").refused
    assert len(rows(export(client, "moderator"))) == 1


def test_without_a_fresh_proof_nothing_goes_out(desk, staff, state_call):
    ApplicationFactory(state_call=state_call, submitted=True)
    forget_proof(desk)
    page = export(desk)
    assert "Content-Disposition" not in page
    assert dict(page.context_data["carried"])["audience"] == "internal"  # and it goes on once the code is typed
    assert not Event.objects.about(staff).filter(code="exported").exists()


def test_too_many_rows_are_refused_in_words(desk, staff, state_call, monkeypatch):
    monkeypatch.setattr(exporting, "MOST", 1)
    for _ in range(2):
        ApplicationFactory(state_call=state_call, submitted=True)
    answer = export(desk)
    assert answer.status_code == 302
    assert "more than 1 rows" in desk.get(answer.url).content.decode()
    assert Event.objects.about(staff).get(code="exported").refused


@pytest.mark.parametrize(
    "posted", [{}, {"audience": "nobody"}, {"format": "exe"}, {"filter": "series=x&e=1&nonsense=7"}]
)
def test_nonsense_leads_back_to_the_page_and_takes_nothing(desk, staff, state_call, posted):
    ApplicationFactory(state_call=state_call, submitted=True)
    given = {"audience": "internal", "format": "csv", "filter": ""} | posted if posted else {}
    assert desk.post(reverse(PAGE), given).status_code == 302
    assert not Event.objects.about(staff).filter(code="exported", refused=False).exists()


def test_a_file_of_many_costs_no_more_queries_than_one_of_few(desk, state_call):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            export(desk)
        return len(queries)

    ApplicationFactory(state_call=state_call, submitted=True)
    cost()
    few = cost()
    for _ in range(3):
        ApplicationFactory(state_call=state_call, submitted=True)
    assert cost() == few
