"""An application that came by e-mail is entered by staff, through the applicant's own pages; nobody else comes in."""

from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications import entering, rules
from applications.models import Application
from presessions import settings as product
from presessions.accounts.models import Authenticator
from presessions.mail import letters
from presessions.mail.models import Letter, Mailing
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from tests.accounts.factories import StaffFactory
from tests.applications.factories import CLOSES_AT, MONDAY, OPENS_AT, ApplicationFactory, StateCallFactory, answers
from tests.applications.hostile import pdf
from tests.applications.test_admin import may, page, text
from tests.applications.test_journey import hidden, open_session, path_in, posted
from tests.mail.letters import body_of
from tests.upr.factories import CountryMeetingFactory

pytestmark = pytest.mark.django_db

ADDRESS = "amina@example.org"
ARRIVED = CLOSES_AT - timedelta(minutes=1)  # 23:59 of the last day
AFTER = CLOSES_AT + timedelta(days=2)


@pytest.fixture(autouse=True)
def clock():
    """Two days after the deadline: staff find time for what came in time."""
    with time_machine.travel(AFTER, tick=False) as clock:
        yield clock


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


def enter(desk, state_call, *, email=ADDRESS, at=ARRIVED, **more):
    facts = {
        "state_call": state_call.pk,
        "email": email,
        "language": "fr",
        "received_at_0": f"{at:%Y-%m-%d}",
        "received_at_1": f"{at:%H:%M:%S}",
        "reason": "Sent from a cyber café.",
    }
    return desk.post(page("enter"), facts | more)


def fill(browser):
    """Every section of the form that is open in this browser, as its pages take them."""
    for section in rules.SECTIONS:
        facts = posted(answers().get(section, {})) | {"save": "1"}
        if section == "file":
            facts |= {"file": SimpleUploadedFile("submission.pdf", pdf())}
        saved = browser.post(reverse("applications:section", args=[section]), facts)
        assert saved.status_code == 302, (section, saved.status_code)


def send(browser):
    return browser.post(reverse("applications:check"), {"understood": "on"})


# --- The whole way ----------------------------------------------------------------------------------------------------


def test_what_came_in_time_is_entered_after_the_deadline_with_the_same_checks_and_receipt(
    desk, staff, kenya, monkeypatch
):
    monkeypatch.setattr(letters, "untranslated", lambda template, language: [])  # in this language, not in English
    assert enter(desk, kenya).url == reverse("applications:tasks")
    application = Application.objects.get()
    assert (application.received_at, application.entered_by, application.language) == (ARRIVED, staff, "fr")
    assert not Letter.objects.exists()  # no link before it is sent
    assert "for somebody else" in desk.get(reverse("applications:tasks")).content.decode()
    send(desk)
    application.refresh_from_db()
    assert not application.was_sent  # the same checks: nothing has been answered
    fill(desk)
    answer = desk.get(send(desk).url)
    assert answer.url == page("application_change", application.pk)
    application.refresh_from_db()
    assert application.status == "submitted" and not application.in_grace
    letter = Letter.objects.get()
    assert (letter.kind, letter.to, letter.language) == ("receipt", ADDRESS, "fr")
    assert Client().post(path_in(letter)).status_code == 302  # the personal link of the applicant


def test_each_step_stands_in_the_history_with_who_did_it(desk, staff, kenya):
    enter(desk, kenya)
    fill(desk)
    send(desk)
    application = Application.objects.get()
    events = Event.objects.about(application)
    assert {event.staff_id for event in events} == {staff.pk}
    assert events[0].code == "received_by_email"
    assert events[0].reason.text == "Sent from a cyber café."
    assert "submitted" in [event.code for event in events]
    assert "Received by e-mail, entered by staff" in text(desk.get(page("application_change", application.pk)))


@pytest.mark.parametrize("gone", [timedelta(minutes=31), timedelta(hours=11)])
def test_a_form_that_was_left_open_is_locked_like_the_desk_and_keeps_what_was_typed(desk, kenya, clock, settings, gone):
    settings.STAFF_IDLE, settings.STAFF_SESSION = product.STAFF_IDLE, product.STAFF_SESSION
    enter(desk, kenya)
    fill(desk)
    issues, here = reverse("applications:section", args=["issues"]), answers()["issues"]["issues"]
    clock.shift(gone)
    locked = desk.get(issues).content.decode()
    assert "Is it still you?" in locked and here not in locked
    asked = desk.post(issues, posted(answers()["issues"] | {"issues": "Typed for long."}) | {"save": "1"})
    assert "Is it still you?" in asked.content.decode()
    assert ("issues", "Typed for long.") in asked.context["carried"]
    assert Application.objects.get().issues == here


