"""The door list: who came and what was asked, noted on phones that may be without a line, on paper, and set right
afterwards."""

import io
import json
from datetime import date, timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfReader

from applications import agenda, erasure, seat
from applications.models import Agenda
from missions import door, door_list, mailings, work
from missions.models import DoorNote, FloorQuestion, Reply
from presessions import settings as product
from presessions.mail.models import Mailing
from presessions.trail.models import Event, Reason
from presessions.trail.steps import WrongStep
from presessions.upr.dates import geneva
from presessions.upr.models import CountryMeeting
from tests.accounts.factories import StaffFactory
from tests.accounts.logins import forget_proof
from tests.applications.factories import ApplicationFactory, StateCallFactory
from tests.missions.factories import MissionFactory, invite
from tests.upr.factories import CODES, CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db
BEGIN = geneva(date(2026, 4, 14), 10)
NOW = BEGIN + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def kenya():
    return CountryMeetingFactory(state=StateFactory(iso2="KE"), starts_at=BEGIN, room="Room XXI")


@pytest.fixture
def missions(kenya):
    """{code: its key}"""
    found = {iso2: MissionFactory(iso2=iso2).pk for iso2 in ("BR", "CI", "FR", "KE")}
    return {**found, "VA": MissionFactory(observer="VA", name_en="Holy See").pk}


@pytest.fixture
def desk(client):
    client.force_login(StaffFactory(name="Ada Keller"))
    return client


def url(name, *args):
    return reverse(f"admin:missions_{name}", args=args)


def came(kenya, mission, people, *, at=NOW, spoke=False, key=None):
    return door.Came(key or uuid4(), kenya.pk, mission, people, at, spoke)


def stands(kenya):
    return {note.mission.code: note.people for note in DoorNote.objects.filter(meeting=kenya).current()}


def note(kenya, mission, people, *, at=NOW, key=None, **facts):
    """As a phone sends it."""
    facts = {"what": "came", "mission": mission, "people": people, "spoke": False, **facts}
    return {"key": str(key or uuid4()), "meeting": kenya.pk, "at": int(at.timestamp() * 1000), **facts}


def send(browser, *notes, user=None):
    """In the name of whoever is logged in there."""
    posted = {"user": user or browser.session.get("_auth_user_id"), "notes": notes}
    return browser.post(url("door_notes"), json.dumps(posted), content_type="application/json")


def events(kenya, code):
    return list(Event.objects.about(kenya).filter(code=code).values_list("refused", flat=True))


# --- Which note counts ------------------------------------------------------------------------------------------------


def test_the_newest_note_by_the_devices_clock_counts_in_whatever_order_notes_arrive(kenya, missions):
    early, late = (came(kenya, missions["BR"], n, at=NOW - timedelta(minutes=m)) for n, m in ((1, 4), (3, 1)))
    door.keep([late], by=None, now=NOW)
    door.keep([early], by=None, now=NOW)
    assert [note.people for note in DoorNote.objects.current()] == [3]
    assert DoorNote.objects.count() == 2


def test_nobody_says_that_a_mission_is_not_there_after_all(kenya, missions):
    door.keep([came(kenya, missions["BR"], 2, at=BEGIN), came(kenya, missions["FR"], 1)], by=None, now=NOW)
    door.keep([came(kenya, missions["BR"], 0)], by=None, now=NOW)
    assert [one.mission.code for one in DoorNote.objects.came([kenya])] == ["FR"]


def test_what_counts_is_one_query_and_can_be_filtered_by_what_was_noted(kenya, missions, django_assert_num_queries):
    door.keep([came(kenya, missions[code], n, at=BEGIN) for code, n in (("BR", 2), ("FR", 1))], by=None, now=NOW)
    door.keep([came(kenya, missions["BR"], 1)], by=None, now=NOW)
    with django_assert_num_queries(1):
        assert not list(DoorNote.objects.current().filter(people=2))  # the older note does not come back
    assert door_list.totals([kenya.pk]) == {kenya.pk: (2, 2)}


def test_two_notes_of_one_instant_count_in_the_order_in_which_they_were_made(kenya, missions):
    door.keep([came(kenya, missions["BR"], n) for n in (1, 2, 3)], by=None, now=NOW)
    assert stands(kenya) == {"BR": 3}


