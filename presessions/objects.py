"""Private files in an object store that speaks S3, instead of a folder: the same ciphertext, the same names. Basement.

Chosen by S3_BUCKET (presessions/settings.py): STORAGES["default"] keeps, STORAGES["objects"] is the bucket, which sees
random names, sizes and times, and nothing that it could read. A file on its way in is still in PRIVATE_FILES/incoming,
encrypted, on the machine that receives it.
"""

import secrets
from collections import namedtuple

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import storages
from storages.backends.s3 import S3Storage

from presessions import vault

Folder = namedtuple("Folder", "name")


class Bucket(S3Storage):
    """The store itself, in the words that every one understands: whole objects, no checksum of a newer kind. Who waits
    for a store that does not answer is told so soon."""

    def get_default_settings(self):
        return super().get_default_settings() | {
            "default_acl": None,  # the bucket says who reads: nobody else
            "querystring_auth": False,  # no address leads to a file
            "transfer_config": TransferConfig(multipart_threshold=4 * settings.UPLOAD_LIMIT, use_threads=False),
            "client_config": Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=3,
                read_timeout=30,
                retries={"total_max_attempts": 3, "mode": "standard"},
            ),
        }


class ObjectStorage(vault.EncryptedStorage):
    """What vault.EncryptedStorage promises, in a store that can be shared by many machines."""

    @property
    def objects(self):
        return storages["objects"]

    def path(self, name):
        raise NotImplementedError("Private files lie in an object store.")

    def keep(self, upload):
        name = secrets.token_hex(16)
        self._put(name, upload)
        return name

    def _put(self, name, upload):
        path = upload.release()
        try:
            with path.open("rb") as sealed:
                self.objects.save(name, File(sealed))  # says so, or raises: then no row is written either
        finally:
            path.unlink()

    def key_of(self, name):
        with self.objects.open(_checked(name)) as sealed:
            return vault.key_of_file(sealed)

    def write_again(self, name):
        """Whoever reads it meanwhile has one or the other, whole. The store says that it was written now."""
        with self.open(name) as old, vault.EncryptedUpload.create("") as new:
            for chunk in old.chunks():
                new.write(chunk)
            new.finish()
            self._put(name, new)

    def _open(self, name, mode="rb"):
        return DecryptedObject(self.objects.open(_checked(name)), name)

    def exists(self, name):
        return self.objects.exists(_checked(name))

    def delete(self, name):
        self.objects.delete(_checked(name))

    def kept(self):
        """As vault.EncryptedStorage has it. In the place of a path stands something that opens and unlinks as one."""
        yield from super().kept()  # on their way in
        for listed in self.objects.bucket.objects.all():
            yield listed.key, Object(self.objects, listed.key), listed.last_modified.timestamp()


class Object:
    """As much of a path as whoever walks over all files asks for."""

    def __init__(self, objects, name):
        self.objects, self.name, self.parent = objects, name, Folder(name[:2])

    def open(self, mode="rb"):
        return self.objects.open(self.name, mode)

    def unlink(self, missing_ok=False):
        self.objects.delete(self.name)


class DecryptedObject(vault.DecryptedFile):
    def __init__(self, sealed, name):
        File.__init__(self, sealed, name)


def _checked(name):
    if not name or not name.isalnum():
        raise ValueError("Names of private files are hexadecimal and given by the storage.")
    return name
