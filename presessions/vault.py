"""What must be unreadable in a stolen database, backup or disk: encrypted columns, exact search, private files.

Basement: imports the keys. The keyset comes from the environment and never lies beside the database; its primary key
writes, every key reads, and `rotation` writes all again under the primary one.
Losing the keyset is losing the data: keep it apart from the backups, twice.

Everything is AES-256-GCM under keys derived per purpose (HKDF-SHA256), so a column's text cannot be moved to another
column, a file's chunk not to another place, and an index entry not be compared between kinds.
"""

import hashlib
import hmac
import os
import secrets
import struct
import unicodedata
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import Storage, default_storage
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers
from django.core.validators import EmailValidator, MaxLengthValidator
from django.db import models

from presessions.keys import Keyset, Unreadable, new_keyset

__all__ = ["Keyset", "Unreadable", "new_keyset"]  # of the keys, for whoever knows the vault

NONCE_BYTES = 12
CHUNK_BYTES = 64 * 1024
UPLOAD_CHUNK_BYTES = 64 * 1024


# --- Keys -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _keyset(text):
    return Keyset(text)


def keyset():
    return _keyset(settings.VAULT_KEYSET)


# --- Small secrets: one column, one row -----------------------------------------------------------------------------
# Layout: 0x01 | length of the key's name | name | nonce (12) | ciphertext and tag. `place` is bound to it.


def encrypt(plain, place):
    """Bytes to store at `place` (such as "mail.Letter.to"). Two equal texts give different bytes."""
    keys = keyset()
    name, nonce = keys.primary.encode(), secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(keys.key(keys.primary, "column")).encrypt(nonce, plain, place.encode())
    return b"\x01" + bytes([len(name)]) + name + nonce + sealed


def decrypt(stored, place):
    """The bytes given to `encrypt` for that place. Raises Unreadable."""
    stored = bytes(stored)
    try:
        if stored[0] != 1:
            raise Unreadable("Not a ciphertext of ours.")
        start = 2 + stored[1]
        name, nonce, sealed = (
            stored[2:start].decode(),
            stored[start : start + NONCE_BYTES],
            stored[start + NONCE_BYTES :],
        )
        return AESGCM(keyset().key(name, "column")).decrypt(nonce, sealed, place.encode())
    except (InvalidTag, IndexError, ValueError) as error:
        raise Unreadable(f"The ciphertext at {place} does not open.") from error


def key_name(stored):
    """The name of the key that something in a column was encrypted under. Raises Unreadable."""
    stored = bytes(stored[:257])
    try:
        if stored[0] != 1:
            raise Unreadable("Not a ciphertext of ours.")
        return stored[2 : 2 + stored[1]].decode()
    except (IndexError, ValueError) as error:
        raise Unreadable("Not a ciphertext of ours.") from error


def written_by_primary():
    """The bytes that every ciphertext in a column begins with when the primary key wrote it."""
    name = keyset().primary.encode()
    return b"\x01" + bytes([len(name)]) + name


class _EncryptedField(models.Field):
    """A bytea column that is text or bytes in Python. It can be filtered for emptiness and for nothing else."""

    empty = ""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.max_length = None

    @property
    def place(self):
        return f"{self.model._meta.label}.{self.attname}"

    def get_internal_type(self):
        return "BinaryField"

    def db_type(self, connection):
        return "bytea"

    def get_default(self):
        return super().get_default() if self.has_default() else self.empty

    def from_db_value(self, value, expression, connection):
        if value is None:
            return None
        value = bytes(value)
        return self.loads(decrypt(value, self.place)) if value else self.empty

    def get_db_prep_value(self, value, connection, prepared=False):
        if value is None or isinstance(value, memoryview):
            return value
        plain = self.dumps(value)
        return connection.Database.Binary(encrypt(plain, self.place) if plain else b"")

    def get_lookup(self, name):
        return super().get_lookup(name) if name in ("isnull",) else None

    def value_to_string(self, obj):
        return "<encrypted>"

    def dumps(self, value):
        return str(value).encode()

    def loads(self, plain):
        return plain.decode()


