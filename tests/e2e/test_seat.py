"""Somebody who was accepted, on a phone: the seat, needs, the letter for the visa, the statement, leave to publish."""

import time
import unicodedata

import pikepdf
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import violations
from tests.house.world import pdf

ACCEPTED = "applicant53-2@example.org"  # of the demonstration; has not answered yet


@pytest.fixture
def phone(browser, browser_context_args):
    context = browser.new_context(**{**browser_context_args, "viewport": {"width": 360, "height": 740}})
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
    yield page
    context.close()


@pytest.fixture
def statement(tmp_path):
    path = tmp_path / "statement.pdf"
    path.write_bytes(pdf("We recommend that the State ratify the Optional Protocol. " * 15))
    return path


def fits(page):
    """Nothing to find fault with, and nothing wider than the phone."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    return page


def test_from_an_accepted_application_to_what_may_be_published(house, phone, statement):
    letter = house.next_letter_to(ACCEPTED, about="Please confirm your seat by")
    phone.goto(house.link_in(letter, "application"))
    phone.locator("main form button").first.click()
    phone.goto("/en/application/seat/")
    fits(phone).get_by_role("button", name="Yes, we come: confirm the seat").click()
    expect(phone.locator("h1")).to_have_text("Your seat is confirmed")
    assert "you confirmed the seat" in house.next_letter_to(ACCEPTED, about="you confirmed the seat")

    tell_needs(phone)
    take_the_letter(phone)
    send(phone, statement)
    publish(phone)
    assert phone.complaints == []


def as_in_a_passport(name):
    return "".join(sign for sign in unicodedata.normalize("NFD", name.upper()) if sign.isascii())


def tell_needs(phone):
    name = phone.locator("dt:has-text('Who speaks') + dd").inner_text()
    phone.get_by_role("link", name="What the speaker needs").click()
    phone.get_by_label("In person, in Geneva").check()
    phone.get_by_label("letter of invitation for a visa").check()
    fits(phone).get_by_role("button", name="Save and continue").click()
    phone.get_by_role("button", name="Save").click()
    expect(phone.locator(".error-summary")).to_be_focused()
    fits(phone).get_by_label("Name as in the passport").fill(as_in_a_passport(name))
    phone.get_by_label("Number of the passport").fill("ab 123456")
    phone.get_by_label("Nationality").fill("Kenyan")
    phone.get_by_label("Date of birth").fill("1985-05-31")
    phone.get_by_role("button", name="Save").click()


def take_the_letter(phone):
    with phone.expect_download() as download:
        fits(phone).get_by_role("link", name="Letter of invitation for the visa").click()
    with pikepdf.open(download.value.path()) as letter:
        assert len(letter.pages) == 1


def send(phone, statement):
    phone.get_by_role("link", name="Your statement").click()
    fits(phone).get_by_label("The file").set_input_files(statement)
    phone.get_by_role("button", name="Send the file").click()
    expect(phone.locator("h1")).to_have_text("What may be published")


def publish(phone):
    boxes = phone.get_by_role("checkbox")
    assert not any(box.is_checked() for box in boxes.all())
    phone.get_by_label("Our statement may be given to missions").check()
    fits(phone).get_by_role("button", name="Save my answers").click()
    expect(phone.get_by_role("listitem").filter(has_text="What may be published")).to_contain_text("Completed")

    phone.get_by_role("link", name="Your statement").click()
    deadline = time.monotonic() + 60  # the worker looks every quarter of a minute
    while "words: about" not in phone.locator("main").inner_text():
        assert time.monotonic() < deadline
        phone.wait_for_timeout(2000)
        phone.reload()
    fits(phone)
    expect(phone.locator("main")).to_contain_text("135 words: about 1 min at a calm pace. You have 7 minutes.")
