"""The text of a document, piece by piece, to be read on a page of ours. Room: applications, in the sandbox.

One line per piece; its first sign says what the piece is, and the rest is the text:

    #  a heading      -  an item of a list      |  a row of a table, a tab between its cells
    *  a note         .  any other paragraph    >  what follows was left out, for there is too much of it
"""

import io
import zipfile

from counting import what_odt_says
from lxml import etree

MOST_SIGNS = 1_000_000
NOTES = ("word/footnotes.xml", "word/endnotes.xml")


def text_of_docx(data):
    """The body, then its notes; neither headers nor comments, nor what is crossed out."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    names = set(archive.namelist())
    headings = _headings(archive) if "word/styles.xml" in names else set()
    pieces = list(_of_word(etree.fromstring(archive.read("word/document.xml")), headings))
    for part in NOTES:
        if part in names:
            notes = etree.fromstring(archive.read(part)).iter("{*}p")
            pieces += [("*", _text_of_word(note)) for note in notes]
    return _lines(pieces)


def _headings(archive):
    """The names that this document gives to styles of headings: Word writes them in its user's language."""
    found = set()
    for style in etree.fromstring(archive.read("word/styles.xml")).iter("{*}style"):
        name = style.find("{*}name")
        if name is not None and _value(name).lower().startswith(("heading", "title")):
            found |= {value for key, value in style.attrib.items() if key.endswith("}styleId")}
    return found


def _value(element):
    return next((value for key, value in element.attrib.items() if key.endswith("}val")), "")


def _of_word(root, headings):
    for copy in list(root.iter("{*}Fallback")):  # for older programs: the same text once more
        copy.getparent().remove(copy)
    rows = {}  # paragraphs in a table belong to its row, which is told once
    for row in root.iter("{*}tr"):
        if not any(_is(parent, "tr") for parent in row.iterancestors()):
            cells = [" ".join(map(_text_of_word, cell.iter("{*}p"))) for cell in row.iterchildren("{*}tc")]
            rows[row] = "\t".join(" ".join(cell.split()) for cell in cells)
    for element in root.iter("{*}p", "{*}tr"):
        if element in rows:
            yield "|", rows[element]
        elif not any(parent in rows or _is(parent, "p") for parent in element.iterancestors()):  # told with those
            yield _kind_in_word(element, headings), _text_of_word(element)


def _is(element, name):
    return isinstance(element.tag, str) and element.tag.endswith(f"}}{name}")


def _kind_in_word(paragraph, headings):
    style = paragraph.find("{*}pPr/{*}pStyle")
    if style is not None and _value(style) in headings:
        return "#"
    return "-" if paragraph.find("{*}pPr/{*}numPr") is not None else "."


def _text_of_word(element):
    pieces = []
    for piece in element.iter("{*}t", "{*}tab", "{*}br", "{*}cr"):
        pieces.append(piece.text or "" if _is(piece, "t") else " ")
    return "".join(pieces)


def text_of_odt(data):
    return _lines(_of_odt(what_odt_says(data)))


def _of_odt(root):
    for element in root.iter("{*}p", "{*}h", "{*}table-row"):
        above = [parent for parent in element.iterancestors() if isinstance(parent.tag, str)]
        if any(_is(parent, "table-row") for parent in above):
            continue
        if _is(element, "table-row"):
            cells = ["".join(_texts(cell)) for cell in element.iterchildren("{*}table-cell")]
            yield "|", "\t".join(" ".join(cell.split()) for cell in cells)
            continue
        kind = "#" if _is(element, "h") else "."
        for parent in above:
            kind = "*" if _is(parent, "note-body") else "-" if kind == "." and _is(parent, "list-item") else kind
        yield kind, "".join(_texts(element))


def _texts(element):
    yield element.text or ""
    for child in element:
        if not isinstance(child.tag, str):
            pass
        elif child.tag.endswith(("}s", "}tab", "}line-break")):
            yield " "
        elif not _is(child, "note"):  # a paragraph of its own
            yield from _texts(child)
            yield " " if _is(child, "p") else ""
        yield child.tail or ""


def _lines(pieces):
    lines, room = [], MOST_SIGNS
    for kind, text in pieces:
        text = text if kind == "|" else " ".join(text.split())
        if not text.strip():
            continue
        if len(text) > room:
            lines.append(">")
            break
        room -= len(text)
        lines.append(kind + text)
    # What cannot be written as UTF-8 would take the whole page with it.
    return "\n".join(lines).encode(errors="replace").decode()
