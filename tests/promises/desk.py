"""The desk as the access matrix walks through it: its addresses, a row of the world for each, browsers of its roles.
For test_c2_access_matrix.py and others that walk the whole desk.
"""

import copy
import logging
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from django import shortcuts
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.template.response import SimpleTemplateResponse
from django.test import Client
from django.urls import get_resolver, reverse

from applications.models import MadeRecommendation
from presessions.accounts import doors
from presessions.accounts.models import Role, User
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory
from tests.house.test_lists import applicant
from tests.promises.access import LETTERS, MODELS, PAGES, POSTED

REDIRECT, REFUSED = 302, (401, 403)
TO_LOG_IN = {reverse("admin:login"), reverse("admin:second_factor")}


def named_addresses(resolver=None, namespace=(), under=""):
    """(name, its arguments, what answers) of everything under the desk's address, and of everything called admin:…"""
    for pattern in (resolver or get_resolver()).url_patterns:
        where = under + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from named_addresses(pattern, (*namespace, *filter(None, [pattern.namespace])), where)
        elif where.startswith("admin/") or "admin" in namespace:
            yield pattern.name, {*pattern.pattern.regex.groupindex, *pattern.pattern.converters}, pattern.callback


def name_of(model, page):
    return f"{model._meta.app_label}_{model._meta.model_name}_{page}"


def table():
    """{(method, name of an address): the letters of those roles that get an answer}"""
    lines = {}
    for label, (look, add, change, delete) in MODELS.items():
        app, model = label.lower().split(".")
        stock = {"changelist": look, "history": look, "add": add, "change": look, "delete": delete}
        lines |= {("GET", f"{app}_{model}_{page}"): who for page, who in stock.items()}
        lines["POST", f"{app}_{model}_change"] = change
    for key, who in PAGES.items():
        method, _space, name = key.rpartition(" ")
        lines[method or "GET", name] = who
    return lines


def rows(world):
    """What stands in the place of an argument, by the beginning of the address's name."""
    application, letter = applicant(world), world.newest("invitation").letter
    document = application.attachments.order_by("pk").first()
    by_name = {
        "accounts_": colleague(),
        "applications_organisation": application.organisation,
        "applications_recommendation": MadeRecommendation.objects.get(),
        "applications_": application,
        "mail_letter": letter,
        "mail_": letter.mailing,
        "upr_meeting": world.kenya,
        "upr_series": world.series,
        "trail_event": Event.objects.latest("pk"),
    }
    plain = {
        "meeting_pk": world.kenya.pk,
        "series_pk": world.series.pk,
        "attachment_pk": document.pk,
        "number": world.series.number,
        "language": "en",
        "app_label": "upr",
        "content_type_id": 1,
        "object_id": 1,
    }
    return by_name, plain


def colleague():
    """Somebody on whose page an administrator may act."""
    return User.objects.filter(is_superuser=False).first() or StaffFactory(is_superuser=False)


def change_pages(world):
    """A row of each model on the desk."""
    letter = world.newest("invitation").letter
    known = [applicant(world), world.kenya, world.invitation, letter, letter.mailing, world.series, colleague()]
    known = {type(row): row for row in [*known, Role.objects.get(name="Reader")]}
    rows = {model: known.get(model) or model.objects.order_by("pk").first() for model in admin.site._registry}
    return {name_of(model, page): row.pk for model, row in rows.items() for page in ("change", "history", "delete")}


def places(world):
    """{name: address}, each with a row of the world."""
    (by_name, plain), pages, found = rows(world), change_pages(world), {}
    for name, arguments, _view in named_addresses():
        if not name or name in doors.FOR_ALL | doors.WITH_PASSWORD_ONLY:
            continue
        if name in pages:
            found[name] = reverse(f"admin:{name}", args=[pages[name]])
            continue
        row = next((row for start, row in by_name.items() if name.startswith(start)), None)
        given = {argument: row.pk if argument == "pk" else plain[argument] for argument in arguments}
        found[name] = reverse(f"admin:{name}", kwargs=given)
    return found


def ask(client, method, name, address):
    """The status of an answer; nothing that the request did remains, in the browser neither. A way back to the log-in
    counts as 401."""
    cookies = copy.copy(client.cookies)
    with transaction.atomic():
        answer = client.post(address, POSTED.get(name, {})) if method == "POST" else client.get(address)
        transaction.set_rollback(True)
    client.cookies = cookies
    if answer.status_code == REDIRECT and answer["Location"].split("?")[0] in TO_LOG_IN:
        return 401
    return answer.status_code


def answers(client, where):
    """{(method, name): status} of every line of the table. Pages are not put into words meanwhile, which would take
    most of the time: test_lists.py reads them all."""
    with nothing_written_out():
        return {(method, name): ask(client, method, name, where[name]) for method, name in table()}


@contextmanager
def nothing_written_out():
    """Views decide and answer, and their pages are empty; no refusal is logged. Letters are written as ever."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.getLogger("django.request"), "disabled", True)
        patch.setattr(SimpleTemplateResponse, "rendered_content", "")
        patch.setattr(shortcuts, "loader", SimpleNamespace(render_to_string=lambda *_args, **_kwargs: ""))
        yield


def browser_of(letter):
    person = StaffFactory(is_superuser=False)
    person.groups.set(Group.objects.filter(name=LETTERS[letter]))
    client = Client()
    client.force_login(person)
    return client
