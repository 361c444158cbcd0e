"""A guarded step and its event are one statement: there are both, or neither."""

import pytest
from django.db import DatabaseError, transaction

from presessions import trail
from presessions.accounts.models import User
from presessions.trail import signing
from presessions.trail.models import Event, Reason, Unsealed
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return StaffFactory(name="Ada Keller")


def events():
    return list(Event.objects.filter(code="renamed"))


def rename(rows, staff, **more):
    return trail.move(rows, {"name": "Ada Meier"}, staff, "renamed", now=MONDAY, **more)


def test_what_fits_is_changed_and_told(staff):
    assert rename(User.objects.filter(pk=staff.pk, name="Ada Keller"), staff, by=staff, reason="She has married.")
    staff.refresh_from_db()
    event = Event.objects.get(code="renamed")
    assert (staff.name, event.staff_id, event.at, event.refused) == ("Ada Meier", staff.pk, MONDAY, False)
    assert Reason.objects.get(event=event).text == "She has married."


def test_the_event_is_signed_and_waits_for_its_seal_like_any_other(staff):
    rename(User.objects.filter(pk=staff.pk), staff)
    (event,) = events()
    assert signing.is_ours(event)
    assert Unsealed.objects.filter(event_id=event.pk).exists()


@pytest.mark.parametrize("guard", [{"name": "Somebody else"}, {"pk__in": []}])
def test_what_does_not_fit_is_neither_changed_nor_told(staff, guard):
    assert not rename(User.objects.filter(pk=staff.pk, **guard), staff)
    staff.refresh_from_db()
    assert staff.name == "Ada Keller"
    assert events() == []


def test_what_cannot_be_told_is_not_done(staff):
    with pytest.raises(DatabaseError), transaction.atomic():
        trail.move(User.objects.filter(pk=staff.pk), {"name": "Ada Meier"}, staff, "x" * 61, now=MONDAY)
    staff.refresh_from_db()
    assert staff.name == "Ada Keller"


def test_it_is_one_statement(staff, django_assert_num_queries):
    with django_assert_num_queries(1):
        rename(User.objects.filter(pk=staff.pk), staff)
