"""A8. File names are harmless: more than forty names, as a browser or somebody with bad intent would send them, through
the pages that take files. None leads to a server error; on no page and in no header stands anything that controls a
terminal or turns the direction of reading; on the disk there are only random names.

What becomes of each name: tests/applications/test_names.py.
"""

import html
import io
import re
import unicodedata
import zipfile

import pytest
import time_machine
from django.urls import reverse

from applications import cleaning, sandbox
from applications.models import Attachment, Upload
from tests.accounts.factories import StaffFactory
from tests.applications import hostile, program
from tests.applications.factories import MONDAY, ApplicationFactory
from tests.applications.test_names import NAMES

pytestmark = pytest.mark.django_db

MORE = [  # as they arrive where somebody writes the request by hand
    'a"; filename="b.pdf',
    "a%00.pdf",
    "a%0d%0aSet-Cookie: x=y.pdf",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd.pdf",
    "{% load static %}.pdf",
    "<script>alert(1)</script>.pdf",
    "'; DROP TABLE applications_attachment; --.pdf",
    "＝cmd.pdf",
    "a" * 5000 + ".pdf",
    "\u0645\u202e\u0646.pdf",
    "🏴\U000e0067\U000e0062\U000e007f.pdf",
    "a.pdf\ud83d",
]
ALL = [*NAMES, *MORE]
FORBIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
USUAL = "\n\t\r"  # in the source of a page


@pytest.fixture(autouse=True)
def quickly(settings, tmp_path, monkeypatch):
    """Files of their own, and the program in this process: names are what this is about."""
    settings.PRIVATE_FILES = tmp_path / "private"
    door = program.load()
    monkeypatch.setattr(sandbox, "run", lambda what, upload: door.inspect(upload.read())[0])
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def application(client):
    application = ApplicationFactory()
    session = client.session
    session["application"] = application.pk
    session["opened_at"] = MONDAY.isoformat()
    session.save()
    return application


def post(client, page, name, content):
    """The request as bytes: no library of ours makes the name harmless on the way."""
    name = name.encode("utf-8", "surrogatepass").replace(b'"', b"%22") if name not in MORE else raw(name)
    head = b'Content-Disposition: form-data; name="file"; filename="' + name + b'"\r\nContent-Type: application/pdf\r\n'
    body = b"--edge\r\n" + head + b"\r\n" + content + b"\r\n--edge--\r\n"
    return client.generic("POST", page, body, content_type="multipart/form-data; boundary=edge")


def raw(name):
    return name.encode("utf-8", "surrogatepass")


def odd_signs(words):
    return [hex(ord(sign)) for sign in words if unicodedata.category(sign) in FORBIDDEN and sign not in USUAL]


def odd_in_answer(answer):
    headers = "\0".join(f"{name}: {value}" for name, value in answer.items())
    broken = ["a line in a header"] if re.search("[\r\n]", headers) else []
    return odd_signs(html.unescape(answer.content.decode())) + odd_signs(headers.replace("\0", "")) + broken


def test_there_are_enough_names():
    assert len(set(ALL)) >= 40


@pytest.mark.parametrize("group", range(6))
def test_no_name_does_harm_on_its_way_through_the_form(client, application, settings, group):
    page, content = reverse("applications:section", args=["file"]), hostile.pdf()
    for name in ALL[group::6]:
        known = Attachment.objects.count()
        answer = post(client, page, name, content)
        assert answer.status_code in (200, 302, 400), name[:100]  # 400: longer than any browser sends
        if Attachment.objects.count() > known:
            assert answer.status_code == 302, name
        assert odd_in_answer(answer) == [], name
        assert odd_in_answer(client.get(page)) == [], name  # where the name is shown
        newest = Attachment.objects.order_by("-version").first()
        assert not odd_signs(newest.original_name) and len(newest.original_name) <= 100, name
    assert odd_in_answer(client.get(reverse("applications:check"))) == []
    assert Attachment.objects.count() > 1
    for file in Attachment.objects.all():
        assert re.fullmatch("[0-9a-f]{32}", file.stored)
    on_disk = [path.relative_to(settings.PRIVATE_FILES) for path in settings.PRIVATE_FILES.rglob("*")]
    assert all(re.fullmatch("[0-9a-f]{2}(/[0-9a-f]{32})?|incoming(/[0-9a-f]{32})?", str(path)) for path in on_disk)


@pytest.mark.parametrize("group", range(3))
def test_no_name_does_harm_where_a_file_comes_in_pieces(client, application, group):
    for name in ALL[group::3]:
        facts = {"kind": "upr_submission", "name": name.encode("utf-8", "replace").decode(), "size": "1000"}
        answer = client.post(reverse("applications:upload"), facts)
        assert answer.status_code in (200, 422), name
        assert odd_in_answer(answer) == [], name
        assert not odd_signs("".join(upload.name for upload in Upload.objects.all())), name


def test_what_is_handed_out_has_a_name_of_ours(client, application, monkeypatch):
    page = reverse("applications:section", args=["file"])
    assert post(client, page, "\u202emoc.live\x07.pdf", hostile.pdf()).status_code == 302
    application.refresh_from_db()
    application.submit(now=MONDAY)
    everything = client.post(reverse("applications:everything"))
    names = zipfile.ZipFile(io.BytesIO(b"".join(everything.streaming_content))).namelist()
    assert odd_signs("".join(names)) == []
    assert all("/" not in name and "\\" not in name for name in names)
    assert odd_signs(everything["Content-Disposition"]) == []
    monkeypatch.undo()
    cleaning.look_through(MONDAY)
    client.force_login(StaffFactory())
    file = Attachment.objects.order_by("-version").first()
    answer = client.get(reverse("admin:applications_document", args=[application.pk, file.pk]))
    name = f"{application.reference}-submission-{file.version}.pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert name.isascii()
    shown = client.get(reverse("admin:applications_application_change", args=[application.pk]))
    assert odd_in_answer(shown) == []
