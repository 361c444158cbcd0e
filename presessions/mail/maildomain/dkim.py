"""DKIM: the key with which receivers check that a mail is ours and unchanged. Room: mail; pure. RFC 6376, RFC 8301."""

import base64
import binascii

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from presessions.mail.maildomain.findings import Finding, Grade, tags

GOOD_BITS, LEAST_BITS = 2048, 1024
COPY_AGAIN = "Copy the TXT record that the relay shows once more, whole and without line breaks."
NEW_KEY = "Let the relay make a key of 2048 bits, and put its TXT record there."


def look(domain, selector, ask):
    """selector -- the name under which the relay's key stands; "" when nobody has said"""
    if not selector:
        words = "Not looked at: nobody said under which name (the “selector”) the relay’s key stands."
        return [_finding(Grade.WEAK, words, "Ask the relay’s people for it, and give it: --selector NAME.")]
    name = f"{selector}._domainkey.{domain}"
    records = ask(name, "TXT")
    if not records:
        words = f"There is no key at {name}: nobody can check a signature of ours."
        return [
            _finding(Grade.WRONG, words, f"Switch on DKIM at the relay, and add the TXT record it shows at {name}.")
        ]
    if len(records) > 1:
        return [_finding(Grade.WRONG, f"There are {len(records)} records at {name}.", "Delete the old ones.")]
    fields = tags(records[0])
    if fields.get("v", "DKIM1") != "DKIM1" or "p" not in fields:
        return [_finding(Grade.WRONG, f"What stands at {name} is no DKIM key.", COPY_AGAIN)]
    if not fields["p"]:
        words = f"The key at {name} has been taken back: every signature made with it counts as false."
        return [_finding(Grade.WRONG, words, "Let the relay make a new key, and add its TXT record.")]
    findings = [_key(name, fields)]
    if "y" in fields.get("t", "").replace(" ", "").split(":"):
        words = f"The key at {name} says that it is only a test (t=y); some receivers then pass over it."
        findings.append(_finding(Grade.WEAK, words, "Take t=y out of the record once signatures are found good."))
    return findings


def _key(name, fields):
    if fields.get("k", "rsa").lower() == "ed25519":
        words = f"There is an Ed25519 key at {name}, which many receivers cannot check."
        return _finding(Grade.WEAK, words, "Sign with an RSA key of 2048 bits as well.")
    bits = _bits("".join(fields["p"].split()))
    if not bits:
        return _finding(Grade.WRONG, f"The key at {name} cannot be read; it was cut short or mistyped.", COPY_AGAIN)
    if bits < LEAST_BITS:
        return _finding(Grade.WRONG, f"The key at {name} has {bits} bits only; receivers pass over it.", NEW_KEY)
    if bits < GOOD_BITS:
        return _finding(
            Grade.WEAK, f"The key at {name} has {bits} bits; that still counts, and is no longer safe.", NEW_KEY
        )
    return _finding(Grade.GOOD, f"There is a key of {bits} bits at {name}.")


def _bits(packed):
    """The length of an RSA key, or 0 for what is none."""
    try:
        key = load_der_public_key(base64.b64decode(packed, validate=True))
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm):
        return 0
    return key.key_size if isinstance(key, RSAPublicKey) else 0


def _finding(grade, words, change=""):
    return Finding("DKIM", grade, words, change)
