"""Every page of the staff's desk, ours and Django's: nothing that axe finds in anybody's way, in light and in dark, no
complaint of the Content-Security-Policy, and as wide as a laptop.

No page can be forgotten: the walk begins with every address of the desk that takes no argument, and follows the links
that it sees until it has been on one page of each name in the table of addresses. A name that nothing leads to is red.
"""

import re
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from django.urls import Resolver404, resolve, reverse
from playwright.sync_api import Error

from tests.e2e.conftest import AXE
from tests.e2e.test_pages import WIDE
from tests.house.test_lists import NO_LIST, addresses

LAPTOP, PHONE = {"width": 1366, "height": 768}, {"width": 360, "height": 740}
BEGIN = (  # where lists show rows that they do not open on
    "/admin/applications/application/?stands=confirmed", "/admin/applications/application/?stands=all",
    "/admin/applications/contact/?on=confirmed",
    "/admin/mail/letter/?eyes=all", "/admin/mail/report/?verdict=all",
    "/admin/mail/mailing/?state__exact=planned", "/admin/mail/mailing/?when=all",
)  # fmt: skip
AS_WELL = (  # nothing leads to them in these data, or, to rows that are only looked through, ever
    "/admin/upr/series/set-up/51/", "/admin/trail/event/1/change/", "/admin/missions/reply/1/change/",
    "/admin/missions/doornote/1/change/", "/admin/missions/floorquestion/1/change/",
    "/admin/applications/application/recommendations/2/1/", "/admin/upr/series/2/tell/",
)  # fmt: skip
NO_PAGE = {
    "admin:logout": "POST only, and the walk would be over",
    "admin:view_on_site": "leads elsewhere",
    "admin:autocomplete": "data for a script",
    "admin:jsi18n": "a script",
    "admin:missions_door_worker": "a script",
    "admin:missions_door_state": "data for a script",
    "admin:new_password": "behind a link in a letter",
} | {name: reason for name, reason in NO_LIST.items() if reason in ("one file", "one letter as HTML")}
POST_ONLY = {name for name, reason in NO_LIST.items() if reason == "POST only"}  # and a button that is not always there
FURTHER = 30  # rows of one sort whose pages are asked for links, where their first page does not lead everywhere
# What Chromium says of a file that it would save, and of an answer without a page such as "POST only".
NO_ANSWER = ("Download is starting", "ERR_ABORTED", "ERR_HTTP_RESPONSE_CODE_FAILURE")
HREF = re.compile(r'(?:href|action)="([^"#]+)"')
LISTEN = """addEventListener("securitypolicyviolation", (event) => {
    (window.violated ||= []).push(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile || ""}`);
});"""
# Without fetching style sheets anew: it would put what they import into the page, and our policy would complain of axe.
LOOK = """async (rules) => {
    const options = rules ? {runOnly: {type: "rule", values: rules}} : {};
    const found = await axe.run(document, {...options, preload: false, resultTypes: ["violations"]});
    return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 160)}`));
}"""
SETTLED = "Promise.allSettled(document.getAnimations().map((one) => one.finished))"  # links fade from blue to blue
LINKS = """() => [...document.querySelectorAll("a[href], form[action], iframe[src], [formaction]")].map(
    (one) => one.getAttribute("href") || one.getAttribute("formaction") || one.getAttribute("action") || one.src)"""


def names():
    return {name for name, _arguments in addresses() if name.startswith("admin:")}


