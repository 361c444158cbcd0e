"""The staff's desk: what it opens on, what it shows beside what, who may do what, and what it costs."""

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications import assessments, at_risk
from applications.models import Application, Assessment, Attachment, Contact, Organisation, StateCall, Theme
from presessions import vault
from presessions.mail.models import Letter
from presessions.trail.models import Event
from presessions.upr.dates import GENEVA
from presessions.upr.signals import dates_changed
from tests.accounts.factories import StaffFactory
from tests.applications import hostile
from tests.applications.factories import (
    CLOSES_AT,
    MONDAY,
    OPENS_AT,
    ApplicationFactory,
    ContactFactory,
    StateCallFactory,
    Verdict,
    looked_through,
    upload,
)
from tests.upr.dialogue import post
from tests.upr.factories import CountryMeetingFactory

pytestmark = pytest.mark.django_db

LISTS = ("application", "call", "statecall", "contact", "organisation", "theme")
INLINE = re.compile(r"<style|<script(?![^>]*\bsrc=)(?![^>]*application/json)|\sstyle=|\son[a-z]+=", re.IGNORECASE)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False):
        yield


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


def may(*codenames):
    """A member of staff with these rights and no others."""
    user = StaffFactory(is_superuser=False)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="applications", codename__in=codenames))
    assert user.user_permissions.count() == len(codenames)
    return user


def page(name, *args):
    return reverse(f"admin:applications_{name}", args=args)


def page_of(application):
    return page("application_change", application.pk)


def rows(response):
    return [application.reference for application in response.context["cl"].result_list]


