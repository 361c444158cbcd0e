"""A file over a bad line: 64 kbit/s, 0.8 s each way, cut twice. Nothing is lost, and the receipt proves it. And the
plain way, without scripts."""

import hashlib
import os
import re
import time

import pikepdf
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import violations

SLOW = {"latency": 800, "downloadThroughput": 64_000 // 8, "uploadThroughput": 64_000 // 8}
FAST = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
BROKEN = "The line is broken. We go on by ourselves; what has arrived is kept."

# All sections but the file, as an applicant has left them; the journey through those is another one.
COMPLETE = """
from django.utils import timezone
from applications.models import Application
from tests.applications.factories import answers
application = Application.objects.order_by('-pk').first()
for section, given in answers().items():
    application.save_section(section, given, now=timezone.now())
"""


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """A submission of about 150 KB that cannot be packed any smaller."""
    path = tmp_path_factory.mktemp("desk") / "Submission to the UPR.pdf"
    pdf = pikepdf.new()
    pdf.add_blank_page().Resources = pikepdf.Dictionary(Scan=pdf.make_stream(os.urandom(150_000)))
    pdf.save(path)
    return path


def begin(house, page, address):
    """Open a draft on Uganda, complete but for its file, and go to that page."""
    page.goto("/en/54/UG/")
    page.get_by_role("link", name="Apply").first.click()
    page.wait_for_timeout(2100)  # nobody reads and fills a form faster
    page.get_by_label("Your e-mail address").fill(address)
    page.get_by_role("button", name="Send me my link").click()
    page.goto(house.link_in(house.next_letter_to(address, about="/application/"), "application"))
    page.locator("main form button, main form [type=submit]").first.click()
    house.manage("shell", "-c", f'"{COMPLETE}"')
    page.goto("/en/application/file/")


def on_the_receipt(page):
    page.goto("/en/application/check/")
    page.get_by_label("I have understood").check()
    page.get_by_role("button", name="Send the application").click()
    page.wait_for_url("**/receipt/")
    return re.sub(r"\s", "", page.locator("main").inner_text())


def test_a_file_arrives_whole_over_a_slow_line_that_is_cut_twice(house, page, paper):
    begin(house, page, "slow@example.org")
    line = page.context.new_cdp_session(page)

    def be(facts, offline=False):
        line.send("Network.emulateNetworkConditions", {"offline": offline, **facts})

    going = page.locator(".upload-going")
    page.get_by_label("The file").set_input_files(paper)
    be(SLOW)
    page.get_by_role("button", name="Save and continue").click()
    expect(going).to_contain_text("have arrived", timeout=30_000)
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    assert violations(page) == []
    before = 0.0
    for _ in range(2):
        share = page.locator("progress")
        expect(share).not_to_have_js_property("value", before, timeout=30_000)
        be(SLOW, offline=True)
        expect(going).to_contain_text(BROKEN)
        before = share.evaluate("bar => bar.value")
        time.sleep(2)
        be(SLOW)
    page.wait_for_url("**/application/safety/", timeout=90_000)
    be(FAST)
    assert hashlib.sha256(paper.read_bytes()).hexdigest() in on_the_receipt(page)


def test_what_cannot_be_right_is_said_before_anything_is_sent(house, page, tmp_path):
    begin(house, page, "wrong@example.org")
    asked = []
    page.on("request", lambda request: request.method == "POST" and asked.append(request.url))
    program, large = tmp_path / "setup.exe", tmp_path / "scan.pdf"
    program.write_bytes(b"MZ")
    large.write_bytes(bytes(20 * 1024 * 1024 + 1))
    for path, words in ((program, "neither a PDF nor"), (large, "larger than 20 MB")):
        page.get_by_label("The file").set_input_files(path)
        told = page.locator(".field:has(#id_file) [role=status]")  # at the field, not below the buttons
        expect(told).to_contain_text(words)
        expect(told).to_be_focused()
        assert page.locator("#id_file").input_value() == "", "a file that cannot be right is not chosen any more"
        page.get_by_role("button", name="Save and continue").click()
        expect(told).to_contain_text(words)
        expect(page.get_by_role("button", name="Save and continue")).to_be_visible()
    assert asked == []
    assert violations(page) == []


def test_somebody_who_stops_goes_on_later_where_it_stopped(house, page, paper):
    begin(house, page, "stop@example.org")
    line = page.context.new_cdp_session(page)
    line.send("Network.emulateNetworkConditions", {"offline": False, **SLOW})
    page.get_by_label("The file").set_input_files(paper)
    page.get_by_role("button", name="Save and continue").click()
    expect(page.locator("progress")).not_to_have_js_property("value", 0.0, timeout=30_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".upload-going")).to_contain_text("Stopped. What has arrived is kept for a day")
    line.send("Network.emulateNetworkConditions", {"offline": False, **FAST})
    page.reload()  # as after the browser was closed: nothing is remembered there
    expect(page.locator("[data-begun]")).to_contain_text("Choose the same file again")
    pieces = []
    page.on("request", lambda request: pieces.append(request.url))
    page.get_by_label("The file").set_input_files(paper)
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url("**/application/safety/")
    places = [int(url.split("from=")[1]) for url in pieces if "from=" in url]
    assert min(places) > 0
    assert hashlib.sha256(paper.read_bytes()).hexdigest() in on_the_receipt(page)


def test_without_scripts_the_form_posts_it_whole(house, browser, browser_context_args, paper):
    context = browser.new_context(**{**browser_context_args, "java_script_enabled": False})
    page = context.new_page()
    begin(house, page, "plain@example.org")
    page.get_by_label("The file").set_input_files(paper)
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url("**/application/safety/")
    assert hashlib.sha256(paper.read_bytes()).hexdigest() in on_the_receipt(page)
    context.close()
