"""The agenda: versions that touch exactly those they change something for, and names only of those who agreed."""

from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from lxml import html

from applications import agenda, panel, public_agenda, seat
from applications.erasure import erase
from applications.mailings.speakers import statement_due
from applications.models import Agenda, Application
from applications.panel import Composition
from presessions.mail.models import Letter, Mailing
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import GENEVA
from presessions.upr.models import CountryMeeting
from tests.accounts.factories import StaffFactory
from tests.applications.factories import MONDAY, ApplicationFactory, StateCallFactory
from tests.applications.test_panel import NHRI
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 4, 8, 10, 0, tzinfo=GENEVA)
LATER = MONDAY + timedelta(hours=3)


@pytest.fixture
def state_call():
    return StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2="KE"), starts_at=TEN, room="XXII"))


@pytest.fixture
def meeting(state_call):
    return CountryMeeting.objects.with_state().get(pk=state_call.meeting_id)


@pytest.fixture
def ada():
    return StaffFactory(name="Ada Keller")


def seated(state_call, **facts):
    return ApplicationFactory(state_call=state_call, confirmed=True, **facts)


def compose(meeting, ada, *speakers, minutes=6, **facts):
    new = Composition(tuple((one.reference, minutes) for one in speakers), **facts)
    return panel.save(meeting, panel.of(meeting).version, new, by=ada, now=MONDAY)


def publish(meeting, ada, now=MONDAY):
    return agenda.publish(meeting, by=ada, now=now, seen_version=panel.of(meeting).version)


def told():
    return set(Letter.objects.filter(kind="agenda").values_list("recipient_id", "key"))


def shown(meeting):
    """What stands on the public page: (time, words)."""
    found = agenda.newest(meeting)
    return [
        (f"{one.line.at.astimezone(GENEVA):%H:%M}", one.title, one.person)
        for one in public_agenda.shown(meeting, found.content)
    ]


def publish_own(application, *items):
    seat.publish_again(application, set(items), now=LATER)


# --- Publishing ------------------------------------------------------------------------------------------------------


def test_the_first_version_tells_each_speaker_the_own_hour_and_minutes(meeting, state_call, ada):
    one, two = seated(state_call), seated(state_call)
    compose(meeting, ada, one, two, floor_minutes=2)
    published, count = publish(meeting, ada)
    assert (published.number, count) == (1, 2)
    letter = Letter.objects.get(kind="agenda", recipient_id=two.reference)
    assert letter.subject == "The agenda of your meeting"
    assert "You speak: Wed 8 April 2026, 10:11 Geneva time\nTime to speak: up to 6 minutes\nWhere: XXII" in letter.kept
    assert one.reference not in letter.kept
    assert Event.objects.filter(code="agenda_published", reference=meeting.reference, refused=False).exists()


def test_what_is_kept_names_nobody(meeting, state_call, ada):
    compose(meeting, ada, seated(state_call, organisation_name="Rights Now", full_name="Amina Canary"))
    publish(meeting, ada)
    kept = str(Agenda.objects.get().content)
    assert "Rights" not in kept
    assert "Amina" not in kept


def test_a_new_version_touches_exactly_those_who_speak_at_another_time_or_longer(meeting, state_call, ada):
    one, two, three = (seated(state_call) for _ in range(3))
    compose(meeting, ada, one, two, three)
    publish(meeting, ada)
    before = told()
    compose(meeting, ada, one, three, two)
    published, count = publish(meeting, ada)
    assert (published.number, count) == (2, 2)
    assert {reference for reference, _key in told() - before} == {two.reference, three.reference}
    letter = Letter.objects.get(key=f"agenda:{two.reference}:{published.pk}")
    assert letter.subject == "The agenda of your meeting has changed"


def test_a_longer_last_speaker_touches_only_that_one(meeting, state_call, ada):
    one, two = seated(state_call), seated(state_call)
    compose(meeting, ada, one, two)
    publish(meeting, ada)
    new = Composition(((one.reference, 6), (two.reference, 7)))
    panel.save(meeting, 1, new, by=ada, now=MONDAY)
    assert publish(meeting, ada)[1] == 1
    assert sorted(reference for reference, _key in told()) == sorted([one.reference, two.reference, two.reference])


def test_another_start_or_room_touches_everybody(meeting, state_call, ada):
    compose(meeting, ada, seated(state_call), seated(state_call))
    publish(meeting, ada)
    meeting.reschedule(now=MONDAY, by=ada, room="XXIV")
    assert publish(meeting, ada)[1] == 2


