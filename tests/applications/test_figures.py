"""Panel figures: what UPR Info publishes after a series, counted again here by hand."""

import csv
import io
import random
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications import figures, seat, small_numbers
from applications.models import Application, Speaker, Theme
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory
from tests.accounts.logins import forget_proof
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.upr.factories import CountryMeetingFactory, StateFactory

THEMES = ("civic space", "education", "health", "justice", "water")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def staff(client):
    user = StaffFactory()
    client.force_login(user)
    return user


def meeting(code):
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2=code)))


def rows_of_speakers(state_call, number, chance, **facts):
    """Confirmed speakers of every sort, as rows: how they came about is not the question here."""
    made = []
    for n in range(number):
        kind, gender = (
            chance.choice(["cso", "cso", "nhri"]),
            chance.choice(["woman", "woman", "man", "other", "not_said", ""]),
        )
        scope = "" if kind == "nhri" else chance.choice(["national", "international"])
        facts = {"status": "confirmed", **facts}
        application = Application.objects.create(
            state_call=state_call, email_index=f"{state_call.pk} {n}", created_at=MONDAY, submitted_at=MONDAY,
            kind=kind, scope=scope, **facts,
        )  # fmt: skip
        themes = [Theme.objects.get_or_create(slug=name, defaults={"name_en": name})[0] for name in THEMES]
        application.themes.set(chance.sample(themes, k=2))
        Speaker.objects.create(application=application, gender="man", replaced_at=MONDAY)  # who was to speak at first
        Speaker.objects.create(application=application, gender=gender, attends=chance.choice(["in_person", "remote"]))
        Speaker.objects.create(application=application, role="replacement", gender="woman")
        made.append((kind, scope, gender, set(application.themes.all())))
    return made


def test_the_figures_are_those_that_somebody_would_count_by_hand():
    chance = random.Random(54)
    kenya, turkiye, chile = meeting("KE"), meeting("TR"), meeting("CL")
    made = rows_of_speakers(kenya, 17, chance) + rows_of_speakers(turkiye, 9, chance)
    rows_of_speakers(chile, 5, chance)  # that meeting is called off
    for state_call in (kenya, turkiye):
        state_call.meeting.mark_held(now=MONDAY)
    chile.meeting.call_off("too_few", now=MONDAY)
    for status in ("submitted", "declined", "waitlisted", "accepted", "released", "withdrawn"):
        Application.objects.create(
            state_call=kenya, email_index=status, created_at=MONDAY, submitted_at=MONDAY, kind="nhri", status=status
        )
    found = figures.of(kenya.series)
    total = found.total
    assert [meeting.state.pk for meeting in found.counted] == ["KE", "TR"]
    assert [meeting.state.pk for meeting in found.not_held] == ["CL"]
    assert total.speakers == len(made) == 26
    assert total.csos == sum(kind == "cso" for kind, *_rest in made)
    assert total.nhris == sum(kind == "nhri" for kind, *_rest in made)
    assert total.national == sum(kind == "nhri" or scope == "national" for kind, scope, *_rest in made)
    assert total.international == sum(scope == "international" for _kind, scope, *_rest in made)
    assert total.women == sum(gender == "woman" for _kind, _scope, gender, _themes in made)
    assert total.not_said == sum(gender in ("", "not_said") for _kind, _scope, gender, _themes in made)
    assert total.women + total.men + total.other + total.not_said == 26
    assert set(dict(found.themes())) == {theme.name for *_rest, themes in made for theme in themes}
    assert sum(number for _theme, number in found.themes()) == 2 * 26
    assert sum(tally.speakers for _meeting, tally in found.meetings) == 26


def test_before_a_meeting_was_held_whoever_has_a_seat_counts_and_the_words_say_so():
    kenya = meeting("KE")
    ApplicationFactory(state_call=kenya, confirmed=True, kind="cso", scope="national", gender="woman")
    ApplicationFactory(state_call=kenya, accepted=True, kind="cso", scope="international", gender="man", name="Far")
    given_up = ApplicationFactory(state_call=kenya, confirmed=True)
    seat.give_up(Application.objects.with_state().get(pk=given_up.pk), now=MONDAY + timedelta(hours=1))
    assert figures.of(kenya.series).sentences() == [
        "Pre-sessions 54, as planned today: 1 meeting.",
        "2 speakers from 2 institutions are to take the floor: 2 for civil society and 0 for national human rights "
        "institutions.",
        "50% of the speakers (1 of 2) belong to national or local institutions; how many are women is not shown, the "
        "numbers are too small.",
        "They address 1 theme.",
    ]


def test_a_held_meeting_counts_those_who_had_confirmed():
    kenya = meeting("KE")
    ApplicationFactory(state_call=kenya, confirmed=True, gender="not_said", kind="nhri", ganhri_status="a")
    ApplicationFactory(state_call=kenya, accepted=True)
    kenya.meeting.mark_held(now=MONDAY)
    told = figures.of(kenya.series).sentences()
    assert told[0] == "Pre-sessions 54: 1 meeting was held."
    assert told[1:3] == [
        "1 speaker from 1 institution took the floor: 0 for civil society and 1 for national human rights "
        "institutions.",
        "100% of the speakers (1 of 1) belong to national or local institutions; how many are women is not shown, the "
        "numbers are too small.",
    ]


def test_a_series_without_speakers_has_figures_too(client, staff):
    kenya = meeting("KE")
    assert figures.of(kenya.series).sentences() == ["Pre-sessions 54, as planned today: 1 meeting."]
    for page in (index(), page_of(kenya)):
        assert client.get(page).status_code == 200


def index():
    return reverse("admin:applications_figures")


def page_of(state_call):
    return reverse("admin:applications_figures_series", args=[state_call.series.pk])


def test_the_page_and_the_file_say_the_same_and_the_file_is_noted(client, staff):
    kenya = meeting("KE")
    rows_of_speakers(kenya, 7, random.Random(7))
    total = figures.of(kenya.series).total
    assert f"{total.speakers} speakers from" in client.get(page_of(kenya)).content.decode()
    answer = client.post(page_of(kenya), {"format": "csv"})
    told = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    row = dict(zip(told[0], told[-1], strict=True))
    women = small_numbers.in_words(total.shown["women"])
    assert (row["speakers"], row["women"], row["CSO"]) == tuple(map(str, (total.speakers, women, total.csos)))
    taken = Event.objects.about(staff).get(code="exported")
    assert (taken.refused, taken.reason.text) == (False, "Panel figures · Pre-sessions 54 · csv")
    assert client.post(page_of(kenya), {"format": "xlsx"}).content[:2] == b"PK"


def test_the_file_asks_for_the_right_and_for_a_fresh_proof(client, staff):
    kenya = meeting("KE")
    forget_proof(client)
    assert "Content-Disposition" not in client.post(page_of(kenya), {"format": "csv"})
    reader = StaffFactory(is_superuser=False)
    client.force_login(reader)
    assert client.get(page_of(kenya)).status_code == client.get(index()).status_code == 403
    assert client.post(page_of(kenya), {"format": "csv"}).status_code == 403


def test_more_speakers_meetings_and_series_cost_no_more_queries(client, staff):
    def cost(page):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page).status_code == 200
        return len(queries)

    kenya = meeting("KE")
    rows_of_speakers(kenya, 1, random.Random(1))
    few = [(cost(page), cost(page))[1] for page in (index(), page_of(kenya))]
    rows_of_speakers(meeting("TR"), 9, random.Random(2))
    assert [cost(page) for page in (index(), page_of(kenya))] == few
