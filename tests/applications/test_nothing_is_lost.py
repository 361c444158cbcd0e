"""Nothing typed is lost: late posts, dead sessions, lost cookies, double clicks, the back button, a line that drops."""

import io
import re

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.http import urlencode

from applications import rules
from applications.models import Application, Recommendation
from presessions.trail.models import Event
from tests.applications.factories import CLOSES_AT, MONDAY, ApplicationFactory, answers
from tests.applications.hostile import pdf
from tests.applications.test_journey import open_session, posted

pytestmark = pytest.mark.django_db

# The longest text of each section that has one, typed anew.
TYPED = {
    "institution": {"aims": "We watch over the rights of prisoners,\nand have done so since 1998."},
    "speaker": {"part_in_upr": "I wrote our submission, and spoke at the last review."},
    "replacement": {"part_in_upr": "She has run our office since the last review.", "full_name": "B. Canary"},
    "issues": {"issues": "Everything I know about prisons.", "follow_up": "Nothing was done."},
    "recommendations": {f"recommendation_{number}": f"Close prison number {number} by 2028." for number in range(1, 6)},
    "submission": {"submission_kind": "joint", "joint_submitters": "Rights Now\nProfessors without borders"},
    "safety": {"security_note": "My brother is in one of them."},
}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def application():
    return ApplicationFactory()


def address(section):
    return reverse("applications:section", args=[section])


def form_of(section):
    return posted(answers().get(section, {})) | TYPED[section] | {"save": "1"}


def gives_back(answer, section):
    """Whether all that was typed stands on the page, in fields from which it can be copied as it was."""
    fields = re.findall(r"<textarea[^>]*readonly>\n(.*?)</textarea>", answer.content.decode(), re.DOTALL)
    texts = [text for name, text in TYPED[section].items() if name != "submission_kind"]
    return set(texts) <= set(fields)


@pytest.mark.parametrize("section", [section for section in TYPED if section != "safety"])
def test_after_the_deadline_every_section_gives_back_what_was_typed(client, clock, application, section):
    clock.move_to(CLOSES_AT)
    open_session(client, application)
    answer = client.post(address(section), form_of(section))
    assert answer.status_code == 410
    assert gives_back(answer, section)


@pytest.mark.parametrize("section", TYPED)
def test_a_dead_session_gives_back_what_was_typed(client, section):
    answer = client.post(address(section), form_of(section))
    assert answer.status_code == 404
    assert gives_back(answer, section)


@pytest.mark.parametrize("section", TYPED)
def test_without_any_cookie_left_nothing_runs_and_nothing_is_lost(application, section):
    visitor = Client(enforce_csrf_checks=True)
    answer = visitor.post(address(section), form_of(section))
    assert answer.status_code == 403
    assert gives_back(answer, section)


def test_nor_does_a_post_from_another_site_run_anything(client, application):
    """The session is alive, and the cookie of the form is not: nothing is saved."""
    visitor = Client(enforce_csrf_checks=True)
    open_session(visitor, application)
    before = Event.objects.count()
    assert gives_back(visitor.post(address("issues"), form_of("issues")), "issues")
    application.refresh_from_db()
    assert application.issues == "Conditions in prisons."
    assert Event.objects.count() == before


def test_an_address_typed_at_the_door_is_given_back_too():
    page = Client(enforce_csrf_checks=True).post(reverse("applications:lost_link"), {"email": "canary@example.org"})
    assert page.status_code == 403
    assert "canary@example.org" in page.content.decode()


@pytest.mark.parametrize("path", ["/admin/login/", "/en/contacts/", "/en/nowhere/"])
def test_other_pages_give_nothing_back(path):
    """A password, for one, must not come back on a page."""
    page = Client(enforce_csrf_checks=True).post(path, {"password": "canary", "text": "canary", "username": "canary"})
    assert "canary" not in page.content.decode()


@pytest.mark.parametrize("section", TYPED)
def test_a_double_click_saves_once_and_says_so(client, application, section):
    open_session(client, application)
    page = client.get(address(section)).content.decode()
    hidden = dict(re.findall(r'type="hidden" name="(application|as_read)" value="([^"]+)"', page))
    clicks = [client.post(address(section), form_of(section) | hidden) for _click in range(2)]
    assert [click.status_code for click in clicks] == [302, 302]
    kept = Application.objects.get().answers(section)
    assert {name: kept[name] for name in TYPED[section]} == TYPED[section]
    assert Recommendation.objects.count() == (5 if section == "recommendations" else 1)


def test_a_double_click_on_a_file_keeps_one(client, application):
    open_session(client, application)
    content = pdf(pages=2)
    for _click in range(2):
        file = SimpleUploadedFile("new.pdf", content)
        assert client.post(address("file"), {"file": file, "save": "1"}).status_code == 302
    assert [file.version for file in application.attachments.all()] == [2, 1]


