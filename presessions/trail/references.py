"""References that people can read out on the phone, and that tell nothing: no order, no count, no State."""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O or U


def new_reference():
    """Ten random characters in two groups, such as "K7QF2-9MXA4". 50 bits; a unique column catches the rest."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def read_reference(words):
    """A whole reference as somebody types it: small letters, other dashes, O for 0, I or L for 1; "" if it is none."""
    letters = words.upper().translate(str.maketrans("OIL", "011"))
    letters = "".join(letter for letter in letters if letter.isalnum())
    fits = len(letters) == 10 and all(letter in ALPHABET for letter in letters)
    return f"{letters[:5]}-{letters[5:]}" if fits else ""
