"""Several members of staff and a withdrawing applicant at one panel, at one moment. Real connections."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from applications import agenda, panel
from applications.models import Agenda, Application, Seat
from applications.panel import ChangedMeanwhile, Composition
from presessions.mail.models import Letter
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import geneva
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.upr.factories import CountryMeetingFactory

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(steps):
    """What each step came to, all taken together: "done", or the name of its refusal."""

    def take(step):
        try:
            step()
            return "done"
        except WrongStep as refusal:
            return type(refusal).__name__
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(steps)) as pool:
        return sorted(pool.map(take, steps))


@pytest.fixture
def meeting():
    day = MONDAY.date().replace(month=4, day=8)
    return StateCallFactory(meeting=CountryMeetingFactory(starts_at=geneva(day, 10))).meeting


def test_of_eight_who_save_at_once_one_is_kept_whole_and_each_other_is_told(meeting):
    ada = StaffFactory()
    people = [ApplicationFactory(state_call=meeting.state_call, submitted=True) for _ in range(4)]
    orders = [tuple((one.reference, 5) for one in people[n % 4 :] + people[: n % 4]) for n in range(8)]
    steps = [
        lambda order=order, n=n: panel.save(meeting, 0, Composition(order, note=f"{n}"), by=ada, now=MONDAY)
        for n, order in enumerate(orders)
    ]
    assert at_once(steps) == [ChangedMeanwhile.__name__] * 7 + ["done"]
    kept = panel.composed(panel.of(meeting))
    assert kept.speakers == orders[int(kept.note)]
    assert list(Seat.objects.values_list("position", flat=True)) == [1, 2, 3, 4]
    events = Event.objects.filter(code="panel_composed")
    assert (events.filter(refused=False).count(), events.filter(refused=True).count()) == (1, 7)


def test_who_withdraws_while_the_panel_is_saved_has_no_place_whoever_came_first(meeting):
    ada = StaffFactory()
    people = [ApplicationFactory(state_call=meeting.state_call, submitted=True) for _ in range(6)]
    leaving, staying = people[:3], people[3:]
    order = Composition(tuple((one.reference, 5) for one in people))
    panel.save(meeting, 0, order, by=ada, now=MONDAY)
    again = Composition(tuple((one.reference, 6) for one in people))
    withdrawals = [lambda one=one: one.withdraw(now=MONDAY) for one in leaving]
    outcome = at_once([lambda: panel.save(meeting, 1, again, by=ada, now=MONDAY), *withdrawals])
    assert outcome.count("done") >= 3
    assert set(Application.objects.filter(status="withdrawn")) == set(leaving)
    assert [one for one, _minutes in panel.composed(panel.of(meeting)).speakers] == [one.reference for one in staying]
    assert not Seat.objects.filter(application__in=leaving).exists()


def test_two_clicks_on_publish_are_one_version_and_one_letter_each(meeting):
    ada = StaffFactory()
    speaker = ApplicationFactory(state_call=meeting.state_call, confirmed=True)
    panel.save(meeting, 0, Composition(((speaker.reference, 5),)), by=ada, now=MONDAY)
    publish = [lambda: agenda.publish(meeting, by=ada, now=MONDAY, seen_version=1)] * 4
    assert at_once(publish) == ["WrongStep"] * 3 + ["done"]
    assert (Agenda.objects.count(), Letter.objects.filter(kind="agenda").count()) == (1, 1)