# --- Without losing or doubling ---------------------------------------------------------------------------------------


def test_the_same_notes_sent_twenty_times_are_kept_once_and_stand_once_in_the_trail(desk, kenya, missions):
    notes = [note(kenya, missions["BR"], 2), note(kenya, missions["FR"], 1)]
    answers = [send(desk, *notes).json() for _ in range(20)]
    assert {tuple(answer["kept"]) for answer in answers} == {tuple(one["key"] for one in notes)}
    assert DoorNote.objects.count() == 2
    assert events(kenya, "door_noted") == [False]


def test_a_key_is_kept_as_it_came_first(desk, kenya, missions):
    key = uuid4()
    send(desk, note(kenya, missions["BR"], 2, key=key), note(kenya, missions["BR"], 9, key=key))
    assert send(desk, note(kenya, missions["BR"], 5, key=key)).json()["kept"] == [str(key)]
    assert stands(kenya) == {"BR": 2}


def test_two_phones_at_one_door_count_a_mission_once(desk, kenya, missions):
    other = Client()
    other.force_login(StaffFactory())
    send(desk, note(kenya, missions["BR"], 2, at=NOW - timedelta(minutes=2)))
    send(other, note(kenya, missions["BR"], 2, at=NOW - timedelta(minutes=1)), note(kenya, missions["FR"], 1))
    assert door_list.of(kenya).missions, door_list.of(kenya).people == (2, 3)
    assert DoorNote.objects.values("by").distinct().count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_same_notes_from_twelve_sides_at_once_are_kept_once(kenya, missions):
    user, gate = StaffFactory(), Barrier(12)
    notes = [came(kenya, missions[code], 1) for code in ("BR", "FR", "VA")]
    problems = []

    def phone():
        try:
            gate.wait()
            problems.extend(door.keep(notes, by=user, now=NOW).refused)
        except Exception as error:
            problems.append(error)
        finally:
            connection.close()

    phones = [Thread(target=phone) for _ in range(12)]
    for one in phones:
        one.start()
    for one in phones:
        one.join()
    assert problems == []
    assert stands(kenya) == {"BR": 1, "FR": 1, "VA": 1}
    assert DoorNote.objects.count() == 3
    assert events(kenya, "door_noted") == [False]


@pytest.mark.parametrize(("minutes", "kept"), [(60 * 24 * 400, NOW), (30, NOW), (-2, NOW - timedelta(minutes=2)),
                                               (-60 * 24 * 30, geneva(date(2026, 4, 14)))])  # fmt: skip
def test_a_devices_clock_can_neither_note_in_the_future_nor_before_the_day(kenya, missions, minutes, kept):
    door.keep([came(kenya, missions["BR"], 1, at=NOW + timedelta(minutes=minutes))], by=None, now=NOW)
    assert DoorNote.objects.get().noted_at == kept
    assert DoorNote.objects.get().received_at == NOW


def test_a_clock_that_is_fast_keeps_the_order_of_its_own_notes(kenya, missions):
    fast = NOW + timedelta(hours=2)
    door.keep([came(kenya, missions["BR"], 1, at=fast)], by=None, now=NOW)
    door.keep([came(kenya, missions["BR"], 2, at=fast + timedelta(seconds=1))], by=None, now=NOW)
    assert stands(kenya) == {"BR": 2}


def test_a_note_that_cannot_be_taken_says_why_and_stops_no_other(desk, kenya, missions):
    wrong = [
        note(kenya, missions["BR"], 99),
        note(kenya, 987654, 1),
        note(kenya, missions["BR"], 1, meeting=987654),
        note(kenya, missions["BR"], "many"),
        note(kenya, missions["BR"], 1) | {"at": 1e400},
        note(kenya, missions["BR"], 1) | {"key": "no key"},
        {"key": str(uuid4())},
    ]
    answer = send(desk, *wrong, note(kenya, missions["FR"], 1)).json()
    assert answer["refused"].keys() == {one["key"] for one in wrong}
    assert "0 to 40" in answer["refused"][wrong[0]["key"]]
    assert stands(kenya) == {"FR": 1}
    assert events(kenya, "door_noted") == [True, False]


