"""The panel of a meeting: composed as a whole, never longer than the hour, never overwritten unseen."""

from dataclasses import replace
from datetime import date

import pytest

from applications import decisions, panel, rules, seat
from applications.erasure import erase
from applications.models import Application, Panel, Seat
from applications.panel import ChangedMeanwhile, Composition
from presessions.mail.models import Letter
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import geneva
from presessions.upr.models import CountryMeeting
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.upr.factories import CountryMeetingFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def state_call():
    return StateCallFactory()


@pytest.fixture
def meeting(state_call):
    return state_call.meeting


@pytest.fixture
def ada():
    return StaffFactory(name="Ada Keller")


NHRI = {"kind": "nhri", "ganhri_status": "a", "ganhri_status_on": date(2019, 3, 1)}


def sent(state_call, **facts):
    return ApplicationFactory(state_call=state_call, submitted=True, **facts)


def save(meeting, ada, speakers=(), waiting=(), *, seen=None, minutes=6, **facts):
    """Save a panel of these applications as somebody does who sees the newest version."""
    new = Composition(
        tuple((one.reference, minutes) for one in speakers), tuple(one.reference for one in waiting), **facts
    )
    version = panel.of(meeting).version if seen is None else seen
    return panel.save(meeting, version, new, by=ada, now=MONDAY)


def order(meeting):
    return panel.composed(panel.of(meeting))


def codes(meeting):
    return [(one.code, one.refused) for one in Event.objects.filter(reference=meeting.reference).order_by("pk")]


# --- Composing -------------------------------------------------------------------------------------------------------


def test_a_saved_panel_is_what_was_arranged_and_tells_nobody(meeting, state_call, ada):
    one, two, three = (sent(state_call) for _ in range(3))
    letters = Letter.objects.count()
    save(meeting, ada, [two, one], [three], floor_minutes=2, note="Ask about the quota law.")
    assert order(meeting) == Composition(
        ((two.reference, 6), (one.reference, 6)), (three.reference,), 3, 2, "", "Ask about the quota law."
    )
    assert Letter.objects.count() == letters
    assert set(Application.objects.values_list("status", "prepared")) == {("submitted", "")}
    assert codes(meeting)[-1] == ("panel_composed", False)


def test_the_moderator_is_kept_with_the_meeting(meeting, ada):
    save(meeting, ada, moderator="Miloš Rao")
    meeting.refresh_from_db()
    assert (meeting.moderator, order(meeting).moderator) == ("Miloš Rao", "Miloš Rao")


def test_saving_the_same_once_more_is_no_new_version(meeting, state_call, ada):
    one = sent(state_call)
    versions = [save(meeting, ada, [one]).version, save(meeting, ada, [one]).version]
    assert versions == [1, 1]


@pytest.mark.parametrize(("minutes", "speakers", "words"), [
    (7, 8, "1 minute longer"),
    (8, 1, "5 to 7 minutes"),
    (4, 1, "5 to 7 minutes"),
])  # fmt: skip
def test_a_panel_never_runs_over_the_hour_nor_breaks_its_word_to_speakers(
    meeting, state_call, ada, minutes, speakers, words
):
    people = [sent(state_call) for _ in range(speakers)]
    with pytest.raises(WrongStep, match=words):
        save(meeting, ada, people, minutes=minutes, floor_minutes=2)
    assert not Seat.objects.exists()
    assert codes(meeting)[-1] == ("panel_composed", True)


def test_a_panel_may_fill_the_meeting_to_the_minute(meeting, state_call, ada):
    people = [sent(state_call) for _ in range(8)]
    save(meeting, ada, people, minutes=7, opening_minutes=4)
    assert order(meeting).questions(meeting.minutes) == 0


@pytest.mark.parametrize("status", ["declined", "withdrawn"])
def test_nobody_gets_a_place_whose_application_is_over(meeting, state_call, ada, status):
    gone = ApplicationFactory(state_call=state_call, submitted=True, **{status: True})
    with pytest.raises(WrongStep, match="no place here any more"):
        save(meeting, ada, [gone])


def test_nobody_gets_a_place_at_another_meeting(meeting, ada):
    with pytest.raises(WrongStep, match="no place here any more"):
        save(meeting, ada, [sent(StateCallFactory())])


def test_whoever_was_accepted_cannot_be_put_on_the_waiting_list(meeting, state_call, ada):
    accepted = ApplicationFactory(state_call=state_call, accepted=True)
    with pytest.raises(WrongStep, match="has been accepted"):
        save(meeting, ada, [], [accepted])


