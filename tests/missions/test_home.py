"""The home page of staff: where each live series stands, and numbers that lead to exactly the rows they count.

It stands on the highest floor, because it asks every room.
"""

import re
from datetime import date, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.mailings import second_call
from missions.models import MissionTask, PermanentMission, RegisterCheck
from presessions import desk_home
from presessions.mail import registry, schedule
from presessions.mail.models import Letter, Mailing
from presessions.upr.dates import geneva
from presessions.upr.models import Series
from tests.accounts.factories import StaffFactory
from tests.applications.factories import ApplicationFactory, ContactFactory, StateCallFactory
from tests.mail.factories import put
from tests.missions.factories import MissionFactory, invite
from tests.missions.pages import answers
from tests.upr.factories import SessionFactory, StateFactory, StateUnderReviewFactory

pytestmark = pytest.mark.django_db

SET_UP = geneva(date(2026, 1, 5), 10)
CALL_DUE = geneva(date(2026, 2, 4), 9)
OPENS_AT = geneva(date(2026, 2, 2), 9)
CLOSES_AT = geneva(date(2026, 3, 23))
MONDAY = geneva(date(2026, 3, 9), 10)
HOME = "/admin/"
TASK = re.compile(r'<a href="([^"]*)"><strong>(\d+)</strong>')
THIN = re.compile(r'<a href="([^"]*thin=yes[^"]*)">(\d+) States? with too few')


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def staff():
    return StaffFactory()


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def series():
    return set_up(54, ("KE", "PE", "TR"))


def set_up(number, states, starts_on=date(2026, 5, 4)):
    session = SessionFactory(number=number, starts_on=starts_on, ends_on=starts_on + timedelta(days=11))
    for iso2 in states:
        StateUnderReviewFactory(session=session, state=StateFactory(iso2=iso2))
    first = starts_on - timedelta(days=20)
    series = Series.open_for(session, now=SET_UP, first_day=first, last_day=first + timedelta(days=2))
    for meeting in series.meetings():
        meeting.reschedule(now=SET_UP, starts_at=geneva(first, 10))
        StateCallFactory(meeting=meeting, opens_at=OPENS_AT, call_closes_at=CLOSES_AT, now=SET_UP)
    return series


@pytest.fixture
def busy(series, staff):
    """A series in which something of every kind waits."""
    kenya, peru, turkey = series.call.state_calls.with_state().order_by("meeting__state_under_review__state__sort_key")
    ContactFactory(email="all@example.org", now=SET_UP)
    ContactFactory(email="kenya@example.org", now=SET_UP, states=[StateFactory(iso2="KE")])
    ContactFactory(email="brazil@example.org", now=SET_UP, states=[StateFactory(iso2="BR")])
    schedule.write_due(CALL_DUE)
    ApplicationFactory(state_call=kenya, accepted=True, now=OPENS_AT)
    ApplicationFactory(state_call=peru, complete=False, now=OPENS_AT)
    for _ in range(3):
        ApplicationFactory(state_call=turkey, submitted=True, now=OPENS_AT)
    turkey.applications.first().prepare("accept", by=staff, now=OPENS_AT)
    for state, number in {"failed": 1, "bounced": 2, "uncertain": 3}.items():
        for _ in range(number):
            letter = put("django", person={"context": {"subject": "Subject", "body": "Body"}})
            Letter.objects.filter(pk=letter.pk).update(state=state)
    for iso2 in ("KE", "FR", "BR"):
        MissionFactory(iso2=iso2)
    nobody = MissionFactory(iso2="NR", email=None)
    MissionTask.objects.open_for([nobody.pk], series=series, reason="no_address", now=MONDAY)
    kenya = PermanentMission.objects.get(code="KE")
    RegisterCheck.objects.create(mission=kenya, year=2026, status="changes", asked_at=MONDAY, answered_at=MONDAY)
    second_call.look(MONDAY)
    return series


def seen(client):
    page = client.get(HOME)
    assert page.status_code == 200
    return page.content.decode()


# --- Numbers and their rows -------------------------------------------------------------------------------------------


