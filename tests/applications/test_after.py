"""After sending: a receipt that proves it to anybody, and a page that says where it stands and what comes next."""

import hashlib
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications import erasure, seat, throttle
from applications.models import Application, Attachment, StateCall
from presessions.mail.models import Letter
from presessions.trail.models import Event
from presessions.trail.references import read_reference
from presessions.upr.dates import GENEVA
from tests.applications.factories import (
    MONDAY,
    OPENS_AT,
    PDF,
    ApplicationFactory,
    StateCallFactory,
    Verdict,
    upload,
)
from tests.applications.test_journey import hidden, open_session
from tests.mail.letters import body_of
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

FINGERPRINT = hashlib.sha256(PDF).hexdigest()
YES = "Yes: we received exactly this file under this reference on Mon 2 March 2026, 10:00 Geneva time."
NO = "We cannot confirm this."
MEETING = datetime(2026, 4, 14, 10, 0, tzinfo=GENEVA)


@pytest.fixture(autouse=True)
def clock():
    cache.clear()
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def kenya():
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE"), starts_at=MEETING))


@pytest.fixture
def check(client, clock):
    """Fill in the page as a person does; the page that comes back."""

    def check(reference, fingerprint="", file=None, client=client):
        address = reverse("applications:receipt_check")
        shown = hidden(client.get(address))
        clock.shift(timedelta(seconds=20))
        posted = {"reference": reference, "fingerprint": fingerprint, "shown": shown}
        return client.post(address, posted | ({"file": file} if file else {}))

    return check


def text_of(page):
    return page.content.decode()


def file(content=PDF, name="whatever.pdf"):
    return SimpleUploadedFile(name, content)


# --- The receipt -----------------------------------------------------------------------------------------------------


