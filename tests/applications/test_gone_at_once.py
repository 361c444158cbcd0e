"""What goes when an application is taken back or erased, also at the very moment somebody else works on it; and how
often a mailbox is written to because somebody asks."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.urls import reverse

from applications import cleaning, entering, erasure, letters, seat
from applications.models import Application, Contact, Needs
from presessions import vault
from presessions.mail.models import Letter
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db
LATER = MONDAY + timedelta(days=7)


def files():
    return {path.name for path in Path(settings.PRIVATE_FILES).rglob("*") if path.is_file()}


# --- Taken back, and erased -------------------------------------------------------------------------------------------


def test_the_passport_goes_with_an_application_that_is_taken_back():
    application = ApplicationFactory(confirmed=True)
    seat.save_needs(application, {"visa_letter": True, "accessibility": "A ramp"}, now=MONDAY)
    application.withdraw(now=MONDAY)
    assert not Needs.objects.filter(application=application).exists()


def test_what_is_erased_does_not_tell_an_nhri_from_others_because_most_states_have_one():
    nhri = ApplicationFactory(kind="nhri", ganhri_status="a", scope="", ecosoc_status="", submitted=True)
    cso = ApplicationFactory(kind="cso", submitted=True)
    for application in (nhri, cso):
        erasure.erase(application, now=LATER)
    assert {(one.kind, one.scope, one.ganhri_status) for one in (nhri, cso)} == {("", "", "")}


def test_a_copy_that_is_finished_while_its_application_is_erased_leaves_the_disk(monkeypatch):
    application = ApplicationFactory(submitted=True)
    before, kept = files(), vault.storage.keep

    def erased_meanwhile(copy):
        name = kept(copy)
        erasure.erase(Application.objects.get(pk=application.pk), now=LATER)
        return name

    monkeypatch.setattr(vault.storage, "keep", erased_meanwhile)
    cleaning.look_through(MONDAY)
    assert files() < before


def test_names_of_files_are_read_from_rows_that_nobody_can_change_any_more(django_assert_num_queries):
    application = ApplicationFactory(submitted=True)
    with django_assert_num_queries(2) as asked:
        assert len(erasure._files(application)) == 1
    assert all("FOR UPDATE" in query["sql"] for query in asked.captured_queries)


def test_no_link_is_written_for_one_that_was_erased_meanwhile():
    application = ApplicationFactory(submitted=True, email="amina@example.org")
    stale = Application.objects.with_state().get(pk=application.pk)
    erasure.erase(application, now=LATER)
    assert letters.send_link(stale, now=LATER + timedelta(hours=1)) is None
    assert not Letter.objects.to_address("amina@example.org").exists()


# --- Steps that staff do not take for somebody ------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", ["erase", "everything", "withdraw"])
def test_staff_who_enter_an_application_are_refused_its_owners_steps_and_stay_logged_in(client, name, method):
    staff = StaffFactory()
    draft = entering.begin(
        StateCallFactory(), email="a@example.org", language="en", received_at=MONDAY, reason="", by=staff, now=MONDAY
    )
    client.force_login(staff)
    session = client.session
    session[entering.MARK] = [draft.pk, staff.pk]
    session.save()
    with time_machine.travel(MONDAY, tick=False):
        answer = getattr(client, method)(reverse(f"applications:{name}"), {"sure": "on"})
    assert answer.status_code == 403
    assert "This page is not open to you" in answer.content.decode()
    assert client.session[entering.MARK] == [draft.pk, staff.pk]
    assert "_auth_user_id" in client.session
    draft.refresh_from_db()
    assert (draft.status, draft.erased_at) == ("draft", None)


# --- Enough for a day -------------------------------------------------------------------------------------------------

HOURS = [MONDAY + timedelta(hours=number) for number in range(13)]


def written(email, kind):
    return Letter.objects.to_address(email).filter(kind=kind).count()


def ask(kind, email, call, now):
    if kind == "contact_confirm":
        Contact.sign_up(email=email, language="en", states=[], now=now)
    elif kind == "no_application":
        Application.send_links_again(email, language="en", now=now)
    else:
        Application.start(call, email=email, language="en", now=now)


@pytest.mark.parametrize("kind", ["contact_confirm", "no_application", "application_link"])
def test_a_mailbox_is_written_to_three_times_a_day_however_often_somebody_asks(kind):
    call, email = StateCallFactory(), "somebody@example.org"
    for now in HOURS:
        ask(kind, email, call, now)
    assert written(email, kind) == 3
    ask(kind, "another@example.org", call, HOURS[-1])
    assert written("another@example.org", kind) == 1
    ask(kind, email, call, MONDAY + timedelta(hours=25))
    assert written(email, kind) == 4


def test_whoever_begins_many_applications_in_one_morning_gets_the_link_of_each():
    meetings = [CountryMeetingFactory(state=StateFactory())]
    meetings += [CountryMeetingFactory(series=meetings[0].series, state=StateFactory()) for _ in range(4)]
    calls = [StateCallFactory(meeting=meeting) for meeting in meetings]
    for call, now in zip(calls, HOURS, strict=False):
        Application.start(call, email="many@example.org", language="en", now=now)
    assert written("many@example.org", "application_link") == 5


def test_one_question_for_lost_links_is_one_question_however_many_links_answer_it():
    meetings = [CountryMeetingFactory(state=StateFactory())]
    meetings += [CountryMeetingFactory(series=meetings[0].series, state=StateFactory()) for _ in range(4)]
    for meeting in meetings:
        Application.start(StateCallFactory(meeting=meeting), email="many@example.org", language="en", now=MONDAY)
    Application.send_links_again("many@example.org", language="en", now=HOURS[1])
    assert written("many@example.org", "application_link") == 10
