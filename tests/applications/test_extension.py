"""More time for one State: its contacts and its drafts are told once, by one mail, after staff let it go."""

from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from presessions.mail import schedule, steering
from presessions.mail.models import Letter, Mailing
from presessions.upr.dates import geneva
from presessions.upr.models import CountryMeeting
from presessions.upr.signals import listening
from tests.accounts.factories import StaffFactory
from tests.applications.factories import ApplicationFactory, ContactFactory, StateCallFactory
from tests.mail.letters import body_of, message_of
from tests.upr.dialogue import agree, asks
from tests.upr.factories import CountryMeetingFactory, SeriesFactory, StateFactory

pytestmark = pytest.mark.django_db

SET_UP = geneva(date(2026, 1, 5), 10)
CALL_DUE = geneva(date(2026, 2, 4), 9)  # three months before the Working Group
CLOSES_AT = geneva(date(2026, 3, 23))
NOW = geneva(date(2026, 3, 10), 10)
LATER = NOW + timedelta(hours=1)
IN_MARCH, IN_APRIL = geneva(date(2026, 3, 30)), geneva(date(2026, 4, 6))
EARLIER = geneva(date(2026, 3, 17))


@pytest.fixture
def staff():
    return StaffFactory()


@pytest.fixture
def kenya():
    """The call of a series with Kenya and Türkiye, which closes on 22 March; nothing has gone out."""
    series = SeriesFactory()
    kenya, turkey = (CountryMeetingFactory(series=series, state=StateFactory(iso2=code)) for code in ("KE", "TR"))
    StateCallFactory(meeting=turkey, call_closes_at=CLOSES_AT, now=SET_UP)
    return StateCallFactory(meeting=kenya, call_closes_at=CLOSES_AT, now=SET_UP)


@pytest.fixture
def people(kenya):
    """Contacts who named no State, Kenya, or Türkiye."""
    named = {"all": (), "kenya": ["KE"], "turkiye": ["TR"]}
    return {
        name: ContactFactory(email=f"{name}@example.org", now=SET_UP, states=[StateFactory(iso2=one) for one in states])
        for name, states in named.items()
    }


@pytest.fixture
def called(kenya, people):
    """The call has reached them all."""
    arrive(CALL_DUE)
    return kenya


def arrive(now):
    """What is due is written, and arrives."""
    schedule.write_due(now)
    Letter.objects.filter(state="pending").update(state="sent", sent_at=now, created_at=now)


def proposals(*kinds):
    held = Mailing.objects.with_series().filter(held_reason="proposed", state="held")
    return list(held.filter(kind__in=kinds).order_by("pk") if kinds else held.order_by("pk"))


def let_go(staff, now=LATER):
    """Staff let every proposal go; the addresses they reach, by kind."""
    known = set(Letter.objects.values_list("pk", flat=True))
    for one in proposals():
        one.resume(by=staff, now=now)
    arrive(now)
    told = {}
    for letter in Letter.objects.exclude(pk__in=known):
        told.setdefault(letter.kind, []).append(letter.to)
    return {kind: sorted(addresses) for kind, addresses in told.items()}


# --- Who is told ------------------------------------------------------------------------------------------------------


def test_contacts_of_that_state_and_of_all_states_are_told_once_staff_let_it_go(called, staff):
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    (proposal,) = proposals()
    assert (proposal.kind, proposal.meeting) == ("extension", called.meeting)
    schedule.write_due(LATER)
    assert not Letter.objects.filter(kind="extension").exists()
    assert let_go(staff) == {"extension": ["all@example.org", "kenya@example.org"]}


