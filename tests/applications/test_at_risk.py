"""People at risk: whose application is masked, for whom and where; how it is revealed; what of that is noted."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from applications import at_risk, erasure
from applications.models import Application
from presessions import vault
from presessions.mail.models import Letter, Report
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from tests.accounts.factories import StaffFactory
from tests.accounts.logins import forget_proof
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory, looked_through

pytestmark = pytest.mark.django_db

NAME, SPEAKER, NOTE, ADDRESS = "Zorblatt Watch", "Zinaida Zorblatt", "They follow Zinaida.", "zorblatt@example.org"
SECRETS = (NAME, SPEAKER, NOTE, ADDRESS, "Conditions in prisons.", "Ratify the Optional Protocol")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def application():
    made = ApplicationFactory(
        state_call=StateCallFactory(), submitted=True, name=NAME, full_name=SPEAKER, security_note=NOTE, email=ADDRESS
    )
    looked_through(made)
    return made


def person(*rights):
    """A member of staff with a few rights of applications."""
    user = StaffFactory(is_superuser=False)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights, content_type__app_label="applications"))
    return user


READER = ("view_application", "assess", "decide", "read_document", "compose", "enter", "export")


@pytest.fixture
def reader(client):
    """In whose browser: everything but the right to reveal."""
    client.force_login(person(*READER))
    return client


@pytest.fixture
def officer(client):
    """In whose browser: the safety officer, with a fresh proof of who they are."""
    client.force_login(person(*READER, "reveal"))
    return client


def page(name, *keys):
    return reverse(f"admin:applications_{name}", args=keys)


def page_of(application):
    return page("application_change", application.pk)


def take(browser, name, application, reason="A call from the family."):
    return browser.post(page(name, application.pk), {"reason": reason}, follow=True)


def codes(application):
    return [(event.code, event.refused) for event in Event.objects.about(application)]


def secrets_in(response):
    return [secret for secret in SECRETS if secret in response.content.decode()]


# --- Who is masked ----------------------------------------------------------------------------------------------------


def test_whoever_writes_a_private_security_note_is_masked_from_the_moment_of_sending():
    application = ApplicationFactory(security_note=NOTE)
    assert not application.at_risk
    application.submit(now=MONDAY)
    application.refresh_from_db()
    assert application.at_risk
    assert codes(application)[-2:] == [("submitted", False), ("marked_at_risk", False)]


def test_a_note_written_later_masks_too_and_the_same_one_saved_again_does_not():
    application = ApplicationFactory(submitted=True)
    assert not application.at_risk
    application.save_section("safety", {"security_note": NOTE}, now=MONDAY)
    assert application.at_risk
    at_risk.unmark(application, by=StaffFactory(), now=MONDAY, reason="It is about the door bell.")
    application.save_section("safety", {"security_note": NOTE, "consent_name": True}, now=MONDAY)
    assert not application.at_risk
    application.save_section("safety", {"security_note": "It got worse."}, now=MONDAY)
    assert Application.objects.get().at_risk


def test_nobody_else_is_masked():
    assert not ApplicationFactory(submitted=True).at_risk


def test_staff_who_see_the_danger_mask_it(reader):
    application = ApplicationFactory(submitted=True, name=NAME)
    assert NAME in reader.get(page_of(application)).content.decode()
    assert "It is masked from now on." in take(reader, "mark_at_risk", application, "").content.decode()
    assert secrets_in(reader.get(page_of(application))) == []


def test_to_mask_takes_somebody_who_reads_applications(client, application):
    quiet = ApplicationFactory(submitted=True)
    client.force_login(person("view_application"))
    assert take(client, "mark_at_risk", quiet).status_code == 403
    assert not Application.objects.get(pk=quiet.pk).at_risk
    assert codes(quiet)[-1] == ("marked_at_risk", True)


def test_of_two_who_mask_at_once_one_is_told_so(application):
    with pytest.raises(WrongStep, match="masked already"):
        at_risk.mark(application, by=StaffFactory(), now=MONDAY)
    assert codes(application)[-1] == ("marked_at_risk", True)


def test_what_is_erased_is_masked_no_more(application):
    erasure.erase(application, now=MONDAY)
    assert not application.at_risk
    with pytest.raises(WrongStep):
        at_risk.mark(application, by=StaffFactory(), now=MONDAY)


# --- What everybody sees ----------------------------------------------------------------------------------------------


def test_its_page_shows_reference_state_and_kind_and_nothing_that_was_written(reader, application):
    shown = reader.get(page_of(application))
    for word in (application.reference, application.state_call.state.name, "CSO", "at risk: masked"):
        assert word in shown.content.decode()
    assert secrets_in(shown) == []


def test_the_list_and_its_search_show_no_more(reader, application):
    for asked in ({}, {"q": application.reference}):
        listed = reader.get(page("application_changelist"), asked)
        assert application.reference in listed.content.decode()
        assert secrets_in(listed) == []


def test_no_address_leads_to_it(reader, application):
    found = reader.get(page("application_changelist"), {"q": ADDRESS})
    assert application.reference not in found.content.decode()


def test_the_safety_officer_finds_it_by_the_address_and_that_is_noted(officer, application):
    found = officer.get(page("application_changelist"), {"q": ADDRESS})
    assert application.reference in found.content.decode()
    assert ("found_by_address", False) in codes(application)


@pytest.mark.parametrize("name", ["document", "security_note", "assess"])
def test_nothing_of_it_is_handed_out_and_the_try_stands_in_its_history(reader, application, name):
    keys = [application.pk, application.upr_submission.pk] if name == "document" else [application.pk]
    ask = reader.get if name == "document" else reader.post
    answer = ask(page(name, *keys), {"overall": "strong"})
    assert (answer.status_code, secrets_in(answer)) == (403, [])
    assert codes(application)[-1] == ("masked_refused", True)


def test_the_passport_of_its_speaker_is_not_read_either(reader, application):
    Application.objects.filter(pk=application.pk).update(status="accepted")
    assert reader.post(page("passport", application.pk)).status_code == 403


def test_why_staff_did_something_is_masked_with_it(reader, application):
    application.prepare("decline", by=StaffFactory(name="Nadia Staff"), now=MONDAY, reason=f"{NAME} came twice.")
    shown = reader.get(page_of(application))
    assert "Nadia Staff" in shown.content.decode()
    assert "Why it was done is masked." in shown.content.decode()
    assert secrets_in(shown) == []


# --- Mail -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def postmaster(client):
    user = person(*READER)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["view_letter", "change_letter", "view_report"]))
    client.force_login(user)
    return client


def test_a_letter_to_somebody_at_risk_does_not_say_where_it_went(postmaster, application):
    letter = Letter.objects.get(kind="receipt")
    shown = postmaster.get(reverse("admin:mail_letter_change", args=[letter.pk]))
    assert shown.status_code == 200
    assert secrets_in(shown) == []
    assert "At risk: masked." in shown.content.decode()
    assert postmaster.get(reverse("admin:mail_letter_html", args=[letter.pk])).status_code == 403
    assert ("opened_masked", False) in codes(application)


def test_the_outbox_finds_nothing_of_it_by_its_address(postmaster, application):
    outbox = reverse("admin:mail_letter_changelist")
    assert application.reference not in postmaster.post(outbox, {"q": ADDRESS}, follow=True).content.decode()
    Application.objects.update(at_risk=False)
    assert application.reference in postmaster.post(outbox, {"q": ADDRESS}, follow=True).content.decode()


@pytest.mark.parametrize("name", ["late", "enter"])
def test_to_write_an_address_into_a_form_does_not_lead_there_either(client, application, name):
    asked = {
        "state_call": application.state_call_id, "email": ADDRESS, "language": "en", "reason": "The line was down.",
        "until_0": "2026-03-25", "until_1": "23:59", "received_at_0": "2026-03-01", "received_at_1": "10:00",
    }  # fmt: skip
    client.force_login(person(*READER))
    refused = client.post(page(name), asked).content.decode()
    assert "errornote" in refused or "errorlist" in refused
    assert application.reference not in refused
    client.force_login(person(*READER, "reveal"))
    assert application.reference in client.post(page(name), asked).content.decode()
    assert codes(application)[-1] == ("found_by_address", False)


@pytest.fixture
def seen_before(application):
    """An application of the same organisation that nobody masks, so that its name in the register is no secret."""
    before = ApplicationFactory(submitted=True, name=NAME)
    application.refresh_from_db()
    Application.objects.filter(pk=before.pk).update(organisation=application.organisation)
    return before


def test_the_address_line_of_a_list_finds_nobody_by_what_is_masked(reader, application, seen_before):
    """Django's admin would filter by any column of the table, whether or not the list offers it."""
    index = vault.blind_index("email", ADDRESS)
    theme, organisation = application.themes.first().pk, application.organisation_id
    for asked in (
        {"organisation": organisation}, {"organisation__id__exact": organisation}, {"themes": theme},
        {"founded_year": 1998}, {"scope": "national"}, {"language__in": "en"}, {"email_index": index},
    ):  # fmt: skip
        assert reader.get(page("application_changelist"), {"stands": "all", **asked}).status_code == 400, asked
        assert reader.get(page("application_export"), {"stands": "all", **asked}).status_code == 302, asked


