"""Applying as people apply: on a small old phone without scripts, and in Arabic with nothing but a keyboard.

On the way things go wrong, as they do: a file that is none, an answer left out, a page gone back from. Nothing that was
typed is lost, and nothing of it stays in the browser.
"""

import pikepdf
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import violations

AIMS = "We advise prisoners and their families,\nand document what they tell us."
ISSUE = "Two thirds of people in pre-trial detention have never met a lawyer."
RECOMMENDATIONS = [
    "Give legal aid its own line in the state budget by 2028.",
    "Close the old prison by the end of 2027.",
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """What lies on somebody's phone: a submission, and a photograph of it that calls itself one."""
    folder = tmp_path_factory.mktemp("desk")
    pdf = pikepdf.new()
    pdf.add_blank_page()
    pdf.save(folder / "submission.pdf")
    (folder / "photo.pdf").write_bytes(b"\xff\xd8\xff\xe0 a photograph")
    return folder


@pytest.fixture
def visitor(browser, browser_context_args):
    contexts = []

    def new(**options):
        contexts.append(browser.new_context(**{**browser_context_args, **options}))
        return contexts[-1].new_page()

    yield new
    for context in contexts:
        context.close()


def test_on_a_small_phone_without_scripts(house, visitor, desk):
    page = visitor(viewport={"width": 360, "height": 640}, java_script_enabled=False)
    address = "phone@example.org"
    page.goto("/en/")
    page.get_by_role("link", name="Uganda").first.click()
    page.get_by_role("link", name="Apply").first.click()
    page.wait_for_timeout(2100)  # nobody reads and fills a form faster
    page.locator("[name=email]").fill(address)
    page.get_by_role("button", name="Send me my link").click()
    page.goto(house.link_in(house.next_letter_to(address, about="/application/"), "application"))
    page.get_by_role("button", name="Open my form").click()
    narrow(page)

    page.get_by_role("link", name="Your institution").click()
    choose(page, "kind", "cso")
    expect(page.locator("[name=ganhri_status_on]")).to_be_hidden()
    expect(page.locator("[name=coalition_members]")).to_be_hidden()
    choose(page, "scope", "national")
    choose(page, "is_coalition", "True")
    page.locator("[name=coalition_members]").fill("1. Voices\n2. Mothers\n3. VOICES")
    page.locator("[name=name]").fill("Rights Now")
    page.locator("[name=founded_year]").fill("ninety-eight")
    page.locator("[name=aims]").fill(AIMS)
    narrow(page)
    save(page)
    page.locator(".error-summary a").first.click()
    assert page.url.endswith("#id_founded_year")
    expect(page.locator("[name=aims]")).to_have_value(AIMS)
    page.locator("[name=founded_year]").fill("1998")
    save(page)
    expect(page.locator(".notice-success")).to_contain_text("2 members, each counted once")

    page.locator("[name=full_name]").fill("Amina Okello")
    page.locator("[name=position]").fill("Director")
    page.locator("[name=part_in_upr]").fill("Wrote our submission.")
    choose(page, "spoken_english", "good")
    choose(page, "attends", "remote")
    page.locator("[name=email]").fill(address)
    expect(page.locator("[name=guardian_name]")).to_be_hidden()
    save(page)
    page.locator("[name=full_name]").fill("Brian Mugisha")
    save(page)
    page.locator("[name=themes]").first.check()
    page.locator("[name=issues]").fill(ISSUE)
    save(page)
    for number, text in enumerate(RECOMMENDATIONS, start=1):
        page.locator(f"[name=recommendation_{number}]").fill(text)
    narrow(page)
    save(page)
    page.go_back()
    page.reload()  # without scripts and with a cache of its own mind, this is what going back may show
    expect(page.locator("[name=recommendation_2]")).to_have_value(RECOMMENDATIONS[1])
    save(page)
    choose(page, "submission_kind", "own")
    save(page)

    page.locator("[name=file]").set_input_files(desk / "photo.pdf")
    save(page)
    expect(page.locator(".error-summary a")).to_have_attribute("href", "#id_file")
    narrow(page)
    page.locator("[name=file]").set_input_files(desk / "submission.pdf")
    save(page)
    page.locator("[name=consent_organisation]").check()
    page.locator("[name=security_note]").fill("Please do not call the office.")
    narrow(page)
    save(page)

    narrow(page)
    page.locator("[name=understood]").check()
    page.get_by_role("button", name="Send the application").click()
    missing = page.locator(".error-summary a")
    assert [one.get_attribute("href") for one in missing.all()] == [
        "/en/application/institution/?then=check#id_ecosoc_status"
    ]
    missing.click()
    choose(page, "ecosoc_status", "none")
    save(page)
    assert page.url.endswith("/application/check/#institution")
    for words in (*RECOMMENDATIONS, ISSUE, "Brian Mugisha", "Please do not call the office."):
        expect(page.locator("main")).to_contain_text(words)
    page.locator("[name=understood]").check()
    page.get_by_role("button", name="Send the application").click()
    page.wait_for_url("**/receipt/**")
    narrow(page)
    reference = page.locator(".reference").first.inner_text()
    assert reference in house.next_letter_to(address, about=reference)


def test_in_arabic_with_the_keyboard_only(house, visitor, desk):
    page = visitor(viewport={"width": 1000, "height": 800})
    page.on("filechooser", lambda chooser: None)  # from here on: asked for with the key press, it may come too late
    page.goto("/ar/apply/54/UG/")
    assert page.locator("html").get_attribute("dir") == "rtl"
    address = "arabic@example.org"
    page.wait_for_timeout(2100)
    type_into(page, "email", address)
    submit(page)
    page.goto(house.link_in(house.next_letter_to(address, about="/ar/application/"), "application"))
    submit(page)
    page.wait_for_url("**/ar/application/")

    link = page.locator('main a[href$="/institution/"]')
    tab_to(page, link)
    page.keyboard.press("Enter")
    page.wait_for_url("**/institution/")
    assert violations(page) == []
    press(page, "kind", "nhri")
    expect(page.locator("[name=scope]").first).to_be_hidden()
    press(page, "ganhri_status", "a")
    type_into(page, "name", "اللجنة الوطنية لحقوق الإنسان")
    type_into(page, "name_latin", "National Human Rights Commission")
    type_into(page, "founded_year", "1996")
    type_into(page, "aims", "نرصد حقوق السجناء وندافع عنها.")
    submit(page)
    type_into(page, "full_name", "أمينة أوكيلو")
    type_into(page, "position", "مديرة")
    type_into(page, "part_in_upr", "كتبت تقريرنا.")
    press(page, "spoken_english", "fluent")
    press(page, "attends", "in_person")
    type_into(page, "email", address)
    submit(page)
    submit(page)
    tab_to(page, page.locator("[name=themes]").first)
    page.keyboard.press("Space")
    type_into(page, "issues", "لم يلتق ثلثا المحتجزين بمحامٍ قط.")
    submit(page)
    type_into(page, "recommendation_1", "تخصيص بند في الميزانية للمساعدة القانونية بحلول عام 2028.")
    submit(page)
    press(page, "submission_kind", "own")
    submit(page)
    page.wait_for_url("**/file/")
    tab_to(page, page.locator("[name=file]"))
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(desk / "submission.pdf")
    submit(page)
    page.wait_for_url("**/safety/")
    tab_to(page, page.locator("[name=consent_name]"))
    page.keyboard.press("Space")
    submit(page)
    page.wait_for_url("**/check/")
    assert violations(page) == []
    tab_to(page, page.locator("[name=understood]"))
    page.keyboard.press("Space")
    submit(page)
    page.wait_for_url("**/receipt/")
    assert page.locator("html").get_attribute("dir") == "rtl"
    reference = page.locator(".reference").first.inner_text()
    assert reference in house.next_letter_to(address, about=reference)
    assert left_behind(page) == [0, 0, 0, 0]


# --- Hands ------------------------------------------------------------------------------------------------------------


def choose(page, name, value):
    page.locator(f"[name={name}][value={value}]").check()


def save(page):
    with page.expect_navigation():  # whoever is too quick would go back from, or type into, the page that is leaving
        page.locator("button[name=save]").click()


def narrow(page):
    """Nothing sticks out sideways, and what a finger must hit is large enough. Measured from outside: no scripts."""
    session = page.context.new_cdp_session(page)
    size = session.send("Page.getLayoutMetrics")
    session.detach()
    assert size["cssContentSize"]["width"] <= 360, page.url
    for target in page.locator("main button, main a.button, main .task-list a").all():
        box = target.bounding_box()
        assert box is None or box["height"] >= 43.5, target.inner_text()


def tab_to(page, target, most=120):
    """Press Tab until the focus is there: whoever has no mouse has no other way. It must be seen where it is."""
    for _press in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            assert target.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
            return
    raise AssertionError(f"{target} cannot be reached by the keyboard on {page.url}")


def type_into(page, name, text):
    tab_to(page, page.locator(f"[name={name}]"))
    page.keyboard.type(text)


def press(page, name, value):
    """Choose one of a group: Tab reaches the group, arrows its choices."""
    group, wanted = page.locator(f"[name={name}]"), page.locator(f"[name={name}][value={value}]")
    tab_to(page, group.first)
    page.keyboard.press("Space")
    for _press in range(group.count()):
        if wanted.is_checked():
            return
        page.keyboard.press("ArrowDown")
    assert wanted.is_checked()


def submit(page):
    """Tab to the page's first button after where one is, and press it."""
    button = page.locator("main form:not([action]) button:visible").first
    tab_to(page, button)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def left_behind(page):
    """How much stands in the stores of the browser that outlive a page, and in cookies that scripts can read."""
    return page.evaluate(
        """async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,
                         document.cookie.length]"""
    )
