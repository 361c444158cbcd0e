"""C3: nobody can be enumerated. Whoever knocks at a door learns nothing of who has come through it before.

Start, lost link, sign-up of contacts, a mission's new link, log-in and new password of staff, the check of a receipt,
personal links, pages and calendars of a meeting: whatever is known of an address, a token or a State, the answer has
the same status, the same headers, the same page, and nearly the same work behind it. The 300 times of each, and the
milliseconds, are benchmarks/enumeration.py.
"""

import re
from datetime import timedelta
from time import perf_counter

import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from applications import erasure, throttle
from applications.letters import MOST_A_DAY
from applications.models import Application, Attachment, Contact, Theme
from missions import passing_on
from missions.models import Colleague, Invitation, RegisterCheck
from presessions import settings as product
from presessions import vault
from presessions.accounts import views as ways_in
from presessions.accounts.models import Try
from presessions.mail import links
from presessions.mail.models import Letter
from tests.accounts.factories import StaffFactory, phone_of
from tests.applications.factories import MONDAY, ApplicationFactory, ContactFactory, StateCallFactory
from tests.applications.test_journey import hidden, path_in
from tests.missions.factories import MissionFactory, has_left, invite
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db

A_FEW = 4  # statements to the database by which a known address may differ: a row is begun, or is there
LATER = MONDAY + timedelta(hours=3)
RIGHT = "the right password of everybody here"


@pytest.fixture
def clock(monkeypatch):
    cache.clear()
    monkeypatch.setattr(throttle, "PER_ADDRESS", 10_000)
    monkeypatch.setattr(throttle, "TAKES", 0)  # but where it is the subject
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def calls(clock):
    """Three States whose calls are open, Kenya's first."""
    return [
        StateCallFactory(meeting=CountryMeetingFactory(state=StateFactory(iso2=code))) for code in ("KE", "TR", "CL")
    ]


def applicants(calls):
    """{sort: an address of that sort}"""
    kenya, turkiye, chile = calls
    ApplicationFactory(state_call=kenya, email="draft@example.org", complete=False)
    ApplicationFactory(state_call=kenya, email="sent@example.org", submitted=True)
    ApplicationFactory(state_call=kenya, email="decided@example.org", accepted=True)
    ApplicationFactory(state_call=turkiye, email="elsewhere@example.org", submitted=True)
    for state_call in (kenya, turkiye, chile):
        ApplicationFactory(state_call=state_call, email="three@example.org", complete=False)
    ApplicationFactory(state_call=kenya, email="withdrawn@example.org", withdrawn=True)
    erasure.erase(ApplicationFactory(state_call=kenya, email="erased@example.org", submitted=True), now=MONDAY)
    sorts = ("unknown", "draft", "sent", "decided", "elsewhere", "three", "withdrawn", "erased")
    return {sort: f"{sort}@example.org" for sort in sorts}


def contacts(calls):
    ContactFactory(email="waiting@example.org", confirmed=False)
    ContactFactory(email="confirmed@example.org")
    ContactFactory(email="left@example.org").leave(now=MONDAY)
    ContactFactory(email="bounced@example.org").bounce(now=MONDAY)
    return {sort: f"{sort}@example.org" for sort in ("unknown", "waiting", "confirmed", "left", "bounced")}


def missions(calls):
    """Addresses of missions, of their colleagues, and of others."""
    series = calls[0].series
    for code in ("KE", "TR", "CL"):  # ke@mission.example.org and so on; the last one has not been invited
        mission = MissionFactory(iso2=code)
        if code != "CL":
            has_left(invite(mission, series=series)[0])
    kenya, turkiye = Invitation.objects.order_by("pk")
    for name in ("colleague", "closed"):
        passing_on.pass_on(kenya, email=f"{name}@mission.example.org", name="Somebody", now=MONDAY)
    passing_on.close(Colleague.objects.order_by("pk").last(), now=MONDAY)
    turkiye.close_links(now=MONDAY, by=StaffFactory(), reason="It stood on a list.")
    ApplicationFactory(state_call=calls[0], email="unknown@mission.example.org", submitted=True)
    sorts = {"unknown": "unknown", "invited": "ke", "closed by staff": "tr", "not invited": "cl"}
    return {sort: f"{name}@mission.example.org" for sort, name in sorts.items()} | {
        "colleague": "colleague@mission.example.org", "colleague, closed": "closed@mission.example.org",
    }  # fmt: skip


