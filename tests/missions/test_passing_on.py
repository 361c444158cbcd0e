"""An invitation is passed on to colleagues, each with a link of their own; and a link that was lost comes again."""

import re
from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications import throttle
from missions import passing_on, views
from missions.models import Colleague, MissionFeedback, Reply
from presessions.mail import registry
from presessions.mail.models import Letter, LinkVisit
from presessions.trail.models import Event
from presessions.trail.steps import WrongStep
from presessions.upr.dates import geneva
from tests.applications.factories import StateCallFactory
from tests.applications.test_journey import hidden
from tests.mail.letters import body_of, link_in, message_of
from tests.missions.factories import AddressFactory, MissionFactory, has_left, invite, open_link
from tests.missions.pages import answers, dump
from tests.upr.factories import CountryMeetingFactory, SeriesFactory, SessionFactory, StateFactory

pytestmark = pytest.mark.django_db
EARLY = datetime(2026, 3, 20, 10, tzinfo=UTC)  # the meetings are on 14 April
OVER = geneva(date(2026, 6, 15))  # 30 days after the Working Group


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    cache.clear()
    monkeypatch.setattr(throttle, "TAKES", 0)  # but where it is the subject
    with time_machine.travel(EARLY, tick=False) as clock:
        yield clock


@pytest.fixture
def series():
    series = SeriesFactory(format="hybrid")
    for iso2 in ("KE", "PE"):
        CountryMeetingFactory(series=series, state=StateFactory(iso2=iso2))
    return series


@pytest.fixture
def brazil(series):
    return invite("BR", series=series)


@pytest.fixture
def invited(brazil):
    """The same, once the letter with the link has left us."""
    has_left(brazil[0])
    return brazil


def passed_on(path, email="ana@example.org", name="Ana"):
    """(Colleague, path of the link in the newest letter) after somebody has passed it on by the page at `path`."""
    form = {"colleague_email": email, "colleague_name": name}
    assert Client().post(f"{path}colleagues/", form).status_code == 302
    letter = Letter.objects.filter(kind="passed_on").latest("pk")
    return Colleague.objects.get(reference=letter.recipient_id), path_in(letter)


def path_in(letter):
    return "/" + link_in(letter).split("/", 3)[3]


# --- Passing on -------------------------------------------------------------------------------------------------------


def test_a_colleague_gets_a_link_of_their_own_that_opens_the_same_page(client, brazil):
    colleague, path = passed_on(brazil[1])
    assert path != brazil[1]
    page = client.get(path).content.decode()
    assert "Which meetings will your Mission attend?" in page
    assert "This link is yours alone" in page
    visit = LinkVisit.objects.latest("pk")
    assert (visit.link.purpose, visit.link.target_id) == ("colleague", colleague.reference)


def test_the_mail_speaks_the_language_of_the_page_and_holds_no_word_of_whoever_sent_it(brazil):
    french = open_link(brazil[0], language="fr")
    _colleague, path = passed_on(french, name="Click http://evil.example now")
    letter = Letter.objects.get(kind="passed_on")
    assert letter.language == "fr" or path.startswith("/fr/")
    assert "evil" not in message_of(letter).as_string() + body_of(letter)


def test_what_a_colleague_answers_stands_with_their_name_for_the_mission_and_for_us(client, brazil):
    invitation, own = brazil
    client.post(own, answers(invitation, PE="no"))
    colleague, path = passed_on(own)
    client.post(path, answers(invitation, KE="in_person", PE="no"))
    by = {reply.meeting.state.pk: reply.colleague for reply in Reply.objects.all()}
    assert by == {"KE": colleague, "PE": None}
    page = client.get(own).content.decode()
    assert "by Ana." in page
    assert page.count("Answered by Ana.") == 1
    invitation.refresh_from_db()
    assert invitation.answered_by == colleague


def test_both_are_told_and_each_letter_carries_its_readers_own_link(client, brazil):
    _colleague, path = passed_on(brazil[1])
    client.post(path, answers(brazil[0], KE="in_person"))
    to_mission, to_colleague = (Letter.objects.get(kind=kind) for kind in ("reply_confirmed", "colleague_confirmed"))
    assert "came by the link of a colleague" in body_of(to_mission)
    assert "Ana" not in body_of(to_mission)
    assert (to_mission.links.get().purpose, to_colleague.links.get().purpose) == ("invitation", "colleague")
    assert client.get(path_in(to_colleague)).status_code == 200