def test_the_receipt_says_what_proves_it_on_screen_and_by_mail(client, kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    open_session(client, application)
    page, mail = text_of(client.get(reverse("applications:receipt"))), body_of(Letter.objects.get(kind="receipt"))
    for proof in (application.reference, "Mon 2 March 2026, 10:00 Geneva time", FINGERPRINT, "/en/receipt/"):
        assert proof in page
        assert proof in mail
    assert "submission.pdf" in page
    assert "submission.pdf" not in mail  # a name of a file may tell who it is, and a mailbox may be watched
    assert "Fingerprint of the file (SHA-256)" in page
    assert "the same file always gives the same fingerprint" in page


def test_the_receipt_shows_a_file_that_was_refused_later_too(client, kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    application.attachments.update(state="refused", refused_because="encrypted")
    open_session(client, application)
    assert FINGERPRINT in text_of(client.get(reverse("applications:receipt")))


def test_each_file_that_is_exchanged_after_sending_has_a_receipt_of_its_own(kenya, clock):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    clock.shift(timedelta(days=1))
    for _click in range(2):  # the same file again is no new version
        application.attach(
            upload(b"%PDF-1.4 another"), Attachment.Kind.UPR_SUBMISSION, Verdict, now=MONDAY + timedelta(days=1)
        )
    first, second = Letter.objects.filter(kind="receipt").order_by("pk")
    assert FINGERPRINT in body_of(first)
    assert "This file received" not in body_of(first)
    assert hashlib.sha256(b"%PDF-1.4 another").hexdigest() in body_of(second)
    assert "Received: Mon 2 March 2026, 10:00 Geneva time" in body_of(second)
    assert "This file received: Tue 3 March 2026, 10:00 Geneva time" in body_of(second)


def test_a_file_that_is_exchanged_before_sending_has_none(kenya):
    application = ApplicationFactory(state_call=kenya)
    application.attach(upload(b"%PDF-1.4 another"), Attachment.Kind.UPR_SUBMISSION, Verdict, now=MONDAY)
    assert not Letter.objects.filter(kind="receipt").exists()
    application.submit(now=MONDAY)
    receipt = Letter.objects.get(kind="receipt")
    assert hashlib.sha256(b"%PDF-1.4 another").hexdigest() in body_of(receipt)


# --- Checked by anybody ----------------------------------------------------------------------------------------------


def test_a_true_receipt_is_confirmed_by_fingerprint_or_by_file(check, kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    assert YES in text_of(check(application.reference, FINGERPRINT))
    assert YES in text_of(check(application.reference, file=file()))
    assert YES in text_of(check(application.reference, FINGERPRINT, file=file()))


@pytest.mark.parametrize("spelling", [str.lower, lambda r: r.replace("-", " – "), lambda r: r.replace("0", "o")])
def test_a_reference_is_read_as_people_write_it(check, kenya, spelling):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    assert YES in text_of(check(spelling(application.reference), FINGERPRINT.upper()))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("K7QF2-9MXA4", "K7QF2-9MXA4"),
        ("  k7qf29mxa4 ", "K7QF2-9MXA4"),
        ("K7QF2-9MXA", ""),
        ("K7QF2-9MXAU", ""),
        ("OIL01-OIL01", "01101-01101"),
        ("", ""),
        ("ß7QF2-9MXA4", ""),
    ],
)
def test_what_is_no_reference_is_none(typed, read):
    assert read_reference(typed) == read


def test_each_version_that_was_sent_is_confirmed_with_its_own_moment(check, kenya, clock):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    second = upload(b"%PDF-1.4 another")
    later = MONDAY + timedelta(days=1)
    application.attach(second, Attachment.Kind.UPR_SUBMISSION, Verdict, now=later)
    assert YES in text_of(check(application.reference, FINGERPRINT))
    page = text_of(check(application.reference, second.sha256))
    assert "under this reference on Tue 3 March 2026, 10:00 Geneva time." in page
    assert "was sent on Mon 2 March 2026, 10:00 Geneva time." in page


def test_a_receipt_stays_true_when_the_application_is_taken_back_and_tells_nothing_of_it(check, kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    before = check(application.reference, FINGERPRINT)
    application.withdraw(now=MONDAY)
    assert without_tokens(check(application.reference, FINGERPRINT)) == without_tokens(before)


def without_tokens(page):
    return re.sub(r'(name="(?:csrfmiddlewaretoken|shown)" value|nonce)="[^"]*"', r"\1", text_of(page))


def test_nothing_is_told_but_yes_and_when(check, kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True, organisation_name="Rights Now")
    page = text_of(check(application.reference, FINGERPRINT))
    for secret in ("Kenya", "Rights Now", "Amina", "submitted", application.email, "submission.pdf"):
        assert secret not in page


def refused(kenya):
    """{why: (reference, fingerprint)} that nobody may be told apart."""
    sent = ApplicationFactory(state_call=kenya, submitted=True)
    draft = ApplicationFactory(state_call=kenya)
    other = ApplicationFactory(state_call=kenya, submitted=True)
    erased = ApplicationFactory(state_call=kenya, submitted=True)
    erasure.erase(erased, now=MONDAY)
    Attachment.objects.filter(application=other).update(sha256="a" * 64)
    return {
        "unknown reference": ("ZZZZZ-ZZZZZ", FINGERPRINT),
        "another file": (sent.reference, "b" * 64),
        "the file of another application": (sent.reference, "a" * 64),
        "never sent": (draft.reference, FINGERPRINT),
        "erased": (erased.reference, FINGERPRINT),
        "no fingerprint at all, as an erased one has": (erased.reference, hashlib.sha256(b"").hexdigest()),
    }


def test_whatever_is_wrong_has_one_same_answer_by_one_way(check, kenya):
    answers = {}
    for why, (reference, fingerprint) in refused(kenya).items():
        with CaptureQueriesContext(connection) as queries:
            page = check(reference, fingerprint)
        headers = {name: value for name, value in page.headers.items() if name not in ("Expires", "Content-Length")}
        shown = without_tokens(page).replace(reference, "REF").replace(fingerprint, "FINGERPRINT")
        answers[why] = (page.status_code, headers, shown, len(queries))
    assert {why: answer for why, answer in answers.items() if answer != answers["unknown reference"]} == {}
    assert NO in answers["unknown reference"][2]
    assert answers["unknown reference"][0] == 200


def test_fingerprint_and_file_that_differ_are_not_confirmed(check, kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    assert NO in text_of(check(application.reference, FINGERPRINT, file=file(b"other")))


@pytest.mark.parametrize(
    ("reference", "fingerprint", "words"),
    [
        ("", FINGERPRINT, "Enter the reference that stands on the receipt."),
        ("K7QF2", FINGERPRINT, "A reference has ten digits and letters, like K7QF2-9MXA4."),
        ("K7QF2-9MXA4", "abc", "A fingerprint has 64 signs"),
        ("K7QF2-9MXA4", "", "Enter the fingerprint, or choose the file below."),
    ],
    ids=["no reference", "half a reference", "half a fingerprint", "nothing to compare"],  # the fingerprint is random
)
def test_what_cannot_be_checked_is_said_in_words_and_the_rest_is_kept(check, reference, fingerprint, words):
    page = text_of(check(reference, fingerprint))
    assert words in page
    assert NO not in page
    assert f'value="{reference}"' in page or not reference


def test_the_file_is_neither_kept_nor_written_anywhere(check, kenya, settings, tmp_path):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    settings.PRIVATE_FILES = tmp_path
    before = Attachment.objects.count()
    page = check(application.reference, file=file(PDF + bytes(3 * 1024 * 1024), name="secret name.pdf"))
    assert "secret name" not in text_of(page)
    assert list(Path(settings.PRIVATE_FILES).rglob("*")) == []
    assert Attachment.objects.count() == before


def test_a_check_changes_nothing_and_leaves_no_trace(check, kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    before = Event.objects.count(), Letter.objects.count(), list(Application.objects.values())
    check(application.reference, FINGERPRINT)
    assert (Event.objects.count(), Letter.objects.count(), list(Application.objects.values())) == before


def test_a_check_from_another_site_is_refused(kenya):
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(reverse("applications:receipt_check"), {"reference": "K7QF2-9MXA4", "file": file()})
    assert answer.status_code == 403


def test_who_checks_very_often_is_slowed_down(check, kenya, monkeypatch):
    monkeypatch.setattr(throttle, "PER_ADDRESS", 2)
    application = ApplicationFactory(state_call=kenya, submitted=True)
    answers = [check(application.reference, FINGERPRINT) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert YES not in text_of(answers[-1])


def test_nobody_is_told_in_a_title_or_address_what_was_checked(check, kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    page = text_of(check(application.reference, FINGERPRINT))
    title = page.split("<title>")[1].split("</title>")[0]
    assert application.reference not in title


# --- Where it stands -------------------------------------------------------------------------------------------------


def status(client, application):
    open_session(client, application)
    return text_of(client.get(reverse("applications:status")))


def test_before_the_deadline_everything_may_be_changed_until_then(client, kenya):
    page = status(client, ApplicationFactory(state_call=kenya, submitted=True))
    assert "You may change everything until" in page
    assert "Sun 22 March 2026, 23:59 Geneva time" in page
    assert reverse("applications:section", args=["file"]) in page
    assert "Tue 14 April 2026, 10:00 Geneva time" in page


def test_after_it_answers_come_before_the_meetings(client, kenya, clock):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    clock.move_to(datetime(2026, 3, 25, 10, tzinfo=GENEVA))
    page = status(client, application)
    assert "write to everybody before the meetings begin" in page
    assert reverse("applications:section", args=["file"]) not in page


def test_accepted_says_until_when_to_confirm(client, kenya):
    application = ApplicationFactory(state_call=kenya, accepted=True)
    assert application.confirm_by
    page = status(client, application)
    assert "Please confirm your seat, or give it up, until" in page
    assert "Thu 12 March 2026, 23:59 Geneva time" in page
    assert reverse("applications:seat") in page


def test_accepted_and_late_says_so(client, kenya, clock):
    application = ApplicationFactory(state_call=kenya, accepted=True)
    clock.move_to(application.confirm_by)
    assert "Please answer now" in status(client, application)


def test_confirmed_says_when_the_meeting_is_and_until_when_the_statement(client, kenya):
    application = ApplicationFactory(state_call=kenya, confirmed=True)
    page = status(client, application)
    assert "Please send your statement until Tue 31 March 2026." in page
    assert "The meeting:" in page
    assert reverse("applications:statement") in page


def test_with_the_statement_here_nobody_is_asked_for_it(client, kenya):
    application = ApplicationFactory(state_call=kenya, confirmed=True)
    seat.receive(application, upload(), "statement", Verdict, now=MONDAY + timedelta(hours=1))
    page = status(client, application)
    assert "Please send your statement" not in page
    assert "Statement" in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("waitlisted", "If a seat becomes free, we write to you at once."),
        ("declined", "There were more applications than seats."),
        ("withdrawn", "we shall not use it"),
    ],
)
def test_other_answers_say_what_they_mean(client, kenya, state, words):
    page = status(client, ApplicationFactory(state_call=kenya, submitted=True, **{state: True}))
    assert words in page


CONFIRM = "Your seat: confirm it"
SEAT = "Your seat: tell us what you need"
PUBLISH = "Change what may be published"
TAKE_BACK = "Take the application back"


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        ({}, {PUBLISH, TAKE_BACK}),
        ({"waitlisted": True}, {PUBLISH, TAKE_BACK}),
        ({"accepted": True}, {CONFIRM, PUBLISH, TAKE_BACK}),
        ({"confirmed": True}, {SEAT, PUBLISH, TAKE_BACK}),
        ({"declined": True}, set()),
        ({"withdrawn": True}, set()),
    ],
)
def test_only_what_still_has_a_meaning_is_offered(client, kenya, state, offered):
    page = status(client, ApplicationFactory(state_call=kenya, submitted=True, **state))
    assert {words for words in (CONFIRM, SEAT, PUBLISH, TAKE_BACK) if words in page} == offered
    assert "Erase everything" in page


def test_who_has_spoken_is_thanked_and_offered_what_still_makes_sense(client, kenya):
    application = ApplicationFactory(state_call=kenya, confirmed=True)
    assert "Your seat is confirmed" in status(client, application)
    kenya.meeting.mark_held(now=MONDAY)
    page = status(client, application)
    assert "Thank you for speaking" in page and "This meeting has taken place." in page
    assert "Your seat is confirmed" not in page and "The meeting has begun or is over" not in page
    assert {words for words in (SEAT, PUBLISH, TAKE_BACK, "Erase everything") if words in page} == {
        PUBLISH, "Erase everything"
    }  # fmt: skip
    assert client.get(reverse("applications:withdraw")).url == reverse("applications:status")
    client.post(reverse("applications:withdraw"), {"sure": "on"})
    assert Application.objects.get(pk=application.pk).status == "confirmed"


def test_who_still_waited_is_told_that_the_meeting_is_over(client, kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True, waitlisted=True)
    kenya.meeting.mark_held(now=MONDAY)
    page = status(client, application)
    assert "The meeting has begun or is over" in page and "If a seat becomes free" not in page
    assert TAKE_BACK not in page


def test_nobody_is_promised_to_come_in_without_a_badge(client, kenya):
    assert "welcome to come" not in status(client, ApplicationFactory(state_call=kenya, declined=True))


def test_a_seat_given_up_by_mistake_has_a_way_back(client, kenya):
    application = ApplicationFactory(state_call=kenya, accepted=True)
    seat.give_up(application, now=MONDAY)
    page = status(client, application)
    assert "If you gave it up by mistake, write to" in page
    assert "we shall not use it" not in page


def test_a_meeting_that_is_off_asks_nothing_more_of_its_speakers(client, kenya):
    application = ApplicationFactory(state_call=kenya, accepted=True)
    kenya.meeting.call_off("postponed", now=MONDAY)
    page = status(client, application)
    assert "This meeting will not be held." in page
    assert "Please confirm" not in page


def test_while_the_hour_is_not_known_the_page_says_so(client):
    state_call = StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE"), starts_at=None))
    page = status(client, ApplicationFactory(state_call=state_call, submitted=True))
    assert "not fixed yet" in page


def test_the_file_s_state_is_said_with_what_to_do(client, kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    application.attachments.update(state="quarantine")
    assert "Being checked" in status(client, application)
    application.attachments.update(state="checked")
    assert "Safe to open" in status(client, application)
    application.attachments.update(state="refused", refused_because="encrypted")
    page = status(client, application)
    assert "We cannot take this file" in page
    assert "Send another file" in page
    for sentence in application.last_sent("upr_submission").refusal:
        assert str(sentence) in page.replace("&#x27;", "’")


def test_a_refused_file_after_the_deadline_has_a_person_to_write_to(client, kenya, clock):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    application.attachments.update(state="refused", refused_because="encrypted")
    clock.move_to(datetime(2026, 3, 25, 10, tzinfo=GENEVA))
    page = status(client, application)
    assert "It can no longer be exchanged here. Write to" in page
    assert settings.MAIL_REPLY_TO in page


@pytest.mark.parametrize("state", ["submitted", "accepted", "declined", "withdrawn"])
def test_what_can_be_done_now_is_listed_and_nothing_else(client, kenya, state):
    page = status(client, ApplicationFactory(state_call=kenya, **{"submitted": True, state: True}))
    can = {name: reverse(f"applications:{name}") in page for name in ("receipt", "everything", "erase", "withdraw")}
    assert can == {"receipt": True, "everything": True, "erase": True, "withdraw": state in ("submitted", "accepted")}
    assert (reverse("applications:seat") in page) == (state == "accepted")


def test_an_hour_of_grace_is_said(client, kenya):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    open_session(client, application)
    session = client.session
    session["opened_at"] = OPENS_AT.timestamp()
    session.save()
    deadline = StateCall.objects.get(pk=kenya.pk).deadline
    with time_machine.travel(deadline + timedelta(minutes=5), tick=False):
        page = text_of(client.get(reverse("applications:status")))
    assert ("you may still finish until" in page) == ("You may change everything until" in page)


@pytest.mark.parametrize("versions", [1, 4])
def test_the_page_costs_the_same_for_one_file_and_for_many(client, kenya, versions, django_assert_num_queries):
    application = ApplicationFactory(state_call=kenya, submitted=True)
    for number in range(versions - 1):
        application.attach(upload(b"%%PDF-1.4 %d" % number), Attachment.Kind.UPR_SUBMISSION, Verdict, now=MONDAY)
    open_session(client, application)
    with django_assert_num_queries(3):  # the application with all that is its own, and where the meeting is
        client.get(reverse("applications:status"))
