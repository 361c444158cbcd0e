"""Another room or link is news too; and of several changes in one save each mission gets one letter."""

from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.models import Call
from missions import meetings, not_told, together
from missions.models import Reply
from presessions.mail import registry, schedule
from presessions.mail.models import Letter
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import geneva
from presessions.upr.models import Series
from tests.accounts.factories import StaffFactory
from tests.applications.factories import ApplicationFactory
from tests.mail.letters import body_of, message_of
from tests.missions.factories import MissionFactory, invite
from tests.missions.test_admin import series_form
from tests.upr.dialogue import post
from tests.upr.factories import CODES, SessionFactory, StateFactory, StateUnderReviewFactory

pytestmark = pytest.mark.django_db
SET_UP = datetime(2026, 1, 5, 9, tzinfo=UTC)
NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
TUESDAY, WEDNESDAY = (geneva(date(2026, 4, day), 10) for day in (14, 15))
MOVED, TO_MISSIONS, SEVERAL = "meeting_moved", "mission_meeting_moved", "mission_meetings"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def desk(client):
    client.force_login(StaffFactory())
    return client


@pytest.fixture
def series():
    session = SessionFactory()
    for iso2 in ("KE", "PE", "TR"):
        StateUnderReviewFactory(session=session, state=StateFactory(iso2=iso2))
    series = Series.open_for(
        session, now=SET_UP, first_day=date(2026, 4, 14), last_day=date(2026, 4, 16), venue="Palais des Nations"
    )
    for number, iso2 in enumerate(("KE", "PE", "TR")):
        starts_at = TUESDAY + timedelta(hours=2 * number)
        about(series, iso2).reschedule(now=SET_UP, starts_at=starts_at, room="Room XXI")
    Call.open_for(series, opens_at=SET_UP, closes_at=geneva(date(2026, 3, 10)), now=SET_UP)
    return series


def about(series, iso2):
    return series.meetings().with_state().get(state_under_review__state=iso2)


def answered(series, iso2, language="en", **answers):
    """A mission's key, as letters have it."""
    mission = MissionFactory(iso2=iso2, language=language)
    invitation, _path = invite(mission, series=series)
    for state, answer in answers.items():
        Reply.objects.create(invitation=invitation, meeting=about(series, state), answer=answer, at=NOW)
    return str(mission.pk)


def speaker(series, iso2, status="accepted"):
    state_call = series.call.state_calls.with_state().get(meeting=about(series, iso2))
    return ApplicationFactory(state_call=state_call, **{status: True}).reference


def told(kind):
    return set(Letter.objects.filter(kind=kind).values_list("recipient_id", flat=True))


def entries_of(letter):
    """{State: its entry} of the file in a letter."""
    [part] = [part for part in message_of(letter).walk() if part.get_content_type() == "text/calendar"]
    found = icalendar.Calendar.from_ical(part.get_content()).walk("VEVENT")
    return {str(event["url"]).split("/")[-2]: event for event in found}


# --- Another room -----------------------------------------------------------------------------------------------------


def test_of_another_room_those_hear_who_come_or_may(series):
    seated, _waiting = speaker(series, "KE"), speaker(series, "KE", "submitted")
    coming, undecided = answered(series, "BR", KE="in_person"), answered(series, "FR", KE="undecided")
    answered(series, "SN", KE="no")
    answered(series, "TG", PE="in_person")
    meetings.move(about(series, "KE"), TUESDAY, by=None, now=NOW, room="Room XX")
    assert told(MOVED) == {seated}
    assert told(TO_MISSIONS) == {coming, undecided}
    assert about(series, "KE").starts_at == TUESDAY


def test_its_letters_say_that_the_hour_stays_and_where_it_is_now(series):
    speaker(series, "KE")
    answered(series, "BR", KE="in_person")
    before = about(series, "KE").sequence
    meetings.move(about(series, "KE"), TUESDAY, by=None, now=NOW, room="Room XX")
    to_speaker, to_mission = Letter.objects.get(kind=MOVED), Letter.objects.get(kind=TO_MISSIONS)
    assert to_speaker.subject == "A meeting has another place"
    assert "Its day and hour have not changed." in body_of(to_speaker)
    assert "Where: Room XX, Palais des Nations" in body_of(to_speaker)
    assert "Kenya" not in f"{to_speaker.subject} {body_of(to_speaker)}"
    assert to_mission.subject == "A meeting has another place: Pre-sessions 54 of UPR Info"
    assert "Room XX, Palais des Nations" in body_of(to_mission)
    assert "Previously announced" not in body_of(to_mission)
    entry = entries_of(to_mission)["KE"]
    assert (int(entry["sequence"]), str(entry["location"])) == (before + 1, "Room XX, Palais des Nations")