@pytest.mark.parametrize("section", TYPED)
def test_the_back_button_shows_what_is_saved(client, application, section):
    """No browser keeps the page (`no-store`), so going back asks for it anew."""
    open_session(client, application)
    client.post(address(section), form_of(section))
    page = client.get(address(section))
    assert "no-store" in page["Cache-Control"]
    assert all(text in page.content.decode() for text in TYPED[section].values())
    again = re.search(r'name="as_read" value="([^"]+)"', page.content.decode())[1]
    assert client.post(address(section), form_of(section) | {"as_read": again}).status_code == 302


# --- A line that drops ------------------------------------------------------------------------------------------------


def send(client, path, body, *, content_type, arrives, **headers):
    """The status of a post of which so many bytes arrive, as servers hand it over: too short, without any error."""
    arrived = io.BytesIO(body[:arrives])
    announced = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body))}
    environment = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "wsgi.input": arrived, **announced, **headers}
    return client.request(**environment).status_code


@pytest.fixture
def visitor(application):
    """Somebody who has the form open, as a real browser does: with both cookies."""
    client = Client(enforce_csrf_checks=True)
    open_session(client, application)
    client.get(address("issues"))
    return client


def token(visitor, section):
    return re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', visitor.get(address(section)).content.decode())[1]


def kept():
    return Application.objects.values(), list(Recommendation.objects.values()), Event.objects.count()


@pytest.mark.parametrize("section", TYPED)
def test_a_text_whose_line_drops_is_not_saved_at_any_length(visitor, section):
    body = urlencode({"csrfmiddlewaretoken": token(visitor, section), **form_of(section)}, doseq=True).encode()
    plain, before = "application/x-www-form-urlencoded", kept()
    for arrives in (0, 90, len(body) // 2, len(body) - 1):
        assert send(visitor, address(section), body, content_type=plain, arrives=arrives) == 403
    assert list(kept()[0]) == list(before[0]) and kept()[1:] == before[1:]
    assert send(visitor, address(section), body, content_type=plain, arrives=len(body)) == 302


def test_a_file_whose_line_drops_is_not_kept(visitor):
    content, line = pdf(), "line"
    head = f'--{line}\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token(visitor, "file")}\r\n'
    head += f'--{line}\r\nContent-Disposition: form-data; name="file"; filename="new.pdf"\r\n'
    body = f"{head}Content-Type: application/pdf\r\n\r\n".encode() + content + f"\r\n--{line}--\r\n".encode()
    many = f"multipart/form-data; boundary={line}"
    for arrives in (len(body) // 2, len(body) - len(line) - 8, len(body) - 1):
        assert send(visitor, address("file"), body, content_type=many, arrives=arrives) in (400, 403)
    assert Application.objects.get().upr_submission.version == 1
    assert send(visitor, address("file"), body, content_type=many, arrives=len(body)) == 302
    assert Application.objects.get().upr_submission.version == 2


def test_where_a_script_posts_a_dropped_line_saves_nothing_either_and_is_no_fault_of_ours(visitor, caplog):
    """The token stands in a header then, so that nothing is refused at the door."""
    body, header = urlencode(form_of("submission")).encode(), {"HTTP_X_CSRFTOKEN": token(visitor, "submission")}
    plain, before = "application/x-www-form-urlencoded", list(kept()[0])
    arrives = len(body) - 9
    assert send(visitor, address("submission"), body, content_type=plain, arrives=arrives, **header) in (200, 400)
    assert list(kept()[0]) == before
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


# --- Nothing stays on the device --------------------------------------------------------------------------------------


STORES = ("localStorage", "sessionStorage", "indexedDB", "document.cookie", "caches.", "serviceWorker")
AT_THE_DOOR = {  # staff's phone in a room without a line: it keeps counts of missions until they are sent, no applicant
    "at_the_door.js": {"localStorage", "serviceWorker"},
    "worker.js": {"caches."},
}


def test_no_script_of_ours_writes_to_the_browsers_storage_but_the_door_list(settings):
    """Whoever takes the device must not find there what was typed."""
    folders = [*settings.STATICFILES_DIRS, settings.BASE_DIR / "templates"]
    texts = {path.name: path.read_text() for folder in folders for path in folder.rglob("*.js")}
    found = {name: {store for store in STORES if store in text} for name, text in texts.items()}
    assert {name: stores for name, stores in found.items() if stores} == AT_THE_DOOR


def test_every_section_with_a_text_is_in_these_tests():
    assert set(TYPED) == set(rules.SECTIONS) - {"file"}
