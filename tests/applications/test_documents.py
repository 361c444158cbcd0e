"""A document that is no PDF, read as text beside its answers: all that is said, in its order."""

import pytest

from applications import documents, sandbox
from applications.documents import NotReadable, Part
from applications.models import Attachment
from tests.applications import hostile
from tests.applications.factories import MONDAY, ApplicationFactory, Verdict, looked_through, upload

pytestmark = pytest.mark.django_db

OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
STYLES = (
    f'<w:styles xmlns:w="{hostile.WORD}"><w:style w:type="paragraph" w:styleId="Titre1"><w:name w:val="heading 1"/>'
    "</w:style></w:styles>"
)
NOTES = f'<w:footnotes xmlns:w="{hostile.WORD}"><w:footnote w:id="1">{{}}</w:footnote></w:footnotes>'


def said(text, about=""):
    return f"<w:p>{about}<w:r><w:t>{text}</w:t></w:r></w:p>"


HEADING = '<w:pPr><w:pStyle w:val="Titre1"/></w:pPr>'
ITEM = "<w:pPr><w:numPr/></w:pPr>"
IN_WORD = (
    said("Prisons", HEADING)
    + said("Cells are <![CDATA[<b>]]> full. الشعب")
    + said("Ratify", ITEM)
    + said("Report", ITEM)
    + "<w:p><w:del><w:r><w:delText>crossed out</w:delText></w:r></w:del></w:p>"
    + f"<w:tbl><w:tr><w:tc>{said('Year')}</w:tc><w:tc>{said('Deaths')}{said('in custody')}</w:tc></w:tr></w:tbl>"
)
IN_ODT = (
    '<text:h>Prisons</text:h><text:p>Cells<text:s text:c="2"/>are full.<text:note><text:note-citation>1'
    "</text:note-citation><text:note-body><text:p>Our visit.</text:p></text:note-body></text:note></text:p>"
    "<text:list><text:list-item><text:p>Ratify</text:p></text:list-item></text:list>"
)


def attached(application, content, kind):
    """Its document, looked through: content of this kind."""

    class OfThisKind(Verdict):
        content_type, name = kind, f"submission.{kind}"

    application.attach(upload(content, OfThisKind.name), Attachment.Kind.UPR_SUBMISSION, OfThisKind, now=MONDAY)
    return looked_through(application)


def text_of(content, kind):
    return documents.parts(attached(ApplicationFactory(complete=False), content, kind))


def test_a_word_document_reads_in_its_order_with_headings_lists_tables_and_notes():
    parts = [("word/styles.xml", STYLES), ("word/footnotes.xml", NOTES.format(said("Our visit of 2025.")))]
    names = ("styles", "footnotes")
    links = "".join(hostile.relationship(name, f"{name}.xml", "Internal", number=n) for n, name in enumerate(names, 7))
    types = "".join(f'<Override PartName="/word/{name}.xml" ContentType="{OFFICE}.{name}+xml"/>' for name in names)
    assert text_of(hostile.docx(body=IN_WORD, parts=parts, links=links, types=types), "docx") == [
        Part("paragraph", ["Submission"]),
        Part("heading", ["Prisons"]),
        Part("paragraph", ["Cells are <b> full. الشعب"]),
        Part("item", ["Ratify", "Report"]),
        Part("row", [["Year", "Deaths in custody"]]),
        Part("note", ["Our visit of 2025."]),
    ]


def test_an_opendocument_text_reads_in_its_order():
    assert text_of(hostile.odt(body=IN_ODT), "odt") == [
        Part("paragraph", ["Submission"]),
        Part("heading", ["Prisons"]),
        Part("paragraph", ["Cells are full."]),
        Part("note", ["Our visit."]),
        Part("item", ["Ratify"]),
    ]


def test_of_an_endless_text_the_beginning_is_read_and_that_there_is_more_is_said():
    long = "".join(
        said(" ".join(f"{n * 7919 % 99991:x}" for n in range(start, start + 20_000)))
        for start in range(0, 240_000, 20_000)
    )
    found = text_of(hostile.docx(body=long), "docx")
    assert found[-1] == Part("cut", [""])
    assert 900_000 < sum(len(piece) for part in found for piece in part.pieces) <= 1_000_000


@pytest.mark.parametrize("word", ["", "busy", "unreadable"])
def test_what_gives_no_text_says_so_instead_of_being_an_empty_page(monkeypatch, word):
    file = ApplicationFactory().attachments.get()
    file.cleaned = file.stored
    monkeypatch.setattr(sandbox, "run", lambda what, file, copy: word)
    with pytest.raises(NotReadable):
        documents.parts(file)
