"""The main job, end to end, in the running application: an organisation applies, staff decide, the invitation goes out
by itself, a mission answers and takes the meeting into its calendar."""

import hashlib
import re

import icalendar
import pikepdf
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import violations

APPLICANT = "amina@example.org"
MISSION = "mission-ke@example.org"


@pytest.fixture(scope="session")
def paper(tmp_path_factory):
    """A UPR submission as an organisation has it on its disk."""
    path = tmp_path_factory.mktemp("desk") / "Submission to the UPR.pdf"
    pdf = pikepdf.new()
    pdf.add_blank_page()
    pdf.save(path)
    return path


def test_from_an_application_to_an_answered_invitation(house, page, staff, paper):
    reference = apply(house, page, paper)
    decide(staff, reference)
    told = house.next_letter_to(APPLICANT, about="accept")
    assert "Uganda" not in told and "Rights" not in told  # a mailbox may be watched
    invite(staff)
    assert "#personal-link" in house.next_letter_to(house.email, about="Test: ")
    letter = house.next_letter_to(MISSION, about="Pre-sessions 53", seconds=240)
    answer(page, house.link_in(letter, "invitation"))
    assert "Ireland" in house.next_letter_to(MISSION, about=("We have saved these answers", "Greece"))


def apply(house, page, paper):
    page.goto("/")
    page.get_by_role("link", name="Uganda").click()
    page.get_by_role("link", name="Apply").first.click()
    page.wait_for_timeout(2100)  # nobody reads and fills a form faster
    page.get_by_label("Your e-mail address").fill(APPLICANT)
    page.get_by_role("button", name="Send me my link").click()
    letter = house.next_letter_to(APPLICANT, about="/application/")
    page.goto(house.link_in(letter, "application"))
    page.get_by_role("button").first.click()
    page.wait_for_url("**/en/application/")  # the token has left the address

    page.get_by_role("link", name="Your institution").click()
    page.get_by_label("Civil society organisation (CSO)").check()
    expect(page.get_by_label("Accreditation by GANHRI")).to_be_hidden()  # nobody but an NHRI is asked
    page.get_by_label("National or local").check()
    page.get_by_label("None").check()
    page.get_by_label("Name of the institution").fill("Rights Now")
    page.get_by_label("Since which year does it exist?").fill("1998")
    page.get_by_label("Aims and work").fill("We advise and document.")
    page.get_by_role("button", name="Save and continue").click()

    page.get_by_label("Full name").fill("Amina Okello")
    page.get_by_label("Position in the institution").fill("Director")
    page.get_by_label("Experience, and part in the UPR so far").fill("Wrote our submission.")
    page.get_by_label("Fluent: can read a statement and answer questions").check()
    page.get_by_label("In person, in Geneva").check()
    page.get_by_label("E-mail address").fill(APPLICANT)
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("button", name="Save and continue").click()  # nobody need be named to take that person's place

    page.locator("[name=themes]").first.check()
    page.locator("[name=issues]").fill("Two thirds of people in pre-trial detention have never met a lawyer.")
    page.get_by_role("button", name="Save and continue").click()
    page.locator("[name=recommendation_1]").fill("Give legal aid its own line in the state budget by 2028.")
    page.get_by_role("button", name="Save and continue").click()

    page.get_by_label("Our own submission").check()
    page.get_by_role("button", name="Save and continue").click()
    page.locator("[name=file]").set_input_files(paper)
    page.get_by_role("button", name="Save and continue").click()

    page.get_by_label("Our institution’s name may stand in the programme").check()
    page.get_by_role("button", name="Save and continue").click()

    page.get_by_label("I have understood").check()
    page.get_by_role("button", name="Send the application").click()
    page.wait_for_url("**/receipt/")
    proof = hashlib.sha256(paper.read_bytes()).hexdigest()
    assert proof in re.sub(r"\s", "", page.locator("main").inner_text())
    assert violations(page) == []
    reference = page.locator(".reference").first.inner_text()
    assert reference in house.next_letter_to(APPLICANT, about=proof)
    return reference


def until_looked_through(staff, seconds=60):
    """The document stands beside the answers as soon as it has been cleaned."""
    for _second in range(seconds):
        if staff.locator("iframe").count():
            return
        staff.wait_for_timeout(1000)
        staff.reload()
    raise AssertionError(f"No document within {seconds} s.")


def decide(staff, reference):
    staff.goto("/admin/applications/application/")
    staff.get_by_role("link", name=reference).click()
    until_looked_through(staff)
    staff.locator("#id_overall").get_by_label("strong").check()
    staff.get_by_role("button", name="Save my assessment").click()
    staff.get_by_role("button", name="Prepare: accept").click()
    staff.get_by_role("link", name="Answers for this meeting").click()
    staff.get_by_label("The call is still open").check()
    staff.get_by_role("button", name=re.compile("Release")).click()
    staff.goto("/admin/applications/application/?q=" + reference)
    expect(staff.locator("#result_list")).to_contain_text("accepted")
    assert staff.complaints == []


def invite(staff):
    """Staff look at the invitation, try it on themselves, and send it now."""
    staff.goto("/admin/mail/mailing/")
    assert violations(staff) == []
    timeline = staff.get_by_role("region", name="Pre-sessions 53")
    timeline.get_by_role("link", name="Invitation").click()
    expect(staff.frame_locator("iframe.mail").first.locator("body")).to_contain_text("UPR Info has the honour")
    assert violations(staff) == []
    staff.get_by_role("button", name="Send me a test").click()
    expect(staff.locator(".messagelist")).to_contain_text("on its way to you")
    staff.get_by_role("button", name="Send now").click()
    expect(staff.get_by_role("heading", level=1)).to_contain_text("Permanent Missions now?")
    assert violations(staff) == []
    staff.get_by_role("button", name="Send now").click()
    expect(staff.locator(".messagelist")).to_contain_text("It is going out now")
    assert staff.complaints == []


def answer(page, link):
    page.goto(link)
    assert "Reply" not in page.title()
    row = page.get_by_role("row", name=re.compile("Greece"))
    row.get_by_label("In person").check()
    page.get_by_role("row", name=re.compile("Ireland")).get_by_label("No", exact=True).check()
    page.get_by_label("Full name").first.fill("J. Mwangi")
    page.get_by_role("button", name="Save our answers").click()
    expect(page.locator("main")).to_contain_text("We have your Mission’s answers")
    assert violations(page) == []
    with page.expect_download() as download:
        page.get_by_role("row", name=re.compile("Greece")).get_by_role("link", name=re.compile("calendar")).click()
    calendar = icalendar.Calendar.from_ical(download.value.path().read_bytes())
    assert calendar["METHOD"] == "PUBLISH"
    assert [event.get("ATTENDEE") for event in calendar.walk("VEVENT")] == [None]
