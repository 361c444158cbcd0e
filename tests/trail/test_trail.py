"""The trail: events are added and never changed; their reasons can be erased."""

import pytest
from django.db import InternalError, ProgrammingError, transaction

from presessions import trail
from presessions.accounts.models import User
from presessions.trail import signing
from presessions.trail.models import Event, Reason
from presessions.trail.references import ALPHABET, new_reference
from presessions.trail.steps import WrongStep, refusals_kept

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return User.objects.create_user("staff@example.org", name="Staff")


def test_an_event_says_who_when_what_and_apart_from_it_why(user, now):
    event = trail.record(user, "locked", now=now, by=user, reason="Left the office.")
    assert (event.at, event.room, event.reference, event.code, event.staff_id, event.refused) == (
        now,
        "accounts.user",
        str(user.pk),
        "locked",
        user.pk,
        False,
    )
    assert event.reason.text == "Left the office."


@pytest.mark.parametrize("change", [lambda events: events.update(code="nothing"), lambda events: events.delete()])
def test_the_database_refuses_to_change_or_remove_an_event(user, now, change):
    trail.record(user, "locked", now=now)
    with pytest.raises((ProgrammingError, InternalError), match=r"append-only|permission denied"), transaction.atomic():
        change(Event.objects.all())
    assert Event.objects.get().code == "locked"


def test_a_reason_can_be_erased_while_the_event_stays(user, now):
    trail.record(user, "locked", now=now, reason="personal")
    Reason.objects.all().delete()
    assert Event.objects.about(user).count() == 1


def test_references_are_random_and_readable_aloud():
    many = {new_reference() for _ in range(1000)}
    assert len(many) == 1000
    assert all(len(one) == 11 and set(one.replace("-", "")) <= set(ALPHABET) for one in many)


# --- A refusal in a page that is one transaction ---------------------------------------------------------------------


def refuse(user, now, error=WrongStep):
    trail.record(user, "seen", now=now, by=user)
    trail.record(user, "moved", now=now, by=user, refused=True, reason="Why not.")
    raise error


def test_the_event_of_a_refusal_outlives_the_page_that_it_undoes(user, now):
    with pytest.raises(WrongStep), refusals_kept(), transaction.atomic():
        refuse(user, now)
    event = Event.objects.get()
    assert (event.code, event.refused, event.reason.text) == ("moved", True, "Why not.")
    assert signing.is_ours(event)


def test_it_is_not_written_twice_where_nothing_was_undone(user, now):
    with pytest.raises(WrongStep), refusals_kept():
        refuse(user, now)
    assert Event.objects.count() == 2


def test_a_page_that_goes_wrong_for_another_reason_leaves_nothing(user, now):
    with pytest.raises(ZeroDivisionError), refusals_kept(), transaction.atomic():
        refuse(user, now, ZeroDivisionError)
    assert not Event.objects.exists()