def test_it_says_the_new_last_minute_and_the_one_before_and_how_to_leave(called, staff):
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    let_go(staff)
    letter = Letter.objects.filter(kind="extension").first()
    assert letter.subject == "More time to apply: Pre-sessions 54"
    assert "- Kenya: Sun 29 March 2026, 23:59 Geneva time" in body_of(letter)
    assert "Previously announced: Sun 22 March 2026, 23:59 Geneva time" in body_of(letter)
    assert "Türkiye" not in body_of(letter) and "Floods" not in body_of(letter)
    assert message_of(letter)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_drafts_are_told_neutrally_with_their_link_whether_or_not_they_were_reminded(called, staff):
    draft = ApplicationFactory(state_call=called, complete=False, now=NOW, email="draft@example.org")
    ApplicationFactory(state_call=called, submitted=True, now=NOW)
    elsewhere = called.call.state_calls.exclude(pk=called.pk).get()
    ApplicationFactory(state_call=elsewhere, complete=False, now=NOW)
    called.extend(IN_MARCH, now=NOW + timedelta(minutes=1), reason="Floods.")
    assert let_go(staff)["extension_draft"] == ["draft@example.org"]
    letter = Letter.objects.get(kind="extension_draft")
    said = letter.subject + body_of(letter)
    assert letter.subject == "There is more time"
    assert "Last minute to send it: Sun 29 March 2026, 23:59 Geneva time" in said
    assert "Previously announced: Sun 22 March 2026, 23:59 Geneva time" in said
    assert "/application/" in said and draft.reference in said
    assert "Kenya" not in said and "Rights Now" not in said


def test_who_learnt_of_the_new_date_otherwise_is_not_told(called, staff):
    ContactFactory(email="left@example.org", now=SET_UP, states=[called.state]).leave(now=NOW)
    ApplicationFactory(state_call=called, complete=False, now=NOW - timedelta(hours=1), email="before@example.org")
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    ApplicationFactory(state_call=called, complete=False, now=NOW + timedelta(minutes=1), email="since@example.org")
    ContactFactory(email="late@example.org", now=NOW + timedelta(minutes=1), states=[called.state])
    schedule.catch_up(Mailing.objects.get(kind="call"), LATER, by=staff)  # late reads the new date in the call
    assert let_go(staff, LATER + timedelta(minutes=5)) == {
        "extension": ["all@example.org", "kenya@example.org"],
        "extension_draft": ["before@example.org"],
    }


def test_who_named_the_state_after_the_call_and_was_not_written_to_is_told(called, staff):
    ContactFactory(email="between@example.org", now=NOW - timedelta(days=1), states=[called.state])
    ContactFactory(email="all-states@example.org", now=NOW - timedelta(days=1))
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    assert "between@example.org" in let_go(staff)["extension"]
    assert "all-states@example.org" not in {letter.to for letter in Letter.objects.filter(kind="extension")}


# --- One mail for one person, of one change ---------------------------------------------------------------------------


def test_no_correction_tells_the_same_change_a_second_time(called, staff):
    ApplicationFactory(state_call=called, complete=False, now=NOW, email="draft@example.org")
    arrive(geneva(date(2026, 3, 15), 9))  # seven days before the end the draft is reminded
    assert Letter.objects.filter(kind="unfinished_draft").exists()
    later = geneva(date(2026, 3, 15), 10)
    called.extend(IN_MARCH, now=later, reason="Floods.")
    assert [one.kind for one in proposals()] == ["extension", "extension_draft"]
    told = let_go(staff, later)
    assert told == {
        "extension": ["all@example.org", "kenya@example.org"],
        "extension_draft": ["draft@example.org"],
    }
    called.series.announce_dates(now=later)
    assert proposals() == []


def test_a_contact_with_a_draft_gets_the_one_about_the_draft(called, staff):
    ApplicationFactory(state_call=called, complete=False, now=NOW, email="kenya@example.org")
    called.extend(IN_MARCH, now=NOW + timedelta(minutes=1), reason="Floods.")
    assert let_go(staff) == {"extension": ["all@example.org"], "extension_draft": ["kenya@example.org"]}


def test_unless_staff_have_refused_that_one(called, staff):
    ApplicationFactory(state_call=called, complete=False, now=NOW, email="kenya@example.org")
    called.extend(IN_MARCH, now=NOW + timedelta(minutes=1), reason="Floods.")
    proposals("extension_draft")[0].cancel(by=staff, now=LATER)
    assert let_go(staff) == {"extension": ["all@example.org", "kenya@example.org"]}


def test_what_staff_refuse_is_told_by_no_correction_either(called, staff):
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    proposals()[0].cancel(by=staff, now=LATER)
    called.series.announce_dates(now=LATER)
    assert proposals() == []


