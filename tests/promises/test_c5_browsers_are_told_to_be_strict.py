"""C5: every answer tells browsers to be strict: each address of the table of addresses, for everybody who may ask and
in every manner of asking; redirects, errors, files and style sheets too. What browsers make of each page, and of each
mail: tests/e2e/test_strict_pages.py."""

import json
import subprocess
import sys
from unittest.mock import patch

import pytest
from django.db import transaction
from django.test import Client, override_settings
from django.urls import resolve

from presessions import strict
from tests.applications.web import database_url
from tests.house.conftest import broker, told, world  # noqa: F401
from tests.house.world import TOKEN
from tests.promises.desk import places
from tests.promises.walk import starts

SAID = {
    "X-Content-Type-Options": {"nosniff"},
    "X-Frame-Options": {"DENY"},
    "Cross-Origin-Opener-Policy": {"same-origin"},
    "Cross-Origin-Resource-Policy": {"same-origin"},
    "Referrer-Policy": {"strict-origin", "no-referrer"},
    "Permissions-Policy": {strict.ALWAYS["Permissions-Policy"]},
}
SHOWN_INSIDE = {  # a page of ours: "self" may frame it, and it runs nothing
    "admin:applications_document",
    "admin:applications_document_text",
    "admin:mail_letter_html",
    "admin:mail_mailing_text",
    "admin:mail_text_html",
}
PAGES_POLICY = {
    "default-src": {"'none'"},
    "script-src": {"'self'"},
    "style-src": {"'self'"},
    "img-src": {"'self'", "data:"},
    "font-src": {"'none'"},
    "connect-src": {"'self'"},
    "worker-src": {"'self'"},
    "frame-src": {"'self'"},
    "manifest-src": {"'self'"},
    "form-action": {"'self'"},
    "frame-ancestors": {"'none'"},
    "base-uri": {"'none'"},
}
CLOSED = {"default-src": {"'none'"}}
OF_A_FILE = CLOSED | {"object-src": {"'self'"}, "style-src": {"'unsafe-inline'"}, "frame-ancestors": {"'self'"}}
OF_A_TEXT = CLOSED | {name: PAGES_POLICY[name] for name in ("style-src", "form-action", "base-uri")}
OTHER_POLICIES = (  # of what is shown or saved, and runs nothing at all
    CLOSED | {"sandbox": set()},
    CLOSED | {"sandbox": set(), "style-src": {"'unsafe-inline'"}, "form-action": {"'none'"},
              "frame-ancestors": {"'self'"}},
    OF_A_FILE,
    OF_A_TEXT | {"img-src": {"'self'"}, "frame-ancestors": {"'self'"}},
)  # fmt: skip


def policy_of(answer):
    """{directive: its sources}"""
    parts = (part.split() for part in answer.get("Content-Security-Policy", "").split(";") if part.strip())
    return {name: set(sources) for name, *sources in parts}


def wrong_with(answer, *, private, shown_inside=False):
    """What an answer says too little of."""
    policy = policy_of(answer)
    for name, allowed in SAID.items():
        if name == "X-Frame-Options" and shown_inside and policy != PAGES_POLICY:
            allowed = {"SAMEORIGIN", "DENY"}
        if answer.get(name) not in allowed:
            yield f"{name}: {answer.get(name)}"
    if policy != PAGES_POLICY and policy not in OTHER_POLICIES:
        yield f"Content-Security-Policy: {answer.get('Content-Security-Policy')}"
    if private and "no-store" not in answer.get("Cache-Control", ""):
        yield f"Cache-Control: {answer.get('Cache-Control')}"
    if "Server" in answer or "X-Powered-By" in answer:
        yield "says what it runs on"
    for cookie in answer.cookies.values():
        if cookie.value and not (
            cookie["httponly"] and cookie["samesite"] in ("Lax", "Strict") and cookie["path"] == "/"
        ):
            yield f"a cookie {cookie.key}: {cookie.OutputString().partition(';')[2]}"


def ask(browser, method, path):
    """One answer; what was done by asking is undone."""
    with transaction.atomic():
        answer = browser.generic(method, path)
        if answer.streaming:
            b"".join(answer.streaming_content)
        transaction.set_rollback(True)
    return answer


def name_of(path):
    return resolve(path.partition("?")[0]).view_name


@pytest.fixture
def links(world):  # noqa: F811
    """Each personal link of each mail, and all that stands behind a mission's."""
    found = {link.removeprefix("http://testserver") for mail in world.mails for link in mail.links}
    token = TOKEN.search(world.invitation_path)[0]
    return sorted({link for link in found if TOKEN.search(link)} | set(starts(token, only_behind_it=True)))


