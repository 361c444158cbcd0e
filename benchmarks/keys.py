"""How long it takes to write a house again under a new key: rows and files in a second, beside what the same rows and
bytes take without any encryption in the same run.

    python -m benchmarks keys          20,000 letters, 2,000 contacts, 100 files of 1 MB; KEYS=… letters
"""

import os
import time

from benchmarks.room import room

LETTERS = int(os.environ.get("KEYS", "20000"))
CONTACTS, FILES, MEGABYTE = LETTERS // 10, 100, 1024 * 1024


def main():
    with room():
        _fill()
        plain = _untouched()
        began = time.perf_counter()
        moved, took = _rotated(), time.perf_counter() - began
        print(f"rotation of {moved.rows:,} rows and {moved.files} files of 1 MB: {took:.1f} s")
        print(f"the same rows written back, the same bytes copied, without any key: {plain:.1f} s; x{took / plain:.1f}")
        began = time.perf_counter()
        from presessions.rotation import looking

        left = looking.look().of("1")
        print(f"counting what hangs on which key: {time.perf_counter() - began:.1f} s; on the old one {left}")
        assert left == 0, "something was left behind"


def _fill():
    from django.utils import timezone

    from applications.models import Attachment, Contact
    from benchmarks.room import write
    from presessions import vault
    from tests.applications.factories import ApplicationFactory

    now = timezone.now()
    write(LETTERS)
    Contact.objects.bulk_create(
        Contact(email=f"c{n}@example.org", email_index=vault.blind_index("email", f"c{n}@example.org"), asked_at=now)
        for n in range(CONTACTS)
    )
    application = ApplicationFactory()
    for number in range(FILES):
        file = vault.EncryptedUpload.create("")
        file.write(os.urandom(MEGABYTE))
        file.finish()
        Attachment.objects.create(
            application=application, kind="fact_sheet", version=number + 1, original_name="x.pdf", uploaded_at=now,
            size=MEGABYTE, sha256=file.sha256, content_type="pdf", stored=vault.storage.keep(file),
        )  # fmt: skip


def _untouched():
    """Every row written with what it holds, in the same portions; every file copied and made durable."""
    from django.db import connection, transaction

    from presessions import vault
    from presessions.rotation.tables import tables

    began = time.perf_counter()
    for table in tables():
        name, key = table.model._meta.db_table, table.model._meta.pk.column
        columns = ", ".join(f'"{column}" = "{column}"' for column in table.fields)
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT "{key}" FROM "{name}" ORDER BY 1')
            keys = [row[0] for row in cursor.fetchall()]
            for start in range(0, len(keys), 100):
                with transaction.atomic():
                    for one in keys[start : start + 100]:
                        if table.label != "mail.Attempt":  # refuses to be touched
                            cursor.execute(f'UPDATE "{name}" SET {columns} WHERE "{key}" = %s', [one])
    for _name, path, _changed in list(vault.storage.kept()):
        copy = path.with_name("copy")
        with copy.open("wb") as file:
            file.write(path.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        copy.unlink()
    return time.perf_counter() - began


def _rotated():
    from django.conf import settings

    from presessions import vault
    from presessions.rotation import moving

    settings.VAULT_KEYSET = vault.keyset().add("2").promote("2").text()
    return moving.rotate()
