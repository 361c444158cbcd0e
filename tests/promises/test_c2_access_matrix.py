"""C2: everybody reaches what is theirs and nothing else, address by address, identifiers swapped.

Two tables say who gets an answer: access.py of the staff's desk, access_outside.py of everything else. An address that
has no line there is red, and so is a line without an address. Rows are those of the world of tests/house/world.py; what
a request does is undone. How the desk is walked through stands in desk.py, how all else is in outside.py.
"""

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import reverse

from applications import at_risk, cleaning, seat
from applications.models import Application, Attachment, Contact, Upload
from missions.models import Colleague, Reply
from presessions import roles
from presessions.accounts import doors
from tests.accounts.factories import StaffFactory
from tests.accounts.logins import with_password_only
from tests.applications.seats import open_session
from tests.house.conftest import broker, told, world  # noqa: F401
from tests.house.world import END, STATEMENT_DUE, address, canary
from tests.promises.access import EVERYBODY, LETTERS, MODELS, NOT_OF_THIS_ROW
from tests.promises.access_outside import MACHINE, NOT_THERE, OFF, OPEN, OWN, PURPOSES, TABLE
from tests.promises.desk import REFUSED, answers, browser_of, named_addresses, places, table
from tests.promises.outside import (
    ARGUMENTS,
    CONTACT,
    KENYA,
    NO_TOKEN,
    NOBODY,
    OF_STAFF,
    OTHER,
    ROLES,
    A,
    B,
    People,
    purposes,
    rule_of,
)
from tests.promises.walk import links_of

BEFORE = STATEMENT_DUE + timedelta(hours=4)
KEY = re.compile(r"/pack/[0-9a-f]{20}/$")

# --- The desk: its table is whole ------------------------------------------------------------------------------------


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


# --- The desk: its table is true -------------------------------------------------------------------------------------


@pytest.fixture
def where(world):  # noqa: F811
    """{name: address} of the desk, each with a row of the world."""
    return places(world)


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


@pytest.mark.parametrize(
    "visitor", ["a stranger", "an applicant", "staff with the password alone", "somebody who is not staff"]
)
def test_without_both_factors_nothing_answers(where, world, visitor):  # noqa: F811
    client = Client()
    if visitor == "staff with the password alone":
        with_password_only(client, StaffFactory())
    elif visitor == "somebody who is not staff":
        client.force_login(StaffFactory(is_staff=False))
    elif visitor == "an applicant":
        open_session(client, world.application)
    assert {key: status for key, status in answers(client, where).items() if status != 401} == {}


def test_a_member_of_staff_without_a_role_sees_an_empty_desk(where):
    client = Client()
    client.force_login(StaffFactory(is_superuser=False))
    answered = {name for (_method, name), status in answers(client, where).items() if status not in (*REFUSED, 404)}
    assert answered <= {name for (_method, name), who in table().items() if who == EVERYBODY}
    assert not {
        name for name in answered if name.startswith(("applications_application", "mail_", "upr_", "missions_"))
    }


# --- Outside the desk: its table is whole ----------------------------------------------------------------------------


def test_every_address_outside_the_desk_stands_in_the_table_and_nothing_else():
    assert {line.rpartition(" ")[2] for line in TABLE} == ARGUMENTS.keys()


def test_what_can_be_sent_somewhere_stands_in_the_table_too(people):
    """Asked by somebody to whom the address answers; where a method is not taken, it says so."""
    answered = {"GET": set(), "POST": set()}
    for name in ARGUMENTS:
        rule = TABLE.get(name) or TABLE[f"POST {name}"]
        if rule == OFF:
            continue
        token = next((token for purpose, token in people.every_token().items() if purpose in purposes(rule)), NO_TOKEN)
        for method, names in answered.items():
            if people.ask(A, method, people.address(name, A, token))[0] != 405:
                names.add(name)
    there = [line.rpartition(" ") for line, rule in TABLE.items() if rule != OFF]
    assert answered["GET"] == {name for method, _space, name in there if not method}
    assert answered["POST"] == {name for method, _space, name in there if method}


# --- Outside the desk: its table is true -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def everybody(told):  # noqa: F811
    """The people outside, once for all tests, while the meeting lies ahead; what they did is gone with the file."""
    with transaction.atomic():
        told.clock.move_to(BEFORE)
        yield People(told)
        transaction.set_rollback(True)


@pytest.fixture
def people(everybody, db):
    return everybody


@pytest.mark.parametrize("who", ROLES)
def test_everybody_outside_gets_an_answer_where_the_table_says_so_and_nowhere_else(people, who):
    got = {line: status for line, (status, _text) in people.walk(who).items()}
    wrong = {
        line: status
        for line, status in got.items()
        if (status not in (*REFUSED, 404)) != people.may(who, rule_of(*line)) and line[1] not in NOT_THERE
    }
    assert wrong == {}
    assert {status for (_method, name), status in got.items() if name in NOT_THERE} <= {404}


@pytest.mark.parametrize("who", [who for who in ROLES if who != NOBODY])
def test_an_open_page_says_the_same_to_everybody_and_a_closed_one_too(people, who):
    """Neither an applicant, nor staff, nor whoever holds another's link learns more from it than a stranger."""
    strangers = people.walk(NOBODY)
    same = {
        line: answer == strangers[line]
        for line, answer in people.walk(who).items()
        if line[0] == "GET" and (rule_of(*line) in (OPEN, MACHINE) or not people.may(who, rule_of(*line)))
    }
    assert [line for line, is_same in same.items() if not is_same] == []


