"""Statement and fact sheet: a deadline of their own, taken late and marked, counted as minutes, asked about anew."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from applications import rules, seat
from applications.mailings import speakers
from applications.models import Application, Attachment
from presessions import vault
from presessions.mail import outbox
from presessions.mail.models import Letter
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import geneva
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.applications.seats import looked_through, open_session, receive, words_of
from tests.house.world import pdf
from tests.mail.letters import body_of, message_of

pytestmark = pytest.mark.django_db
TUESDAY = MONDAY + timedelta(days=1)
MEETING = geneva(date(2026, 4, 14), 10)
TOO_LATE = geneva(date(2026, 4, 1))  # fourteen days before the meeting's day are 31 March
KINDS = ["statement", "fact_sheet"]


@pytest.fixture
def on_tuesday():
    with time_machine.travel(TUESDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def application(db):
    return ApplicationFactory(confirmed=True, consents=["name", "statement"])


@pytest.fixture
def applicant(client, application, on_tuesday):
    return open_session(client, application)


def page(name):
    return reverse(f"applications:{name}")


def fresh(application):
    return Application.objects.with_state().get(pk=application.pk)


def a_file(words="We recommend.", name="statement.pdf"):
    return SimpleUploadedFile(name, pdf(words), "application/pdf")


# --- Sending ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_paper_is_looked_into_kept_and_receipted(applicant, application, kind):
    assert "Please send it by Tue 31 March 2026" in words_of(applicant.get(page(kind)))
    assert applicant.post(page(kind), {"file": a_file()}).url == page("consent_again")
    paper = Attachment.objects.get(kind=kind)
    assert (paper.state, paper.version, paper.late) == ("quarantine", 1, False)
    letter = Letter.objects.get(kind="statement_received")
    assert letter.subject == "We have received your file"
    assert paper.sha256 in body_of(letter)
    called = {"statement": "your statement", "fact_sheet": "your fact sheet"}[kind]
    assert f"We have received {called} (version 1)." in body_of(letter)
    assert f"We have {called} (version 1). Please say now what may be published." in words_of(
        applicant.get(page("consent_again"))
    )
    for secret in ("statement.pdf", application.state_call.state.name, application.name):
        assert secret not in message_of(letter).as_string()
    assert "Being looked through" in words_of(applicant.get(page(kind)))
    assert "Received" in words_of(applicant.get(page("seat")))


@pytest.mark.parametrize("kind", KINDS)
def test_another_version_stands_beside_the_first(applicant, kind):
    applicant.post(page(kind), {"file": a_file()})
    applicant.post(page(kind), {"file": a_file("We urge.")})
    assert [paper.version for paper in Attachment.objects.filter(kind=kind)] == [2, 1]
    assert Letter.objects.filter(kind="statement_received").count() == 2


def test_a_bad_file_is_refused_in_words_and_nothing_is_kept(applicant):
    answer = applicant.post(page("statement"), {"file": SimpleUploadedFile("statement.pdf", b"MZ program")})
    assert answer.status_code == 200
    assert answer.context["form"].errors["file"]
    assert not Attachment.objects.filter(kind="statement").exists()


def test_no_file_is_asked_for(applicant, application):
    assert "Choose the file that you want to send." in words_of(
        applicant.post(page("statement"), {"application": application.reference})
    )


def test_who_has_not_confirmed_may_send_and_is_led_to_the_seat(client, on_tuesday):
    application = ApplicationFactory(accepted=True)
    answer = open_session(client, application).post(page("statement"), {"file": a_file()})
    assert answer.url == page("seat")


@pytest.mark.parametrize(("moment", "late"), [(TOO_LATE - timedelta(seconds=1), False), (TOO_LATE, True)])
def test_after_its_last_day_it_is_taken_and_marked(client, application, moment, late):
    with time_machine.travel(moment, tick=False):
        applicant = open_session(client, application)
        assert ("We still take it until the meeting" in words_of(applicant.get(page("statement")))) == late
        applicant.post(page("statement"), {"file": a_file()})
    assert Attachment.objects.get(kind="statement").late == late


def test_the_lead_is_the_calls(applicant, application):
    call = application.state_call.call
    call.statement_lead_days = 7
    call.save()
    assert "Please send it by Tue 7 April 2026" in words_of(applicant.get(page("statement")))


def test_without_an_hour_there_is_no_last_day_and_nothing_is_late(applicant, application):
    application.meeting.reschedule(now=TUESDAY, starts_at=None)
    assert "Please send it by" not in words_of(applicant.get(page("statement")))
    applicant.post(page("statement"), {"file": a_file()})
    assert not Attachment.objects.get(kind="statement").late


def stored():
    return {name for name, path, _changed in vault.storage.kept() if path.parent.name != "incoming"}


@pytest.mark.parametrize("why", ["begun", "called off", "given up"])
def test_a_refused_paper_leaves_no_file_and_no_letter_but_an_event(application, why):
    now = TUESDAY
    if why == "begun":
        now = MEETING
    if why == "called off":
        application.meeting.call_off("postponed", now=TUESDAY)
    if why == "given up":
        seat.give_up(fresh(application), now=TUESDAY)
    before = stored()
    with pytest.raises(WrongStep):
        receive(application, now)
    assert stored() == before
    assert not Attachment.objects.filter(kind="statement").exists()
    assert not Letter.objects.filter(kind="statement_received").exists()
    assert Event.objects.about(application).get(code="attached_statement").refused


def test_a_letter_that_cannot_be_written_takes_the_file_with_it(application, monkeypatch):
    def breaks(**letter):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(outbox, "put", breaks)
    before = stored()
    with pytest.raises(RuntimeError):
        receive(application, TUESDAY)
    assert stored() == before
    assert not Attachment.objects.filter(kind="statement").exists()


# --- Leave to publish is asked anew -----------------------------------------------------------------------------------


def test_leave_for_a_text_ends_with_a_new_text_and_no_other_leave_does(application):
    receive(application, TUESDAY)
    seat.publish_again(application, {"name", "statement"}, now=TUESDAY)
    receive(application, TUESDAY + timedelta(hours=1), content=b"PK another")
    application = fresh(application)
    assert (application.cleared_items(), application.cleared_at) == ({"name"}, None)


def test_the_same_file_once_more_is_no_new_version_and_ends_no_leave(application):
    paper = receive(application, TUESDAY)
    before = stored()
    seat.publish_again(application, {"statement"}, now=TUESDAY)
    assert receive(application, TUESDAY + timedelta(minutes=1)) == paper
    assert stored() == before
    application = fresh(application)
    assert (application.cleared_items(), application.cleared_at) == ({"statement"}, TUESDAY)
    assert Letter.objects.filter(kind="statement_received").count() == 1


def test_a_further_version_that_fails_leaves_the_file_of_the_first(application, monkeypatch):
    receive(application, TUESDAY)
    before = stored()

    def breaks(*args, **facts):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(seat, "_end_consents", breaks)
    with pytest.raises(RuntimeError):
        receive(application, TUESDAY, content=b"PK another")
    assert stored() == before


# --- Minutes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "minutes"), [(1, "½"), (33, "½"), (98, "1"), (130, "1"), (163, "1½"), (780, "6"), (840, "6½"), (910, "7")]
)
def test_words_become_minutes_to_the_nearest_half(words, minutes):
    assert seat.minutes_in_words(rules.reading_minutes(words)) == minutes


@pytest.mark.parametrize(("words", "says_too_long"), [(840, True), (780, False)])
def test_a_statement_that_was_looked_through_is_counted_as_minutes(client, on_tuesday, words, says_too_long):
    state_call = StateCallFactory()
    application, *_others = [ApplicationFactory(state_call=state_call, confirmed=True) for _ in range(6)]
    applicant = open_session(client, application)
    looked_through(receive(application, TUESDAY), words=words)
    page_ = words_of(applicant.get(page("statement")))
    minutes = "6½" if words == 840 else "6"
    assert f"{words} words: about {minutes} min at a calm pace. You have 6 minutes." in page_
    assert ("Please shorten it, and send it again." in page_) == says_too_long


def test_before_there_is_one_the_page_says_how_many_words_fit(applicant):
    assert "You have 7 minutes: at a calm pace that is about 910 words." in words_of(applicant.get(page("statement")))


def test_what_is_still_looked_through_is_not_counted(applicant, application):
    receive(application, TUESDAY)
    assert "at a calm pace." not in words_of(applicant.get(page("statement")))


# --- Refused later ----------------------------------------------------------------------------------------------------


def test_a_paper_refused_by_the_check_is_missing_again_and_its_page_says_why(applicant, application):
    paper = receive(application, TUESDAY)
    Attachment.objects.filter(pk=paper.pk).update(state="refused", refused_because="encrypted")
    words = words_of(applicant.get(page("statement")))
    assert "We could not use the last file you sent." in words
    assert "Not sent yet" in words_of(applicant.get(page("seat")))


@pytest.mark.parametrize(
    ("state", "reminded"),
    [(None, True), ("quarantine", False), ("checked", False), ("refused", True), ("erased", True)],
)
def test_only_who_has_no_usable_statement_is_reminded(application, state, reminded):
    if state:
        Attachment.objects.filter(pk=receive(application, TUESDAY).pk).update(state=state)
    application.state_call.series.announce_dates(now=TUESDAY)
    mailing = application.state_call.series.mailings.get(kind="statement_due", meeting=application.meeting)
    assert [one.id for one in speakers.statement_due(mailing)] == ([application.reference] if reminded else [])


# --- Together ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("versions", [1, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_the_page_costs_the_same_for_one_version_and_for_many(
    applicant, application, kind, versions, django_assert_num_queries
):
    for number in range(versions):
        receive(application, TUESDAY, kind=kind, content=b"PK version %d" % number)
    applicant.get(page(kind))
    with django_assert_num_queries(9):
        applicant.get(page(kind))


def test_a_paper_of_another_application_cannot_be_reached(client, application, on_tuesday):
    receive(application, TUESDAY)
    other = ApplicationFactory(confirmed=True)
    words = words_of(open_session(client, other).get(page("statement")))
    assert "statement.docx" not in words
