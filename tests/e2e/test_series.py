"""Three people at UPR Info run a series: it is set up from a session of the Working Group, forty applications are read
and assessed, three panels composed, their answers released and an agenda published. All by keyboard and mouse."""

import re
from datetime import date, timedelta

from playwright.sync_api import expect

from tests.e2e.conftest import violations

DESK = "/admin/applications/application/"
MOST = 60  # applications; more than the demonstration has
PANELS = ("Thailand", "Ireland", "Papua New Guinea")


def test_a_series_is_set_up_in_a_few_pages(house, staff):
    """From home to a call that opens by itself; nothing is written before every date was looked at."""
    begins = date.today() + timedelta(days=150)
    begins -= timedelta(days=begins.weekday())
    staff.get_by_role("link", name="Set up a series").first.click()
    staff.get_by_role("link", name="Enter the next session").click()
    staff.locator("[name=starts_on]").fill(begins.isoformat())
    staff.locator("[name=ends_on]").fill((begins + timedelta(days=11)).isoformat())
    staff.get_by_role("button", name="Go on to the plan").click()
    assert violations(staff) == []
    starts = [field.input_value() for field in staff.locator("td input[type='datetime-local']").all()]
    assert len(starts) == 14 and len(set(starts)) == 14  # every mission can follow every State
    staff.get_by_role("button", name="Look at every date").click()
    expect(staff.locator("main, #content").first).to_contain_text("Nothing has been written yet.")
    assert violations(staff) == []
    staff.get_by_role("button", name="Set up Pre-sessions 55").click()
    staff.wait_for_url("**/change/")
    expect(staff.locator("#content")).to_contain_text("Invitation")
    assert violations(staff) == []
    assert staff.complaints == []


def test_forty_applications_become_three_panels_with_their_answers(house, staff):
    reveal(staff)
    count = assess(staff)
    assert count >= 36, "the demonstration has forty applications; four have their answer"
    for state in PANELS:
        compose(staff, state)
        release(staff)
    publish(staff)
    accepted = house.next_letter_to("applicant53-8@example.org", about="accepted")
    assert "Thailand" not in accepted
    assert staff.complaints == []


def reveal(staff):
    """Who may be in danger is masked for everybody; the safety officer looks for half an hour, and says why."""
    staff.goto(DESK)
    masked = staff.locator("#result_list tr", has_text="at risk")
    links = [row.locator("a").first.get_attribute("href") for row in masked.all()]
    assert links
    for link in links:
        staff.goto(link)
        if staff.get_by_role("button", name="Reveal for half an hour").count():
            staff.get_by_label("Why you need to see it").fill("To assess it.")
            staff.get_by_role("button", name="Reveal for half an hour").click()
            expect(staff.get_by_role("heading", name="Recommendations")).to_be_visible()


def assess(staff):
    """With the keyboard alone: the desk gives the next one by itself until there is none."""
    staff.goto(f"{DESK}review/")
    assert violations(staff) == []
    for number in range(MOST):
        skipped = staff.get_by_role("button", name="Go through them now")  # by a journey before this one
        if skipped.count():
            skipped.click()
        if not staff.locator("#review-form").count():
            break
        staff.locator("#review-form [name=national_voice]").nth(3).focus()
        staff.keyboard.press("Space")
        staff.locator("#review-form [name=overall]").nth(number % 3).focus()
        staff.keyboard.press("Space")
        with staff.expect_navigation():
            staff.keyboard.press("Control+Enter")
    expect(staff.locator(".review-done")).to_contain_text("Done")
    return int(re.search(r"(\d+) of \1 assessed", staff.locator(".review-done").inner_text())[1])


def compose(staff, state):
    """Everybody on the panel but the last, who waits; the minutes shared, the balance in view."""
    staff.goto(f"{DESK}panel/")
    staff.locator("tr", has_text=state).filter(has_text="53").get_by_role("link").first.click()
    panel, none = staff.locator("[data-list=panel]"), staff.locator("[data-list='-']")
    while none.locator("li").count():
        none.locator(".to-panel").first.click()
    assert panel.locator("li").count() >= 1
    if panel.locator("li").count() > 1:
        panel.locator(".to-waiting").last.click()
    staff.get_by_role("button", name="Share the time evenly").click()
    staff.get_by_label("Name", exact=True).fill("Ada Keller")
    assert violations(staff) == []
    staff.get_by_role("button", name="Save the panel").last.click()
    expect(staff.locator(".messagelist")).to_contain_text("The panel is saved.")
    staff.get_by_role("button", name="Prepare the answers").click()


def release(staff):
    staff.wait_for_url("**/decisions/**")
    assert violations(staff) == []
    staff.get_by_role("button", name=re.compile("Release")).click()
    expect(staff.locator(".messagelist")).to_contain_text("Released")


def publish(staff):
    """An agenda names nobody who has not agreed again."""
    staff.goto(f"{DESK}panel/")
    staff.locator("tr", has_text=PANELS[0]).filter(has_text="53").get_by_role("link").first.click()
    staff.get_by_role("link", name="Agenda", exact=True).first.click()
    staff.get_by_role("button", name=re.compile("Publish")).first.click()
    expect(staff.locator(".messagelist")).to_contain_text(re.compile("published", re.IGNORECASE))
    staff.goto("/en/53/TH/")
    expect(staff.locator("main")).to_contain_text("A national CSO")
