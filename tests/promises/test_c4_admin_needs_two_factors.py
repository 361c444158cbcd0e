"""C4: the staff's desk needs two factors.

every admin address without the second factor    0 reachable
a code used twice                                refused
20 wrong passwords from one and from 50 places   the guesser learns nothing, the owner can still log in elsewhere
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import get_resolver, reverse

from presessions import trail
from presessions.accounts import doors, second_factor
from presessions.accounts.models import Authenticator, Try
from presessions.trail.models import Event
from presessions.upr.dates import GENEVA
from tests.accounts.factories import KEY, StaffFactory, phone_of
from tests.accounts.logins import with_password_only

MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=GENEVA)
PASSWORD = "a long password of Ada's"
GUESS = "a guess of somebody's"
WAYS_IN = {"login", "logout", "forgotten", "forgotten_asked", "new_password", "second_factor", "enrol"}


@pytest.fixture
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def ada(db, clock):
    user = StaffFactory(email="ada@example.org", name="Ada Keller")
    user.set_password(PASSWORD)
    user.save()
    phone_of(user)
    return user


def code(seconds=0):
    """What Ada's phone shows, now or so many seconds from now."""
    return second_factor.code_at(KEY, datetime.now(GENEVA) + timedelta(seconds=seconds))


def browser(address="192.0.2.1"):
    return Client(REMOTE_ADDR=address)


def give_password(client, password=PASSWORD, email="ada@example.org", **more):
    return client.post(reverse("admin:login"), {"username": email, "password": password, **more})


def give_code(client, typed):
    return client.post(reverse("admin:second_factor"), {"code": typed})


def is_in(client):
    return client.get(reverse("admin:index")).status_code == 200


# --- Nothing without the second factor -------------------------------------------------------------------------------


def addresses(resolver=None, names=()):
    """(name or None, an address) of everything under the desk, with something in the place of each argument."""
    for pattern in (resolver or get_resolver()).url_patterns:
        steps = (*names, pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from addresses(pattern, steps)
        else:
            where = "".join(_filled(step) for step in steps)
            if where.startswith("admin/"):
                yield pattern.name, f"/{where}"


def _filled(pattern):
    text = str(pattern).lstrip("^").replace("\\Z", "").replace("$", "")
    for name, converter in pattern.converters.items():
        value = {"IntConverter": "1"}.get(type(converter).__name__, "x")
        for written in (f"<int:{name}>", f"<str:{name}>", f"<path:{name}>", f"<slug:{name}>", f"<{name}>"):
            text = text.replace(written, value)
    if "(?P" in text:  # the admin's own two: which app, and whatever is left over
        text = "applications/" if "app_label" in text else "nowhere/at/all/"
    return text


DESK = sorted(set(addresses()), key=str)


def test_the_list_of_addresses_is_whole():
    assert len(DESK) > 120
    assert {"index", "applications_application_change", "password_change", "jsi18n"} <= {name for name, _where in DESK}
    assert not [where for _name, where in DESK if "<" in where or "(" in where]


@pytest.mark.parametrize("method", ["get", "post", "head", "put"])
def test_no_page_answers_somebody_who_has_given_the_password_alone(ada, method):
    client = Client()
    with_password_only(client, ada)
    client.session.save()
    give_password(client)
    shut = {}
    for name, where in DESK:
        answer = getattr(client, method)(where)
        led_to_code = answer.status_code == 302 and answer["Location"].startswith(reverse("admin:second_factor"))
        if name not in WAYS_IN and not led_to_code:
            shut[where] = answer.status_code
    assert shut == {}


@pytest.mark.parametrize("method", ["get", "post"])
def test_no_page_answers_a_stranger(db, method):
    reachable = {}
    for name, where in DESK:
        answer = getattr(Client(), method)(where)
        led_to_log_in = answer.status_code == 302 and answer["Location"].startswith(reverse("admin:login"))
        if name not in WAYS_IN and not led_to_log_in:
            reachable[where] = answer.status_code
    assert reachable == {}


def test_the_bolt_behind_the_doors_holds_by_itself(ada, settings):
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if not one.endswith("StaffDoor")]
    client = Client()
    with_password_only(client, ada)
    pages = [where for name, where in DESK if name not in WAYS_IN]
    assert {where for where in pages if client.get(where).status_code != 302} == set()


