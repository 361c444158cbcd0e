"""A date that people have been told changes: a correction is proposed, says what is valid now, and staff decide."""

from datetime import UTC, date, datetime, timedelta

import pytest

from presessions.mail import schedule, steering
from presessions.mail.models import Letter
from presessions.upr.dates import geneva
from presessions.upr.models import Series
from tests.applications.factories import ApplicationFactory, ContactFactory, StateCallFactory
from tests.mail.letters import body_of, message_of
from tests.missions.factories import MissionFactory
from tests.upr.factories import SessionFactory, StateFactory, StateUnderReviewFactory

pytestmark = pytest.mark.django_db
SET_UP = datetime(2026, 1, 5, 9, tzinfo=UTC)
INVITED = geneva(date(2026, 3, 17), 9)
LATER = INVITED + timedelta(days=3)
TUESDAY, WEDNESDAY, THURSDAY = (geneva(date(2026, 4, day), 10) for day in (14, 15, 16))


@pytest.fixture
def series():
    session = SessionFactory()
    for iso2 in ("KE", "PE"):
        StateUnderReviewFactory(session=session, state=StateFactory(iso2=iso2))
    series = Series.open_for(
        session, now=SET_UP, first_day=date(2026, 4, 14), last_day=date(2026, 4, 16), venue="Palais des Nations"
    )
    meeting(series, "KE").reschedule(now=SET_UP, starts_at=TUESDAY)
    for iso2 in ("BR", "FR"):
        MissionFactory(iso2=iso2)
    return series


@pytest.fixture
def invited(series):
    schedule.write_due(INVITED)
    Letter.objects.update(state="sent", sent_at=INVITED)
    schedule.write_due(INVITED)
    return series


def meeting(series, code):
    return series.meetings().with_state().get(state_under_review__state=code)


def move(series, starts_at, code="KE", now=LATER):
    meeting(series, code).reschedule(now=now, starts_at=starts_at)


def proposals(series, **facts):
    return list(series.mailings.filter(corrects__isnull=False, **{"state": "held", **facts}))


def release(correction, by, now=LATER):
    """Let it go, and see it arrive; its letters."""
    correction.resume(by=by, now=now)
    schedule.write_due(now)
    letters = Letter.objects.filter(mailing=correction)
    letters.update(state="sent", sent_at=now)
    schedule.write_due(now)
    return list(letters)


def test_a_meeting_that_moves_before_anybody_was_told_proposes_nothing(series):
    move(series, WEDNESDAY, now=SET_UP)
    assert proposals(series) == []


def test_a_meeting_that_moves_after_the_invitation_proposes_one_correction(invited):
    move(invited, WEDNESDAY)
    (correction,) = proposals(invited)
    assert (correction.kind, correction.step, correction.held_reason) == ("correction_missions", "1", "proposed")
    assert correction.corrects.kind == "invitation"
    assert correction in schedule.worries(LATER)
    assert schedule.explain(correction) == (
        "Proposed, because dates have changed since this went out: invitation. "
        "Let it go, and it is sent to Permanent Missions that were told other dates."
    )


def test_nothing_leaves_until_staff_let_it_go(invited, staff):
    move(invited, WEDNESDAY)
    schedule.write_due(LATER + timedelta(days=1))
    assert not Letter.objects.filter(kind="correction_missions").exists()
    letters = release(proposals(invited)[0], staff)
    assert {letter.recipient_id for letter in letters} == {
        letter.recipient_id for letter in Letter.objects.filter(kind="invitation")
    }


def test_it_says_what_is_valid_now_and_what_was_announced(invited, staff):
    move(invited, WEDNESDAY)
    proposals(invited)[0].resume(by=staff, now=LATER)
    schedule.write_due(LATER)
    letter = Letter.objects.filter(kind="correction_missions").first()
    text = body_of(letter)
    assert message_of(letter)["Subject"] == "Change of dates: Pre-sessions 54 of UPR Info"
    assert "- Kenya\n  Wed 15 April 2026, 10:00 Geneva time" in text
    assert "Previously announced: Tue 14 April 2026, 10:00 Geneva time" in text
    assert "- Peru" not in text
    assert "The other meetings take place as announced." in text


