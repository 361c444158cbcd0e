"""A series set up whole from its Working Group session: proposed, looked at, written in one go or not at all."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from django.urls import reverse

from applications.models import Call
from missions import setting_up
from presessions.mail.models import Mailing, SeriesText
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import GENEVA, geneva
from presessions.upr.models import CountryMeeting, Series
from presessions.upr.rules import overlaps, propose_hours, working_days
from tests.accounts.factories import StaffFactory
from tests.missions.factories import MissionFactory
from tests.upr.factories import SessionFactory, StateFactory, StateUnderReviewFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 12, 10, tzinfo=UTC)
TUESDAY, FRIDAY = date(2026, 3, 31), date(2026, 4, 3)  # 34 days before Monday 4 May 2026, and the Friday after
STATES = ("KE", "PE", "FR", "SN", "TR")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def desk(client):
    client.force_login(StaffFactory())
    return client


@pytest.fixture
def session():
    session = SessionFactory()
    for order, iso2 in enumerate(STATES, start=1):
        StateUnderReviewFactory(session=session, state=StateFactory(iso2=iso2), review_order=order)
    return session


@pytest.fixture
def earlier():
    """Pre-sessions 53 as staff had them: at 9:00 and 10:30, in two rooms, with a text and a rule of its own."""
    session = SessionFactory(number=53, starts_on=date(2025, 11, 3), ends_on=date(2025, 11, 14))
    for iso2 in ("BE", "BF", "BI"):
        StateUnderReviewFactory(session=session, state=StateFactory(iso2=iso2))
    days = {"first_day": date(2025, 10, 1), "last_day": date(2025, 10, 3)}  # 33 days before, for three days
    facts = {"venue": "Centre international", "format": "hybrid", "reply_to": "us@example.org"}
    long_ago = datetime(2025, 6, 1, tzinfo=UTC)
    series = Series.open_for(session, now=long_ago, **days, **facts)
    starts = [geneva(date(2025, 10, 1), 9), geneva(date(2025, 10, 1), 10, 30), geneva(date(2025, 10, 2), 9)]
    for meeting, starts_at, room in zip(series.meetings(), starts, ("Salle 1", "Salle 2", "Salle 1"), strict=True):
        meeting.reschedule(now=long_ago, starts_at=starts_at, room=room, minutes=45)
    opens_at, closes_at = geneva(date(2025, 7, 15), 12), geneva(date(2025, 8, 27))
    facts = {"minimum": 2, "statement_lead_days": 10, "confirm_days": 7}
    Call.open_for(series, opens_at=opens_at, closes_at=closes_at, now=long_ago, **facts)
    Mailing.objects.get(series=series, kind="reminder").change_rule(by=None, now=long_ago, days=10)
    text = {"subject": "A call", "body": "Come and speak."}
    SeriesText.objects.create(series=series, kind="call", language="en", changed_at=long_ago, **text)
    return series


def plan_page(number=54):
    return reverse("admin:upr_series_set_up_plan", args=[number])


def as_proposed(page, **typed):
    """What a browser would post from the page of a plan, with what is typed over it."""
    form = page.context["form"]
    fields = [*form, *(bound for line in form.lines for bound in line)]
    values = {bound.html_name: bound.value() for bound in fields}
    values |= {name: f"{value:%Y-%m-%dT%H:%M}" for name, value in values.items() if isinstance(value, datetime)}
    values |= {"like": page.context["like"].number if page.context["like"] else ""}
    return {name: value for name, value in values.items() if value not in (None, False)} | typed


def name(session, iso2, field):
    return f"state-{session.states_under_review.get(state=iso2).pk}-{field}"


# --- Hours ------------------------------------------------------------------------------------------------------------

TEN, NOON, TWO = time(10), time(12), time(14)


def test_hours_follow_one_another_spread_evenly_over_the_days():
    hours = propose_hours([FRIDAY, TUESDAY], [NOON, TEN, TWO], 5, minutes=60)
    assert hours == [(TUESDAY, TEN), (TUESDAY, NOON), (TUESDAY, TWO), (FRIDAY, TEN), (FRIDAY, NOON)]


@pytest.mark.parametrize(("meetings", "proposed"), [(0, 0), (1, 1), (6, 6), (7, 6)])
def test_no_more_hours_than_the_days_hold(meetings, proposed):
    assert len(propose_hours([TUESDAY, FRIDAY], [TEN, NOON, TWO], meetings, minutes=60)) == proposed


@pytest.mark.parametrize(("days", "times"), [([], [TEN]), ([TUESDAY], [])])
def test_without_days_or_times_there_is_nothing_to_propose(days, times):
    assert propose_hours(days, times, 3, minutes=60) == []


def test_times_that_overlap_are_refused():
    propose_hours([TUESDAY], [TEN, time(11)], 2, minutes=60)
    with pytest.raises(ValueError, match="10:00 and 10:59 are less than 60 minutes apart"):
        propose_hours([TUESDAY], [TEN, time(10, 59)], 2, minutes=60)


def test_nobody_meets_on_a_weekend():
    assert working_days(FRIDAY, FRIDAY + timedelta(days=3)) == [FRIDAY, FRIDAY + timedelta(days=3)]
    assert working_days(None, FRIDAY) == []


# --- What is proposed -------------------------------------------------------------------------------------------------


def test_the_dates_of_the_session_propose_the_rest(session):
    proposal = setting_up.proposal(session, None, NOW)
    values = proposal.values
    assert (values["first_day"], values["last_day"]) == (TUESDAY, FRIDAY)
    assert values["opens_at"] == geneva(date(2026, 2, 4), 9)  # three months before the Working Group
    assert values["closes_at"] == geneva(date(2026, 3, 5))  # until 23:59 of 4 March, four weeks later
    assert [hour.review.state.pk for hour in proposal.hours] == list(STATES)  # in the order of their reviews
    starts = [hour.starts_at.astimezone(GENEVA) for hour in proposal.hours]
    assert [f"{at:%d %H:%M}" for at in starts] == ["31 10:00", "31 11:30", "01 10:00", "02 10:00", "03 10:00"]


def test_the_last_series_is_copied(session, earlier):
    values = setting_up.proposal(session, earlier, NOW).values
    assert (values["venue"], values["format"], values["reply_to"]) == (
        "Centre international",
        "hybrid",
        "us@example.org",
    )
    assert (values["times"], values["rooms"], values["minutes"]) == ("09:00, 10:30", "Salle 1, Salle 2", 45)
    assert (values["first_day"], values["last_day"]) == (date(2026, 4, 1), FRIDAY)  # 33 days before, for three
    assert (values["minimum"], values["statement_lead_days"], values["confirm_days"]) == (2, 10, 7)
    assert values["opens_at"] == geneva(date(2026, 1, 13), 12)  # 111 days before, as then; not tomorrow's yesterday
    assert values["closes_at"] == geneva(date(2026, 2, 25))  # 36 days before the first day, as then


def test_what_would_be_past_already_is_proposed_for_tomorrow(session):
    late = datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert setting_up.proposal(session, None, late).values["opens_at"] == geneva(date(2026, 3, 2), 9)


def test_where_the_session_has_no_dates_nothing_is_made_up(session):
    session.reschedule(now=NOW, starts_on=None, ends_on=None, month_label="May 2026")
    proposal = setting_up.proposal(session, None, NOW)
    assert [proposal.values[name] for name in ("first_day", "last_day", "opens_at", "closes_at")] == [None] * 4
    assert [hour.starts_at for hour in proposal.hours] == [None] * 5


def test_the_sources_outrank_the_habit(session):
    session.reschedule(now=NOW, presessions_start_on=date(2026, 3, 24), presessions_end_on=date(2026, 3, 26))
    values = setting_up.proposal(session, None, NOW).values
    assert (values["first_day"], values["last_day"]) == (date(2026, 3, 24), date(2026, 3, 26))


# --- By the pages -----------------------------------------------------------------------------------------------------


def test_the_next_session_is_a_click_away(desk, session):
    page = desk.get(reverse("admin:upr_series_set_up"))
    assert [row[0] for row in page.context["rows"]] == [session]
    assert plan_page() in page.content.decode()


def test_agreeing_to_everything_sets_it_up_in_two_clicks(desk, session):
    MissionFactory(iso2="KE")
    typed = as_proposed(desk.get(plan_page()), venue="Palais des Nations", rooms="Room XX")
    look = desk.post(plan_page(), typed | {"look": "1"})
    assert not Series.objects.exists()
    assert not Event.objects.exists()
    words = look.content.decode()
    assert "at the latest 28 days before the first meeting" in words  # which part decided the invitation's date
    assert "to 1 Permanent Mission" in words
    assert "Wed 4 March 2026, 23:59 Geneva time" in words
    done = desk.post(plan_page(), typed | {"do": look.context["seen"].mark})
    series = Series.objects.get()
    assert done.url == reverse("admin:upr_series_change", args=[series.pk])
    assert (series.venue, series.first_day, series.last_day) == ("Palais des Nations", TUESDAY, FRIDAY)
    meetings = list(series.meetings().with_state())
    assert [meeting.state.pk for meeting in meetings] == list(STATES)
    assert overlaps(meetings) == []
    assert series.call.state_calls.count() == 5
    invitation = Mailing.objects.get(series=series, kind="invitation")
    assert invitation.due_at == geneva(date(2026, 3, 3), 9)


def test_hours_are_proposed_anew_by_what_was_typed(desk, session):
    page = desk.get(plan_page())
    off = name(session, "PE", "off")
    typed = as_proposed(page, times="9:00 and 14h", rooms="A, B", propose="1", **{off: "on"})
    again = desk.post(plan_page(), typed)
    rows = {
        line.review.state.pk: (line["starts_at"].value(), line["room"].value()) for line in again.context["form"].lines
    }
    assert rows["KE"] == ("2026-03-31T09:00", "A")
    assert rows["FR"] == ("2026-04-01T09:00", "B")  # Peru takes no hour
    assert not Series.objects.exists()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"times": "10:00, 10:30"}, "nobody could follow both"),
        ({"times": "10:00", "last_day": "2026-03-31"}, "4 States have no hour"),
        ({"times": "whenever"}, "Hours can be proposed once"),
    ],
)
def test_what_cannot_be_proposed_is_said(desk, session, typed, words):
    answer = desk.post(plan_page(), as_proposed(desk.get(plan_page()), propose="1", **typed))
    assert words in answer.context["trouble"]


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"last_day": "2026-03-30"}, "last_day", "before the first"),
        ({"closes_at": "2026-02-01T23:59"}, "closes_at", "before it opens"),
        ({"times": "25:00"}, "times", "times of the day"),
        ({"minutes": "5"}, "minutes", "greater than or equal to 15"),
    ],
)
def test_what_cannot_be_is_refused_in_words(desk, session, typed, field, words):
    answer = desk.post(plan_page(), as_proposed(desk.get(plan_page()), look="1", **typed))
    assert words in str(answer.context["form"].errors[field])


def test_a_start_outside_the_days_is_refused_at_its_state(desk, session):
    typed = as_proposed(desk.get(plan_page()), look="1", **{name(session, "FR", "starts_at"): "2026-04-10T10:00"})
    form = desk.post(plan_page(), typed).context["form"]
    wrong = {line.review.state.pk: str(line.errors) for line in form.lines if line.errors}
    assert list(wrong) == ["FR"]
    assert "from Tue 31 March 2026 to Fri 3 April 2026" in wrong["FR"]


def test_two_at_once_are_a_warning_because_two_rooms_may_be_what_there_is(desk, session):
    typed = as_proposed(desk.get(plan_page()), look="1", **{name(session, "FR", "starts_at"): "2026-03-31T10:30"})
    assert "take place at the same time" in desk.post(plan_page(), typed).content.decode()


def test_a_state_can_go_without_a_meeting_or_without_an_hour(desk, session):
    typed = as_proposed(desk.get(plan_page()))
    typed |= {name(session, "TR", "off"): "on", name(session, "PE", "starts_at"): ""}
    look = desk.post(plan_page(), typed | {"look": "1"})
    assert "Without an hour for now: Peru" in look.content.decode()
    desk.post(plan_page(), typed | {"do": look.context["seen"].mark})
    meetings = {meeting.state.pk: meeting for meeting in CountryMeeting.objects.with_state()}
    assert not meetings["TR"].goes_ahead
    assert (meetings["PE"].starts_at, meetings["PE"].goes_ahead) == (None, True)


def test_back_loses_nothing_and_writes_nothing(desk, session):
    typed = as_proposed(desk.get(plan_page()), venue="A place of our own")
    back = desk.post(plan_page(), typed | {"back": "1"})
    assert back.context["form"]["venue"].value() == "A place of our own"
    assert not Series.objects.exists()


def test_what_has_changed_since_is_looked_at_again(desk, session):
    typed = as_proposed(desk.get(plan_page()))
    mark = desk.post(plan_page(), typed | {"look": "1"}).context["seen"].mark
    session.reschedule(now=NOW, starts_on=date(2026, 5, 11), ends_on=date(2026, 5, 22))
    again = desk.post(plan_page(), typed | {"do": mark})
    assert "Something has changed since you looked" in again.content.decode()
    assert not Series.objects.exists()
    assert desk.post(plan_page(), typed | {"do": again.context["seen"].mark}).status_code == 302


def test_texts_and_rules_of_letters_are_taken_over(desk, session, earlier):
    typed = as_proposed(desk.get(plan_page()))
    mark = desk.post(plan_page(), typed | {"look": "1"}).context["seen"].mark
    assert desk.post(plan_page(), typed | {"do": mark}).status_code == 302
    series = Series.objects.get(session=session)
    assert series.mail_texts.values_list("kind", "language", "subject", "body").get() == (
        "call", "en", "A call", "Come and speak."
    )  # fmt: skip
    assert Mailing.objects.get(series=series, kind="reminder").days == 10


def test_and_left_where_staff_say_so(desk, session, earlier):
    typed = as_proposed(desk.get(plan_page(), {"like": ""}))
    assert typed["like"] == ""
    mark = desk.post(plan_page(), typed | {"look": "1"}).context["seen"].mark
    desk.post(plan_page(), typed | {"do": mark})
    assert not SeriesText.objects.filter(series__session=session).exists()


# --- One of two wins --------------------------------------------------------------------------------------------------


def plan_of(session):
    proposal = setting_up.proposal(session, None, NOW)
    facts = {key: proposal.values[key] for key in ("first_day", "last_day")}
    call = {key: proposal.values[key] for key in ("opens_at", "closes_at")}
    return setting_up.Plan(session, facts, tuple(proposal.hours), 60, call)


def test_who_comes_second_is_refused_and_leaves_its_event(session):
    staff, plan = StaffFactory(), plan_of(session)
    series = setting_up.set_up(plan, by=staff, now=NOW)
    with pytest.raises(WrongStep, match="already set up"):
        setting_up.set_up(plan, by=staff, now=NOW)
    assert Event.objects.about(series).filter(code="opened").values_list("refused", flat=True).count() == 2
    assert Event.objects.about(series).filter(code="opened", refused=True, staff_id=staff.pk).count() == 1


def test_the_page_of_a_series_that_stands_leads_there(desk, session):
    series = setting_up.set_up(plan_of(session), by=None, now=NOW)
    assert desk.get(plan_page()).url == reverse("admin:upr_series_change", args=[series.pk])


def test_all_of_it_or_nothing(session, monkeypatch):
    def fails(*args, **kwargs):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(Call, "open_for", fails)
    with pytest.raises(RuntimeError):
        setting_up.set_up(plan_of(session), by=None, now=NOW)
    assert not Series.objects.exists()


@pytest.mark.parametrize("page", ["choose", "plan"])
def test_only_for_those_who_may(client, session, page):
    client.force_login(StaffFactory(is_superuser=False))
    address = reverse("admin:upr_series_set_up") if page == "choose" else plan_page()
    assert client.get(address).status_code == 403


def test_the_dates_of_all_meetings_are_announced_together(session, django_assert_max_num_queries):
    """Each announcement computes every mailing anew: one for each State would take seconds."""
    plan = plan_of(session)
    with django_assert_max_num_queries(150):
        setting_up.set_up(plan, by=None, now=NOW)
    due = Mailing.objects.filter(kind="statement_due").values_list("due_at", flat=True)
    assert len(set(due)) == 4  # by the hours of the meetings: two on the first day, one on each other
