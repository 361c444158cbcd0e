"""The second factor: a code from the phone, or one of ten codes on paper. Room: accounts.

A code counts once. Whoever types it first wins, in one guarded UPDATE, so that a code somebody has read over a shoulder
or on the line is worth nothing a second later.
"""

import base64
import secrets
from binascii import Error as NotBase32
from urllib.parse import quote, urlencode

import segno
from django.conf import settings
from django.db import transaction
from django_otp.oath import hotp

from presessions import trail, vault
from presessions.accounts.models import Authenticator, RecoveryCode

STEP = 30  # seconds that a code stands on the phone
DIGITS = 6
DRIFT = 1  # steps that a phone's clock may be wrong, either way
KEY_BYTES = 20  # as many as SHA-1 has, RFC 4226
RECOVERY_CODES = 10
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O or U


def of(user):
    """The confirmed Authenticator of a person, or None."""
    return Authenticator.objects.filter(user=user, confirmed=True).first()


def on_its_way(user):
    """The Authenticator whose first code has still to be typed, or None."""
    return Authenticator.objects.filter(user=user, confirmed=False).first()


# --- Setting it up ---------------------------------------------------------------------------------------------------


def begin(user, *, now, afresh=False):
    """A key for a phone, good for nothing until `confirm`. afresh -- another one, even if one is on its way"""
    if afresh:
        Authenticator.objects.filter(user=user, confirmed=False).delete()
    key = base64.b32encode(secrets.token_bytes(KEY_BYTES)).decode()
    facts = {"key": key, "name": "phone", "made_at": now}
    return Authenticator.objects.get_or_create(user=user, confirmed=False, defaults=facts)[0]


def confirm(user, typed, *, now):
    """Make the phone on its way the person's own if the code comes from it, in the place of an older one.
    Returns (the Authenticator, ten recovery codes to show once), or None."""
    new = on_its_way(user)
    if new is None or not _use(new, typed, now):
        return None
    with transaction.atomic():
        Authenticator.objects.filter(user=user, confirmed=True).delete()
        if not Authenticator.objects.filter(pk=new.pk, confirmed=False).update(confirmed=True):
            return None
        trail.record(user, "second_factor_set", now=now, by=user)
        codes = new_recovery_codes(user, now=now)
    new.refresh_from_db()
    return new, codes


def new_recovery_codes(user, *, now):
    """Ten codes such as "K7QF2-9MXA4" in the place of all older ones. This is the only time that they can be read."""
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(user=user, code_index=vault.blind_index("recovery code", f"{user.pk}:{code}"))
            for code in codes
        )
        trail.record(user, "recovery_codes_made", now=now, by=user)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def reset(user, *, by, reason, now):
    """Take the phone and all codes of a person away; the next log-in begins with a new phone."""
    with transaction.atomic():
        Authenticator.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(user=user).delete()
        trail.record(user, "second_factor_reset", now=now, by=by, reason=reason)


# --- Using it --------------------------------------------------------------------------------------------------------


def check(user, typed, *, now, only_recovery=False):
    """The person's Authenticator if what was typed is a fresh code of the phone, or a code on paper; else None.
    only_recovery -- the six digits of the phone do not count: somebody is guessing them"""
    own = of(user)
    if own is None:
        return None
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    if letters.isdecimal() and len(letters) == DIGITS:
        return own if not only_recovery and _use(own, letters, now) else None
    return own if _use_recovery_code(user, letters, now) else None


def codes_left(user):
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def code_at(key, now):
    """What the phone with that key shows."""
    return f"{hotp(_raw(key), int(now.timestamp()) // STEP, DIGITS):0{DIGITS}d}"


def _use(authenticator, typed, now):
    digits = "".join(letter for letter in typed if letter.isalnum())
    here = int(now.timestamp()) // STEP
    for step in range(here - DRIFT, here + DRIFT + 1):
        shown = f"{hotp(_raw(authenticator.key), step, DIGITS):0{DIGITS}d}"
        if secrets.compare_digest(shown.encode(), digits.encode()):
            fresh = Authenticator.objects.filter(pk=authenticator.pk, last_step__lt=step)
            return bool(fresh.update(last_step=step))
    return False


def _use_recovery_code(user, letters, now):
    letters = letters.translate(str.maketrans("OIL", "011"))
    indexes = vault.blind_indexes("recovery code", f"{user.pk}:{letters}")
    unused = RecoveryCode.objects.filter(user=user, code_index__in=indexes, used_at=None)
    with transaction.atomic():
        used = bool(unused.update(used_at=now))
        if used:
            trail.record(user, "recovery_code_used", now=now, by=user)
    return used


def _raw(key):
    try:
        return base64.b32decode(key.upper() + "=" * (-len(key) % 8))
    except NotBase32 as error:
        raise ValueError("An authenticator's key is base 32.") from error


# --- Showing it ------------------------------------------------------------------------------------------------------


def address(authenticator):
    """What the QR code says, as every authenticator app reads it."""
    issuer = f"Pre-sessions {settings.PUBLIC_URL.split('://')[-1]}"
    label = quote(f"{issuer}:{authenticator.user.email}", safe=":@")
    return f"otpauth://totp/{label}?{urlencode({'secret': authenticator.key, 'issuer': issuer}, quote_via=quote)}"


def picture(authenticator):
    """The QR code as SVG, to stand in a page."""
    return segno.make(address(authenticator), error="m").svg_inline(
        omitsize=True, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None
    )
