"""The pictures in the README, taken by `make pictures` from the demonstration: nothing is painted, nobody is real."""

import io
import os
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.e2e.conftest import QUIET, ROOT, Entrance, running

FOLDER = ROOT / "docs" / "pictures"
LAPTOP, PHONE, SCALE = {"width": 1280, "height": 800}, {"width": 360, "height": 720}, 2
COLOURS = 128  # enough for our calm pages, and a fifth of the bytes


def main():
    FOLDER.mkdir(exist_ok=True)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    print("The demonstration is being made; that takes a minute or two.", flush=True)
    with running() as house, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*QUIET, *root])
        visitor = browser.new_page(base_url=house.url, viewport=LAPTOP, locale="en-GB")
        applicant = browser.new_context(
            base_url=house.url, viewport=PHONE, device_scale_factor=SCALE, locale="ar", color_scheme="light"
        ).new_page()
        staff = browser.new_page(base_url=house.url, viewport=LAPTOP, locale="en-GB")

        visitor.goto("/en/")
        keep(visitor, "home")

        letter = house.next_letter_to("draft@example.org", about="/application/")
        applicant.goto(house.link_in(letter, "application"))
        applicant.locator("main form button").click()
        applicant.goto("/ar/application/")
        keep(applicant, "form-in-arabic")

        Entrance().log_in(staff, house)
        keep(staff, "desk")
        staff.goto("/admin/applications/application/panel/")
        staff.get_by_role("link", name="United Republic of Tanzania").first.click()
        keep(staff, "panel")

        invitation = house.next_letter_to("mission-se@example.org", about="/invitation/")
        visitor.goto(house.link_in(invitation, "invitation"))
        keep(visitor, "mission")
        browser.close()


def keep(page, name):
    """What the window shows, with few colours: the README loads on a bad line too."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    path = FOLDER / f"{name}.png"
    picture.save(path, optimize=True)
    print(f"  {path.relative_to(Path.cwd())}  {path.stat().st_size // 1024} KB", flush=True)


if __name__ == "__main__":
    main()
