"""Encrypted columns and exact search: what a stolen dump tells, and what it does not."""

import json

import pytest
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection

from presessions import vault
from presessions.trail.models import Event, Reason

A, B = (json.loads(vault.new_keyset(name))["keys"][name] for name in "ab")
ONLY_A = json.dumps({"primary": "a", "keys": {"a": A}})
ONLY_B = json.dumps({"primary": "b", "keys": {"b": B}})
B_AFTER_A = json.dumps({"primary": "b", "keys": {"a": A, "b": B}})


def test_what_was_encrypted_reads_back():
    assert vault.decrypt(vault.encrypt("Ñandú".encode(), "x.Y.z"), "x.Y.z").decode() == "Ñandú"


def test_equal_texts_do_not_look_equal():
    assert vault.encrypt(b"same", "x.Y.z") != vault.encrypt(b"same", "x.Y.z")


def test_ciphertext_moved_to_another_column_does_not_open():
    with pytest.raises(vault.Unreadable):
        vault.decrypt(vault.encrypt(b"secret", "x.Y.z"), "x.Y.note")


@pytest.mark.parametrize("position", [0, 1, 2, 10, -1])
def test_an_altered_byte_does_not_open(position):
    stored = bytearray(vault.encrypt(b"secret", "x.Y.z"))
    stored[position] ^= 1
    with pytest.raises(vault.Unreadable):
        vault.decrypt(bytes(stored), "x.Y.z")


@pytest.mark.parametrize("stored", [b"", b"\x01", b"\x01\xff", b"plain text"])
def test_what_is_no_ciphertext_is_refused_by_name(stored):
    with pytest.raises(vault.Unreadable):
        vault.decrypt(stored, "x.Y.z")


def test_after_rotation_the_old_rows_still_open_and_new_ones_use_the_new_key(settings):
    settings.VAULT_KEYSET = ONLY_A
    old = vault.encrypt(b"secret", "x.Y.z")
    settings.VAULT_KEYSET = B_AFTER_A
    new = vault.encrypt(b"secret", "x.Y.z")
    assert vault.decrypt(old, "x.Y.z") == b"secret"
    settings.VAULT_KEYSET = ONLY_B
    assert vault.decrypt(new, "x.Y.z") == b"secret"
    with pytest.raises(vault.Unreadable):
        vault.decrypt(old, "x.Y.z")


def test_addresses_are_found_under_every_key_and_in_any_spelling(settings):
    settings.VAULT_KEYSET = ONLY_A
    old = vault.blind_index("email", "amina@example.org")
    settings.VAULT_KEYSET = B_AFTER_A
    assert old in vault.blind_indexes("email", " Amina@Example.ORG ")
    assert vault.blind_index("email", "amina@example.org") != old


def test_the_index_of_one_kind_says_nothing_about_another():
    assert vault.blind_index("email", "a@example.org") != vault.blind_index("phone", "a@example.org")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"primary": "a", "keys": {}}',
        '{"primary": "a", "keys": {"a": "c2hvcnQ="}}',
        json.dumps({"primary": "b", "keys": {"a": A}}),
        json.dumps({"primary": "a" * 256, "keys": {"a" * 256: A}}),
    ],
    ids=["nothing", "a list", "no keys", "not its own primary", "a short key", "a foreign primary", "a long name"],
)
def test_a_keyset_that_cannot_protect_is_refused_at_once(text):
    with pytest.raises(ImproperlyConfigured, match="VAULT_KEYSET"):
        vault.Keyset(text)


@pytest.mark.django_db
class TestInTheDatabase:
    @pytest.fixture
    def reason(self, now):
        return Reason.objects.create(event=Event.objects.create(at=now, code="declined"), text="Too late for Ñandú")

    def test_the_column_holds_no_plain_text(self, reason):
        with connection.cursor() as cursor:
            cursor.execute("SELECT text FROM trail_reason")
            (stored,) = cursor.fetchone()
        assert b"late" not in bytes(stored)
        assert Reason.objects.get().text == "Too late for Ñandú"

    def test_nothing_stays_nothing(self, reason):
        Reason.objects.update(text="")
        assert Reason.objects.get().text == ""

    def test_an_update_in_bulk_is_encrypted_too(self, reason):
        Reason.objects.update(text="another secret")
        with connection.cursor() as cursor:
            cursor.execute("SELECT text FROM trail_reason")
            assert b"another" not in bytes(cursor.fetchone()[0])
        assert Reason.objects.get().text == "another secret"

    def test_it_cannot_be_searched_by_accident(self, reason):
        with pytest.raises(FieldError):
            Reason.objects.filter(text="Too late for Ñandú").exists()
