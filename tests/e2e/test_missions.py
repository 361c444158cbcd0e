"""Permanent Missions and what may come between: a date that moves after they have answered, a meeting called off, a
mission without an address, one that joins late, one whose address has died, a link passed on to a colleague.

Each test follows the letters that really arrive. What mail, page and calendars say of one meeting must agree.
"""

import re
from datetime import UTC, timedelta
from email import message_from_bytes, policy

import icalendar
import pytest
from playwright.sync_api import expect

from presessions.upr.dates import GENEVA
from tests.e2e.conftest import violations
from tests.e2e.test_inbox import journal_entry
from tests.promises.bounced_mails import filled

OURS, SAVED = "Pre-sessions 53", "We have saved these answers"
MOVED, OFF = "Saint Vincent and the Grenadines", "Antigua and Barbuda"  # nobody applies for them in the demonstration


@pytest.fixture
def mission(house, invited, page):
    """A browser for whoever opens a mission's letters; it keeps no log-in."""

    def opened(code, about=OURS):
        page.goto(house.link_in(house.next_letter_to(f"mission-{code}@example.org", about=about), "invitation"))
        return page

    return opened


def answer(page, **answers):
    """Say to each meeting, by the name of its State, whether the mission comes."""
    for state, label in answers.items():
        row = page.get_by_role("row", name=re.compile(state.replace("_", " ")))
        row.get_by_label(label, exact=True).check()
    page.get_by_role("button", name="Save our answers").click()
    expect(page.locator("main")).to_contain_text("We have your Mission’s answers")


def attached(house, address, about):
    """The entries for a calendar in the newest letter to an address with these words, and whether they take out."""
    letters = [path for path in sorted((house.var / "mail").glob("*.txt")) if f"-{address}" in path.name]
    found = [path for path in letters if about in path.read_text()][-1]
    mail = message_from_bytes(found.with_suffix(".eml").read_bytes(), policy=policy.default)
    [entry] = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    return entries(entry.get_payload(decode=True))


def entries(body):
    """{uid: (version, start, whether it is held)} of a calendar."""
    calendar = icalendar.Calendar.from_ical(body)
    return {
        str(event["UID"]): (int(event["SEQUENCE"]), event["DTSTART"].dt.astimezone(UTC), str(event["STATUS"]))
        for event in calendar.walk("VEVENT")
    }


def calendars(page, iso2):
    """What each calendar that this page offers says, and the public one."""
    own = page.url.split("#")[0]
    addresses = [f"{own}{iso2}.ics", f"{own}my-meetings.ics", f"{own}all.ics", f"/53/{iso2}.ics", f"/state/{iso2}.ics"]
    answers = [page.request.get(address) for address in addresses]
    assert [one.status for one in answers] == [200] * len(answers)
    return [entries(one.body()) for one in answers]


def step(staff, state, link):
    """Open one of the steps that tell people on the page of a meeting."""
    staff.goto("/admin/upr/countrymeeting/?q=" + state.split()[0])
    staff.locator("#result_list th a", has_text=state).click()
    staff.get_by_role("link", name=link).click()


def test_a_date_moved_after_the_answers_is_the_same_in_mail_page_and_calendars(house, staff, mission):
    page = mission("se")
    answer(page, **{MOVED.replace(" ", "_"): "In person", "Ireland": "In person"})
    assert "Ireland" in house.next_letter_to("mission-se@example.org", about=(SAVED, MOVED))
    [(uid, (version, start, _held))] = calendars(page, "VC")[0].items()
    answer(mission("no"), **{MOVED.replace(" ", "_"): "No"})

    step(staff, MOVED, "Move, and tell them")
    moved_to = start + timedelta(hours=24, minutes=30)
    wall = moved_to.astimezone(GENEVA)
    staff.locator("[name=starts_at]").fill(wall.strftime("%Y-%m-%dT%H:%M"))
    staff.locator("[name=room]").fill("Room XIX")
    staff.get_by_role("button", name="See whom it concerns").click()
    expect(staff.locator("#content")).to_contain_text("2 missions that answered")
    assert violations(staff) == []
    staff.get_by_role("button", name="Move the meeting").click()

    letter = house.next_letter_to("mission-se@example.org", about="This meeting has another date")
    assert "Room XIX" in letter and "Ireland" not in letter
    sent = attached(house, "mission-se@example.org", "This meeting has another date")
    page = mission("se", about="This meeting has another date")
    row = page.get_by_role("row", name=re.compile(MOVED))
    expect(row).to_contain_text(wall.strftime("%H:%M"))
    expect(row).to_contain_text("Room XIX")
    expect(row.get_by_label("In person", exact=True)).to_be_checked()
    shown = calendars(page, "VC")
    assert {one[uid] for one in (sent, *shown)} == {(shown[0][uid][0], moved_to.astimezone(UTC), "CONFIRMED")}
    assert shown[0][uid][0] > version
    assert not any("another date" in one for one in house.letters_to("mission-fi@example.org"))  # it had not answered
    assert violations(page) == []