def test_a_meeting_called_off_counts(invited, staff):
    meeting(invited, "KE").call_off("postponed", now=LATER)
    proposals(invited)[0].resume(by=staff, now=LATER)
    schedule.write_due(LATER)
    assert "- Kenya\n  This meeting will not be held." in body_of(
        Letter.objects.filter(kind="correction_missions").first()
    )


def test_so_does_one_whose_date_is_unknown_again_and_one_that_was_told_without_a_date_and_is_called_off(invited):
    move(invited, None)
    assert len(proposals(invited)) == 1
    move(invited, TUESDAY)
    assert proposals(invited) == []
    meeting(invited, "PE").call_off("too_few", now=LATER)
    assert len(proposals(invited)) == 1


def test_a_date_that_was_to_be_confirmed_and_is_set_was_told_right(invited):
    move(invited, THURSDAY, code="PE")
    assert proposals(invited) == []


def test_what_lies_behind_us_is_not_corrected(invited):
    move(invited, THURSDAY - timedelta(days=2, hours=3), now=THURSDAY)
    assert proposals(invited) == []


def test_a_second_change_changes_the_open_proposal(invited):
    move(invited, WEDNESDAY)
    move(invited, THURSDAY, now=LATER + timedelta(hours=1))
    (correction,) = proposals(invited)
    assert correction.due_at == LATER + timedelta(hours=1)


def test_a_change_after_staff_had_let_it_go_asks_them_again(invited, staff):
    move(invited, WEDNESDAY)
    proposals(invited)[0].resume(by=staff, now=LATER)
    move(invited, THURSDAY)
    assert len(proposals(invited, held_reason="proposed")) == 1


def test_it_is_not_needed_once_the_date_comes_back_and_is_needed_again_after_that(invited):
    move(invited, WEDNESDAY)
    move(invited, TUESDAY)
    assert proposals(invited) == []
    move(invited, THURSDAY)
    assert [correction.step for correction in proposals(invited)] == ["1"]


def test_what_staff_cancel_is_not_proposed_again_until_the_dates_change_again(invited, staff):
    move(invited, WEDNESDAY)
    proposals(invited)[0].cancel(by=staff, now=LATER)
    invited.announce_dates(now=LATER)
    assert proposals(invited) == []
    move(invited, THURSDAY)
    assert [correction.step for correction in proposals(invited)] == ["2"]


def test_after_a_correction_the_next_is_measured_against_it(invited, staff):
    move(invited, WEDNESDAY)
    release(proposals(invited)[0], staff)
    assert proposals(invited) == []
    move(invited, TUESDAY, now=LATER + timedelta(days=1))  # as the invitation said; but not as people know it now
    (correction,) = proposals(invited)
    assert (correction.step, correction.corrects.kind) == ("2", "invitation")


def test_the_briefing_and_the_invitation_are_set_right_by_one_mail(invited):
    due = invited.mailings.get(kind="briefing").due_at
    schedule.write_due(due)
    move(invited, WEDNESDAY, now=due + timedelta(hours=1))
    (correction,) = proposals(invited)
    assert correction.corrects.kind == "briefing"


def test_it_goes_to_those_who_were_told_the_wrong_date_and_are_still_reached(invited, staff):
    Letter.objects.filter(recipient_id=str(MissionFactory(iso2="FR").pk)).update(state="bounced")
    move(invited, WEDNESDAY)
    late = MissionFactory(iso2="CL")
    schedule.catch_up(invited.mailings.get(kind="invitation"), LATER + timedelta(minutes=1), by=staff)
    letters = release(proposals(invited)[0], staff, now=LATER + timedelta(minutes=2))
    assert [letter.recipient_id for letter in letters] == [str(MissionFactory(iso2="BR").pk)]
    assert Letter.objects.filter(kind="invitation", recipient_id=str(late.pk)).exists()


