"""What proves that an event is ours and as it was: a code over it, under a key that lies outside the database.

Room: trail, basement; imports the vault. Whoever can write into the database, a superuser included, can neither make an
event nor change one so that it still fits.
"""

import hashlib
import hmac
import json
import secrets
from datetime import UTC

from presessions import vault

PURPOSE = "trail"


def code(*parts, key=None):
    """ "<name of the key>:<64 hexadecimal digits>" over some values, under the primary key or the named one. Raises
    vault.Unreadable when the keyset holds no such key."""
    keys = vault.keyset()
    name = keys.primary if key is None else key
    message = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()
    return f"{name}:{hmac.new(keys.key(name, PURPOSE), message, hashlib.sha256).hexdigest()}"


def fits(stored, *parts):
    """Whether a code is the one over these values. Raises vault.Unreadable when its key is not in the keyset."""
    key, _colon, digits = stored.rpartition(":")
    return bool(key and digits) and hmac.compare_digest(stored, code(*parts, key=key))


def sign(event):
    """Give an event its nonce, so that no two are alike, and its code."""
    event.nonce = secrets.token_hex(16)
    event.signed = code(*_said(event))
    return event


def is_ours(event):
    """Whether an event stands as it was recorded."""
    return fits(event.signed, *_said(event))


def _said(event):
    moment = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    return event.nonce, moment, event.room, event.reference, event.code, event.staff_id, event.refused


def sign_reason(reason):
    """Bind a reason to its event. The code goes with the reason when it is erased, so that nothing of it is left."""
    reason.signed = code("reason", reason.event.nonce, reason.text)
    return reason


def reason_is_ours(reason):
    return fits(reason.signed, "reason", reason.event.nonce, reason.text)