def test_a_meeting_called_off_leaves_the_calendars_of_those_who_wanted_to_come(house, staff, mission):
    page = mission("dk")
    answer(page, **{OFF.replace(" ", "_"): "In person"})
    [(uid, before)] = calendars(page, "AG")[0].items()
    assert before[2] == "CONFIRMED"

    step(staff, OFF, "Call off, and tell them")
    staff.get_by_label("Too few applications").check()
    staff.get_by_role("button", name="See whom it concerns").click()
    expect(staff.locator("#content")).to_contain_text("1 mission that answered")
    staff.get_by_role("button", name="Call the meeting off").click()

    about = "will not be held as announced"
    house.next_letter_to("mission-dk@example.org", about=about)
    sent = attached(house, "mission-dk@example.org", about)
    page = mission("dk", about=about)
    expect(page.get_by_role("row", name=re.compile(OFF))).to_contain_text("Called off")
    shown = calendars(page, "AG")
    assert {one[uid][2] for one in (sent, *shown)} == {"CANCELLED"}
    assert {one[uid][0] for one in (sent, *shown)} == {shown[0][uid][0]} != {before[0]}
    assert violations(page) == []


def test_a_mission_without_an_address_is_a_task_until_staff_enter_one_then_it_joins(house, staff, mission, page):
    mission("se")  # the invitation has gone out, and was written to everybody it reaches
    staff.goto("/admin/missions/missiontask/")
    staff.locator("#result_list tr", has_text=OURS).locator("th a").first.click()
    expect(staff.locator("#content")).to_contain_text("Mail does not reach this mission")
    assert violations(staff) == []
    staff.get_by_label("E-mail address").fill("late-joiner@example.org")
    staff.get_by_role("button", name="Add the address").click()
    staff.get_by_role("button", name="Write to it now").click()
    letter = house.next_letter_to("late-joiner@example.org", about=OURS)
    page.goto(house.link_in(letter, "invitation"))
    answer(page, Greece="Undecided")
    house.next_letter_to("late-joiner@example.org", about=(SAVED, "Greece"))
    assert staff.complaints == []


def test_a_colleague_answers_by_a_link_of_their_own_which_closes_alone(house, mission, browser, browser_context_args):
    page = mission("is")
    page.get_by_text("Pass this invitation on to a colleague").click()
    page.get_by_label("Your colleague’s e-mail address").fill("colleague-is@example.org")
    page.locator("[name=colleague_name]").fill("Jóna Vik")
    page.get_by_role("button", name="Send a link").click()
    expect(page.locator("main")).to_contain_text("c…@example.org")
    assert violations(page) == []

    letter = house.next_letter_to("colleague-is@example.org", about="passed on to you")
    assert "Vik" not in letter
    context = browser.new_context(**browser_context_args)
    other = context.new_page()
    theirs = house.link_in(letter, "invitation")
    other.goto(theirs)
    answer(other, Greece="In person")
    page.reload()
    expect(page.locator("main")).to_contain_text("Jóna Vik")
    expect(page.get_by_role("row", name=re.compile("Greece"))).to_contain_text("Answered by")

    page.get_by_role("button", name=re.compile("Close this link")).click()
    expect(page.locator("main")).to_contain_text("opens nothing any more")
    assert other.goto(theirs).status == 404
    assert violations(other) == []
    page.reload()
    expect(page.get_by_role("row", name=re.compile("Greece")).get_by_label("In person", exact=True)).to_be_checked()
    context.close()


def test_when_an_address_dies_the_invitation_goes_to_the_next_one(house, staff, dovecot, mission, page):
    mission("at")
    staff.goto("/admin/missions/permanentmission/?q=AT")
    staff.locator("#result_list th a", has_text="Austria").click()
    staff.locator(".add-row a").click()
    staff.locator("[name=addresses-1-email]").fill("second-at@example.org")
    staff.locator("[name=addresses-1-position]").fill("2")
    staff.get_by_role("button", name="Save", exact=True).click()
    expect(staff.locator(".messagelist")).to_contain_text("successfully")

    taken = journal_entry(house, "mission-at@example.org")
    places = {"verp": taken["from"], "message_id": taken["message_id"], "to": "mission-at@example.org"}
    dovecot.deliver(filled("postfix_no_such_user", places | {"token": "x" * 43}))
    house.manage("read_inbox")

    letter = house.next_letter_to("second-at@example.org", about=OURS)
    page.goto(house.link_in(letter, "invitation"))
    answer(page, Greece="In person")
    staff.goto("/admin/missions/permanentmission/?q=AT")
    staff.locator("#result_list th a", has_text="Austria").click()
    expect(staff.locator("#content")).to_contain_text(re.compile("bounced", re.IGNORECASE))
    assert staff.complaints == []