def test_another_link_is_news_to_missions_and_not_to_speakers(series):
    speaker(series, "KE")
    mission = answered(series, "BR", KE="online")
    meetings.move(about(series, "KE"), TUESDAY, by=None, now=NOW, online_link="https://meet.example.org/54")
    assert (told(MOVED), told(TO_MISSIONS)) == (set(), {mission})
    assert "https://meet.example.org/54" in entries_of(Letter.objects.get(kind=TO_MISSIONS))["KE"]["description"]


def test_hour_and_room_together_are_one_letter(series):
    speaker(series, "KE")
    answered(series, "BR", KE="in_person")
    meetings.move(about(series, "KE"), WEDNESDAY, by=None, now=NOW, room="Room XX")
    assert Letter.objects.filter(kind=MOVED).count() == Letter.objects.filter(kind=TO_MISSIONS).count() == 1
    assert "A meeting has another date" in Letter.objects.get(kind=TO_MISSIONS).subject


def test_the_same_room_again_is_no_change(series):
    with pytest.raises(WrongStep, match="begins at that time already"):
        meetings.move(about(series, "KE"), TUESDAY, by=None, now=NOW, room="Room XXI")


def test_staff_see_it_first_on_the_page_that_moves_a_meeting(desk, series):
    speaker(series, "KE")
    answered(series, "BR", KE="in_person")
    page = reverse("admin:upr_meeting_move", args=[about(series, "KE").pk])
    typed = {"starts_at": "2026-04-14T10:00", "room": "Room XX", "online_link": ""}
    look = desk.post(page, typed)
    assert "A meeting has another place" in look.content.decode()
    assert (about(series, "KE").room, told(MOVED) | told(TO_MISSIONS)) == ("Room XXI", set())
    assert desk.post(page, typed | {"do": look.context["seen"].mark}).status_code == 302
    assert about(series, "KE").room == "Room XX"
    assert (len(told(MOVED)), len(told(TO_MISSIONS))) == (1, 1)


def test_who_was_told_the_hour_and_not_the_room_has_not_been_told(series):
    mission = answered(series, "BR", KE="in_person")
    meetings.move(about(series, "KE"), WEDNESDAY, by=None, now=NOW)
    with pytest.raises(WrongStep, match="nobody to tell"):
        meetings.tell(about(series, "KE"), by=None, now=NOW, only_place=True)
    about(series, "KE").reschedule(now=NOW, room="Room XX")
    meetings.tell(about(series, "KE"), by=None, now=NOW, only_place=True)
    assert Letter.objects.filter(kind=TO_MISSIONS, recipient_id=mission).count() == 2


def test_a_room_corrects_no_date_and_the_page_does_not_say_so(desk, series):
    MissionFactory(iso2="BR")
    schedule.write_due(geneva(date(2026, 3, 17), 9))  # the invitation, with all dates
    page = reverse("admin:upr_meeting_move", args=[about(series, "KE").pk])
    words = "Missions that were told the earlier date"
    typed = {"room": "Room XX", "online_link": ""}
    assert words not in desk.post(page, typed | {"starts_at": "2026-04-14T10:00"}).content.decode()
    assert words in desk.post(page, typed | {"starts_at": "2026-04-15T10:00"}).content.decode()


# --- Several at once --------------------------------------------------------------------------------------------------


def all_change(series):
    """Kenya has another hour, Peru another room, Türkiye is off. Returns their keys."""
    about(series, "KE").reschedule(now=NOW, starts_at=WEDNESDAY)
    about(series, "PE").reschedule(now=NOW, room="Room XX")
    about(series, "TR").call_off("postponed", now=NOW)
    return [about(series, iso2).pk for iso2 in ("KE", "PE", "TR")]


def tell(series, keys):
    return meetings.tell_of_several(series, keys, by=None, now=NOW, only_place=[about(series, "PE").pk])