@pytest.mark.parametrize(
    ("held", "becomes"),
    [
        ({"words": "Why \ud83d?"}, "Why ??"),
        ({"words": "Why\x00?"}, "Why?"),
        ({"words": "é" * 3000}, "é" * door.MOST_WORDS),
        ({"words": ["no words"]}, None),
        ({"key": "\ud800"}, None),
        ({"key": ["no key"]}, None),
        ({"to": "1.\ud800"}, "Why?"),
        ({"to": "9999999.1"}, "Why?"),
        ({"to": "999999.1"}, "Why?"),
        ({"mission": 2**70}, None),
        ({"mission": float("inf")}, None),
        ({"mission": 2**31 - 1}, None),
        ({"meeting": 2**31 - 1}, None),
        ({"at": float("nan")}, None),
        ({"at": 10**400}, None),
        ({"at": -62_135_596_800_000}, "Why?"),
        ({"what": "taken_back", "question": "\x00"}, None),
        ({"what": "came", "people": 10**4000}, None),
        ({"what": "came", "people": "1" * 5000}, None),
        ({"what": ["came"]}, None),
    ],
    ids=lambda one: None if one is None else ascii(one)[:40],
)
def test_nothing_that_one_note_holds_stops_the_others(desk, kenya, missions, held, becomes):
    """A phone sends its notes again until each is kept or refused: one that no answer settled would hold all up."""
    strange = {**note(kenya, missions["FR"], 0), "what": "asked", "words": "Why?", "to": "", **held}
    before, after = note(kenya, missions["BR"], 1), note(kenya, missions["CI"], 2)
    answer = send(desk, before, strange, after)
    said = answer.json()
    assert answer.status_code == 200
    assert stands(kenya) == {"BR": 1, "CI": 2}
    assert len(said["kept"]) + len(said["refused"]) == 3
    assert [one.words for one in FloorQuestion.objects.all()] == ([] if becomes is None else [becomes])


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 500 + "]" * 500], ids=["long", "deep"])
def test_nor_does_a_number_that_cannot_be_read_at_all(desk, kenya, missions, value):
    notes = [{**note(kenya, missions["FR"], 0), "people": "VALUE", "words": "VALUE"}, note(kenya, missions["BR"], 1)]
    posted = json.dumps({"user": desk.session["_auth_user_id"], "notes": notes}).replace('"VALUE"', value)
    answer = desk.post(url("door_notes"), posted, content_type="application/json")
    assert [*answer.json()["refused"]] == [notes[0]["key"]]
    assert stands(kenya) == {"BR": 1}


@pytest.mark.parametrize("body", ["", "[]", '{"notes": [], "user": ', "\x00", '{"notes": null}'])
def test_what_cannot_be_read_is_answered_by_400(desk, body):
    assert desk.post(url("door_notes"), body, content_type="application/json").status_code == 400


@pytest.mark.parametrize("notes", [3, [1], [{}] * 201])
def test_what_is_no_list_of_notes_is_answered_by_400(desk, notes):
    posted = json.dumps({"user": desk.session["_auth_user_id"], "notes": notes})
    assert desk.post(url("door_notes"), posted, content_type="application/json").status_code == 400


def test_nobody_hands_in_what_somebody_else_has_noted(desk, kenya, missions):
    """As from a page that the phone had kept, once another person has logged in on it."""
    assert send(desk, note(kenya, missions["BR"], 1), user=StaffFactory().pk).status_code == 409
    assert not DoorNote.objects.exists()


# --- When -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "words"),
    [("2026-04-13 23:59:59+02:00", "from the day of the meeting on"), ("2026-04-14 00:00:00+02:00", "")],
)
def test_the_list_opens_with_the_day_of_the_meeting_in_geneva(desk, clock, kenya, missions, moment, words):
    clock.move_to(moment)
    refused = send(desk, note(kenya, missions["BR"], 1)).json()["refused"]
    assert [words in one for one in refused.values()] == ([True] if words else [])
    page = desk.get(url("door", kenya.pk)).content.decode()
    assert words in page and ("All is noted." in page) == (not words)


def test_nothing_is_noted_about_a_meeting_that_is_not_held_or_whose_series_is_closed(desk, kenya, missions):
    type(kenya.series).objects.filter(pk=kenya.series.pk).update(closed_at=NOW)
    assert "closed" in str(send(desk, note(kenya, missions["BR"], 1)).json()["refused"])
    CountryMeeting.objects.get(pk=kenya.pk).call_off("postponed", now=NOW, announce=False)
    assert "not held" in str(send(desk, note(kenya, missions["BR"], 1)).json()["refused"])
    assert not DoorNote.objects.exists()


