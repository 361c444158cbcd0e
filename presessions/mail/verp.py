"""The envelope sender of each letter, which says to us, and to nobody else, which letter comes back. Room: mail.

    bounces+k5rwx2q7m3ha4tz6yv2nbd7eqe@bounces.example.org

A plain number would tell every recipient how many letters went to others in between, so it is sealed: number and ten
zero bytes are one block of AES under a key of their own. Whoever alters a sign, or makes an address up, gets the zeros
wrong but once in 2**80. Base32, because some servers write addresses in small letters.
"""

import base64
import binascii
import hmac
import re

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.conf import settings

from presessions import vault

PREFIX = "bounces+"
NUMBER_BYTES = 6
PROOF = bytes(16 - NUMBER_BYTES)
ADDRESS = re.compile(r"<?\s*" + re.escape(PREFIX) + r"([a-z2-7]{26})@([^\s<>@]+?)\s*>?", re.IGNORECASE)


def sender(letter):
    """The address that a letter's bounces go to: its own where there is a domain for them, else MAIL_FROM."""
    if not settings.MAIL_BOUNCE_DOMAIN:
        return settings.MAIL_FROM
    block = letter.pk.to_bytes(NUMBER_BYTES, "big") + PROOF
    sealed = _cipher(vault.keyset().primary).encryptor().update(block)
    return f"{PREFIX}{base64.b32encode(sealed).decode().rstrip('=').lower()}@{settings.MAIL_BOUNCE_DOMAIN}"


def letter_of(address):
    """The number of the letter whose address this is; None for any other address, and for one that was made up."""
    found = ADDRESS.fullmatch(address.strip())
    if not found or found[2].lower() != settings.MAIL_BOUNCE_DOMAIN.lower():
        return None
    try:
        sealed = base64.b32decode(found[1].upper() + "======")
    except binascii.Error:
        return None
    for name in vault.keyset().newest_first():  # letters that went before the keys were changed come back too
        block = _cipher(name).decryptor().update(sealed)
        if hmac.compare_digest(block[NUMBER_BYTES:], PROOF):
            return int.from_bytes(block[:NUMBER_BYTES], "big")
    return None


def is_ours(address):
    """Whether an address looks like one of those, true or made up."""
    local, _at, domain = address.strip(" <>").lower().rpartition("@")
    return local.startswith(PREFIX) and bool(domain) and domain == settings.MAIL_BOUNCE_DOMAIN.lower()


def _cipher(name):
    key = vault.keyset().key(name, "verp")
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 -- a single block, no mode: nothing can repeat
