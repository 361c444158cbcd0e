"""The invitation and the briefing: to every mission that can be written to, in the same words, naming no applicant."""

import itertools
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from applications.models import Application
from missions.models import Invitation
from presessions.mail import outbox, registry, schedule
from presessions.mail.models import Letter, Mailing, PersonalLink
from presessions.mail.registry import KINDS, plan_of
from presessions.upr.dates import geneva
from presessions.upr.models import Series
from tests.applications.factories import ApplicationFactory, StateCallFactory
from tests.mail.letters import body_of, message_of
from tests.missions.factories import AddressFactory, MissionFactory, invite
from tests.missions.pages import answers, dump
from tests.upr.factories import CODES, SessionFactory, StateFactory, StateUnderReviewFactory

pytestmark = pytest.mark.django_db
SET_UP = datetime(2026, 1, 5, 9, tzinfo=UTC)
DUE = geneva(date(2026, 3, 17), 9)  # 28 days before 14 April; "1 month before 4 May" would be 4 April


@pytest.fixture
def series():
    session = SessionFactory()
    for iso2 in ("KE", "PE"):
        StateUnderReviewFactory(session=session, state=StateFactory(iso2=iso2))
    series = Series.open_for(
        session, now=SET_UP, first_day=date(2026, 4, 14), last_day=date(2026, 4, 16), venue="Palais des Nations"
    )
    kenya = series.meetings().get(state_under_review__state="KE")
    kenya.reschedule(now=SET_UP, starts_at=geneva(date(2026, 4, 14), 10), room="Room XXI")
    return series


@pytest.fixture
def missions():
    return [MissionFactory(iso2=iso2) for iso2 in ("KE", "BR", "FR")]


def write(kind="invitation", now=DUE):
    schedule.write_due(now)
    return {letter.recipient_id: letter for letter in Letter.objects.filter(kind=kind)}


def briefing_of(series):
    return series.mailings.get(kind="briefing")


# --- When ------------------------------------------------------------------------------------------------------------


def test_a_new_series_plans_the_invitation_28_days_before_the_first_meeting_and_the_briefing_a_month_before_the_review(
    series,
):
    due = dict(series.mailings.filter(kind__in=("invitation", "briefing")).values_list("kind", "due_at"))
    assert due == {"invitation": DUE, "briefing": geneva(date(2026, 4, 4), 9)}


def test_no_briefing_where_the_invitation_itself_goes_out_then_or_later(series):
    series.reschedule(now=SET_UP, first_day=date(2026, 5, 2), last_day=date(2026, 5, 3))
    series.meetings().get(state_under_review__state="KE").reschedule(now=SET_UP, starts_at=None)
    assert briefing_of(series).state == Mailing.State.NOT_NEEDED


# --- To whom ---------------------------------------------------------------------------------------------------------


def test_every_mission_with_a_valid_address_is_written_to_the_state_under_reviews_included(series, missions):
    MissionFactory(iso2="DE", email=None)
    AddressFactory(mission=MissionFactory(iso2="IT", email=None), bounced_at=SET_UP)
    assert set(write()) == {str(mission.pk) for mission in missions}


def test_the_letter_goes_to_the_first_valid_address(series):
    mission = MissionFactory(iso2="KE", email=None)
    AddressFactory(mission=mission, position=1, email="old@mission.example.org", valid_until=date(2026, 3, 16))
    AddressFactory(mission=mission, position=3, email="third@mission.example.org")
    AddressFactory(mission=mission, position=2, email="second@mission.example.org")
    assert write()[str(mission.pk)].to == "second@mission.example.org"


def test_one_invitation_stands_for_one_mission_and_series_however_often_it_is_written(series, missions):
    write()
    series.mailings.filter(kind="invitation").update(state=Mailing.State.WRITING)  # a writer was killed
    write(now=DUE + timedelta(minutes=1))
    write("briefing", now=geneva(date(2026, 4, 4), 9))
    assert Invitation.objects.count() == 3
    assert PersonalLink.objects.filter(purpose="invitation").count() == 6
    assert PersonalLink.objects.values("target_id").distinct().count() == 3


