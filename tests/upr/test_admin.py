"""The calendar on the staff's desk: found in any language, changed by steps, lists that cost the same at any length."""

from datetime import date

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.urls import reverse

from presessions.trail.models import Event
from presessions.upr.dates import geneva
from presessions.upr.models import CountryMeeting, State, StateUnderReview, WorkingGroupSession
from presessions.upr.signals import dates_changed
from tests.accounts.factories import StaffFactory
from tests.upr.factories import (
    CountryMeetingFactory,
    SeriesFactory,
    SessionFactory,
    StateFactory,
    StateUnderReviewFactory,
)

pytestmark = pytest.mark.django_db

TUESDAY = date(2026, 4, 14)


@pytest.fixture
def staff(client):
    user = StaffFactory()
    client.force_login(user)
    return user


@pytest.fixture
def announced():
    heard = []

    def hear(series, now, **kwargs):
        heard.append((series.number, now))

    dates_changed.connect(hear)
    yield heard
    dates_changed.disconnect(hear)


def url(model, page, *args):
    return reverse(f"admin:upr_{model._meta.model_name}_{page}", args=args)


def said(response):
    return [str(message) for message in response.context["messages"]]


# --- Lists ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [State, WorkingGroupSession, StateUnderReview, CountryMeeting])
@pytest.mark.parametrize("question", ["", "?q=x", "?q=d'Ivoire", '?q="', "?q=%D9%83%D9%8A%D9%86%D9%8A%D8%A7", "?q=54"])
def test_every_list_opens_and_searches(model, question, client, staff):
    CountryMeetingFactory()
    assert client.get(url(model, "changelist") + question).status_code == 200


@pytest.mark.parametrize(
    ("model", "add"),
    [
        (State, StateFactory),
        (WorkingGroupSession, lambda: SessionFactory(number=60 + WorkingGroupSession.objects.count())),
        (StateUnderReview, StateUnderReviewFactory),
        (CountryMeeting, CountryMeetingFactory),
    ],
)
def test_a_list_of_many_costs_as_many_queries_as_a_list_of_one(
    model, add, client, staff, django_assert_num_queries, django_assert_max_num_queries
):
    add()
    client.get(url(model, "changelist"))
    with django_assert_max_num_queries(12) as one:
        client.get(url(model, "changelist"))
    for _ in range(12):
        add()
    with django_assert_num_queries(len(one)):
        response = client.get(url(model, "changelist"))
    assert response.context["cl"].result_count == 13


def test_the_page_of_a_session_costs_the_same_for_any_number_of_states(
    client, staff, django_assert_num_queries, django_assert_max_num_queries
):
    session = StateUnderReviewFactory().session
    page = url(WorkingGroupSession, "change", session.pk)
    client.get(page)
    with django_assert_max_num_queries(12) as one:
        client.get(page)
    for _ in range(13):
        StateUnderReviewFactory()
    with django_assert_num_queries(len(one)):
        assert client.get(page).status_code == 200


@pytest.mark.parametrize("words", ["Türkiye", "turkiye", "TURQUIE", "Турция", "土耳其", "republic of turkiye", "TR"])
def test_a_state_is_found_by_any_of_its_names(words, client, staff):
    StateFactory(iso2="TR", name_fr="Turquie")
    StateFactory(iso2="FR")
    response = client.get(url(State, "changelist"), {"q": words})
    assert [state.iso2 for state in response.context["cl"].result_list] == ["TR"]


def test_a_meeting_is_found_by_its_state(client, staff):
    CountryMeetingFactory(state=StateFactory(iso2="CI"))
    CountryMeetingFactory(state=StateFactory(iso2="FR"))
    response = client.get(url(CountryMeeting, "changelist"), {"q": "cote d'ivoire"})
    assert [meeting.state.iso2 for meeting in response.context["cl"].result_list] == ["CI"]


def test_states_come_in_their_folded_order(client, staff):
    for iso2 in ("ZW", "CI", "CR"):
        StateFactory(iso2=iso2)
    response = client.get(url(State, "changelist"))
    assert [state.iso2 for state in response.context["cl"].result_list] == ["CR", "CI", "ZW"]


@pytest.mark.parametrize("model", [State, WorkingGroupSession, StateUnderReview, CountryMeeting])
def test_nothing_in_the_calendar_is_deleted(model, client, staff):
    row = CountryMeetingFactory()
    pk = {State: row.state.pk, WorkingGroupSession: row.series.session_id}.get(model)
    pk = pk or {StateUnderReview: row.state_under_review_id}.get(model, row.pk)
    assert client.post(url(model, "delete", pk), {"post": "yes"}).status_code == 403