def test_a_correction_of_another_state_says_nothing_of_it_and_not_that_nothing_has_changed(called, staff):
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    elsewhere = called.call.state_calls.exclude(pk=called.pk).get()
    elsewhere.extend(EARLIER, now=NOW, reason="A holiday.")
    assert [one.kind for one in proposals()] == ["extension", "correction_call"]
    let_go(staff)
    body = body_of(Letter.objects.filter(kind="correction_call").first())
    assert "Türkiye" in body and "Kenya" not in body and "nothing has changed" not in body


def test_the_call_itself_tells_a_date_that_was_put_off_before_it_went(kenya, people, staff):
    kenya.extend(IN_MARCH, now=SET_UP, reason="Floods.")
    assert proposals() == []
    arrive(CALL_DUE)
    assert "Kenya: Sun 29 March 2026" in body_of(Letter.objects.filter(kind="call").first())


def test_drafts_begun_before_the_call_went_are_told(kenya, staff):
    kenya.call.move_deadline(CLOSES_AT, opens_at=SET_UP, now=SET_UP)
    ApplicationFactory(state_call=kenya, complete=False, now=SET_UP, email="draft@example.org")
    kenya.extend(IN_MARCH, now=SET_UP + timedelta(hours=1), reason="Floods.")
    assert let_go(staff, SET_UP + timedelta(hours=2)) == {"extension_draft": ["draft@example.org"]}


# --- The date changes again -------------------------------------------------------------------------------------------


def test_taken_back_before_it_was_let_go_it_is_withdrawn(called, staff):
    ApplicationFactory(state_call=called, complete=False, now=NOW)
    called.extend(IN_MARCH, now=NOW + timedelta(minutes=1), reason="Floods.")
    called.extend(None, now=LATER, reason="A mistake.")
    assert proposals() == []
    assert set(Mailing.objects.filter(kind__startswith="extension").values_list("state", flat=True)) == {"not_needed"}
    assert let_go(staff) == {}


def test_and_proposed_anew_when_there_is_more_time_again(called, staff):
    for closes_at in (IN_MARCH, None, IN_APRIL):
        called.extend(closes_at, now=NOW, reason="Floods.")
    (proposal,) = proposals()
    assert proposal.step == "1"
    let_go(staff)
    assert "Sun 5 April 2026" in body_of(Letter.objects.filter(kind="extension").first())


def test_put_off_twice_before_it_was_let_go_it_is_one_mail_from_what_people_know(called, staff):
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    proposals()[0].resume(by=staff, now=NOW)  # let go, and then the date changes: staff are asked again
    called.extend(IN_APRIL, now=NOW, reason="More floods.")
    assert len(proposals()) == 1
    assert let_go(staff) == {"extension": ["all@example.org", "kenya@example.org"]}
    body = body_of(Letter.objects.filter(kind="extension").first())
    assert "Sun 5 April 2026" in body and "Previously announced: Sun 22 March 2026" in body


def test_put_off_again_after_it_went_it_is_a_second_mail(called, staff):
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    let_go(staff)
    called.extend(IN_APRIL, now=LATER + timedelta(hours=1), reason="More floods.")
    assert [one.step for one in proposals()] == ["2"]
    assert let_go(staff, LATER + timedelta(hours=2)) == {"extension": ["all@example.org", "kenya@example.org"]}
    body = body_of(Letter.objects.filter(kind="extension").last())
    assert "Sun 5 April 2026" in body and "Previously announced: Sun 29 March 2026" in body


def test_refused_and_put_off_further_it_starts_from_what_people_know(called, staff):
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    proposals()[0].cancel(by=staff, now=NOW)
    called.extend(IN_APRIL, now=NOW, reason="More floods.")
    let_go(staff)
    assert "Previously announced: Sun 22 March 2026" in body_of(Letter.objects.filter(kind="extension").first())


def test_refused_and_then_set_between_the_two_it_is_a_correction_of_what_people_know(called, staff):
    called.extend(IN_APRIL, now=NOW, reason="Floods.")
    proposals()[0].cancel(by=staff, now=NOW)
    called.extend(IN_MARCH, now=NOW, reason="Not that long.")
    assert [one.kind for one in proposals()] == ["correction_call"]
    let_go(staff)
    body = body_of(Letter.objects.filter(kind="correction_call").first())
    assert "Sun 29 March 2026" in body and "Previously announced: Sun 22 March 2026" in body


