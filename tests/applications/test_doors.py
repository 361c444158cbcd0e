"""Robots are kept out of the short forms without troubling anybody else."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from lxml import html

from tests.applications.factories import ApplicationFactory
from tests.applications.hostile import pdf

pytestmark = pytest.mark.django_db

DOORS = ["lost_link", "contact_signup", "receipt_check"]


@pytest.mark.parametrize("name", DOORS)
def test_the_field_for_robots_is_neither_heard_nor_reached_nor_called_optional(client, name):
    page = html.document_fromstring(client.get(reverse(f"applications:{name}")).content)
    (field,) = page.xpath("//input[@name='leave_empty']")
    (wrapper,) = field.xpath("ancestor::*[@aria-hidden='true']")
    assert field.get("tabindex") == "-1" and "visually-hidden" in wrapper.get("class")
    assert "optional" not in wrapper.text_content()


def test_who_has_chosen_a_file_is_never_asked_to_press_again(client):
    """The browser would have forgotten the file."""
    application, content = ApplicationFactory(submitted=True), pdf()
    file = application.upr_submission
    address = reverse("applications:receipt_check")
    page = client.post(address, {"reference": application.reference, "file": SimpleUploadedFile("a.pdf", content)})
    assert "very fast" not in page.content.decode() and page.context["asked"] == application.reference
    page = client.post(address, {"reference": application.reference, "fingerprint": file.sha256})
    assert "very fast" in page.content.decode()