def test_a_phone_that_finds_its_line_days_later_still_hands_its_notes_in(desk, clock, kenya, missions):
    clock.shift(timedelta(days=4))
    desk.force_login(StaffFactory())
    assert send(desk, note(kenya, missions["BR"], 2)).json()["refused"] == {}
    assert DoorNote.objects.get().noted_at == NOW


# --- The page ---------------------------------------------------------------------------------------------------------


def test_the_own_state_comes_first_then_who_said_so_then_everybody(desk, kenya, missions):
    for code, answer in (("FR", "in_person"), ("BR", "no"), ("KE", "online")):
        Reply.objects.create(
            invitation=invite(code, series=kenya.series)[0], meeting=kenya, answer=answer, at=NOW,
            wants_floor=code == "KE",
        )  # fmt: skip
    found = door_list.of(kenya)
    assert (found.own.mission.code, found.own.wants_floor) == ("KE", True)
    assert [line.mission.code for line in found.expected] == ["FR"]
    assert [line.mission.code for line in found.others] == ["BR", "CI", "VA"]
    shown = desk.get(url("door", kenya.pk))
    assert shown["X-Door-List"] == "keep"
    assert "wishes to take the floor" in shown.content.decode()


def test_without_a_script_each_button_is_a_note_and_pressing_it_again_changes_nothing(desk, kenya, missions):
    pressed = {"nonce": "of one page", "note": f"{missions['KE']} 2 1"}
    for _ in range(3):
        answer = desk.post(url("door", kenya.pk), pressed)
        assert answer.url == f"{url('door', kenya.pk)}#m-{missions['KE']}"
    (standing,) = DoorNote.objects.all()
    assert (standing.people, standing.spoke, standing.by.name) == (2, True, "Ada Keller")
    desk.post(url("door", kenya.pk), {"nonce": "of the next page", "note": f"{missions['KE']} 0 1"})
    (standing,) = DoorNote.objects.current()
    assert (standing.people, standing.spoke) == (0, False)  # who is not there has not spoken


def test_without_a_script_two_questions_of_one_page_are_two_and_one_pressed_twice_is_one(desk, kenya, missions):
    """Whoever goes back to the page sends its nonce again."""
    first = {"nonce": "of one page", "mission": missions["FR"], "to": "", "words": "Why?"}
    others = [{**first, "words": "And then?"}, {**first, "mission": missions["BR"]}, {**first, "mission": ""}]
    for asked in [first, first, *others, *others]:
        desk.post(url("door", kenya.pk), asked)
    found = [(one.mission and one.mission.code, one.words) for one in FloorQuestion.objects.order_by("pk")]
    assert found == [("FR", "Why?"), ("FR", "And then?"), ("BR", "Why?"), (None, "Why?")]


def test_a_mission_is_found_by_its_name_in_both_languages_of_the_desk_and_by_its_code(missions, kenya):
    (ivory,) = [line for line in door_list.of(kenya).lines if line.mission.code == "CI"]
    assert ivory.sought == "cote divoire | ci"
    (holy,) = [line for line in door_list.of(kenya).lines if line.mission.code == "VA"]
    assert holy.sought == "holy see | va"


def test_the_page_costs_the_same_for_four_missions_and_for_forty(desk, kenya, missions):
    def cost(name):
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(url(name, kenya.pk)).status_code == 200
        return len(queries)

    names = ("door", "door_state", "door_paper", "door_correct")
    door.keep([came(kenya, missions["BR"], 1)], by=StaffFactory(), now=NOW)
    few = {name: cost(name) for name in names}
    for iso2 in CODES[:40]:
        mission = MissionFactory(iso2=iso2)
        Reply.objects.get_or_create(
            invitation=invite(mission, series=kenya.series)[0],
            meeting=kenya,
            defaults={"answer": "in_person", "at": NOW},
        )
        door.keep([came(kenya, mission.pk, 2)], by=StaffFactory(), now=NOW)
    assert {name: cost(name) for name in names} == few