def text(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


# --- The list --------------------------------------------------------------------------------------------------------


def test_the_list_opens_on_what_waits_for_an_answer(desk, state_call):
    waiting = ApplicationFactory(state_call=state_call, submitted=True)
    ApplicationFactory(state_call=state_call)
    ApplicationFactory(state_call=state_call, declined=True)
    assert rows(desk.get(page("application_changelist"))) == [waiting.reference]
    assert len(rows(desk.get(page("application_changelist"), {"stands": "all"}))) == 3
    assert len(rows(desk.get(page("application_changelist"), {"stands": "draft"}))) == 1


def test_the_list_knows_what_i_have_not_assessed_and_what_is_prepared(desk, staff, state_call):
    done, open_one = (ApplicationFactory(state_call=state_call, submitted=True) for _ in range(2))
    assessments.assess(done, by=staff, now=MONDAY, overall="strong")
    done.prepare("accept", by=staff, now=MONDAY)
    assert rows(desk.get(page("application_changelist"), {"stands": "mine"})) == [open_one.reference]
    assert rows(desk.get(page("application_changelist"), {"stands": "prepared"})) == [done.reference]


def test_the_list_filters_by_series_and_state(desk, state_call):
    here = ApplicationFactory(state_call=state_call, submitted=True)
    there = ApplicationFactory(submitted=True)
    found = desk.get(page("application_changelist"), {"state": there.state_call.state.pk})
    assert rows(found) == [there.reference]
    found = desk.get(page("application_changelist"), {"series": here.state_call.series.pk})
    assert set(rows(found)) == {here.reference, there.reference}


def test_a_search_finds_the_reference_as_people_write_it_and_the_whole_address(desk, state_call):
    application = ApplicationFactory(state_call=state_call, declined=True, email="Amina@Example.org")
    ApplicationFactory(state_call=state_call, submitted=True)
    spoken = application.reference.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    for words in (application.reference, spoken, application.reference[:5], "amina@example.org", " AMINA@example.org "):
        assert rows(desk.get(page("application_changelist"), {"q": words})) == [application.reference]
    for words in ("amina", "example.org", "mina@example.org", "*"):
        assert application.reference not in rows(desk.get(page("application_changelist"), {"q": words}))


def test_no_list_names_a_person_or_an_institution(desk, state_call):
    ApplicationFactory(
        state_call=state_call, submitted=True, organisation_name="Canary Rights", full_name="Amina Canary",
        email="canary@example.org",
    )  # fmt: skip
    ContactFactory(email="canary@example.org")
    for name in (*(f"{name}_changelist" for name in LISTS), "decisions_index"):
        assert "canary" not in desk.get(page(name)).content.decode().lower()


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens_with_a_search(desk, name):
    for words in ("x", "a@example.org", "'\"%_\\", "\0"):
        assert desk.get(page(f"{name}_changelist"), {"q": words}).status_code == 200, words


def fill(state_call, number):
    for n in range(number):
        application = ApplicationFactory(state_call=state_call, submitted=True)
        assessments.assess(application, by=StaffFactory(), now=MONDAY, overall="strong")
        application.prepare("accept", by=StaffFactory(), now=MONDAY)
        StateCallFactory(meeting=CountryMeetingFactory())
        ContactFactory()
        Organisation.objects.create(name="Rights", kind="cso")
        Theme.objects.create(slug=f"theme-{n}-{Theme.objects.count()}", name_en="Theme")


def queries_of(client, address):
    client.get(address)  # content types and the like are remembered
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("name", [*(f"{name}_changelist" for name in LISTS), "decisions_index"])
def test_a_list_costs_the_same_with_more_rows(desk, state_call, name):
    fill(state_call, 1)
    few = queries_of(desk, page(name))
    fill(state_call, 4)
    assert queries_of(desk, page(name)) == few


def test_a_page_costs_the_same_with_a_longer_history(desk, staff, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    assessments.assess(application, by=staff, now=MONDAY, overall="strong")
    few = queries_of(desk, page_of(application))
    for _ in range(4):
        assessments.assess(application, by=StaffFactory(), now=MONDAY, overall="weak")
        application.prepare("accept", by=StaffFactory(), now=MONDAY, reason="Why not.")
    assert queries_of(desk, page_of(application)) == few


def test_the_answers_of_a_meeting_cost_the_same_with_more_applications(desk, state_call):
    fill(state_call, 1)
    few = queries_of(desk, page("decisions", state_call.meeting.pk))
    fill(state_call, 4)
    assert queries_of(desk, page("decisions", state_call.meeting.pk)) == few


def test_a_list_does_not_fetch_what_applicants_wrote(desk, state_call):
    ApplicationFactory(state_call=state_call, submitted=True)
    with CaptureQueriesContext(connection) as captured:
        desk.get(page("application_changelist"))
    listed = [query["sql"] for query in captured if '"applications_application"."reference"' in query["sql"]]
    assert listed
    assert not [sql for sql in listed if '"applications_application"."issues"' in sql]


# --- The page --------------------------------------------------------------------------------------------------------


def test_the_page_shows_answers_document_consents_and_history(desk, state_call):
    application = ApplicationFactory(
        state_call=state_call,
        submitted=True,
        organisation_name="Rights Now",
        full_name="Amina Canary",
        consents=["name"],
    )
    document = looked_through(application)
    response = desk.get(page_of(application))
    shown = text(response)
    for answer in ("Rights Now", "Amina Canary", "Conditions in prisons.", "Ratify the Optional Protocol", "Justice"):
        assert answer in shown
    assert "Speaker’s name agreed" in " ".join(shown.split())
    assert "UPR submission attached" in shown
    address = page("document", application.pk, document.pk)
    assert f'<iframe src="{address}?inline#' in response.content.decode()


@pytest.mark.parametrize("facts", [{}, {"submitted": True, "withdrawn": True}])
def test_what_is_not_ours_to_read_is_not_shown(desk, staff, state_call, facts):
    application = ApplicationFactory(state_call=state_call, organisation_name="Rights Now", **facts)
    shown = text(desk.get(page_of(application)))
    assert "Rights Now" not in shown
    assert "Amina" not in shown
    attachment = looked_through(application)
    assert desk.get(page("document", application.pk, attachment.pk)).status_code == 404
    assert desk.post(page("security_note", application.pk)).status_code == 404


def test_what_applicants_write_cannot_become_markup(desk, state_call):
    application = ApplicationFactory(
        state_call=state_call, submitted=True, organisation_name="<script>alert(1)</script>{{ request.user }}"
    )
    shown = desk.get(page_of(application)).content.decode()
    assert "<script>alert(1)" not in shown
    assert "{{ request.user }}" in shown


def test_an_application_that_is_not_there_is_not_found(desk):
    for address in (page("application_change", 404), "/admin/applications/application/x/change/"):
        assert desk.get(address).status_code == 404


# --- Assess ----------------------------------------------------------------------------------------------------------


VIEW = {"national_voice": "3", "follow_up": "", "recommendations": "2", "new_theme": "0", "overall": "strong"}


def test_my_view_is_saved_and_then_others_show(desk, staff, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    assessments.assess(application, by=StaffFactory(name="Omar"), now=MONDAY, overall="weak", note="Too general.")
    before = text(desk.get(page_of(application)))
    assert "Too general." not in before
    assert "Omar" not in before.split("History")[0]
    assert "One assessment is saved; you see it once yours is." in before
    desk.post(page("assess", application.pk), VIEW | {"note": "Clear."})
    mine = Assessment.objects.get(by=staff)
    assert (mine.national_voice, mine.follow_up, mine.new_theme, mine.overall, mine.note) == (
        3,
        None,
        0,
        "strong",
        "Clear.",
    )
    assert "Too general." in text(desk.get(page_of(application)))


def test_a_view_without_an_overall_word_is_asked_for_it_and_keeps_what_was_typed(desk, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    response = desk.post(page("assess", application.pk), VIEW | {"overall": "", "note": "Half a thought"})
    assert response.status_code == 200
    assert "Choose your overall view, or abstain." in text(response)
    assert "Half a thought" in text(response)
    assert not Assessment.objects.exists()


def test_who_has_a_conflict_abstains(desk, staff, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    desk.post(page("assess", application.pk), {"abstained": "on", "overall": "strong"})
    row = Assessment.objects.get(by=staff)
    assert (row.abstained, row.overall) == (True, "")


# --- Prepare and release ---------------------------------------------------------------------------------------------


def test_a_decision_is_prepared_by_a_button_and_taken_back(desk, staff, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    desk.post(page("prepare", application.pk), {"decision": "accept"})
    application.refresh_from_db()
    assert (application.prepared, application.prepared_by, application.status) == ("accept", staff, "submitted")
    desk.post(page("prepare", application.pk), {"decision": ""})
    application.refresh_from_db()
    assert application.prepared == ""


def test_declining_needs_a_reason_that_stays_in_the_history(desk, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    response = desk.post(page("prepare", application.pk), {"decision": "decline", "reason": "  "}, follow=True)
    assert "Please give a reason" in text(response)
    desk.post(page("prepare", application.pk), {"decision": "decline", "reason": "Four say the same."})
    application.refresh_from_db()
    assert application.prepared == "decline"
    assert "Four say the same." in text(desk.get(page_of(application)))
    assert "Four say the same." not in text(desk.get(page("decisions", application.meeting.pk)))


def test_a_step_that_is_too_late_says_so(desk, state_call):
    application = ApplicationFactory(state_call=state_call, declined=True)
    response = desk.post(page("prepare", application.pk), {"decision": "accept"}, follow=True)
    assert "is already declined" in text(response)
    assert desk.post(page("prepare", application.pk), {"decision": "promote"}).status_code == 404


def seen_on(response):
    return re.findall(r'name="seen" value="([^"]+)"', response.content.decode())


def test_a_meetings_answers_are_seen_in_each_language_and_released_together(desk, staff, state_call):
    for decision, language in (("accept", "fr"), ("decline", "en")):
        application = ApplicationFactory(state_call=state_call, submitted=True, language=language)
        application.prepare(decision, by=staff, now=MONDAY, reason="Because.")
    shown = desk.get(page("decisions", state_call.meeting.pk))
    assert "cannot offer you a seat" in text(shown)
    assert 'lang="fr"' in shown.content.decode()
    assert "Release 2 answers" in text(shown)
    address = page("release", state_call.meeting.pk)
    assert "Released: 2." in text(desk.post(address, {"seen": seen_on(shown), "while_open": "yes"}, follow=True))
    assert Letter.objects.filter(kind__startswith="decision_").count() == 2
    assert "No answer is prepared" in text(desk.post(address, {"seen": seen_on(shown)}, follow=True))


def test_nobody_is_accepted_while_the_call_is_open_unless_staff_say_so(desk, staff, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    application.prepare("accept", by=staff, now=MONDAY)
    shown, address = desk.get(page("decisions", state_call.meeting.pk)), page("release", state_call.meeting.pk)
    assert "The call is still open: release all the same" in text(shown)
    refused = desk.post(address, {"seen": seen_on(shown)}, follow=True)
    assert "The call is still open. To accept people all the same" in text(refused)
    assert not Letter.objects.filter(kind__startswith="decision_").exists()
    assert "Released: 1." in text(desk.post(address, {"seen": seen_on(shown), "while_open": "yes"}, follow=True))


def test_a_no_may_be_released_while_the_call_is_open(desk, staff, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    application.prepare("decline", by=staff, now=MONDAY)
    shown = desk.get(page("decisions", state_call.meeting.pk))
    assert "release all the same" not in text(shown)
    assert "Released: 1." in text(
        desk.post(page("release", state_call.meeting.pk), {"seen": seen_on(shown)}, follow=True)
    )


def test_what_was_prepared_after_the_page_was_shown_is_not_released(desk, staff, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    application.prepare("accept", by=staff, now=MONDAY)
    shown = desk.get(page("decisions", state_call.meeting.pk))
    late = ApplicationFactory(state_call=state_call, submitted=True)
    late.prepare("decline", by=staff, now=MONDAY)
    response = desk.post(page("release", state_call.meeting.pk), {"seen": seen_on(shown)}, follow=True)
    assert "have changed since you saw them" in text(response)
    assert not Letter.objects.filter(kind__startswith="decision_").exists()


def test_reading_changes_nothing(desk, staff, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    application.prepare("accept", by=staff, now=MONDAY)
    before = list(Application.objects.values()), Letter.objects.count(), Event.objects.count()
    for address in (page_of(application), page("decisions", application.meeting.pk), page("decisions_index")):
        assert desk.get(address).status_code == desk.head(address).status_code == 200
    for name, key in (("prepare", application.pk), ("assess", application.pk), ("release", application.meeting.pk)):
        assert desk.get(page(name, key)).status_code == 405
    assert (list(Application.objects.values()), Letter.objects.count(), Event.objects.count()) == before


# --- Documents -------------------------------------------------------------------------------------------------------


def with_document(state_call, content, name, content_type):
    application = ApplicationFactory(state_call=state_call)
    verdict = type("Found", (Verdict,), {"content_type": content_type, "name": name})
    application.attach(upload(content, name), Attachment.Kind.UPR_SUBMISSION, verdict, now=MONDAY)
    application.submit(now=MONDAY)
    return Application.objects.get(pk=application.pk)


def test_of_a_pdf_the_cleaned_copy_is_read_inline_and_the_reading_is_noted(desk, staff, state_call):
    content = hostile.pdf(lambda document: document.docinfo.__setitem__("/Author", "Amina Canary"))
    application = with_document(state_call, content, "submission.pdf", "pdf")
    document = looked_through(application)
    response = desk.get(page("document", application.pk, document.pk) + "?inline")
    shown = b"".join(response.streaming_content)
    assert shown == vault.storage.open(document.cleaned).read()
    assert b"Amina" in content and b"Amina" not in shown
    assert response["Content-Type"] == "application/pdf"
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in response["Content-Security-Policy"]
    assert "default-src 'none'" in response["Content-Security-Policy"]
    event = Event.objects.about(application).get(code="document_read")
    assert (event.staff_id, event.at) == (staff.pk, MONDAY)


@pytest.mark.parametrize(
    ("make", "content_type", "words"),
    [(hostile.docx, "docx", "Download the Word document"), (hostile.odt, "odt", "Download the OpenDocument text")],
)
def test_what_is_no_pdf_is_read_as_text_and_is_a_download_of_the_cleaned_copy(
    desk, state_call, make, content_type, words
):
    application = with_document(state_call, make(), f"submission.{content_type}", content_type)
    document = looked_through(application)
    shown = desk.get(page_of(application))
    assert f'<iframe src="{page("document_text", application.pk, document.pk)}"' in shown.content.decode()
    assert words in text(shown)
    assert "1 word" in text(shown)
    response = desk.get(page("document", application.pk, document.pk) + "?inline")
    assert b"".join(response.streaming_content) == vault.storage.open(document.cleaned).read()
    name = f"{application.reference}-submission-2.{content_type}"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_of_a_refused_file_staff_see_why_and_nothing_else(desk, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    Attachment.objects.update(state="refused", refused_because="pdf_script")
    shown = desk.get(page_of(application))
    assert "could not be kept" in text(shown)
    assert "JavaScript" in text(shown)
    document = Attachment.objects.get()
    assert page("document", application.pk, document.pk) not in shown.content.decode()
    assert desk.get(page("document", application.pk, document.pk)).status_code == 404


def test_a_document_is_reached_only_through_its_own_application(desk, state_call):
    one, other = (ApplicationFactory(state_call=state_call, submitted=True) for _ in range(2))
    document = looked_through(other)
    assert desk.get(page("document", other.pk, document.pk)).status_code == 200
    assert desk.get(page("document", one.pk, document.pk)).status_code == 404


@pytest.mark.parametrize("facts", [{"state": "quarantine"}, {"state": "checked", "cleaned": ""}, {"state": "erased"}])
def test_a_document_without_a_cleaned_copy_has_no_address(desk, state_call, facts):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    document = looked_through(application)
    Attachment.objects.update(**facts)
    shown = desk.get(page_of(application))
    assert "<iframe" not in shown.content.decode()
    assert ("is being checked" in text(shown)) == (facts["state"] != "erased")
    assert desk.get(page("document", application.pk, document.pk)).status_code == 404


def test_the_security_note_is_read_by_a_button_and_noted(desk, staff, state_call):
    application = not_at_risk(
        ApplicationFactory(state_call=state_call, submitted=True, security_note="Do not call my office.")
    )
    assert "Do not call" not in text(desk.get(page_of(application)))
    assert "Do not call" in text(desk.post(page("security_note", application.pk)))
    assert Event.objects.about(application).get(code="security_note_read").staff_id == staff.pk


def not_at_risk(application):
    """Somebody has read the private security note, and found nobody in danger."""
    at_risk.unmark(application, by=StaffFactory(), now=MONDAY, reason="About the door bell.")
    return application


# --- Who may do what -------------------------------------------------------------------------------------------------


STEPS = {
    "the page": ("get", "application_change", {"view_application"}),
    "the answers of meetings": ("get", "decisions_index", {"view_application"}),
    "the answers of one meeting": ("get", "decisions", {"view_application"}),
    "a document": ("get", "document", {"view_application", "read_document"}),
    "a security note": ("post", "security_note", {"view_application", "read_document"}),
    "assess": ("post", "assess", {"view_application", "assess"}),
    "prepare": ("post", "prepare", {"view_application", "decide"}),
    "release": ("post", "release", {"view_application", "decide"}),
}
ALL = {"view_application", "read_document", "assess", "decide"}


def ask(client, application, method, name):
    keys = {
        "decisions_index": [],
        "decisions": [application.meeting.pk],
        "release": [application.meeting.pk],
        "document": [application.pk, application.upr_submission.pk],
    }.get(name, [application.pk])
    return getattr(client, method)(page(name, *keys), {"decision": "accept", **VIEW}).status_code


@pytest.mark.parametrize("step", STEPS)
def test_each_page_and_step_needs_each_of_its_rights(client, state_call, step):
    method, name, needed = STEPS[step]
    application = not_at_risk(ApplicationFactory(state_call=state_call, submitted=True, security_note="x"))
    looked_through(application)
    client.force_login(may(*needed))
    assert ask(client, application, method, name) in (200, 302)
    for right in needed:
        client.force_login(may(*(ALL - {right})))
        assert ask(client, application, method, name) == 403
    client.logout()
    assert ask(client, application, method, name) == 302  # to the log-in
    client.force_login(StaffFactory(is_staff=False))
    assert ask(client, application, method, name) == 302


def test_nothing_is_done_when_it_is_refused(client, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    client.force_login(may("view_application"))
    for step in ("assess", "prepare", "release", "a document"):
        ask(client, application, *STEPS[step][:2])
    application.refresh_from_db()
    assert application.prepared == ""
    assert not Assessment.objects.exists()
    assert not Event.objects.filter(code="document_read").exists()


def test_a_reader_sees_no_button_that_would_be_refused(client, state_call):
    application = not_at_risk(ApplicationFactory(state_call=state_call, submitted=True, security_note="x"))
    client.force_login(may("view_application"))
    shown = client.get(page_of(application)).content.decode()
    for name in ("assess", "prepare", "security_note"):
        assert f'action="{page(name, application.pk)}"' not in shown
    assert "<iframe" not in shown


def test_applications_are_not_added_changed_or_deleted_by_hand(desk, state_call):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    assert desk.get(page("application_add")).status_code == 403
    assert desk.post(page("application_delete", application.pk), {"post": "yes"}).status_code == 403
    desk.post(page_of(application), {"status": "accepted", "name": "Somebody else"})
    application.refresh_from_db()
    assert (application.status, application.name) == ("submitted", "Rights Now")


def test_forged_posts_are_refused(state_call, staff):
    application = ApplicationFactory(state_call=state_call, submitted=True)
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    for name in ("assess", "prepare", "security_note"):
        assert client.post(page(name, application.pk), {"decision": "accept", **VIEW}).status_code == 403
    assert client.post(page("release", application.meeting.pk)).status_code == 403


# --- Calls -----------------------------------------------------------------------------------------------------------


def fields(closes_at, **more):
    """The admin's form of a call that closes then, typed as staff do: by its last minute."""
    closes_at -= timedelta(minutes=1)
    day, hour = closes_at.strftime("%Y-%m-%d"), closes_at.strftime("%H:%M")
    return {"closes_at_0": day, "closes_at_1": hour, **more}


@pytest.fixture
def announced():
    heard = []

    def hear(series, **_):
        heard.append(series.number)

    dates_changed.connect(hear, weak=False)
    yield heard
    dates_changed.disconnect(hear)


def test_one_state_is_extended_with_a_reason_and_announced(desk, staff, state_call, announced):
    later = CLOSES_AT + timedelta(days=7)
    address = page("statecall_change", state_call.pk)
    assert "why this State has a date of its own" in text(desk.post(address, fields(later)))
    assert announced == []
    post(desk, address, fields(later, reason="Floods."))
    state_call = StateCall.objects.get(pk=state_call.pk)
    assert (state_call.deadline, state_call.reason) == (later, "Floods.")
    assert announced == [54, 54]  # tried and undone, to show what changes with it; then saved
    event = Event.objects.about(state_call).get(code="deadline_moved")
    assert (event.staff_id, event.reason.text) == (staff.pk, "Floods.")


def test_the_deadline_of_a_series_moves_with_a_reason(desk, staff, state_call, announced):
    later = CLOSES_AT + timedelta(days=7)
    opens = {"opens_at_0": OPENS_AT.strftime("%Y-%m-%d"), "opens_at_1": OPENS_AT.strftime("%H:%M")}
    call = state_call.call
    post(
        desk,
        page("call_change", call.pk),
        fields(later, minimum="2", statement_lead_days="10", confirm_days="7", reason="Easter.", **opens),
    )
    call.refresh_from_db()
    assert (call.opens_at, call.closes_at, call.minimum, call.statement_lead_days) == (OPENS_AT, later, 2, 10)
    assert announced == [54, 54]
    assert Event.objects.about(call).get(code="deadline_moved").reason.text == "Easter."


def shown(response):
    """The fields of an admin form as a browser would send them back unchanged."""
    return {
        field.html_name + part: value
        for field in response.context["adminform"].form
        for part, value in (
            zip(("_0", "_1"), map(str, field.field.widget.decompress(field.value())), strict=True)
            if hasattr(field.field.widget, "decompress")
            else [("", "" if field.value() is None else field.value())]
        )
    }


@pytest.mark.parametrize("name", ["call", "statecall"])
def test_staff_type_the_last_minute_as_the_public_page_says_it(desk, state_call, name):
    row = state_call.call if name == "call" else state_call
    typed = {**shown(desk.get(page(f"{name}_change", row.pk))), "reason": "Holidays."}
    typed |= {"closes_at_0": "2026-04-05", "closes_at_1": "23:59"}
    assert post(desk, page(f"{name}_change", row.pk), typed).status_code == 302
    state_call = StateCall.objects.with_state().get()
    assert state_call.deadline == datetime(2026, 4, 6, tzinfo=GENEVA)
    words = "Sun 5 April 2026, 23:59 Geneva time"
    public = [
        reverse("applications:meeting", args=[state_call.series.number, state_call.state.pk]),
        page(f"{name}_changelist"),
        page("decisions", state_call.meeting.pk),
    ]
    for address in public:
        assert words in text(desk.get(address)), address
    again = shown(desk.get(page(f"{name}_change", row.pk)))
    assert (again["closes_at_0"], again["closes_at_1"]) == ("2026-04-05", "23:59:00")


@pytest.mark.parametrize("closes_at", ["2026-03-23 00:00+01:00", "2026-03-29 03:00+02:00", "2026-04-06 12:30:15+02:00"])
def test_a_call_saved_as_it_was_opened_changes_nothing(desk, state_call, announced, closes_at):
    closes_at = datetime.fromisoformat(closes_at)
    state_call.call.move_deadline(closes_at, now=MONDAY)
    state_call.extend(closes_at, now=MONDAY, reason="Floods.")
    events = Event.objects.count()
    announced.clear()
    for address in (page("call_change", state_call.call.pk), page("statecall_change", state_call.pk)):
        assert desk.post(address, shown(desk.get(address))).status_code == 302
    state_call = StateCall.objects.with_state().get()
    assert (state_call.closes_at, state_call.call.closes_at, announced) == (closes_at, closes_at, [])
    assert Event.objects.count() == events


def test_those_who_only_read_a_call_read_its_last_minute(client, state_call):
    client.force_login(may("view_call", "view_statecall"))
    for address in (page("call_change", state_call.call.pk), page("statecall_change", state_call.pk)):
        assert "Sun 22 March 2026, 23:59 Geneva time" in text(client.get(address))


def test_a_last_minute_at_the_end_of_the_calendar_is_pointed_at(desk, state_call):
    typed = fields(CLOSES_AT, reason="Never.") | {"closes_at_0": "9999-12-31", "closes_at_1": "23:59"}
    assert "Enter a valid date." in text(desk.post(page("statecall_change", state_call.pk), typed))


def test_a_call_is_opened_with_a_call_for_each_state(desk, staff):
    meeting = CountryMeetingFactory()
    opens = {"opens_at_0": OPENS_AT.strftime("%Y-%m-%d"), "opens_at_1": OPENS_AT.strftime("%H:%M")}
    desk.post(
        page("call_add"),
        fields(CLOSES_AT, series=meeting.series.pk, minimum="3", statement_lead_days="14", confirm_days="10", **opens),
    )
    assert StateCall.objects.get().meeting == meeting
    assert Event.objects.get(room="applications.call", code="opened").staff_id == staff.pk


def test_a_call_cannot_close_before_it_opens(desk, state_call):
    opens = {"opens_at_0": CLOSES_AT.strftime("%Y-%m-%d"), "opens_at_1": "09:00"}
    before = CLOSES_AT - timedelta(days=1)
    response = desk.post(
        page("call_change", state_call.call.pk),
        fields(before, minimum="3", statement_lead_days="14", confirm_days="10", **opens),
    )
    assert "cannot close before it opens" in text(response)


# --- Contacts and the register ---------------------------------------------------------------------------------------


def test_a_contact_is_found_by_the_whole_address(desk):
    contact = ContactFactory(email="amina@example.org")
    ContactFactory()
    found = desk.get(page("contact_changelist"), {"q": "Amina@example.org"})
    assert [row.reference for row in found.context["cl"].result_list] == [contact.reference]


def test_the_register_of_organisations_is_kept_by_hand(desk):
    desk.post(page("organisation_add"), {"name": "Rights Now", "name_latin": "", "kind": "cso", "note": ""})
    organisation = Organisation.objects.get()
    assert (organisation.name, str(organisation)) == ("Rights Now", organisation.reference)


# --- Every page ------------------------------------------------------------------------------------------------------


def every_page(state_call):
    fill(state_call, 1)
    application, contact = Application.objects.first(), Contact.objects.first()
    return [
        *(page(f"{name}_changelist") for name in LISTS),
        *(page(f"{name}_add") for name in ("call", "contact", "organisation", "theme")),
        page_of(application),
        page("review_one", application.pk),
        page("matrix", state_call.meeting.pk),
        page("decisions_index"),
        page("decisions", state_call.meeting.pk),
        page("statecall_change", state_call.pk),
        page("call_change", state_call.call.pk),
        page("contact_change", contact.pk),
        page("contact_import"),
        page("enter"),
        page("organisation_change", Organisation.objects.first().pk),
        page("theme_change", Theme.objects.first().pk),
    ]


def test_no_page_needs_an_exception_from_the_policy(desk, state_call):
    for address in every_page(state_call):
        response = desk.get(address)
        assert response.status_code == 200, address
        assert "unsafe" not in response["Content-Security-Policy"]
        assert not INLINE.search(response.content.decode()), address


def test_every_page_speaks_the_language_of_staff(desk, state_call):
    for address in every_page(state_call):
        assert desk.get(address, headers={"accept-language": "fr"}).status_code == 200
