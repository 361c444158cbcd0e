"""The mails of tests/promises/bounces, each addressed to a letter of the test's own.

The fixtures are ours, after the formats of the servers that they are named after; all domains are examples. Where a
mail names the letter, the file holds a placeholder: {{verp}}, {{message_id}}, {{to}}, {{token}}.
"""

from pathlib import Path

from presessions.mail import verp

HERE = Path(__file__).parent / "bounces"
TOKEN = "Zk3vQ9xW7bN1mR5tY8uP2aS6dF4gH0jLqEwXcVbNmKl"  # 43 signs, like that of a personal link


def names():
    return sorted(path.stem for path in HERE.glob("*.eml"))


def about(letter, name, *, other=None, **changed):
    """The mail as it would come back for this letter; `changed` puts other words into its places."""
    address = verp.sender(letter)
    made_up = address[:8] + ("a" if address[8] != "a" else "b") + address[9:]
    places = {
        "verp": address,
        "VERP": address.upper(),
        "made_up": made_up,
        "message_id": letter.message_id,
        "other_message_id": other.message_id if other else "<nobody@example.org>",
        "to": letter.to,
        "token": TOKEN,
        "filler": "I come back with everything that I was sent with.\n" * 8_000,
        **changed,
    }
    return filled(name, places)


def filled(name, places):
    """The mail with words in its places, as bytes."""
    raw = (HERE / f"{name}.eml").read_bytes()
    for place, words in places.items():
        raw = raw.replace(b"{{%s}}" % place.encode(), words.encode())
    assert b"{{" not in raw
    return raw