def test_the_first_page_shows_today_first_and_keeps_those_lists_on_the_phone(desk, kenya, missions):
    peru = CountryMeetingFactory(state=StateFactory(iso2="PE"), starts_at=BEGIN + timedelta(days=1))
    door.keep([came(kenya, missions["BR"], 2)], by=None, now=NOW)
    shown = desk.get(url("doors"))
    assert [line["meeting"] for line in shown.context["today"]] == [kenya]
    assert [line["meeting"] for line in shown.context["others"]] == [peru]
    assert shown.context["addresses"] == [url("doors"), url("door", kenya.pk)]
    assert "1 mission, 2 people" in " ".join(shown.content.decode().split())


def test_the_page_names_no_delegate(desk, kenya, missions):
    invitation, _path = invite("FR", series=kenya.series)
    Reply.objects.create(invitation=invitation, meeting=kenya, answer="in_person", at=NOW)
    invitation.delegates.create(name="Amélie Secret", function="Attachée", position=1)
    for name in ("door", "door_paper", "door_correct"):
        text = desk.get(url(name, kenya.pk)).content.decode()
        assert "Secret" not in text
    assert [line.announced for line in door_list.of(kenya).expected] == [1]


def test_a_phone_whose_log_in_is_locked_is_answered_by_no_json_and_nothing_is_kept(
    settings, desk, clock, kenya, missions
):
    settings.STAFF_IDLE = product.STAFF_IDLE
    clock.shift(timedelta(minutes=31))
    locked = send(desk, note(kenya, missions["BR"], 1))
    assert not locked["Content-Type"].startswith("application/json")
    assert send(Client(), note(kenya, missions["BR"], 1)).status_code == 302
    assert not DoorNote.objects.exists()
    desk.force_login(StaffFactory())
    forget_proof(desk)  # the door asks for no fresh proof
    assert send(desk, note(kenya, missions["BR"], 1)).json()["refused"] == {}


def test_a_reader_does_not_stand_at_the_door(client, kenya, missions):
    reader = StaffFactory(is_superuser=False)
    reader.groups.add(Group.objects.get(name="Reader"))
    client.force_login(reader)
    assert client.get(url("door", kenya.pk)).status_code == 403
    assert send(client, note(kenya, missions["BR"], 1)).status_code == 403


def test_the_worker_rules_only_what_lies_beside_it(desk):
    script = desk.get(url("door_worker"))
    assert script["Content-Type"].startswith("text/javascript")
    assert url("door_worker").startswith(url("doors"))
    assert "Service-Worker-Allowed" not in script


# --- Questions --------------------------------------------------------------------------------------------------------


@pytest.fixture
def panel(kenya):
    """A speaker who may be named, and one at risk, on a published agenda."""
    state_call = StateCallFactory(meeting=kenya)
    named, hidden = (ApplicationFactory(state_call=state_call, confirmed=True) for _ in range(2))
    for one in (named, hidden):
        seat.publish_again(one, {"name", "organisation"}, now=BEGIN - timedelta(days=7))
    type(hidden).objects.filter(pk=hidden.pk).update(at_risk=True)
    items = [{"what": "speaker", "minutes": 7, "reference": one.reference} for one in (named, hidden)]
    content = {"starts_at": BEGIN.isoformat(), "minutes": 60, "place": "", "items": items}
    Agenda.objects.create(meeting=kenya, number=1, content=content, published_at=NOW)
    return named, hidden


def ask(kenya, mission, to="", words="", key=None):
    return note(kenya, mission, 0, key=key) | {"what": "asked", "to": to, "words": words}


def test_a_question_is_noted_by_mission_and_panel_member_and_taken_back(desk, kenya, missions, panel):
    asked = ask(kenya, missions["BR"], "1.1", "What of  prisons?\n")
    send(desk, asked, ask(kenya, None))
    first, second = FloorQuestion.objects.all()
    assert (first.mission_id, first.to, first.words) == (missions["BR"], panel[0], "What of prisons?")
    assert (second.mission, second.to) == (None, None)
    back = note(kenya, None, 0) | {"what": "taken_back", "question": asked["key"]}
    assert [send(desk, back).json()["kept"] for _ in range(2)] == [[back["key"]]] * 2
    assert [one["words"] for one in door_list.asked_at(kenya)] == [""]
    assert events(kenya, "door_noted") == [False, False]


