"""Is it still you? Asked before what cannot be taken back, after half an hour without a stir, and after ten hours."""

from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import path, reverse
from django.utils import timezone

from presessions import settings as product
from presessions import urls as real
from presessions.accounts import second_factor
from presessions.accounts.proof import proved
from presessions.trail.models import Event
from tests.accounts.factories import KEY, StaffFactory
from tests.accounts.logins import forget_proof
from tests.promises.test_c4_admin_needs_two_factors import MONDAY, PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.test_proof")]
done = []


@proved
def cannot_be_taken_back(request):
    if request.method == "POST":
        done.append((request.POST.dict(), request.POST.getlist("seen"), list(request.FILES)))
    return HttpResponse("done")


urlpatterns = [path("admin/act/", cannot_be_taken_back), *real.urlpatterns]
ACT = "/admin/act/?page=2"
POSTED = {"seen": ["a", "b"], "reason": "Because\nof <this> & “that”.", "empty": ""}


@pytest.fixture
def clock(settings):
    settings.STAFF_IDLE, settings.STAFF_SESSION, settings.STAFF_PROOF = (
        product.STAFF_IDLE,
        product.STAFF_SESSION,
        product.STAFF_PROOF,
    )
    done.clear()
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def ada(clock):
    user = StaffFactory(email="ada@example.org", name="Ada Keller")
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def desk(client, ada):
    client.force_login(ada)
    return client


def code():
    return second_factor.code_at(KEY, timezone.now())


def carried(page):
    """What a browser would post from the page that asks, but for the code."""
    posted = {}
    for name, value in page.context["carried"]:
        posted.setdefault(name, []).append(value)
    return posted | ({"proof_only_looked": "yes"} if page.context["only_looked"] else {})


def after(clock, **time):
    clock.move_to(timezone.now() + timedelta(**time))


def test_a_fresh_proof_is_asked_nothing(desk):
    assert desk.post(ACT, POSTED).content == b"done"


def test_nobody_is_asked_for_looking(desk):
    forget_proof(desk)
    assert desk.get(ACT).content == b"done"


@pytest.mark.parametrize(("minutes", "asked"), [(9, False), (10, True)])
def test_a_proof_lives_for_ten_minutes(desk, clock, minutes, asked):
    after(clock, minutes=minutes)
    assert ("Is it still you?" in desk.post(ACT, POSTED).content.decode()) == asked
    assert len(done) == (not asked)


def test_what_was_posted_comes_along_and_the_step_goes_on_as_if_nothing_had_been(desk, ada):
    forget_proof(desk)
    page = desk.post(ACT, POSTED)
    assert done == []
    assert "Everything you filled in comes along." in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    desk.post(ACT, carried(page) | {"proof_code": code()})
    ((posted, seen, _files),) = done
    assert seen == ["a", "b"]
    assert (posted["reason"], posted["empty"]) == (POSTED["reason"], "")
    assert posted.keys() == POSTED.keys()
    desk.post(ACT, POSTED)  # and for ten minutes nobody asks again
    assert len(done) == 2


def test_a_wrong_code_does_nothing_keeps_what_was_posted_and_stands_in_the_trail(desk, ada):
    forget_proof(desk)
    page = desk.post(ACT, {**POSTED, "proof_code": "000000"})
    assert "This code is wrong" in page.content.decode()
    assert carried(page) == {"seen": ["a", "b"], "reason": [POSTED["reason"]], "empty": [""]}
    assert done == []
    assert [(event.code, event.refused) for event in Event.objects.about(ada)] == [("proved", True)]


def test_a_code_that_was_used_is_no_proof(desk):
    forget_proof(desk)
    desk.post(ACT, {"proof_code": code()})
    forget_proof(desk)
    desk.post(ACT, {"proof_code": code()})
    assert len(done) == 1


def test_codes_cannot_be_guessed_here_either(desk):
    forget_proof(desk)
    for _ in range(5):
        desk.post(ACT, {"proof_code": "000000"})
    assert "Too many wrong codes" in desk.post(ACT, {"proof_code": code()}).content.decode()
    assert done == []


def test_a_file_does_not_come_along_and_the_page_says_so(desk):
    forget_proof(desk)
    page = desk.post(ACT, {"file": SimpleUploadedFile("a.csv", b"x")})
    assert "choose it again" in page.content.decode()
    assert desk.post(ACT, carried(page) | {"proof_code": code()})["Location"] == ACT
    assert done == []


def test_the_page_that_asks_refuses_a_post_from_elsewhere(ada):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    forget_proof(strict)
    assert strict.post(ACT, {"proof_code": code()}).status_code == 403
    assert done == []


# --- Left alone ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "locked"), [(29, False), (30, True), (24 * 60, True)])
def test_a_desk_that_is_left_alone_is_locked_after_half_an_hour(desk, clock, minutes, locked):
    after(clock, minutes=minutes)
    page = desk.get(reverse("admin:index"))
    assert ("the desk is locked" in page.content.decode() or page.status_code == 302) == locked


def test_whoever_stirs_is_not_locked_out(desk, clock):
    for _ in range(10):
        after(clock, minutes=29)
        assert "the desk is locked" not in desk.get(reverse("admin:index")).content.decode()


def test_a_code_opens_the_locked_desk_where_it_was(desk, clock):
    here = reverse("admin:accounts_user_changelist") + "?q=ada"
    after(clock, minutes=45)
    page = desk.get(here)
    assert "ada@example.org" not in page.content.decode()
    assert desk.post(here, carried(page) | {"proof_code": code()})["Location"] == here
    assert "ada@example.org" in desk.get(here).content.decode()


def test_what_was_written_for_an_hour_is_not_lost_when_the_desk_was_locked_meanwhile(desk, clock):
    after(clock, minutes=60)
    page = desk.post(ACT, POSTED)
    assert done == []
    desk.post(ACT, carried(page) | {"proof_code": code()})
    assert done[0][0]["reason"] == POSTED["reason"]


def test_a_locked_desk_can_be_left(desk, clock):
    after(clock, minutes=60)
    desk.post(reverse("admin:logout"))
    assert desk.get(reverse("admin:index")).status_code == 302


def working_day(desk, clock):
    for _ in range(30):
        after(clock, minutes=20)
        desk.get(reverse("admin:index"))


def test_after_ten_hours_the_password_is_asked_for_too(desk, clock):
    working_day(desk, clock)
    page = desk.post(ACT, POSTED)
    assert "ten hours ago" in page.content.decode()
    for wrong in ({"proof_code": code()}, {"proof_code": "000000", "proof_password": PASSWORD}):
        assert "wrong" in desk.post(ACT, carried(page) | wrong).content.decode()
    assert done == []
    desk.post(ACT, carried(page) | {"proof_code": code(), "proof_password": PASSWORD})
    assert [sorted(posted) for posted, _seen, _files in done] == [sorted(POSTED)]  # without password and code


def test_half_a_log_in_is_forgotten_after_half_an_hour(ada, clock):
    browser = Client()
    second_factor.begin(ada, now=MONDAY)
    browser.post(reverse("admin:login"), {"username": ada.email, "password": PASSWORD})
    after(clock, minutes=31)
    assert browser.get(reverse("admin:enrol"))["Location"].startswith(reverse("admin:login"))
