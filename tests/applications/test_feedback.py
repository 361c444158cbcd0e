"""Two questions to who spoke: in their days, changed until the last one, sent twice and kept once."""

from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.db import connections
from django.test import Client
from django.urls import reverse

from applications import erasure, everything, feedback
from applications.models import SpeakerFeedback
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import GENEVA
from presessions.upr.models import Series
from tests.applications.factories import ApplicationFactory, StateCallFactory
from tests.applications.seats import open_session, words_of
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

FIRST = datetime(2026, 4, 14, 10, 0, tzinfo=GENEVA)
LAST = datetime(2026, 4, 16, 15, 0, tzinfo=GENEVA)
OPENS = LAST + timedelta(hours=1)  # the last meeting is over
CLOSES = datetime(2026, 5, 17, 0, 0, tzinfo=GENEVA)  # the first instant too late: 30 days, and that day to its end
SECOND = timedelta(seconds=1)
PAGE = "/en/application/feedback/"


@pytest.fixture
def state_call():
    CountryMeetingFactory(state=StateFactory(iso2="TR"), starts_at=LAST)
    CountryMeetingFactory(state=StateFactory(iso2="CL"), starts_at=LAST + timedelta(days=9), status="not_held")
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE"), starts_at=FIRST))


@pytest.fixture
def application(state_call):
    return ApplicationFactory(state_call=state_call, confirmed=True)


@pytest.fixture
def speaker(application):
    return open_session(Client(), application)


def said():
    row = SpeakerFeedback.objects.get()
    return row.useful, row.words


def test_it_opens_when_the_last_meeting_that_was_held_is_over_and_closes_thirty_days_later(state_call):
    assert feedback.window(state_call.series) == (OPENS, CLOSES)
    assert [feedback.is_open(state_call.series, at) for at in (OPENS - SECOND, OPENS, CLOSES - SECOND, CLOSES)] == [
        False, True, True, False,
    ]  # fmt: skip


def test_where_no_hour_is_known_the_last_day_counts_and_where_no_day_is_nobody_is_asked(state_call):
    series = Series.objects.get(pk=state_call.series.pk)
    series.meetings().update(starts_at=None)
    assert feedback.window(series)[0] == datetime(2026, 4, 17, 0, 0, tzinfo=GENEVA)
    series.last_day = None
    assert feedback.window(series) is None and not feedback.is_open(series, CLOSES)
    assert feedback.closed_words(series, OPENS) == "We ask for your feedback when the last meeting is over."


def test_a_speaker_answers_and_changes_the_answer_and_the_status_page_leads_there(speaker):
    with time_machine.travel(OPENS, tick=False):
        assert PAGE in words_of(speaker.get(reverse("applications:status")))
        assert speaker.post(PAGE, {"useful": "5", "words": "Warmer rooms."}).url == PAGE
        assert said() == (5, "Warmer rooms.")
        shown = words_of(speaker.get(PAGE))
        assert "Warmer rooms." in shown and "You can change it here" in shown
    with time_machine.travel(CLOSES - SECOND, tick=False):
        speaker.post(PAGE, {"words": "Warmer rooms, and more time."})
        assert said() == (None, "Warmer rooms, and more time.")


def test_one_of_the_two_is_enough_and_none_is_asked_about(speaker):
    with time_machine.travel(OPENS, tick=False):
        answer = speaker.post(PAGE, {"useful": "", "words": " "})
        assert (answer.status_code, "Answer at least one" in words_of(answer)) == (422, True)
        assert speaker.post(PAGE, {"useful": "9"}).status_code == 422
        assert not SpeakerFeedback.objects.exists()


@pytest.mark.parametrize("moment", [OPENS - SECOND, CLOSES])
def test_outside_its_days_nothing_is_kept_and_what_was_typed_comes_back(speaker, application, moment):
    with time_machine.travel(moment, tick=False):
        assert PAGE not in words_of(speaker.get(reverse("applications:status")))
        answer = speaker.post(PAGE, {"useful": "5", "words": "Warmer rooms."})
        assert (answer.status_code, "Warmer rooms." in words_of(answer)) == (410, True)
        assert not SpeakerFeedback.objects.exists()
        with pytest.raises(WrongStep):
            feedback.give(application, useful=5, words="", now=moment)
    assert Event.objects.about(application).filter(code="feedback_given", refused=True).exists()


def test_who_did_not_speak_is_not_asked(state_call):
    applicant = open_session(Client(), ApplicationFactory(state_call=state_call, declined=True))
    with time_machine.travel(OPENS, tick=False):
        assert applicant.post(PAGE, {"useful": "1"}).url == reverse("applications:status")
        assert not SpeakerFeedback.objects.exists()


def test_without_a_session_the_words_are_handed_back(state_call):
    with time_machine.travel(OPENS, tick=False):
        answer = Client().post(PAGE, {"words": "Warmer rooms."})
        assert (answer.status_code, "Warmer rooms." in words_of(answer)) == (404, True)


@pytest.mark.django_db(transaction=True)
def test_twenty_clicks_at_once_keep_one_answer_and_leave_one_event(application):
    start = Barrier(20)

    def click():
        start.wait()
        feedback.give(application, useful=4, words="Warmer rooms.", now=OPENS)
        connections.close_all()

    clicks = [Thread(target=click) for _n in range(20)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert said() == (4, "Warmer rooms.")
    assert Event.objects.about(application).filter(code="feedback_given").count() == 1


def test_it_goes_home_with_everything_and_goes_when_everything_is_erased(application):
    feedback.give(application, useful=4, words="Warmer rooms.", now=OPENS)
    found = everything.gathered(application, now=OPENS)
    assert found["feedback"][0]["words"] == "Warmer rooms."
    assert "Warmer rooms." in everything.page(application, found)
    erasure.erase(application, now=OPENS)
    assert not SpeakerFeedback.objects.exists()
