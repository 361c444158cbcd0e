"""Wherever staff change a date, they first see what changes with it; nothing is saved until they have said so."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from applications.models import Call
from presessions.mail import schedule
from presessions.mail.models import Letter, Mailing
from presessions.trail.models import Event
from presessions.upr.dates import geneva
from presessions.upr.models import CountryMeeting, Series, StateUnderReview, WorkingGroupSession
from tests.missions.factories import MissionFactory
from tests.missions.test_admin import series_form
from tests.upr.dialogue import agree, asks, back, typed
from tests.upr.factories import SessionFactory, StateFactory, StateUnderReviewFactory
from tests.upr.test_admin import meeting_form, session_form

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 12, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def series():
    session = SessionFactory()
    for iso2 in ("KE", "PE"):
        StateUnderReviewFactory(session=session, state=StateFactory(iso2=iso2))
    series = Series.open_for(session, now=NOW, first_day=date(2026, 4, 14), last_day=date(2026, 4, 16))
    kenya(series).reschedule(now=NOW, starts_at=geneva(date(2026, 4, 14), 10))
    Call.open_for(series, opens_at=NOW, closes_at=geneva(date(2026, 3, 23)), now=NOW)
    return series


def kenya(series):
    return series.meetings().with_state().get(state_under_review__state="KE")


def page(model, name, *args):
    return reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_{name}", args=args)


def shown(response):
    """What the dialogue says: {what: (before, after, warning)}."""
    return {
        f"{one.what} – {one.where}" if one.where else one.what: (one.before, one.after, one.warning)
        for _one, same in response.context["consequences"]
        for one in same
    }


# --- Each page on which dates are typed -------------------------------------------------------------------------------


def session_page(series):
    return page(WorkingGroupSession, "change", series.session_id), session_form(
        starts_on="2026-05-11", ends_on="2026-05-22"
    )


def meeting_page(series):
    return page(CountryMeeting, "change", kenya(series).pk), meeting_form(on="2026-04-15")


def series_page(series):
    return page(Series, "change", series.pk), series_form(series, KE={"starts_at": "2026-04-15T10:00"})


def call_page(series):
    dates = {"opens_at_0": "2026-01-12", "opens_at_1": "11:00", "closes_at_0": "2026-03-29", "closes_at_1": "23:59"}
    return page(Call, "change", series.call.pk), dates | {
        "minimum": 3,
        "statement_lead_days": 14,
        "confirm_days": 10,
        "reason": "Easter",
    }


def state_call_page(series):
    call = kenya(series).state_call
    dates = {"closes_at_0": "2026-03-29", "closes_at_1": "23:59", "reason": "Floods"}
    return page(type(call), "change", call.pk), dates


def calling_off(series):
    return page(CountryMeeting, "changelist"), {"action": "postpone", "_selected_action": [kenya(series).pk]}


def moving(series):
    place = kenya(series).state_under_review
    return page(StateUnderReview, "changelist"), {"action": "move", "to_session": "", "_selected_action": [place.pk]}


PAGES = [session_page, meeting_page, series_page, call_page, state_call_page, calling_off, moving]


def dates_of(series):
    """Everything that stands about dates in the database."""
    tables = (
        WorkingGroupSession,
        Series,
        CountryMeeting,
        StateUnderReview,
        Call,
        type(kenya(series).state_call),
        Mailing,
    )
    return [list(table.objects.order_by("pk").values()) for table in tables]


@pytest.mark.parametrize("form", PAGES)
def test_it_asks_and_changes_nothing_until_it_is_answered(desk, series, form):
    url, data = form(series)
    before, events = dates_of(series), Event.objects.count()
    response = desk.post(url, data)
    assert asks(response)
    assert (dates_of(series), Event.objects.count()) == (before, events)
    assert "Nothing has been saved yet." in response.content.decode()
    assert agree(desk, response).status_code == 302
    assert dates_of(series) != before


@pytest.mark.parametrize("form", PAGES)
def test_what_it_says_is_what_then_stands(desk, series, form):
    url, data = form(series)
    response = desk.post(url, data)
    agree(desk, response)
    assert shown(response)
    for what, (_before, after, _warning) in shown(response).items():
        found = [one for one in series.mailings.with_series() if schedule._named(one) in what]
        found = [one for one in found if not one.meeting_id or what.endswith(one.meeting.state.name)]
        assert after in [schedule.standing(one) for one in found], what


def test_before_and_after_of_each_mailing_are_compared(desk, series):
    response = desk.post(*series_page(series))
    assert shown(response) == {
        "invitation, Pre-sessions 54": (
            "goes out Tue 17 March 2026, 09:00 Geneva time", "goes out Wed 18 March 2026, 09:00 Geneva time", ""
        ),
        "statement due, Pre-sessions 54 – Kenya": (
            "goes out Tue 24 March 2026, 09:00 Geneva time", "goes out Wed 25 March 2026, 09:00 Geneva time", ""
        ),
        "reminder, Pre-sessions 54": (
            "goes out Tue 7 April 2026, 09:00 Geneva time", "goes out Wed 8 April 2026, 09:00 Geneva time", ""
        ),
        "thanks to speakers, Pre-sessions 54": (
            "goes out Wed 15 April 2026, 09:00 Geneva time", "goes out Thu 16 April 2026, 09:00 Geneva time", ""
        ),
        "thanks to missions, Pre-sessions 54": (
            "goes out Wed 15 April 2026, 09:00 Geneva time", "goes out Thu 16 April 2026, 09:00 Geneva time", ""
        ),
    }  # fmt: skip


def test_what_is_the_same_for_several_states_stands_there_once(desk, series):
    response = desk.post(*call_page(series))
    groups = [(one.what, [each.where for each in same]) for one, same in response.context["consequences"]]
    assert ("unfinished draft (7 days), Pre-sessions 54", ["Kenya", "Peru"]) in groups


# --- What it must not do ----------------------------------------------------------------------------------------------


def test_a_change_that_touches_no_mailing_is_saved_at_once(desk, series):
    response = desk.post(page(Series, "change", series.pk), series_form(series, venue="Palais", KE={"room": "XX"}))
    assert response.status_code == 302
    assert kenya(series).room == "XX"


def test_what_was_typed_wrong_is_pointed_at_first(desk, series):
    url, data = series_page(series)
    assert "Please look at the meetings below." in desk.post(url, data | {"meeting-1-minutes": "x"}).content.decode()


def test_back_loses_nothing_that_was_typed_and_saves_nothing(desk, series):
    url, data = series_page(series)
    before = dates_of(series)
    text = back(desk, desk.post(url, data | {"venue": "Hôtel & “Palais”"})).content.decode()
    assert "Nothing has been saved. What you typed stands below." in text
    assert 'value="2026-04-15T10:00"' in text
    assert "Hôtel &amp; “Palais”" in text
    assert dates_of(series) == before


def test_the_page_keeps_all_that_was_typed_and_which_button_was_pressed(desk, series):
    url, data = series_page(series)
    response = desk.post(url, data | {"_continue": "1", "csrfmiddlewaretoken": "x"})
    assert typed(response) == {name: [str(value)] for name, value in (data | {"_continue": "1"}).items()}
    assert agree(desk, response).url == url


def test_what_would_be_different_by_now_is_shown_again(desk, series, clock):
    """Between the question and the answer the invitation's day goes by, or a colleague moves another date."""
    response = desk.post(*series_page(series))
    series.reschedule(now=NOW, last_day=date(2026, 4, 17))
    kenya(series).reschedule(now=NOW, starts_at=geneva(date(2026, 4, 16), 10))
    again = agree(desk, response)
    assert asks(again)
    assert shown(again)["invitation, Pre-sessions 54"][0] == "goes out Thu 19 March 2026, 09:00 Geneva time"
    assert agree(desk, again).status_code == 302


