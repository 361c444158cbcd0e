"""Staff look at what will go, try it on themselves, are told the day before, and are two where much is at stake."""

from datetime import date, timedelta
from functools import partial

import pytest
from django.contrib.auth.models import Permission

from presessions.mail import delivery, outbox, schedule, steering
from presessions.mail.models import Alarm, Attempt, Letter, Mailing, PersonalLink, SeriesText
from presessions.mail.registry import Recipient
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from tests.accounts.factories import StaffFactory
from tests.mail.factories import LONG_BEFORE, geneva, make_mailing, make_series
from tests.mail.letters import body_of
from tests.upr.factories import StateFactory, StateUnderReviewFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

NOW = LONG_BEFORE
DUE = geneva(2026, 11, 17, 9)
DAY_BEFORE = DUE - timedelta(hours=20)


@pytest.fixture
def other(db):
    return StaffFactory()


def last_event(row):
    event = Event.objects.about(row).last()
    return event.code, event.refused


def written_to_look_at(user, now=NOW, **series):
    mailing = make_mailing(**series)
    mailing.freeze(by=user, now=now)
    schedule.write_due(now)
    mailing.refresh_from_db()
    return mailing


# --- Write, look, let go --------------------------------------------------------------------------------------------


def test_written_to_be_looked_at_every_letter_is_there_and_none_leaves(user, sink):
    mailing = written_to_look_at(user)
    assert (mailing.state, mailing.held_reason, mailing.written_at) == ("held", "look", NOW)
    assert [letter.state for letter in mailing.letters.all()] == ["pending"] * 3
    assert all(letter.frozen for letter in mailing.letters.all())
    assert delivery.drain(0, now=lambda: DUE + timedelta(days=1)) == {}
    assert sink.mails == []


def test_while_it_is_written_and_looked_at_nobody_says_that_it_went_out(user):
    mailing = make_mailing()
    mailing.freeze(by=user, now=NOW)
    assert "held" not in schedule.explain(mailing)
    assert schedule.explain(mailing).endswith("it goes out Tue 17 November 2026, 09:00 Geneva time to every Permanent "
                                              "Mission (at the latest 28 days before the first meeting).")  # fmt: skip
    assert schedule.timeline(mailing.series, NOW)[0].when == "next"
    schedule.write_due(NOW)
    mailing.refresh_from_db()
    assert "once somebody lets it go, it goes out Tue 17 November" in schedule.explain(mailing)


def test_let_go_before_its_hour_the_same_bytes_leave_at_its_hour(user, sink):
    mailing = written_to_look_at(user)
    frozen = {letter.to: bytes(letter.frozen) for letter in mailing.letters.all()}
    mailing.resume(by=user, now=NOW + timedelta(hours=1))
    assert delivery.drain(0, now=lambda: DUE - timedelta(seconds=1)) == {}
    assert delivery.drain(0, now=lambda: DUE)["sent"] == 3
    assert {mail["to"]: mail["data"].encode() for mail in sink.mails} == frozen


def test_let_go_after_its_hour_they_leave_at_once(user, sink):
    mailing = written_to_look_at(user)
    later = DUE + timedelta(days=9)
    mailing.resume(by=user, now=later)
    assert delivery.drain(0, now=lambda: later)["sent"] == 3


def test_sent_now_they_leave_at_once(user, sink):
    mailing = written_to_look_at(user)
    mailing.send_now(by=user, now=NOW)
    assert delivery.drain(0, now=lambda: NOW)["sent"] == 3


def test_who_joins_while_it_is_looked_at_is_written_to_when_it_goes(user, people, sink):
    mailing = written_to_look_at(user)
    people.append(Recipient("mission", "4", to="new@example.org"))
    mailing.resume(by=user, now=NOW)
    assert delivery.drain(0, now=lambda: DUE) == {"written": 1, "sent": 4}


def test_letters_written_long_before_are_still_sent_for_a_week_after_their_hour(user):
    mailing = written_to_look_at(user)
    assert {letter.not_after > DUE for letter in mailing.letters.all()} == {True}


