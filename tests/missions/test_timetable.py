"""The whole default timetable: who is written to, when, by which words, and who no more."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from applications.models import Attachment
from missions.models import Invitation, Reply
from presessions.mail import registry, schedule, steering
from presessions.mail.models import Letter, Mailing
from presessions.upr.dates import geneva
from presessions.upr.models import Series
from tests.applications.factories import ApplicationFactory, StateCallFactory
from tests.mail.letters import body_of, message_of
from tests.missions.factories import MissionFactory, open_link
from tests.missions.pages import answers
from tests.upr.factories import CODES, CountryMeetingFactory, SessionFactory, StateFactory, StateUnderReviewFactory

pytestmark = pytest.mark.django_db
SET_UP = datetime(2026, 1, 5, 9, tzinfo=UTC)


def day(month, number, hour=9):
    return geneva(date(2026, month, number), hour)


@pytest.fixture
def series():
    """Kenya on 14 April at ten, Peru on 16 April; applications until Sunday 22 March, for Peru a week longer."""
    session = SessionFactory()
    for iso2 in ("KE", "PE"):
        StateUnderReviewFactory(session=session, state=StateFactory(iso2=iso2))
    series = Series.open_for(
        session, now=SET_UP, first_day=date(2026, 4, 14), last_day=date(2026, 4, 16), venue="Palais des Nations"
    )
    meeting(series, "KE").reschedule(now=SET_UP, starts_at=day(4, 14, 10), room="Room XXI")
    meeting(series, "PE").reschedule(now=SET_UP, starts_at=day(4, 16, 10))
    for code in ("KE", "PE"):
        call(series, code)
    call(series, "PE").extend(day(3, 30, 0), now=SET_UP, reason="Floods.")
    return series


def meeting(series, code):
    return series.meetings().with_state().get(state_under_review__state=code)


def call(series, code):
    return StateCallFactory(meeting=meeting(series, code), now=SET_UP)


def written(kind, now):
    schedule.write_due(now)
    return Letter.objects.filter(kind=kind).order_by("pk")


def wanted(letter):
    return registry.recipient_kind(letter.recipient_kind).still_wanted(letter)


def test_each_line_of_the_timetable_is_due_on_its_day(series):
    due = [
        (f"{mailing.kind} {mailing.step}".strip(), mailing.meeting and mailing.meeting.state.pk, mailing.due_at)
        for mailing in series.mailings.with_series().order_by("due_at", "kind", "pk")
    ]
    assert due == [
        ("call", None, day(2, 4)),
        ("unfinished_draft 7 days", "KE", day(3, 15)),
        ("invitation", None, day(3, 17)),
        ("unfinished_draft 48 hours", "KE", day(3, 20)),
        ("unfinished_draft 7 days", "PE", day(3, 22)),
        ("statement_due", "KE", day(3, 24)),
        ("statement_due", "PE", day(3, 26)),
        ("unfinished_draft 48 hours", "PE", day(3, 27)),
        ("briefing", None, day(4, 4)),
        ("reminder", None, day(4, 7)),
        ("thanks_missions", None, day(4, 17)),
        ("thanks_speakers", None, day(4, 17)),
    ]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("call", "1 confirmed contact"),
        ("invitation", "1 Permanent Mission"),
        ("reminder", "1 Permanent Mission that has not answered"),
        ("thanks_speakers", "1 speaker"),
    ],
)
def test_an_audience_is_counted_in_words(series, kind, words):
    mailing = series.mailings.get(kind=kind)
    assert schedule.to_whom(mailing, 1) == words
    assert schedule.to_whom(mailing, 193).startswith("193 ")
    assert "1 " not in schedule.to_whom(mailing)
    assert schedule.explain(mailing, count=1).count(f"to {words}") == 1


# --- Unfinished drafts ------------------------------------------------------------------------------------------------


def test_a_draft_is_reminded_a_week_and_two_days_before_its_own_deadline(series):
    kenya = ApplicationFactory(state_call=call(series, "KE"), complete=False, language="fr")
    peru = ApplicationFactory(state_call=call(series, "PE"), complete=False)
    ApplicationFactory(state_call=call(series, "KE"), submitted=True)
    when = [day(3, 15), day(3, 20), day(3, 22), day(3, 27)]
    told = [[letter.recipient_id for letter in written("unfinished_draft", moment)] for moment in when]
    assert [letters[-1] for letters in told] == [kenya.reference] * 2 + [peru.reference] * 2
    assert [len(letters) for letters in told] == [1, 2, 3, 4]


def test_two_days_are_48_hours_and_more_where_a_call_closes_at_midnight(series):
    for mailing in series.mailings.filter(step="48 hours").with_series():
        assert (
            timedelta(hours=48) < call(series, mailing.meeting.state.pk).deadline - mailing.due_at < timedelta(hours=72)
        )


def test_it_names_neither_person_nor_state_and_says_the_last_minute(series):
    draft = ApplicationFactory(state_call=call(series, "PE"), complete=False)
    letter = written("unfinished_draft", day(3, 22)).get()
    text = body_of(letter)
    assert message_of(letter)["Subject"] == "Your form has not been sent yet"
    assert "Last minute to send it: Sun 29 March 2026, 23:59 Geneva time" in text
    assert "/application/" in text and draft.reference in text
    assert "Peru" not in text


def test_who_sends_after_all_is_not_reminded_any_more(series):
    draft = ApplicationFactory(state_call=call(series, "KE"))
    letter = written("unfinished_draft", day(3, 15)).get()
    assert wanted(letter)
    draft.submit(now=day(3, 15))
    assert not wanted(letter)
    assert not written("unfinished_draft", day(3, 20)).filter(mailing__step="48 hours").exists()


def test_a_state_whose_meeting_is_called_off_reminds_nobody(series):
    meeting(series, "KE").call_off("too_few", now=SET_UP)
    states = series.mailings.filter(meeting=meeting(series, "KE")).values_list("state", flat=True)
    assert set(states) == {"not_needed"}
    meeting(series, "KE").reinstate(now=SET_UP)
    assert set(series.mailings.filter(meeting=meeting(series, "KE")).values_list("state", flat=True)) == {"planned"}


def test_a_mailing_that_staff_moved_does_not_outlive_its_meeting(series, staff):
    mailing = series.mailings.get(kind="statement_due", meeting=meeting(series, "KE"))
    mailing.move_to(day(3, 26), by=staff, now=SET_UP)
    meeting(series, "KE").call_off("too_few", now=SET_UP)
    mailing.refresh_from_db()
    assert mailing.state == "not_needed"
    meeting(series, "KE").reinstate(now=SET_UP)
    mailing.refresh_from_db()
    assert (mailing.state, mailing.due_at) == ("planned", day(3, 26))


# --- Statements -------------------------------------------------------------------------------------------------------


def test_speakers_are_asked_for_their_statement_with_day_place_and_minutes(series):
    speaker = ApplicationFactory(state_call=call(series, "KE"), accepted=True, full_name="Amina Canary")
    for status in ("submitted", "waitlisted", "declined", "withdrawn"):
        ApplicationFactory(state_call=call(series, "KE"), **{status: True})
    letter = written("statement_due", day(3, 24)).get()
    text = body_of(letter)
    assert letter.recipient_id == speaker.reference
    assert message_of(letter)["Subject"] == "Your statement"
    assert "When: Tue 14 April 2026, 10:00 Geneva time\nWhere: Room XXI, Palais des Nations" in text
    assert "Time to speak: up to 7 minutes" in text
    assert "by Tue 31 March 2026, on your page." in text
    assert not {"Kenya", "Amina"} & set(text.split())


def test_the_time_to_speak_is_shared_and_left_out_where_it_cannot_be_kept(series):
    for _ in range(7):
        ApplicationFactory(state_call=call(series, "KE"), accepted=True)
    for _ in range(9):
        ApplicationFactory(state_call=call(series, "PE"), accepted=True)
    kenya = body_of(written("statement_due", day(3, 24)).first())
    peru = body_of(written("statement_due", day(3, 26)).last())
    assert "Time to speak: up to 5 minutes" in kenya
    assert "Time to speak" not in peru


def test_after_the_last_day_for_statements_it_asks_for_it_soon(series, staff):
    ApplicationFactory(state_call=call(series, "KE"), accepted=True)
    mailing = series.mailings.get(kind="statement_due", meeting=meeting(series, "KE"))
    mailing.move_to(day(4, 2), by=staff, now=SET_UP)
    assert "as soon as you can" in body_of(written("statement_due", day(4, 2)).get())


def test_whose_statement_we_have_and_who_withdraws_is_not_asked(series):
    speakers = [ApplicationFactory(state_call=call(series, "KE"), accepted=True) for _ in range(2)]
    Attachment.objects.create(application=speakers[0], kind="statement", version=1, size=1, uploaded_at=SET_UP)
    letter = written("statement_due", day(3, 24)).get()
    assert letter.recipient_id == speakers[1].reference
    assert wanted(letter)
    speakers[1].withdraw(now=day(3, 24))
    assert not wanted(letter)


# --- The silent -------------------------------------------------------------------------------------------------------


@pytest.fixture
def invited(series):
    for iso2 in ("BR", "FR", "KE"):
        MissionFactory(iso2=iso2)
    schedule.write_due(day(3, 17))
    arrive(day(3, 17))
    return series


def arrive(moment):
    """Let every letter that waits arrive."""
    Letter.objects.filter(state="pending").update(state="sent", sent_at=moment)
    schedule.write_due(moment)


def reply(series, code, moment, **chosen):
    invitation = Invitation.objects.get(mission__code=code, series=series)
    with time_machine.travel(moment, tick=False):
        path = open_link(invitation, now=moment)
        assert Client().post(path, answers(invitation, **chosen)).status_code == 302


def test_missions_that_have_not_answered_are_reminded_once_courteously(invited):
    reply(invited, "FR", day(3, 20), KE="no")
    letters = {letter.recipient_id: letter for letter in written("reminder", day(4, 7))}
    missions = {code: str(MissionFactory(iso2=code).pk) for code in ("BR", "KE")}
    assert letters.keys() == set(missions.values())
    text = body_of(letters[missions["BR"]])
    assert "Excellency," in text and "takes the liberty of recalling this invitation" in text
    assert "- Kenya\n  Tue 14 April 2026, 10:00 Geneva time" in text
    assert "/invitation/" in text
    assert "your own State (Kenya)" in body_of(letters[missions["KE"]])


def test_a_mission_invited_less_than_a_week_before_is_left_in_peace(invited, staff):
    late = MissionFactory(iso2="CL")
    invitation = invited.mailings.get(kind="invitation")
    schedule.catch_up(invitation, day(4, 1), by=staff)
    assert str(late.pk) not in {letter.recipient_id for letter in written("reminder", day(4, 7))}


@pytest.mark.parametrize("then", ["stays held", "is cancelled", "is put back", "went yesterday"])
def test_nobody_is_reminded_of_an_invitation_that_has_not_reached_them(series, staff, then):
    MissionFactory(iso2="BR")
    invitation = series.mailings.get(kind="invitation")
    series.mailings.get(kind="briefing").cancel(by=staff, now=SET_UP)
    invitation.freeze(by=staff, now=SET_UP)
    schedule.write_due(SET_UP)
    if then == "is cancelled":
        invitation.cancel(by=staff, now=SET_UP)
    elif then == "is put back":
        steering.thaw(invitation, by=staff, now=SET_UP)
        invitation.hold(by=staff, now=SET_UP)
    elif then == "went yesterday":
        Letter.objects.update(state="sent", sent_at=day(4, 6))
    assert not written("reminder", day(4, 7)).exists()


def test_who_was_reached_by_the_briefing_alone_is_reminded_like_all(series, staff):
    MissionFactory(iso2="BR")
    series.mailings.get(kind="invitation").cancel(by=staff, now=SET_UP)
    series.mailings.get(kind="briefing").move_to(day(3, 25), by=staff, now=SET_UP)
    schedule.write_due(day(3, 25))
    arrive(day(3, 25))
    assert written("reminder", day(4, 7)).count() == 1


def test_so_is_who_may_have_been_reached(invited):
    Letter.objects.filter(kind="invitation").update(state="uncertain", sent_at=None, uncertain_at=day(3, 17))
    assert written("reminder", day(4, 7)).count() == 3


def test_an_answer_stops_the_reminder_on_its_way(invited):
    letters = list(written("reminder", day(4, 7)))
    brazil = next(letter for letter in letters if letter.recipient_id == str(MissionFactory(iso2="BR").pk))
    assert wanted(brazil)
    reply(invited, "BR", day(4, 7, 10), KE="in_person")
    assert not wanted(brazil)


# --- Thanks -----------------------------------------------------------------------------------------------------------


def test_missions_that_said_they_would_come_are_thanked(invited):
    reply(invited, "FR", day(3, 20), KE="no")
    reply(invited, "BR", day(3, 20), KE="in_person")
    letter = written("thanks_missions", day(4, 17)).get()
    assert letter.recipient_id == str(MissionFactory(iso2="BR").pk)
    assert message_of(letter)["Subject"] == "Pre-sessions 54: thank you"
    assert "begins on Mon 4 May 2026" in body_of(letter)


def test_nobody_is_thanked_for_a_meeting_that_was_not_held(invited):
    reply(invited, "BR", day(3, 20), KE="in_person")
    ApplicationFactory(state_call=call(invited, "KE"), accepted=True)
    meeting(invited, "KE").call_off("postponed", now=day(4, 13))
    assert not written("thanks_missions", day(4, 17)).exists()
    assert not written("thanks_speakers", day(4, 17)).exists()


def test_speakers_are_thanked_without_being_named(series):
    speaker = ApplicationFactory(state_call=call(series, "KE"), accepted=True)
    ApplicationFactory(state_call=call(series, "KE"), declined=True)
    letter = written("thanks_speakers", day(4, 17)).get()
    assert letter.recipient_id == speaker.reference
    assert message_of(letter)["Subject"] == "Thank you"
    assert "Kenya" not in body_of(letter)


# --- A series that was there before the timetable grew ----------------------------------------------------------------


def test_an_older_series_gets_the_new_lines_and_nothing_leaves_by_surprise(series):
    ApplicationFactory(state_call=call(series, "KE"), complete=False)
    ApplicationFactory(state_call=call(series, "KE"), accepted=True)
    Mailing.objects.exclude(kind__in=("call", "invitation", "briefing")).delete()
    now = day(3, 25)  # after Kenya's deadline, in the middle of all the rest
    Mailing.objects.update(state="done")
    schedule.plan(series, now)
    found = {
        (mailing.kind, mailing.step, mailing.meeting and mailing.meeting.state.pk): mailing.held_reason or mailing.state
        for mailing in series.mailings.exclude(state="done").with_series()
    }
    assert found == {
        ("unfinished_draft", "7 days", "KE"): "not_needed",  # nobody misses a reminder of what is over
        ("unfinished_draft", "48 hours", "KE"): "not_needed",
        ("unfinished_draft", "7 days", "PE"): "past",  # held: staff decide
        ("unfinished_draft", "48 hours", "PE"): "planned",
        ("statement_due", "", "KE"): "past",
        ("statement_due", "", "PE"): "planned",
        ("reminder", "", None): "planned",
        ("thanks_speakers", "", None): "planned",
        ("thanks_missions", "", None): "planned",
    }
    assert schedule.write_due(now) == 0
    schedule.plan(series, now)
    assert series.mailings.filter(state="not_needed").count() == 2


# --- Another day ------------------------------------------------------------------------------------------------------


def test_what_would_be_open_on_another_day(invited):
    def opened(moment):
        return [(thing.what, thing.words) for thing in schedule.as_on(moment).open]

    calls, invitations = "Call for applications, Pre-sessions 54", "Invitations, Pre-sessions 54"
    last = "the last of them closes Sun 29 March 2026, 23:59 Geneva time"
    assert opened(day(2, 1)) == []
    assert opened(day(2, 3)) == [(calls, f"Kenya, Peru; {last}")]
    assert opened(day(3, 25)) == [(calls, f"Peru; {last}"), (invitations, "2 meetings take answers")]
    assert opened(day(4, 15)) == [(invitations, "1 meeting takes answers")]
    assert opened(day(4, 17)) == []


def test_what_would_have_become_of_each_mailing_on_another_day(series):
    meeting(series, "PE").reschedule(now=SET_UP, starts_at=None)
    rows = {row.what + row.where: (row.when, row.words) for row in schedule.as_on(day(3, 17, 12)).mailings}
    assert rows["call for applications"][0] == "gone"
    assert rows["invitation"][0] == "today"
    assert rows["reminder"][0] == "ahead"
    assert rows["statement duePeru"] == ("waits", "Waits for a date: the meeting.")
    assert not Letter.objects.exists()


# --- Constant cost ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ask",
    [
        lambda series: schedule.plan(series, SET_UP),
        lambda series: schedule.timeline(series, SET_UP),
        lambda series: schedule.worries(day(6, 1)),
        lambda series: schedule.as_on(day(3, 1)),
        lambda series: schedule.would(series.mailings.with_series().get(kind="call"), now=SET_UP, hour=14),
    ],
)
def test_it_costs_the_same_for_2_meetings_and_for_14(
    series, ask, django_assert_num_queries, django_assert_max_num_queries
):
    ask(series)
    with django_assert_max_num_queries(15) as few:
        ask(series)
    for iso2 in CODES[60:72]:
        call(series, CountryMeetingFactory(series=series, state=StateFactory(iso2=iso2)).state.pk)
    series.announce_dates(now=SET_UP)
    assert series.mailings.count() > 40
    with django_assert_num_queries(len(few)):
        ask(series)


def test_replies_are_counted_by_their_meeting(invited):
    """The audience of thanks looks at meetings that went ahead, whatever else a mission answered."""
    reply(invited, "BR", day(3, 20), KE="in_person", PE="no")
    assert Reply.objects.count() == 2
    meeting(invited, "KE").call_off("postponed", now=day(4, 13))
    mailing = invited.mailings.get(kind="thanks_missions")
    assert mailing.people() == []
