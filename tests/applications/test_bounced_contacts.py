"""A contact whose address does not work gets no more calls; nor does one who called the call unwanted."""

from datetime import timedelta

import pytest

from applications.models import Contact
from presessions.mail import inbox
from presessions.mail.models import Letter
from presessions.mail.registry import recipient_kind
from tests.applications.factories import MONDAY, ContactFactory
from tests.promises.bounced_mails import about

pytestmark = pytest.mark.django_db

ADDRESS = "reader@example.org"
LATER = MONDAY + timedelta(days=1)


@pytest.fixture
def contact(settings):
    settings.MAIL_BOUNCE_DOMAIN = "bounces.example.org"
    return ContactFactory(email=ADDRESS)


def comes_back(contact, name):
    letter = Letter.objects.filter(recipient_id=contact.reference).latest("pk")
    Letter.objects.filter(pk=letter.pk).update(state="sent", attempts=1)
    letter.refresh_from_db()
    verdict = inbox.take(about(letter, name), now=LATER)
    contact.refresh_from_db()
    return verdict, recipient_kind("contact").still_wanted(letter)


def test_an_address_that_does_not_work_is_written_to_no_more(contact):
    comes_back(contact, "postfix_no_such_user")
    assert contact.bounced_at == LATER
    assert (contact.left_at, contact.email) == (None, "")  # its hash alone stays, so that no old list brings it back
    assert Contact.objects.of_address(ADDRESS).gone().get() == contact
    assert not Contact.objects.confirmed().exists()


def test_a_full_mailbox_may_be_emptied_before_the_next_call(contact):
    assert comes_back(contact, "exchange_mailbox_full") == ("lost", True)
    assert contact.bounced_at is None
    assert Contact.objects.confirmed().exists()


def test_who_calls_the_call_unwanted_is_off_the_list_and_forgotten(contact):
    assert comes_back(contact, "complaint_abuse") == ("complaint", False)
    assert (contact.left_at, contact.email) == (LATER, "")


def test_who_signs_up_again_is_written_to_again(contact):
    comes_back(contact, "postfix_no_such_user")
    again = ContactFactory(email=ADDRESS, now=LATER + timedelta(days=1))
    assert list(Contact.objects.confirmed()) == [again]
    contact.refresh_from_db()
    assert contact.left_at is not None  # one row for one address, as ever


def test_so_is_who_never_confirmed_because_the_first_mail_did_not_arrive(settings):
    settings.MAIL_BOUNCE_DOMAIN = "bounces.example.org"
    comes_back(ContactFactory(email=ADDRESS, confirmed=False), "postfix_no_such_user")
    again = ContactFactory(email=ADDRESS, now=LATER + timedelta(days=1))
    assert list(Contact.objects.confirmed()) == [again]