def test_a_writer_that_was_killed_in_the_middle_is_followed_by_another_long_before_the_hour(user, monkeypatch):
    mailing = make_mailing()
    mailing.freeze(by=user, now=NOW)
    monkeypatch.setattr("presessions.mail.writing.BATCH", 1)
    with monkeypatch.context() as killed:
        calls, put = iter(range(2)), outbox.put

        def put_or_die(**letter):
            if next(calls, None) is None:
                raise KeyboardInterrupt
            return put(**letter)

        killed.setattr(outbox, "put", put_or_die)
        with pytest.raises(KeyboardInterrupt):
            schedule.write_due(NOW)
    assert mailing.letters.count() == 2
    assert schedule.write_due(NOW + timedelta(minutes=1)) == 1
    mailing.refresh_from_db()
    assert (mailing.state, mailing.held_reason) == ("held", "look")


def test_what_waits_for_a_date_or_is_of_no_use_is_not_written(user):
    mailing = make_mailing("call")
    with pytest.raises(WrongStep, match="waits for a date"):
        mailing.freeze(by=user, now=NOW)
    mailing = Mailing.objects.get(kind="invitation")
    with pytest.raises(WrongStep, match="of no use"):
        mailing.freeze(by=user, now=geneva(2027, 3, 1))
    assert last_event(mailing) == ("freeze", True)


def test_once_written_it_is_not_written_again(user):
    mailing = written_to_look_at(user)
    with pytest.raises(WrongStep, match="is already held"):
        mailing.freeze(by=user, now=NOW)


# --- Written, and a date that they tell changes -------------------------------------------------------------------


@pytest.fixture
def gala(user, timetable, people):
    """Written to be looked at: its letters tell the first meeting."""
    timetable.PLANS.clear()
    texts = {"label": "gala", "audience": "all", "template": "plain"}
    tells = {"tells": lambda mailing, at: {"first": at("first_meeting")}}
    timetable.mailing("gala", days_before=("working_group", 62), **texts, **tells)(lambda mailing: people)
    gala = written_to_look_at(user, kind="gala")
    assert gala.due_at == DUE
    return gala


def move_the_meetings(mailing):
    mailing.series.reschedule(now=NOW, first_day=date(2026, 12, 16), last_day=date(2026, 12, 17))
    mailing.refresh_from_db()
    (change,) = schedule.plan(mailing.series, NOW)
    return change.warning


def held_again(gala, user, reason):
    """Let go for its hour, and held again before it."""
    gala.resume(by=user, now=NOW)
    if reason == "staff":
        gala.hold(by=user, now=NOW)
    else:
        Mailing.objects.filter(pk=gala.pk).update(state="held", held_reason=reason)
    gala.refresh_from_db()
    assert (gala.state, gala.held_reason) == ("held", reason)


HELD_AGAIN = ["staff", "second", "audience"]


@pytest.mark.parametrize("reason", HELD_AGAIN)
def test_let_go_held_again_and_let_go_no_letter_leaves_with_the_old_date(gala, user, sink, reason):
    held_again(gala, user, reason)
    assert "tell the earlier dates" in move_the_meetings(gala)
    gala.resume(by=user, now=DUE + timedelta(hours=1))
    assert (gala.state, gala.held_reason) == ("held", "look")
    assert delivery.drain(0, now=lambda: DUE + timedelta(hours=1)) == {}
    assert sink.mails == []


@pytest.mark.parametrize("reason", HELD_AGAIN)
def test_let_go_held_again_and_let_go_the_letters_leave_while_they_say_what_is_so(gala, user, sink, reason, people):
    held_again(gala, user, reason)
    people.append(Recipient("mission", "4", to="new@example.org"))
    gala.resume(by=user, now=DUE + timedelta(hours=1))
    assert delivery.drain(0, now=lambda: DUE + timedelta(hours=1)) == {"written": 1, "sent": 4}


def test_held_again_they_are_sent_now(gala, user, sink):
    held_again(gala, user, "staff")
    gala.send_now(by=user, now=NOW)
    assert delivery.drain(0, now=lambda: NOW) == {"sent": 3}


