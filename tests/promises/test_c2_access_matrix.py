"""C2, its first half: who gets an answer from which address of the staff's desk.

The table is access.py, one line for each address. An address of the desk that has no line there is red, and so is a
line without an address. Rows are those of the whole world of tests/house/world.py; what a request does is undone.
"""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse

from applications.models import MadeRecommendation
from missions.models import Colleague, Reply
from presessions import roles
from presessions.accounts import doors
from presessions.accounts.models import Role, User
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory
from tests.accounts.logins import with_password_only
from tests.house.conftest import broker, told, world  # noqa: F401
from tests.house.test_lists import applicant
from tests.house.world import address, canary
from tests.promises.access import EVERYBODY, LETTERS, MODELS, NOT_OF_THIS_ROW, PAGES, POSTED

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


# --- The table is whole ----------------------------------------------------------------------------------------------


def test_every_address_of_the_desk_stands_in_the_table_and_nothing_else():
    there = {name for name, _arguments, _view in named_addresses() if name}
    assert there == {name for _method, name in table()} | doors.FOR_ALL | doors.WITH_PASSWORD_ONLY


def test_an_address_without_a_name_leads_only_to_one_that_has_one():
    """Django's own: the old address of a row, and whatever is left over, which is not there."""
    views = [view for name, _arguments, view in named_addresses() if not name]
    left_over = {getattr(view, "view_class", view).__name__ for view in views}
    assert left_over == {"RedirectView", "catch_all_view"}


def test_every_list_of_the_desk_stands_in_the_table():
    assert {model._meta.label for model in admin.site._registry} == MODELS.keys()


def test_the_letters_of_the_table_are_the_six_roles():
    assert {role.name for role in roles.ROLES} == set(LETTERS.values())
    assert set(EVERYBODY) == LETTERS.keys()
    assert {letter for who in table().values() for letter in who} <= LETTERS.keys()


# --- And it is true --------------------------------------------------------------------------------------------------


def rows(world):  # noqa: F811
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


def change_pages(world):  # noqa: F811
    """A row of each model on the desk."""
    letter = world.newest("invitation").letter
    known = [applicant(world), world.kenya, world.invitation, letter, letter.mailing, world.series, colleague()]
    known = {type(row): row for row in [*known, Role.objects.get(name="Reader")]}
    rows = {model: known.get(model) or model.objects.order_by("pk").first() for model in admin.site._registry}
    return {name_of(model, page): row.pk for model, row in rows.items() for page in ("change", "history", "delete")}


@pytest.fixture
def where(world):  # noqa: F811
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
    """The status of an answer; nothing that the request did remains. A way back to the log-in counts as 401."""
    with transaction.atomic():
        answer = client.post(address, POSTED.get(name, {})) if method == "POST" else client.get(address)
        transaction.set_rollback(True)
    if answer.status_code == REDIRECT and answer["Location"].split("?")[0] in TO_LOG_IN:
        return 401
    return answer.status_code


def answers(client, where):
    """{(method, name): status} of every line of the table."""
    return {(method, name): ask(client, method, name, where[name]) for method, name in table()}


def browser_of(letter):
    person = StaffFactory(is_superuser=False)
    person.groups.set(Group.objects.filter(name=LETTERS[letter]))
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.parametrize("letter", EVERYBODY)
def test_a_role_gets_an_answer_where_the_table_says_so_and_nowhere_else(where, letter):
    got = answers(browser_of(letter), where)
    may = {key for key, who in table().items() if letter in who}
    assert {key: status for key, status in got.items() if (status not in REFUSED) != (key in may)} == {}
    not_there = {name for (method, name), status in got.items() if (method, status) == ("GET", 404)}
    assert not_there <= NOT_OF_THIS_ROW.keys()
    assert 405 not in got.values()  # a line of the table that no method answers proves nothing


@pytest.mark.parametrize("letter", EVERYBODY)
def test_what_missions_said_in_private_and_who_of_them_only_those_see_who_may(world, letter):  # noqa: F811
    there = {
        canary("missions.Question.words"): "LMA",
        canary("missions.Delegate.name"): "MA",
        canary("missions.Delegate.function"): "MA",
        canary("missions.Invitation.note"): "MA",
        canary("missions.Colleague.name"): "MA",
        address("missions.Colleague.email"): "MA",
    }
    Reply.objects.filter(invitation=world.invitation).update(colleague=Colleague.objects.get())
    Client().get(world.newest("passed_on").path)  # so that she stands among those who have fetched the page
    browser = browser_of(letter)
    page = browser.get(reverse("admin:missions_invitation_change", args=[world.invitation.pk])).content.decode()
    assert {words for words in there if words in page} == {words for words, who in there.items() if letter in who}
    assert (">a colleague<" in page) == (letter not in "MA")
    replies = browser.get(reverse("admin:missions_reply_changelist")).content.decode()
    assert (canary("missions.Colleague.name") in replies, ">a colleague<" in replies) == (
        letter in "MA",
        letter not in "MA",
    )


@pytest.mark.parametrize("visitor", ["a stranger", "staff with the password alone", "somebody who is not staff"])
def test_without_both_factors_nothing_answers(where, visitor):
    client = Client()
    if visitor == "staff with the password alone":
        with_password_only(client, StaffFactory())
    elif visitor == "somebody who is not staff":
        client.force_login(StaffFactory(is_staff=False))
    assert {key: status for key, status in answers(client, where).items() if status != 401} == {}


def test_a_member_of_staff_without_a_role_sees_an_empty_desk(where):
    client = Client()
    client.force_login(StaffFactory(is_superuser=False))
    answered = {name for (_method, name), status in answers(client, where).items() if status not in (*REFUSED, 404)}
    assert answered <= {name for (_method, name), who in table().items() if who == EVERYBODY}
    assert not {
        name for name in answered if name.startswith(("applications_application", "mail_", "upr_", "missions_"))
    }