DOORS = {
    "start": (applicants, lambda: reverse("applications:start", args=[54, "KE"])),
    "lost_link": (applicants, lambda: reverse("applications:lost_link")),
    "sign_up": (contacts, lambda: reverse("applications:contact_signup")),
    "new_link": (missions, lambda: reverse("missions:new_link")),
}
EVERYBODY_IS_WRITTEN_TO = [door for door in DOORS if door != "new_link"]  # there, nobody who is no mission's


def knock(door, email, clock):
    """(status, where it leads, headers, page behind it without what is new each time, statements) of one post."""
    browser, address = Client(), DOORS[door][1]()
    shown = hidden(browser.get(address))
    clock.shift(timedelta(seconds=3))
    with CaptureQueriesContext(connection) as queries:
        answer = browser.post(address, {"email": email, "language": "en", "shown": shown})
    behind = browser.get(answer.url)
    told = (answer.status_code, answer.url, headers(answer), answer.content, sorted(answer.cookies))
    assert email in behind.content.decode()  # it comes back to who typed it, whoever it belongs to
    length = len(behind.content) - len(email)
    told += (behind.status_code, headers(behind) | {"Content-Length": length}, plain(behind).replace(email, "EMAIL"))
    return told, [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]


def headers(answer):
    return {name: value for name, value in answer.headers.items() if name != "Expires"}


def plain(answer, *words):
    page = re.sub(r'(name="(?:csrfmiddlewaretoken|shown)" value|nonce)="[^"]*"', r"\1", answer.content.decode())
    for word in words:
        assert word not in page
    return page


@pytest.mark.parametrize("door", DOORS)
def test_every_address_gets_one_same_answer(calls, clock, door):
    sorts = DOORS[door][0](calls)
    clock.move_to(LATER)
    answers = {sort: knock(door, email, clock)[0] for sort, email in sorts.items()}
    assert {sort: answer for sort, answer in answers.items() if answer != answers["unknown"]} == {}
    assert answers["unknown"][0] == 302


@pytest.mark.parametrize("door", DOORS)
def test_and_again_a_moment_later(calls, clock, door):
    """Who asks twice within minutes is mailed once, and cannot tell."""
    sorts = DOORS[door][0](calls)
    clock.move_to(LATER)
    first = {sort: knock(door, email, clock)[0] for sort, email in sorts.items()}
    letters = Letter.objects.count()
    second = {sort: knock(door, email, clock)[0] for sort, email in sorts.items()}
    assert second == first
    assert Letter.objects.count() == letters


@pytest.mark.parametrize("door", EVERYBODY_IS_WRITTEN_TO)
def test_each_of_them_is_written_to_and_only_the_mailbox_learns_more(calls, clock, door):
    sorts = DOORS[door][0](calls)
    clock.move_to(LATER)
    for sort, email in sorts.items():
        before = Letter.objects.to_address(email).count()
        knock(door, email, clock)
        assert Letter.objects.to_address(email).count() > before, sort


def test_a_mission_is_written_to_at_its_own_address_and_at_no_other(calls, clock):
    sorts = missions(calls)
    clock.move_to(LATER)
    before = {sort: Letter.objects.to_address(email).count() for sort, email in sorts.items()}
    for email in sorts.values():
        knock("new_link", email, clock)
    more = {sort for sort, email in sorts.items() if Letter.objects.to_address(email).count() > before[sort]}
    assert more == {"invited", "colleague"}


@pytest.mark.parametrize("door", DOORS)
def test_a_mailbox_that_had_enough_for_a_day_is_answered_like_any_other(calls, clock, door):
    sorts = DOORS[door][0](calls)
    clock.move_to(LATER)
    known, unknown = list(sorts.values())[-1], sorts["unknown"]
    asked = []
    for _time in range(MOST_A_DAY + 2):
        asked.append([knock(door, email, clock)[0] for email in (known, unknown)])
        clock.shift(timedelta(minutes=11))
    assert [one for one in asked if one[0] != one[1]] == []


