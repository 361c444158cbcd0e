"""What staff may do with a mailing and with a letter, and what they are told when they may not."""

from datetime import date, timedelta

import pytest
from django.db import transaction

from presessions.mail import delivery, links, repairs, schedule
from presessions.mail.models import Letter, Mailing
from presessions.mail.registry import Recipient
from presessions.trail.models import Event, Reason
from presessions.trail.steps import WrongStep
from tests.mail.factories import LONG_BEFORE, geneva, make_mailing, put
from tests.mail.letters import link_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("timetable")]

NOW = LONG_BEFORE
DUE = geneva(2026, 11, 17, 9)


def last_event(row):
    return Event.objects.about(row).last()


def in_state(state, **facts):
    mailing = make_mailing()
    Mailing.objects.filter(pk=mailing.pk).update(state=state, **facts)
    mailing.refresh_from_db()
    return mailing


def being_sent():
    """A mailing whose letters are written and wait for their turn."""
    mailing = make_mailing()
    schedule.write_due(DUE)
    mailing.refresh_from_db()
    return mailing


# --- A mailing ----------------------------------------------------------------------------------------------------

STEPS = {
    "move_to": {"planned", "held", "not_needed"},
    "change_rule": {"planned", "held", "not_needed"},
    "hold": {"planned", "writing", "sending"},
    "resume": {"held"},
    "cancel": {"planned", "held", "not_needed", "writing", "sending"},
    "catch_up": {"sending", "done"},
    "send_now": {"planned", "held", "not_needed"},
    "freeze": {"planned", "held"},
    "approve": {"planned", "held", "not_needed", "sending", "done"},
}


@pytest.mark.parametrize("state", Mailing.State.values)
def test_each_step_is_taken_from_its_states_and_refused_in_words_from_the_others(user, state):
    key = in_state(state).pk
    for step, states in STEPS.items():
        what = {"move_to": {"instant": DUE + timedelta(days=1)}, "change_rule": {"hour": 10}}.get(step, {})
        mailing = Mailing.objects.get(pk=key)
        with transaction.atomic():  # each from the same state: it is undone
            if state in states:
                getattr(mailing, step)(**what, by=user, now=NOW)
                assert not last_event(mailing).refused, step
            else:
                with pytest.raises(WrongStep, match=f"is already {Mailing.State(state).label}"):
                    getattr(mailing, step)(**what, by=user, now=NOW)
                assert Mailing.objects.get(pk=key).state == state, step
                assert last_event(mailing).refused, step
            assert last_event(mailing).staff_id == user.pk, step
            transaction.set_rollback(True)


def test_a_step_keeps_its_reason_encrypted(user):
    mailing = make_mailing()
    mailing.hold(by=user, now=NOW, reason="wrong list")
    assert Reason.objects.get(event=last_event(mailing)).text == "wrong list"


def test_of_two_clicks_at_once_one_wins(user):
    one = make_mailing()
    other = Mailing.objects.get(pk=one.pk)
    one.hold(by=user, now=NOW)
    with pytest.raises(WrongStep, match="invitation, Pre-sessions 54 is already held"):
        other.hold(by=user, now=NOW)


def test_a_refusal_is_in_the_trail_although_nothing_else_happened(user):
    mailing = make_mailing()
    with pytest.raises(WrongStep, match="into the past"):
        mailing.move_to(NOW, by=user, now=NOW)
    with pytest.raises(WrongStep, match="of no use"):
        mailing.move_to(geneva(2027, 3, 1), by=user, now=NOW)
    with pytest.raises(WrongStep, match="has not been moved"):
        mailing.follow_rule(by=user, now=NOW)
    assert list(Event.objects.about(mailing).values_list("code", "refused")) == [
        ("move", True),
        ("move", True),
        ("follow_rule", True),
    ]


def test_moving_a_held_mailing_lets_it_go_at_its_new_moment(user):
    mailing = in_state("held", held_reason="late")
    mailing.move_to(DUE + timedelta(days=1), by=user, now=DUE)
    assert (mailing.state, mailing.held_reason, mailing.due_at) == ("planned", "", DUE + timedelta(days=1))


def test_moved_to_in_two_minutes_it_goes_in_two_minutes(user, sink):
    mailing = make_mailing()
    mailing.move_to(NOW + timedelta(minutes=2), by=user, now=NOW)
    delivery.drain(0, now=lambda: NOW + timedelta(minutes=1))
    assert sink.mails == []
    delivery.drain(0, now=lambda: NOW + timedelta(minutes=2))
    assert len(sink.mails) == 3