def test_what_a_list_offers_still_filters_it(reader, application):
    for asked in (
        {"at_risk__exact": 1},
        {"series": application.meeting.series.pk},
        {"state": application.state_call.state.pk},
    ):
        listed = reader.get(page("application_changelist"), {"stands": "all", **asked})
        assert application.reference in listed.content.decode(), asked


def test_the_register_does_not_say_whose_an_application_is(client, application, seen_before):
    client.force_login(person(*READER, "view_organisation"))
    asked = {"applications": application.pk}
    assert client.get(page("organisation_changelist"), asked).status_code == 400


def test_nor_does_the_outbox_say_what_an_address_was_written_about(postmaster, application):
    index = vault.blind_index("email", ADDRESS)
    asked = {"eyes": "all", "to_index": index}
    assert postmaster.get(reverse("admin:mail_letter_changelist"), asked).status_code == 400


def test_what_came_back_from_somebody_at_risk_is_masked(postmaster, application):
    letter = Letter.objects.get(kind="receipt")
    report = Report.objects.create(fingerprint="1", read_at=MONDAY, verdict="unknown", letter=letter, text=NOTE)
    shown = postmaster.get(reverse("admin:mail_report_change", args=[report.pk]))
    assert shown.status_code == 200
    assert secrets_in(shown) == []