def test_each_mission_gets_one_letter_about_what_touches_it(series):
    every, two = (
        answered(series, "BR", KE="in_person", PE="online", TR="undecided"),
        answered(series, "FR", KE="no", PE="in_person"),
    )
    one, none = answered(series, "SN", KE="in_person", PE="no", TR="no"), answered(series, "TG", PE="no")
    tell(series, all_change(series))
    assert told(SEVERAL) == {every, two}
    assert told(TO_MISSIONS) == {one}
    assert Letter.objects.filter(recipient_kind="mission").count() == 3
    assert none not in told(SEVERAL)
    letter = Letter.objects.get(kind=SEVERAL, recipient_id=every)
    text = body_of(letter)
    assert letter.subject == "Changes of the programme: Pre-sessions 54 of UPR Info"
    assert [text.count(name) for name in ("Kenya", "Peru", "Türkiye")] == [1, 1, 1]
    assert "Wed 15 April 2026, 10:00 Geneva time" in text
    assert "Room XX, Palais des Nations" in text
    assert "This meeting will not take place." in text
    assert "Türkiye" not in body_of(Letter.objects.get(kind=SEVERAL, recipient_id=two))


def test_its_file_sets_each_entry_right_and_takes_out_what_is_off(series):
    mission = answered(series, "BR", "fr", KE="in_person", PE="online", TR="undecided")
    tell(series, all_change(series))
    found = entries_of(Letter.objects.get(recipient_id=mission))
    assert {iso2: str(one["status"]) for iso2, one in found.items()} == {
        "KE": "CONFIRMED",
        "PE": "CONFIRMED",
        "TR": "CANCELLED",
    }
    for iso2, one in found.items():
        assert (one["uid"].split("@")[0], int(one["sequence"])) == (
            about(series, iso2).uid,
            about(series, iso2).sequence,
        )
    assert "/fr/54/KE/" in found["KE"]["url"]


def test_where_all_are_off_the_file_takes_all_out(series):
    answered(series, "BR", KE="in_person", TR="in_person")
    keys = [about(series, iso2).pk for iso2 in ("KE", "TR")]
    for iso2 in ("KE", "TR"):
        about(series, iso2).call_off("postponed", now=NOW)
    tell(series, keys)
    [part] = [part for part in message_of(Letter.objects.get()).walk() if part.get_content_type() == "text/calendar"]
    assert part.get_param("method") == "CANCEL"


def test_speakers_get_the_letter_about_their_own_meeting(series):
    of_kenya, of_turkiye = speaker(series, "KE"), speaker(series, "TR", "submitted")
    tell(series, all_change(series))
    assert told(MOVED) == {of_kenya}
    assert told("meeting_off") == {of_turkiye}


def test_it_is_told_once_and_after_another_change_again(series):
    answered(series, "BR", KE="in_person", PE="online", TR="undecided")
    keys = all_change(series)
    tell(series, keys)
    with pytest.raises(WrongStep, match="nobody to tell"):
        tell(series, keys)
    about(series, "KE").reschedule(now=NOW, room="Room VII")
    tell(series, keys)
    assert [letter.kind for letter in Letter.objects.order_by("pk")] == [SEVERAL, TO_MISSIONS]
    refused = Event.objects.about(series).filter(code="told").values_list("refused", flat=True)
    assert sorted(refused) == [False, False, True]


def test_a_letter_about_several_counts_where_one_meeting_is_looked_at(series):
    answered(series, "BR", KE="in_person", PE="online")
    tell(series, all_change(series))
    with pytest.raises(WrongStep, match="nobody to tell"):
        meetings.tell(about(series, "KE"), by=None, now=NOW)


def test_sent_again_it_says_what_of_it_still_holds(series):
    answered(series, "BR", KE="in_person", PE="online", TR="undecided")
    tell(series, all_change(series))
    rewrite, letter = registry.KINDS[SEVERAL].rewrite, Letter.objects.get()
    assert [meeting.state.pk for meeting in rewrite(letter).context["changed"]] == ["PE", "TR", "KE"]
    about(series, "PE").reschedule(now=NOW, room="Room VII")
    assert [meeting.state.pk for meeting in rewrite(letter).context["changed"]] == ["TR", "KE"]
    about(series, "KE").reschedule(now=NOW, room="Room VII")
    about(series, "TR").reinstate(now=NOW)
    assert rewrite(letter) is None