class Walk:
    """A walk through the desk: one page of each name, and what is wrong with it."""

    def __init__(self, page, home):
        self.page, self.home = page, home
        self.known, self.seen, self.wrong = {}, {}, {}
        self.rows, self.empty = {}, set()  # pages of rows by their name, and lists without any
        page.add_init_script(LISTEN)
        page.on("request", self._asks)
        page.complaints.clear()

    def _asks(self, request):
        """Note what is asked of another machine than the one that we are looking at."""
        asked = urlsplit(request.url)
        if asked.scheme in ("http", "https", "ws", "wss") and asked.netloc != urlsplit(self.home).netloc:
            self.page.complaints.append(f"asks {request.url}")

    def learn(self, link, base="/admin/"):
        """Note where a link leads, if nobody has led there yet."""
        path = urlsplit(urljoin(base, link))
        try:
            found = resolve(path.path)
        except Resolver404:
            return
        if found.view_name.startswith("admin:"):
            self.known.setdefault(found.view_name, path.path + (f"?{path.query}" if path.query else ""))
            self._learn_beside(found)

    def _learn_beside(self, found):
        """A row has a page of its history, and one that asks before deleting it, even where nothing leads there."""
        row = found.view_name.removesuffix("_change")
        if row != found.view_name:
            self.rows.setdefault(row, []).append(reverse(found.view_name, args=found.args, kwargs=found.kwargs))
        for name in {f"{row}_history", f"{row}_delete"} & names():
            self.known.setdefault(name, reverse(name, args=[found.kwargs["object_id"]]))

    def go(self):
        for name, arguments in addresses():
            if name.startswith("admin:") and not arguments:
                self.known.setdefault(name, reverse(name))
        for path in BEGIN:
            self.visit(path, path)
        for path in AS_WELL:
            self.learn(path)
        self._visit_all()
        self._look_further()
        self._visit_all()

    def _visit_all(self):
        while ahead := [name for name in self.known if name not in self.seen and name not in NO_PAGE]:
            self.visit(ahead[0], self.known[ahead[0]])

    def _look_further(self):
        """Ask more rows of each sort where they lead: not every one can be released, reversed or written anew."""
        for paths in self.rows.values():
            for path in list(dict.fromkeys(paths))[1:FURTHER]:
                for link in HREF.findall(self.page.context.request.get(path).text()):
                    self.learn(unescape(link), path)

    def unseen(self):
        """Names that the walk has not come to, but for rows of which there are none."""
        missing = names() - self.seen.keys() - NO_PAGE.keys() - POST_ONLY
        return {name for name in missing if name.rpartition("_")[0] not in self.empty}

    def visit(self, name, path):
        self.seen[name] = path
        try:
            answer = self.page.goto(path)
        except Error as trouble:
            if not any(words in str(trouble) for words in NO_ANSWER):
                raise
            self.page.wait_for_timeout(500)  # until Chromium has shown its own page about that
            self.page.complaints.clear()
            return
        if answer.status in (403, 405) or "text/html" not in answer.headers.get("content-type", ""):
            self.page.complaints.clear()  # POST only, or a right that nobody has; or data
            return
        wrong = [] if answer.status == 200 else [f"answers {answer.status}"]
        if wrong := wrong + obstacles(self.page):
            self.wrong[f"{name} {path}"] = wrong
        if name.endswith("_changelist") and not self.page.locator("#result_list").count():
            self.empty.add(name.removesuffix("_changelist"))
        for link in self.page.evaluate(LINKS):
            self.learn(link, path)


def obstacles(page):
    """What is wrong with the page that is shown."""
    page.evaluate(AXE.axe_script)
    wrong = page.evaluate(LOOK, None)
    page.emulate_media(color_scheme="dark")
    page.evaluate(SETTLED)
    wrong += [f"dark: {one}" for one in page.evaluate(LOOK, ["color-contrast"])]
    page.emulate_media(color_scheme="light")
    wrong += page.evaluate("window.violated || []") + page.complaints
    wrong += ["scrolls sideways"] if page.evaluate(WIDE) else []
    page.complaints.clear()
    return wrong


def test_no_page_of_the_desk_puts_an_obstacle_in_anybodys_way(staff, house):
    staff.set_viewport_size(LAPTOP)
    walk = Walk(staff, house.url)
    walk.go()
    assert walk.wrong == {}
    assert walk.unseen() == set()


def test_nor_does_home_on_a_phone(staff):
    staff.set_viewport_size(PHONE)
    staff.add_init_script(LISTEN)
    staff.complaints.clear()
    staff.goto("/admin/")
    assert obstacles(staff) == []


@pytest.fixture
def stranger(browser, browser_context_args):
    """A page in which nobody has logged in."""
    context = browser.new_context(**browser_context_args, viewport=LAPTOP)
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: said.type == "error" and page.complaints.append(f"{said.text} {said.location}"))
    page.add_init_script(LISTEN)
    yield page
    context.close()


def test_nor_does_the_way_in(stranger, house):
    wrong = {}
    for path in ("/admin/login/", "/admin/password/forgotten/", "/admin/password/forgotten/asked/"):
        stranger.goto(path)
        wrong[path] = obstacles(stranger)
    stranger.goto("/admin/login/")
    stranger.get_by_label("E-mail address").fill(house.email)
    stranger.get_by_label("Password").fill("something else")
    stranger.get_by_role("button", name="Log in").click()
    stranger.wait_for_load_state()
    wrong["a wrong password"] = [one for one in obstacles(stranger) if "status of 4" not in one]
    stranger.get_by_label("Password").fill(house.password)
    stranger.get_by_role("button", name="Log in").click()
    stranger.get_by_label("Code from your phone").wait_for()
    wrong["the code"] = [one for one in obstacles(stranger) if "status of 4" not in one]
    assert {path: found for path, found in wrong.items() if found} == {}
