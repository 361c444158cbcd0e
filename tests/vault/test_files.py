"""Private files: encrypted while they stream in, whole or refused when they stream out."""

import hashlib
import os

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadhandler import StopFutureHandlers
from django.test import RequestFactory

from presessions import vault

CHUNK = vault.CHUNK_BYTES


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    settings.PRIVATE_FILES = tmp_path / "private"
    return settings.PRIVATE_FILES


def kept(content):
    return vault.storage.save("ignored.pdf", ContentFile(content))


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17])
def test_every_size_reads_back(size):
    content = os.urandom(size)
    with vault.storage.open(kept(content)) as file:
        assert file.read() == content
        assert b"".join(file.chunks()) == content


def test_the_disk_holds_neither_content_nor_name(private_files):
    kept(b"The minister of interior " * 1000)
    (path,) = files_in(private_files)
    assert b"minister" not in path.read_bytes()
    assert "ignored" not in path.name


def test_a_file_cut_short_gives_an_error_not_half_a_file(private_files):
    name = kept(os.urandom(3 * CHUNK))
    path = vault.storage.path(name)
    path.write_bytes(path.read_bytes()[: -CHUNK - 16])
    with vault.storage.open(name) as file, pytest.raises(vault.Unreadable):
        file.read()


def test_chunks_cannot_change_places(private_files):
    name = kept(os.urandom(3 * CHUNK))
    path = vault.storage.path(name)
    stored, sealed = path.read_bytes(), CHUNK + 16
    head = len(stored) - 3 * sealed
    first, second = stored[head : head + sealed], stored[head + sealed : head + 2 * sealed]
    path.write_bytes(stored[:head] + second + first + stored[head + 2 * sealed :])
    with vault.storage.open(name) as file, pytest.raises(vault.Unreadable):
        file.read()


def test_two_copies_of_one_file_do_not_look_equal(private_files):
    kept(b"same"), kept(b"same")
    one, two = (path.read_bytes() for path in files_in(private_files))
    assert one != two


def test_an_old_key_still_opens_old_files(settings):
    name = kept(b"kept for years")
    import json

    keys = json.loads(settings.VAULT_KEYSET)["keys"] | json.loads(vault.new_keyset("newer"))["keys"]
    settings.VAULT_KEYSET = json.dumps({"primary": "newer", "keys": keys})
    with vault.storage.open(name) as file:
        assert file.read() == b"kept for years"


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "", "a b", "ab.pdf"])
def test_no_name_leads_out_of_the_folder(name):
    with pytest.raises(ValueError, match="hexadecimal"):
        vault.storage.path(name)


class TestUploading:
    def receive(self, *chunks, name="paper.pdf"):
        handler = vault.EncryptingUploadHandler(RequestFactory().post("/"))
        with pytest.raises(StopFutureHandlers):
            handler.new_file("file", name, "application/pdf", None)
        for chunk in chunks:
            handler.receive_data_chunk(chunk, 0)
        return handler.file_complete(sum(map(len, chunks)))

    def test_size_and_hash_are_those_of_the_plain_bytes(self):
        upload = self.receive(b"a" * 100_000, b"b" * 7)
        assert upload.size == 100_007
        assert upload.sha256 == hashlib.sha256(b"a" * 100_000 + b"b" * 7).hexdigest()
        assert upload.read() == b"a" * 100_000 + b"b" * 7

    def test_it_is_never_plain_on_disk(self, private_files):
        upload = self.receive(b"The minister of interior " * 9000)
        upload.file.flush()
        assert all(b"minister" not in path.read_bytes() for path in files_in(private_files))

    def test_kept_it_stays_and_forgotten_it_goes(self, private_files):
        upload = self.receive(b"kept")
        name = vault.storage.keep(upload)
        upload.close()
        self.receive(b"forgotten").close()
        assert files_in(private_files) == [vault.storage.path(name)]

    def test_an_interrupted_one_leaves_nothing(self, private_files):
        handler = vault.EncryptingUploadHandler(RequestFactory().post("/"))
        with pytest.raises(StopFutureHandlers):
            handler.new_file("file", "paper.pdf", "application/pdf", None)
        handler.receive_data_chunk(b"half", 0)
        handler.upload_interrupted()
        assert files_in(private_files) == []

    def test_too_large_is_noticed_without_storing_it_all(self, settings):
        settings.UPLOAD_LIMIT = 1000
        upload = self.receive(b"x" * 900, b"x" * 900, b"x" * 900)
        assert upload.size == 1001
