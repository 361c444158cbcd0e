"""The text of a Word document or an OpenDocument text, to be read beside its answers. Room: applications.

Read from the cleaned copy, by a process of its own (`sandbox`), each time somebody opens it: nothing of it is kept.
"""

from dataclasses import dataclass
from itertools import groupby

from applications import sandbox
from presessions import vault

KINDS = {"#": "heading", "-": "item", "|": "row", "*": "note", ".": "paragraph", ">": "cut"}  # as `sandbox` marks them


class NotReadable(Exception):
    """There is no text to be had now: this machine is busy, or the file has none that can be told apart."""


@dataclass(frozen=True)
class Part:
    """Pieces of one kind that follow one another: a list, the rows of a table, paragraphs."""

    kind: str
    pieces: list  # texts; of rows, lists of cells


class _Bytes:
    """What comes out, in memory: at most sandbox.MOST_BYTES of it."""

    def __init__(self):
        self.kept = bytearray()

    def write(self, piece):
        self.kept += piece

    @property
    def written(self):
        return len(self.kept)


def parts(attachment):
    """The text of a checked docx or odt as Parts, in order. Raises NotReadable."""
    text = _Bytes()
    with vault.storage.open(attachment.cleaned) as file:
        word = sandbox.run("text", file, text)
    if word != "text":
        raise NotReadable(word)
    lines = text.kept.decode(errors="replace").split("\n")
    told = [(KINDS[line[0]], line[1:]) for line in lines if line[:1] in KINDS]
    return [_part(kind, [piece for _, piece in some]) for kind, some in groupby(told, key=lambda one: one[0])]


def _part(kind, pieces):
    return Part(kind, [piece.split("\t") for piece in pieces] if kind == "row" else pieces)