def test_names_of_states_are_the_uns_and_not_ours_to_edit(client, staff):
    state = StateFactory(iso2="CI")
    assert client.get(url(State, "change", state.pk)).status_code == 200
    assert client.post(url(State, "change", state.pk), {"name_en": "Ivory Coast"}).status_code == 403
    assert client.get(url(State, "add")).status_code == 403


# --- Sessions -------------------------------------------------------------------------------------------------------


def session_form(states=(), **fields):
    form = {"cycle": 4, "starts_on": "2026-05-04", "ends_on": "2026-05-15", "month_label": "", "source": "", "note": ""}
    form |= {"stakeholder_deadline_on": "", "presessions_start_on": "", "presessions_end_on": ""} | fields
    for prefix, total in (("states_under_review", 0), ("states_under_review-2", len(states))):
        form |= {f"{prefix}-TOTAL_FORMS": total, f"{prefix}-INITIAL_FORMS": 0}
    for number, state in enumerate(states):
        form |= {f"states_under_review-2-{number}-state": state.pk}
    return form


def test_a_changed_date_is_announced_by_the_page_that_changed_it(client, staff, announced, now):
    series = SeriesFactory()
    with time_machine.travel(now, tick=False):
        client.post(url(WorkingGroupSession, "change", series.session.pk), session_form(starts_on="2026-05-11"))
    assert WorkingGroupSession.objects.get().starts_on == date(2026, 5, 11)
    assert announced == [(54, now)]
    event = Event.objects.about(series.session).get()
    assert (event.code, event.staff_id, event.at) == ("changed", staff.pk, now)


def test_a_page_saved_as_it_was_announces_nothing(client, staff, announced):
    series = SeriesFactory()
    response = client.post(url(WorkingGroupSession, "change", series.session.pk), session_form())
    assert (response.status_code, announced) == (302, [])


def test_a_session_that_ends_before_it_starts_is_explained(client, staff):
    response = client.post(
        url(WorkingGroupSession, "change", SessionFactory().pk), session_form(starts_on="2026-05-16")
    )
    assert "The session cannot end before it starts." in response.content.decode()


def test_a_new_session_leaves_its_event(client, staff):
    client.post(url(WorkingGroupSession, "add"), session_form([StateFactory(iso2="KE")], number=55))
    session = WorkingGroupSession.objects.get(number=55)
    assert session.states_under_review.get().state_id == "KE"
    assert Event.objects.about(session).get().code == "added"


def test_a_state_added_to_a_session_gets_its_meeting(client, staff, announced):
    series = SeriesFactory()
    state = StateFactory(iso2="KE")
    client.post(url(WorkingGroupSession, "change", series.session.pk), session_form([state]))
    assert series.meetings().get().state == state
    assert len(announced) == 1
    assert Event.objects.about(StateUnderReview.objects.get()).get().code == "added"


def test_a_state_is_added_once(client, staff):
    place = StateUnderReviewFactory(state=StateFactory(iso2="KE"))
    response = client.post(url(WorkingGroupSession, "change", place.session.pk), session_form([place.state]))
    assert "This State is already in this session." in response.content.decode()
    assert StateUnderReview.objects.count() == 1


# --- States under Review --------------------------------------------------------------------------------------------


def test_ticked_states_move_to_the_chosen_session(client, staff):
    places = [StateUnderReviewFactory(), StateUnderReviewFactory(), StateUnderReviewFactory(status="reviewed")]
    response = client.post(
        url(StateUnderReview, "changelist"),
        {"action": "move", "to_session": SessionFactory(number=55).pk, "_selected_action": [p.pk for p in places]},
        follow=True,
    )
    assert StateUnderReview.objects.filter(session__number=55, status="rescheduled").count() == 2
    assert sorted(said(response)) == sorted([f"{places[2]} is already reviewed.", "2 States moved."])


def test_without_a_session_they_are_postponed(client, staff):
    place = StateUnderReviewFactory()
    data = {"action": "move", "to_session": "", "_selected_action": [place.pk]}
    client.post(url(StateUnderReview, "changelist"), data)
    assert StateUnderReview.objects.get(session=None).status == "postponed"


def test_a_note_leaves_its_event(client, staff):
    place = StateUnderReviewFactory()
    data = {"review_order": "3", "basis": "sourced", "source": "", "note": "By telephone."}
    client.post(url(StateUnderReview, "change", place.pk), data)
    place.refresh_from_db()
    assert (place.review_order, place.note) == (3, "By telephone.")
    assert Event.objects.about(place).get().staff_id == staff.pk


# --- Meetings -------------------------------------------------------------------------------------------------------


def meeting_form(on="2026-04-14", at="10:00", **fields):
    form = {"starts_at_0": on, "starts_at_1": at, "minutes": 60, "room": "", "online_link": "", "moderator": ""}
    return form | fields