def test_held_in_the_middle_nothing_more_leaves_and_resumed_the_rest_does(user, sink):
    delivery.drain(0, now=lambda: NOW)  # the database and its journal know each other
    mailing = being_sent()
    sink.order(RCPT=["250 ok", "450 later"])
    first = delivery.claim(DUE)
    with delivery.Wire() as wire:
        delivery.send(first, wire, lambda: DUE)
    in_hand = delivery.claim(DUE)
    mailing.hold(by=user, now=DUE)
    with delivery.Wire() as wire:
        assert delivery.send(in_hand, wire, lambda: DUE) == "deferred"  # the one in hand comes back
    assert delivery.drain(0, now=lambda: DUE + timedelta(hours=1)) == {}
    mailing.resume(by=user, now=DUE + timedelta(hours=1))
    assert mailing.state == "sending"
    assert delivery.drain(0, now=lambda: DUE + timedelta(hours=1)) == {"sent": 2}


def test_held_while_it_is_written_it_is_written_on_when_resumed(user):
    mailing = in_state("writing", writing_at=DUE)
    mailing.hold(by=user, now=DUE)
    assert schedule.write_due(DUE) == 0
    mailing.resume(by=user, now=DUE)
    assert schedule.write_due(DUE) == 3


def test_once_writing_has_begun_not_even_a_hold_lets_the_date_change(user):
    mailing = being_sent()
    mailing.hold(by=user, now=DUE)
    with pytest.raises(WrongStep, match="are being written already"):
        mailing.move_to(DUE + timedelta(days=1), by=user, now=DUE)
    mailing.series.reschedule(now=DUE, first_day=date(2027, 1, 11), last_day=date(2027, 1, 12))
    mailing.refresh_from_db()
    assert (mailing.state, mailing.due_at) == ("held", DUE)


def test_held_while_catching_up_no_letter_is_forgotten(user, people, sink):
    mailing = being_sent()
    sink.order(RCPT=["450 later"])
    with delivery.Wire() as wire:
        delivery.send(delivery.claim(DUE), wire, lambda: DUE)
    mailing.catch_up(by=user, now=DUE)
    mailing.hold(by=user, now=DUE)
    mailing.resume(by=user, now=DUE)
    assert delivery.drain(0, now=lambda: DUE + timedelta(hours=1)) == {"sent": 3}


def test_cancelled_in_the_middle_what_has_not_gone_never_goes(user, sink):
    mailing = being_sent()
    in_hand = delivery.claim(DUE)
    mailing.cancel(by=user, now=DUE)
    assert sorted(mailing.letters.values_list("state", flat=True)) == ["cancelled", "cancelled", "sending"]
    sink.order(RCPT=["450 later"])
    with delivery.Wire() as wire:
        assert delivery.send(in_hand, wire, lambda: DUE) == "deferred"  # the one in hand comes back
    assert delivery.drain(0, now=lambda: DUE + timedelta(hours=1)) == {"cancelled": 1}
    assert {letter.frozen for letter in mailing.letters.all()} == {b""}
    assert sink.mails == []


def test_what_is_of_no_use_any_more_can_only_be_cancelled(user):
    mailing = in_state("held", held_reason="pointless")
    with pytest.raises(WrongStep, match="of no use any more"):
        mailing.resume(by=user, now=geneva(2027, 3, 1))
    mailing.cancel(by=user, now=geneva(2027, 3, 1))
    assert mailing.state == "cancelled"


def test_a_step_and_its_letters_are_one_transaction(user, monkeypatch):
    mailing = being_sent()

    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(Letter, "step", fail)
    with pytest.raises(RuntimeError), transaction.atomic():
        mailing.cancel(by=user, now=DUE)
    assert Mailing.objects.get(pk=mailing.pk).state == "sending"


# --- A letter -----------------------------------------------------------------------------------------------------


def settled(letter, state="sent"):
    Letter.objects.filter(pk=letter.pk).update(state=state, frozen=b"", next_attempt_at=None)
    letter.refresh_from_db()
    return letter


def uncertain():
    letter = put()
    Letter.objects.update(state="uncertain", next_attempt_at=None, resends=1, uncertain_at=NOW)
    letter.refresh_from_db()
    return letter


def test_a_settled_letter_of_a_mailing_is_written_anew_with_a_new_link(user, people, sink):
    mailing = being_sent()
    delivery.drain(0, now=lambda: DUE)
    old = mailing.letters.get(recipient_id="2")
    people[1] = Recipient("mission", "2", to="better@example.org")
    fresh = repairs.send_again(old, by=user, now=DUE, reason="wrong address")
    assert (fresh.key, fresh.copy, fresh.replaces, fresh.to) == (f"{old.key}/2", 2, old, "better@example.org")
    token = link_in(fresh).rstrip("/").split("/")[-1]
    assert links.find(token, "invitation", now=DUE).letter == fresh
    assert old.links.count() == 1  # many live links to one thing are normal
    assert delivery.drain(0, now=lambda: DUE) == {"sent": 1}
    assert sink.recipients[-1] == "better@example.org"
    assert last_event(old).code == "send_again"


