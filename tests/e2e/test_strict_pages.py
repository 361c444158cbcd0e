"""C5, as a browser sees it: nothing is asked of another machine, by no page and by no mail that is opened; and nothing
that our policy forbids is tried. All pages of the desk: test_desk_pages.py; all public ones: test_pages.py, which both
note what they ask for. Here are the letters, and files of ours that a browser shows."""

from email import message_from_bytes, policy
from urllib.parse import urljoin, urlsplit

import pytest

from tests.e2e.test_desk_pages import LISTEN

REMOTE = "<img src='http://192.0.2.7/pixel.gif'><link rel='stylesheet' href='http://192.0.2.7/x.css'>"


@pytest.fixture
def reader(browser):
    """A mail program that shows whatever is in a mail, and notes what it wants to fetch for that."""
    context = browser.new_context()
    page = context.new_page()
    page.asked = []
    page.route("**/*", lambda route: page.asked.append(route.request.url) or route.abort())
    page.add_init_script(LISTEN)
    yield page
    context.close()


def mails(house):
    """The HTML of one mail of each subject that has arrived, in each language."""
    found = {}
    for path in sorted((house.var / "mail").glob("*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        if part := mail.get_body(("html",)):
            found.setdefault((mail["Subject"], mail["Content-Language"]), part.get_content())
    return found


def test_a_mail_that_is_opened_asks_nobody_for_anything(reader, house):
    letters = mails(house)
    assert len(letters) > 10
    asking = {}
    for about, content in letters.items():
        reader.asked.clear()
        reader.set_content(content)
        if reader.asked or reader.locator("script, iframe, object, embed, form, link, [onclick], [onload]").count():
            asking[about] = list(reader.asked)
    assert asking == {}


def test_and_one_that_did_would_be_seen(reader):
    reader.set_content(REMOTE, wait_until="commit")
    reader.wait_for_timeout(500)
    assert len(reader.asked) == 2


def test_what_staff_see_of_a_letter_asks_nobody_either(staff, house):
    asked = []
    staff.on("request", lambda request: asked.append(request.url))
    staff.add_init_script(LISTEN)
    staff.complaints.clear()
    staff.goto("/admin/mail/letter/?eyes=all")
    links = staff.locator("#result_list tbody th a").evaluate_all(
        "found => found.map((one) => one.getAttribute('href'))"
    )
    assert links
    for link in links[:8]:
        staff.goto(urljoin(f"{house.url}/admin/mail/letter/", link))
        staff.wait_for_load_state("networkidle")
    here = urlsplit(house.url).netloc
    assert {url for url in asked if urlsplit(url).netloc != here and not url.startswith(("data:", "about:"))} == set()
    assert staff.complaints == []
    assert staff.evaluate("window.violated || []") == []
