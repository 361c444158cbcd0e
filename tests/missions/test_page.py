"""The page of an invitation: opened by a link, answered by one button."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from applications.models import Panel
from missions.models import Delegate, Reply
from presessions.mail.models import Letter, LinkVisit
from presessions.trail.models import Event
from presessions.upr.dates import geneva
from tests.mail.letters import body_of
from tests.missions.factories import invite, open_link
from tests.missions.pages import answers, dump
from tests.upr.factories import CountryMeetingFactory, SeriesFactory, SessionFactory, StateFactory

pytestmark = pytest.mark.django_db
EARLY = datetime(2026, 3, 20, 10, tzinfo=UTC)  # the meetings are on 14 April


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(EARLY, tick=False):
        yield


@pytest.fixture
def series():
    series = SeriesFactory(venue="Palais des Nations", reply_to="missions@upr.example.org", format="hybrid")
    CountryMeetingFactory(series=series, state=StateFactory(iso2="KE"), room="Room XXI")
    CountryMeetingFactory(series=series, state=StateFactory(iso2="PE"), starts_at=geneva(date(2026, 4, 14), 11))
    CountryMeetingFactory(series=series, state=StateFactory(iso2="NP"), starts_at=None)
    return series


@pytest.fixture
def kenya(series):
    return invite("KE", series=series)


@pytest.fixture
def brazil(series):
    return invite("BR", series=series)


# --- What is shown ---------------------------------------------------------------------------------------------------


def test_all_meetings_of_the_series_stand_in_one_table_with_geneva_time_and_place(client, brazil):
    page = client.get(brazil[1]).content.decode()
    for words in ("Kenya", "Peru", "Nepal", "Tue 14 April 2026", "10:00", "Room XXI", "to be confirmed", "Geneva time"):
        assert words in page
    assert page.count('type="radio"') == 3 * 4


def test_a_mission_from_another_series_sees_only_its_own(client, series, brazil):
    other = SeriesFactory(session=SessionFactory(number=55))
    CountryMeetingFactory(series=other, state=StateFactory(iso2="CL"))
    assert "Chile" not in client.get(brazil[1]).content.decode()


def test_the_page_is_kept_by_no_cache_and_no_search_engine(client, brazil):
    response = client.get(brazil[1])
    assert "no-store" in response["Cache-Control"]
    assert "noindex" in response["X-Robots-Tag"]
    assert response["Referrer-Policy"] == "strict-origin"


def test_it_speaks_french(client, brazil):
    with_french = open_link(brazil[0], language="fr")
    page = client.get(with_french)
    assert page.headers["Content-Language"] == "fr"
    assert "Pérou" in page.content.decode()


def test_the_mission_of_the_state_under_review_sees_what_others_see_and_may_ask_for_the_floor(client, kenya, brazil):
    own, other = (rows_of(client.get(path)) for _invitation, path in (kenya, brazil))
    assert [state for state, _cells in own] == [state for state, _cells in other]
    assert "take the floor" in own[0][1]
    assert "take the floor" not in other[0][1]
    assert own[1:] == other[1:]
    without_the_line = re.sub(r"This meeting concerns your own State.*", "", own[0][1])
    without_a_question = other[0][1].replace("Private question to the panel Private question to the panel on Kenya", "")
    assert without_the_line.strip() == without_a_question.strip()


def rows_of(response):
    """(State, text of its row) of the table of meetings."""
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', response.content.decode(), re.S)
    return [tuple(" ".join(re.sub(r"<[^>]+>", " ", part).split()) for part in row) for row in rows]


# --- Links -----------------------------------------------------------------------------------------------------------


def test_an_unknown_an_altered_a_revoked_and_an_expired_link_get_one_same_page(client, staff, kenya, series):
    invitation, path = kenya
    token = path.split("/")[-2]
    altered = token[:-1] + ("A" if token[-1] != "A" else "B")
    paths = [path.replace(token, other) for other in ("x", "a" * 43, altered)]
    pages = [client.get(one) for one in paths]
    with time_machine.travel(geneva(date(2026, 6, 15)), tick=False):
        pages.append(client.get(path))
    invitation.close_links(by=staff, now=EARLY, reason="forwarded to a list")
    pages.append(client.get(path))
    assert {page.status_code for page in pages} == {404}
    assert len({re.sub(r'/invitation/[^"]*', "", page.content.decode()) for page in pages}) == 1
    assert "write to" in pages[0].content.decode()
    assert "no-store" in pages[0]["Cache-Control"]


def test_a_link_opens_until_30_days_after_the_working_group(client, brazil):
    last_moment = geneva(date(2026, 6, 15)) - timedelta(seconds=1)
    with time_machine.travel(last_moment, tick=False):
        assert client.get(brazil[1]).status_code == 200


def test_while_the_working_groups_dates_are_unknown_a_link_does_not_expire(client, series, brazil):
    series.session.starts_on = series.session.ends_on = None
    series.session.save()
    with time_machine.travel(EARLY + timedelta(days=900), tick=False):
        assert client.get(brazil[1]).status_code == 200


def test_a_link_made_after_the_others_were_closed_opens(client, staff, brazil):
    brazil[0].close_links(by=staff, now=EARLY)
    assert client.get(open_link(brazil[0])).status_code == 200


# --- GET and HEAD change nothing -------------------------------------------------------------------------------------


def test_fetching_a_page_changes_nothing_but_the_list_of_visits(client, kenya, brazil):
    client.post(brazil[1], answers(brazil[0], KE="in_person"))
    before = dump()
    for path in (kenya[1], brazil[1], brazil[1] + "KE.ics"):
        for _ in range(3):
            assert client.get(path).status_code == 200
            assert client.head(path).status_code == 200
    assert dump() == before
    assert LinkVisit.objects.count() == 18


def test_a_head_request_is_noted_as_what_may_be_a_mail_filter(client, brazil):
    client.head(brazil[1])
    client.get(brazil[1])
    assert list(LinkVisit.objects.order_by("pk").values_list("method", "maybe_filter")) == [
        ("HEAD", True),
        ("GET", False),
    ]


# --- One button saves everything -------------------------------------------------------------------------------------


def test_one_post_saves_the_answers_the_delegates_and_the_note(client, kenya):
    invitation, path = kenya
    delegates = [("Joy Canary", "First Secretary", ""), ("Tom Canary", "", "PE")]
    asked = answers(invitation, KE="in_person", PE="online", floor_KE="on", note="We need a ramp.", delegates=delegates)
    assert client.post(path, asked).status_code == 302
    replies = {reply.meeting.state.pk: (reply.answer, reply.wants_floor) for reply in Reply.objects.all()}
    assert replies == {"KE": ("in_person", True), "PE": ("online", False)}
    people = {
        person.name: (person.function, person.meeting and person.meeting.state.pk) for person in Delegate.objects.all()
    }
    assert people == {"Joy Canary": ("First Secretary", None), "Tom Canary": ("", "PE")}
    invitation.refresh_from_db()
    assert (invitation.note, invitation.answered_at, invitation.version) == ("We need a ramp.", EARLY, 1)


def test_what_was_saved_stands_on_the_page_and_can_be_changed(client, brazil):
    invitation, path = brazil
    client.post(path, answers(invitation, KE="in_person", delegates=[("Joy Canary", "", "")]))
    page = client.get(path).content.decode()
    assert "We have your Mission’s answers" in page
    assert "Joy Canary" in page
    assert re.search(r'value="in_person"[^>]*checked', page)
    client.post(path, answers(invitation, KE="no"))
    assert Reply.objects.get().answer == "no"
    assert not Delegate.objects.exists()


def test_it_says_how_many_meetings_are_still_open_and_until_when_answers_can_be_changed(client, brazil):
    invitation, path = brazil
    fresh = " ".join(client.get(path).content.decode().split())
    assert fresh.index("You can change your answers here until each meeting starts.") < fresh.index("Save our answers")
    assert "without an answer" not in fresh
    client.post(path, answers(invitation, KE="in_person"))
    assert "2 meetings are still without an answer." in client.get(path).content.decode()
    client.post(path, answers(invitation, PE="no", NP="undecided"))
    assert "without an answer" not in client.get(path).content.decode()


def test_who_saves_without_a_choice_is_told_so(client, brazil):
    invitation, path = brazil
    words = "Nothing was chosen yet, so there is nothing to save."
    assert words in client.post(path, answers(invitation), follow=True).content.decode()
    assert not Letter.objects.exists()
    for _time in range(2):  # what was saved already is not nothing
        page = client.post(path, answers(invitation, KE="in_person"), follow=True).content.decode()
        assert words not in page


def test_earlier_answers_stay_in_the_trail(client, brazil):
    invitation, path = brazil
    for answer in ("undecided", "in_person"):
        client.post(path, answers(invitation, KE=answer))
    history = Event.objects.about(Reply.objects.get())
    assert [event.code for event in history] == ["undecided", "in_person"]


def test_the_same_answers_sent_twice_are_saved_and_confirmed_once(client, brazil):
    invitation, path = brazil
    asked = answers(invitation, KE="in_person")
    assert [client.post(path, asked).status_code for _ in range(2)] == [302, 302]
    invitation.refresh_from_db()
    assert invitation.version == 1
    assert Letter.objects.filter(kind="reply_confirmed").count() == 1


def test_the_confirmation_says_what_was_answered_with_a_link_to_each_calendar_entry_and_names_nobody(client, brazil):
    invitation, path = brazil
    client.post(path, answers(invitation, KE="in_person", PE="no", delegates=[("Joy Canary", "", "")]))
    letter = Letter.objects.get(kind="reply_confirmed")
    text = body_of(letter)
    assert "Your answer: In person" in text
    assert "1 delegate is named" in text
    assert "Canary" not in text
    entry = re.search(r"http://\S+KE\.ics", text).group()
    assert "PE.ics" not in text
    assert b"BEGIN:VEVENT" in client.get("/" + entry.split("/", 3)[3]).content


def test_a_mission_without_a_valid_address_can_answer_all_the_same(client, brazil):
    brazil[0].mission.addresses.all().delete()
    assert client.post(brazil[1], answers(brazil[0], KE="in_person")).status_code == 302
    assert not Letter.objects.exists()


def test_the_floor_is_asked_for_by_those_who_come(client, kenya):
    response = client.post(kenya[1], answers(kenya[0], KE="no", floor_KE="on"))
    assert response.status_code == 422
    assert "To take the floor at the meeting on Kenya" in response.content.decode()
    assert not Reply.objects.exists()


def test_the_wish_for_the_floor_reaches_the_panel_and_so_does_its_end(client, kenya):
    client.post(kenya[1], answers(kenya[0], KE="in_person", PE="online"))
    assert not Panel.objects.exists()
    client.post(kenya[1], answers(kenya[0], KE="in_person", floor_KE="on"))
    assert list(Panel.objects.values_list("meeting__state_under_review__state", "floor_wanted", "floor_minutes")) == [
        ("KE", True, 2)
    ]
    client.post(kenya[1], answers(kenya[0], KE="in_person"))
    assert list(Panel.objects.values_list("floor_wanted", "floor_minutes")) == [(False, 0)]


def test_the_floor_belongs_to_the_state_under_review(client, brazil):
    client.post(brazil[1], answers(brazil[0], KE="in_person", floor_KE="on"))
    assert Reply.objects.get().wants_floor is False


def test_a_delegates_line_without_a_name_is_pointed_at_and_nothing_typed_is_lost(client, brazil):
    response = client.post(brazil[1], answers(brazil[0], KE="online", note="Ramp", delegates=[("", "Attaché", "")]))
    page = response.content.decode()
    assert response.status_code == 422
    assert "Enter the delegate’s name" in page
    assert "Attaché" in page
    assert "Ramp" in page
    assert not Reply.objects.exists()


def test_an_answer_that_is_none_of_the_four_is_refused(client, brazil):
    assert client.post(brazil[1], answers(brazil[0], KE="perhaps")).status_code == 422


def test_a_post_without_the_forms_secret_is_refused(brazil):
    assert Client(enforce_csrf_checks=True).post(brazil[1], answers(brazil[0], KE="no")).status_code == 403


# --- Two people of one mission ---------------------------------------------------------------------------------------


def test_a_colleagues_answers_are_not_overwritten_unseen(client, brazil):
    invitation, path = brazil
    opened = answers(invitation, KE="no", note="Mine", delegates=[("Tom Canary", "", "")])
    client.post(path, answers(invitation, KE="in_person", note="Hers", delegates=[("Joy Canary", "", "")]))
    response = client.post(path, opened)
    page = response.content.decode()
    assert response.status_code == 409
    assert Reply.objects.get().answer == "in_person"
    for words in ("A colleague of your Mission saved other answers", "Saved by your colleague: In person"):
        assert words in page
    for words in ("Mine", "Hers", "Tom Canary", "Joy Canary"):
        assert words in page
    assert re.search(r'value="no"[^>]*checked', page)


def test_saving_again_after_having_seen_both_counts(client, brazil):
    invitation, path = brazil
    opened = answers(invitation, KE="no")
    client.post(path, answers(invitation, KE="in_person"))
    page = client.post(path, opened).content.decode()
    version = re.search(r'name="version" value="(\d+)"', page).group(1)
    assert client.post(path, {**opened, "version": version}).status_code == 302
    assert Reply.objects.get().answer == "no"


def test_a_delegate_whom_a_colleague_named_meanwhile_too_stays_named(client, brazil):
    invitation, path = brazil
    asked = answers(invitation, KE="in_person", delegates=[("Joy Canary", "Attaché", "")])
    client.post(path, asked)
    assert client.post(path, {**asked, "version": 1, "note": "One more thing."}).status_code == 302
    assert Delegate.objects.get().name == "Joy Canary"


def test_a_refused_save_stands_in_the_trail(client, brazil):
    invitation, path = brazil
    opened = answers(invitation, KE="no")
    client.post(path, answers(invitation, KE="in_person"))
    client.post(path, opened)
    assert Event.objects.about(invitation).filter(code="answered", refused=True).count() == 1


# --- Once a meeting has begun ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "moment, changed",
    [(geneva(date(2026, 4, 14), 9, 59), True), (geneva(date(2026, 4, 14), 10), False)],
)
def test_an_answer_can_be_changed_until_the_meeting_starts(client, brazil, moment, changed):
    invitation, path = brazil
    client.post(path, answers(invitation, KE="in_person"))
    with time_machine.travel(moment, tick=False):
        client.post(path, answers(invitation, KE="no", PE="online"))
    assert (Reply.objects.get(meeting__state_under_review__state="KE").answer == "no") is changed
    assert Reply.objects.get(meeting__state_under_review__state="PE").answer == "online"


def test_a_late_answer_gets_a_clear_sentence_and_the_others_are_saved(client, brazil):
    with time_machine.travel(geneva(date(2026, 4, 14), 10, 5), tick=False):
        page = client.post(brazil[1], answers(brazil[0], KE="no", PE="online"), follow=True).content.decode()
    assert "The meeting on Kenya takes no more answers" in page
    assert "This meeting has begun" in page
    assert Reply.objects.get().answer == "online"


def test_a_meeting_called_off_takes_no_answers_and_says_so(client, series, brazil):
    meeting = series.meetings().get(state_under_review__state="KE")
    meeting.call_off("too_few", now=EARLY)
    assert "This meeting will not take place." in client.get(brazil[1]).content.decode()


def test_when_all_is_over_the_page_says_so_and_has_no_button(client, series, brazil):
    series.meetings().get(state_under_review__state="NP").call_off("postponed", now=EARLY)
    with time_machine.travel(geneva(date(2026, 4, 17)), tick=False):
        page = client.get(brazil[1]).content.decode()
    assert "answers can no longer be changed" in page
    assert "Save our answers" not in page


# --- Constant cost ---------------------------------------------------------------------------------------------------


def test_the_page_costs_the_same_with_3_and_14_meetings(client, series, brazil, django_assert_num_queries):
    invitation, path = brazil
    client.post(path, answers(invitation, KE="in_person", delegates=[("Joy Canary", "", "KE")]))
    with django_assert_num_queries(11):
        client.get(path)
    for iso2 in ("CL", "CU", "DE", "DK", "EE", "ES", "FI", "GH", "GR", "HU", "IE"):
        CountryMeetingFactory(series=series, state=StateFactory(iso2=iso2))
    people = [(f"Person {number}", "", "PE") for number in range(9)]
    client.post(path, answers(invitation, **dict.fromkeys(("KE", "PE", "CL", "CU", "GH"), "online"), delegates=people))
    with django_assert_num_queries(11):
        client.get(path)