def test_letters_that_tell_the_earlier_date_are_not_sent_now_and_nothing_is_moved(gala, user):
    move_the_meetings(gala)
    before = Mailing.objects.filter(pk=gala.pk).values().get()
    with pytest.raises(WrongStep, match="A date has changed since its letters were written"):
        steering.send_now(gala, by=user, now=NOW)
    assert Mailing.objects.filter(pk=gala.pk).values().get() == before
    assert last_event(gala) == ("send_now", True)


def test_letters_that_say_what_is_so_are_sent_now(gala, user, sink):
    steering.send_now(gala, by=user, now=NOW)
    assert delivery.drain(0, now=lambda: NOW) == {"sent": 3}


def test_once_one_has_been_tried_the_others_go_on_where_they_were(gala, user):
    gala.resume(by=user, now=DUE)
    schedule.write_due(DUE)
    delivery.claim(DUE)
    gala.hold(by=user, now=DUE)
    assert not gala.is_frozen
    gala.resume(by=user, now=DUE)
    assert gala.state == "sending"


# --- Put back -------------------------------------------------------------------------------------------------------


def test_put_back_its_letters_and_links_are_gone_and_the_schedule_plans_again(user):
    mailing = written_to_look_at(user)
    assert PersonalLink.objects.count() == 3
    mailing.series.reschedule(now=NOW, first_day=date(2026, 12, 17), last_day=date(2026, 12, 18))
    steering.thaw(mailing, by=user, now=NOW, reason="a new date")
    assert (mailing.state, mailing.held_reason, mailing.writing_at) == ("planned", "", None)
    assert mailing.due_at == DUE + timedelta(days=2)
    assert (Letter.objects.count(), PersonalLink.objects.count()) == (0, 0)
    assert last_event(mailing) == ("thaw", False)
    assert schedule.write_due(mailing.due_at) == 3


def test_put_back_after_its_hour_it_stays_held_and_surprises_nobody(user):
    mailing = written_to_look_at(user)
    steering.thaw(mailing, by=user, now=DUE + timedelta(hours=1))
    assert (mailing.state, mailing.held_reason) == ("held", "staff")
    assert schedule.write_due(DUE + timedelta(hours=1)) == 0


def test_a_letter_that_could_not_be_written_keeps_its_history_and_its_person_is_written_to_again(user, people):
    people[0] = Recipient("mission", "1", to="broken")
    mailing = written_to_look_at(user)
    steering.thaw(mailing, by=user, now=NOW)
    (failed,) = Letter.objects.all()
    assert (failed.state, failed.mailing) == ("cancelled", None)
    assert [attempt.state for attempt in failed.history.all()] == ["failed", "cancelled"]
    people[0] = Recipient("mission", "1", to="mended@example.org")
    assert schedule.write_due(DUE) == 3
    assert mailing.letters.filter(state="pending").count() == 3


@pytest.mark.parametrize("happened", ["tried", "sent", "visited"])
def test_what_may_have_reached_somebody_is_not_put_back(user, happened):
    mailing = written_to_look_at(user)
    letter = mailing.letters.first()
    if happened == "tried":
        Letter.objects.filter(pk=letter.pk).update(attempts=1)
    elif happened == "sent":
        Letter.objects.filter(pk=letter.pk).update(state="sent", sent_at=NOW)
    else:
        letter.links.get().visits.create(at=NOW, method="GET", maybe_filter=True)
    with pytest.raises(WrongStep, match="has been tried already"):
        steering.thaw(mailing, by=user, now=NOW)
    mailing.refresh_from_db()
    assert (mailing.state, mailing.letters.count(), PersonalLink.objects.count()) == ("held", 3, 3)
    assert last_event(mailing) == ("thaw", True)


def test_only_what_is_held_is_put_back(user):
    mailing = written_to_look_at(user)
    mailing.resume(by=user, now=NOW)
    with pytest.raises(WrongStep, match="is already planned"):
        steering.thaw(mailing, by=user, now=NOW)
    assert mailing.letters.count() == 3


# --- A test to myself -------------------------------------------------------------------------------------------------