@pytest.mark.parametrize("door", EVERYBODY_IS_WRITTEN_TO)
def test_the_work_behind_it_is_nearly_the_same(calls, clock, door):
    sorts = {sort: email for sort, email in DOORS[door][0](calls).items() if sort != "three"}
    clock.move_to(LATER)
    statements = {sort: len(knock(door, email, clock)[1]) for sort, email in sorts.items()}
    assert max(statements.values()) - min(statements.values()) <= A_FEW, statements


def test_many_letters_take_no_longer_than_one(calls, clock, monkeypatch):
    """A letter takes some milliseconds to write, and some addresses have several applications."""
    sorts = applicants(calls)
    clock.move_to(LATER)
    monkeypatch.setattr(throttle, "TAKES", 60)
    rested = []
    monkeypatch.setattr(throttle, "sleep", rested.append)
    began = perf_counter()
    for sort in ("unknown", "three"):
        knock("lost_link", sorts[sort], clock)
    for email in ("nobody@mission.example.org", "ke@mission.example.org"):
        knock("new_link", email, clock)
    worked = perf_counter() - began
    assert len(rested) == 4
    assert all(60 - worked < seconds < 60 for seconds in rested)  # whatever was not spent on work


def test_a_refusal_is_the_same_for_every_address(calls, clock, monkeypatch):
    """Too many posts, a closed call, an address that is none: known or not."""
    sorts = applicants(calls)
    clock.move_to(LATER)
    monkeypatch.setattr(throttle, "PER_ADDRESS", 0)
    for door in ("start", "lost_link"):
        pages = set()
        for email in sorts.values():
            browser, address = Client(), DOORS[door][1]()
            shown = hidden(browser.get(address))
            clock.shift(timedelta(seconds=3))
            answer = browser.post(address, {"email": email, "language": "en", "shown": shown})
            pages.add((answer.status_code, plain(answer).replace(email, "EMAIL")))
        assert {status for status, _page in pages} == {429}
        assert len(pages) == 1
    clock.move_to(calls[0].deadline)
    pages = set()
    for email in sorts.values():
        answer = Client().post(DOORS["start"][1](), {"email": email, "language": "en"})
        pages.add((answer.status_code, plain(answer).replace(email, "EMAIL")))
    assert len(pages) == 1


# --- Staff -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def staff(db, settings, monkeypatch):
    """{sort: an address}"""
    settings.EMAIL_BACKEND = product.EMAIL_BACKEND
    monkeypatch.setattr(ways_in, "TAKES", 0)
    facts = {"ada": {}, "no.phone": {}, "invited": {}, "gone": {"is_active": False}, "not.staff": {"is_staff": False}}
    for name, more in facts.items():
        password = make_password(None if name == "invited" else RIGHT)
        person = StaffFactory(email=f"{name}@example.org", password=password, **more)
        if name == "ada":
            phone_of(person)
    return {name: f"{name}@example.org" for name in ("nobody", *facts)}


def try_log_in(email, password="a wrong password", place="198.51.100.7"):
    answer = Client(REMOTE_ADDR=place).post(reverse("admin:login"), {"username": email, "password": password})
    return answer.status_code, headers(answer), sorted(answer.cookies), plain(answer).replace(email, "EMAIL")


def same_for_all(answers):
    assert {sort: told for sort, told in answers.items() if told != answers["nobody"]} == {}


def without_length(told):
    """Headers without that of a page in which the address stands."""
    status, heads, *rest = told
    return status, {name: value for name, value in heads.items() if name != "Content-Length"}, *rest


def test_a_wrong_password_is_answered_alike_until_the_address_is_locked_and_after(staff):
    answers = {sort: [without_length(try_log_in(email)) for _time in range(7)] for sort, email in staff.items()}
    same_for_all(answers)
    pages = [told[-1] for told in answers["nobody"]]
    assert ["Too many tries" in page for page in pages] == [False] * 5 + [True] * 2


