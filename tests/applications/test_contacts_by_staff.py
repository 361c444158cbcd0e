"""Contacts on the staff's desk: one by hand, the list and its search, and the end of one."""

from datetime import timedelta

import pytest
import time_machine

from applications.models import Contact
from presessions.mail.models import Letter, PersonalLink
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ContactFactory
from tests.applications.test_admin import may, page, rows, text
from tests.upr.factories import StateFactory

pytestmark = pytest.mark.django_db

ADDRESS = "amina@example.org"
BY_HAND = {"email": ADDRESS, "language": "fr", "states": [], "source": "Asked by e-mail on 2 March"}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def staff():
    return StaffFactory(name="Nadia Staff")


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    return client


def test_who_asks_by_mail_is_put_on_the_list_and_counts_at_once(desk, staff):
    StateFactory(iso2="KE")
    answer = desk.post(page("contact_add"), BY_HAND | {"states": ["KE"]})
    contact = Contact.objects.confirmed().get()
    assert answer.url == page("contact_change", contact.pk)
    assert (contact.email, contact.language, contact.source) == (ADDRESS, "fr", BY_HAND["source"])
    assert (contact.entered_by, [state.pk for state in contact.states.all()]) == (staff, ["KE"])
    assert [(event.code, event.staff_id) for event in Event.objects.about(contact)] == [("entered", staff.pk)]
    assert not Letter.objects.exists()


def test_where_the_address_comes_from_must_be_said(desk):
    assert "This field is required" in text(desk.post(page("contact_add"), BY_HAND | {"source": " "}))
    assert not Contact.objects.exists()


def test_an_address_that_is_there_is_pointed_at(desk):
    contact = ContactFactory(email=ADDRESS)
    answer = desk.post(page("contact_add"), BY_HAND | {"email": "Amina@Example.org"})
    assert f"This address is on the list already: {contact.reference}." in text(answer)
    assert Contact.objects.get() == contact


@pytest.mark.parametrize("step", ["leave", "bounce"])
def test_who_has_left_or_bounced_is_asked_before_they_count_again(desk, step):
    getattr(ContactFactory(email=ADDRESS), step)(now=MONDAY)
    answer = desk.post(page("contact_add"), BY_HAND, follow=True)
    assert "Its owner is asked by mail" in text(answer)
    assert not Contact.objects.confirmed().exists()
    contact = Contact.objects.waiting().get()
    letter = Letter.objects.get(kind="contact_confirm", recipient_id=contact.reference)
    assert letter.to == ADDRESS
    contact.confirm(now=MONDAY + timedelta(hours=1))
    assert Contact.objects.confirmed().get().email == ADDRESS


def test_a_contact_is_found_by_the_whole_address_even_when_it_has_left(desk):
    contact = ContactFactory(email=ADDRESS)
    ContactFactory()
    assert rows(desk.get(page("contact_changelist"), {"q": "Amina@example.org"})) == [contact.reference]
    contact.leave(now=MONDAY)
    assert rows(desk.get(page("contact_changelist"), {"q": ADDRESS})) == [contact.reference]
    assert rows(desk.get(page("contact_changelist"), {"q": "amina"})) == []


def test_the_list_is_sorted_out_by_where_they_stand_by_language_and_by_state(desk):
    kenya = StateFactory(iso2="KE")
    confirmed = ContactFactory(language="fr", states=[kenya])
    waiting = ContactFactory(confirmed=False)
    left, bounced = ContactFactory(), ContactFactory()
    left.leave(now=MONDAY)
    bounced.bounce(now=MONDAY)
    for question, found in (
        ({"on": "confirmed"}, confirmed),
        ({"on": "waiting"}, waiting),
        ({"on": "left"}, left),
        ({"on": "bounced"}, bounced),
        ({"language__exact": "fr"}, confirmed),
        ({"state": "KE"}, confirmed),
    ):
        assert rows(desk.get(page("contact_changelist"), question)) == [found.reference], question
    assert len(rows(desk.get(page("contact_changelist"), {"state": "none", "on": "waiting"}))) == 1


def take_off(desk, contact, reason="Asked us by telephone."):
    posted = {"action": "take_off", "_selected_action": [contact.pk], "reason": reason}
    return desk.post(page("contact_changelist"), posted, follow=True)


def test_staff_take_a_contact_off_the_list_and_say_why(desk, staff):
    contact = ContactFactory(email=ADDRESS)
    take_off(desk, contact)
    contact.refresh_from_db()
    assert (contact.email, contact.source, contact.left_at) == ("", "", MONDAY)
    event = Event.objects.about(contact).select_related("reason").get(code="left")
    assert (event.staff_id, event.reason.text) == (staff.pk, "Asked us by telephone.")


def test_without_a_reason_nobody_is_taken_off(desk):
    contact = ContactFactory()
    assert "Please say why" in text(take_off(desk, contact, reason=" "))
    assert Contact.objects.confirmed().get() == contact


def test_the_page_of_a_contact_leads_to_its_end(desk, client):
    contact = ContactFactory(email=ADDRESS)
    shown = desk.get(page("contact_change", contact.pk)).content.decode()
    assert f'name="_selected_action" value="{contact.pk}"' in shown
    client.force_login(may("view_contact"))
    assert "_selected_action" not in client.get(page("contact_change", contact.pk)).content.decode()


def test_who_may_not_cannot_take_anybody_off(client):
    contact = ContactFactory()
    client.force_login(may("view_contact", "add_contact"))
    take_off(client, contact)
    assert Contact.objects.confirmed().get() == contact


# --- What stays of who has left ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["leave", "bounce"])
def test_only_a_hash_stays(step):
    contact = ContactFactory(email=ADDRESS, states=[StateFactory(iso2="KE")])
    hashed = contact.email_index
    getattr(contact, step)(now=MONDAY)
    contact.refresh_from_db()
    assert (contact.email, contact.source, contact.email_index) == ("", "", hashed)
    assert not contact.states.exists()
    letters = Letter.objects.filter(recipient_id=contact.reference)
    assert {(letter.to, bytes(letter.frozen), letter.forgotten_at) for letter in letters} == {("", b"", MONDAY)}
    assert not PersonalLink.objects.filter(letter__in=letters, revoked_at=None).exists()


def test_leaving_forgets_a_sign_up_that_waits_as_well():
    contact = ContactFactory(email=ADDRESS)
    ContactFactory(email=ADDRESS, confirmed=False, now=MONDAY + timedelta(hours=1))
    contact.leave(now=MONDAY + timedelta(hours=2))
    assert {one.email for one in Contact.objects.all()} == {""}
    assert not Contact.objects.waiting().exists()


def test_the_link_in_a_mail_from_before_a_change_of_wishes_still_leaves():
    before = ContactFactory(email=ADDRESS)
    ContactFactory(email=ADDRESS, now=MONDAY + timedelta(hours=1))
    before.refresh_from_db()
    assert before.has_left  # replaced
    before.leave(now=MONDAY + timedelta(hours=2))
    assert not Contact.objects.confirmed().exists()


def test_whoever_left_can_sign_up_again():
    ContactFactory(email=ADDRESS).leave(now=MONDAY)
    again = ContactFactory(email=ADDRESS, now=MONDAY + timedelta(hours=1))
    assert Contact.objects.confirmed().get() == again
    again.leave(now=MONDAY + timedelta(hours=2))
    assert Contact.objects.of_address(ADDRESS).gone().count() == 2