def test_the_panel_is_offered_as_the_public_page_names_it(desk, kenya, missions, panel):
    labels = [one.label for one in door_list.panel_of(kenya)]
    assert labels[0].startswith(f"1. {panel[0].name_latin or panel[0].name}")
    assert labels[1] == "2. A national CSO"
    text = desk.get(url("door", kenya.pk)).content.decode()
    assert not [one for one in panel if one.reference in text]


def test_while_nothing_is_published_a_question_goes_to_the_whole_panel(desk, kenya, missions, panel):
    Agenda.objects.all().delete()
    send(desk, ask(kenya, missions["BR"], "1.1"))
    assert door_list.panel_of(kenya) == []
    assert FloorQuestion.objects.get().to is None


def test_a_page_from_before_a_new_agenda_still_means_who_stood_in_that_place(desk, kenya, missions, panel):
    content = Agenda.objects.get().content
    Agenda.objects.create(
        meeting=kenya, number=2, content=content | {"items": content["items"][::-1]}, published_at=NOW
    )
    send(desk, ask(kenya, missions["BR"], "1.1"), ask(kenya, missions["BR"], "2.1"))
    assert [one.to for one in FloorQuestion.objects.all()] == list(panel)


def test_the_moderator_reads_afterwards_what_was_asked(desk, kenya, missions, panel):
    send(desk, ask(kenya, missions["BR"], "1.2", "What of prisons?"))
    sheet = " ".join(desk.get(reverse("admin:applications_sheet", args=[kenya.pk])).content.decode().split())
    assert "Asked from the floor" in sheet
    assert "Brazil → 2. A national CSO" in sheet
    assert "What of prisons?" in sheet
    assert "What of prisons?" in desk.get(url("door_correct", kenya.pk)).content.decode()


def test_the_page_of_the_meeting_says_who_came_and_what_was_asked(desk, kenya, missions, panel):
    send(desk, note(kenya, missions["BR"], 2), ask(kenya, missions["BR"], "1.1", "What of prisons?"))
    page = desk.get(reverse("admin:upr_countrymeeting_change", args=[kenya.pk])).content.decode()
    assert "<strong>1</strong> mission came, <strong>2</strong> people" in " ".join(page.split())
    assert "What of prisons?" in page
    assert url("door", kenya.pk) in page


def test_a_question_to_somebody_who_is_erased_loses_its_words(desk, kenya, missions, panel):
    send(desk, ask(kenya, missions["BR"], "1.1", "Is it true, Ms Wanjiru?"))
    erasure.erase(panel[0], now=NOW)
    assert FloorQuestion.objects.get().words == ""
    assert [one["to"] for one in door_list.asked_at(kenya)] == ["1. A speaker to be announced"]


# --- On paper ---------------------------------------------------------------------------------------------------------


def test_on_paper_every_mission_has_a_box(desk, kenya, missions):
    text = desk.get(url("door_paper", kenya.pk)).content.decode()
    assert text.count('class="box"') == len(missions)
    file = desk.get(url("door_paper_file", kenya.pk))
    assert file["Content-Disposition"] == 'attachment; filename="door-54-KE.pdf"'
    words = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(file.content)).pages)
    for name in ("Kenya", "Brazil", "Côte d'Ivoire", "Holy See", "took the floor: yes / no"):
        assert name in words
    assert events(kenya, "door_list_downloaded") == [False]


def test_the_whole_register_takes_a_few_sheets(desk, kenya):
    for iso2 in CODES:
        MissionFactory(iso2=iso2, email=None)
    pages = PdfReader(io.BytesIO(desk.get(url("door_paper_file", kenya.pk)).content)).pages
    assert len(pages) <= 4


# --- Afterwards -------------------------------------------------------------------------------------------------------


def correct(desk, kenya, **posted):
    return desk.post(url("door_correct", kenya.pk), {"reason": "Counted twice.", **posted}, follow=True)


def test_staff_set_right_what_was_noted_and_say_why(desk, clock, kenya, missions):
    brazil, kenyan = missions["BR"], missions["KE"]
    door.keep([came(kenya, brazil, 4), came(kenya, kenyan, 2)], by=None, now=NOW)
    clock.shift(timedelta(minutes=20))
    posted = {f"was-{brazil}": "4 0", f"people-{brazil}": "2", f"was-{kenyan}": "2 0", f"people-{kenyan}": "2",
              f"spoke-{kenyan}": "on", "more": missions["FR"], "more_people": "1"}  # fmt: skip
    assert "3 missions are set right." in correct(desk, kenya, **posted).content.decode()
    assert stands(kenya) == {"BR": 2, "KE": 2, "FR": 1}
    assert DoorNote.objects.current().get(mission=kenyan).spoke
    assert DoorNote.objects.count() == 5  # what was noted before stays
    assert events(kenya, "door_corrected") == [False]
    assert Reason.objects.get(event__code="door_corrected").text == "Counted twice."


