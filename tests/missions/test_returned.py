"""A letter to a mission that comes back goes to its next address, or becomes somebody's task. Nobody is dropped."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from missions import confirming, overview
from missions.models import Invitation, MissionTask, PermanentMission
from presessions.mail import delivery, inbox, outbox, reconciliation, schedule
from presessions.mail.models import Alarm, Letter, Mailing, Report
from presessions.mail.registry import plan_of
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import geneva
from presessions.upr.models import Series
from tests.mail.letters import link_in, message_of
from tests.missions.factories import AddressFactory, MissionFactory, invite
from tests.promises.bounced_mails import about
from tests.upr.factories import SessionFactory, StateFactory, StateUnderReviewFactory

pytestmark = pytest.mark.django_db

SET_UP = datetime(2026, 1, 5, 9, tzinfo=UTC)
DUE = geneva(date(2026, 3, 17), 9)
NEXT_DAY = DUE + timedelta(days=1)


@pytest.fixture(autouse=True)
def _bounce_domain(settings):
    settings.MAIL_BOUNCE_DOMAIN = "bounces.example.org"


@pytest.fixture
def series():
    session = SessionFactory()
    StateUnderReviewFactory(session=session, state=StateFactory(iso2="KE"))
    return Series.open_for(session, now=SET_UP, first_day=date(2026, 4, 14), last_day=date(2026, 4, 16))


@pytest.fixture
def mission(series):
    return MissionFactory(iso2="BR", email="first@brazil.example.org")


@pytest.fixture
def second(mission):
    return AddressFactory(mission=mission, position=2, email="second@brazil.example.org")


def invitation_to(mission, now=DUE):
    schedule.write_due(now)
    letter = Letter.objects.get(kind="invitation", recipient_id=str(mission.pk))
    return gone(letter)


def gone(letter):
    Letter.objects.filter(pk=letter.pk).update(state="sent", attempts=1, sent_at=DUE)
    letter.refresh_from_db()
    return letter


def comes_back(letter, name="postfix_no_such_user", now=NEXT_DAY):
    inbox.take(about(letter, name), now=now)
    return Letter.objects.filter(replaces=letter).first()


def tasks(**facts):
    return [(task.mission.code, task.reason, task.letter) for task in MissionTask.objects.open().filter(**facts)]


def test_an_address_that_does_not_work_is_marked_and_the_next_one_gets_a_letter_with_a_link_of_its_own(mission, second):
    letter = invitation_to(mission)
    link = link_in(letter)
    fresh = comes_back(letter)
    assert list(mission.addresses.values_list("email", "bounced_at")) == [
        ("first@brazil.example.org", NEXT_DAY),
        ("second@brazil.example.org", None),
    ]
    assert (fresh.to, fresh.copy, fresh.mailing, fresh.state) == (second.email, 2, letter.mailing, "pending")
    assert str(message_of(fresh)["To"]) == second.email
    assert link_in(fresh) != link
    assert (fresh.links.get().target_id, fresh.due_at) == (letter.links.get().target_id, NEXT_DAY)
    assert tasks() == []
    codes = Event.objects.about(mission).values_list("code", flat=True)
    assert "address_bounced" in codes


def struck_out(mission):
    mission.addresses.get(position=1).delete()


def bounced(mission):
    mission.addresses.filter(position=1).update(bounced_at=DUE)


@pytest.mark.parametrize("lose", [struck_out, bounced])
def test_an_address_lost_between_writing_and_sending_gives_way_to_the_next_one(sink, mission, second, lose):
    schedule.write_due(DUE)
    lose(mission)
    delivery.drain(0, now=lambda: DUE)
    assert sink.recipients == [second.email]
    letter, fresh = Letter.objects.filter(kind="invitation").order_by("pk")
    assert (letter.state, letter.last_code, fresh.replaces, fresh.state) == ("failed", "gone", letter, "sent")
    assert tasks() == []
    assert not Alarm.objects.filter(code="failed").exists()
    assert reconciliation.balance(letter.mailing, NEXT_DAY).reasons == {}


@pytest.mark.parametrize("lose", [struck_out, bounced])
def test_a_mission_that_loses_its_only_address_before_its_letter_goes_is_somebody_s_task(sink, mission, lose):
    schedule.write_due(DUE)
    lose(mission)
    delivery.drain(0, now=lambda: DUE)
    letter = Letter.objects.get(kind="invitation")
    assert tasks() == [("BR", "lost", letter)]
    assert letter in Letter.objects.to_look_at()
    assert sink.mails == []


def test_an_address_that_is_refused_at_once_is_marked_and_gives_way_like_one_that_comes_back(sink, mission, second):
    sink.order(RCPT=["550 5.1.1 no such user"])
    schedule.write_due(DUE)
    delivery.drain(0, now=lambda: DUE)
    assert sink.recipients == [second.email]
    assert mission.addresses.get(position=1).bounced_at == DUE


def test_a_mission_whose_last_address_does_not_work_is_somebody_s_task(mission, second, series):
    fresh = gone(comes_back(invitation_to(mission)))
    assert comes_back(fresh) is None
    assert tasks(series=series) == [("BR", "bounced", fresh)]
    assert not mission.addresses.valid(date(2026, 3, 18)).exists()


def test_a_full_mailbox_is_not_marked_and_the_letter_tries_the_others(mission, second):
    letter = invitation_to(mission)
    fresh = gone(comes_back(letter, "exchange_mailbox_full"))
    assert fresh.to == second.email
    assert set(mission.addresses.values_list("bounced_at", flat=True)) == {None}
    assert comes_back(fresh, "exchange_mailbox_full") is None  # not to the first one again
    assert tasks() == [("BR", "lost", fresh)]


def test_the_next_bounce_of_a_mission_with_an_open_task_opens_no_second_one(mission, series):
    letter = invitation_to(mission)
    comes_back(letter)
    comes_back(letter, "gmail_no_such_user")
    MissionTask.objects.open_for([mission.pk], series=series, reason="lost", now=NEXT_DAY)
    assert len(tasks()) == 1


def test_once_done_a_task_can_be_opened_again(mission, series, staff):
    comes_back(invitation_to(mission))
    MissionTask.objects.get().close(by=staff, now=NEXT_DAY, reason="By telephone.")
    MissionTask.objects.open_for([mission.pk], series=series, reason="lost", now=NEXT_DAY)
    assert [task.done_at for task in MissionTask.objects.order_by("pk")] == [NEXT_DAY, None]


def test_of_two_who_say_that_it_is_done_the_second_is_told(mission, staff):
    comes_back(invitation_to(mission))
    one, two = MissionTask.objects.get(), MissionTask.objects.get()
    one.close(by=staff, now=NEXT_DAY, reason="By telephone.")
    with pytest.raises(WrongStep, match="done already"):
        two.close(by=staff, now=NEXT_DAY, reason="At the door.")
    assert (two.note, two.done_by) == ("By telephone.", staff)
    assert list(Event.objects.about(two).values_list("code", "refused")) == [
        ("opened", False),
        ("done", False),
        ("done", True),
    ]


def test_a_letter_that_staff_have_sent_again_needs_no_successor(mission, second):
    letter = invitation_to(mission)
    first = comes_back(letter, "exchange_mailbox_full")
    Letter.objects.filter(pk=letter.pk).update(state="sent")
    comes_back(letter, "gmail_not_authenticated")
    assert list(Letter.objects.filter(replaces=letter)) == [first]
    assert tasks() == []


@pytest.mark.parametrize("state", ["cancelled", "held"])
def test_what_is_left_of_a_mailing_that_was_stopped_does_not_go_by_a_bounce(mission, second, state):
    letter = invitation_to(mission)
    Mailing.objects.filter(pk=letter.mailing_id).update(state=state)
    fresh = comes_back(letter)
    assert mission.addresses.first().bounced_at == NEXT_DAY
    if state == "cancelled":
        assert fresh is None
    else:
        assert fresh not in iter(lambda: Letter.take(NEXT_DAY), None)


def test_after_the_last_meeting_no_invitation_follows(mission, second):
    letter = invitation_to(mission)
    late = geneva(date(2026, 4, 20), 9)
    assert comes_back(letter, now=late) is None
    assert mission.addresses.first().bounced_at == late


def test_the_confirmation_of_an_answer_goes_to_the_next_address_too(series, mission, second):
    invitation, _path = invite(mission, series=series)
    key = f"reply_confirmed:{invitation.reference}:1"
    letter = outbox.put(kind="reply_confirmed", key=key, recipient=confirming.to_mission(invitation, now=DUE), now=DUE)
    fresh = comes_back(gone(letter))
    assert (fresh.to, fresh.kind) == (second.email, "reply_confirmed")
    assert comes_back(gone(fresh)) is None
    assert tasks(series=series) == [("BR", "bounced", fresh)]


def test_a_mission_that_complains_is_somebody_s_task_and_its_address_stays(mission):
    letter = invitation_to(mission)
    comes_back(letter, "complaint_abuse")
    letter.refresh_from_db()
    assert tasks() == [("BR", "complaint", letter)]
    assert (letter.state, mission.addresses.first().bounced_at) == ("sent", None)


def test_missions_without_an_address_are_tasks_once_the_invitation_is_written(series, mission, staff):
    MissionFactory(iso2="DE", email=None)
    AddressFactory(mission=MissionFactory(iso2="FR", email=None), valid_until=date(2026, 1, 1))
    MissionFactory(iso2="TV", email=None, in_geneva="no")  # nobody there to be reached
    invitation = series.mailings.get(kind="invitation")
    list(_audience(invitation))
    assert tasks() == []  # a look changes nothing
    schedule.write_due(DUE)
    assert sorted(tasks(series=series)) == [("DE", "no_address", None), ("FR", "no_address", None)]
    for task in MissionTask.objects.all():
        task.close(by=staff, now=DUE, reason="By note verbale.")
    invitation.refresh_from_db()
    schedule.catch_up(invitation, NEXT_DAY, by=staff)
    assert tasks() == []  # whom somebody has reached is nobody's task again


def _audience(mailing):
    return plan_of(mailing).recipients(mailing)


def test_a_bounce_whose_consequence_fails_is_read_again_later(mission, second, monkeypatch):
    letter = invitation_to(mission)
    raw = about(letter, "postfix_no_such_user")
    with monkeypatch.context() as broken:
        broken.setattr("missions.returned._write_elsewhere", lambda *given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            inbox.take(raw, now=NEXT_DAY)
    letter.refresh_from_db()
    assert (letter.state, mission.addresses.first().bounced_at, Report.objects.count()) == ("sent", None, 0)
    inbox.take(raw, now=NEXT_DAY)
    assert Letter.objects.get(replaces=letter).to == second.email


def test_a_mission_that_left_the_register_meanwhile_breaks_nothing(mission):
    letter = invitation_to(mission)
    Letter.objects.filter(pk=letter.pk).update(recipient_id="999999")
    assert inbox.take(about(letter, "postfix_no_such_user"), now=NEXT_DAY) == "hard"
    assert PermanentMission.objects.count() == 1 and Invitation.objects.count() == 1


def test_whom_somebody_has_reached_counts_as_reached_and_is_not_silent_before(series, mission, staff):
    MissionFactory(iso2="DE", email=None)
    schedule.write_due(DUE)
    assert [line.mission.code for line in overview.of(series, now=DUE).not_reached] == ["BR", "DE"]
    MissionTask.objects.get(mission__code="DE").close(by=staff, now=DUE, reason="By telephone.")
    after = overview.of(series, now=DUE)
    assert [line.mission.code for line in after.not_reached] == ["BR"]  # its letter waits
    assert [line.mission.code for line in after.silent] == ["DE"]


# --- On the desk -----------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    with time_machine.travel(NEXT_DAY, tick=False):
        yield client


def test_the_list_opens_on_those_whom_nobody_has_reached(desk, mission, series, staff):
    comes_back(invitation_to(mission))
    other = MissionFactory(iso2="DE", email=None)
    MissionTask.objects.open_for([other.pk], series=series, reason="no_address", now=DUE)
    MissionTask.objects.get(mission=other).close(by=staff, now=DUE, reason="At the door.")
    page = reverse("admin:missions_missiontask_changelist")
    opened = desk.get(page)
    assert [task.mission.code for task in opened.context["cl"].result_list] == ["BR"]
    assert "1 mission to reach by other means" in opened.content.decode()
    for asked, codes in (({"done": "all"}, {"BR", "DE"}), ({"done": "yes"}, {"DE"}), ({"q": "allemagne"}, {"DE"})):
        assert {task.mission.code for task in desk.get(page, asked).context["cl"].result_list} == codes


def test_a_task_is_done_with_words_and_not_without(desk, mission):
    comes_back(invitation_to(mission))
    task = MissionTask.objects.get()
    page = reverse("admin:missions_missiontask_change", args=[task.pk])
    shown = desk.get(page).content.decode()
    assert "first@brazil.example.org" in shown and "bounced" in shown and "invitation" in shown
    assert "Please say how it was reached" in desk.post(page, {"step": "done"}, follow=True).content.decode()
    desk.post(page, {"step": "done", "reason": "Spoke to the first secretary."})
    task.refresh_from_db()
    assert (task.done_at, task.note) == (NEXT_DAY, "Spoke to the first secretary.")
    assert "Spoke to the first secretary." in desk.get(page).content.decode()


def test_a_mission_s_own_page_leads_to_its_open_task(desk, mission):
    page = reverse("admin:missions_permanentmission_change", args=[mission.pk])
    assert "To reach by other means" not in desk.get(page).content.decode()
    comes_back(invitation_to(mission))
    task = reverse("admin:missions_missiontask_change", args=[MissionTask.objects.get().pk])
    assert f'href="{task}"' in desk.get(page).content.decode()
