"""Somebody is forgotten: no letter to them can be read, sent or opened again, and that there was one stays proved."""

from datetime import timedelta

import pytest
from django.urls import reverse

from presessions import trail, vault
from presessions.mail import delivery, inbox, links, repairs
from presessions.mail.forgetting import forget
from presessions.mail.models import Attempt, Letter, Pace, PersonalLink, Report
from presessions.trail.models import Event, Reason
from presessions.trail.steps import WrongStep
from tests.mail.factories import LONG_BEFORE, put
from tests.mail.letters import link_in
from tests.promises.bounced_mails import about

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

NOW = LONG_BEFORE
LATER = NOW + timedelta(hours=1)
SECRET = [field.attname for field in Letter._meta.fields if field.attname in vault.emptied(Letter)]


def letter(id="AMINA", **facts):
    return put("invitation", id=id, to="amina@ngo.example.org", now=NOW, **facts)


def in_state(state, **facts):
    one = letter()
    Letter.objects.filter(pk=one.pk).update(state=state, **facts)
    return one


def read_again(row):
    row.refresh_from_db()
    return row


def test_contents_and_addresses_go_and_the_proof_stays():
    one = letter()
    token = link_in(one).rstrip("/").rsplit("/", 1)[-1]
    Letter.objects.filter(pk=one.pk).update(state="sent", sent_at=NOW, last_code="250")
    assert forget("person", "AMINA", now=LATER) == 1
    read_again(one)
    assert {name: getattr(one, name) for name in SECRET if getattr(one, name)} == {}
    assert (one.state, one.sent_at, one.last_code, one.recipient_id) == ("sent", NOW, "250", "AMINA")
    assert one.forgotten_at == LATER
    assert links.find(token, "invitation", now=LATER) is None


def test_all_that_is_secret_about_a_letter_is_among_what_goes():
    assert set(SECRET) == {*Letter.SEALED, "to_index", "domain_index"}


@pytest.mark.parametrize("state", Letter.UNSETTLED)
def test_what_has_not_left_does_not_leave(state):
    one = in_state(state, phase="claimed" if state == "sending" else "")
    forget("person", "AMINA", now=LATER)
    assert (read_again(one).state, one.last_code, one.next_attempt_at) == ("cancelled", "forgotten", None)
    assert Attempt.objects.filter(letter=one).last().state == "cancelled"


def test_a_worker_that_has_just_taken_it_hands_nothing_over():
    letter()
    taken = delivery.claim(LATER)
    taken.open()
    forget("person", "AMINA", now=LATER)
    assert not taken.mark(LATER)


def test_one_in_the_middle_of_being_handed_over_tells_the_truth_and_is_never_offered_again():
    letter()
    taken = delivery.claim(LATER)
    taken.mark(LATER)
    forget("person", "AMINA", now=LATER)
    assert taken.close(LATER, "250", "queued")
    assert (read_again(taken).state, taken.to, bytes(taken.frozen)) == ("sent", "", b"")

    Letter.objects.filter(pk=taken.pk).update(state="deferred", next_attempt_at=LATER)  # nobody answered, say
    again = delivery.claim(LATER)
    assert delivery.send(again, wire=None, now=lambda: LATER) == "cancelled"


def test_it_cannot_be_sent_again(user):
    one = in_state("sent", sent_at=NOW)
    forget("person", "AMINA", now=LATER)
    with pytest.raises(WrongStep, match="nobody to go to any more"):
        repairs.send_again(read_again(one), by=user, now=LATER)


def test_words_of_servers_and_of_staff_about_it_go_too(user):
    one = in_state("sent", sent_at=NOW)
    Attempt.objects.create(letter=one, at=NOW, number=1, state="sent", answer="250 amina@ngo.example.org is fine")
    report = Report.objects.create(fingerprint="f", read_at=NOW, verdict="unknown", letter=one, text="amina is away")
    report.deal_with(by=user, now=NOW, reason="Amina told me so")
    trail.record(one, "drop", now=NOW, by=user, reason="Amina no longer works there")
    forget("person", "AMINA", now=LATER)
    assert {attempt.answer for attempt in Attempt.objects.filter(letter=one)} == {""}
    assert read_again(report).text == ""
    assert not Reason.objects.exists()
    assert Event.objects.about(one).exists() and Event.objects.about(report).exists()


def test_a_mail_that_comes_back_afterwards_brings_the_address_not_back(settings):
    settings.MAIL_BOUNCE_DOMAIN = "bounces.example.org"
    one = in_state("sent", sent_at=NOW, attempts=1)
    raw = about(read_again(one), "postfix_no_such_user")
    forget("person", "AMINA", now=LATER)
    inbox.take(raw, now=LATER)
    report = Report.objects.get()
    assert (report.letter_id, report.text) == (one.pk, "")
    assert {attempt.answer for attempt in Attempt.objects.filter(letter=one)} == {""}
    assert read_again(one).state == "bounced"


def test_others_are_left_alone():
    same_address, other_kind = letter(id="OTHER"), letter(id="AMINA2")
    Letter.objects.filter(pk=other_kind.pk).update(recipient_kind="mission", recipient_id="AMINA")
    letter()
    forget("person", "AMINA", now=LATER)
    for other in (same_address, other_kind):
        assert read_again(other).to == "amina@ngo.example.org"
        assert other.state == "pending"
    assert PersonalLink.objects.filter(revoked_at=None).count() == 2


def test_the_turn_of_a_domain_that_is_over_is_forgotten_too():
    one = letter()
    Pace.objects.create(domain_index=one.domain_index, free_at=NOW)
    forget("person", "AMINA", now=LATER)
    assert not Pace.objects.exists()


def test_again_is_no_harm():
    one = letter()
    for hour in (1, 2):
        forget("person", "AMINA", now=NOW + timedelta(hours=hour))
    assert Attempt.objects.filter(letter=one, code="forgotten").count() == 1


def test_staff_see_that_it_was_erased(client, user):
    client.force_login(user)
    one = in_state("sent", sent_at=NOW)
    forget("person", "AMINA", now=LATER)
    page = client.get(reverse("admin:mail_letter_change", args=[one.pk])).content.decode()
    assert "What it said and where it went was erased on 5 January 2026" in page


def test_the_cost_does_not_grow_with_the_letters(django_assert_max_num_queries):
    for _ in range(5):
        one = letter()
        Letter.objects.filter(pk=one.pk).update(state="sent")
    with django_assert_max_num_queries(20):
        forget("person", "AMINA", now=LATER)
