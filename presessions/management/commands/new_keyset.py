"""Print a keyset to put into VAULT_KEYSET; writes nothing anywhere. Works before there are any settings.

    python manage.py new_keyset [NAME]          a fresh one, for a new house
    python manage.py new_keyset --add 2027      the present one with a key more, which reads
    python manage.py new_keyset --promote 2027  the present one with that key writing
    python manage.py new_keyset --retire 2026   the present one with nothing of that key but its proofs

The present one is read from VAULT_KEYSET or VAULT_KEYSET_FILE. docs/keys.md says when to do what.
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from presessions import keys


class Command(BaseCommand):
    help = "Print a keyset for VAULT_KEYSET: a fresh one, or the present one with a key added, promoted or retired."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("name", nargs="?", default="1", metavar="NAME", help="of the key in a fresh keyset")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--add", metavar="NAME", help="the present keyset with one more key, which reads")
        what.add_argument("--promote", metavar="NAME", help="the present keyset with another key writing")
        what.add_argument(
            "--retire", metavar="NAME", help="the present keyset with a key that proves and reads nothing"
        )

    def handle(self, *, name, add, promote, retire, **options):
        try:
            if add:
                made = _present().add(add).text()
            elif promote:
                made = _present().promote(promote).text()
            elif retire:
                made = _present().retire(retire).text()
            else:
                made = keys.Keyset(keys.new_keyset(name)).text()
        except (ImproperlyConfigured, ValueError) as why:
            raise CommandError(str(why)) from None
        self.stdout.write(made)


def _present():
    """Not out of the settings: they may refuse for another reason."""
    text, file = os.environ.get("VAULT_KEYSET", ""), os.environ.get("VAULT_KEYSET_FILE", "")
    try:
        text = text or Path(file).read_text()
    except OSError:
        raise CommandError("Set VAULT_KEYSET or VAULT_KEYSET_FILE: there is no keyset to change.") from None
    return keys.Keyset(text)
