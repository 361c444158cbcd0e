"""Many at once: twenty clicks are one application, one receipt, one sign-up."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from applications.models import Application, Contact
from presessions.mail.models import Letter
from presessions.trail.steps import WrongStep
from tests.applications.factories import MONDAY, ApplicationFactory, ContactFactory, StateCallFactory

pytestmark = pytest.mark.django_db(transaction=True)

CLICKS = 8


def at_once(step):
    """Take a step from several threads, each with a connection of its own; what each of them got."""

    def one(number):
        try:
            return step(number)
        except WrongStep as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CLICKS) as crowd:
        return list(crowd.map(one, range(CLICKS)))


def test_many_starts_at_once_are_one_draft_and_one_letter():
    state_call = StateCallFactory()
    started = at_once(lambda _n: Application.start(state_call, email="a@example.org", language="en", now=MONDAY))
    assert {application.pk for application in started} == {Application.objects.get().pk}
    assert Letter.objects.count() == 1


def test_many_clicks_on_send_are_one_application_and_one_receipt():
    pk = ApplicationFactory().pk
    results = at_once(lambda _n: Application.objects.get(pk=pk).submit(now=MONDAY))
    assert results.count(None) == 1
    assert all("already submitted" in str(result) for result in results if result is not None)
    assert Letter.objects.filter(kind="receipt").count() == 1


def test_many_clicks_on_withdraw_are_one_withdrawal():
    pk = ApplicationFactory(submitted=True).pk
    results = at_once(lambda _n: Application.objects.get(pk=pk).withdraw(now=MONDAY))
    assert results.count(None) == 1
    assert Letter.objects.filter(kind="withdrawn").count() == 1


def test_sending_and_withdrawing_at_once_leave_one_clear_state():
    pk = ApplicationFactory().pk
    steps = [Application.submit, Application.withdraw]
    at_once(lambda number: steps[number % 2](Application.objects.get(pk=pk), now=MONDAY))
    application = Application.objects.get()
    assert application.status == "withdrawn"
    assert Letter.objects.filter(kind="receipt").count() == (1 if application.was_sent else 0)


def test_two_tabs_saving_the_same_section_keep_one_whole_set_of_recommendations():
    pk = ApplicationFactory(complete=False).pk
    texts = [{f"recommendation_{number}": f"tab {tab}, {number}" for number in range(1, 6)} for tab in range(CLICKS)]
    at_once(lambda n: Application.objects.get(pk=pk).save_section("recommendations", texts[n], now=MONDAY))
    kept = [row.text for row in Application.objects.get().recommendations.all()]
    assert kept in [list(one.values()) for one in texts]


def test_many_confirmations_at_once_are_one_contact():
    ContactFactory(email="a@example.org")
    pk = ContactFactory(email="a@example.org", confirmed=False, now=MONDAY + timedelta(days=1)).pk
    at_once(lambda _n: Contact.objects.get(pk=pk).confirm(now=MONDAY))
    assert [contact.pk for contact in Contact.objects.confirmed()] == [pk]