def test_the_page_lists_colleagues_and_shows_nobody_a_whole_address(client, brazil):
    _colleague, path = passed_on(brazil[1], email="ana.maria@mission.example")
    for page in (brazil[1], path):
        shown = client.get(page).content.decode()
        assert "a…@mission.example" in shown
        assert "ana.maria@mission.example" not in shown


def test_a_colleague_passes_it_on_too_and_the_page_says_who_did(client, brazil):
    ana, hers = passed_on(brazil[1])
    ben, _his = passed_on(hers, email="ben@example.org", name="Ben")
    assert ben.passed_on_by == ana
    assert "by Ana" in client.get(brazil[1]).content.decode()


def test_nobody_gives_another_name_to_a_colleague_but_the_mission_itself(clock, brazil):
    ana, hers = passed_on(brazil[1])
    _ben, his = passed_on(hers, email="ben@example.org", name="Ben")
    for path, name in ((his, "Ana"), (brazil[1], "Ana Lima")):
        clock.shift(timedelta(minutes=11))
        passed_on(path, email=ana.email, name="Ana Lima")
        ana.refresh_from_db()
        assert ana.name == name


def test_the_page_costs_the_same_with_one_colleague_and_with_ten(client, brazil):
    invitation, path = brazil
    ana = passing_on.pass_on(invitation, email="ana@example.org", now=EARLY)
    costs = []
    for others in (range(1), range(1, 9)):
        for number in others:
            passing_on.pass_on(invitation, email=f"c{number}@example.org", now=EARLY, through=ana)
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        costs.append(len(queries))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "ana@example.org\nBcc: all@example.org"])
def test_what_is_no_address_is_pointed_at_and_nothing_is_written(client, brazil, email):
    response = client.post(f"{brazil[1]}colleagues/", {"colleague_email": email})
    assert response.status_code == 422
    assert "like name@example.org" in response.content.decode()
    assert not Colleague.objects.exists()


def test_asked_for_twice_within_minutes_there_is_one_letter_and_later_a_second(clock, brazil):
    passed_on(brazil[1])
    passed_on(brazil[1], email="Ana@Example.org")
    assert (Colleague.objects.count(), Letter.objects.filter(kind="passed_on").count()) == (1, 1)
    clock.shift(timedelta(minutes=11))
    passed_on(brazil[1])
    assert (Colleague.objects.count(), Letter.objects.filter(kind="passed_on").count()) == (1, 2)


def test_ten_colleagues_are_the_most_until_one_of_their_links_is_closed(client, brazil):
    invitation, path = brazil
    for number in range(10):
        passing_on.pass_on(invitation, email=f"c{number}@example.org", now=EARLY)
    assert "Ten colleagues have a link" in client.get(path).content.decode()
    response = client.post(f"{path}colleagues/", {"colleague_email": "more@example.org"})
    assert response.status_code == 429
    assert "close a link that is no longer needed first" in response.content.decode().lower()
    assert Event.objects.about(invitation).filter(code="passed_on", refused=True).count() == 1
    passing_on.close(Colleague.objects.first(), now=EARLY)
    assert passed_on(path, email="more@example.org")


def test_nobody_can_make_us_write_to_many_strangers_by_closing_and_passing_on(brazil):
    invitation = brazil[0]
    for number in range(passing_on.LETTERS_A_DAY):
        passing_on.close(passing_on.pass_on(invitation, email=f"c{number}@example.org", now=EARLY), now=EARLY)
    with pytest.raises(WrongStep, match="try again tomorrow"):
        passing_on.pass_on(invitation, email="one.more@example.org", now=EARLY)
    assert passing_on.pass_on(invitation, email="one.more@example.org", now=EARLY + timedelta(days=1, minutes=1))


def test_letters_that_strangers_asked_for_leave_the_missions_own_day_alone(clock, brazil):
    for number in range(9):
        passed_on(brazil[1], email=f"c{number}@example.org")
    for _ in range(4):
        clock.shift(timedelta(minutes=11))
        for number in range(9):
            passing_on.send_again(f"c{number}@example.org", now=datetime.now(UTC))
    assert Letter.objects.filter(kind="passed_on").count() > passing_on.LETTERS_A_DAY
    assert passed_on(brazil[1], email="new@example.org")


