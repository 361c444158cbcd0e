"""Many people, or one impatient one, at one moment (R3). Real connections: each thread has its own."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connections
from django.test import Client

from missions.models import Reply
from presessions.mail.models import Letter
from presessions.trail.models import Event
from tests.missions.factories import invite
from tests.missions.pages import answers
from tests.upr.factories import CountryMeetingFactory, SeriesFactory, StateFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brazil():
    series = SeriesFactory()
    for iso2 in ("KE", "PE"):
        CountryMeetingFactory(series=series, state=StateFactory(iso2=iso2))
    with time_machine.travel(datetime(2026, 3, 20, 10, tzinfo=UTC), tick=False):
        yield invite("BR", series=series)


def post_at_once(path, forms):
    """The status of each answer, all sent together."""

    def post(form):
        try:
            return Client().post(path, form).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(forms)) as pool:
        return list(pool.map(post, forms))


def test_twenty_clicks_on_one_button_are_one_answer_and_one_letter(brazil):
    invitation, path = brazil
    form = answers(invitation, KE="in_person", PE="no", delegates=[("Joy Canary", "", "")])
    assert post_at_once(path, [form] * 20) == [302] * 20
    invitation.refresh_from_db()
    assert (invitation.version, Reply.objects.count(), invitation.delegates.count()) == (1, 2, 1)
    assert Letter.objects.filter(kind="reply_confirmed").count() == 1


def test_of_twenty_colleagues_one_is_saved_and_each_other_is_told(brazil):
    invitation, path = brazil
    forms = [answers(invitation, KE="in_person", note=f"Note {number}") for number in range(20)]
    statuses = post_at_once(path, forms)
    assert (statuses.count(302), statuses.count(409)) == (1, 19)
    assert Reply.objects.count() == 1
    events = Event.objects.about(invitation).filter(code="answered")
    assert (events.filter(refused=False).count(), events.filter(refused=True).count()) == (1, 19)
