"""A mission that mail does not reach: address, mark and letter are set right in one place, on the task's page."""

from datetime import date

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from missions import returned
from missions.models import MissionTask
from presessions.mail import schedule
from presessions.mail.models import Letter, Mailing
from presessions.trail.models import Event
from presessions.upr.dates import geneva
from presessions.upr.models import Series
from tests.accounts.factories import StaffFactory
from tests.missions.factories import AddressFactory, MissionFactory
from tests.upr.factories import SessionFactory, StateFactory, StateUnderReviewFactory

pytestmark = pytest.mark.django_db
SET_UP = geneva(date(2026, 1, 5), 10)
DUE = geneva(date(2026, 3, 17), 9)


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def clock():
    with time_machine.travel(DUE, tick=False) as clock:
        yield clock


@pytest.fixture
def series():
    session = SessionFactory()
    StateUnderReviewFactory(session=session, state=StateFactory(iso2="KE"))
    return Series.open_for(session, now=SET_UP, first_day=date(2026, 4, 14), last_day=date(2026, 4, 16))


def invited(series, email=None):
    """Türkiye's mission, after the invitations were written, and its open task."""
    mission = MissionFactory(iso2="TR", email=email)
    schedule.write_due(DUE)
    if email:
        letter = Letter.objects.get(kind="invitation")
        letter.state = Letter.State.BOUNCED
        letter.save()
        returned.bounced(letter, now=DUE, code="5.1.1", dead=True)
    return mission, MissionTask.objects.get(mission=mission)


def press(desk, task, step, **posted):
    return desk.post(
        reverse("admin:missions_missiontask_change", args=[task.pk]), {"step": step, **posted}, follow=True
    )


def codes(mission):
    return list(Event.objects.about(mission).values_list("code", "refused"))


def test_a_new_address_and_the_letter_that_bounced_once_more(desk, staff, clock, series):
    mission, task = invited(series, "old@example.org")
    page = press(desk, task, "add_address", email="new@example.org", role="ambassador").content.decode()
    assert "The address stands in the register." in page and "Send again" in page
    bounced = Letter.objects.get(kind="invitation")
    press(desk, task, "send_again", which=bounced.pk)
    again = Letter.objects.get(replaces=bounced)
    assert (again.to, again.mailing) == ("new@example.org", bounced.mailing)
    assert mission.addresses.get(position=2).role == "ambassador"
    assert Event.objects.about(mission).get(code="address_added").staff_id == staff.pk
    page = press(desk, task, "send_again", which=bounced.pk).content.decode()
    assert "already been sent again" in page and Letter.objects.filter(replaces=bounced).count() == 1


def test_a_mark_is_taken_away_once_and_letters_go_there_again(desk, clock, series):
    mission, task = invited(series, "old@example.org")
    (address,) = mission.addresses.all()
    press(desk, task, "works_again", which=address.pk)
    assert mission.addresses.valid(DUE.date()).exists()
    page = press(desk, task, "works_again", which=address.pk).content.decode()
    assert "not marked as bounced any more" in page
    assert codes(mission)[-2:] == [("address_works", False), ("address_works", True)]


def test_who_had_no_address_gets_the_invitation_when_there_is_one(desk, clock, series):
    mission, task = invited(series)
    page = press(desk, task, "add_address", email="new@example.org", role="mission").content.decode()
    assert "Write to it now" in page
    press(desk, task, "write")
    schedule.write_due(DUE)
    letter = Letter.objects.get(kind="invitation", recipient_id=str(mission.pk))
    assert letter.to == "new@example.org"
    assert (
        "Write to it now" not in desk.get(reverse("admin:missions_missiontask_change", args=[task.pk])).content.decode()
    )
    assert Mailing.objects.get(kind="invitation").state in ("sending", "done")


def test_without_a_valid_address_nothing_is_sent_and_the_refusal_says_what_to_do(desk, clock, series):
    _mission, task = invited(series, "old@example.org")
    bounced = Letter.objects.get(kind="invitation")
    assert "no valid address yet" in press(desk, task, "send_again", which=bounced.pk).content.decode()
    assert "nothing that this mission has missed" in press(desk, task, "write").content.decode()
    assert Letter.objects.count() == 1


@pytest.mark.parametrize("which", ["", "0", "x", "99999999"])
def test_letters_and_addresses_of_others_stay_alone(desk, clock, series, which):
    _mission, task = invited(series, "old@example.org")
    other = AddressFactory(mission=MissionFactory(iso2="KE", email=None), bounced_at=DUE)
    press(desk, task, "works_again", which=which or other.pk)
    other.refresh_from_db()
    assert other.bounced_at == DUE
    assert "not one to this mission" in press(desk, task, "send_again", which=which).content.decode()


@pytest.mark.parametrize("typed", [{"email": "no address", "role": "mission"}, {"email": "a@example.org", "role": "x"}])
def test_what_is_no_address_is_pointed_at_and_stays_typed(desk, clock, series, typed):
    mission, task = invited(series)
    page = press(desk, task, "add_address", **typed).content.decode()
    assert typed["email"] in page and "errorlist" in page
    assert not mission.addresses.exists()


def test_an_address_that_stands_there_is_refused_in_words(desk, clock, series):
    mission, task = invited(series, "old@example.org")
    assert (
        "stands here already"
        in press(desk, task, "add_address", email="OLD@example.org", role="mission").content.decode()
    )
    assert codes(mission)[-1] == ("address_added", True)


def test_who_may_close_tasks_and_not_keep_the_register_cannot_add_an_address(client, clock, series):
    mission, task = invited(series)
    user = StaffFactory(is_superuser=False)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_missiontask", "change_missiontask"]))
    client.force_login(user)
    assert press(client, task, "add_address", email="a@example.org", role="mission").status_code == 403
    assert press(client, task, "works_again", which="1").status_code == 403
    assert not mission.addresses.exists()