def test_once_no_meeting_takes_answers_the_page_offers_no_passing_on(client, brazil):
    with time_machine.travel(geneva(date(2026, 4, 17)), tick=False):
        assert "Pass this invitation on" not in client.get(brazil[1]).content.decode()


# --- Closing a link ---------------------------------------------------------------------------------------------------


def test_the_mission_closes_one_colleagues_link_and_no_other(client, brazil):
    (ana, hers), (_ben, his) = passed_on(brazil[1]), passed_on(brazil[1], email="ben@example.org", name="Ben")
    assert client.post(f"{brazil[1]}colleagues/{ana.reference}/").status_code == 302
    assert [client.get(path).status_code for path in (hers, his, brazil[1])] == [404, 200, 200]
    assert client.post(hers, answers(brazil[0], KE="no")).status_code == 404
    assert not Reply.objects.exists()


def test_what_a_colleague_answered_stays_when_their_link_is_closed(client, brazil):
    ana, hers = passed_on(brazil[1])
    client.post(hers, answers(brazil[0], KE="in_person"))
    client.post(f"{brazil[1]}colleagues/{ana.reference}/")
    assert Reply.objects.get().colleague == ana


def test_with_a_colleagues_link_close_those_that_came_through_them_and_theirs(client, brazil):
    ana, hers = passed_on(brazil[1])
    _ben, his = passed_on(hers, email="ben@example.org", name="Ben")
    _carla, theirs = passed_on(his, email="carla@example.org", name="Carla")
    _dora, apart = passed_on(brazil[1], email="dora@example.org", name="Dora")
    client.post(f"{brazil[1]}colleagues/{ana.reference}/")
    assert [client.get(path).status_code for path in (hers, his, theirs, apart)] == [404, 404, 404, 200]
    assert Event.objects.about(brazil[0]).filter(code="colleague_closed", refused=False).count() == 3


def test_whom_the_mission_closed_no_colleague_opens_again(client, clock, brazil):
    ana, _hers = passed_on(brazil[1])
    _ben, his = passed_on(brazil[1], email="ben@example.org", name="Ben")
    client.post(f"{brazil[1]}colleagues/{ana.reference}/")
    clock.shift(timedelta(minutes=11))
    answer = client.post(f"{his}colleagues/", {"colleague_email": ana.email, "colleague_name": "Ana"})
    assert (answer.status_code, "opens nothing any more" in answer.content.decode()) == (429, True)
    ana.refresh_from_db()
    assert ana.revoked_at and Letter.objects.filter(kind="passed_on").count() == 2
    assert Event.objects.about(brazil[0]).filter(code="passed_on", refused=True).count() == 1
    assert client.get(passed_on(brazil[1])[1]).status_code == 200  # the mission does


@pytest.mark.parametrize("whose", ["hers", "all"])
@pytest.mark.parametrize("tried", ["answer", "pass_on", "close", "feedback"])
def test_a_link_that_is_closed_while_something_is_on_its_way_by_it_does_nothing(
    client, clock, brazil, monkeypatch, whose, tried
):
    ana, hers = passed_on(brazil[1])
    if tried == "feedback":
        clock.move_to(geneva(date(2026, 4, 17)))
    find = views.links.find

    def found(*asked, **how):
        link = find(*asked, **how)
        monkeypatch.setattr(views.links, "find", find)
        if whose == "hers":
            passing_on.close(ana, now=EARLY)
        else:
            brazil[0].close_links(by=None, now=EARLY)
        return link

    monkeypatch.setattr(views.links, "find", found)
    path, form = {
        "answer": (hers, answers(brazil[0], KE="in_person")),
        "pass_on": (f"{hers}colleagues/", {"colleague_email": "new@example.org"}),
        "close": (f"{hers}colleagues/{ana.reference}/", {}),
        "feedback": (f"{hers}feedback/", {"useful": "4"}),
    }[tried]
    trail = Event.objects.count()
    assert client.post(path, form).status_code == 404
    assert not Reply.objects.exists() and not MissionFeedback.objects.exists()
    assert (Colleague.objects.count(), Letter.objects.filter(kind="passed_on").count()) == (1, 1)
    assert Event.objects.count() == trail + 1  # that it was closed


def test_closing_twice_is_closing_once(client, brazil):
    ana, _hers = passed_on(brazil[1])
    statuses = [client.post(f"{brazil[1]}colleagues/{ana.reference}/").status_code for _ in range(2)]
    assert statuses == [302, 302]
    closed = Event.objects.about(brazil[0]).filter(code="colleague_closed")
    assert list(closed.values_list("refused", flat=True)) == [False, True]


