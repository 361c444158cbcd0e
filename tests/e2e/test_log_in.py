"""A new member of staff: invited by mail, a password, a phone, codes on paper, and in; then with paper alone."""

import base64
import re

import pytest
from django_otp import oath

from tests.e2e.conftest import violations

pytestmark = pytest.mark.e2e
NINA, PASSWORD = "nina@example.org", "four words nobody joins"


@pytest.fixture
def nina(browser, browser_context_args):
    context = browser.new_context(**browser_context_args)
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
    yield page
    context.close()


def test_somebody_new_comes_in_with_a_phone_and_later_with_paper(staff, nina, house):
    staff.goto("/admin/accounts/user/add/")
    staff.get_by_label("E-mail address").fill(NINA)
    staff.get_by_label("Full name").fill("Nina New")
    staff.get_by_label("Reviewer").check()
    assert violations(staff) == []
    staff.get_by_role("button", name="Save", exact=True).click()
    staff.get_by_text("A letter with a link").wait_for()

    letter = house.next_letter_to(NINA, about="You are invited")
    nina.goto(re.search(r"https?://\S+/admin/password/new/\S+", letter)[0])
    assert violations(nina) == []
    nina.get_by_label("New password", exact=False).first.fill(PASSWORD)
    nina.get_by_label("confirmation").fill(PASSWORD)
    nina.get_by_role("button", name="Set this password").click()

    nina.get_by_text("Your new password is set").wait_for()
    nina.get_by_label("E-mail address").fill(NINA)
    nina.get_by_label("Password").fill(PASSWORD)
    nina.keyboard.press("Enter")
    nina.get_by_role("heading", name="Set up your phone").wait_for()
    assert violations(nina) == []
    nina.get_by_text("No camera?").click()
    key = nina.locator(".key").inner_text()
    nina.get_by_label("Code from your phone").fill(f"{oath.totp(base64.b32decode(key)):06d}")
    nina.keyboard.press("Enter")
    nina.get_by_text("They are shown only now.").wait_for()
    assert violations(nina) == []
    codes = nina.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    nina.get_by_role("link", name="I have kept them").click()
    nina.wait_for_url("**/admin/")
    assert nina.get_by_role("link", name="Staff", exact=True).count() == 0  # a reviewer keeps no staff

    nina.get_by_role("button", name="Log out").click()
    nina.goto("/admin/applications/application/")
    nina.get_by_label("E-mail address").fill(NINA)
    nina.get_by_label("Password").fill(PASSWORD)
    nina.keyboard.press("Enter")
    nina.get_by_label("Code from your phone").fill("123456")
    nina.keyboard.press("Enter")
    nina.get_by_role("alert").get_by_text("This code is wrong").wait_for()
    assert violations(nina) == []
    nina.get_by_label("Code from your phone").fill(codes[3].lower())
    nina.keyboard.press("Enter")
    nina.wait_for_url("**/admin/applications/application/")
    assert nina.complaints == []