def test_the_ways_in_are_those_that_the_doors_know():
    assert doors.FOR_ALL | doors.WITH_PASSWORD_ONLY == WAYS_IN


def test_the_password_and_a_code_open_the_desk(ada):
    client = browser()
    assert give_password(client)["Location"].startswith(reverse("admin:second_factor"))
    assert not is_in(client)
    assert give_code(client, code())["Location"] == reverse("admin:index")
    assert is_in(client)


def test_who_has_a_phone_cannot_set_up_another_with_the_password_alone(ada):
    client = browser()
    give_password(client)
    for posted in ({"begin": "yes"}, {"code": code()}):
        assert client.post(reverse("admin:enrol"), posted)["Location"].startswith(reverse("admin:second_factor"))
    assert Authenticator.objects.get().key == KEY


def test_a_phone_that_was_taken_away_ends_the_sessions_it_opened(ada):
    client = browser()
    give_password(client)
    give_code(client, code())
    second_factor.reset(ada, by=ada, reason="Lost in a tram.", now=MONDAY)
    assert not is_in(client)


# --- A code counts once ----------------------------------------------------------------------------------------------


def test_a_code_that_was_used_is_refused_to_whoever_types_it_next(ada):
    seen = code()
    for opens in (True, False):
        client = browser()
        give_password(client)
        give_code(client, seen)
        assert is_in(client) == opens


def test_an_older_code_is_refused_once_a_newer_one_was_used(ada, clock):
    assert second_factor.check(ada, code(+30), now=MONDAY)
    assert not second_factor.check(ada, code(), now=MONDAY)


@pytest.mark.parametrize(
    ("seconds", "opens"), [(-60, False), (-30, True), (0, True), (30, True), (60, False), (3600, False)]
)
def test_a_phone_may_be_half_a_minute_wrong(ada, seconds, opens):
    assert bool(second_factor.check(ada, code(seconds), now=MONDAY)) == opens


@pytest.mark.parametrize("typed", ["", "0", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "None", "  "])
def test_what_is_no_code_is_refused(ada, typed):
    assert second_factor.check(ada, typed, now=MONDAY) is None


@pytest.mark.django_db(transaction=True)
def test_of_two_who_type_one_code_at_once_one_comes_in():
    user = StaffFactory()
    phone_of(user)
    typed = second_factor.code_at(KEY, MONDAY)

    def check(_number):
        try:
            return bool(second_factor.check(user, typed, now=MONDAY))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(check, range(8))) == [False] * 7 + [True]


def test_a_recovery_code_lets_in_once_however_it_is_typed(ada):
    first, second, *_others = second_factor.new_recovery_codes(ada, now=MONDAY)
    as_typed = first.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert second_factor.check(ada, as_typed, now=MONDAY)
    assert not second_factor.check(ada, first, now=MONDAY)
    assert not second_factor.check(StaffFactory(), second, now=MONDAY)  # it is Ada's
    assert second_factor.codes_left(ada) == 9


def test_new_recovery_codes_end_the_old_ones(ada):
    old, new = (second_factor.new_recovery_codes(ada, now=MONDAY) for _ in range(2))
    assert not any(second_factor.check(ada, typed, now=MONDAY) for typed in old)
    assert second_factor.check(ada, new[0], now=MONDAY)


# --- Guessing --------------------------------------------------------------------------------------------------------


def test_twenty_wrong_passwords_from_one_place_shut_that_place_and_no_other(ada):
    there, elsewhere = browser("198.51.100.7"), browser("192.0.2.1")
    for _ in range(20):
        assert give_password(there, GUESS).status_code == 200
    assert "Too many tries" in give_password(there).content.decode()  # even the right one
    assert give_password(elsewhere).status_code == 302
    assert give_code(elsewhere, code()).status_code == 302
    assert is_in(elsewhere)
    assert not is_in(there)


def test_the_place_is_open_again_after_a_quarter_of_an_hour_even_if_somebody_went_on(ada, clock):
    there = browser()
    for minute in range(15):
        give_password(there, GUESS)
        clock.move_to(MONDAY + timedelta(minutes=minute + 1))
    assert give_password(there).status_code == 302