def test_a_line_that_staff_did_not_touch_keeps_what_a_phone_noted_meanwhile(desk, kenya, missions):
    brazil = missions["BR"]
    door.keep([came(kenya, brazil, 1, at=BEGIN)], by=None, now=NOW)
    seen = {f"was-{brazil}": "1 0", f"people-{brazil}": "1"}
    door.keep([came(kenya, brazil, 3)], by=None, now=NOW)
    assert "Nothing was different" in correct(desk, kenya, **seen).content.decode()
    assert stands(kenya) == {"BR": 3}


@pytest.mark.parametrize(
    ("posted", "words"),
    [({"reason": "  "}, "Say why"), ({"more_people": "99"}, "0 to 40"), ({"more_people": "-1"}, "0 to 40")],
)
def test_a_correction_that_cannot_be_made_says_so_and_changes_nothing(desk, kenya, missions, posted, words):
    answer = correct(desk, kenya, **{"more": missions["FR"], "more_people": "1", **posted})
    assert words in answer.content.decode()
    assert not DoorNote.objects.exists()


@pytest.mark.parametrize("more", ["99999", "99999999999999999999", "²", "no number", "-1", "\x00"])
@pytest.mark.parametrize("field", ["more", "was"])
def test_a_mission_that_is_not_in_the_register_is_not_set_right(desk, kenya, missions, more, field):
    typed = {"more": more, "more_people": "1"} if field == "more" else {f"was-{more}": "0 0", f"people-{more}": "1"}
    answer = desk.post(url("door_correct", kenya.pk), {"reason": "Counted.", **typed}, follow=True)
    assert "This mission is no longer in the register." in answer.content.decode()
    assert not DoorNote.objects.exists()


def test_a_refused_correction_stands_in_the_trail(kenya, missions):
    with pytest.raises(WrongStep, match="Say why"):
        door.correct(kenya, {missions["FR"]: (1, False)}, reason="", by=None, now=NOW)
    assert events(kenya, "door_corrected") == [True]


# --- Who is thanked ---------------------------------------------------------------------------------------------------


def thanked(series):
    mailing = Mailing.objects.create(kind="thanks_missions", series=series, anchor="last_meeting")
    found = {recipient.id for recipient in mailings.thanks_to_missions(mailing)}
    assert work.of_those_who_came([mailing]) == {mailing.pk: len(found)}
    mailing.delete()
    return found


def test_thanks_go_to_who_came_and_while_nothing_is_noted_to_who_had_said_so(kenya, missions):
    Reply.objects.create(invitation=invite("FR", series=kenya.series)[0], meeting=kenya, answer="in_person", at=NOW)
    assert thanked(kenya.series) == {str(missions["FR"])}
    door.keep([came(kenya, missions["BR"], 2), came(kenya, missions["VA"], 0)], by=None, now=NOW)
    assert thanked(kenya.series) == {str(missions["BR"])}
    other = CountryMeetingFactory(state=StateFactory(iso2="PE"), starts_at=BEGIN)
    door.keep([came(other, missions["FR"], 1)], by=None, now=NOW)
    assert thanked(kenya.series) == {str(missions["BR"]), str(missions["FR"])}
    CountryMeeting.objects.get(pk=other.pk).call_off("postponed", now=NOW, announce=False)
    assert thanked(kenya.series) == {str(missions["BR"])}


def test_an_agenda_is_read_here_as_it_is_there(kenya, panel):
    (version,) = kenya.agendas.all()
    lines = [line.reference for line in agenda.lines(version.content, None) if line.number]
    assert [door_list.speaker_of(kenya, f"1.{n}") for n in (1, 2, 3)] == [*lines, ""]
    assert [door_list.speaker_of(kenya, code) for code in ("", "x.1", "1", "9.1", "1.1.1", "²·1")] == [""] * 6