def test_every_number_leads_to_exactly_so_many_rows(busy, client, staff, clock):
    clock.move_to(busy.meetings().first().starts_at - timedelta(days=10))  # a seat unconfirmed, a statement missing
    client.force_login(staff)
    page = seen(client)
    links = [
        (address.replace("&amp;", "&"), int(number)) for address, number in TASK.findall(page) + THIN.findall(page)
    ]
    assert len(links) == 14  # every kind of number that there is
    assert {address: client.get(address).context["cl"].result_count for address, _number in links} == dict(links)


def test_what_waits_is_said_in_words(busy, desk):
    page = seen(desk)
    for words in (
        "<strong>3</strong> applications without an answer",
        "<strong>3</strong> applications that you have not assessed",
        "<strong>3</strong> applications that nobody has read",
        "<strong>1</strong> answer prepared, not yet released",
        "<strong>1</strong> letter could not be delivered",
        "<strong>2</strong> letters came back",
        "<strong>3</strong> letters may or may not have arrived",
        "<strong>1</strong> mission that no mail reaches",
        "<strong>1</strong> mailing held, until somebody lets it go",
        "2 States with too few applications",
        "Second call proposed, to 1 contact: read it and let it go",
    ):
        assert words in page, words


def test_nobody_who_applied_is_named(busy, desk):
    for application in busy.call.state_calls.first().applications.model.objects.all():
        assert application.reference not in seen(desk)
    assert "Rights Now" not in seen(desk) and "@example.org" not in seen(desk)


def test_each_sees_what_their_rights_open(busy, client):
    person = StaffFactory(is_superuser=False)
    person.user_permissions.add(Permission.objects.get(codename="view_series"))
    client.force_login(person)
    page = seen(client)
    assert "Pre-sessions 54" in page
    assert not TASK.findall(page) and not THIN.findall(page) and "Next mail" not in page
    person.user_permissions.add(Permission.objects.get(codename="view_application"))
    assert [number for _address, number in TASK.findall(seen(client))] == ["3"]  # opens no document, assesses nobody


def test_the_pages_on_which_its_work_is_done_are_a_step_away(series, desk):
    ways = [reverse(f"admin:applications_{name}") for name in ("review", "panels", "decisions_index")]
    page = seen(desk)
    report = reverse("admin:upr_series_report", args=[series.pk])
    for address in (*(f"{way}?series={series.pk}" for way in ways), report):
        assert f'<a href="{address}">' in page
        assert desk.get(address, follow=True).status_code == 200


def test_whoever_may_see_nothing_is_told_so(client, series):
    client.force_login(StaffFactory(is_superuser=False))
    page = seen(client)
    assert "Pre-sessions 54" not in page
    assert "permission to view or edit anything" in page


def test_before_there_is_any_series_it_leads_to_setting_one_up(desk):
    assert reverse("admin:upr_series_add") in seen(desk)


def test_a_closed_series_is_gone_from_it(series, desk):
    assert "Pre-sessions 54" in seen(desk)
    Series.objects.update(closed_at=MONDAY)
    assert "Pre-sessions 54" not in seen(desk)


# --- The next mail ----------------------------------------------------------------------------------------------------


def test_the_next_mail_stands_with_its_hour_and_to_how_many(busy, desk):
    page = " ".join(seen(desk).split())
    mailing = Mailing.objects.get(kind="invitation")
    assert (
        f'<span class="when">Tue 17 March 2026, 09:00 Geneva time</span> '
        f'<a href="{reverse("admin:mail_mailing_change", args=[mailing.pk])}">Invitation</a> '
        f'<span class="numbers">to 3 Permanent Missions</span>'
    ) in page
    assert "to 1 applicant with a draft, Peru" in page


def test_the_numbers_are_those_of_the_audiences(busy, clock, client):
    """Each kind of the timetable is counted as its letters are written, before and after missions have answered."""
    told = {line.kind for line in registry.PLANS.values() if line.anchor}
    assert told <= registry.NUMBERS.keys()
    schedule.write_due(geneva(date(2026, 3, 17), 9))
    Letter.objects.filter(kind="invitation").update(state="sent", sent_at=geneva(date(2026, 3, 17), 9))
    invitation, path = invite("KE", series=busy)
    client.post(path, answers(invitation, KE="in_person"))
    for moment in (MONDAY, geneva(date(2026, 4, 10), 9)):
        clock.move_to(moment)
        mailings = list(Mailing.objects.with_series().filter(kind__in=registry.NUMBERS).exclude(state="not_needed"))
        assert len({one.kind for one in mailings}) == len(registry.NUMBERS)
        audiences = {(one.kind, one.pk): len(one.people()) for one in mailings}
        assert {(one.kind, one.pk): registry.NUMBERS[one.kind]([one])[one.pk] for one in mailings} == audiences
        assert {kind for (kind, _pk), number in audiences.items() if number} == set(registry.NUMBERS)


