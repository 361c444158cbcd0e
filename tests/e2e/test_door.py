"""The door list on a phone whose line breaks: nothing is lost, nothing is doubled, and the page opens again.

Against Django's own server and an empty house: the demonstration has no meeting today.
"""

import os
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from missions.models import DoorNote, FloorQuestion, Reply
from tests.accounts.factories import StaffFactory
from tests.e2e.conftest import violations
from tests.e2e.line import Line
from tests.missions.factories import MissionFactory, invite
from tests.upr.factories import CountryMeetingFactory, StateFactory

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 390, "height": 844}
WAIT = 20_000  # milliseconds, on a busy machine
SHOTS = os.environ.get("SHOTS")  # a folder for pictures to look at


@pytest.fixture(scope="session")
def browser_context_args():
    """Without the house of the other journeys, which would take minutes to build."""
    return {}


@pytest.fixture
def kenya():
    """A meeting that has just begun."""
    meeting = CountryMeetingFactory(state=StateFactory(iso2="KE"), starts_at=timezone.now(), room="Room XXI")
    for iso2 in ("BR", "CI", "FR", "KE", "NO", "TR"):
        MissionFactory(iso2=iso2)
    for iso2 in ("FR", "NO"):
        invitation, _path = invite(iso2, series=meeting.series)
        Reply.objects.create(invitation=invitation, meeting=meeting, answer="in_person", at=timezone.now())
    return meeting


@pytest.fixture
def phone(browser, live_server, kenya):
    """A function that makes one more phone with a line of its own, in the hand of somebody who has logged in."""
    opened = []

    def another(user=None, **facts):
        line = Line(live_server.url)
        context = browser.new_context(base_url=line.url, viewport=PHONE, locale="en-GB", **facts)
        context.set_default_timeout(20_000)
        opened.append((context, line))
        page = context.new_page()
        page.complaints, page.line = [], line
        page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
        take_over(page, user or StaffFactory(), kenya)
        return page

    yield another
    for context, line in opened:
        context.close()
        line.cut()


def take_over(page, user, meeting):
    """The phone in the hand of somebody who has just logged in, and opens the list."""
    client = Client()
    client.force_login(user)
    page.session_key = client.session.session_key
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": page.session_key, "url": page.line.url}
    page.context.add_cookies([cookie])
    page.goto(address(meeting))


def address(meeting):
    return reverse("admin:missions_door", args=[meeting.pk])


def who(page, name):
    return page.locator(f'[data-name="{name}"]')


def tap(page, name, times=1):
    who(page, name).locator(".who").click()
    for _ in range(times - 1):
        who(page, name).locator(".more").click()


def line_breaks(page):
    page.line.cut()
    page.context.set_offline(True)  # what the phone shows, and tells its pages


def line_is_back(page):
    page.line.mend()
    page.context.set_offline(False)


def there(meeting):
    return {note.mission.code: note.people for note in DoorNote.objects.came([meeting])}


def all_is_noted(page):
    expect(page.locator("#said")).to_have_text("All is noted.", timeout=WAIT)


def waits(page, n):
    expect(page.locator("#said")).to_contain_text(f"Waiting on this phone: {n}.", timeout=WAIT)


def opens_without_a_line(page):
    expect(page.get_by_text("This page opens on this phone without a line, too.")).to_be_visible(timeout=WAIT)


def shot(page, name):
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png")


def test_the_line_breaks_the_page_is_opened_again_and_nothing_is_lost_or_doubled(phone, kenya):
    page = phone()
    opens_without_a_line(page)
    tap(page, "France", 2)
    all_is_noted(page)
    line_breaks(page)
    tap(page, "Brazil", 3)
    who(page, "Kenya").get_by_role("button", name="Took the floor").click()
    waits(page, 4)
    shot(page, "door-offline")

    page.reload()
    for name, people in (("France", 2), ("Brazil", 3), ("Kenya", 1)):
        expect(who(page, name).locator("output")).to_have_text(str(people))
    expect(page.locator("#people")).to_have_text("6")
    tap(page, "France")  # it is there already
    who(page, "France").locator(".more").click()
    waits(page, 5)
    assert there(kenya) == {"FR": 2}

    line_is_back(page)
    all_is_noted(page)
    assert there(kenya) == {"FR": 3, "BR": 3, "KE": 1}
    assert DoorNote.objects.current().get(mission__code="KE").spoke
    assert DoorNote.objects.count() == 2 + 5
    page.reload()
    expect(page.locator("#people")).to_have_text("7")
    assert not [words for words in page.complaints if not words.startswith("Failed to load resource: net::ERR_")]


def test_two_phones_at_two_doors_agree_once_both_have_a_line(phone, kenya):
    first, second = phone(), phone()
    line_breaks(second)
    tap(second, "France", 2)
    tap(second, "Norway")
    tap(first, "France")
    who(first, "France").locator(".more").click()
    tap(first, "Brazil")
    all_is_noted(first)
    line_is_back(second)
    all_is_noted(second)
    expect(second.locator("#people")).to_have_text("4")
    assert there(kenya) == {"FR": 2, "BR": 1, "NO": 1}
    first.reload()
    expect(first.locator("#people")).to_have_text("4")