def test_a_test_is_what_the_first_reader_of_a_language_would_get_and_opens_nothing(user, people):
    people.insert(1, Recipient("mission", "9", to="secret@example.org", language="fr"))
    mailing = make_mailing()
    letter = steering.send_test(mailing, "fr", by=user, now=NOW)
    assert (letter.kind, letter.to, letter.priority, letter.mailing) == ("mailing_test", user.email, 0, None)
    assert letter.subject.startswith("Test: ")
    text = body_of(letter)
    assert "Please open" in text
    assert "#personal-link" in text
    assert "struck out" not in text
    assert "/invitation/" not in text
    assert "secret@example.org" not in text + letter.key + letter.subject
    assert not PersonalLink.objects.exists()
    assert last_event(mailing) == ("test", False)


def test_of_one_language_one_test_goes_each_minute(user, other):
    mailing = make_mailing()
    test = partial(steering.send_test, mailing, by=user)
    test("en", now=NOW)
    with pytest.raises(WrongStep, match="less than a minute ago"):
        test("en", now=NOW + timedelta(seconds=30))
    test("fr", now=NOW + timedelta(seconds=30))
    test("en", now=NOW + timedelta(seconds=60))
    steering.send_test(mailing, "en", by=other, now=NOW)
    assert Letter.objects.count() == 4


def test_with_nobody_to_write_to_or_a_broken_text_there_is_no_test(user, people, timetable):
    texts = {"label": "gala", "audience": "all", "template": "named"}
    timetable.mailing("gala", days_before=("working_group", 9), **texts)(lambda mailing: people)
    mailing = make_mailing("gala")
    with pytest.raises(WrongStep, match="cannot be written"):
        steering.send_test(mailing, "en", by=user, now=NOW)
    people.clear()
    with pytest.raises(WrongStep, match="Nobody would get"):
        steering.send_test(mailing, "en", by=user, now=NOW)
    assert not Letter.objects.exists()


def test_words_that_must_not_be_kept_are_not_in_a_test_either(user, people):
    people[0] = Recipient("mission", "1", to="a@example.org", secrets=("Please open",))
    letter = steering.send_test(make_mailing(), "en", by=user, now=NOW)
    assert "Please open" not in body_of(letter)


# --- Told the day before ----------------------------------------------------------------------------------------------


def notices():
    return Letter.objects.filter(kind="mailing_notice")


def test_a_day_before_each_of_staff_is_told_once(user, other):
    mailing = make_mailing()
    steering.give_notice(DUE - timedelta(hours=24, seconds=1))
    assert not notices().exists()
    for _tick in range(3):
        steering.give_notice(DAY_BEFORE)
    assert {letter.to for letter in notices()} == {user.email, other.email}
    letter = notices().first()
    assert letter.subject == "Tomorrow 09:00: invitation (3)"
    text = body_of(letter)
    assert "Tue 17 November 2026, 09:00 Geneva time" in text
    assert "3 people: every Permanent Mission" in text
    assert f"/admin/mail/mailing/{mailing.pk}/change/" in text


def test_who_may_not_steer_mailings_is_not_told(user):
    looker = StaffFactory(is_superuser=False)
    looker.user_permissions.set(Permission.objects.filter(codename="view_mailing"))
    make_mailing()
    steering.give_notice(DAY_BEFORE)
    assert [letter.to for letter in notices()] == [user.email]


def test_moved_to_another_hour_they_are_told_again(user):
    mailing = make_mailing()
    steering.give_notice(DAY_BEFORE)
    mailing.move_to(DUE + timedelta(hours=1), by=user, now=DAY_BEFORE)
    steering.give_notice(DAY_BEFORE + timedelta(minutes=1))
    mailing.follow_rule(by=user, now=DAY_BEFORE + timedelta(minutes=2))
    steering.give_notice(DAY_BEFORE + timedelta(minutes=2))
    assert [letter.subject[:14] for letter in notices().order_by("pk")] == [
        "Tomorrow 09:00",
        "Tomorrow 10:00",
        "Tomorrow 09:00",
    ]