def test_counting_and_previewing_write_nothing(series, missions):
    mailing = series.mailings.get(kind="invitation")
    before = dump()
    people = list(plan_of(mailing).recipients(mailing))
    text = outbox.preview("invitation", people[0], mailing=mailing)
    assert len(people) == 3
    assert "Excellency" in text.body
    assert dump() == before


def test_a_mission_that_joins_later_is_caught_up_with(series, missions, staff):
    write()
    late = MissionFactory(iso2="CL")
    mailing = series.mailings.get(kind="invitation")
    assert [person.id for person in schedule.missing(mailing)] == [str(late.pk)]
    schedule.catch_up(mailing, DUE + timedelta(days=1), by=staff)
    assert Letter.objects.filter(kind="invitation").count() == 4
    assert Invitation.objects.get(mission=late).created_at == DUE + timedelta(days=1)


def test_a_letter_is_still_wanted_when_its_address_was_struck_out_but_not_there(series, missions):
    letter = write()[str(missions[0].pk)]
    mission = registry.recipient_kind("mission")
    assert mission.still_wanted(letter) and mission.has_address(letter)
    missions[0].addresses.all().delete()
    assert mission.still_wanted(letter) and not mission.has_address(letter)


def test_the_audience_costs_the_same_for_3_and_for_30_missions(series, missions, django_assert_num_queries):
    mailing = Mailing.objects.with_series().get(series=series, kind="invitation")
    with django_assert_num_queries(4):
        list(plan_of(mailing).recipients(mailing))
    for iso2 in CODES[40:67]:
        MissionFactory(iso2=iso2)
    with django_assert_num_queries(4):
        list(plan_of(mailing).recipients(mailing))


# --- What it says ----------------------------------------------------------------------------------------------------


def test_the_invitation_is_complete_in_itself(series, missions):
    text = body_of(write()[str(missions[1].pk)])
    for words in (
        "Brazil – Permanent Mission in Geneva",
        "Excellency,",
        "Kenya",
        "Tue 14 April 2026, 10:00 Geneva time – Room XXI, Palais des Nations",
        "Peru",
        "day and time to be confirmed",
        "The Working Group begins on Mon 4 May 2026.",
        "http://",
        "highest consideration",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("format", "link", "asked"),
    [
        ("in_person", "", "whether it will attend:"),
        ("in_person", "https://meet.example.org/54", "whether it will attend, in person or online:"),
        ("hybrid", "", "whether it will attend, in person or online:"),
        ("virtual", "https://meet.example.org/54", "whether it will attend:"),
    ],
)
def test_it_asks_for_what_the_page_offers(series, missions, format, link, asked):
    series.reschedule(now=SET_UP, format=format)
    series.meetings().first().reschedule(now=SET_UP, online_link=link)
    invitation = body_of(write()[str(missions[1].pk)])
    Letter.objects.update(state="sent", sent_at=DUE)
    reminder = body_of(write("reminder", geneva(date(2026, 4, 7), 9))[str(missions[1].pk)])
    assert [asked in " ".join(text.split()) for text in (invitation, reminder)] == [True, True]


def test_its_subject_is_neutral(series, missions):
    assert message_of(write()[str(missions[0].pk)])["Subject"] == "Invitation to the Pre-sessions 54 of UPR Info"


def test_the_state_under_review_reads_one_courteous_line_more_and_nothing_else(series, missions):
    letters = write()
    own, other = (body_of(letters[str(mission.pk)]).split("\n\n") for mission in missions[:2])
    more = [part for part in own if part not in other]
    assert len(more) == 3  # who is addressed, the line, and the link
    assert "One of these meetings concerns your own State (Kenya)." in more[1]


