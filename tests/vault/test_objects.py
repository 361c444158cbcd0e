"""Private files in an object store: the same promises as in a folder, and a store that can read nothing."""

import os
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from django.utils import timezone

from applications import books, uploads
from applications.models import Attachment
from presessions import vault
from tests.applications.factories import ApplicationFactory
from tests.vault.bucket import bucket

CHUNK = vault.CHUNK_BYTES


@pytest.fixture
def store(settings, tmp_path):
    settings.PRIVATE_FILES = tmp_path / "private"
    with bucket() as store:
        settings.STORAGES = {
            **settings.STORAGES,
            "default": {"BACKEND": "presessions.objects.ObjectStorage"},
            "objects": {"BACKEND": "presessions.objects.Bucket", "OPTIONS": store.options},
        }
        yield store


def kept(content):
    return vault.storage.save("ignored.pdf", ContentFile(content))


def on_this_machine(settings):
    return [path for path in settings.PRIVATE_FILES.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [0, 1, CHUNK, 3 * CHUNK + 17, 20 * 1024 * 1024])
def test_every_size_reads_back_and_nothing_stays_on_this_machine(store, settings, size):
    content = os.urandom(size)
    name = kept(content)
    with vault.storage.open(name) as file:
        assert file.read() == content
        assert b"".join(file.chunks()) == content
    assert vault.storage.exists(name)
    assert on_this_machine(settings) == []


def test_the_store_sees_neither_content_nor_name(store):
    kept(b"The minister of interior " * 1000)
    ((name, (content, _at)),) = store.objects.items()
    assert b"minister" not in content
    assert len(name) == 32
    assert name.isalnum()


def test_what_is_altered_in_the_store_does_not_open(store):
    name = kept(os.urandom(3 * CHUNK))
    content, at = store.objects[name]
    store.objects[name] = content[: -CHUNK - 16], at
    with vault.storage.open(name) as file, pytest.raises(vault.Unreadable):
        file.read()


def test_a_file_that_is_not_there_is_missing_and_can_be_removed_twice(store):
    name = kept(b"once")
    vault.storage.delete(name)
    vault.storage.delete(name)
    assert not vault.storage.exists(name)
    with pytest.raises(FileNotFoundError):
        vault.storage.open(name)


def test_a_store_that_is_away_takes_nothing_and_says_so(store, settings):
    store.down = True
    with pytest.raises(ClientError):
        kept(b"not lost in silence")
    store.down = False
    assert store.objects == {}
    assert on_this_machine(settings) == []


def test_another_key_writes_it_again_under_the_same_name(store, settings):
    name = kept(b"kept")
    assert vault.storage.key_of(name) == vault.keyset().primary
    settings.VAULT_KEYSET = vault.keyset().add("next").promote("next").text()
    vault.storage.write_again(name)
    assert vault.storage.key_of(name) == "next"
    assert vault.storage.open(name).read() == b"kept"
    assert list(store.objects) == [name]


def test_all_files_are_listed_page_by_page_with_the_time_they_came(store, settings):
    names = {kept(b"one") for _ in range(5)}
    on_its_way = vault.EncryptedUpload.create("")
    found = {name: (place, changed) for name, place, changed in vault.storage.kept()}
    assert found.keys() == names | {on_its_way.incoming.name}
    assert all(abs(changed - timezone.now().timestamp()) < 60 for _place, changed in found.values())
    assert len([asked for asked in store.asked if asked == ("GET", "")]) == 3
    assert not [asked for asked in store.asked if asked[0] == "HEAD"]  # one question a page, not one a file
    on_its_way.close()


@pytest.mark.django_db
def test_an_application_is_received_looked_through_swept_and_compared_in_a_store(store):
    from applications import cleaning

    application = ApplicationFactory(submitted=True)
    file = application.upr_submission
    assert file.stored in store.objects
    cleaning.look_through(timezone.now())
    file.refresh_from_db()
    assert Attachment.objects.filter(pk=file.pk).exclude(cleaned="").exists()
    lost = kept(b"no row names it")
    assert [(found.what, found.name) for found in books.differences(timezone.now() + timedelta(days=2))] == [
        (books.ADDED, lost)
    ]
    assert uploads.sweep(timezone.now() + timedelta(hours=25))["files"] == 1
    assert lost not in store.objects
    assert file.stored in store.objects


def test_nobody_is_given_an_address(store):
    with pytest.raises(NotImplementedError):
        vault.storage.url(kept(b"kept"))
    with pytest.raises(ValueError, match="hexadecimal"):
        vault.storage.open("../etc/passwd")
