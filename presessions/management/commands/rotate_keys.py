"""`manage.py rotate_keys`: write everything again under the primary key of VAULT_KEYSET, while the house is open.

    python manage.py rotate_keys            may be stopped and begun again at any moment
    python manage.py rotate_keys --check    only counts; changes nothing

Ends with 1 while something hangs on an older key. docs/keys.md says what comes before and after.
"""

from django.core.management.base import BaseCommand, CommandError

from presessions import vault
from presessions.rotation import looking, moving, tables

MOST = 20  # rows of a kind that are named one by one


class Command(BaseCommand):
    help = "Write every encrypted column, index and file again under the primary key; say which key may leave."

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true", help="only count what hangs on which key")

    def handle(self, *, check, **options):
        try:
            if not check:
                self._say(moving.rotate(self._tick))
            uses = looking.look(self._tick)
        except tables.Unknown as why:
            raise CommandError(str(why)) from None
        if self._report(uses):
            raise SystemExit(1)

    def _say(self, moved):
        self.stdout.write(f"{moved.rows} rows and {moved.files} files were written again.")
        self._list("Another row has the same words under the new key already; look at both:", moved.twins)
        self._list("No key opens these; they were left as they are:", moved.unreadable)

    def _list(self, words, names):
        if names:
            self.stdout.write("\n  ".join([words, *names[:MOST]]))
        if len(names) > MOST:
            self.stdout.write(f"  … and {len(names) - MOST} more")

    def _report(self, uses):
        """Whether something hangs on a key that should leave, or on one that is not there."""
        keys = vault.keyset()
        names = [
            *keys.newest_first(),
            *keys.retired,
            *{"", *uses.columns, *uses.files} - {*keys.masters, *keys.retired},
        ]
        for name in names:
            role = "writes" if name == keys.primary else "reads" if name in keys.masters else "is retired"
            role = role if name in {*keys.masters, *keys.retired} else "IS NOT IN THE KEYSET"
            if name or uses.of(name):
                self.stdout.write(
                    f"Key {name or 'unknown'} {role}: {uses.columns[name]} values, {uses.indexes[name]} indexes, "
                    f"{uses.files[name]} files; {uses.unnamed[name]} files that no row names; "
                    f"{uses.events[name]} events and seals."
                )
        for what, number in sorted(uses.proofs.items()):
            if number:
                self.stdout.write(f"Found by keys and their proofs: {number} {what}.")
        left = [name for name in names if name != keys.primary and uses.of(name)]
        for name in keys.newest_first()[1:]:
            self.stdout.write(self._may_leave(name) if name not in left else self._must_stay(name, uses))
        return bool(left)

    def _may_leave(self, name):
        return (
            f"Nothing hangs on key {name} any more. `manage.py new_keyset --retire {name}` prints the keyset without "
            "it, but for its proofs. Do so once the last backup that was made before today has expired."
        )

    def _must_stay(self, name, uses):
        if uses.of(name) == uses.unnamed[name]:
            return f"Key {name} stays: {uses.unnamed[name]} files that no row names go within a day. Look again then."
        return (
            f"Key {name} stays. If more hangs on it than was named above, some process still writes under it: give all "
            "of them the new keyset, then run this again."
        )

    def _tick(self, what, done, of):
        """How far it is; in a terminal only."""
        if self.stderr.isatty() and (done == of or done % 100 == 0):
            how_far = f"{done} of {of}" if of else str(done)
            end = "\n" if done == of else "\r"
            self.stderr.write(f"\x1b[2K{what}: {how_far}", style_func=str, ending=end)
            self.stderr.flush()