def test_an_answer_that_is_lost_on_its_way_doubles_nothing(phone, kenya):
    page, cut = phone(), []

    def take_and_lose(route):
        """The house has the note, and the phone never hears of it."""
        if len(cut) < 2:
            cut.append(route.fetch())
            route.abort()
        else:
            route.continue_()

    page.route("**/door/notes/", take_and_lose)
    tap(page, "France", 2)
    waits(page, 2)
    page.evaluate("dispatchEvent(new Event('online'))")
    waits(page, 2)
    page.evaluate("dispatchEvent(new Event('online'))")
    all_is_noted(page)
    assert len(cut) == 2
    assert there(kenya) == {"FR": 2}
    assert DoorNote.objects.count() == 2


def test_a_log_in_that_has_ended_says_so_and_keeps_what_was_noted(phone, kenya):
    user = StaffFactory()
    page = phone(user)
    Session.objects.filter(session_key=page.session_key).delete()
    tap(page, "Norway")
    expect(page.locator("#said")).to_contain_text("Show that it is you")
    page.get_by_role("link", name="Open the page again").click()
    expect(page.get_by_label("Password")).to_be_visible()
    assert there(kenya) == {}
    take_over(page, user, kenya)
    all_is_noted(page)
    assert there(kenya) == {"NO": 1}


def test_what_somebody_else_left_on_the_phone_is_not_sent_in_anothers_name(phone, kenya):
    user = StaffFactory()
    page = phone(user)
    line_breaks(page)
    tap(page, "Norway")
    waits(page, 1)
    page.goto("about:blank")
    line_is_back(page)
    take_over(page, StaffFactory(), kenya)
    expect(page.locator("#said")).to_contain_text("Somebody else has left notes on this phone: 1.")
    assert not DoorNote.objects.exclude(by=user).exists()
    take_over(page, user, kenya)
    all_is_noted(page)
    assert DoorNote.objects.get().by == user


def test_a_mission_is_found_without_accents_and_noted_with_the_keyboard(phone, kenya):
    page = phone()
    search = page.get_by_label("Search a mission")
    search.fill("cote d'iv")
    expect(page.locator("#list li:visible")).to_have_count(1)
    search.press("Enter")
    expect(who(page, "Côte d'Ivoire").locator("output")).to_have_text("1")
    search.fill("xyz")
    expect(page.get_by_text("No mission is called so.")).to_be_visible()
    search.fill("")
    all_is_noted(page)
    assert there(kenya) == {"CI": 1}


def test_a_question_is_noted_without_a_line_and_taken_back(phone, kenya):
    page = phone()
    line_breaks(page)
    page.get_by_role("link", name="Questions").click()
    for words in ("What of prisons?", "And of schools?"):
        page.get_by_label("Who asks").select_option(label="Brazil")
        page.get_by_label("The question in a few words, if you like").fill(words)
        page.get_by_role("button", name="Note the question").click()
    expect(page.get_by_text("waits on this phone")).to_have_count(2)
    page.locator("#questions li").first.get_by_role("button", name="Take back").click()
    expect(page.locator("#questions li")).to_have_count(1)
    line_is_back(page)
    all_is_noted(page)
    expect(page.locator("#questions li")).to_have_count(1)
    shot(page, "door-questions")
    assert list(FloorQuestion.objects.filter(taken_back_at=None).values_list("mission__code", "words")) == [
        ("BR", "And of schools?")
    ]


def test_without_a_script_every_button_works(phone, kenya):
    page = phone(java_script_enabled=False)
    who(page, "France").locator(".who").click()
    who(page, "France").locator(".more").click()
    expect(who(page, "France").locator("output")).to_have_text("2")
    page.get_by_label("Who asks").select_option(label="France")
    page.get_by_role("button", name="Note the question").click()
    page.get_by_role("button", name="Take back").click()
    assert there(kenya) == {"FR": 2}
    assert FloorQuestion.objects.get().taken_back_at


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["doors", "door", "door_paper", "door_correct"])
def test_the_pages_are_for_everybody(phone, kenya, name, scheme):
    page = phone(color_scheme=scheme)
    tap(page, "France", 2)
    tap(page, "Kenya")
    all_is_noted(page)
    page.goto(reverse(f"admin:missions_{name}", args=[] if name == "doors" else [kenya.pk]))
    shot(page, f"{name}-{scheme}")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.complaints == []


def test_a_list_that_is_half_a_day_old_is_not_opened_without_a_line(phone, kenya):
    page = phone()
    opens_without_a_line(page)
    hours = timedelta(hours=13).total_seconds() * 1000
    page.evaluate(
        """async ([address, ago]) => {
            const store = await caches.open("door"), old = await store.match(address, { ignoreVary: true });
            const headers = new Headers(old.headers);
            headers.set("X-Kept-At", Date.now() - ago);
            await store.put(address, new Response(await old.blob(), { headers }));
        }""",
        [address(kenya), hours],
    )
    line_breaks(page)
    with pytest.raises(Exception, match="ERR_"):
        page.goto(address(kenya))