def test_nothing_new_is_no_new_version(meeting, state_call, ada):
    compose(meeting, ada, seated(state_call))
    publish(meeting, ada)
    with pytest.raises(WrongStep, match="Nothing has changed since version 1"):
        publish(meeting, ada)
    assert Event.objects.filter(code="agenda_published", refused=True).count() == 1


def test_a_panel_that_somebody_changed_meanwhile_is_not_published_unseen(meeting, state_call, ada):
    one = seated(state_call)
    compose(meeting, ada, one)
    compose(meeting, ada, one, minutes=7)
    with pytest.raises(WrongStep, match="changed since you looked"):
        agenda.publish(meeting, by=ada, now=MONDAY, seen_version=1)
    assert not Agenda.objects.exists()


def nobody(meeting, state_call, ada):
    compose(meeting, ada)


def without_an_answer(meeting, state_call, ada):
    compose(meeting, ada, ApplicationFactory(state_call=state_call, submitted=True))


def without_an_accepted_one(meeting, state_call, ada):
    seated(state_call)
    compose(meeting, ada, seated(state_call))


def called_off(meeting, state_call, ada):
    compose(meeting, ada, seated(state_call))
    meeting.call_off(CountryMeeting.NotHeld.POSTPONED, now=MONDAY, by=ada)


def without_an_hour(meeting, state_call, ada):
    compose(meeting, ada, seated(state_call))
    meeting.reschedule(now=MONDAY, by=ada, starts_at=None)


def shortened(meeting, state_call, ada):
    compose(meeting, ada, seated(state_call), seated(state_call))
    meeting.reschedule(now=MONDAY, by=ada, minutes=14)


@pytest.mark.parametrize(("story", "words"), [
    (nobody, "Nobody is on the panel"),
    (without_an_answer, "1 person on this panel has not been told"),
    (without_an_accepted_one, "1 accepted speaker is not on this panel"),
    (called_off, "already not held"),
    (without_an_hour, "Set the start"),
    (shortened, "longer than the meeting"),
])  # fmt: skip
def test_an_agenda_that_would_mislead_is_not_published(meeting, state_call, ada, story, words):
    story(meeting, state_call, ada)
    with pytest.raises(WrongStep, match=words):
        publish(meeting, ada)
    assert not Agenda.objects.exists()


def test_the_letter_can_be_sent_again_with_what_counts_now(meeting, state_call, ada):
    one = seated(state_call)
    compose(meeting, ada, one)
    publish(meeting, ada)
    compose(meeting, ada, one, minutes=7)
    publish(meeting, ada)
    assert agenda.recipient(Application.objects.with_state().get(pk=one.pk)).context["minutes"] == 7
    erase(one, now=LATER)
    assert told() == {(one.reference, key) for _reference, key in told()}


# --- What everybody reads --------------------------------------------------------------------------------------------


def test_until_they_agree_speakers_are_of_a_kind_and_nobody(meeting, state_call, ada):
    people = [
        seated(state_call, organisation_name="The Commission", **NHRI),
        seated(state_call, organisation_name="Rights Now", consents=("name", "organisation")),
        seated(state_call, scope="international"),
    ]
    compose(meeting, ada, *people, floor_minutes=2)
    publish(meeting, ada)
    assert shown(meeting) == [
        ("10:00", "Opening by the moderator", ""),
        ("10:03", "The State under Review", ""),
        ("10:05", "A national human rights institution", ""),
        ("10:11", "A national CSO", ""),
        ("10:17", "An international CSO", ""),
        ("10:23", "Questions and answers", ""),
    ]


@pytest.mark.parametrize(("items", "words"), [
    (["organisation"], ("Rights Now", "")),
    (["name"], ("A national CSO", "Amina Canary")),
    (["name", "organisation"], ("Rights Now", "Amina Canary")),
    (["statement", "photo"], ("A national CSO", "")),
])  # fmt: skip
def test_exactly_what_was_agreed_to_is_named(meeting, state_call, ada, items, words):
    one = seated(state_call)
    compose(meeting, ada, one)
    publish(meeting, ada)
    publish_own(one, *items)
    assert shown(meeting)[1][1:] == words


def test_leave_taken_back_takes_the_name_off_at_once(meeting, state_call, ada):
    one = seated(state_call)
    compose(meeting, ada, one)
    publish(meeting, ada)
    publish_own(one, "name", "organisation")
    publish_own(one)
    assert shown(meeting)[1][1:] == ("A national CSO", "")