def found_wrong(browser, paths, private, methods=("GET", "POST", "PUT")):
    """{(method, name of an address): what is wrong}, each asked for in these ways."""
    wrong = {}
    for path in paths:
        name = name_of(path)
        for method in methods:
            answer = ask(browser, method, path)
            alone = private or method != "GET" or answer.status_code >= 400
            said = list(wrong_with(answer, private=alone, shown_inside=name in SHOWN_INSIDE))
            if said:
                wrong[method, name, answer.status_code] = said
    return wrong


@pytest.fixture
def nobody():
    return Client(raise_request_exception=False)


def test_every_address_of_the_desk_is_strict_with_staff_and_kept_nowhere(world):  # noqa: F811
    where = places(world)
    assert len(where) > 150
    staff = world.staff()
    staff.raise_request_exception = False  # an error is strict, too
    assert found_wrong(staff, where.values(), private=True, methods=("GET", "POST")) == {}


def test_and_with_a_stranger(nobody, world):  # noqa: F811
    assert found_wrong(nobody, places(world).values(), private=True) == {}


def test_every_public_address_is_strict(nobody, world):  # noqa: F811
    assert found_wrong(nobody, starts(None), private=False) == {}


def test_and_kept_nowhere_by_the_device_on_which_somebody_applies(world):  # noqa: F811
    pages = [path for path in starts(None) if "/application/" in path]
    assert len(pages) > 20
    assert found_wrong(world.applicant, pages, private=True) == {}


def test_nor_is_anything_behind_a_personal_link(nobody, links):
    assert len(links) > 40
    assert found_wrong(nobody, links, private=True) == {}


# --- What is no page --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (lambda browser: browser.get("/en/nowhere/"), 404),
        (lambda browser: browser.get("/nowhere"), 404),
        (lambda browser: browser.get("/en/", HTTP_HOST="elsewhere.example.org"), 400),
        (lambda browser: browser.get("/about/"), 302),  # to the page in the browser's language
        (lambda browser: browser.get("/en/about"), 301),
        (lambda browser: browser.get("/health/live"), 200),
        (lambda browser: browser.get("/en/apply/54/KE/%00"), 404),
        (lambda browser: browser.post("/en/contacts/", b"x", content_type="multipart/form-data; boundary="), 400),
    ],
)
@pytest.mark.django_db
def test_an_answer_that_no_page_gives_is_strict_too(nobody, asked, status):
    answer = asked(nobody)
    assert answer.status_code == status
    assert list(wrong_with(answer, private=status >= 400)) == []


@pytest.mark.django_db
def test_so_is_what_says_that_a_form_was_forged():
    answer = Client(enforce_csrf_checks=True).post("/en/contacts/", {"email": "amina@example.org"})
    assert answer.status_code == 403
    assert list(wrong_with(answer, private=True)) == []


@pytest.mark.django_db
def test_so_is_what_says_that_something_went_wrong_here(nobody):
    with patch("applications.views.calls.render", side_effect=RuntimeError):
        answer = nobody.get("/en/about/")
    assert answer.status_code == 500
    assert list(wrong_with(answer, private=True)) == []


@pytest.mark.parametrize("path", ["site.css", "site.js", "favicon.svg", "desk.css"])
def test_so_is_a_file_of_ours_that_may_be_kept(path):
    with override_settings(WHITENOISE_USE_FINDERS=True, WHITENOISE_AUTOREFRESH=True):
        answer = Client().get(f"/static/{path}")
    assert answer.status_code == 200
    assert list(wrong_with(answer, private=False)) == []
    assert "no-store" not in answer["Cache-Control"]
    b"".join(answer.streaming_content)


# --- Over TLS ---------------------------------------------------------------------------------------------------------

OVER_TLS = """
import django, json
django.setup()
from django.test import Client
page = Client().get("/en/contacts/", secure=True)
told = {name: page.get(name) for name in ("Strict-Transport-Security", "Content-Security-Policy")}
plain = Client().get("/en/contacts/")
cookies = [str(cookie.output(header="")).strip() for cookie in page.cookies.values()]
from django.conf import settings
print(json.dumps([told, [plain.status_code, plain["Location"], len(plain.cookies)], cookies,
                  [settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY,
                   settings.SESSION_COOKIE_PATH, settings.SESSION_COOKIE_DOMAIN]]))
"""


@pytest.mark.django_db
def test_over_tls_nothing_goes_back_to_plain_and_no_neighbour_sets_our_cookies(monkeypatch):
    monkeypatch.setenv("PUBLIC_URL", "https://testserver")
    monkeypatch.setenv("DATABASE_URL", database_url())
    done = subprocess.run([sys.executable, "-c", OVER_TLS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told, plain, cookies, session = json.loads(done.stdout)  # noqa: F811
    assert told["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert plain == [301, "https://testserver/en/contacts/", 0]
    (csrf,) = cookies
    assert csrf.startswith("__Host-csrf=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=Lax"} <= set(csrf.split("; "))
    assert "Domain" not in csrf
    assert session == ["__Host-session", True, True, "/", None]