def test_an_occasion_s_letter_is_written_anew_by_its_room(user, timetable):
    rewrite = {"to": Recipient("person", "1", to="b@example.org")}
    timetable.occasion("answer", label="answer", template="plain", rewrite=lambda letter: rewrite["to"])
    fresh = repairs.send_again(settled(put("answer", key="answer:A:1")), by=user, now=NOW)
    assert fresh.key == "answer:A:1/2"
    again = repairs.send_again(settled(fresh), by=user, now=NOW)
    assert (again.key, again.copy) == ("answer:A:1/3", 3)
    rewrite["to"] = None
    with pytest.raises(WrongStep, match="nobody to go to any more"):
        repairs.send_again(settled(again), by=user, now=NOW)


def test_sent_again_it_cannot_be_sent_again(user, timetable):
    timetable.occasion(
        "answer", label="answer", template="plain", rewrite=lambda letter: Recipient("person", "1", to="b@example.org")
    )
    old = settled(put("answer"))
    repairs.send_again(old, by=user, now=NOW)
    with pytest.raises(WrongStep, match="already been sent again"):
        repairs.send_again(old, by=user, now=NOW)


def test_what_cannot_be_written_anew_here_says_where(user):
    with pytest.raises(WrongStep, match="from the page of what it is about"):
        repairs.send_again(settled(put()), by=user, now=NOW)


def test_what_will_go_by_itself_is_not_sent_again(user):
    letter = put()
    with pytest.raises(WrongStep, match="will be tried by itself"):
        repairs.send_again(letter, by=user, now=NOW)
    assert last_event(letter).refused


def test_letters_of_a_cancelled_mailing_are_not_sent_again(user):
    mailing = being_sent()
    mailing.cancel(by=user, now=DUE)
    with pytest.raises(WrongStep, match="held or cancelled"):
        repairs.send_again(mailing.letters.first(), by=user, now=DUE)


def test_of_an_uncertain_letter_staff_say_that_it_arrived(user):
    letter = uncertain()
    repairs.arrived(letter, by=user, now=NOW, reason="told by phone")
    assert (letter.state, letter.sent_at, letter.frozen) == ("sent", NOW, b"")


def test_or_send_the_same_bytes_again_however_late(user, sink):
    letter = uncertain()
    frozen, later = letter.frozen, NOW + timedelta(days=30)
    assert repairs.send_again(letter, by=user, now=later) == letter
    delivery.drain(0, now=lambda: later)
    assert sink.mails[0]["data"].encode() == frozen


def test_and_if_that_ends_in_doubt_too_it_waits_for_them_again(user, sink):
    letter = uncertain()
    repairs.send_again(letter, by=user, now=NOW)
    sink.order(dot=["drop"])
    delivery.drain(0, now=lambda: NOW)
    assert Letter.objects.get().state == "uncertain"


def test_or_drop_it(user):
    letter = uncertain()
    repairs.drop(letter, by=user, now=NOW, reason="told by phone")
    assert (letter.state, letter.frozen) == ("cancelled", b"")


@pytest.mark.parametrize(("step", "state"), [("arrived", "pending"), ("arrived", "failed"), ("drop", "sent")])
def test_other_letters_refuse_in_words(user, step, state):
    letter = put()
    Letter.objects.update(state=state)
    with pytest.raises(WrongStep, match="is already"):
        getattr(repairs, step)(letter, by=user, now=NOW, reason="told by phone")
    assert last_event(letter).refused


@pytest.mark.parametrize("step", ["arrived", "drop"])
def test_nothing_is_settled_by_hand_without_a_reason(user, step):
    letter = uncertain()
    with pytest.raises(WrongStep, match="Say in a few words why"):
        getattr(repairs, step)(letter, by=user, now=NOW, reason=" ")
    assert (Letter.objects.get().state, last_event(letter).refused) == ("uncertain", True)


@pytest.mark.parametrize("state", ["failed", "bounced"])
def test_nor_is_one_that_failed_and_nobody_can_help(user, state):
    letter = put()
    Letter.objects.update(state=state)
    repairs.drop(letter, by=user, now=NOW, reason="the mission was closed")
    assert letter.state == "cancelled"
