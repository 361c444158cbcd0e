"""Browsers and papers for the tests of who has a seat."""

import re

from django.urls import reverse

from applications.models import Attachment
from applications.views.start import SESSION_KEY
from tests.applications.factories import upload


def open_session(client, application):
    """As after the button behind a personal link."""
    session = client.session
    session[SESSION_KEY] = application.pk
    session.save()
    client.cookies["sessionid"] = session.session_key
    return client


def as_asked(applicant):
    """The mark on the page that asks what may be published: what it asked about."""
    page = applicant.get(reverse("applications:consent_again")).content.decode()
    return re.search(r'name="seen" value="(\w+)"', page)[1]


def words_of(answer):
    """What a page says, on one line."""
    return " ".join(answer.content.decode().split())


class Statement:
    """What files.check says of a good statement, without the time that looking into one takes."""

    content_type, name = "docx", "statement.docx"


def receive(application, now, kind=Attachment.Kind.STATEMENT, content=b"PK a statement"):
    """The statement arrives, by the product's step."""
    from applications import seat

    with upload(content, Statement.name) as file:
        return seat.receive(application, file, kind, Statement, now=now)


def looked_through(attachment, words=None):
    """As the check chain leaves a file that is safe to open."""
    Attachment.objects.filter(pk=attachment.pk).update(
        state=Attachment.State.CHECKED, words=words, next_look_at=None, cleaned=attachment.stored
    )