def test_of_two_ticks_at_once_one_tells(user, monkeypatch):
    mailing = make_mailing()

    count, between = steering._count, iter([True])

    def a_tick_between(one):
        if next(between, False):
            assert steering.give_notice(DAY_BEFORE) == 1
        return count(one)

    monkeypatch.setattr(steering, "_count", a_tick_between)
    assert steering.give_notice(DAY_BEFORE) == 0
    assert notices().count() == 1
    mailing.refresh_from_db()
    assert mailing.noticed_for == DUE


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [
        ("planned", "", 1),
        ("held", "look", 1),
        ("held", "staff", 0),
        ("held", "late", 0),
        ("cancelled", "", 0),
        ("not_needed", "", 0),
        ("sending", "", 0),
    ],
)
def test_only_what_will_go_or_waits_for_them_is_told(user, state, reason, told):
    mailing = make_mailing()
    Mailing.objects.exclude(pk=mailing.pk).update(state="done")
    Mailing.objects.filter(pk=mailing.pk).update(state=state, held_reason=reason)
    steering.give_notice(DAY_BEFORE)
    assert notices().count() == told


def test_what_must_be_released_by_hand_is_told_so(user, settings):
    settings.MAIL_TWO_PERSONS_ABOVE = 2
    written_to_look_at(user)
    steering.give_notice(DAY_BEFORE)
    text = body_of(notices().get())
    assert "written and held, to be looked at" in text
    assert "Two persons must agree" in text


def test_meetings_whose_mailings_go_together_are_told_in_one_letter_and_those_with_nobody_not_at_all(
    user, people, timetable
):
    texts = {"label": "gala", "audience": "speakers", "template": "plain", "per_meeting": True}
    timetable.mailing("gala", days_before=("working_group", 9), **texts)(
        lambda mailing: people[: 0 if mailing.meeting.state.pk == "PE" else 2]
    )
    series = make_series()
    for code in ("KE", "TR", "PE"):
        StateUnderReviewFactory(session=series.session, state=StateFactory(iso2=code))
    series.add_meetings(now=NOW)
    due_at = series.mailings.filter(kind="gala").first().due_at
    Mailing.objects.exclude(kind="gala").update(state="done")
    for _tick in range(2):
        steering.give_notice(due_at - timedelta(hours=3))
    letter = notices().get()
    assert letter.subject == "Today 09:00: gala (4)"
    text = body_of(letter)
    assert "Kenya: 2" in text and "Peru" not in text
    assert series.mailings.filter(noticed_for=None, kind="gala").count() == 1


def test_an_audience_that_cannot_be_listed_is_told_too(user, timetable):
    def broken(mailing):
        raise RuntimeError("amina@example.org")

    timetable.mailing("gala", label="gala", audience="all", template="plain", days_before=("working_group", 9))(broken)
    mailing = make_mailing("gala")
    Mailing.objects.exclude(pk=mailing.pk).update(state="done")
    steering.give_notice(mailing.due_at - timedelta(hours=1))
    letter = notices().get()
    assert letter.subject == "Today 09:00: gala"
    assert "cannot be listed" in body_of(letter)


# --- Alarms -----------------------------------------------------------------------------------------------------------


def alarms():
    return set(Alarm.objects.filter(ended_at=None).values_list("code", flat=True))


@pytest.mark.parametrize(
    "reason", [reason for reason in Mailing.Held.values if reason not in ("staff", "look", "proposed")]
)
def test_what_is_held_by_anything_but_a_hand_raises_an_alarm_until_it_goes_on(user, reason):
    mailing = make_mailing()
    Mailing.objects.filter(pk=mailing.pk).update(state="held", held_reason=reason)
    for _tick in range(2):
        steering.sound_alarms(NOW)
    assert alarms() == {f"held:{mailing.pk}"}
    assert Alarm.objects.count() == 1
    mailing.refresh_from_db()
    mailing.resume(by=user, now=NOW)
    steering.sound_alarms(NOW)
    assert alarms() == set()


def test_a_proposal_is_a_question_to_staff_and_becomes_an_alarm_only_when_a_day_has_passed(caplog):
    """Nothing is wrong with the mail because somebody has not decided yet."""
    mailing = make_mailing()
    Mailing.objects.filter(pk=mailing.pk).update(state="held", held_reason="proposed", due_at=NOW)
    with caplog.at_level("INFO"):
        steering.sound_alarms(NOW + timedelta(hours=24) - timedelta(seconds=1))
        assert alarms() == set()
        assert not caplog.records
        steering.sound_alarms(NOW + timedelta(hours=24))
    assert alarms() == {f"held:{mailing.pk}"}
    assert {record.levelname for record in caplog.records} == {"INFO"}