class EncryptedTextField(_EncryptedField):
    """Text, kept encrypted. `max_length` and validators work as for a CharField; search does not."""

    def __init__(self, *args, max_length=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.form_length = max_length
        if max_length:
            self.validators.append(MaxLengthValidator(max_length))

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        if self.form_length:
            kwargs["max_length"] = self.form_length
        return name, path, args, kwargs

    def formfield(self, **kwargs):
        from django import forms

        return super().formfield(**{"form_class": forms.CharField, "max_length": self.form_length, **kwargs})


class EncryptedEmailField(EncryptedTextField):
    """An e-mail address, kept encrypted. For exact search keep a BlindIndexField beside it."""

    default_validators = [EmailValidator()]

    def formfield(self, **kwargs):
        from django import forms

        return super().formfield(**{"form_class": forms.EmailField, **kwargs})


class EncryptedBytesField(_EncryptedField):
    """Bytes, kept encrypted."""

    empty = b""

    def dumps(self, value):
        return bytes(value)

    def loads(self, plain):
        return plain


# --- Exact search for what is encrypted -----------------------------------------------------------------------------


def normal_email(address):
    """The one spelling under which an address is compared: composed Unicode, no blanks around, no capitals."""
    return unicodedata.normalize("NFC", address).strip().casefold()


def blind_index(kind, value):
    """64 hexadecimal digits that say whether two values of one kind are equal, and nothing else without the key."""
    return _index(keyset().primary, kind, value)


def blind_indexes(kind, value):
    """The index under every key, for a search that survives rotation: `.filter(email_index__in=blind_indexes(...))`."""
    return [_index(name, kind, value) for name in keyset().names_for(f"index:{kind}")]


def _index(name, kind, value):
    value = normal_email(value) if kind == "email" else value
    return hmac.new(keyset().key(name, f"index:{kind}"), value.encode(), hashlib.sha256).hexdigest()


class BlindIndexField(models.CharField):
    """The column for `blind_index`."""

    def __init__(self, *args, **kwargs):
        kwargs = {"max_length": 64, "db_index": True, "editable": False, **kwargs}
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        """Django leaves out what is False by its own default; ours is another."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "db_index": self.db_index}


def emptied(model):
    """{column: its empty value} of all that a model keeps secret, for an UPDATE that erases it. A column that is added
    later is among them by itself."""
    fields = model._meta.local_concrete_fields
    texts = {field.attname: field.empty for field in fields if isinstance(field, _EncryptedField)}
    return texts | {field.attname: "" for field in fields if isinstance(field, BlindIndexField)}


# --- Private files ---------------------------------------------------------------------------------------------------
# Layout: "PSV1" | length of the key's name | name | salt (16) | chunks. Each chunk is the ciphertext and tag of up to
# 64 KiB under the file's own key; its nonce is its number, and the last one says that it is the last, so that a file
# cut short or with chunks exchanged does not open.

MAGIC = b"PSV1"
TAG_BYTES = 16


def _nonce(number, last):
    return struct.pack(">IQ", 1 if last else 0, number)


class Encryptor:
    """Writes one encrypted file, chunk by chunk, and counts and hashes the plain text on the way."""

    def __init__(self, target):
        keys, salt = keyset(), secrets.token_bytes(16)
        name = keys.primary.encode()
        self.target, self.cipher = target, AESGCM(keys.key(keys.primary, "file", salt))
        self.buffer, self.number, self.size, self.hash = bytearray(), 0, 0, hashlib.sha256()
        target.write(MAGIC + bytes([len(name)]) + name + salt)

    def write(self, data):
        self.size += len(data)
        self.hash.update(data)
        self.buffer += data
        while len(self.buffer) > CHUNK_BYTES:  # the last chunk is held back: it must say that it is the last
            self._seal(self.buffer[:CHUNK_BYTES], last=False)
            del self.buffer[:CHUNK_BYTES]

    def finish(self):
        """Write the last chunk and make the bytes durable."""
        self._seal(self.buffer, last=True)
        self.target.flush()
        os.fsync(self.target.fileno())

    def _seal(self, chunk, last):
        self.target.write(self.cipher.encrypt(_nonce(self.number, last), bytes(chunk), None))
        self.number += 1


def key_of_file(source):
    """The name of the key of an encrypted file opened for reading, which is read up to there. Raises Unreadable."""
    head = source.read(len(MAGIC) + 1)
    if len(head) <= len(MAGIC) or head[:-1] != MAGIC:
        raise Unreadable("Not an encrypted file of ours.")
    return source.read(head[-1]).decode(errors="replace")


def decrypted_chunks(source):
    """Plain chunks of an encrypted file opened for reading. Raises Unreadable; nothing of a bad chunk is given out."""
    name, salt = key_of_file(source), source.read(16)
    cipher, number = AESGCM(keyset().key(name, "file", salt)), 0
    sealed = source.read(CHUNK_BYTES + TAG_BYTES)
    while True:
        following = source.read(CHUNK_BYTES + TAG_BYTES)
        try:
            yield cipher.decrypt(_nonce(number, last=not following), sealed, None)
        except InvalidTag as error:
            raise Unreadable("A file was cut short or altered.") from error
        if not following:
            return
        sealed, number = following, number + 1


class DecryptedFile(File):
    """A stored file as a plain one: `chunks()` streams it, `read()` gives all of it."""

    def __init__(self, path, name):
        super().__init__(path.open("rb"), name)

    def chunks(self, chunk_size=None):
        self.file.seek(0)
        return decrypted_chunks(self.file)

    __iter__ = chunks

    def read(self):
        return b"".join(self.chunks())


class EncryptedStorage(Storage):
    """Files under random names in PRIVATE_FILES, encrypted; no URL leads to them, only views that ask for a right."""

    @property
    def folder(self):
        folder = Path(settings.PRIVATE_FILES)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def path(self, name):
        if not name or not name.isalnum():
            raise ValueError("Names of private files are hexadecimal and given by the storage.")
        return self.folder / name[:2] / name

    def keep(self, upload):
        """Move a finished upload into place, durably; return its name. The caller writes its row afterwards, so that a
        crash in between leaves a file without a row, never a row without its file."""
        name = secrets.token_hex(16)
        path = self.path(name)
        path.parent.mkdir(exist_ok=True, mode=0o700)
        os.replace(upload.release(), path)
        _make_durable(path.parent, self.folder)
        return name

    def _save(self, name, content):
        upload = EncryptedUpload.create("")
        for chunk in content.chunks():
            upload.write(chunk)
        upload.finish()
        return self.keep(upload)

    def key_of(self, name):
        """The name of the key that a file was written under. Raises FileNotFoundError, Unreadable."""
        with self.path(name).open("rb") as file:
            return key_of_file(file)

    def write_again(self, name):
        """Put the same content, written under the primary key, in the place of a file. Whoever opens it meanwhile has
        one or the other, whole; when it was last written stays what it was. Raises FileNotFoundError, Unreadable."""
        path = self.path(name)
        with self.open(name) as old, EncryptedUpload.create("") as new:
            written_at = os.fstat(old.file.fileno()).st_mtime_ns
            for chunk in old.chunks():
                new.write(chunk)
            new.finish()
            os.utime(new.incoming, ns=(written_at, written_at))
            os.replace(new.release(), path)
        _make_durable(path.parent)

    def get_available_name(self, name, max_length=None):
        return name  # ours are random; the caller's is not used

    generate_filename = get_valid_name = lambda self, name: name

    def _open(self, name, mode="rb"):
        return DecryptedFile(self.path(name), name)

    def exists(self, name):
        return self.path(name).exists()

    def delete(self, name):
        self.path(name).unlink(missing_ok=True)

    def url(self, name):
        raise NotImplementedError("Private files have no address.")

    def kept(self):
        """(name, path, when it was last written, in seconds) of every file, those on their way in included."""
        for folder in self.folder.iterdir():
            for path in folder.iterdir() if folder.is_dir() else ():
                with suppress(FileNotFoundError):  # moved into place or removed since
                    yield path.name, path, path.stat().st_mtime


storage = default_storage  # an EncryptedStorage, or one like it: STORAGES["default"] says which


def _make_durable(*folders):
    """What was moved into a folder outlives a power cut only when the folder itself is on the disk."""
    for folder in folders:
        handle = os.open(folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


class EncryptedUpload(File):
    """A file on its way in: never plain on disk. `size` and `sha256` are of the plain bytes."""

    def __init__(self, handle, path, name):
        super().__init__(handle, name)
        self.incoming, self.content_type = path, ""
        self._encryptor = Encryptor(handle)
        self.size, self.sha256 = 0, ""

    @classmethod
    def create(cls, name):
        folder = storage.folder / "incoming"
        folder.mkdir(exist_ok=True, mode=0o700)
        path = folder / secrets.token_hex(16)
        return cls(path.open("xb+"), path, name)

    @property
    def written(self):
        return self._encryptor.size

    def write(self, data):
        self._encryptor.write(data)

    def finish(self):
        self._encryptor.finish()
        self.size, self.sha256 = self._encryptor.size, self._encryptor.hash.hexdigest()

    def chunks(self, chunk_size=None):
        self.file.seek(0)
        return decrypted_chunks(self.file)

    __iter__ = chunks

    def read(self):
        return b"".join(self.chunks())

    def release(self):
        """Give up the file to somebody who moves it; closing no longer removes it."""
        path, self.incoming = self.incoming, None
        self.file.close()
        return path

    def close(self):
        if self.incoming:
            self.incoming.unlink(missing_ok=True)
            self.incoming = None
        self.file.close()


class EncryptingUploadHandler(FileUploadHandler):
    """Encrypts an upload as it streams in. One byte over the limit is kept, so that the form can say "too large"."""

    chunk_size = UPLOAD_CHUNK_BYTES

    def new_file(self, *args, **kwargs):
        super().new_file(*args, **kwargs)
        self.file = EncryptedUpload.create(self.file_name)  # under the name by which Django closes it when a line drops
        self.file.content_type = self.content_type or ""
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data, start):
        room = settings.UPLOAD_LIMIT + 1 - self.file.written
        if room > 0:
            self.file.write(raw_data[:room])

    def file_complete(self, file_size):
        self.file.finish()
        return self.file

    def upload_interrupted(self):
        if getattr(self, "file", None):
            self.file.close()


def uploads_end_with_their_request(get_response):
    """Middleware. Django closes a file that has come whole; one whose line dropped in the middle it leaves lying."""

    def respond(request):
        try:
            return get_response(request)
        finally:
            for handler in request.upload_handlers:
                handler.upload_interrupted()

    return respond