def test_a_colleague_closes_their_own_link_and_those_they_gave_and_no_others(client, brazil):
    (ana, hers), (ben, _his) = passed_on(brazil[1]), passed_on(brazil[1], email="ben@example.org", name="Ben")
    carla, _theirs = passed_on(hers, email="carla@example.org", name="Carla")
    assert client.post(f"{hers}colleagues/{ben.reference}/").status_code == 404
    assert client.post(f"{hers}colleagues/{carla.reference}/").status_code == 302
    assert client.post(f"{hers}colleagues/{ana.reference}/").status_code == 302
    open_still = Colleague.objects.filter(revoked_at=None)
    assert list(open_still) == [ben]


def test_the_colleague_of_another_mission_is_out_of_reach(client, series, brazil):
    ana, _hers = passed_on(brazil[1])
    _kenya, path = invite("KE", series=series)
    assert client.post(f"{path}colleagues/{ana.reference}/").status_code == 404
    ana.refresh_from_db()
    assert ana.revoked_at is None


def test_looking_closes_nothing(client, brazil):
    ana, _hers = passed_on(brazil[1])
    before = dump()
    for address in (f"{brazil[1]}colleagues/", f"{brazil[1]}colleagues/{ana.reference}/"):
        assert {client.get(address).status_code, client.head(address).status_code} == {405}
    assert dump() == before


def test_when_all_links_are_closed_those_of_colleagues_are_too(client, staff, brazil):
    _ana, hers = passed_on(brazil[1])
    brazil[0].close_links(by=staff, now=EARLY, reason="forwarded to a list")
    assert [client.get(path).status_code for path in (brazil[1], hers)] == [404, 404]


def test_a_closed_link_is_given_again_by_passing_it_on_again(client, clock, brazil):
    ana, hers = passed_on(brazil[1])
    client.post(f"{brazil[1]}colleagues/{ana.reference}/")
    clock.shift(timedelta(minutes=1))
    again, new = passed_on(brazil[1])
    assert again == ana
    assert [client.get(path).status_code for path in (hers, new)] == [404, 200]


def test_a_letter_to_a_colleague_stays_at_home_once_their_link_is_closed(client, brazil):
    ana, _hers = passed_on(brazil[1])
    letter, asked = Letter.objects.get(kind="passed_on"), registry.RECIPIENTS["colleague"]
    assert asked.still_wanted(letter) and asked.has_address(letter)
    client.post(f"{brazil[1]}colleagues/{ana.reference}/")
    assert not asked.still_wanted(letter)
    assert registry.KINDS["passed_on"].rewrite(letter) is None


def test_an_address_that_does_not_work_is_shown_to_who_passed_it_on(client, brazil):
    passed_on(brazil[1])
    letter = Letter.objects.get(kind="passed_on")
    registry.RECIPIENTS["colleague"].on_bounce(letter, now=EARLY, code="5.1.1", dead=True)
    assert "This address does not work" in client.get(brazil[1]).content.decode()
    assert not registry.RECIPIENTS["colleague"].has_address(letter)


# --- Questions to the panel -------------------------------------------------------------------------------------------


def test_a_question_is_saved_changed_and_taken_back_with_the_answers(client, brazil):
    invitation, path = brazil
    for words in ("When were the judges named?", "Who named them?"):
        assert client.post(path, answers(invitation, question_KE=words)).status_code == 302
        assert invitation.questions.get().words == words
        assert words in client.get(path).content.decode()
    client.post(path, answers(invitation, question_KE=" "))
    assert not invitation.questions.exists()


def test_a_question_that_a_colleague_asked_meanwhile_is_not_overwritten_unseen(client, brazil):
    invitation, path = brazil
    opened = answers(invitation, question_KE="Mine?")
    client.post(path, answers(invitation, question_KE="Hers?"))
    page = client.post(path, opened)
    assert page.status_code == 409
    assert "Saved by your colleague: Hers?" in page.content.decode()
    assert invitation.questions.get().words == "Hers?"


def test_a_question_may_be_asked_until_the_meeting_starts(client, brazil):
    opened = answers(brazil[0], question_KE="Too late?")
    with time_machine.travel(geneva(date(2026, 4, 14), 10), tick=False):
        page = client.post(brazil[1], opened, follow=True).content.decode()
    assert "The meeting on Kenya takes no more answers" in page
    assert not brazil[0].questions.exists()