def test_catching_up_says_nothing_of_those_who_were_told_before(invited, staff):
    move(invited, WEDNESDAY)
    MissionFactory(iso2="CL")
    schedule.catch_up(invited.mailings.get(kind="invitation"), LATER, by=staff)
    invited.announce_dates(now=LATER)
    assert len(proposals(invited)) == 1


def freeze(mailing, by, now):
    """Have its letters written, to be looked at."""
    mailing.freeze(by=by, now=now)
    schedule.write_due(now)
    mailing.refresh_from_db()


def test_a_correction_that_staff_look_at_first_is_not_proposed_a_second_time(invited, staff):
    move(invited, WEDNESDAY)
    (correction,) = proposals(invited)
    freeze(correction, staff, LATER)
    invited.announce_dates(now=LATER)
    assert proposals(invited) == [correction]
    release(correction, staff)
    assert Letter.objects.filter(kind="correction_missions").count() == 2  # one for each mission


def test_nor_in_the_instant_between_its_beginning_and_its_first_letter(invited, staff):
    move(invited, WEDNESDAY)
    (correction,) = proposals(invited)
    invited.mailings.filter(pk=correction.pk).update(state="writing", held_reason="", writing_at=LATER)
    invited.announce_dates(now=LATER)
    assert invited.mailings.filter(kind="correction_missions").get() == correction


def test_nor_after_staff_have_looked_at_it_and_cancelled_it(invited, staff):
    move(invited, WEDNESDAY)
    (correction,) = proposals(invited)
    freeze(correction, staff, LATER)
    correction.cancel(by=staff, now=LATER)
    assert proposals(invited) == []


def test_a_date_that_changes_while_staff_look_at_a_correction_holds_it_until_it_is_written_anew(invited, staff):
    move(invited, WEDNESDAY)
    (correction,) = proposals(invited)
    freeze(correction, staff, LATER)
    move(invited, THURSDAY)
    assert proposals(invited) == [correction]
    correction.resume(by=staff, now=LATER)
    correction.refresh_from_db()
    assert (correction.state, correction.held_reason) == ("held", "look")
    steering.thaw(correction, by=staff, now=LATER)
    assert proposals(invited, held_reason="proposed") == [correction]
    assert len(release(correction, staff)) == 2


def test_letters_that_were_written_and_cancelled_before_any_left_have_told_nobody(invited, staff):
    move(invited, WEDNESDAY)
    briefing = invited.mailings.get(kind="briefing")
    freeze(briefing, staff, LATER)
    briefing.cancel(by=staff, now=LATER)
    assert len(proposals(invited, kind="correction_missions")) == 1


def test_letters_on_their_way_when_the_rest_was_cancelled_have_told(invited, staff):
    move(invited, WEDNESDAY)
    briefing = invited.mailings.get(kind="briefing")
    freeze(briefing, staff, LATER)
    briefing.letters.update(state="sent", sent_at=LATER)
    briefing.cancel(by=staff, now=LATER)
    assert proposals(invited) == []


@pytest.mark.parametrize("step", ["move", "send_now"])
def test_its_hour_does_not_widen_its_audience(invited, staff, step):
    move(invited, WEDNESDAY)
    late = MissionFactory(iso2="CL")
    schedule.catch_up(invited.mailings.get(kind="invitation"), LATER + timedelta(minutes=1), by=staff)
    (correction,) = proposals(invited)
    now = LATER + timedelta(hours=1)
    if step == "move":
        correction.move_to(now, by=staff, now=LATER + timedelta(minutes=2))
    else:
        correction.send_now(by=staff, now=now)
    schedule.write_due(now)
    told = set(Letter.objects.filter(mailing=correction).values_list("recipient_id", flat=True))
    assert len(told) == 2 and str(late.pk) not in told