# --- Where a series stands --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "figure", "where"),
    [
        (geneva(date(2026, 1, 30), 12), "3 days until the call opens", "The call opens Mon 2 February 2026"),
        (MONDAY, "13 days until the deadline", "The call is open until Sun 22 March 2026, 23:59 Geneva time."),
        (geneva(date(2026, 3, 22), 23), "Today the last day to apply", "The call is open"),
        (CLOSES_AT, "22 days until the first meeting", "The call is over"),
        (geneva(date(2026, 4, 14), 12), "Today the last meeting", "The meetings are being held."),
        (geneva(date(2026, 4, 30), 12), "4 days until the Working Group", "The meetings are over."),
        (geneva(date(2026, 5, 4), 12), "", "this series can be closed"),
    ],
)
def test_where_we_are(series, staff, moment, figure, where):
    (card,) = desk_home.context(staff, moment)["cards"]
    assert f"{card.figure} {card.until}".strip() == figure
    assert where in card.where


def test_of_several_deadlines_the_nearest_is_counted_down_and_the_last_is_said(series, staff):
    series.call.state_calls.first().extend(CLOSES_AT + timedelta(days=7), now=SET_UP, reason="Floods.")
    (card,) = desk_home.context(staff, MONDAY)["cards"]
    assert (card.figure, card.until) == ("13", "days until the deadline")
    assert "the last until Sun 29 March 2026, 23:59 Geneva time" in card.where


def test_the_line_of_time_is_in_the_order_of_its_days_and_says_what_comes_next(series, staff):
    (card,) = desk_home.context(staff, MONDAY)["cards"]
    assert [(point.label, point.words, point.state) for point in card.points] == [
        ("Call opens", "2 Feb", "past"),
        ("Missions invited", "17 Mar", "next"),
        ("Deadline", "22 Mar", "ahead"),
        ("Meetings", "14 Apr", "ahead"),
        ("Working Group", "4 May", "ahead"),
    ]


@pytest.mark.parametrize(
    ("moment", "states"),
    [
        (MONDAY, ["past", "next", "ahead", "ahead", "ahead"]),
        (geneva(date(2026, 3, 20), 12), ["past", "next", "past", "ahead", "ahead"]),  # the first is over, not the last
        (geneva(date(2026, 4, 2), 12), ["past", "past", "past", "next", "ahead"]),
    ],
)
def test_several_deadlines_stand_where_the_first_is_and_are_past_with_the_last(series, staff, moment, states):
    series.call.move_deadline(geneva(date(2026, 3, 16)), now=SET_UP)
    series.call.state_calls.first().extend(geneva(date(2026, 3, 30)), now=SET_UP, reason="Floods.")
    (card,) = desk_home.context(staff, moment)["cards"]
    labels = ["Call opens", "Deadline", "Missions invited", "Meetings", "Working Group"]
    assert [point.label for point in card.points] == labels
    assert card.points[1].words == "15 Mar – 29 Mar"
    assert [point.state for point in card.points] == states


def test_what_has_no_date_yet_says_so(staff):
    session = SessionFactory(number=55, starts_on=None, ends_on=None, month_label="January 2028")
    Series.open_for(session, now=SET_UP)
    (card,) = desk_home.context(staff, MONDAY)["cards"]
    assert card.where == "The call has no dates yet."
    assert {point.words for point in card.points} == {"no date yet", "January 2028"}


# --- What it costs ----------------------------------------------------------------------------------------------------


def test_it_costs_the_same_for_one_series_and_for_six_for_few_applications_and_for_many(busy, staff):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            desk_home.context(staff, MONDAY)
        return len(queries)

    few = cost()
    for number in range(55, 60):
        other = set_up(number, ("BR", "FR"), starts_on=date(2026, 5, 4))
        state_call = other.call.state_calls.with_state().first()
        ApplicationFactory(state_call=state_call, submitted=True, now=OPENS_AT)
    assert len(desk_home.context(staff, MONDAY)["cards"]) == 6
    assert cost() == few