def test_whoever_works_in_the_form_is_there(desk, kenya, clock, settings):
    settings.STAFF_IDLE, settings.STAFF_SESSION = product.STAFF_IDLE, product.STAFF_SESSION
    enter(desk, kenya)
    for _page in range(3):
        clock.shift(timedelta(minutes=20))
        assert "for somebody else" in desk.get(reverse("applications:tasks")).content.decode()
    assert desk.get(page("enter")).context["form"]


def test_without_a_second_factor_nobody_fills_in_a_form_for_somebody(desk, staff, kenya):
    enter(desk, kenya)
    Authenticator.objects.filter(user=staff).delete()  # as after "lost phone"
    assert desk.get(reverse("applications:tasks")).url == page("enter")  # whose door asks


def test_after_it_is_sent_staff_change_nothing_any_more(desk, kenya):
    enter(desk, kenya)
    fill(desk)
    send(desk)
    for name, args in (("section", ["issues"]), ("withdraw", []), ("check", [])):
        answer = desk.post(reverse(f"applications:{name}", args=args), {"issues": "Other words", "understood": "on"})
        assert answer.status_code == 404
    application = Application.objects.get()
    assert (application.status, application.issues) == ("submitted", answers()["issues"]["issues"])


def test_the_applicant_cannot_change_after_the_deadline_what_staff_entered_after_it(desk, kenya):
    enter(desk, kenya)
    fill(desk)
    send(desk)
    browser = Client()
    browser.post(path_in(Letter.objects.get()))
    answer = browser.post(reverse("applications:section", args=["issues"]), posted(answers()["issues"]))
    assert answer.status_code == 410


def test_a_form_that_was_left_can_be_gone_on_with_by_a_colleague(desk, staff, kenya):
    enter(desk, kenya)
    left = desk.post(page("enter_stop"), follow=True)
    assert "What you entered is kept" in text(left)
    assert desk.get(reverse("applications:tasks")).status_code == 404
    assert desk.get(page("enter")).status_code == 200  # still logged in
    application = Application.objects.get()
    assert application.reference in text(desk.get(page("enter")))
    colleague = Client()
    colleague.force_login(may("enter"))
    assert colleague.post(page("enter_go_on", application.pk)).url == reverse("applications:tasks")
    assert colleague.get(reverse("applications:tasks")).context["application"] == application


def test_leaving_by_the_applicants_own_button_keeps_staff_logged_in(desk, kenya):
    enter(desk, kenya)
    desk.post(reverse("applications:leave"))
    assert desk.get(reverse("applications:tasks")).status_code == 404
    assert desk.get(page("enter")).status_code == 200


def test_no_reminder_and_no_news_of_more_time_goes_out_for_what_staff_have_begun(staff, kenya):
    with time_machine.travel(MONDAY, tick=False):
        entering.begin(kenya, email=ADDRESS, language="en", received_at=MONDAY, reason="", by=staff, now=MONDAY)
    reminders = Mailing.objects.with_series().filter(kind="unfinished_draft", meeting=kenya.meeting)
    assert [one.people() for one in reminders] == [[], []]
    kenya.extend(CLOSES_AT + timedelta(days=9), now=MONDAY, reason="Floods.")
    assert not Mailing.objects.filter(kind="extension_draft").exists()


# --- When the e-mail arrived ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrived", "says"),
    [
        (CLOSES_AT - timedelta(seconds=1), None),
        (CLOSES_AT, "arrived after the deadline, Sun 22 March 2026, 23:59 Geneva time"),
        (OPENS_AT, None),
        (OPENS_AT - timedelta(seconds=1), "arrived before the call opened, Mon 2 February 2026, 09:00"),
        (AFTER + timedelta(seconds=1), "That is in the future"),
    ],
)
def test_the_moment_it_arrived_decides(desk, kenya, arrived, says):
    answer = enter(desk, kenya, at=arrived)
    assert answer.status_code == (200 if says else 302)
    assert says is None or says in text(answer)
    assert Application.objects.exists() == (says is None)


def test_what_was_typed_stays_when_something_is_wrong(desk, kenya):
    page_again = enter(desk, kenya, email="amina@", at=ARRIVED).content.decode()
    assert (
        'value="amina@"' in page_again
        and "Sent from a cyber café." in page_again
        and 'value="2026-03-22"' in page_again
    )