def test_the_state_under_review_has_the_floor_and_asks_no_panel_in_private(client, series):
    kenya, path = invite("KE", series=series)
    page = client.get(path).content.decode()
    assert 'name="question_PE"' in page
    assert 'name="question_KE"' not in page
    client.post(path, answers(kenya, question_KE="Who are you?"))
    assert not kenya.questions.exists()


def test_the_letter_says_that_there_is_a_question_and_not_which(client, brazil):
    client.post(brazil[1], answers(brazil[0], KE="in_person", question_KE="A secret?"))
    text = body_of(Letter.objects.get(kind="reply_confirmed"))
    assert "1 private question to a panel is saved" in text
    assert "A secret?" not in text


# --- What is offered, and the file for the calendar -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "link", "offered"),
    [
        ("in_person", "", {"in_person", "undecided", "no"}),
        ("in_person", "https://example.org/live", {"in_person", "online", "undecided", "no"}),
        ("hybrid", "", {"in_person", "online", "undecided", "no"}),
        ("virtual", "https://example.org/live", {"online", "undecided", "no"}),
    ],
)
def test_only_what_makes_sense_is_offered(client, how, link, offered):
    series = SeriesFactory(format=how)
    CountryMeetingFactory(series=series, state=StateFactory(iso2="KE"), online_link=link)
    _invitation, path = invite("BR", series=series)
    page = client.get(path).content.decode()
    assert set(re.findall(r'name="answer_KE" value="(\w+)"', page)) == offered


def test_what_was_answered_before_stays_offered(client, series, brazil):
    client.post(brazil[1], answers(brazil[0], KE="online"))
    series.format = "in_person"
    series.save()
    assert client.post(brazil[1], answers(brazil[0], KE="online", note="Still.")).status_code == 302


def leave(*kinds):
    """The kinds of the letters that leave now, as a worker would take them."""
    due, left = Letter.objects.filter(kind__in=kinds, state="pending", due_at__lte=datetime.now(UTC)), []
    for letter in due.order_by("pk"):
        wanted = registry.RECIPIENTS[letter.recipient_kind].still_wanted(letter)
        Letter.objects.filter(pk=letter.pk).update(state="sent" if wanted else "cancelled")
        left += [letter.kind] if wanted else []
    return left


def test_whoever_changes_answers_again_and_again_makes_us_write_less_and_less(clock, brazil):
    _ana, hers = passed_on(brazil[1])
    kinds, mails = ["reply_confirmed", "colleague_confirmed"], []
    for number in range(60):
        assert Client().post(hers, answers(brazil[0], KE=("in_person", "no")[number % 2])).status_code == 302
        mails += leave(*kinds)
        clock.shift(timedelta(seconds=5))
    assert sorted(mails) == sorted(kinds)  # the first at once, so that nobody waits for it
    clock.shift(timedelta(minutes=10))
    assert sorted(leave(*kinds)) == sorted(kinds)  # and the newest, with what holds now
    for kind in kinds:
        assert "Your answer: No" in body_of(Letter.objects.filter(kind=kind, state="sent").latest("pk"))


def test_a_day_of_changes_is_a_dozen_letters_and_the_next_day_starts_anew(clock, brazil):
    mails = []
    for number in range(144):
        Client().post(brazil[1], answers(brazil[0], KE=("in_person", "no")[number % 2]))
        mails += leave("reply_confirmed")
        clock.shift(timedelta(minutes=10))
    assert 5 < len(mails) < 20
    clock.shift(timedelta(days=2))
    leave("reply_confirmed")
    clock.shift(timedelta(days=1))
    Client().post(brazil[1], answers(brazil[0], KE="undecided"))
    assert leave("reply_confirmed") == ["reply_confirmed"]


def test_the_confirmation_carries_one_file_with_the_meetings_that_the_mission_attends(client, brazil):
    client.post(brazil[1], answers(brazil[0], KE="in_person", PE="no"))
    message = message_of(Letter.objects.get(kind="reply_confirmed"))
    (entry,) = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    calendar = icalendar.Calendar.from_ical(entry.get_payload(decode=True))
    assert [str(event["summary"]) for event in calendar.walk("VEVENT")] == ["Pre-session on Kenya"]


