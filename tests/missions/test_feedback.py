"""Two questions to missions when the meetings are over; and what staff read of missions and of speakers."""

import csv
import io
from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from applications import at_risk
from applications import feedback as of_speakers
from missions import feedback
from missions.models import MissionFeedback
from presessions.mail import registry
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import GENEVA
from tests.accounts.factories import StaffFactory
from tests.accounts.logins import forget_proof
from tests.applications.factories import ApplicationFactory, StateCallFactory
from tests.applications.seats import words_of
from tests.missions.factories import invite
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

STARTS = datetime(2026, 4, 14, 10, 0, tzinfo=GENEVA)
OVER = STARTS + timedelta(hours=1)
TOO_LATE = datetime(2026, 5, 15, 0, 0, tzinfo=GENEVA)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(OVER, tick=False) as clock:
        yield clock


@pytest.fixture
def state_call():
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE"), starts_at=STARTS))


@pytest.fixture
def series(state_call):
    return state_call.series


@pytest.fixture
def desk(client):
    client.force_login(StaffFactory())
    return client


def in_role(name):
    person, client = StaffFactory(is_superuser=False), Client()
    person.groups.set(Group.objects.filter(name=name))
    client.force_login(person)
    return client


def page(series):
    return reverse("admin:upr_series_feedback", args=[series.pk])


def said_by_missions(series, **said):
    for code, (useful, words) in said.items():
        invitation, _path = invite(code, series=series)
        feedback.give(invitation, useful=useful, words=words, now=OVER)


# --- Missions answer -------------------------------------------------------------------------------------------------


def test_a_mission_answers_by_its_link_changes_it_and_looking_changes_nothing(series):
    _invitation, path = invite("FR", series=series)
    mission, there = Client(), f"{path}feedback/"
    assert there in words_of(mission.get(path))
    mission.get(there)
    assert not MissionFeedback.objects.exists()
    assert mission.post(there, {"useful": "4", "words": "Shorter."}).url == there
    assert "Shorter." in words_of(mission.get(there))
    mission.post(there, {"useful": "2", "words": "Longer."})
    assert list(MissionFeedback.objects.values_list("useful", "words")) == [(2, "Longer.")]


@pytest.mark.parametrize("moment", [OVER - SECOND, TOO_LATE])
def test_outside_its_days_nothing_is_kept_and_what_was_typed_comes_back(clock, series, moment):
    invitation, path = invite("FR", series=series)
    clock.move_to(moment)
    assert f"{path}feedback/" not in words_of(Client().get(path))
    answer = Client().post(f"{path}feedback/", {"useful": "4", "words": "Shorter."})
    assert (answer.status_code, "Shorter." in words_of(answer)) == (410, True)
    with pytest.raises(WrongStep):
        feedback.give(invitation, useful=4, words="", now=moment)
    assert not MissionFeedback.objects.exists()


def test_the_same_twice_is_once(series):
    invitation, _path = invite("FR", series=series)
    assert feedback.give(invitation, useful=4, words="Shorter.", now=OVER)
    assert not feedback.give(invitation, useful=4, words="Shorter.", now=OVER + SECOND)
    assert Event.objects.about(invitation).filter(code="feedback_given").count() == 1


def test_a_link_that_has_ended_opens_nothing_and_takes_nothing(series):
    invitation, path = invite("FR", series=series)
    invitation.close_links(by=StaffFactory(), now=OVER)
    assert Client().post(f"{path}feedback/", {"useful": "4"}).status_code == 404
    assert not MissionFeedback.objects.exists()


def test_the_thanks_carry_the_links():
    assert registry.KINDS["thanks_missions"].link == "invitation"
    assert registry.KINDS["thanks_speakers"].link == "application"


# --- Staff read it ---------------------------------------------------------------------------------------------------


def test_staff_read_words_and_the_mean_from_three_answers_on(desk, series):
    said_by_missions(series, FR=(5, "Shorter."), CL=(4, ""))
    two = words_of(desk.get(page(series)))
    assert "Shorter." in two and "on average" not in two
    assert "2 have answered. 1 without words." in " ".join(two.split())
    said_by_missions(series, NO=(3, "Longer."))
    assert "<strong>4.0</strong> on average (3 answers)." in words_of(desk.get(page(series)))


def test_words_of_speakers_stand_without_name_state_or_reference_and_masked_where_somebody_is_at_risk(
    desk, state_call, series
):
    ada, speakers = StaffFactory(), []
    for words in ("More time.", "Less noise.", "Quiet rooms."):
        one = ApplicationFactory(state_call=state_call, confirmed=True, organisation_name=f"House of {words}")
        of_speakers.give(one, useful=4, words=words, now=OVER)
        speakers.append(one)
    at_risk.mark(speakers[2], by=ada, now=OVER)
    shown = words_of(desk.get(page(series)))
    assert "More time." in shown and "Less noise." in shown and "Quiet rooms." not in shown
    assert "at risk: masked" in shown
    assert not [word for one in speakers for word in (one.reference, one.name, "Kenya") if word in shown]


def test_the_mean_of_speakers_leaves_out_whom_the_page_masks(desk, state_call, series):
    for number, useful in enumerate((1, 5, 4, 3)):
        one = ApplicationFactory(state_call=state_call, confirmed=True)
        of_speakers.give(one, useful=useful, words=f"Words {number}.", now=OVER)
        if useful == 1:
            at_risk.mark(one, by=StaffFactory(), now=OVER)
        if useful == 4:
            assert "on average" not in words_of(desk.get(page(series)))  # three marks, of which one is masked
    assert "<strong>4.0</strong> on average (3 answers)." in words_of(desk.get(page(series)))


def test_the_mission_desk_reads_missions_alone(state_call, series):
    said_by_missions(series, FR=(5, "Shorter."))
    one = ApplicationFactory(state_call=state_call, confirmed=True)
    of_speakers.give(one, useful=4, words="More time.", now=OVER)
    desk = in_role("Mission desk")
    shown = words_of(desk.get(page(series)))
    assert "Shorter." in shown and "More time." not in shown
    assert desk.post(page(series), {"half": "speakers", "format": "csv"}).status_code == 403
    assert Event.objects.filter(code="exported", refused=True).count() == 1


def test_a_file_holds_what_the_page_shows_asks_for_a_proof_and_is_noted(desk, state_call, series):
    said_by_missions(series, FR=(5, "=Shorter"))
    one = ApplicationFactory(state_call=state_call, confirmed=True)
    of_speakers.give(one, useful=4, words="More time.", now=OVER)
    at_risk.mark(one, by=StaffFactory(), now=OVER)

    def rows(half):
        answer = desk.post(page(series), {"half": half, "format": "csv"})
        return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))[1:]

    assert rows("missions") == [["France", "5", "'=Shorter"]]
    assert rows("speakers") == [["", "at risk: masked"]]
    assert Event.objects.filter(code="exported", refused=False).count() == 2
    forget_proof(desk)
    assert "code" in words_of(desk.post(page(series), {"half": "missions", "format": "csv"}))
    assert Event.objects.filter(code="exported").count() == 2
