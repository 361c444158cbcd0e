"""The panel builder with its script: lines move at once and the balance counts along; the screen without a network."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import violations


@pytest.fixture
def builder(staff):
    """The panel of the meeting in the demonstration that has the most to choose from."""
    staff.goto("/admin/applications/application/panel/")
    staff.get_by_role("link", name="United Republic of Tanzania").first.click()
    expect(staff.get_by_role("heading", name="On the panel")).to_be_visible()
    return staff


def order(page, where="panel"):
    return page.locator(f"[data-list='{where}'] .line").evaluate_all("all => all.map(one => one.dataset.reference)")


def number(page, name):
    return int(page.locator(f"[data-number={name}]").first.inner_text())


def off(page, reference):
    page.locator(f"#row-{reference} .to-none").click()


def test_a_panel_is_composed_with_the_keyboard_and_saved_once(builder):
    page, before = builder, order(builder)
    first, second = before[:2]
    down = page.locator(f"#row-{first} .down")
    down.focus()
    page.keyboard.press("Enter")
    assert order(page)[:2] == [second, first]
    expect(page.locator("#said")).to_contain_text("number 2 on the panel")
    expect(down).to_be_focused()
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    page.get_by_role("button", name="Save the panel").last.click()
    expect(page.get_by_text("The panel is saved.")).to_be_visible()
    assert order(page)[:2] == [second, first]


def test_the_hour_and_the_balance_count_along(builder):
    page = builder
    speakers, questions = number(page, "speakers"), int(page.locator("#question-minutes").inner_text())
    line = page.locator("[data-list=panel] .line").last
    minutes = int(line.locator(".minutes input").input_value())
    reference = line.get_attribute("data-reference")
    off(page, reference)
    assert number(page, "speakers") == speakers - 1
    assert int(page.locator("#question-minutes").inner_text()) == questions + minutes
    assert order(page, "-")[-1] == reference
    page.locator("[name=opening_minutes]").fill("60")
    expect(page.get_by_text("Longer than the meeting")).to_be_visible()
    page.locator("[name=opening_minutes]").fill("3")
    expect(page.get_by_text("Longer than the meeting")).to_be_hidden()


def test_a_line_is_dragged_to_another_place(builder):
    page, before = builder, order(builder)
    last, first = (page.locator(f"#row-{one} .name") for one in (before[-1], before[0]))
    last.drag_to(first, target_position={"x": 5, "y": 1})
    assert order(page)[0] == before[-1]
    expect(page.locator(f"#row-{before[-1]} [name=seat]")).to_have_value(f"panel {before[-1]}")


def test_without_a_script_each_button_saves(browser, browser_context_args, house, staff):
    context = browser.new_context(**browser_context_args, java_script_enabled=False)
    context.add_cookies(staff.context.cookies())
    page = context.new_page()
    page.goto("/admin/applications/application/panel/")
    page.get_by_role("link", name="United Republic of Tanzania").first.click()
    last = page.locator("[data-list=panel] .line").last.get_attribute("data-reference")
    page.locator(f"#row-{last} .up").click()
    expect(page.get_by_text("The panel is saved.")).to_be_visible()
    rows = page.locator("[data-list=panel] .line")
    assert rows.nth(rows.count() - 2).get_attribute("data-reference") == last
    context.close()


def test_the_screen_goes_on_without_a_network(builder):
    page = builder
    page.get_by_role("link", name="Speaking-time screen").click()
    expect(page.locator("#time")).to_have_text("3:00")
    page.context.set_offline(True)
    page.keyboard.press("Space")
    expect(page.locator("#time")).to_have_text(re.compile(r"2:5\d"))
    page.keyboard.press("ArrowRight")
    expect(page.locator("#time")).to_have_text(re.compile(r"\d:00"))
    page.get_by_role("button", name="Back", exact=True).click()
    expect(page.locator("#who")).to_have_text("Opening by the moderator")
    page.context.set_offline(False)
    assert page.complaints == []


@pytest.mark.parametrize("key", ["Space", "Enter"])
def test_the_button_of_the_clock_starts_and_stops_it_once_for_each_press(builder, key):
    page = builder
    page.get_by_role("link", name="Speaking-time screen").click()
    page.get_by_role("button", name="Start").focus()
    for then in ("Stop", "Start"):
        for _ in range(4):  # the first press, and what a held key repeats
            page.keyboard.down(key)
        page.keyboard.up(key)
        expect(page.locator("#go")).to_have_text(then)
        expect(page.locator("#go")).to_be_focused()


def test_after_the_mouse_space_is_the_clocks_again(builder):
    page = builder
    page.get_by_role("link", name="Speaking-time screen").click()
    page.get_by_role("button", name="Next", exact=True).click()
    who = page.locator("#who").inner_text()
    page.keyboard.press("Space")
    expect(page.locator("#go")).to_have_text("Stop")
    assert page.locator("#who").inner_text() == who


@pytest.mark.parametrize("name", ["", "agenda/", "sheet/", "screen/"])
@pytest.mark.parametrize("width", [1366, 360])
def test_the_pages_of_a_panel_have_no_violations(builder, name, width):
    builder.set_viewport_size({"width": width, "height": 768})
    builder.goto(builder.url.split("#")[0] + name)
    assert violations(builder) == []
    assert builder.complaints == []
    assert builder.evaluate("document.documentElement.scrollWidth <= innerWidth")