def test_less_time_is_a_correction_as_ever(called, staff):
    called.extend(EARLIER, now=NOW, reason="A holiday.")
    assert [one.kind for one in proposals()] == ["correction_call"]
    assert len(let_go(staff)["correction_call"]) == 3


def test_less_time_after_more_is_a_correction_for_all_who_were_told(called, staff):
    ContactFactory(email="between@example.org", now=NOW - timedelta(days=1), states=[called.state])  # not sent the call
    ApplicationFactory(state_call=called, complete=False, now=NOW, email="draft@example.org")
    called.extend(IN_APRIL, now=NOW + timedelta(minutes=1), reason="Floods.")
    let_go(staff)
    later = LATER + timedelta(hours=1)
    called.extend(IN_MARCH, now=later, reason="The water is gone.")
    assert [one.kind for one in proposals()] == ["correction_call", "correction_draft"]
    told = let_go(staff, later)
    assert told["correction_draft"] == ["draft@example.org"]
    assert {"all@example.org", "kenya@example.org", "between@example.org"} <= set(told["correction_call"])
    body = body_of(Letter.objects.filter(kind="correction_call").first())
    assert "Kenya: Sun 29 March 2026" in body and "Previously announced: Sun 5 April 2026" in body


def test_less_time_while_more_is_only_proposed_is_measured_by_what_people_know(called, staff):
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    called.extend(EARLIER, now=NOW, reason="A mistake.")
    assert [one.kind for one in proposals()] == ["correction_call"]
    let_go(staff)
    assert "Previously announced: Sun 22 March 2026" in body_of(Letter.objects.filter(kind="correction_call").first())


def test_a_meeting_that_is_called_off_is_announced_by_nobody_any_more(called, staff):
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    CountryMeeting.objects.get(pk=called.meeting_id).call_off("too_few", now=NOW, by=staff)
    assert [one.kind for one in proposals()] == ["correction_call"]
    let_go(staff)
    assert "Kenya: this meeting will not be held" in body_of(Letter.objects.filter(kind="correction_call").first())


def test_letters_that_staff_look_at_are_held_when_the_date_changes(called, staff):
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    (proposal,) = proposals()
    proposal.freeze(by=staff, now=NOW)
    schedule.write_due(NOW)
    called.extend(IN_APRIL, now=LATER, reason="More floods.")
    proposal.refresh_from_db()
    assert steering.is_out_of_date(proposal)
    assert proposals() == []  # and no correction tells it meanwhile
    steering.thaw(proposal, by=staff, now=LATER)
    let_go(staff, LATER)
    assert "Sun 5 April 2026" in body_of(Letter.objects.filter(kind="extension").first())


def test_a_deadline_of_the_whole_series_is_a_correction_as_ever(called):
    called.call.move_deadline(IN_MARCH, now=NOW, reason="Floods everywhere.")
    assert [one.kind for one in proposals()] == ["correction_call"]


def test_a_deadline_put_off_into_the_past_tells_nobody(called):
    called.extend(geneva(date(2026, 3, 24)), now=geneva(date(2026, 3, 25)), reason="On paper only.")
    assert proposals() == []


# --- Drafts are reminded by the new date ------------------------------------------------------------------------------


def reminders(state_call):
    found = Mailing.objects.filter(kind="unfinished_draft", meeting=state_call.meeting).order_by("due_at")
    return [(one.step, one.due_at, one.state) for one in found]


def test_reminders_of_drafts_follow_the_new_date(called):
    assert reminders(called) == [
        ("7 days", geneva(date(2026, 3, 15), 9), "planned"),
        ("48 hours", geneva(date(2026, 3, 20), 9), "planned"),
    ]
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    assert reminders(called) == [
        ("7 days", geneva(date(2026, 3, 22), 9), "planned"),
        ("48 hours", geneva(date(2026, 3, 27), 9), "planned"),
    ]