def test_one_application_stands_in_one_place(meeting, state_call, ada):
    one = sent(state_call)
    with pytest.raises(WrongStep, match="two places"):
        save(meeting, ada, [one], [one])


def test_a_meeting_that_is_called_off_is_composed_no_more(meeting, ada):
    meeting.call_off(CountryMeeting.NotHeld.POSTPONED, now=MONDAY, by=ada)
    with pytest.raises(WrongStep, match="already not held"):
        save(meeting, ada)


def test_of_two_at_once_the_second_overwrites_nothing_and_is_told(meeting, state_call, ada):
    one, two = sent(state_call), sent(state_call)
    ben = StaffFactory(name="Ben Rossi")
    save(meeting, ada, [one, two])
    save(meeting, ben, [two, one], seen=1)
    with pytest.raises(ChangedMeanwhile) as refusal:
        save(meeting, ada, [one], [two], seen=1)
    assert order(meeting).speakers == ((two.reference, 6), (one.reference, 6))
    assert (refusal.value.panel.changed_by, refusal.value.current) == (ben, order(meeting))
    assert codes(meeting)[-1] == ("panel_composed", True)


# --- Proposing -------------------------------------------------------------------------------------------------------


def test_an_nhri_is_proposed_first_and_those_without_a_note_are_left_out(meeting, state_call, ada):
    cso, nhri, left, waits = sent(state_call), sent(state_call, **NHRI), sent(state_call), sent(state_call)
    for application, decision in ((cso, "accept"), (nhri, "accept"), (waits, "waitlist")):
        application.prepare(decision, by=ada, now=MONDAY)
    proposal = panel.proposed(meeting, list(panel.placeable(meeting)), floor_minutes=2)
    assert proposal.speakers == ((nhri.reference, 7), (cso.reference, 7))
    assert (proposal.waiting, left.reference in proposal.references) == ((waits.reference,), False)


@pytest.mark.parametrize(("speakers", "each"), [(1, 7), (5, 7), (6, 6), (8, 5), (11, 5)])
def test_the_time_is_shared_evenly_with_a_third_left_for_questions_where_that_can_be(speakers, each):
    assert panel.even_minutes(speakers, CountryMeeting(minutes=60)) == each


def test_an_nhri_that_is_added_comes_first_and_others_last(meeting, state_call):
    cso, nhri, other = sent(state_call), sent(state_call, **NHRI), sent(state_call)
    plan = Composition(waiting=(nhri.reference,))
    for one in (cso, other, nhri):
        plan = panel.place(plan, one, "panel", minutes=5)
    assert [reference for reference, _ in plan.speakers] == [nhri.reference, cso.reference, other.reference]
    assert plan.waiting == ()


def test_a_move_past_the_end_of_a_list_stays_at_its_end():
    plan = Composition((("a", 5), ("b", 6)), ("c", "d"))
    assert panel.moved(plan, "a", -1) == plan
    assert panel.moved(plan, "a", 1).speakers == (("b", 6), ("a", 5))
    assert panel.moved(plan, "c", 5).waiting == ("d", "c")


# --- Leaving, and who comes next -------------------------------------------------------------------------------------


def leave_by_withdrawing(application):
    application.withdraw(now=MONDAY)


def leave_by_erasing(application):
    erase(application, now=MONDAY)


def leave_by_being_declined(application):
    application.prepare("decline", by=StaffFactory(), now=MONDAY)
    decisions.release(application.meeting, by=StaffFactory(), now=MONDAY)


@pytest.mark.parametrize("leave", [leave_by_withdrawing, leave_by_erasing, leave_by_being_declined])
def test_whoever_leaves_frees_the_place_and_those_behind_move_up(meeting, state_call, ada, leave):
    first, second, third = (sent(state_call) for _ in range(3))
    save(meeting, ada, [first, second, third])
    leave(second)
    assert order(meeting).speakers == ((first.reference, 6), (third.reference, 6))
    assert list(Seat.objects.values_list("position", flat=True)) == [1, 2]
    assert (panel.of(meeting).version, panel.of(meeting).changed_by is None or leave is leave_by_being_declined) == (
        2, True,
    )  # fmt: skip
    assert ("seat_freed", False) in codes(meeting)


def test_a_seat_given_up_is_free_at_once_and_told_to_who_composes(meeting, state_call, ada):
    accepted, waiting = ApplicationFactory(state_call=state_call, accepted=True), sent(state_call)
    save(meeting, ada, [accepted], [waiting])
    seat.give_up(accepted, now=MONDAY)
    with pytest.raises(ChangedMeanwhile):
        save(meeting, ada, [accepted], [waiting], seen=1)
    assert order(meeting) == replace(order(meeting), speakers=(), waiting=(waiting.reference,))