def test_at_a_locked_address_not_even_the_right_password_is_told_from_a_wrong_one(staff):
    for email in staff.values():
        for _time in range(5):
            try_log_in(email)
    same_for_all({sort: without_length(try_log_in(email, RIGHT)) for sort, email in staff.items()})
    same_for_all({sort: without_length(try_log_in(email)) for sort, email in staff.items()})


def test_where_somebody_is_guessed_at_from_everywhere_known_and_unknown_look_the_same(staff):
    for email in staff.values():
        who = vault.blind_index("email", email)
        Try.objects.bulk_create(Try(door="password", who=who, where=str(n), at=timezone.now()) for n in range(60))
    answers = {sort: without_length(try_log_in(email)) for sort, email in staff.items()}
    same_for_all(answers)
    assert "the password or the code is wrong" in answers["nobody"][-1]


def test_a_new_password_is_promised_to_everybody_as_often_as_asked(staff):
    def ask(email):
        answer = Client().post(reverse("admin:forgotten"), {"email": email})
        behind = Client().get(answer["Location"])
        return answer.status_code, headers(answer), sorted(answer.cookies), answer["Location"], plain(behind, email)

    same_for_all({sort: [ask(email) for _time in range(7)] for sort, email in staff.items()})
    assert {letter.to for letter in Letter.objects.all()} == {staff[name] for name in ("ada", "no.phone", "invited")}


# --- Personal links --------------------------------------------------------------------------------------------------


def test_a_link_to_an_erased_application_is_a_link_that_never_was(calls, clock):
    application = ApplicationFactory(state_call=calls[0], submitted=True)
    path = path_in(Letter.objects.filter(recipient_id=application.reference).first())
    token = path.rstrip("/").rsplit("/", 1)[-1]
    erasure.erase(application, now=MONDAY)
    tokens = {"erased": token, "unknown": links.new_token(), "nonsense": "x" * 43}
    for method in ("get", "post"):
        answers = {}
        for sort, one in tokens.items():
            with CaptureQueriesContext(connection) as queries:
                answer = getattr(Client(), method)(path.replace(token, one))
            asked = len([query for query in queries if "SAVEPOINT" not in query["sql"]])
            answers[sort] = (answer.status_code, headers(answer), plain(answer).replace(one, "TOKEN"), asked)
        assert {sort: told for sort, told in answers.items() if told != answers["unknown"]} == {}
        assert answers["unknown"][0] == 404


def test_a_link_to_the_register_that_ended_is_a_link_that_never_was(calls, clock):
    check = RegisterCheck.objects.create(mission=MissionFactory(iso2="KE"), year=2026, asked_at=MONDAY)
    tokens = {sort: links.mint("register_check", check.reference, letter=None, now=MONDAY) for sort in ("a", "b")}
    other = links.mint("leave", ContactFactory().reference, letter=None, now=MONDAY)
    page = reverse("missions:register_check", args=["TOKEN"])
    assert Client().get(page.replace("TOKEN", tokens["a"])).status_code == 200
    links.revoke("register_check", check.reference, MONDAY)
    told = {}
    for sort, token in {"revoked": tokens["a"], "of something else": other, "unknown": links.new_token()}.items():
        answer = Client().get(page.replace("TOKEN", token))
        told[sort] = answer.status_code, headers(answer), plain(answer).replace(token, "TOKEN")
    clock.move_to(MONDAY + timedelta(days=91))
    late = links.mint("register_check", check.reference, letter=None, now=MONDAY)
    answer = Client().get(page.replace("TOKEN", late))
    told["too late"] = answer.status_code, headers(answer), plain(answer).replace(late, "TOKEN")
    assert {sort: one for sort, one in told.items() if one != told["unknown"]} == {}
    assert told["unknown"][0] == 404