def test_held_by_staff_there_is_no_alarm_and_written_to_be_looked_at_only_once_its_hour_has_come(user):
    mailing = written_to_look_at(user)
    steering.sound_alarms(DUE - timedelta(seconds=1))
    assert alarms() == set()
    steering.sound_alarms(DUE)
    assert alarms() == {f"held:{mailing.pk}"}
    Mailing.objects.update(held_reason="staff")
    steering.sound_alarms(DUE)
    assert alarms() == set()


def test_looking_ahead_costs_the_same_for_many_mailings(user, django_assert_num_queries):
    for number in range(1, 6):
        make_mailing(number=number)
    with django_assert_num_queries(3):
        steering.give_notice(NOW)
        steering.sound_alarms(NOW)


# --- Two persons ------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(settings):
    """More than two people are many."""
    settings.MAIL_TWO_PERSONS_ABOVE = 2


def test_switched_off_one_person_is_enough(user):
    mailing = make_mailing()
    assert schedule.write_due(DUE) == 3
    assert mailing.letters.count() == 3


def test_due_without_two_persons_it_is_held_and_nothing_is_written(two):
    mailing = make_mailing()
    assert schedule.write_due(DUE) == 0
    mailing.refresh_from_db()
    assert (mailing.state, mailing.held_reason) == ("held", "second")


def test_to_few_people_it_goes_by_itself(two, people):
    people.pop()
    make_mailing()
    assert schedule.write_due(DUE) == 2


def test_approved_by_one_and_released_by_another_it_goes_at_its_hour(two, user, other):
    mailing = make_mailing()
    mailing.approve(by=user, now=NOW)
    mailing.release(by=other, now=NOW)
    assert (mailing.state, mailing.approved_by, mailing.released_by) == ("planned", user, other)
    assert schedule.write_due(DUE) == 3


def test_approved_by_one_alone_it_does_not_go(two, user):
    mailing = make_mailing()
    mailing.approve(by=user, now=NOW)
    assert schedule.write_due(DUE) == 0


def test_who_approved_does_not_release(two, user, other):
    mailing = make_mailing()
    with pytest.raises(WrongStep, match="somebody must approve it first"):
        mailing.release(by=user, now=NOW)
    mailing.approve(by=user, now=NOW)
    with pytest.raises(WrongStep, match="approved by you"):
        mailing.release(by=user, now=NOW)
    with pytest.raises(WrongStep, match="approved already"):
        mailing.approve(by=other, now=NOW)
    assert not Mailing.objects.get(pk=mailing.pk).two_persons_agreed


@pytest.mark.parametrize("way", ["release", "resume", "send_now"])
def test_no_way_leads_round_the_second_person(two, user, other, way):
    mailing = make_mailing()
    schedule.write_due(DUE)
    step = partial(getattr(mailing, way), now=DUE)
    with pytest.raises(WrongStep, match="somebody must approve it first"):
        step(by=user)
    mailing.approve(by=user, now=DUE)
    with pytest.raises(WrongStep, match="approved by you"):
        step(by=user)
    assert schedule.write_due(DUE) == 0
    step(by=other)
    assert schedule.write_due(DUE) == 3
    assert last_event(mailing) == ("written", False)


@pytest.mark.parametrize("way", ["release", "resume", "send_now"])
def test_nor_for_letters_that_are_written_already(two, user, other, way, sink):
    mailing = written_to_look_at(user)
    step = partial(getattr(mailing, way), now=NOW)
    with pytest.raises(WrongStep, match="somebody must approve it first"):
        step(by=user)
    mailing.approve(by=user, now=NOW)
    with pytest.raises(WrongStep, match="approved by you"):
        step(by=user)
    assert delivery.drain(0, now=lambda: DUE) == {}
    step(by=other)
    goes_at = NOW if way == "send_now" else DUE
    assert delivery.drain(0, now=lambda: goes_at)["sent"] == 3


