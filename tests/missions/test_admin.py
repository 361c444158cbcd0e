"""Missions, invitations, answers and the page of a series on the staff's desk."""

import re
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.urls import reverse

from applications.models import Call
from missions import overview
from missions.models import Invitation, MissionAddress, PermanentMission, Reply
from presessions.mail import schedule
from presessions.mail.models import Letter, LinkVisit, PersonalLink
from presessions.trail.models import Event
from presessions.upr import tables
from presessions.upr.dates import geneva, months_before
from presessions.upr.management.commands.load_calendar import CARRIED
from presessions.upr.models import CountryMeeting, Series
from tests.missions.factories import AddressFactory, MissionFactory, invite
from tests.missions.pages import answers
from tests.upr.dialogue import post
from tests.upr.factories import (
    CODES,
    CountryMeetingFactory,
    SeriesFactory,
    SessionFactory,
    StateFactory,
    StateUnderReviewFactory,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    return client


@pytest.fixture
def series():
    session = SessionFactory()
    for iso2 in ("KE", "PE"):
        StateUnderReviewFactory(session=session, state=StateFactory(iso2=iso2))
    return Series.open_for(session, now=NOW, first_day=date(2026, 4, 14), last_day=date(2026, 4, 16), format="hybrid")


def page(desk, name, *args, **query):
    response = desk.get(reverse(f"admin:{name}", args=args), query)
    assert response.status_code == 200
    return response.content.decode()


# --- The register ----------------------------------------------------------------------------------------------------


def test_the_register_counts_addresses_and_says_who_can_be_written_to(desk):
    AddressFactory(mission=MissionFactory(iso2="KE"))
    MissionFactory(iso2="PE", email=None)
    text = page(desk, "missions_permanentmission_changelist")
    assert re.search(r"KE</td>.*?field-addresses\">2<.*?icon-yes", text, re.S)
    assert re.search(r"PE</td>.*?field-addresses\">0<.*?icon-no", text, re.S)


@pytest.mark.parametrize("term", ["Kenya", "Кения", "ke", "KE@mission.example.org"])
def test_a_mission_is_found_by_name_code_or_whole_address(desk, term):
    kenya = MissionFactory(iso2="KE")
    MissionFactory(iso2="FR")
    text = page(desk, "missions_permanentmission_changelist", q=term)
    assert reverse("admin:missions_permanentmission_change", args=[kenya.pk]) in text
    assert "France" not in text.split('id="result_list"')[1]


def test_missions_that_cannot_be_written_to_are_one_click_away(desk):
    MissionFactory(iso2="KE")
    MissionFactory(iso2="PE", email=None)
    listed = page(desk, "missions_permanentmission_changelist", reached="no").split('id="result_list"')[1]
    assert "Peru" in listed
    assert "Kenya" not in listed


def address_form(mission, *emails):
    """The admin's form of a mission as it stands, with new addresses added."""
    form = {name: getattr(mission, name) for name in ("in_geneva", "source", "as_of", "language")}
    form |= {"addresses-TOTAL_FORMS": len(emails), "addresses-INITIAL_FORMS": 0}
    for number, email in enumerate(emails):
        line = {"mission": mission.pk, "email": email, "role": "mission", "position": number + 1}
        form |= {f"addresses-{number}-{field}": value for field, value in line.items()}
    return form


def test_an_address_is_added_by_hand_and_the_trail_knows_by_whom(desk, staff):
    mission = MissionFactory(iso2="KE", email=None)
    url = reverse("admin:missions_permanentmission_change", args=[mission.pk])
    assert desk.post(url, address_form(mission, "new@mission.example.org")).status_code == 302
    assert MissionAddress.objects.get().email == "new@mission.example.org"
    codes = Event.objects.about(mission).values_list("code", "staff_id")
    assert set(codes) == {("address_added", staff.pk)}


def test_the_same_address_twice_is_pointed_at(desk):
    mission = MissionFactory(iso2="KE", email=None)
    url = reverse("admin:missions_permanentmission_change", args=[mission.pk])
    response = desk.post(url, address_form(mission, "a@mission.example.org", "A@mission.example.org"))
    assert "This address stands here already." in response.content.decode()
    assert not MissionAddress.objects.exists()


# --- The page of a series --------------------------------------------------------------------------------------------


def test_setting_up_a_series_gives_each_state_a_meeting_and_plans_the_mailings(desk):
    session = SessionFactory()
    for iso2 in ("KE", "PE"):
        StateUnderReviewFactory(session=session, state=StateFactory(iso2=iso2))
    form = {"session": session.pk, "first_day": "2026-04-14", "last_day": "2026-04-16", "format": "in_person"}
    response = desk.post(reverse("admin:upr_series_add"), {**form, "venue": "Palais", **management(0)}, follow=True)
    series = Series.objects.get()
    assert response.redirect_chain[-1][0] == reverse("admin:upr_series_change", args=[series.pk])
    assert series.meetings().count() == 2
    text = response.content.decode()
    assert "goes out Tue 17 March 2026, 09:00 Geneva time to every Permanent Mission" in text
    assert "1 month before the Working Group session would be Sat 4 April 2026" in text


def management(number):
    return {"meeting-TOTAL_FORMS": number, "meeting-INITIAL_FORMS": number}


def series_form(series, **changed):
    """The page of a series as it stands; changed -- KE={"room": "XX"}, or fields of the series."""
    fields = ("first_day", "last_day", "venue", "format", "reply_to")
    meetings = list(CountryMeeting.objects.with_state().for_series(series))
    form = {name: changed.pop(name, getattr(series, name)) for name in fields} | management(len(meetings))
    for number, meeting in enumerate(meetings):
        start = meeting.starts_at and meeting.starts_at.astimezone(geneva(NOW.date()).tzinfo)
        line = {
            "id": meeting.pk,
            "starts_at": f"{start:%Y-%m-%dT%H:%M}" if start else "",
            "minutes": meeting.minutes,
            "room": meeting.room,
            "moderator": meeting.moderator,
            "step": "",
            **changed.pop(meeting.state.pk, {}),
        }
        form |= {f"meeting-{number}-{name}": value for name, value in line.items()}
    assert not changed
    return form


def save(desk, series, **changed):
    page = reverse("admin:upr_series_change", args=[series.pk])
    return post(desk, page, series_form(series, **changed), follow=True)


def test_a_meeting_gets_its_hour_on_the_page_and_the_mailings_follow_at_once(desk, series, staff):
    kenya = {"starts_at": "2026-04-13T15:00", "room": "XX"}
    assert save(desk, series, first_day="2026-04-13", KE=kenya).status_code == 200
    kenya = CountryMeeting.objects.get(state_under_review__state="KE")
    assert (kenya.starts_at, kenya.room, kenya.sequence) == (geneva(date(2026, 4, 13), 15), "XX", 1)
    assert series.mailings.get(kind="invitation").due_at == geneva(date(2026, 3, 16), 9)
    assert Event.objects.about(kenya).get(code="changed").staff_id == staff.pk


def test_saving_the_page_unchanged_changes_nothing(desk, series):
    save(desk, series)
    assert not CountryMeeting.objects.exclude(sequence=0).exists()


OUTSIDE = "The Pre-sessions take place from Tue 14 April 2026 to Thu 16 April 2026: choose a day between them"
PAST = "This start lies in the past."


@pytest.mark.parametrize(
    "start, days, words",
    [
        ("2026-04-13T23:59", {}, [OUTSIDE]),
        ("2026-04-17T00:00", {}, [OUTSIDE]),
        ("2020-04-14T10:00", {}, [OUTSIDE, PAST]),
        ("2026-03-02T10:59", {"first_day": "", "last_day": ""}, [PAST]),  # it is 11:00 in Geneva
        ("2026-04-16T10:00", {"last_day": "2026-04-15"}, ["to Wed 15 April 2026: choose a day"]),
    ],
)
def test_a_new_start_outside_the_days_of_the_series_or_in_the_past_is_pointed_at(desk, series, start, days, words):
    text = save(desk, series, KE={"starts_at": start}, **days).content.decode()
    line = re.search(r'<ul class="errorlist"[^>]*>((?:(?!</ul>).)*)</ul><input[^>]*"Start – Kenya"', text, re.S)[1]
    assert [line.count(said) for said in (OUTSIDE, PAST)] == [words.count(said) for said in (OUTSIDE, PAST)]
    assert all(said in line for said in words)
    assert "Please look at the meetings below." in text
    assert not CountryMeeting.objects.exclude(starts_at=None).exists()


@pytest.mark.parametrize(
    "start, days",
    [
        ("2026-04-14T00:00", {}),
        ("2026-04-16T23:59", {}),
        ("2026-05-20T10:00", {"first_day": "2026-05-19", "last_day": "2026-05-21"}),  # with the days typed beside it
        ("2026-05-20T10:00", {"first_day": "", "last_day": ""}),
        ("2026-03-02T11:00", {"first_day": "", "last_day": ""}),
    ],
)
def test_a_new_start_within_the_days_is_taken(desk, series, start, days):
    save(desk, series, KE={"starts_at": start}, **days)
    taken = CountryMeeting.objects.get(state_under_review__state="KE").starts_at
    assert f"{taken.astimezone(geneva(NOW.date()).tzinfo):%Y-%m-%dT%H:%M}" == start


def test_a_start_that_stands_stays_whatever_the_days_and_the_clock_say(desk, series, staff):
    save(desk, series, KE={"starts_at": "2026-04-14T10:00"})
    with time_machine.travel("2026-04-15 09:00:00+02:00", tick=False):
        desk.force_login(staff)  # sessions do not last that long
        save(desk, series, first_day="2026-04-15", KE={"room": "XXI"})
    kenya = CountryMeeting.objects.get(state_under_review__state="KE")
    assert (kenya.starts_at, kenya.room) == (geneva(date(2026, 4, 14), 10), "XXI")


@pytest.mark.parametrize(
    "step, status", [("confirm", "confirmed"), ("held", "held"), ("too_few", "not_held"), ("postponed", "not_held")]
)
def test_a_meetings_next_step_is_taken_on_the_page(desk, series, step, status):
    save(desk, series, KE={"step": step})
    assert CountryMeeting.objects.get(state_under_review__state="KE").status == status


def test_a_step_that_a_meeting_cannot_take_is_refused(desk, series):
    save(desk, series, KE={"step": "held"})
    text = save(desk, series, KE={"step": "confirm"}).content.decode()
    assert "Please look at the meetings below." in text


def test_what_cannot_be_read_as_an_hour_is_pointed_at_and_nothing_is_saved(desk, series):
    text = save(desk, series, venue="Elsewhere", KE={"starts_at": "soon"}).content.decode()
    assert "Please look at the meetings below." in text
    series.refresh_from_db()
    assert series.venue == ""


def test_the_page_explains_why_a_month_before_the_working_group_is_not_enough(desk, series):
    text = page(desk, "upr_series_change", series.pk)
    assert "fell after the first meeting in 6" in text
    assert "(at the latest 28 days before the first meeting)" in text


def test_the_figures_in_that_explanation_are_those_of_the_real_series():
    """14 series with both dates: a month before the Working Group, counted in days before the first meeting."""
    rows = tables.read(tables.ROUNDS, (CARRIED / tables.ROUNDS.name).read_bytes())
    days = [
        (row["presession_start"] - months_before(row["wg_start"], 1)).days
        for row in rows
        if row["presession_start"] and row["wg_start"]
    ]
    before = sorted(number for number in days if number > 0)
    assert (len(days), len(days) - len(before), len(before), before[0], before[-1]) == (14, 6, 8, 2, 10)


def test_short_notice_is_warned_of(desk, series, staff):
    series.mailings.get(kind="invitation").move_to(geneva(date(2026, 4, 8), 9), by=staff, now=NOW)
    assert "Short notice: only 6 days before the first meeting." in page(desk, "upr_series_change", series.pk)


def test_a_mailing_without_its_date_is_said_to_wait(desk):
    session = SessionFactory(number=56, starts_on=None, ends_on=None)
    series = Series.open_for(session, now=NOW, first_day=date(2026, 4, 14), last_day=date(2026, 4, 16))
    assert "Waits for a date: the Working Group session." in page(desk, "upr_series_change", series.pk)


def test_the_call_is_opened_from_the_page_and_stands_on_it(desk, series):
    add = f"{reverse('admin:applications_call_add')}?series={series.pk}"
    assert add in page(desk, "upr_series_change", series.pk)
    Call.open_for(series, opens_at=NOW, closes_at=geneva(date(2026, 3, 24)), now=NOW)
    assert "Mon 23 March 2026, 23:59 Geneva time" in page(desk, "upr_series_change", series.pk)


def test_every_field_of_the_programme_says_which_state_it_belongs_to(desk, series):
    text = page(desk, "upr_series_change", series.pk)
    for label in ("Room – Kenya", "Start – Peru", "Next step – Kenya"):
        assert f'aria-label="{label}"' in text


# --- Who was reached, and who answered -------------------------------------------------------------------------------


@pytest.fixture
def written(series, staff):
    """Five missions of which two cannot be written to; the invitations are written, and one did not arrive."""
    for iso2 in ("KE", "BR", "FR"):
        MissionFactory(iso2=iso2)
    MissionFactory(iso2="BJ", email=None, in_geneva="no")
    AddressFactory(mission=MissionFactory(iso2="IT", email=None), bounced_at=NOW)
    schedule.write_due(geneva(date(2026, 3, 17), 9))
    Letter.objects.update(state=Letter.State.SENT, sent_at=NOW)
    Letter.objects.filter(recipient_id=mission("FR").pk).update(state=Letter.State.FAILED)
    return series


def mission(code):
    return PermanentMission.objects.get(code=code)


def invitation_of(code):
    return Invitation.objects.get(mission__code=code)


def test_every_mission_stands_in_exactly_one_list_and_those_not_reached_with_a_reason(client, written):
    _invitation, path = invite(mission("KE"), series=written)
    client.post(path, answers(invitation_of("KE"), KE="in_person", floor_KE="on", PE="no"))
    found = overview.of(written, now=NOW)
    assert [line.mission.code for line in found.answered] == ["KE"]
    assert [line.mission.code for line in found.silent] == ["BR"]
    assert {line.mission.code: line.reason for line in found.not_reached} == {
        "BJ": "No mission in Geneva",
        "FR": "Letter: failed",
        "IT": "Its addresses have ended or bounced",
    }


def test_a_mission_that_joined_since_is_not_yet_written_to(written):
    MissionFactory(iso2="CL")
    MissionFactory(iso2="CU", email=None)
    reasons = {line.mission.code: line.reason for line in overview.of(written, now=NOW).not_reached}
    assert (reasons["CL"], reasons["CU"]) == ("Not yet written to", "No address in the register")


def test_the_report_says_when_the_invitation_goes_out_and_whom_only_another_way_reaches(desk, series):
    MissionFactory(iso2="KE")
    MissionFactory(iso2="CU", email=None)
    text = page(desk, "upr_series_report", series.pk)
    assert "The invitation goes out Tue 17 March 2026, 09:00 Geneva time." in text
    assert "1 mission has not been reached: why is said below." in text
    assert "<h3>Not yet written to" not in text and "No address in the register (1)" in text
    series.mailings.filter(kind="invitation").update(state="held")
    assert "The invitation has not gone out yet." in page(desk, "upr_series_report", series.pk)


def test_the_report_tells_who_joined_since_apart_from_who_needs_another_way(desk, written):
    MissionFactory(iso2="CL")
    text = page(desk, "upr_series_report", written.pk)
    assert "The invitation" not in text.split("explain")[1].split("</div>")[0]
    assert "1 mission is not yet written to." in text
    assert "3 missions have not been reached" in text and "<h3>Not yet written to" not in text


def test_of_a_meeting_that_is_not_held_the_states_own_line_says_nothing(desk, written):
    meeting = written.meetings().with_state().get(state_under_review__state="KE")
    for name in ("upr_series_report", "upr_series_answers"):
        assert "Reached, has not answered." in page(desk, name, written.pk)
    meeting.call_off("postponed", now=NOW)
    for name in ("upr_series_report", "upr_series_answers"):
        assert "Reached, has not answered." not in page(desk, name, written.pk)


def test_lists_write_days_as_the_house_does(desk, client, written):
    _invitation, path = invite(mission("KE"), series=written)
    client.post(path, answers(invitation_of("KE"), KE="in_person"))
    lists = {
        name: page(desk, f"{name}_changelist")
        for name in (
            "missions_reply",
            "missions_invitation",
            "upr_series",
            "upr_countrymeeting",
            "upr_workinggroupsession",
        )
    }
    assert "Mon 4 May 2026" in lists["upr_workinggroupsession"] and "Mon 4 May 2026" in lists["upr_series"]
    american = re.compile(r"(?:Jan\.|Feb\.|March|April|May|Sept\.) \d+, \d{4}|\d{2}/\d{2}/\d{4}")
    assert not [words for text in lists.values() for words in american.findall(text.split("<tbody>")[1])]


def test_answers_are_counted_per_meeting_and_the_state_under_reviews_own_is_named(client, written):
    for code, answer in (("KE", "in_person"), ("BR", "online"), ("FR", "no")):
        _invitation, path = invite(mission(code), series=written)
        client.post(path, answers(invitation_of(code), KE=answer))
    kenya, peru = overview.of(written, now=NOW).tallies()
    assert {answer.value: number for answer, number in kenya.counts.items()} == {
        "in_person": 1,
        "online": 1,
        "undecided": 0,
        "no": 1,
    }
    assert (kenya.coming, kenya.own.answer, peru.own) == (2, "in_person", None)


def test_a_page_fetched_by_what_may_be_a_filter_is_not_called_an_answer(desk, written):
    link = PersonalLink.objects.get(target_id=invitation_of("BR").reference)
    LinkVisit.objects.create(link=link, at=NOW, method="GET", maybe_filter=True)
    text = page(desk, "upr_series_answers", written.pk)
    assert "may be a mail filter" in text.split('id="silent"')[1]
    assert "Nobody yet." in text


def test_the_list_of_invitations_shows_letter_fetch_and_answer_apart(desk, written):
    text = page(desk, "missions_invitation_changelist")
    assert text.count("not answered</span>") == 3
    assert "failed" in text
    listed = page(desk, "missions_invitation_changelist", q="brazil").split('id="result_list"')[1]
    assert "Brazil" in listed
    assert "Kenya" not in listed


def test_an_invitations_page_shows_answers_people_and_note_and_is_changed_by_steps_alone(desk, client, written):
    invitation = invitation_of("KE")
    _same, path = invite(mission("KE"), series=written)
    client.post(path, answers(invitation, KE="in_person", note="Ramp", delegates=[("Joy", "Attaché", "")]))
    text = page(desk, "missions_invitation_change", invitation.pk)
    for words in ("In person", "Joy, Attaché", "Ramp", "all the meetings they attend"):
        assert words in text


def test_staff_close_all_links_of_a_mission(desk, client, written):
    invitation, path = invite(mission("KE"), series=written)
    url = reverse("admin:missions_invitation_change", args=[invitation.pk])
    assert desk.post(url, {"step": "close_links", "reason": "forwarded"}).status_code == 302
    assert client.get(path).status_code == 404
    assert Event.objects.about(invitation).get(code="links_closed").reason.text == "forwarded"


def test_answers_are_read_and_never_edited_by_staff(desk, client, written):
    _invitation, path = invite(mission("KE"), series=written)
    client.post(path, answers(invitation_of("KE"), KE="in_person"))
    assert "In person" in page(desk, "missions_reply_changelist", q="kenya")
    reply = Reply.objects.get()
    assert desk.post(reverse("admin:missions_reply_change", args=[reply.pk]), {"answer": "no"}).status_code == 403
    assert desk.post(reverse("admin:missions_reply_delete", args=[reply.pk])).status_code == 403


# --- Constant cost ---------------------------------------------------------------------------------------------------


PAGES = [
    "missions_permanentmission_changelist",
    "missions_invitation_changelist",
    "missions_reply_changelist",
    "upr_series_changelist",
    "upr_series_answers",
    "upr_series_change",
]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_costs_the_same_with_one_and_with_many_missions_and_meetings(
    desk, series, name, django_assert_max_num_queries
):
    args = [series.pk] if name in ("upr_series_answers", "upr_series_change") else []
    grow(series, CODES[100:101])
    page(desk, name, *args)  # content types and the like are read once
    with django_assert_max_num_queries(60) as before:
        page(desk, name, *args)
    grow(series, CODES[101:113])
    if name == "upr_series_changelist":
        for number in range(60, 64):
            SeriesFactory(session=SessionFactory(number=number))
    with django_assert_max_num_queries(len(before)):
        page(desk, name, *args)


def grow(series, codes):
    for code in codes:
        CountryMeetingFactory(series=series, state=StateFactory(iso2=code))
        one = MissionFactory(iso2=code)
        invitation, _path = invite(one, series=series)
        said = dict.fromkeys(series.meetings(), "online")
        invitation.answered_at = NOW
        invitation.save()
        for meeting, answer in said.items():
            Reply.objects.update_or_create(
                invitation=invitation, meeting=meeting, defaults={"answer": answer, "at": NOW}
            )


@pytest.mark.parametrize("name", [name for name in PAGES if name.endswith("changelist")])
def test_every_list_can_be_searched(desk, series, name):
    page(desk, name, q="x")