def test_a_meeting_is_moved_in_geneva_time(client, staff, announced, now):
    meeting = CountryMeetingFactory()
    with time_machine.travel(now, tick=False):
        client.post(url(CountryMeeting, "change", meeting.pk), meeting_form(at="15:30", room="XX"))
    meeting.refresh_from_db()
    assert (meeting.starts_at, meeting.room, meeting.sequence) == (geneva(TUESDAY, 15, 30), "XX", 1)
    assert announced == [(54, now)]


def test_a_meeting_saved_as_it_was_keeps_its_version(client, staff, announced):
    meeting = CountryMeetingFactory()
    assert client.post(url(CountryMeeting, "change", meeting.pk), meeting_form()).status_code == 302
    meeting.refresh_from_db()
    assert (meeting.sequence, announced) == (0, [])


def test_a_start_may_become_unknown_again(client, staff):
    meeting = CountryMeetingFactory()
    client.post(url(CountryMeeting, "change", meeting.pk), meeting_form("", ""))
    meeting.refresh_from_db()
    assert meeting.starts_at is None


def test_an_hour_that_spring_skips_is_explained(client, staff):
    meeting = CountryMeetingFactory()
    response = client.post(url(CountryMeeting, "change", meeting.pk), meeting_form("2026-03-29", "02:30"))
    assert response.context["adminform"].form.errors["starts_at"]


def test_two_meetings_at_once_are_a_warning_and_no_error(client, staff):
    CountryMeetingFactory(state=StateFactory(iso2="FR"), starts_at=geneva(TUESDAY, 15))
    meeting = CountryMeetingFactory()
    response = client.post(url(CountryMeeting, "change", meeting.pk), meeting_form(at="15:30"), follow=True)
    meeting.refresh_from_db()
    assert meeting.starts_at == geneva(TUESDAY, 15, 30)
    assert "At the same time as the meeting about France (54): nobody can follow both." in said(response)


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("confirm", "planned", ("confirmed", "")),
        ("mark_held", "confirmed", ("held", "")),
        ("too_few", "planned", ("not_held", "too_few")),
        ("postpone", "planned", ("not_held", "postponed")),
        ("reinstate", "not_held", ("planned", "")),
    ],
)
def test_steps_are_taken_with_the_ticked_meetings(action, before, after, client, staff):
    meetings = [CountryMeetingFactory(status=before), CountryMeetingFactory(status=before)]
    done = CountryMeetingFactory(status="held")
    data = {"action": action, "_selected_action": [meeting.pk for meeting in [*meetings, done]]}
    response = client.post(url(CountryMeeting, "changelist"), data, follow=True)
    for meeting in meetings:
        meeting.refresh_from_db()
        assert (meeting.status, meeting.not_held_reason) == after
    nobody = [words for words in said(response) if words.startswith("This told nobody")]
    assert len(nobody) == (action in ("too_few", "postpone", "reinstate"))
    refusal, success = sorted(set(said(response)) - set(nobody), reverse=True)
    assert refusal == f"The meeting about {done} is already held."
    assert success.startswith("2 meetings ")


@pytest.mark.parametrize("status", ["held", "not_held"])
def test_what_is_over_is_only_read(status, client, staff):
    meeting = CountryMeetingFactory(status=status)
    client.post(url(CountryMeeting, "change", meeting.pk), meeting_form(room="XX"))
    meeting.refresh_from_db()
    assert meeting.room == ""


def test_who_comes_second_is_told(client, staff, monkeypatch, now):
    meeting = CountryMeetingFactory(state=StateFactory(iso2="KE"))
    step = CountryMeeting.reschedule

    def somebody_else_is_faster(self, **changed):
        CountryMeeting.objects.get(pk=self.pk).mark_held(now=now)
        step(self, **changed)

    monkeypatch.setattr(CountryMeeting, "reschedule", somebody_else_is_faster)
    response = client.post(url(CountryMeeting, "change", meeting.pk), meeting_form(room="XX"), follow=True)
    assert said(response) == ["The meeting about Kenya (54) is already held."]
    (refused,) = Event.objects.about(meeting).filter(refused=True)  # though the whole page was undone
    assert (refused.code, refused.staff_id) == ("changed", staff.pk)


def test_readers_take_no_steps(client):
    reader = StaffFactory(is_superuser=False)
    reader.user_permissions.set(
        Permission.objects.filter(codename__in=["view_countrymeeting", "view_stateunderreview"])
    )
    client.force_login(reader)
    meeting = CountryMeetingFactory()
    for model, action, pk in (
        (CountryMeeting, "confirm", meeting.pk),
        (StateUnderReview, "move", meeting.state_under_review_id),
    ):
        client.post(url(model, "changelist"), {"action": action, "_selected_action": [pk]})
    meeting.refresh_from_db()
    assert (meeting.status, StateUnderReview.objects.get().status) == ("planned", "scheduled")