def test_the_first_of_the_waiting_list_moves_up_with_as_much_time_as_the_others(meeting, state_call, ada):
    one, two, three = (sent(state_call) for _ in range(3))
    save(meeting, ada, [one], [two, three], minutes=6)
    panel.promote(meeting, 1, by=ada, now=MONDAY)
    assert order(meeting).speakers == ((one.reference, 6), (two.reference, 6))
    assert order(meeting).waiting == (three.reference,)
    assert codes(meeting)[-1] == ("panel_promoted", False)


def test_nobody_is_moved_up_where_nobody_waits_or_the_hour_is_full(meeting, state_call, ada):
    with pytest.raises(WrongStep, match="Nobody is on the waiting list"):
        panel.promote(meeting, 0, by=ada, now=MONDAY)
    people = [sent(state_call) for _ in range(8)]
    save(meeting, ada, people, [sent(state_call)], minutes=7, opening_minutes=4)
    with pytest.raises(WrongStep, match="5 minutes longer"):
        panel.promote(meeting, 1, by=ada, now=MONDAY)


# --- The State’s floor -----------------------------------------------------------------------------------------------


def test_the_floor_of_the_state_takes_two_minutes_from_the_questions(meeting, state_call, ada):
    save(meeting, ada, [sent(state_call)])
    panel.floor_asked(meeting, True, now=MONDAY)
    assert (order(meeting).floor_minutes, panel.of(meeting).version) == (rules.FLOOR_MINUTES, 2)
    panel.floor_asked(meeting, True, now=MONDAY)
    panel.floor_asked(meeting, False, now=MONDAY)
    assert (order(meeting).floor_minutes, panel.of(meeting).version) == (0, 3)
    assert [code for code, _ in codes(meeting)][-2:] == ["floor_asked", "floor_not_asked"]


def test_where_no_minute_is_left_the_wish_is_seen_and_the_hour_stays_whole(meeting, state_call, ada):
    save(meeting, ada, [sent(state_call) for _ in range(8)], minutes=7, opening_minutes=3)
    panel.floor_asked(meeting, True, now=MONDAY)
    assert (panel.of(meeting).floor_wanted, order(meeting).floor_minutes) == (True, 0)


# --- Answers ---------------------------------------------------------------------------------------------------------


def test_the_answers_follow_the_panel_and_nobody_is_told(meeting, state_call, ada):
    seated, waits, dropped, declined, open_ = (sent(state_call) for _ in range(5))
    told = ApplicationFactory(state_call=state_call, waitlisted=True)
    dropped.prepare("accept", by=ada, now=MONDAY)
    declined.prepare("decline", by=ada, now=MONDAY, reason="No speaker.")
    save(meeting, ada, [seated], [told, waits], minutes=5)
    letters = Letter.objects.count()
    assert panel.prepare_answers(meeting, by=ada, now=MONDAY) == 3
    prepared = dict(Application.objects.values_list("reference", "prepared"))
    assert prepared == {
        seated.reference: "accept", waits.reference: "waitlist", dropped.reference: "", declined.reference: "decline",
        open_.reference: "", told.reference: "",
    }  # fmt: skip
    assert panel.prepare_answers(meeting, by=ada, now=MONDAY) == 0
    assert Letter.objects.count() == letters


def test_no_answers_follow_from_a_panel_that_nobody_has_saved(meeting, ada):
    with pytest.raises(WrongStep, match="Save the panel first"):
        panel.prepare_answers(meeting, by=ada, now=MONDAY)
    assert codes(meeting)[-1] == ("answers_prepared", True)


@pytest.mark.parametrize(("day", "note"), [(8, "Ask her."), (9, "")])
def test_the_note_for_the_moderator_is_forgotten_a_month_after_the_meeting(state_call, ada, day, note):
    meeting = StateCallFactory(meeting=CountryMeetingFactory(starts_at=geneva(date(2026, 4, 8), 10))).meeting
    save(meeting, ada, note="Ask her.")
    panel.forget_notes(geneva(date(2026, 5, day), 12))
    assert Panel.objects.get().note == note


def test_a_place_of_an_application_that_ended_some_other_way_is_not_shown(meeting, state_call, ada):
    one = sent(state_call)
    save(meeting, ada, [one])
    Application.objects.filter(pk=one.pk).update(status="declined")
    assert order(meeting).speakers == ()
    assert Panel.objects.get().seats.count() == 1
