"""C1, of people at risk: every page, list, search, export and file of the desk, as each role: nothing that somebody at
risk wrote, and nobody's name, until the safety officer reveals it. All other places: tests/house/test_canaries.py."""

from itertools import product
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import reverse

from applications.models import Application
from presessions.mail.models import Letter
from tests.accounts.factories import StaffFactory
from tests.house.conftest import broker, told, world  # noqa: F401
from tests.house.test_canaries import SECRETS
from tests.house.world import address, canary
from tests.promises import desk
from tests.promises.access import LETTERS
from tests.promises.desk import places
from tests.promises.walk import contents

OF_PERSONS = tuple(
    f"applications.{model}."
    for model in ("Application", "Speaker", "Recommendation", "Needs", "Attachment", "Assessment", "SpeakerFeedback")
)
WRITTEN = [label for label in SECRETS if label.removeprefix("the file behind ").startswith(OF_PERSONS)]
FORMATS = ("csv", "xlsx")
OTHERS = "RVLMA"  # all roles together but that of the safety officer: more than any of them sees
POSTED = ("applications_application", "applications_contact", "applications_organisation", "mail_letter", "mail_report")


def named(text):
    """What of somebody at risk stands in it."""
    folded = text.lower()
    return {label for label in WRITTEN if canary(label) in folded}


def told_by(browser, path, data=None):
    """All that an answer holds, files unpacked; what was done by asking is undone. data -- to be posted"""
    with transaction.atomic():
        answer = browser.get(path) if data is None else browser.post(path, data, follow=True)
        found = contents(answer)
        transaction.set_rollback(True)
    return found


@pytest.fixture
def application(world, monkeypatch):  # noqa: F811
    """Whose pages the matrix leads to."""
    found = Application.objects.with_state().get(pk=world.application.pk)
    assert found.at_risk
    monkeypatch.setattr(desk, "applicant", lambda world: found)
    return found


@pytest.fixture
def pages(application, world):  # noqa: F811
    """{name: address} of the whole desk, with the row of somebody at risk where there is one to choose."""
    found = places(world)
    for letter in Letter.objects.filter(recipient_id=application.reference):
        found[f"letter {letter.kind}"] = reverse("admin:mail_letter_change", args=[letter.pk])
        found[f"letter {letter.kind} as HTML"] = reverse("admin:mail_letter_html", args=[letter.pk])
    found["history"] = f"{reverse('admin:trail_event_changelist')}?q={application.reference}"
    return found


def exports():
    """(name of an export, its audience, format) of every list that can be exported."""
    for model, page in admin.site._registry.items():
        for audience, format in product(getattr(page, "audiences", ()), FORMATS):
            yield f"admin:{model._meta.app_label}_{model._meta.model_name}_export", audience.name, format


def browser_of(letters):
    """Somebody with all of these roles."""
    person = StaffFactory(is_superuser=False)
    person.groups.set(Group.objects.filter(name__in=[LETTERS[letter] for letter in letters]))
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.parametrize("letters", [OTHERS, "S"])
def test_no_page_of_the_desk_names_them(pages, letters):
    browser = browser_of(letters)
    assert len(pages) > 160
    found = {name: named(told_by(browser, path)) for name, path in pages.items()}
    assert {name: labels for name, labels in found.items() if labels} == {}


@pytest.mark.parametrize("letters", [OTHERS, "S"])
def test_no_export_does(application, letters):
    browser = browser_of(letters)
    found = {
        export: named(
            told_by(browser, reverse(export[0]), {"audience": export[1], "format": export[2], "filter": "stands=all"})
        )
        for export in exports()
    }
    assert len(found) > 8
    assert {name: labels for name, labels in found.items() if labels} == {}


@pytest.mark.parametrize(
    "words",
    [
        canary("applications.Application.name"),
        canary("applications.Speaker.full_name"),
        address("applications.Application.email"),
        address("applications.Speaker.email"),
    ],
)
def test_no_search_leads_to_them(application, words):  # fmt: skip
    browser = browser_of(OTHERS)
    for name in POSTED:
        page = reverse(f"admin:{name}_changelist")
        assert application.reference not in told_by(browser, page, {"q": words}), name
    for name in ("trail_event", "missions_permanentmission", "missions_invitation"):
        page = reverse(f"admin:{name}_changelist")
        assert application.reference not in told_by(browser, f"{page}?{urlencode({'q': words})}"), name


def test_the_safety_officer_who_reveals_them_reads_what_they_wrote(application):
    officer = browser_of("S")
    page = reverse("admin:applications_application_change", args=[application.pk])
    officer.post(reverse("admin:applications_reveal", args=[application.pk]), {"reason": "The family called."})
    assert {
        "applications.Application.name",
        "applications.Speaker.full_name",
        "applications.Recommendation.text",
    } <= named(told_by(officer, page))