def test_nor_for_what_was_stopped_in_the_middle(two, user, other):
    mailing = make_mailing()
    mailing.approve(by=user, now=NOW)
    mailing.release(by=other, now=NOW)
    schedule.write_due(DUE)
    delivery.claim(DUE)
    mailing.hold(by=user, now=DUE)
    with pytest.raises(WrongStep, match="somebody must approve it first"):
        mailing.resume(by=other, now=DUE)
    mailing.approve(by=user, now=DUE + timedelta(minutes=1))
    mailing.resume(by=other, now=DUE + timedelta(minutes=2))
    assert mailing.state == "sending"


def test_many_who_joined_later_need_two_persons_of_their_own(two, user, other, people):
    mailing = make_mailing()
    mailing.approve(by=user, now=NOW)
    mailing.release(by=other, now=NOW)
    schedule.write_due(DUE)
    mailing.letters.update(state="sent")
    people += [Recipient("mission", str(number), to=f"m{number}@example.org") for number in range(4, 8)]
    mailing.refresh_from_db()
    with pytest.raises(WrongStep, match="somebody must approve it first"):
        mailing.catch_up(by=other, now=DUE + timedelta(hours=1))
    mailing.approve(by=user, now=DUE + timedelta(hours=1))
    mailing.catch_up(by=other, now=DUE + timedelta(hours=1))
    assert schedule.write_due(DUE + timedelta(hours=1)) == 4


CHANGES = {
    "a move": lambda mailing, by: mailing.move_to(DUE + timedelta(days=1), by=by, now=NOW),
    "a rule": lambda mailing, by: mailing.change_rule(hour=10, by=by, now=NOW),
    "a date of the series": lambda mailing, by: mailing.series.reschedule(
        now=NOW, first_day=date(2026, 12, 16), last_day=date(2026, 12, 17)
    ),
    "a text": lambda mailing, by: SeriesText.objects.create(
        series=mailing.series, kind=mailing.kind, language="en", subject="A", body="B", changed_at=NOW
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_after_the_approval_ends_it(two, user, other, change):
    mailing = make_mailing()
    mailing.approve(by=user, now=NOW)
    mailing.release(by=other, now=NOW)
    CHANGES[change](mailing, user)
    mailing.refresh_from_db()
    assert (mailing.approved_by, mailing.approved_at, mailing.released_by) == (None, None, None)
    assert schedule.write_due(mailing.due_at) == 0


def test_a_text_of_another_kind_ends_no_approval(two, user):
    mailing = make_mailing()
    mailing.approve(by=user, now=NOW)
    text = {"language": "en", "subject": "A", "body": "B", "changed_at": NOW}
    SeriesText.objects.create(series=mailing.series, kind="call", **text)
    mailing.refresh_from_db()
    assert mailing.is_approved


def test_each_of_the_two_is_in_the_trail(two, user, other):
    mailing = make_mailing()
    mailing.approve(by=user, now=NOW)
    mailing.release(by=other, now=NOW)
    assert list(Event.objects.about(mailing).values_list("code", "staff_id")) == [
        ("approve", user.pk),
        ("release", other.pk),
    ]


# --- Send now ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["planned", "held", "not_needed"])
def test_sent_now_it_is_written_and_leaves_at_the_next_look_at_the_clock(user, sink, state):
    mailing = make_mailing()
    Mailing.objects.filter(pk=mailing.pk).update(state=state, held_reason="late" if state == "held" else "")
    mailing.send_now(by=user, now=NOW)
    assert (mailing.state, mailing.due_at, mailing.decided_by) == ("planned", NOW, "moved")
    assert delivery.drain(0, now=lambda: NOW) == {"written": 3, "sent": 3}


def test_of_no_use_any_more_it_is_not_sent_now(user):
    with pytest.raises(WrongStep, match="of no use"):
        make_mailing().send_now(by=user, now=geneva(2027, 3, 1))


def test_stopped_in_the_middle_it_is_let_go_and_not_sent_now(user):
    mailing = make_mailing()
    schedule.write_due(DUE)
    delivery.claim(DUE)
    mailing.hold(by=user, now=DUE)
    with pytest.raises(WrongStep, match="is already held"):
        mailing.send_now(by=user, now=DUE)
    assert Attempt.objects.count() == 1