def test_no_key_is_longer_than_its_column_however_many_meetings_there_are(series):
    session = series.session
    for code in [code for code in CODES if code not in ("KE", "PE", "TR")][:14]:
        StateUnderReviewFactory(session=session, state=StateFactory(iso2=code))
    series.add_meetings(now=SET_UP)
    for meeting in series.meetings().with_state():
        meeting.reschedule(now=NOW, starts_at=WEDNESDAY)
    states = [meeting.state.pk for meeting in series.meetings().with_state()]
    answered(series, "BR", **dict.fromkeys(states, "in_person"))
    found = tell(series, [meeting.pk for meeting in series.meetings()])
    assert len(states) > together.MOST
    assert sum(len(person.context["changed"]) for notice in found for person in notice.people) == len(states)
    assert Letter.objects.filter(recipient_kind="mission").count() == 2


# --- By the page of the series ----------------------------------------------------------------------------------------


def saved(desk, series, line=(), **changed):
    posted = series_form(series, **dict(line), **changed)
    return post(desk, reverse("admin:upr_series_change", args=[series.pk]), posted, follow=True).content.decode()


def test_of_several_changes_in_one_save_the_page_warns_once_and_leads_to_one_letter(desk, series):
    mission = answered(series, "BR", KE="in_person", PE="online", TR="in_person")
    alone = answered(series, "FR", KE="in_person")
    words = saved(desk, series, {"KE": {"starts_at": "2026-04-15T10:00"}, "PE": {"room": "Room XX"}})
    whom = "1 mission that answered, 1 mission that answered for several of them"
    assert f"These meetings have changed, and nobody has told {whom}." in words
    address = words.split("nobody has told")[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    look = desk.get(address)
    assert "Changes of the programme" in look.content.decode()
    assert "<h3>Kenya: 1 mission that answered</h3>" in look.content.decode()
    assert not Letter.objects.exists()
    done = desk.post(address, {"do": look.context["seen"].mark}, follow=True)
    assert f"Told at once: {whom}." in done.content.decode()
    assert (told(SEVERAL), told(TO_MISSIONS)) == ({mission}, {alone})
    assert "Türkiye" not in body_of(Letter.objects.get(kind=SEVERAL))
    assert "Nobody: whoever reckons with these meetings knows how they stand." in desk.get(address).content.decode()


def test_another_room_alone_is_warned_of_and_told_as_that(desk, series):
    answered(series, "BR", KE="in_person")
    answered(series, "FR", KE="no")
    words = saved(desk, series, {"KE": {"room": "Room XX"}})
    assert "Kenya: nobody has told 1 mission that answered." in words
    address = f"{reverse('admin:upr_meeting_tell', args=[about(series, 'KE').pk])}?place=1"
    assert address in words
    assert "A meeting has another place" in desk.get(address).content.decode()


def test_another_venue_concerns_every_meeting_that_has_somebody_to_tell(desk, series):
    answered(series, "BR", KE="in_person", PE="online")
    words = saved(desk, series, venue="Palais Wilson")
    assert "nobody has told 1 mission that answered for several of them" in words


def test_a_moderator_or_a_length_concerns_nobody_by_letter(desk, series):
    answered(series, "BR", KE="in_person")
    assert "nobody has told" not in saved(desk, series, {"KE": {"moderator": "Mr. Tall", "minutes": "75"}})


def test_what_has_begun_is_not_told_any_more(desk, series, clock):
    answered(series, "BR", KE="in_person", PE="online")
    clock.move_to(TUESDAY + timedelta(minutes=1))
    assert [one.state.pk for one in together.ahead(series, TUESDAY + timedelta(minutes=1))] == ["PE", "TR"]


def line_of(desk, series):
    """The line that stands on the page of a series, and the address in it."""
    page = desk.get(reverse("admin:upr_series_change", args=[series.pk])).content.decode()
    if 'id="not-told"' not in page:
        return None
    line = page.split('id="not-told"')[1].split("</div>")[0]
    return line.split("<strong>")[1].split("</strong>")[0], line.split('href="')[1].split('"')[0].replace("&amp;", "&")


def test_the_line_stands_until_they_are_told_on_the_page_of_the_series_and_at_home(desk, series):
    answered(series, "BR", KE="in_person", PE="online", TR="in_person")
    answered(series, "FR", KE="no")
    assert line_of(desk, series) is None
    saved(desk, series, {"KE": {"starts_at": "2026-04-15T10:00"}, "PE": {"room": "Room XX"}})
    words, address = line_of(desk, series)
    assert words == "Changed: Peru, Kenya. Nobody has told 2 missions that answered."
    assert line_of(desk, series) == (words, address)  # it is no message, which is read once
    home = desk.get("/admin/").content.decode().replace("&amp;", "&")
    assert f'<a href="{address}"><strong>2</strong> missions not told that meetings have changed</a>' in home
    look = desk.get(address)
    assert sum(len(notice.people) for notice, _texts in look.context["seen"].notices) == 2
    desk.post(address, {"do": look.context["seen"].mark})
    assert line_of(desk, series) is None
    assert "not told that meetings" not in desk.get("/admin/").content.decode()


def test_of_another_room_the_line_counts_who_comes_and_leads_to_a_letter_about_the_room(desk, series):
    answered(series, "BR", KE="in_person")
    answered(series, "FR", KE="no")
    about(series, "KE").reschedule(now=NOW, room="Room XX")
    words, address = line_of(desk, series)
    assert words == "Changed: Kenya. Nobody has told 1 mission that answered."
    assert "A meeting has another place" in desk.get(address).content.decode()


def test_the_line_is_silent_of_what_concerns_nobody_and_of_who_answered_since(desk, series, clock):
    mission = answered(series, "BR", KE="in_person")
    about(series, "KE").reschedule(now=NOW, moderator="Mr. Tall", minutes=75)
    about(series, "PE").reschedule(now=NOW, room="Room XX")
    assert line_of(desk, series) is None
    about(series, "KE").reschedule(now=NOW, starts_at=WEDNESDAY)
    assert line_of(desk, series)
    later = clock.move_to(NOW + timedelta(hours=1)) or NOW + timedelta(hours=1)
    Reply.objects.filter(invitation__mission=mission).update(at=later, answer="online")
    assert line_of(desk, series) is None
    assert together.not_told_yet([about(series, "KE")], now=later) == []


def test_the_line_is_silent_of_what_is_off_and_of_who_does_not_come_and_of_a_closed_series(desk, series):
    answered(series, "BR", TR="no")
    about(series, "TR").call_off("postponed", now=NOW)
    assert line_of(desk, series) is None
    answered(series, "FR", TR="undecided")
    assert line_of(desk, series)[0] == "Changed: Türkiye. Nobody has told 1 mission that answered."
    Series.objects.update(closed_at=NOW)
    assert line_of(desk, series) is None


def test_the_line_costs_the_same_for_one_series_and_for_two_for_one_change_and_for_many(series):
    answered(series, "BR", KE="in_person")
    about(series, "KE").reschedule(now=NOW, room="Room XX")

    def cost():
        with CaptureQueriesContext(connection) as queries:
            found = not_told.of_series(list(Series.objects.select_related("session")), NOW)
        return len(queries), sum(one.number for one in found.values())

    few, one = cost()
    all_change(series)
    session = SessionFactory(number=55)
    StateUnderReviewFactory(session=session, state=StateFactory(iso2="KE"))
    other = Series.open_for(session, now=SET_UP)
    about(other, "KE").reschedule(now=NOW, starts_at=WEDNESDAY)
    for iso2 in ("FR", "SN", "TG"):
        answered(series, iso2, KE="in_person", PE="in_person", TR="in_person")
        answered(other, iso2, KE="in_person")
    assert (one, cost()) == (1, (few, 7))


def test_letters_about_changes_say_that_something_has_changed(series):
    several, one = answered(series, "BR", KE="in_person", PE="online"), answered(series, "FR", KE="in_person")
    tell(series, all_change(series))
    text = {letter.recipient_id: " ".join(body_of(letter).split()) for letter in Letter.objects.all()}
    assert "The programme has changed since; this is how these meetings stand now:" in text[several]
    assert "The day, hour or place of this meeting has changed since; this is how it stands now:" in text[one]


def test_only_for_those_who_may(client, series):
    client.force_login(StaffFactory(is_superuser=False))
    page = reverse("admin:upr_series_tell", args=[series.pk])
    assert (client.get(page).status_code, client.post(page).status_code) == (403, 403)


@pytest.mark.parametrize("asked", ["", "?meetings=x,-1,99999999999,0", "?place=1"])
def test_an_address_that_names_no_meeting_of_the_series_tells_nobody(desk, series, asked):
    answered(series, "BR", KE="in_person")
    page = desk.get(reverse("admin:upr_series_tell", args=[series.pk]) + asked)
    assert "knows how they stand" in page.content.decode()
