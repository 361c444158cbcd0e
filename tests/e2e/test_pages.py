"""Every public page in every language: light on a bad line, without an obstacle that axe can find, in light and in
dark, empty and with errors; as wide as the phone that shows it; and whole without scripts.

One walk for each language: each page is loaded once, with an empty cache, and everything is asked of it there.
"""

from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import AXE

LANGUAGES = ("en", "fr", "es", "ar", "ru", "zh")
MOST_BYTES, MOST_REQUESTS = 15 * 1024, 3
SECTIONS = ("institution", "speaker", "replacement", "issues", "recommendations", "submission", "file", "safety")
OPEN_TO_ALL = ("/", "/about/", "/privacy/", "/safety/", "/questions/", "/states/?q=land", "/states/?q=xyz",
               "/state/UG/", "/series/", "/54/", "/54/UG/", "/apply/54/UG/", "/apply/53/TZ/", "/apply/sent/",
               "/apply/lost-link/", "/receipt/", "/contacts/", "/contacts/sent/", "/invitation/", "/invitation/sent/",
               "/invitation/x/", "/nowhere/")  # fmt: skip
MORE = {  # the same pages with more, or with something else in them; what they add is the same in every language
    "en": ("/states/", "/53/", "/53/TZ/", "/styleguide/?errors", "/52/pack/", "/52/NA/pack/", "/54/UG/pack/"),
    "ar": ("/states/?by=session", "/state/AF/", "/52/NA/pack/"),
}
WIDE_APART = ("/", "/states/?q=land", "/state/UG/", "/series/", "/54/", "/apply/54/UG/", "/contacts/")  # in columns
AFTER = ("receipt", "status", "withdraw", "erase", "everything", "check")
SEAT = ("seat", "seat/give-up", "speaker-change", "needs", "passport", "statement", "fact-sheet", "publish", "status")
BY_LINK = {  # whose letter opens these
    "draft@example.org": ["/application/", *(f"/application/{name}/" for name in (*SECTIONS, "check"))],
    "applicant54-1@example.org": [f"/application/{name}/" for name in AFTER],
    "applicant53-1@example.org": [f"/application/{name}/" for name in SEAT],
}
MISTAKES = (  # a page, whose it is, what to type wrongly there
    ("/apply/54/UG/", None, {}),
    ("/apply/lost-link/", None, {"email": "nobody"}),
    ("/contacts/", None, {}),
    ("/receipt/", None, {"reference": "nothing"}),
    ("/invitation/", None, {"email": "nobody"}),
    ("/application/speaker/", "draft@example.org", {"email": "nobody"}),
    ("/application/institution/", "draft@example.org", {"aims": "word " * 250}),
    ("/application/check/", "draft@example.org", {}),
)
HEAVY = ("/styleguide/",)  # not for the public, and not on a bad line
NOT_200 = {"/apply/53/TZ/": 410, "/nowhere/": 404, "/invitation/x/": 404}
LOOK = """async (rules) => {
    const options = rules ? {runOnly: {type: "rule", values: rules}} : {};
    const found = await axe.run(document, {...options, resultTypes: ["violations"]});
    return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 160)}`));
}"""
WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


class Walker:
    """Somebody who has never been here, with a browser that remembers what each page cost and complained of."""

    def __init__(self, context):
        self.page = context.new_page()
        self.asked, self.sizes, self.complaints = {}, {}, []
        self.log = context.new_cdp_session(self.page)
        self.log.send("Network.enable")
        self.log.on("Network.requestWillBeSent", self._asks)
        self.log.on(
            "Network.loadingFinished", lambda got: self.sizes.update({got["requestId"]: got["encodedDataLength"]})
        )
        self.page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))

    def _asks(self, event):
        if not event["request"]["url"].startswith("data:"):  # Chromium's own icons
            self.asked[event["requestId"]] = event["request"]["url"]

    def _gets(self, event):
        self.sizes[event["requestId"]] = event["encodedDataLength"]

    def visit(self, path):
        """Load a page with an empty cache and name everything that is wrong with it."""
        self.log.send("Network.clearBrowserCache")
        self.asked.clear(), self.sizes.clear(), self.complaints.clear()
        answer, bare = self.page.goto(path), path[3:]
        wrong = self.obstacles()
        wanted = NOT_200.get(bare, 200)
        wrong += [f"answers {answer.status}"] if answer.status != wanted else []
        wrong += [said for said in self.complaints if str(wanted) not in said]
        foreign = {url for url in self.asked.values() if urlsplit(url).netloc != urlsplit(self.page.url).netloc}
        wrong += [f"asks {url}" for url in foreign]
        weight = sum(self.sizes.get(one, 0) for one in self.asked)
        if not bare.startswith(HEAVY) and not (0 < weight <= MOST_BYTES and len(self.asked) <= MOST_REQUESTS):
            wrong += [f"{weight} bytes in {len(self.asked)} requests"]
        return wrong

    def obstacles(self):
        page = self.page
        page.evaluate(AXE.axe_script)
        wrong = page.evaluate(LOOK, None)
        page.emulate_media(color_scheme="dark")
        wrong += [f"dark: {one}" for one in page.evaluate(LOOK, ["color-contrast"])]
        page.emulate_media(color_scheme="light")
        wrong += ["scrolls sideways"] if page.evaluate(WIDE) else []
        wrong += ["has not one heading"] if page.locator("main h1").count() != 1 else []
        return wrong

    def err(self, path, typed):
        """Send a form with something wrong in it, and name everything that is wrong with what comes back."""
        self.page.goto(path)
        for name, text in typed.items():
            self.page.locator(f"main [name={name}]").fill(text)
        self.page.locator("main form:has(.button) button:not([formaction])").first.click()
        self.page.wait_for_load_state()
        wrong = self.obstacles()
        wrong += [] if self.page.locator(".error-summary").count() else ["shows no list of problems"]
        wrong += (
            [] if self.page.evaluate("document.activeElement.matches('.error-summary')") else ["does not lead to it"]
        )
        return wrong


