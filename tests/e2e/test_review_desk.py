"""The review desk in a browser: with the keyboard alone, beside a PDF or the text of a Word document, one after the
other; what staff see of a whole State; and how two of the register become one."""

from playwright.sync_api import expect

from tests.e2e.conftest import violations

DESK = "/admin/applications/application/review/?series=2"
CRITERIA = ("National voice", "Follow-up to the last review", "Precise recommendations", "Theme not yet covered")


def reference(page):
    return page.locator(".review-head .reference").inner_text()


def place(page):
    return [int(number) for number in page.locator(".review-progress strong").inner_text().split() if number.isdigit()]


def test_applications_are_assessed_one_after_the_other_with_the_keyboard_alone(staff):
    staff.goto(DESK)
    first, (at, of) = reference(staff), place(staff)
    staff.get_by_role("group", name="National voice").get_by_label("very well").focus()
    for name in CRITERIA:
        expect(staff.get_by_role("group", name=name).locator(":focus")).to_have_count(1)
        staff.keyboard.press("Space")
        staff.keyboard.press("Tab")
    staff.keyboard.press("ArrowRight")  # the overall word: the second one
    staff.keyboard.press("Tab")
    staff.keyboard.type("Concrete, and new to this panel.")
    staff.keyboard.press("Control+Enter")
    expect(staff.get_by_text(f"Saved: {first}.")).to_be_visible()
    assert reference(staff) != first
    assert place(staff) == [at + 1, of]
    staff.get_by_role("link", name="Back to the one before").click()
    assert reference(staff) == first
    expect(staff.get_by_label("Note")).to_have_value("Concrete, and new to this panel.")
    assert violations(staff) == []
    assert staff.complaints == []


def test_what_is_typed_is_not_lost_by_leaving(staff):
    staff.goto(DESK)
    staff.get_by_label("Note").fill("Half a thought")
    asked = []
    staff.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    staff.get_by_role("link", name="Applications", exact=True).first.click()
    staff.wait_for_url("**/admin/applications/application/")
    assert asked == ["beforeunload"]


def test_one_skips_and_abstains_by_a_button_each(staff):
    staff.goto(DESK)
    first, before = reference(staff), place(staff)
    staff.get_by_role("button", name="Skip for now").click()
    assert reference(staff) != first
    assert place(staff) == before
    second = reference(staff)
    staff.get_by_role("button", name="Abstain: conflict of interest").click()
    expect(staff.get_by_text(f"You abstained from {second}.")).to_be_visible()


def test_the_next_one_opens_right_before_its_first_grade(staff):
    staff.goto(DESK)
    expect(staff.locator("#assess")).not_to_be_focused()  # who comes from elsewhere begins at the top
    staff.get_by_role("button", name="Skip for now").click()
    expect(staff.locator("#assess")).to_be_focused()
    assert staff.evaluate("scrollY") == 0
    staff.keyboard.press("Tab")
    expect(staff.get_by_role("group", name="National voice").locator(":focus")).to_have_count(1)
    staff.keyboard.press("Control+Enter")
    expect(staff.get_by_text("Please correct what is marked below.")).to_be_visible()
    expect(staff.locator("#assess")).not_to_be_focused()
    assert staff.complaints == []


def test_a_word_document_is_read_as_text_in_its_frame(staff):
    staff.goto("/admin/applications/application/?stands=all&series=2")
    pages = [link.get_attribute("href") for link in staff.locator("#result_list tbody th a").all()]
    for address in pages:
        staff.goto(address)
        if staff.get_by_text("Download the Word document").count():
            break
    document = staff.frame_locator("iframe").get_by_text("Submission to the UPR of")
    expect(document).to_be_visible()
    assert staff.complaints == []


def test_applicants_of_a_state_stand_side_by_side(staff):
    staff.goto("/admin/applications/application/decisions/")
    staff.get_by_role("link", name="Greece").click()
    staff.get_by_role("link", name="All of this State side by side").click()
    expect(staff.get_by_role("columnheader", name="Global Press Watch")).to_be_visible()
    expect(staff.get_by_role("rowheader", name="Other applications")).to_be_visible()
    assert violations(staff) == []
    assert staff.complaints == []


def test_two_of_the_register_that_are_one_are_found_compared_and_merged(staff):
    staff.goto("/admin/applications/organisation/")
    staff.locator("#searchbar").fill("global press watch INTERNATIONAL")
    staff.keyboard.press("Enter")
    staff.wait_for_url("**?q=*")
    staff.locator("#result_list tbody th a").click()
    expect(staff.get_by_text("written for from the same address")).to_be_visible()
    staff.get_by_role("link", name="Compare with").first.click()
    expect(staff.get_by_role("heading", name="Goes into it")).to_be_visible()
    assert violations(staff) == []
    staff.get_by_label("Why you know that they are the same").fill("The same letterhead.")
    staff.get_by_role("button", name="Merge: they are the same").click()
    expect(staff.get_by_text("Merged: all applications stand here now.")).to_be_visible()
    expect(staff.get_by_text("The same letterhead.")).to_be_visible()
    assert staff.locator("#sent ~ .results tbody tr").count() > 1
