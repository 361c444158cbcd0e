"""A file refused after the deadline has a way back: whoever came in time may send another one for five days."""

from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from applications import rules, uploads
from applications.models import Application, Attachment, Closed
from presessions.mail.models import Letter
from presessions.upr.models import CountryMeeting
from tests.applications.factories import CLOSES_AT, ApplicationFactory, Verdict, upload
from tests.applications.hostile import pdf
from tests.applications.test_journey import path_in

pytestmark = pytest.mark.django_db

REFUSED_AT = CLOSES_AT + timedelta(hours=3)
TOO_LATE = REFUSED_AT + rules.REPLACE_FOR
MINUTE = timedelta(minutes=1)
KIND = Attachment.Kind.UPR_SUBMISSION


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    settings.PRIVATE_FILES = tmp_path / "private"


@pytest.fixture
def application():
    return with_refused(ApplicationFactory(submitted=True))


def with_refused(application):
    refused = {"state": Attachment.State.REFUSED, "refused_because": "unreadable", "checked_at": REFUSED_AT}
    application.attachments.update(**refused)
    return Application.objects.get(pk=application.pk)


def visitor(application):
    client = Client()
    client.post(path_in(Letter.objects.filter(recipient_id=application.reference).earliest("pk")))
    return client


def sends(client, section="file", **facts):
    facts = facts or {"file": SimpleUploadedFile("new.pdf", pdf(pages=2))}
    return client.post(reverse("applications:section", args=[section]), facts).status_code


def attach(application, now, content=b"other"):
    return application.attach(upload(content), KIND, Verdict, now=now)


def test_another_file_is_taken_until_the_fifth_day_is_over_and_not_marked_late(application):
    with time_machine.travel(TOO_LATE - MINUTE, tick=False):
        client = visitor(application)
        assert sends(client) == 302
    file = Application.objects.get().upr_submission
    assert (file.version, file.state, file.late) == (2, Attachment.State.QUARANTINE, False)
    assert not Application.objects.get().in_grace


def test_so_is_one_that_comes_in_pieces(application):
    with time_machine.travel(TOO_LATE - MINUTE, tick=False):
        client = visitor(application)
        begun = client.post(reverse("applications:upload"), {"kind": KIND, "name": "a.pdf", "size": 8})
        address = reverse("applications:upload_piece", args=[begun.json()["key"]])
        sent = client.post(f"{address}?from=0", b"%PDF-1.4", content_type="application/octet-stream")
        assert sent.json() == {"received": 8}


def test_from_then_on_it_is_too_late(application):
    with time_machine.travel(TOO_LATE, tick=False):
        assert sends(visitor(application)) == 410
    with pytest.raises(Closed):
        attach(application, TOO_LATE)
    assert not uploads.DOORS[KIND].may(application, TOO_LATE)


def test_only_the_file_is_taken_and_only_one(application):
    with time_machine.travel(TOO_LATE - MINUTE, tick=False):
        client = visitor(application)
        assert sends(client, "issues", issues="Other words.") == 410
        assert sends(client) == 302
        assert sends(client) == 410  # it waits to be looked at: nothing is to be replaced any more


@pytest.mark.parametrize("state", [Attachment.State.QUARANTINE, Attachment.State.CHECKED])
def test_a_file_that_was_not_refused_stays_as_it_was(application, state):
    application.attachments.update(state=state)
    with pytest.raises(Closed):
        attach(application, REFUSED_AT + MINUTE)


def test_a_draft_has_no_such_time():
    draft = with_refused(ApplicationFactory())
    with pytest.raises(Closed):
        attach(draft, REFUSED_AT + MINUTE)


def test_nor_one_that_is_decided_withdrawn_or_of_a_meeting_that_is_not_held(application):
    now = REFUSED_AT + MINUTE
    CountryMeeting.objects.update(status=CountryMeeting.Status.NOT_HELD)
    with pytest.raises(Closed):
        attach(Application.objects.get(), now)
    CountryMeeting.objects.update(status=CountryMeeting.Status.PLANNED)
    for status in set(Application.Status) - {Application.Status.SUBMITTED}:
        Application.objects.update(status=status)
        assert not Application.objects.get().can_send_file(now)
        with pytest.raises(Exception, match=r"already|not open"):
            attach(Application.objects.get(), now)
    assert Attachment.objects.count() == 1


def test_the_pages_say_until_when_and_before_the_deadline_they_do_not(application):
    words = "You may send another one until Sat 28 March 2026, 02:59 Geneva time."
    pages = [reverse("applications:status"), reverse("applications:section", args=["file"])]
    for now, is_said in [(CLOSES_AT - MINUTE, False), (REFUSED_AT + MINUTE, True)]:
        with time_machine.travel(now, tick=False):
            client = visitor(application)
            for page in pages:
                assert (words in " ".join(client.get(page).content.decode().split())) is is_said, (page, now)
    with time_machine.travel(TOO_LATE, tick=False):
        assert "can no longer be exchanged" in visitor(application).get(pages[0]).content.decode()