@pytest.fixture
def walkers(browser, browser_context_args, house):
    """`walkers(None, width)` knows nobody; another one has opened the form of that address by its letter."""
    contexts = []

    def walk_as(who, width=320):
        size = {"viewport": {"width": width, "height": 800}}
        contexts.append(browser.new_context(**{**browser_context_args, **size}))
        walker = Walker(contexts[-1])
        if who:
            come_in(walker.page, house.link_in(house.letters_to(who)[-1], "application"))
        return walker

    yield walk_as
    for context in contexts:
        context.close()


def come_in(page, link):
    page.goto(link)
    page.locator("main form button, main form [type=submit]").first.click()
    page.wait_for_load_state()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_is_heavy_or_puts_an_obstacle_in_anybodys_way(walkers, language):
    found = {}
    for who, pages in {None: [*OPEN_TO_ALL, *MORE.get(language, ())], **BY_LINK}.items():
        walker = walkers(who)
        for path in pages:
            found[path] = walker.visit(f"/{language}{path}")
        for path, _whose, typed in [mistake for mistake in MISTAKES if mistake[1] == who]:
            found[f"{path} with errors"] = walker.err(f"/{language}{path}", typed)
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_nor_does_one_on_a_wide_screen(walkers):
    walker = walkers(None, width=1280)
    found = {path: walker.visit(f"/ar{path}") for path in WIDE_APART}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_the_pages_behind_links_in_letters_put_no_obstacle_there_either(walkers, house):
    walker, letters = walkers(None), "".join(path.read_text() for path in (house.var / "mail").glob("*.txt"))
    walker.page.goto("/en/contacts/")
    walker.page.locator("[name=email]").fill("just.asked@example.org")
    walker.page.wait_for_timeout(2100)  # whoever is faster is asked to press once more
    walker.page.get_by_role("button", name="Ask to be told").click()
    letters = house.next_letter_to("just.asked@example.org", about="/contacts/confirm/") + letters
    for room in ("contacts/confirm", "contacts/leave", "application"):
        assert walker.visit(house.link_in(letters, room).removeprefix(house.url)) == []


def test_every_page_is_whole_without_scripts(browser, browser_context_args, house):
    context, bare = browser.new_context(**browser_context_args, java_script_enabled=False), []
    page = context.new_page()
    for who, pages in {None: OPEN_TO_ALL, **BY_LINK}.items():
        if who:
            come_in(page, house.link_in(house.letters_to(who)[-1], "application"))
        for path in pages:
            page.goto(f"/en{path}")
            whole = (
                page.locator("main h1").count() == 1 and not page.locator("main :is([hidden] form, noscript)").count()
            )
            bare += [] if whole else [path]
    context.close()
    assert bare == []


def test_mistakes_are_said_on_top_and_beside_and_lead_there(browser, browser_context_args):
    context = browser.new_context(**browser_context_args, java_script_enabled=False)
    page = context.new_page()
    page.goto("/en/apply/54/UG/")
    page.get_by_role("button", name="Send me my link").click()
    page.locator(".error-summary").wait_for()
    assert page.title().startswith("Error")
    summary = page.locator(".error-summary a").first
    field = page.locator(summary.get_attribute("href"))
    assert field.get_attribute("aria-invalid") == "true"
    summary.click()
    assert page.evaluate("document.activeElement.id") == field.get_attribute("id")
    context.close()