def test_wrong_passwords_from_fifty_places_neither_open_the_door_nor_shut_the_owner_out(ada):
    for place in range(50):
        for _ in range(20):
            assert give_password(browser(f"198.51.100.{place}"), GUESS).status_code == 200
    stranger = browser("203.0.113.1")
    wrong, right = give_password(stranger, GUESS), give_password(stranger)  # the one who guesses right learns nothing
    assert (wrong.status_code, right.status_code) == (200, 200)
    assert strip(wrong) == strip(right)
    owner = browser("192.0.2.1")
    assert "give the password and a code together" in give_password(owner).content.decode()
    assert give_password(owner, code=code())["Location"] == reverse("admin:index")
    assert is_in(owner)


def strip(page):
    """The page without what is different in each form: its token."""
    text = page.content.decode()
    tokens = {part.split('"')[0] for part in text.split('name="csrfmiddlewaretoken" value="')[1:]}
    for token in tokens:
        text = text.replace(token, "")
    return text


def test_no_more_than_five_of_fifty_guesses_at_once_are_looked_at(transactional_db):
    user = StaffFactory(email="ada@example.org")
    user.set_password(PASSWORD)
    user.save()

    def guess(_number):
        try:
            return "Too many tries" in give_password(browser(), GUESS).content.decode()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(not refused for refused in pool.map(guess, range(50))) <= 5


def test_codes_are_guessed_five_times_from_one_place(ada):
    client = browser()
    give_password(client)
    for _ in range(6):
        give_code(client, "000000")
    assert "Too many wrong codes" in give_code(client, code()).content.decode()
    assert not is_in(client)


def test_whoever_has_the_password_cannot_guess_codes_from_everywhere_and_paper_still_opens(ada):
    paper, *_others = second_factor.new_recovery_codes(ada, now=MONDAY)
    for place in range(11):
        client = browser(f"198.51.100.{place}")
        give_password(client)
        for _ in range(5):
            give_code(client, "000000")
    owner = browser()
    give_password(owner)
    assert "Use a recovery code" in give_code(owner, code()).content.decode()
    give_code(owner, paper)
    assert is_in(owner)


@pytest.mark.parametrize("email", ["ada@example.org", "nobody@example.org", "gone@example.org"])
def test_known_unknown_and_inactive_people_get_the_same_answers(ada, email):
    StaffFactory(email="gone@example.org", is_active=False)
    client = browser()
    answers = [give_password(client, GUESS, email=email).content.decode() for _ in range(7)]
    assert ["is wrong" in answer for answer in answers] == [True] * 5 + [False] * 2
    assert ["Too many tries" in answer for answer in answers] == [False] * 5 + [True] * 2


def test_nothing_that_was_typed_is_kept(ada):
    give_password(browser("198.51.100.7"), GUESS)
    give_password(browser("198.51.100.7"), "x", email="my.password.by.mistake@example.org")
    kept = repr(list(Try.objects.values())) + repr(list(Event.objects.values()))
    for word in (GUESS, "ada@", "by.mistake", "198.51.100.7"):
        assert word not in kept


# --- The trail -------------------------------------------------------------------------------------------------------


def told(user):
    return [(event.code, event.refused) for event in Event.objects.about(user)]


def test_coming_in_going_and_being_refused_stand_in_the_trail(ada):
    client = browser()
    give_password(client, GUESS)
    give_password(client)
    give_code(client, "000000")
    give_code(client, code())
    client.post(reverse("admin:logout"))
    assert told(ada) == [("logged_in", True), ("logged_in", True), ("logged_in", False), ("logged_out", False)]


def test_a_place_that_is_shut_is_noted_once(ada):
    for _ in range(20):
        give_password(browser(), GUESS)
    assert told(ada) == [("logged_in", True)] * 4 + [("locked_out", True)]


def test_the_events_of_log_ins_have_words():
    for word in ("logged_in", "locked_out", "second_factor_reset", "recovery_code_used", "role_given"):
        assert trail.words.known("accounts.user", word)