def test_who_comes_to_nothing_gets_no_file(client, brazil):
    client.post(brazil[1], answers(brazil[0], KE="no"))
    message = message_of(Letter.objects.get(kind="reply_confirmed"))
    assert "text/calendar" not in [part.get_content_type() for part in message.walk()]


# --- A new link -------------------------------------------------------------------------------------------------------


def ask(clock, email):
    """(status, where it leads, page behind it without what is new each time, statements) of asking for a link."""
    browser, address = Client(), reverse("missions:new_link")
    shown = hidden(browser.get(address))
    clock.shift(timedelta(seconds=3))
    with CaptureQueriesContext(connection) as queries:
        answer = browser.post(address, {"email": email, "shown": shown})
    behind = re.sub(r'nonce="[^"]*"', "", browser.get(answer.url).content.decode()) if answer.status_code == 302 else ""
    return (answer.status_code, answer.headers.get("Location"), behind.replace(email, "EMAIL")), len(queries)


def test_a_mission_that_lost_its_link_gets_a_new_one_at_its_own_address_and_the_old_one_still_opens(clock, invited):
    ask(clock, "BR@mission.example.org")
    letter = Letter.objects.get(kind="invitation_link")
    assert letter.to == "br@mission.example.org"
    assert [Client().get(path).status_code for path in (path_in(letter), invited[1])] == [200, 200]


def test_so_does_a_colleague(clock, brazil):
    passed_on(brazil[1])
    clock.shift(timedelta(minutes=11))
    ask(clock, "ana@example.org")
    assert Letter.objects.filter(kind="passed_on").count() == 2
    assert Client().get(path_in(Letter.objects.latest("pk"))).status_code == 200


def test_every_address_gets_one_same_answer_and_only_the_mailbox_learns_more(clock, series, invited):
    ana, _hers = passed_on(invited[1])
    passing_on.close(ana, now=EARLY)
    has_left(invite("CL", series=series)[0])
    invite("PT", series=series)  # no letter has left yet
    closed, _path = invite("NO", series=series)
    has_left(closed)
    closed.close_links(by=None, now=EARLY)
    AddressFactory(mission=invited[0].mission, email="old@example.org", position=2, bounced_at=EARLY)
    MissionFactory(iso2="PE")  # not invited
    clock.shift(timedelta(minutes=11))
    sorts = ("old@example.org", "nobody@example.org", "ana@example.org", "pe@mission.example.org",
             "pt@mission.example.org", "no@mission.example.org", "br@mission.example.org")  # fmt: skip
    before = Letter.objects.count()
    assert len({ask(clock, email)[0] for email in sorts}) == 1
    (letter,) = Letter.objects.order_by("pk")[before:]
    assert (letter.kind, letter.to) == ("invitation_link", "br@mission.example.org")


def test_it_takes_as_long_whoever_asks(clock, brazil, monkeypatch):
    monkeypatch.setattr(throttle, "TAKES", 60)
    rested = []
    monkeypatch.setattr(throttle, "sleep", rested.append)
    for email in ("br@mission.example.org", "nobody@example.org"):
        ask(clock, email)
    assert len(rested) == 2


def test_whoever_asks_again_and_again_is_written_to_once(clock, invited):
    for _ in range(3):
        ask(clock, "br@mission.example.org")
    assert Letter.objects.filter(kind="invitation_link").count() == 1


def test_in_a_day_a_mailbox_gets_five_links_and_whoever_asks_on_sees_the_same(clock, invited):
    passed_on(invited[1])
    seen = set()
    for _ in range(7):
        clock.shift(timedelta(minutes=11))
        seen |= {ask(clock, email)[0] for email in ("br@mission.example.org", "ana@example.org")}
    assert len(seen) == 1
    assert Letter.objects.filter(kind="invitation_link").count() == passing_on.LINKS_A_DAY == 5
    assert Letter.objects.filter(kind="passed_on").count() == 1 + passing_on.LINKS_A_DAY
    clock.shift(timedelta(days=1))
    ask(clock, "br@mission.example.org")
    assert Letter.objects.filter(kind="invitation_link").count() == 6


def test_before_the_invitation_has_left_nobody_gets_a_link_to_it(clock, brazil):
    ask(clock, "br@mission.example.org")
    assert not Letter.objects.filter(kind="invitation_link").exists()


