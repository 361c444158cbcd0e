"""The HTML part of a letter, typeset from its text. Room: mail; imports nothing of ours.

Nobody writes HTML for a letter, so both parts always say the same, and words of staff cannot become markup. The text
needs four habits, which are those of any plain mail:

- an empty line between paragraphs; a first line without a full stop says to whom the letter goes;
- "- " before each item of a list, two spaces before the lines that go on with it;
- an address alone on its line becomes a button; one after "Some words:" becomes a link on these words;
- "-- " alone on its line begins the signature.

`templates/mail/frame.html` says how it looks. Its styles are inline and its text has no colour of its own, so that it
can be read on dark paper too; nothing in it is fetched from anywhere.
"""

import re
from dataclasses import dataclass

from django.template.loader import get_template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WORDS = ((None, "Open the page", None),)  # what the frame adds to the text: (context, singular, plural)

SIGNATURE = re.compile(r"^-- $", re.MULTILINE)
# A preview shows a personal link struck out, with a space in it.
ADDRESS = re.compile(r"https?://(?:\[struck out\]|[^\s<>\"'])*[^\s<>\"'.,;:!?()\[\]«»。，、；：！？）」]")
ADDRESS_ONLY = re.compile(rf"\s*({ADDRESS.pattern})\s*")
WORDS_AND_ADDRESS = re.compile(rf"\s*(?P<words>\S[^\n]*?)\s*[:：]\s+(?P<address>{ADDRESS.pattern})\s*")
MAILBOX = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
# Latin letters with digits and a dash, such as a reference: in Arabic it would be read from the wrong end.
CODE = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])\w{1,9}-\w{1,9}(?![\w-])", re.ASCII)
TOKENS = re.compile(f"(?P<address>{ADDRESS.pattern})|(?P<mailbox>{MAILBOX.pattern})|(?P<code>{CODE.pattern})", re.ASCII)
ENDS_A_SENTENCE = tuple(".:,;!?。：，；！？؟،")
LINK = '<a href="{}" dir="ltr" style="color:inherit">{}</a>'
LONGEST_SHOWN = 48  # signs of an address that stands in the text; a personal link has more


@dataclass(frozen=True)
class Block:
    """A paragraph of lines, a list of items that are lines each, a button: one of them, as HTML."""

    lines: tuple[SafeString, ...] = ()
    items: tuple[tuple[SafeString, ...], ...] = ()
    button: str = ""
    is_address: bool = False


def typeset(subject, body):
    """The HTML of a letter in the active language."""
    text, *signature = SIGNATURE.split(body, maxsplit=1)
    blocks, below = _blocks(text), _blocks("\n".join(signature), in_footer=True)
    return get_template("mail/frame.html").render({"subject": subject, "blocks": blocks, "below": below}).strip() + "\n"


def _blocks(text, in_footer=False):
    blocks = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        if paragraph.strip():
            for block in _paragraph(paragraph.split("\n"), is_first=not blocks and not in_footer, in_footer=in_footer):
                if block.items and blocks and blocks[-1].items:  # one list, written with air between its items
                    block = Block(items=blocks.pop().items + block.items)
                blocks.append(block)
    return blocks


def _paragraph(lines, *, is_first, in_footer):
    """Its blocks: some lines, a list that follows them, a button, in whatever order they were written."""
    if is_first and len(lines) == 1 and not lines[0].rstrip().endswith(ENDS_A_SENTENCE):
        return [Block(lines=(_line(lines[0]),), is_address=True)]
    if in_footer:
        return [Block(lines=tuple(_labelled(_joined(lines))))]
    blocks, plain, items = [], [], []

    def close():
        if plain:
            blocks.append(Block(lines=tuple(map(_line, plain))))
        if items:
            blocks.append(Block(items=tuple(tuple(_labelled(item)) for item in items)))
        plain.clear()
        items.clear()

    for line in lines:
        if ADDRESS_ONLY.fullmatch(line) and not (items and line.startswith(" ")):
            close()
            blocks.append(Block(button=line.strip()))
        elif line.startswith("- "):
            if plain:
                close()
            items.append([line[2:]])
        elif items and line.startswith(" "):
            items[-1].append(line.strip())
        else:
            if items:
                close()
            plain.append(line)
    close()
    return blocks


def _joined(lines):
    """The lines of a footer; an address on its own goes with the words before it."""
    joined = []
    for line in lines:
        if joined and ADDRESS_ONLY.fullmatch(line) and joined[-1].rstrip().endswith((":", "：")):
            joined[-1] = f"{joined[-1].rstrip()} {line.strip()}"
        else:
            joined.append(line)
    return joined


def _labelled(lines):
    """Lines in which "Some words: address" is a link on these words."""
    for line in lines:
        found = WORDS_AND_ADDRESS.fullmatch(line)
        if found and not ADDRESS.search(found["words"]):
            yield format_html('<a href="{}" style="color:inherit">{}</a>', found["address"], found["words"])
        else:
            yield _line(line)


def _line(line):
    """One line as HTML: escaped, its addresses links, and what is Latin written from left to right."""
    pieces, end = [], 0
    for token in TOKENS.finditer(line):
        pieces += [(line[end : token.start()],), (_token(token),)]
        end = token.end()
    return format_html_join("", "{}", [*pieces, (line[end:],)])


def _token(token):
    if token["address"]:
        return format_html(LINK, token[0], _shown(token[0]))
    if token["mailbox"]:
        return format_html(LINK, f"mailto:{token[0]}", token[0])
    return format_html('<span dir="ltr" style="white-space:nowrap">{}</span>', token[0])


def _shown(address):
    """An address as it stands in a sentence: without its scheme, and no longer than is pleasant."""
    shown = address.split("://", 1)[1].rstrip("/")
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown.split('/')[0]}/…"