@pytest.mark.parametrize("who", ROLES)
def test_nobody_finds_anything_of_somebody_else(people, who):
    for others, words in people.words.items():
        found = {line for line, (_status, text) in people.walk(who).items() if any(word in text for word in words)}
        assert bool(found) == (who == others), (others, found)
    of_staff = [canary(place) for place in OF_STAFF]
    assert not [line for line, (_status, text) in people.walk(who).items() if any(word in text for word in of_staff)]


# --- Outside the desk: what is somebody else's is put in the place of one's own --------------------------------------


def test_a_link_opens_what_it_was_made_for_and_nothing_else(people):
    """Each token of each purpose, at each address that takes one."""
    opened = {}
    for line, rule in TABLE.items():
        method, _space, name = line.rpartition(" ")
        for purpose, token in people.every_token().items() if purposes(rule) else ():
            at = people.address(name, NOBODY, token)
            opened[line, purpose] = people.ask(NOBODY, method or "GET", at)[0] not in (404, 403)
    wrong = [key for key, is_open in opened.items() if is_open and key[1] not in TABLE[key[0]].purposes]
    assert wrong == []
    assert {purpose for (_line, purpose), is_open in opened.items() if is_open} == set(PURPOSES)


@pytest.mark.parametrize(("who", "other"), [(A, B), (B, A)])
def test_what_an_applicant_sends_for_another_application_is_refused(people, who, other):
    """Every form of one's own, with the other one's reference in it: 409, and whatever was typed comes back."""
    theirs = {A: people.a, B: people.b}[other]
    sent = {"application": theirs.reference, "full_name": "Somebody Else", "sure": "on", "understood": "on"}
    answers = {
        name: people.ask(who, "POST", people.address(name, who), sent)[0]
        for name, rule in ((line[5:], rule) for line, rule in TABLE.items() if line.startswith("POST "))
        if rule == OWN
    }
    assert len(answers) > 15
    assert set(answers.values()) == {409}


def test_pieces_of_a_file_are_taken_from_whom_the_file_belongs_to(people):
    at = reverse("applications:upload_piece", args=[people.keys[A]])
    piece = b"x" * 20_000
    for who in (NOBODY, B):
        browser = people.browser(who)
        assert browser.get(at).status_code == 404
        assert browser.post(f"{at}?from=0", piece, content_type="application/octet-stream").status_code == 404
    assert Upload.objects.get(key=people.keys[A]).received == 0
    assert people.browser(A).get(at).json() == {"received": 0}


def test_whoever_left_the_form_is_out_also_with_the_old_cookie(people):
    browser, old = Client(), people.browsers[B].cookies["sessionid"].value
    browser.cookies["sessionid"] = old
    assert browser.get(reverse("applications:status")).status_code == 200
    browser.post(reverse("applications:leave"))
    browser.cookies["sessionid"] = old
    assert browser.get(reverse("applications:status")).status_code == 404


def test_a_receipt_is_confirmed_by_its_own_file_alone(people):
    own, theirs = (Attachment.objects.filter(application=one).first().sha256 for one in (people.a, people.b))
    at, browser = reverse("applications:receipt_check"), Client()
    for digest, is_right in ((own, True), (theirs, False)):
        shown = browser.get(at).context["form"]["shown"].value()
        people.world.clock.shift(timedelta(seconds=10))  # whoever is faster is asked to press once more
        posted = {"reference": people.a.reference, "fingerprint": digest, "shown": shown}
        said = browser.post(at, posted).content.decode()
        assert ("We cannot confirm this." in said) != is_right


@pytest.mark.parametrize(("who", "other"), [(KENYA, OTHER), (OTHER, KENYA)])
def test_a_mission_closes_no_link_of_another(people, who, other):
    for purpose in ("invitation", "colleague"):
        at = reverse("missions:close_colleague", args=[people.tokens[who][purpose], people.keys[other]])
        assert Client().post(at).status_code == 404
    assert Colleague.objects.get(reference=people.keys[other]).revoked_at is None


def test_who_is_on_the_list_takes_nobody_else_off_it_and_confirms_nobody(people):
    leave, confirm = people.tokens[CONTACT]["leave"], people.tokens[CONTACT]["contact_confirm"]
    assert Client().post(reverse("applications:contact_leave", args=[confirm])).status_code == 404
    assert Client().post(reverse("applications:contact_confirm", args=[leave])).status_code == 404
    assert Client().post(reverse("applications:contact_leave", args=[leave])).status_code == 200
    assert Contact.objects.get(pk=people.contact.pk).has_left
    assert Contact.objects.get(pk=people.waits.pk).confirmed_at is None
    assert Contact.objects.confirmed().exists()


def test_a_paper_lies_under_its_own_meeting_alone(people, world):  # noqa: F811
    """Once it may be read by everybody: not under the address of another State's meeting."""
    application = Application.objects.get(pk=people.a.pk)
    at_risk.unmark(application, by=world.ada, now=people.now, reason="They are abroad now.")
    cleaning.look_through(people.now)
    seat.publish_again(application, {"statement"}, now=people.now)
    world.clock.move_to(END)
    tokens = people.tokens[OTHER]
    for page in (
        reverse("applications:pack", args=[54, "KE"]),
        reverse("missions:pack", args=[tokens["invitation"], "KE"]),
    ):
        link = next(link for link in links_of(page, Client().get(page).content) if KEY.search(link))
        assert Client().get(link).status_code == 200
        assert Client().get(link.replace("/KE/", "/TR/")).status_code == 404