def test_whoever_is_at_risk_is_never_named(meeting, state_call, ada):
    one = seated(state_call)
    compose(meeting, ada, one)
    publish(meeting, ada)
    publish_own(one, "name", "organisation")
    Application.objects.filter(pk=one.pk).update(at_risk=True)
    assert shown(meeting)[1][1:] == ("A national CSO", "")


@pytest.mark.parametrize("leave", [seat.give_up, Application.withdraw, erase])
def test_of_somebody_who_has_left_not_even_the_kind_is_said(meeting, state_call, ada, leave):
    one = seated(state_call, **NHRI)
    compose(meeting, ada, one)
    publish(meeting, ada)
    leave(one, now=LATER)
    assert shown(meeting)[1][1:] == ("A speaker to be announced", "")


def test_the_public_page_has_the_agenda_on_the_clock_of_the_meeting(client, meeting, state_call, ada):
    one = seated(state_call)
    compose(meeting, ada, one)
    publish(meeting, ada)
    publish_own(one, "organisation")
    meeting.reschedule(now=MONDAY, by=ada, starts_at=TEN + timedelta(hours=4))
    page = html.fromstring(client.get(reverse("applications:meeting", args=[54, "KE"])).content)
    rows = page.xpath("//h2[@id='agenda']/following-sibling::dl[1]/div")
    assert [" ".join(row.text_content().split()) for row in rows] == [
        "14:00 Opening by the moderator 3 minutes",
        "14:03 Rights Now 6 minutes",
        "14:09 Questions and answers 51 minutes",
    ]
    assert one.reference not in page.text_content()


@pytest.mark.parametrize("story", ["draft", "called off"])
def test_a_draft_and_a_meeting_called_off_show_no_agenda(client, meeting, state_call, ada, story):
    compose(meeting, ada, seated(state_call))
    if story == "called off":
        publish(meeting, ada)
        meeting.call_off(CountryMeeting.NotHeld.POSTPONED, now=MONDAY, by=ada)
    assert b"Opening by the moderator" not in client.get(reverse("applications:meeting", args=[54, "KE"])).content


def test_the_public_page_costs_the_same_for_one_speaker_and_for_five(
    client, meeting, state_call, ada, django_assert_num_queries
):
    people = [seated(state_call) for _ in range(5)]
    for version, speakers in enumerate((people[:1], people), start=1):
        compose(meeting, ada, *speakers)
        content = agenda.draft(meeting)
        Agenda.objects.create(meeting=meeting, number=version, content=content, published_at=MONDAY)
        with django_assert_num_queries(5):
            client.get(reverse("applications:meeting", args=[54, "KE"]))


# --- What speakers are told elsewhere --------------------------------------------------------------------------------


def test_the_minutes_of_a_speaker_are_those_published_and_not_those_composed(meeting, state_call, ada):
    one, two = seated(state_call), seated(state_call)
    compose(meeting, ada, one, two, minutes=5)
    assert agenda.minutes_of(one) == 7
    publish(meeting, ada)
    assert agenda.minutes_of(one) == 5
    mailing = Mailing.objects.get(kind="statement_due", meeting=meeting)
    assert {recipient.context["minutes"] for recipient in statement_due(mailing)} == {5}


# --- Differences -----------------------------------------------------------------------------------------------------


def test_the_differences_of_two_versions_are_said_in_words(meeting, state_call, ada):
    one, two, three = (seated(state_call) for _ in range(3))
    compose(meeting, ada, one, two, three, minutes=5)
    before = agenda.draft(meeting)
    panel.save(
        meeting, 1, Composition(((two.reference, 5), (one.reference, 6)), floor_minutes=2), by=ada, now=MONDAY
    )  # fmt: skip
    meeting.reschedule(now=MONDAY, by=ada, starts_at=TEN + timedelta(minutes=30), room="XXIV")
    names = {one.reference: "One", two.reference: "Two", three.reference: "Three"}
    assert list(agenda.differences(before, agenda.draft(meeting), names.get)) == [
        "Starts Wed 8 April 2026, 10:30 Geneva time instead of Wed 8 April 2026, 10:00 Geneva time.",
        "Takes place in XXIV instead of XXII.",
        "Two is number 1 on the panel instead of 2.",
        "One is number 2 on the panel instead of 1.",
        "Three has no place any more.",
        "One: 6 minutes instead of 5.",
        "The State under Review has 2 minutes instead of 0.",
    ]