def test_success_is_said_once_it_is_one(desk, series):
    url, data = series_page(series)
    asked = desk.post(url, data)
    assert not list(asked.context["messages"])
    said = agree(desk, asked, follow=True).context["messages"]
    assert len(list(said)) == 1


def test_back_from_a_list_is_a_link_and_the_list_stays_as_it_was(desk, series):
    response = desk.post(*calling_off(series))
    assert f'href="{page(CountryMeeting, "changelist")}"' in response.content.decode()
    assert kenya(series).goes_ahead


def test_it_works_without_scripts_and_by_keyboard(desk, series):
    text = desk.post(*series_page(series)).content.decode().split('id="content"')[1]
    assert "<script" not in text.split('id="footer"')[0]
    assert re.findall(r'<button [^>]*name="(\w+)"', text) == ["dates_seen", "dates_back"]


# --- What staff are warned of -----------------------------------------------------------------------------------------


def test_a_date_that_puts_a_mailing_into_the_past_would_hold_it(desk, series, clock):
    clock.move_to(geneva(date(2026, 3, 12), 10))
    desk.force_login(desk_user(desk))
    asked = desk.post(page(CountryMeeting, "change", kenya(series).pk), meeting_form(on="2026-04-06"))
    assert shown(asked)["invitation, Pre-sessions 54"][1] == (
        "held (already past when the date was entered): was to go out Mon 9 March 2026, 09:00 Geneva time"
    )


def desk_user(desk):
    """Who sits there; sessions do not last as long as these tests jump."""
    from presessions.accounts.models import User

    return User.objects.get()


def test_less_than_14_days_notice_is_warned_of(desk, series, staff):
    rule = {"anchor": "first_meeting", "months": 0, "days": 5, "latest_days": 10}
    series.mailings.get(kind="invitation").change_rule(by=staff, now=NOW, **rule)
    asked = desk.post(*meeting_page(series))
    assert shown(asked)["invitation, Pre-sessions 54"][2] == "Short notice: only 10 days before the first meeting."


def test_what_has_gone_already_proposes_a_correction(desk, series, clock):
    MissionFactory(iso2="BR")
    schedule.write_due(geneva(date(2026, 3, 17), 9))
    Letter.objects.update(state="sent")
    clock.move_to(geneva(date(2026, 3, 18), 9))
    desk.force_login(desk_user(desk))
    asked = desk.post(*meeting_page(series))
    gone = "went out Tue 17 March 2026, 09:00 Geneva time"
    assert shown(asked)["invitation, Pre-sessions 54"][:2] == (gone, f"{gone}; a correction is proposed")
    assert not series.mailings.filter(kind="correction_missions").exists()
    agree(desk, asked)
    assert series.mailings.get(kind="correction_missions").held_reason == "proposed"


def test_letters_that_are_written_to_be_looked_at_tell_the_earlier_dates(desk, series, staff, clock):
    MissionFactory(iso2="BR")
    series.mailings.get(kind="invitation").freeze(by=staff, now=NOW)
    schedule.write_due(NOW + timedelta(minutes=1))
    assert "have them written anew" in shown(desk.post(*meeting_page(series)))["invitation, Pre-sessions 54"][2]
