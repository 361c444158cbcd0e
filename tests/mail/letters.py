"""Reading a letter that has not left yet, as the person would."""

import re
from email import message_from_bytes, policy


def message_of(letter):
    return message_from_bytes(letter.frozen, policy=policy.default)


def body_of(letter):
    return content_of(letter.frozen)


def content_of(frozen):
    """The text that a mail program shows for these bytes."""
    return _part_of(frozen, "plain")


def page_of(letter):
    """The HTML that a mail program shows for a letter."""
    return _part_of(letter.frozen, "html")


def _part_of(frozen, kind):
    message = message_from_bytes(bytes(frozen), policy=policy.default)
    return message.get_body((kind,)).get_content().replace("\r\n", "\n")


def link_in(letter):
    """The first address in the letter's text."""
    return re.search(r"https?://\S+", body_of(letter)).group().rstrip(".,)>")


def links_in(letter):
    return re.findall(r"https?://[^\s>]+", body_of(letter))