# --- Revealing --------------------------------------------------------------------------------------------------------


def test_the_safety_officer_reveals_it_with_a_reason_and_each_opening_is_noted(officer, application):
    assert secrets_in(officer.get(page_of(application))) == []
    shown = take(officer, "reveal", application)
    assert {NAME, SPEAKER} <= set(secrets_in(shown))
    officer.get(page_of(application))
    events = [code for code, _refused in codes(application)]
    assert events[-4:] == ["opened_masked", "revealed", "opened_revealed", "opened_revealed"]
    revealed = Event.objects.about(application).get(code="revealed")
    assert revealed.reason.text == "A call from the family."
    assert revealed.staff_id


def test_it_is_revealed_to_that_session_alone(officer, application, django_user_model):
    from django.test import Client

    take(officer, "reveal", application)
    elsewhere = Client()
    elsewhere.force_login(django_user_model.objects.get(pk=officer.session["_auth_user_id"]))
    assert secrets_in(elsewhere.get(page_of(application))) == []


def test_only_that_one_is_revealed(officer, application):
    other = ApplicationFactory(state_call=application.state_call, submitted=True, name=NAME, security_note=NOTE)
    take(officer, "reveal", application)
    assert secrets_in(officer.get(page_of(other))) == []


def test_after_half_an_hour_it_is_masked_again(officer, application, clock):
    take(officer, "reveal", application)
    clock.shift(timedelta(minutes=29, seconds=59))
    assert NAME in officer.get(page_of(application)).content.decode()
    clock.shift(timedelta(seconds=1))
    assert secrets_in(officer.get(page_of(application))) == []


def test_it_can_be_masked_again_at_once(officer, application):
    take(officer, "reveal", application)
    officer.post(page("hide", application.pk))
    assert secrets_in(officer.get(page_of(application))) == []
    assert ("hidden_again", False) in codes(application)


def test_a_right_that_is_taken_away_ends_it_at_once(officer, application, django_user_model):
    take(officer, "reveal", application)
    user = django_user_model.objects.get(pk=officer.session["_auth_user_id"])
    user.user_permissions.remove(Permission.objects.get(codename="reveal"))
    assert secrets_in(officer.get(page_of(application))) == []


def test_a_refused_reveal_still_leaves_its_event(reader, application):
    assert take(reader, "reveal", application).status_code == 403
    assert codes(application)[-1] == ("revealed", True)
    assert secrets_in(reader.get(page_of(application))) == []


def test_without_a_reason_nothing_is_revealed_and_the_try_is_noted(officer, application):
    answer = take(officer, "reveal", application, reason="  ")
    assert "Say in a few words why you need to see it" in answer.content.decode()
    assert secrets_in(answer) == []
    assert ("revealed", True) in codes(application)


@pytest.mark.parametrize("name", ["reveal", "unmark_at_risk"])
def test_whoever_has_not_proved_lately_who_they_are_is_asked_first(officer, application, name):
    forget_proof(officer)
    asked = officer.post(page(name, application.pk), {"reason": "A call from the family."})
    assert (asked.status_code, secrets_in(asked)) == (200, [])
    assert "Is it still you?" in asked.content.decode()
    assert secrets_in(officer.get(page_of(application))) == []
    assert Application.objects.get().at_risk


def test_only_a_post_reveals(officer, application):
    for name in ("reveal", "hide", "mark_at_risk", "unmark_at_risk"):
        assert officer.get(page(name, application.pk)).status_code == 405


def test_nobody_is_at_risk_any_more_says_the_safety_officer_with_a_reason(officer, application):
    take(officer, "unmark_at_risk", application, reason="")
    assert Application.objects.get().at_risk
    assert ("unmarked_at_risk", True) in codes(application)
    assert NAME in take(officer, "unmark_at_risk", application).content.decode()
    assert not Application.objects.get().at_risk


def test_others_cannot_take_the_mask_off(reader, application):
    assert take(reader, "unmark_at_risk", application).status_code == 403
    assert Application.objects.get().at_risk
    assert codes(application)[-1] == ("unmarked_at_risk", True)


# --- For other pages --------------------------------------------------------------------------------------------------


def test_a_page_of_many_asks_the_session_once_and_the_database_not_at_all(
    rf, application, django_assert_num_queries, reader
):
    request = rf.get("/")
    request.user, request.session = person(*READER), {}
    with django_assert_num_queries(0):
        names = [at_risk.visible_name(request, application) for _ in range(50)]
    assert set(names) == {"at risk: masked"}
    application.at_risk = False
    assert at_risk.visible_name(request, application) == NAME
    application.name_latin = "Zorblatt in Latin"
    assert at_risk.visible_name(request, application) == "Zorblatt in Latin"
