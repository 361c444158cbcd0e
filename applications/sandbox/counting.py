"""How many words a document has, as people count them. Room: applications, in the sandbox.

The same rule as rules.count_words, which cannot be had here: a test holds the two together.
"""

import io
import re
import unicodedata
import zipfile

from lxml import etree

IDEOGRAPHS = ("CJK UNIFIED", "HIRAGANA", "KATAKANA")
NOT_SAID = ("tracked-changes", "annotation", "note-citation")  # in an OpenDocument text


def words(text):
    """What stands between blanks and has a letter or a digit in it; of scripts without blanks, each character."""
    signs = [unicodedata.name(sign, "").startswith(IDEOGRAPHS) for sign in text]
    rest = "".join(" " if is_one else sign for sign, is_one in zip(text, signs, strict=True))
    return sum(signs) + sum(bool(re.search(r"\w", word)) for word in rest.split())


def words_of_pdf(data):
    import pypdf

    return sum(words(page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def words_of_docx(data):
    """The body and its notes; neither headers nor comments, nor what is crossed out."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    names = set(archive.namelist())
    parts = ("word/document.xml", "word/footnotes.xml", "word/endnotes.xml")
    return sum(words(_text_of_word(archive.read(part))) for part in parts if part in names)


def _text_of_word(part):
    root, pieces = etree.fromstring(part), []
    for copy in list(root.iter("{*}Fallback")):  # for older programs: the same text once more
        copy.getparent().remove(copy)
    for piece in root.iter("{*}t", "{*}p", "{*}tab", "{*}br", "{*}cr"):
        pieces.append(piece.text or "" if piece.tag.endswith("}t") else " ")
    return "".join(pieces)


def words_of_odt(data):
    return sum(words(_text_of_odt(paragraph)) for paragraph in what_odt_says(data).iter("{*}p", "{*}h"))


def what_odt_says(data):
    """The content of an OpenDocument text, emptied of what stands in it and is not said."""
    root = etree.fromstring(zipfile.ZipFile(io.BytesIO(data)).read("content.xml"))
    for name in NOT_SAID:
        for element in list(root.iter(f"{{*}}{name}")):
            element.tail, before = None, element.tail
            element.clear()
            element.tail = before
    return root


def _text_of_odt(element):
    pieces = [element.text or ""]
    for child in element:
        if child.tag.endswith(("}s", "}tab", "}line-break")):
            pieces.append(" ")
        elif not child.tag.endswith("}p"):
            pieces.append(_text_of_odt(child))
        pieces.append(child.tail or "")
    return "".join(pieces)