def test_a_deadline_that_is_shortened_meanwhile_says_so(desk, kenya):
    enter(desk, kenya)
    fill(desk)
    kenya.extend(ARRIVED, now=AFTER, reason="A mistake.")
    assert send(desk).status_code == 410
    assert not Application.objects.sent().exists()


def test_a_meeting_that_is_called_off_takes_none(desk, kenya):
    kenya.meeting.call_off("too_few", now=AFTER)
    assert "Select a valid choice" in text(enter(desk, kenya))
    kenya.meeting.refresh_from_db()
    with pytest.raises(WrongStep, match="not open"):
        entering.begin(
            kenya, email=ADDRESS, language="en", received_at=ARRIVED, reason="", by=StaffFactory(), now=AFTER
        )


# --- An address that is known -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [{}, {"submitted": True}])
def test_an_address_that_has_an_application_on_this_state_is_pointed_at(desk, kenya, status):
    with time_machine.travel(MONDAY, tick=False):
        known = ApplicationFactory(state_call=kenya, email=ADDRESS, **status)
    answer = enter(desk, kenya, email="Amina@Example.org")
    assert f"has application {known.reference} on this State already" in text(answer)
    assert page("application_change", known.pk) in answer.content.decode()
    assert Application.objects.get() == known
    assert desk.get(reverse("applications:tasks")).status_code == 404


def test_one_that_staff_have_begun_is_gone_on_with(desk, kenya):
    enter(desk, kenya)
    answer = enter(desk, kenya)
    assert page("enter_go_on", Application.objects.get().pk) in answer.content.decode()
    assert Application.objects.count() == 1


def test_a_withdrawn_one_does_not_stand_in_the_way(desk, kenya):
    with time_machine.travel(MONDAY, tick=False):
        ApplicationFactory(state_call=kenya, email=ADDRESS, withdrawn=True)
    assert enter(desk, kenya).status_code == 302
    assert Application.objects.count() == 2


# --- Nobody else comes in ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", ["enter", "enter_go_on", "enter_stop"])
def test_only_who_may_enter_applications_sees_these_pages(kenya, name, method):
    application = ApplicationFactory(state_call=kenya, now=MONDAY)
    address = page(name, *([application.pk] if name == "enter_go_on" else []))
    visitor, other = Client(), Client()
    other.force_login(may("view_application", "decide", "assess", "read_document"))
    assert "login" in getattr(visitor, method)(address).url
    expected = {
        "enter": 403,
        "enter_go_on": 403 if method == "post" else 405,
        "enter_stop": 302 if method == "post" else 405,
    }
    assert getattr(other, method)(address).status_code == expected[name]


def test_staff_cannot_open_an_applicants_own_draft(desk, kenya):
    with time_machine.travel(MONDAY, tick=False):
        theirs = ApplicationFactory(state_call=kenya)
    desk.post(page("enter_go_on", theirs.pk))
    assert desk.get(reverse("applications:tasks")).status_code == 404


def marked(browser, *mark):
    session = browser.session
    session[entering.MARK] = list(mark)
    session.save()


def test_a_mark_in_an_applicants_session_opens_nothing(staff, kenya):
    """Whoever could write into a session still is not logged in as the one whose number they write."""
    entered = entering.begin(kenya, email=ADDRESS, language="en", received_at=ARRIVED, reason="", by=staff, now=AFTER)
    with time_machine.travel(MONDAY, tick=False):
        own = ApplicationFactory(state_call=kenya)
        browser = Client()
        open_session(browser, own)
        marked(browser, entered.pk, staff.pk)
    answer = browser.get(reverse("applications:tasks"))
    assert entered.reference not in answer.content.decode()
    assert (
        browser.post(reverse("applications:section", args=["issues"]), posted(answers()["issues"])).status_code == 404
    )


def test_an_applicants_session_takes_no_grace_from_staff(desk, kenya):
    """Their own draft stays closed after the deadline, in the browser of staff, too."""
    with time_machine.travel(MONDAY, tick=False):
        own = ApplicationFactory(state_call=kenya)
        link = path_in(Letter.objects.get(recipient_id=own.reference))
    enter(desk, kenya)
    desk.post(link)  # staff open somebody's link in the same browser: the applicant's session it is now
    page_of_own = desk.get(reverse("applications:tasks"))
    assert page_of_own.context["application"] == own and own.by is None
    assert "for somebody else" not in page_of_own.content.decode()
    assert desk.post(reverse("applications:section", args=["issues"]), posted(answers()["issues"])).status_code == 410