def test_the_form_of_address_that_staff_wrote_is_used(series):
    mission = MissionFactory(iso2="KE", address_form_en="Madam Ambassador,")
    text = body_of(write()[str(mission.pk)])
    assert "Madam Ambassador," in text
    assert "\nExcellency," not in text


def test_an_observer_is_addressed_by_its_own_name(series):
    mission = MissionFactory(observer="VA", name_en="Holy See", language="en")
    assert body_of(write()[str(mission.pk)]).startswith("Holy See, Geneva")


def test_each_mission_is_written_to_in_its_language(series):
    mission = MissionFactory(iso2="DE", language="fr")
    letter = write()[str(mission.pk)]
    assert letter.language == "fr"
    assert "Allemagne" in body_of(letter)
    assert "/fr/invitation/" in link_in_text(letter)


def test_the_link_in_the_letter_opens_the_page(client, series, missions):
    link = link_in_text(write()[str(missions[0].pk)])
    with time_machine.travel(DUE, tick=False):
        assert client.get("/" + link.split("/", 3)[3]).status_code == 200


def link_in_text(letter):
    return re.search(r"http\S+/invitation/\S+", body_of(letter)).group()


def test_the_briefing_shows_the_agenda_while_meetings_lie_ahead(series, missions):
    text = body_of(write("briefing", now=geneva(date(2026, 4, 4), 9))[str(missions[0].pk)])
    assert "The following Pre-sessions are still to come" in text
    assert "Room XXI" in text
    assert "have been held" not in text
    assert "/pack/" not in text


def test_the_briefing_says_what_was_held_once_meetings_are_over(series, missions, staff):
    briefing = briefing_of(series)
    briefing.move_to(geneva(date(2026, 4, 14), 12), by=staff, now=SET_UP)
    text = body_of(write("briefing", now=geneva(date(2026, 4, 14), 12))[str(missions[0].pk)])
    assert "These Pre-sessions have been held:\n\n- Kenya" in text
    assert re.search(r"can be read and downloaded here:\n\nhttp\S+/en/54/pack/\n", text)
    ahead = "The following Pre-sessions are still to come. Every Permanent Mission is welcome at every one of them:"
    assert f"{ahead}\n\n- Peru" in text


def test_kinds_of_this_room_open_an_invitation():
    assert {KINDS[kind].link for kind in ("invitation", "briefing", "reply_confirmed")} == {"invitation"}


# --- The State under Review learns nothing (R4) ----------------------------------------------------------------------


def test_nothing_an_applicant_wrote_stands_in_any_letter_or_page_of_a_mission(series, missions):
    kenya = series.meetings().with_state().get(state_under_review__state="KE")
    state_call = StateCallFactory(meeting=kenya, now=SET_UP)
    for outcome in ("submitted", "accepted", "declined"):
        ApplicationFactory(state_call=state_call, **{outcome: True})
    secrets = canaries(Application.objects.all())
    assert len(secrets) > 10
    letters = [*write().values(), *write("briefing", now=geneva(date(2026, 4, 4), 9)).values()]
    assert len(letters) == 6
    with time_machine.travel(DUE, tick=False):
        invitation, path = invite(missions[0], series=series)
        Client().post(path, answers(invitation, KE="in_person"))
        page = Client().get(path).content.decode() + Client().get(f"{path}KE.ics").content.decode()
    texts = [page, *(body_of(letter) for letter in Letter.objects.filter(recipient_kind="mission"))]
    assert [secret for secret, text in itertools.product(secrets, texts) if secret in text] == []


def canaries(applications):
    """Every text of six letters or more that the applications and what hangs on them hold."""
    rows = [*applications]
    for application in applications:
        for relation in application._meta.related_objects:
            found = getattr(application, relation.get_accessor_name(), None)
            rows += found.all() if hasattr(found, "all") else [found] if found else []
    values = {getattr(row, field.attname) for row in rows for field in row._meta.concrete_fields if not field.choices}
    return {value for value in values if isinstance(value, str) and len(value) >= 6}
