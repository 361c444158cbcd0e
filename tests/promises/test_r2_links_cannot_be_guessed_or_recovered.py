"""R2: links cannot be guessed, nor found in a stolen database; and a dead link tells nobody why it is dead.

The full number of guesses, and the milliseconds, are benchmarks/links.py.
"""

import hashlib
import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from presessions.mail import links, registry
from presessions.mail.models import PersonalLink
from tests.house.conftest import broker, told, world  # noqa: F401
from tests.house.world import TOKEN
from tests.promises.walk import starts

GUESSES = 300
EVER = timedelta(days=3650)


def tokens_of(mail):
    return {found for link in mail.links for found in TOKEN.findall(link)}


@pytest.fixture
def tokens(world):  # noqa: F811
    found = {token for mail in world.mails for token in tokens_of(mail)}
    assert len(found) == PersonalLink.objects.count() > 20  # each link stands in one mail, and in no other
    return found


def of_purpose(world, purpose):  # noqa: F811
    """(token, path) of a link of one purpose, at the moment when its mail arrived: it opens something."""
    for mail in reversed(world.mails):
        for path in (link.removeprefix("http://testserver") for link in mail.links):
            for token in TOKEN.findall(path):
                if links.find(token, purpose, now=mail.letter.created_at) and path.endswith(f"/{token}/"):
                    world.clock.move_to(mail.letter.created_at)
                    return token, path
    raise AssertionError(f"no link of purpose {purpose}")


# --- Guessed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", sorted(registry.PURPOSES))
def test_guesses_hit_nothing_and_cost_the_database_next_to_nothing(world, purpose):  # noqa: F811
    with CaptureQueriesContext(connection) as queries:
        hits = [links.find(links.new_token(), purpose, now=timezone.now()) for _ in range(GUESSES)]
    assert hits == [None] * GUESSES
    assert len(queries) <= 2 * GUESSES  # the token by its index, and when a link of this kind ends


def test_a_token_is_256_bits_from_the_system_and_no_two_are_alike(tokens):
    assert {len(token) for token in tokens} == {43}
    several = {links.new_token() for _ in range(1000)}
    assert len(several) == 1000
    assert not several & tokens
    signs = "".join(several)
    assert all(800 < signs.count(sign) * 64 / 43 < 1200 for sign in set(signs[:2000]) if sign not in "AEIMQUYcgkosw048")


# --- Recovered --------------------------------------------------------------------------------------------------------


def database():
    """The whole database as text, as pg_dump writes it: bytes in hexadecimal digits."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT "{table}"::text FROM "{table}"')
            yield from (row[0] for row in cursor.fetchall())
    for session in Session.objects.all():  # packed in the table
        yield repr(session.get_decoded())


def test_a_stolen_database_holds_no_token(world, tokens):  # noqa: F811
    for mail in world.mails:
        Client().get(mail.links[0].removeprefix("http://testserver"))  # that a door was tried is written down, too
    stolen = "\n".join(database())
    for token in tokens:
        assert hashlib.sha256(token.encode()).hexdigest() in stolen  # so the search is able to find
    written = {"as it is": str, "as bytes": lambda token: token.encode().hex()}
    found = {how for how, write in written.items() for token in tokens if write(token) in stolen}
    assert found == set()
    halves = {token[part] for token in tokens for part in (slice(0, 20), slice(20, 43))}
    assert not any(half in stolen for half in halves)


# --- Dead -------------------------------------------------------------------------------------------------------------


def asked_for(method, path, token):
    """(status, headers, page without what is new each time, questions to the database) of a dead link."""
    with CaptureQueriesContext(connection) as queries:
        answer = getattr(Client(), method)(path)
    page = answer.content.decode().replace(token, "TOKEN")
    page = re.sub(r'(name="csrfmiddlewaretoken" value|nonce)="[^"]*"', r"\1", page)
    headers = {name: value for name, value in answer.headers.items() if name not in ("Expires", "Content-Length")}
    asked = [re.sub(r"'(?:[^']|'')*'", "?", query["sql"]) for query in queries]
    return answer.status_code, headers, page, asked


def altered(token):
    return ("A" if token[0] != "A" else "B") + token[1:]


SAYS = {"register_check": "This link has ended"}  # all others: that they do not open what they should
STILL_OPEN_WHEN_REVOKED = {"leave"}  # nobody is kept on a list because the mail in hand is an old one


@pytest.mark.parametrize("purpose", sorted(registry.PURPOSES))
@pytest.mark.parametrize("method", ["get", "post"])
def test_dead_links_of_all_sorts_get_one_answer_by_one_way(world, purpose, method):  # noqa: F811
    stranger, _path = of_purpose(world, next(name for name in sorted(registry.PURPOSES) if name != purpose))
    token, path = of_purpose(world, purpose)
    assert Client().get(path).status_code == 200
    dead = {
        "unknown": links.new_token(),
        "altered": altered(token),
        "of another purpose": stranger,
        "nonsense": "x" * 43,
    }
    answers = {name: asked_for(method, path.replace(token, one), one) for name, one in dead.items()}
    link = PersonalLink.objects.get(token_hash=hashlib.sha256(token.encode()).digest())
    PersonalLink.objects.filter(pk=link.pk).update(revoked_at=timezone.now())
    if purpose in STILL_OPEN_WHEN_REVOKED:
        assert asked_for(method, path, token)[0] == 200
    else:
        answers["revoked"] = asked_for(method, path, token)
    PersonalLink.objects.filter(pk=link.pk).update(revoked_at=None)
    if registry.PURPOSES[purpose].expires(link):
        world.clock.shift(EVER)
        answers["expired"] = asked_for(method, path, token)
    status, _headers, page, _queries = answers["unknown"]
    assert status == 404
    assert SAYS.get(purpose, "does not open") in page
    assert {name: answer for name, answer in answers.items() if answer != answers["unknown"]} == {}


def test_every_page_behind_a_missions_link_dies_with_it(world):  # noqa: F811
    """Its colleagues' forms, its calendars, its packs: none of them tells a dead link from one that never was."""
    token, _path = of_purpose(world, "invitation")
    link = PersonalLink.objects.get(token_hash=hashlib.sha256(token.encode()).digest())
    behind = [address for address in starts(token, only_behind_it=True) if address.startswith("/en/invitation/")]
    assert len(behind) >= 12
    alive = {address: Client().get(address).status_code for address in behind}
    assert list(alive.values()).count(200) >= 8
    PersonalLink.objects.filter(pk=link.pk).update(revoked_at=timezone.now())
    never = links.new_token()
    for address in behind:
        method = "post" if alive[address] == 405 else "get"
        dead = asked_for(method, address, token)
        assert dead[0] == 404, address
        assert "does not open" in dead[2], address
        assert dead == asked_for(method, address.replace(token, never), never), address