def test_letters_that_staff_have_read_and_let_go_are_held_again_when_their_dates_change(series, staff):
    invitation = series.mailings.get(kind="invitation")
    invitation.freeze(by=staff, now=SET_UP)
    schedule.write_due(SET_UP)
    invitation.refresh_from_db()
    invitation.resume(by=staff, now=SET_UP)
    move(series, WEDNESDAY, now=SET_UP)
    invitation.refresh_from_db()
    assert (invitation.state, invitation.held_reason) == ("held", "look")
    schedule.write_due(INVITED)
    assert not Letter.objects.filter(kind="invitation", next_attempt_at__isnull=False).exists()
    assert proposals(series, kind="correction_missions") == []  # nobody has been told anything yet


def test_the_trail_says_when_it_was_proposed(invited):
    from presessions.trail.models import Event

    move(invited, WEDNESDAY)
    assert Event.objects.about(proposals(invited)[0]).get().code == "proposed"


# --- The call, drafts and speakers ------------------------------------------------------------------------------------


@pytest.fixture
def called(series):
    """The call has gone to two contacts, one of whom has left since; Kenya closes with the series, on 22 March."""
    call = StateCallFactory(meeting=meeting(series, "KE"), now=SET_UP)
    ContactFactory(email="stays@example.org", now=SET_UP)
    leaves = ContactFactory(email="leaves@example.org", now=SET_UP)
    schedule.write_due(geneva(date(2026, 2, 4), 9))
    Letter.objects.update(state="sent")
    leaves.leave(now=LATER)
    return call


def test_a_deadline_that_moves_after_the_call_is_corrected_for_those_still_on_the_list(called, staff):
    called.call.move_deadline(geneva(date(2026, 3, 30)), now=LATER, reason="Floods.")
    (correction,) = proposals(called.series, kind="correction_call")
    correction.resume(by=staff, now=LATER)
    schedule.write_due(LATER)
    letter = Letter.objects.get(kind="correction_call")
    assert letter.to == "stays@example.org"
    assert "- Kenya: Sun 29 March 2026, 23:59 Geneva time\n  Previously announced: Sun 22 March 2026, 23:59" in body_of(
        letter
    )
    assert message_of(letter)["List-Unsubscribe"]


def test_drafts_that_were_told_their_last_minute_are_told_the_new_one(called, staff):
    draft = ApplicationFactory(state_call=called, complete=False)
    sends = ApplicationFactory(state_call=called)
    schedule.write_due(geneva(date(2026, 3, 15), 9))
    Letter.objects.filter(kind="unfinished_draft").update(state="sent")
    sends.submit(now=LATER - timedelta(hours=1))
    called.call.move_deadline(geneva(date(2026, 3, 30)), now=LATER, reason="Floods.")
    (correction,) = proposals(called.series, kind="correction_draft", meeting=called.meeting)
    correction.resume(by=staff, now=LATER)
    schedule.write_due(LATER)
    assert [letter.recipient_id for letter in Letter.objects.filter(kind="correction_draft")] == [draft.reference]


def test_speakers_who_were_asked_for_their_statement_learn_of_the_new_hour(called, staff):
    speaker = ApplicationFactory(state_call=called, accepted=True)
    due = geneva(date(2026, 3, 24), 9)
    schedule.write_due(due)
    Letter.objects.filter(kind="statement_due").update(state="sent")
    move(called.series, WEDNESDAY, now=due + timedelta(days=1))
    (correction,) = proposals(called.series, kind="correction_statement")
    correction.resume(by=staff, now=due + timedelta(days=1))
    schedule.write_due(due + timedelta(days=1))
    letter = Letter.objects.get(kind="correction_statement")
    assert letter.recipient_id == speaker.reference
    assert "When: Wed 15 April 2026, 10:00 Geneva time" in body_of(letter)
    assert "Previously announced: Tue 14 April 2026, 10:00 Geneva time" in body_of(letter)
    assert "Kenya" not in body_of(letter) + message_of(letter)["Subject"]
