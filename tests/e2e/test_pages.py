"""Every public page: light on a bad line, whole without scripts, and without an obstacle that axe can find."""

import pytest

from applications import rules
from tests.e2e.conftest import violations

MOST_BYTES, MOST_REQUESTS = 15 * 1024, 3
SECTIONS = [f"/application/{name}/" for name in rules.SECTIONS]
OPEN_TO_ALL = ("/", "/about/", "/privacy/", "/54/", "/54/UG/", "/apply/54/UG/", "/apply/sent/", "/apply/lost-link/",
               "/contacts/", "/contacts/sent/", "/53/", "/apply/53/TZ/")  # fmt: skip
BY_LINK = {  # whose letter opens these
    "draft@example.org": (
        "/application/",
        *SECTIONS,
        "/application/check/",
    ),
    "applicant54-1@example.org": ("/application/status/", "/application/receipt/", "/application/withdraw/"),
}


@pytest.fixture(params=[1280, 360])
def width(request):
    return request.param


@pytest.fixture
def visitor(browser, browser_context_args, width):
    """Opens pages as somebody who has never been here: nothing is cached."""
    contexts = []

    def new(**options):
        size = {"viewport": {"width": width, "height": 800}}
        contexts.append(browser.new_context(**{**browser_context_args, **size, **options}))
        return contexts[-1].new_page()

    yield new
    for context in contexts:
        context.close()


def paths(house, language="en"):
    """(path, the link that opens it or None)"""
    for path in OPEN_TO_ALL:
        yield f"/{language}{path}", None
    for address, pages in BY_LINK.items():
        link = house.link_in(house.letters_to(address)[-1], "application")
        yield link, None
        for path in pages:
            yield f"/{language}{path}", link


def come_in(page, link):
    page.goto(link)
    page.locator("main form button, main form [type=submit]").first.click()
    page.wait_for_load_state()


def weigh(page, path):
    """(bytes on the wire, addresses asked for) of a visit with an empty cache, as the browser's own log has them."""
    page.goto("about:blank")  # what the last page still asked for is not this one's
    log, asked, sizes = page.context.new_cdp_session(page), {}, {}
    log.send("Network.enable")
    log.send("Network.clearBrowserCache")
    log.on("Network.requestWillBeSent", lambda event: asked.update({event["requestId"]: event["request"]["url"]}))
    log.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))
    page.goto(path, wait_until="networkidle")
    log.detach()
    wire = {one: url for one, url in asked.items() if not url.startswith("data:")}  # Chromium's own icons
    return sum(sizes.get(one, 0) for one in wire), [*wire.values()]


def test_a_first_visit_is_light_and_whole_without_scripts(house, visitor):
    page, heavy, inside = visitor(java_script_enabled=False), {}, None
    for path, link in paths(house):
        if link and link != inside:
            come_in(page, link)
            inside = link
        size, asked = weigh(page, path)
        if not (0 < size <= MOST_BYTES and 0 < len(asked) <= MOST_REQUESTS):
            heavy[path] = (size, asked)
        assert page.locator("main h1").count() == 1, f"{path} has no heading"
    assert heavy == {}


def test_no_page_puts_an_obstacle_in_anybodys_way(house, visitor):
    page, found, inside = visitor(), {}, None
    complaints = []
    page.on("console", lambda message: message.type == "error" and complaints.append((page.url, message.text)))
    for path, link in paths(house):
        if link and link != inside:
            come_in(page, link)
            inside = link
        page.goto(path)
        if bad := violations(page):
            found[path] = bad
        wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide, f"{path} scrolls sideways"
    assert found == {}
    assert [one for one in complaints if "410" not in one[1]] == []  # a closed call answers 410, on purpose


def test_mistakes_are_said_on_top_and_beside_and_lead_there(house, visitor):
    page = visitor(java_script_enabled=False)
    page.goto("/en/apply/54/UG/")
    page.get_by_role("button", name="Send me my link").click()
    page.locator(".error-summary").wait_for()
    assert page.title().startswith("Error")
    summary = page.locator(".error-summary a").first
    field = page.locator(summary.get_attribute("href"))
    assert field.get_attribute("aria-invalid") == "true"
    summary.click()
    assert page.evaluate("document.activeElement.id") == field.get_attribute("id")
    assert violations(visitor_page(visitor)) == []


def visitor_page(visitor):
    """The same mistake, where axe may run."""
    page = visitor()
    page.goto("/en/apply/54/UG/")
    page.get_by_role("button", name="Send me my link").click()
    page.locator(".error-summary").wait_for()
    return page