def test_links_that_staff_closed_stay_closed_until_staff_send_one(clock, staff, invited):
    invited[0].close_links(by=staff, now=EARLY, reason="forwarded to a list")
    ask(clock, "br@mission.example.org")
    invited[0].refresh_from_db()
    assert invited[0].revoked_at and not Letter.objects.filter(kind="invitation_link").exists()
    passing_on.new_link(invited[0], by=staff, now=EARLY)
    assert Client().get(path_in(Letter.objects.get(kind="invitation_link"))).status_code == 200


def test_very_many_questions_from_one_network_are_slowed(clock, brazil, monkeypatch):
    monkeypatch.setattr(throttle, "PER_ADDRESS", 1)
    assert [ask(clock, "br@mission.example.org")[0][0] for _ in range(2)] == [302, 429]


def test_when_the_invitation_has_ended_no_link_is_sent(clock, brazil):
    clock.move_to(OVER)
    ask(clock, "br@mission.example.org")
    assert not Letter.objects.filter(kind="invitation_link").exists()


def test_a_mission_of_two_series_gets_a_link_to_each(clock, invited):
    later = SeriesFactory(session=SessionFactory(number=55, starts_on=date(2026, 11, 2), ends_on=date(2026, 11, 13)))
    has_left(invite(invited[0].mission, series=later)[0])
    ask(clock, "br@mission.example.org")
    assert Letter.objects.filter(kind="invitation_link").count() == 2


def test_a_dead_link_leads_there(client):
    page = client.get(reverse("missions:invitation", args=["x" * 43])).content.decode()
    assert f'href="{reverse("missions:new_link")}"' in page


# --- By staff ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    return client


def step(desk, invitation, name, **posted):
    page = reverse("admin:missions_invitation_change", args=[invitation.pk])
    return desk.post(page, {"step": name, **posted}, follow=True).content.decode()


def test_staff_send_a_new_link_beside_the_old_ones(desk, brazil):
    step(desk, brazil[0], "new_link")
    new = path_in(Letter.objects.get(kind="invitation_link"))
    assert [Client().get(path).status_code for path in (new, brazil[1])] == [200, 200]


def test_or_in_their_place_and_then_say_why(desk, brazil):
    _ana, hers = passed_on(brazil[1])
    assert "Please say why" in step(desk, brazil[0], "new_link", close_others="on")
    step(desk, brazil[0], "new_link", close_others="on", reason="It stood on a list.")
    new = path_in(Letter.objects.get(kind="invitation_link"))
    assert [Client().get(path).status_code for path in (new, brazil[1], hers)] == [200, 404, 404]
    brazil[0].refresh_from_db()
    assert brazil[0].revoked_at is None  # so that it is reminded, and told of new dates, again
    assert [event.code for event in Event.objects.about(brazil[0])][-2:] == ["links_closed", "new_link"]


def test_without_a_valid_address_they_are_told_what_to_do_and_no_link_is_closed(desk, brazil):
    brazil[0].mission.addresses.update(bounced_at=EARLY)
    page = step(desk, brazil[0], "new_link", close_others="on", reason="It stood on a list.")
    assert "no valid address" in page
    assert Client().get(brazil[1]).status_code == 200
    assert Event.objects.about(brazil[0]).filter(code="new_link", refused=True).count() == 1


def test_their_page_shows_colleagues_questions_and_by_whom_and_closes_one_link(desk, brazil):
    ana, hers = passed_on(brazil[1])
    Client().post(hers, answers(brazil[0], KE="in_person", question_PE="Who pays?"))
    page = desk.get(reverse("admin:missions_invitation_change", args=[brazil[0].pk])).content.decode()
    for words in ("ana@example.org", "Who pays?", "by Ana"):
        assert words in page
    step(desk, brazil[0], "close_colleague", colleague=ana.reference, reason="She has left.")
    assert Client().get(hers).status_code == 404
    assert Client().get(brazil[1]).status_code == 200


# --- The moderator's sheet --------------------------------------------------------------------------------------------


def test_the_moderators_sheet_has_the_questions_without_the_missions_name(desk, series, brazil):
    Client().post(brazil[1], answers(brazil[0], question_KE="And the courts?"))
    sheets = {}
    for meeting in series.meetings().with_state():
        StateCallFactory(meeting=meeting)
        sheets[meeting.state.pk] = desk.get(reverse("admin:applications_sheet", args=[meeting.pk])).content.decode()
    assert "And the courts?" in sheets["KE"]
    assert "Brazil" not in sheets["KE"]
    assert "Questions that missions left" not in sheets["PE"]