def test_a_draft_reminded_once_is_reminded_once_more_before_the_new_date(called, staff):
    draft = ApplicationFactory(state_call=called, complete=False, now=NOW)
    first = geneva(date(2026, 3, 15), 9)
    arrive(first)
    called.extend(IN_MARCH, now=first + timedelta(hours=1), reason="Floods.")
    let_go(staff, first + timedelta(hours=2))
    arrive(geneva(date(2026, 3, 27), 9))
    kinds = Letter.objects.filter(recipient_id=draft.reference).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["application_link", "unfinished_draft", "extension_draft", "unfinished_draft"]


# --- What staff see ---------------------------------------------------------------------------------------------------


def test_staff_see_before_and_after_to_how_many_and_what_they_read(called, staff, client):
    client.force_login(staff)
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    (proposal,) = proposals()
    page = client.get(f"/admin/mail/mailing/{proposal.pk}/change/").content.decode()
    assert "Kenya has more time: until Sun 29 March 2026, 23:59 Geneva time; before, until Sun 22 March 2026" in page
    assert "Let it go, and it is sent to 2 contacts." in page
    assert "There is more time to apply to speak at the Pre-sessions 54 on this State" in page


def test_the_change_of_a_date_says_what_will_be_proposed(called):
    ApplicationFactory(state_call=called, complete=False, now=NOW)
    with listening() as heard:
        called.extend(IN_MARCH, now=NOW + timedelta(minutes=1), reason="Floods.")
    said = {one.what: (one.before, one.after, one.where) for one in heard}
    assert said["notice of more time, Pre-sessions 54"] == (
        "no mail",
        "proposed to 2 contacts; held until staff let it go",
        "Kenya",
    )
    assert said["notice of more time for drafts, Pre-sessions 54"][1] == (
        "proposed to 1 applicant with a draft; held until staff let it go"
    )


def test_staff_are_asked_before_the_date_changes_and_nothing_is_proposed_until_they_agree(called, staff, client):
    client.force_login(staff)
    typed = {"closes_at_0": "2026-03-29", "closes_at_1": "23:59", "reason": "Floods."}
    with time_machine.travel(NOW, tick=False):
        asked = client.post(f"/admin/applications/statecall/{called.pk}/change/", typed)
        assert asks(asked) and "proposed to 2 contacts; held until staff let it go" in asked.content.decode()
        assert not Mailing.objects.filter(kind="extension").exists()
        assert agree(client, asked).status_code == 302
    assert [one.kind for one in proposals()] == ["extension"]


def test_staff_are_told_at_once_which_mail_now_waits_for_them(called, staff, client):
    client.force_login(staff)
    typed = {"closes_at_0": "2026-03-29", "closes_at_1": "23:59", "reason": "Floods."}
    address = f"/admin/applications/statecall/{called.pk}/change/"
    with time_machine.travel(NOW, tick=False):
        told = client.get(agree(client, client.post(address, typed)).url).content.decode()
        (proposal,) = proposals()
        assert (
            f'Waits for your decision: <a href="/admin/mail/mailing/{proposal.pk}/change/">notice of more time</a>'
            in told
        )
        assert str(proposal) == "notice of more time, Pre-sessions 54, Kenya"
        question = client.post(f"/admin/mail/mailing/{proposal.pk}/change/", {"step": "resume", "reason": "Yes."})
    assert "Let the notice of more time go to 2 contacts?" in question.content.decode()


def test_the_page_of_the_states_call_leads_to_what_was_proposed(called, staff, client):
    client.force_login(staff)
    address = f"/admin/applications/statecall/{called.pk}/change/"
    assert "held until staff let it go" not in client.get(address).content.decode()
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    (proposal,) = proposals()
    page = client.get(address).content.decode()
    assert f"/admin/mail/mailing/{proposal.pk}/change/" in page


def test_the_audience_costs_the_same_queries_however_large(called, staff):
    called.extend(IN_MARCH, now=NOW, reason="Floods.")
    (proposal,) = proposals()

    def cost():
        fresh = Mailing.objects.with_series().select_related("corrects").get(pk=proposal.pk)
        with CaptureQueriesContext(connection) as queries:
            number = len(fresh.people())
        return number, len(queries)

    few = cost()
    for n in range(10):
        ContactFactory(email=f"more{n}@example.org", now=NOW - timedelta(days=1), states=[called.state])
    many = cost()
    assert (many[0] - few[0], many[1]) == (10, few[1])
