"""The keyset: named master keys, outside the database, under which the vault keeps what is secret. Basement.

    {"primary": "2026", "keys": {"2026": "<32 bytes, base64>", "2025": "..."}, "retired": {"2024": {...}}}

The primary key writes, every key reads. To rotate, `add` a key, `promote` it, let `manage.py rotate_keys` write rows
and files again, then `retire` the old one: of a retired key only what proves the past is kept (PROOFS), which opens no
column and no file. docs/keys.md says when to do what.

Nothing here knows the settings, so that keys can be made before there are any.
"""

import base64
import itertools
import json
import secrets

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 32
LEAST_DIFFERENT = 16  # bytes of a key that differ; of 32 random ones about 30 do

# What is kept of a key that was retired. By these nothing can be read: they say whether a code on paper, a name or an
# address is the one that was noted under that key, where nothing but the note is left, and whether the trail is ours.
PROOFS = ("trail", "index:recovery code", "index:organisation", "index:email")


class Unreadable(Exception):
    """Ciphertext that no key of the keyset opens, or that was moved or altered. Holds nothing of the content."""


class Keyset:
    """Named 32-byte master keys, and the keys derived from them for one purpose each. Raises ImproperlyConfigured, in
    words that hold nothing of a key, when the text is none or its keys cannot protect anything."""

    def __init__(self, text):
        try:
            parts = json.loads(text, object_pairs_hook=_once)
            self.masters = {name: base64.b64decode(key, validate=True) for name, key in parts["keys"].items()}
            self.retired = {
                name: {purpose: base64.b64decode(key, validate=True) for purpose, key in kept.items()}
                for name, kept in parts.get("retired", {}).items()
            }
            self.primary = parts["primary"]
            names = [*self.masters, *self.retired]
            named = self.primary in self.masters and all(0 < len(name.encode()) < 256 for name in names)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ImproperlyConfigured("VAULT_KEYSET must be JSON like manage.py new_keyset prints.") from error
        kept = [key for purposes in self.retired.values() for key in purposes.values()]
        if not named or any(len(key) != KEY_BYTES for key in (*self.masters.values(), *kept)):
            raise ImproperlyConfigured("VAULT_KEYSET needs its primary among its keys, each of 32 bytes and named.")
        if len({*self.masters.values(), *kept}) < len(self.masters) + len(kept) or len(set(names)) < len(names):
            raise ImproperlyConfigured("VAULT_KEYSET holds one key twice. Make another: manage.py new_keyset --add.")
        if any(map(_is_made_up, self.masters.values())):
            raise ImproperlyConfigured("VAULT_KEYSET holds a key that is not random. Make one: manage.py new_keyset.")
        self._derived = {}

    def key(self, name, purpose, salt=None):
        """The 32-byte key for one purpose. Raises Unreadable when the keyset has none of that name for it."""
        if name not in self.masters:
            if salt is None and purpose in self.retired.get(name, ()):
                return self.retired[name][purpose]
            raise Unreadable("Written under a key that the keyset does not hold.")
        if salt is not None:  # one file each: not worth remembering
            return _derive(self.masters[name], purpose, salt)
        found = self._derived.get((name, purpose))
        if found is None:
            found = self._derived[name, purpose] = _derive(self.masters[name], purpose, None)
        return found

    def newest_first(self):
        """The names of the keys that read everything."""
        return [self.primary, *(name for name in self.masters if name != self.primary)]

    def names_for(self, purpose):
        """The names of all keys that know this purpose, the retired ones among them."""
        return [*self.newest_first(), *(name for name, kept in self.retired.items() if purpose in kept)]

    # --- Another keyset out of this one ---

    def text(self):
        """As it stands in VAULT_KEYSET."""
        parts = {"primary": self.primary, "keys": {name: _base64(key) for name, key in self.masters.items()}}
        if self.retired:
            parts["retired"] = {
                name: {purpose: _base64(key) for purpose, key in kept.items()} for name, kept in self.retired.items()
            }
        return json.dumps(parts)

    def add(self, name):
        """With one more key that reads, and does not write yet. Raises ValueError."""
        if name in self.masters or name in self.retired:
            raise ValueError(f"There is a key {name} already; give the new one another name.")
        return self._with(masters=self.masters | {name: secrets.token_bytes(KEY_BYTES)})

    def promote(self, name):
        """With another key that writes. Raises ValueError."""
        if name not in self.masters:
            raise ValueError(f"There is no key {name} that could write.")
        return self._with(primary=name)

    def retire(self, name):
        """With nothing of a key but its PROOFS. Raises ValueError."""
        if name not in self.masters or name == self.primary:
            raise ValueError(f"{name} is no key that only reads.")
        proofs = {purpose: self.key(name, purpose) for purpose in PROOFS}
        others = {other: key for other, key in self.masters.items() if other != name}
        return self._with(masters=others, retired=self.retired | {name: proofs})

    def _with(self, **parts):
        other = Keyset(self.text())
        vars(other).update(parts)
        return Keyset(other.text())


def new_keyset(name="1"):
    """A fresh keyset as JSON text, to put into VAULT_KEYSET."""
    return json.dumps({"primary": name, "keys": {name: _base64(secrets.token_bytes(KEY_BYTES))}})


def _derive(master, purpose, salt):
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"presessions:" + purpose.encode()).derive(master)


def _base64(key):
    return base64.b64encode(key).decode()


def _once(pairs):
    """JSON takes the last of two keys of one name, and the first one would be lost in silence."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _is_made_up(key):
    """Zeros, a pattern, a row of numbers, or words that somebody typed: never what comes out of a random source."""
    steps = {(after - before) % 256 for before, after in itertools.pairwise(key)}
    typed = all(32 <= byte < 127 for byte in key)  # by chance once in 10**13
    return len(set(key)) < LEAST_DIFFERENT or len(steps) < 4 or typed