@pytest.mark.parametrize("lost", ["right", "activity", "another colleague logs in"])
def test_the_form_closes_when_staff_may_not_any_more(kenya, lost):
    user = may("enter")
    browser = Client()
    browser.force_login(user)
    enter(browser, kenya)
    assert browser.get(reverse("applications:tasks")).status_code == 200
    if lost == "right":
        user.user_permissions.clear()
    elif lost == "activity":
        type(user).objects.filter(pk=user.pk).update(is_active=False)
    else:
        marked(browser, Application.objects.get().pk, StaffFactory().pk)
    answer = browser.post(reverse("applications:section", args=["issues"]), posted(answers()["issues"]))
    assert answer.status_code == 404
    assert answers()["issues"]["issues"] in answer.content.decode()  # what was typed is not lost
    assert Application.objects.get().issues == ""


def test_another_application_cannot_be_named_in_a_post(desk, kenya):
    enter(desk, kenya)
    with time_machine.travel(MONDAY, tick=False):
        theirs = ApplicationFactory(state_call=kenya)
    facts = posted(answers()["issues"]) | {"application": theirs.reference}
    assert desk.post(reverse("applications:section", args=["issues"]), facts).status_code == 409


def test_the_page_costs_the_same_queries_for_one_begun_and_for_many(desk, staff, kenya):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(page("enter")).status_code == 200
        return len(queries)

    def begin(n):
        entering.begin(
            kenya, email=f"a{n}@example.org", language="en", received_at=ARRIVED, reason="", by=staff, now=AFTER
        )

    begin(0)
    cost()
    few = cost()
    for n in range(1, 8):
        begin(n)
        StateCallFactory(meeting=CountryMeetingFactory(series=kenya.series))
    assert cost() == few


# --- What it proves afterwards ----------------------------------------------------------------------------------------

RECEIVED = "Sun 22 March 2026, 23:59 Geneva time"
ENTERED = "Wed 25 March 2026, 00:00 Geneva time"


@pytest.fixture
def entered(desk, kenya):
    enter(desk, kenya)
    Application.objects.update(language="en")
    fill(desk)
    send(desk)
    return Application.objects.get()


def test_receipt_and_status_say_when_it_came_by_email_and_when_staff_entered_it(entered):
    letter = Letter.objects.get(kind="receipt")
    browser = Client()
    browser.post(path_in(letter))
    shown = [text(browser.get(reverse(f"applications:{name}"))) for name in ("receipt", "status")]
    for words in (body_of(letter), *shown):
        assert f"Received by e-mail: {RECEIVED}" in words
        assert f"Entered by UPR Info from your e-mail: {ENTERED}" in words
        assert "If something in it is wrong" in words
        assert f"Received: {ENTERED}" not in words
    assert [words.count(ENTERED) for words in shown] == [1, 1]  # the file came by e-mail, too


def test_anybody_who_checks_the_receipt_learns_both_moments(entered, clock):
    browser, address = Client(), reverse("applications:receipt_check")
    shown = hidden(browser.get(address))
    clock.shift(timedelta(seconds=20))
    facts = {"reference": entered.reference, "fingerprint": entered.upr_submission.sha256, "shown": shown}
    words = text(browser.post(address, facts))
    assert f"we received exactly this file under this reference on {RECEIVED}." in words
    assert f"The application it belongs to was sent on {RECEIVED}." in words
    assert f"It came by e-mail, and UPR Info entered it on {ENTERED}." in words


def test_staff_see_both_moments_and_who_entered_it(desk, entered):
    words = text(desk.get(page("application_change", entered.pk)))
    assert "received by e-mail 22 March 2026 23:59 · entered by Nadia Staff, 25 March 2026 00:00" in words


# --- In words for staff -----------------------------------------------------------------------------------------------


def test_no_page_speaks_to_staff_as_if_they_were_the_applicant(desk, kenya):
    enter(desk, kenya)
    fill(desk)
    tasks, check = (text(desk.get(reverse(f"applications:{name}"))) for name in ("tasks", "check"))
    for words in (tasks, check):
        assert "go back to the staff desk" in words
        for said in ("Leave this form", "Your link opens", "Send it until", "You may change", "I have understood"):
            assert said not in words
    assert "Erase everything" not in tasks  # staff do that at the desk
    assert "I have compared every answer with the e-mail." in check
    assert "Please compare the answers with the e-mail." in text(
        desk.post(reverse("applications:check"), {"send": "1"})
    )
