"""The nightly books of an invitation: no Permanent Mission is dropped silently."""

from datetime import UTC, date, datetime, timedelta

import pytest

from missions.models import PermanentMission
from presessions.mail import schedule
from presessions.mail.models import Letter
from presessions.mail.reconciliation import balance
from presessions.upr.dates import geneva
from presessions.upr.models import Series
from tests.missions.factories import AddressFactory, MissionFactory
from tests.upr.factories import SessionFactory

pytestmark = pytest.mark.django_db

SET_UP = datetime(2026, 1, 5, 9, tzinfo=UTC)
DUE = geneva(date(2026, 3, 17), 9)  # 28 days before 14 April
NIGHT = DUE + timedelta(hours=18)


@pytest.fixture
def invitation():
    """An invitation that went to Kenya and Brazil; France had no address."""
    series = Series.open_for(
        SessionFactory(), now=SET_UP, first_day=date(2026, 4, 14), last_day=date(2026, 4, 16), venue="Palais"
    )
    kenya, _brazil, france = (MissionFactory(iso2=iso2) for iso2 in ("KE", "BR", "FR"))
    france.addresses.all().delete()
    schedule.write_due(DUE)
    Letter.objects.filter(recipient_id=kenya.pk).update(state="sent")
    return series.mailings.get(kind="invitation")


def test_a_mission_without_an_address_is_counted_and_not_forgotten(invitation):
    found = balance(invitation, NIGHT)
    assert (found.expected, found.reached) == (3, 1)
    assert found.reasons == {"waiting": 1, "address": 1}
    assert found.unexplained == ()


def test_a_mission_that_got_its_address_after_the_invitation_went_came_later(invitation):
    france = PermanentMission.objects.get(code="FR")
    AddressFactory(mission=france)
    assert balance(invitation, NIGHT).reasons == {"waiting": 1, "later": 1}


def test_a_mission_that_was_invited_and_has_no_letter_is_unexplained(invitation):
    brazil = PermanentMission.objects.get(code="BR")
    Letter.objects.filter(recipient_id=brazil.pk).update(recipient_id="0")  # as if it had never been written
    assert balance(invitation, NIGHT).unexplained == (("mission", str(brazil.pk)),)
