"""What static/site.js adds where scripts run, and that nothing is missing where they do not."""

import pytest

from applications.rules import count_words
from tests.e2e.test_pages import come_in

KEPT = "JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])"


@pytest.fixture
def visitor(browser, browser_context_args):
    contexts = []

    def new(**options):
        contexts.append(browser.new_context(**{**browser_context_args, **options}))
        return contexts[-1].new_page()

    yield new
    for context in contexts:
        context.close()


@pytest.fixture
def form(visitor, house):
    """The page of the institution, in the form of somebody who has only begun."""
    page = visitor()
    come_in(page, house.link_in(house.letters_to("draft@example.org")[-1], "application"))
    page.goto("/en/application/institution/")
    if page.locator("[name=aims]").input_value():  # another journey left a text that is too long
        page.locator("[name=aims]").fill("")
        page.get_by_role("button", name="Save and come back later").click()
        page.wait_for_url("**/en/application/")
        page.goto("/en/application/institution/")
    return page


def deadline(page):
    return " ".join(page.locator(".until h3, .deadline").first.inner_text().split())


def test_the_readers_own_time_stands_after_genevas(visitor):
    page = visitor(timezone_id="Africa/Nairobi")
    page.goto("/en/54/UG/")
    genevas, readers = deadline(page).split(" Geneva time ")
    assert genevas.startswith("Apply until")
    assert genevas.endswith("23:59")
    readers, _ = readers.removeprefix("(").split(" where you are)")
    assert readers.startswith(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))  # it is the next day there
    assert readers.endswith(("01:59", "00:59"))


@pytest.mark.parametrize(
    "visit", [{"timezone_id": "Europe/Zurich"}, {"java_script_enabled": False}], ids=["Geneva", "-"]
)
def test_in_geneva_and_without_scripts_there_is_one_time_only(visitor, visit):
    page = visitor(**visit)
    page.goto("/en/54/UG/")
    assert "Geneva time" in deadline(page)
    assert "where you are" not in deadline(page)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Three short words",
        "  in – between,  blanks \n and 2 lines ",
        "La liberté d’expression, l'eau",
        "حقوق الإنسان في بلدنا",
        "我们的工作 and 3 words",
        "Свобода слова 2026",
        "word " * 201,
    ],
)
def test_words_are_counted_beside_the_field_as_the_server_counts_them(form, text):
    form.locator("[name=aims]").fill(text)
    told = form.locator("[name=aims] + .counted")
    told.filter(has_text=f"Words: {count_words(text)} / 200").wait_for(timeout=5000)
    assert ("error" in told.get_attribute("class").split()) == (count_words(text) > 200)


def leave(page):
    """Follow a link, and tell what the browser asks; stay if it asks."""
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.locator(".brand").click()
    page.wait_for_timeout(300)
    return asked


def test_before_typing_is_lost_the_browser_asks(form):
    form.locator("[name=aims]").press_sequentially("Not saved")
    assert leave(form) == ["beforeunload"]
    assert form.locator("[name=aims]").input_value() == "Not saved"
    assert form.evaluate(KEPT) == "[[],[]]"


def test_it_asks_nothing_where_nothing_was_typed(form):
    assert leave(form) == []
    form.wait_for_url("**/en/")


def test_it_asks_nothing_of_what_is_being_saved(form):
    asked = []
    form.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    form.locator("[name=aims]").press_sequentially("Saved")
    form.get_by_role("button", name="Save and come back later").click()
    form.wait_for_url("**/en/application/")
    assert asked == []


def test_what_was_refused_is_still_not_saved(form):
    form.locator("[name=founded_year]").press_sequentially("12")
    form.get_by_role("button", name="Save and continue").click()
    form.locator(".error-summary").wait_for()
    assert form.evaluate("document.activeElement.className") == "error-summary"
    form.locator("[name=aims]").click()
    assert leave(form) == ["beforeunload"]