def test_an_open_form_that_was_erased_elsewhere_looks_like_none(calls, clock):
    application = ApplicationFactory(state_call=calls[0], submitted=True)
    path = path_in(Letter.objects.filter(recipient_id=application.reference).first())
    browser = Client()
    assert browser.post(path).status_code == 302
    erasure.erase(application, now=MONDAY)
    for name in ("tasks", "status", "receipt", "check", "withdraw", "erase", "everything"):
        erased, stranger = (one.get(reverse(f"applications:{name}")) for one in (browser, Client()))
        assert (erased.status_code, plain(erased)) == (stranger.status_code, plain(stranger))
        assert erased.status_code == 404


# --- Receipts --------------------------------------------------------------------------------------------------------


def test_a_receipt_that_is_not_confirmed_does_not_say_why(calls, clock):
    kenya = calls[0]
    sent, draft = ApplicationFactory(state_call=kenya, submitted=True), ApplicationFactory(state_call=kenya)
    erased = ApplicationFactory(state_call=kenya, submitted=True)
    withdrawn = ApplicationFactory(state_call=kenya, submitted=True, withdrawn=True)
    fingerprint = Attachment.objects.filter(application=sent).get().sha256
    erasure.erase(erased, now=MONDAY)
    pairs = {
        "unknown": ("ZZZZZ-ZZZZZ", fingerprint),
        "wrong fingerprint": (sent.reference, "b" * 64),
        "wrong fingerprint of one taken back": (withdrawn.reference, "b" * 64),
        "never sent": (draft.reference, fingerprint),
        "erased": (erased.reference, fingerprint),
    }
    answers, address, browser = {}, reverse("applications:receipt_check"), Client()
    for sort, (reference, digest) in pairs.items():
        shown = hidden(browser.get(address))
        clock.shift(timedelta(seconds=3))
        with CaptureQueriesContext(connection) as queries:
            answer = browser.post(address, {"reference": reference, "fingerprint": digest, "shown": shown})
        page = plain(answer).replace(reference, "REFERENCE").replace(digest, "DIGEST")
        answers[sort] = (answer.status_code, headers(answer), page, len(queries))
    assert {sort: told for sort, told in answers.items() if told != answers["unknown"]} == {}
    assert "We cannot confirm this." in answers["unknown"][2]


# --- What everybody may read ------------------------------------------------------------------------------------------


def test_no_page_and_no_calendar_tells_whether_anybody_has_applied(calls, clock):
    """Asked before the first one begins, and when some have been sent, chosen, declined and taken back."""
    open_to_all = {
        *(reverse(f"applications:{name}") for name in ("home", "states", "all_series", "questions")),
        *(reverse(f"applications:{name}", args=[54]) for name in ("series", "packs")),
        *(reverse(f"applications:{name}", args=[54, "KE"]) for name in ("meeting", "pack", "start", "recommendations")),
        reverse("applications:state", args=["KE"]),
        reverse("feeds:series", args=[54]),
        reverse("feeds:meeting", args=[54, "KE"]),
        reverse("feeds:state", args=["KE"]),
    }

    def told():
        answers = {address: Client().get(address) for address in open_to_all}
        return {address: (answer.status_code, headers(answer), plain(answer)) for address, answer in answers.items()}

    Theme.objects.get_or_create(slug="justice", defaults={"name_en": "Justice"})  # what applicants will choose
    before = told()
    applicants(calls)
    after = told()
    assert [address for address in open_to_all if before[address] != after[address]] == []
    assert sum(status == 200 for status, _headers, _page in after.values()) >= 10


def test_the_sorts_are_what_they_are_called(calls, clock):
    """So that the comparison is able to see."""
    sorts = applicants(calls)
    living = {sort: Application.objects.live().of_address(email).count() for sort, email in sorts.items()}
    assert living == {
        "unknown": 0, "draft": 1, "sent": 1, "decided": 1, "elsewhere": 1, "three": 3, "withdrawn": 0, "erased": 0,
    }  # fmt: skip
    assert Application.objects.exclude(erased_at=None).count() == 1
    states = contacts(calls)
    assert {sort: Contact.objects.of_address(email).confirmed().exists() for sort, email in states.items()} == {
        "unknown": False, "waiting": False, "confirmed": True, "left": False, "bounced": False,
    }  # fmt: skip
