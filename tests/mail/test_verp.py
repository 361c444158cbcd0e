"""The envelope sender that says which letter comes back, and cannot be made up."""

import json

import pytest

from presessions import vault
from presessions.mail import verp
from presessions.mail.models import Letter

pytestmark = pytest.mark.usefixtures("bounce_domain")


@pytest.fixture
def bounce_domain(settings):
    settings.MAIL_BOUNCE_DOMAIN = "bounces.example.org"


@pytest.mark.parametrize("number", [1, 181, 50_000, 2**40])
def test_the_sender_of_a_letter_names_it_to_us(number):
    address = verp.sender(Letter(pk=number))
    assert address.startswith("bounces+") and address.endswith("@bounces.example.org")
    assert len(address.split("@")[0]) <= 64  # RFC 5321 4.5.3.1.1
    assert verp.letter_of(address) == number


def test_it_names_it_in_whatever_case_and_brackets_it_comes_back():
    address = verp.sender(Letter(pk=7))
    assert verp.letter_of(f" <{address.upper()}> ") == 7


def test_nobody_else_learns_a_number_from_it_nor_how_many_letters_lie_between_two():
    first, second = (verp.sender(Letter(pk=number)) for number in (7, 8))
    alike = sum(one == other for one, other in zip(first[8:34], second[8:34], strict=True))
    assert alike < 10


def test_one_sign_changed_and_it_names_no_letter():
    address = verp.sender(Letter(pk=7))
    changed = [
        address[:place] + sign + address[place + 1 :]
        for place in range(8, 33)  # the last sign holds three bits only: some of its changes mean the same
        for sign in "a7"
        if sign != address[place]
    ]
    assert [verp.letter_of(wrong) for wrong in changed] == [None] * len(changed)
    assert all(verp.is_ours(wrong) for wrong in changed)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "somebody@example.org",
        "bounces@bounces.example.org",
        "bounces+7@bounces.example.org",
        "bounces+" + "1" * 26 + "@bounces.example.org",
        "bounces+é@bounces.example.org",
        "bounces+" + "a" * 5000 + "@bounces.example.org",
    ],
)
def test_any_other_address_names_no_letter(address):
    assert verp.letter_of(address) is None


def test_an_address_of_another_domain_names_no_letter(settings):
    address = verp.sender(Letter(pk=7)).replace("bounces.example.org", "elsewhere.example")
    assert verp.letter_of(address) is None and not verp.is_ours(address)


def test_letters_come_back_after_the_keys_were_changed(settings):
    address = verp.sender(Letter(pk=7))
    old, new = json.loads(settings.VAULT_KEYSET), json.loads(vault.new_keyset("next"))
    settings.VAULT_KEYSET = json.dumps({"primary": "next", "keys": {**old["keys"], **new["keys"]}})
    assert verp.letter_of(address) == 7
    settings.VAULT_KEYSET = json.dumps(new)
    assert verp.letter_of(address) is None


def test_without_a_domain_for_bounces_they_go_to_where_the_letter_is_from(settings):
    settings.MAIL_BOUNCE_DOMAIN = ""
    assert verp.sender(Letter(pk=7)) == settings.MAIL_FROM
    assert verp.letter_of("bounces+" + "a" * 26 + "@") is None
