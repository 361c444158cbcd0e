"""R3: answers are idempotent. Fifty clicks on one button, or two people of one mission at one moment: there is one
current answer for each meeting, and what was before it in the history; nobody is overwritten unseen.

Real connections: each thread has its own.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connections, transaction
from django.test import Client

from missions import passing_on
from missions.models import Colleague, Invitation, Question, Reply
from presessions.mail.models import Letter
from presessions.trail.models import Event
from tests.missions.factories import invite, open_link
from tests.missions.pages import answers
from tests.upr.factories import CountryMeetingFactory, SeriesFactory, StateFactory

pytestmark = pytest.mark.django_db(transaction=True)

CLICKS = 50
NOW = datetime(2026, 3, 20, 10, tzinfo=UTC)


@pytest.fixture
def brazil():
    """(Invitation, path of the mission's own link, path of a colleague's link)"""
    series = SeriesFactory(format="hybrid")
    for iso2 in ("KE", "PE"):
        CountryMeetingFactory(series=series, state=StateFactory(iso2=iso2))
    with time_machine.travel(NOW, tick=False):
        invitation, path = invite("BR", series=series)
        colleague = passing_on.pass_on(invitation, email="ana@example.org", name="Ana", now=NOW)
        yield invitation, path, open_link(colleague, purpose="colleague")


def at_once(posts):
    """The status of each of these (path, form), all sent together."""

    def post(one):
        try:
            return Client().post(*one).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(posts)) as pool:
        return list(pool.map(post, posts))


def history(invitation):
    """(answers kept, answers refused) as the trail has them."""
    events = Event.objects.about(invitation).filter(code="answered")
    return events.filter(refused=False).count(), events.filter(refused=True).count()


def test_fifty_clicks_on_one_button_are_one_answer_one_question_and_one_letter(brazil):
    invitation, path, _colleagues = brazil
    delegates = [("Joy Canary", "", "")]
    form = answers(invitation, KE="in_person", PE="no", question_KE="And the courts?", delegates=delegates)
    assert at_once([(path, form)] * CLICKS) == [302] * CLICKS
    invitation.refresh_from_db()
    assert (invitation.version, Reply.objects.count(), invitation.delegates.count()) == (1, 2, 1)
    assert Question.objects.get().words == "And the courts?"
    assert Letter.objects.filter(kind="reply_confirmed").count() == 1
    assert history(invitation) == (1, 0)


def test_of_fifty_different_answers_by_one_link_one_is_saved_and_each_other_is_told(brazil):
    invitation, path, _colleagues = brazil
    forms = [answers(invitation, KE="in_person", note=f"Note {number}") for number in range(CLICKS)]
    statuses = at_once([(path, form) for form in forms])
    assert (statuses.count(302), statuses.count(409)) == (1, CLICKS - 1)
    assert Reply.objects.count() == 1
    assert history(invitation) == (1, CLICKS - 1)


def test_two_people_of_one_mission_at_once_each_by_their_own_link(brazil):
    invitation, own, colleagues = brazil
    theirs, hers = answers(invitation, KE="in_person", PE="no"), answers(invitation, KE="no")
    statuses = at_once([(own, theirs), (colleagues, hers)])
    assert sorted(statuses) == [302, 409]
    by_colleague = statuses[1] == 302
    replies = {reply.meeting.state.pk: (reply.answer, reply.colleague_id) for reply in Reply.objects.all()}
    ana = Colleague.objects.get().pk
    assert replies == ({"KE": ("no", ana)} if by_colleague else {"KE": ("in_person", None), "PE": ("no", None)})
    assert history(invitation) == (1, 1)


def test_who_was_told_sees_both_answers_and_what_they_save_then_counts(brazil):
    invitation, own, colleagues = brazil
    hers = answers(invitation, KE="no")
    Client().post(own, answers(invitation, KE="in_person"))
    page = Client().post(colleagues, hers)
    assert page.status_code == 409
    assert "Saved by your colleague: In person" in page.content.decode()
    assert Client().post(colleagues, {**hers, "version": 1}).status_code == 302
    assert [event.code for event in Event.objects.about(Reply.objects.get())] == ["in_person", "no"]


def test_who_closes_a_link_waits_for_what_is_being_written_by_it_and_then_nothing_more_is(brazil):
    """Else an answer, or another link, could be written between the question whether it is open and its end."""
    invitation, _own, colleagues = brazil

    def close():
        try:
            passing_on.close(Colleague.objects.get(), now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Invitation.objects.select_for_update().get(pk=invitation.pk)
            closing = pool.submit(close)
            with pytest.raises(TimeoutError):
                closing.result(timeout=0.3)
        closing.result(timeout=10)
    assert at_once([(colleagues, answers(invitation, KE="no"))]) == [404]


def test_ten_presses_that_pass_it_on_to_one_address_are_one_link_and_one_letter(brazil):
    _invitation, own, _colleagues = brazil
    form = {"colleague_email": "new@example.org"}
    assert at_once([(f"{own}colleagues/", form)] * 10) == [302] * 10
    assert Colleague.objects.count() == 2  # with Ana
    assert Letter.objects.filter(kind="passed_on", recipient_id=Colleague.objects.last().reference).count() == 1
