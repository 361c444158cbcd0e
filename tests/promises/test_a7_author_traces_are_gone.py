"""A7. Author traces are gone: a name, a path with that name, and a place on the map, planted in more than twelve places
of a PDF, of a Word document and of an OpenDocument text. None is left in the copy that staff and missions get, and the
text is the same.

Each place alone first, so that a test of its own turns red for it; then all at once, through the real steps.
"""

import io
import struct
import zipfile
import zlib
from contextlib import suppress
from types import SimpleNamespace

import pikepdf
import pypdf
import pytest
from lxml import etree

from applications import cleaning
from applications.models import Attachment
from presessions import vault
from tests.applications import hostile, program
from tests.applications.factories import MONDAY, ApplicationFactory, upload
from tests.applications.hostile import relationship
from tests.applications.scanner_stub import EICAR
from tests.promises.hostile_documents import ordinary_docx, ordinary_odt
from tests.promises.traces import FORMATS, older_version, pdf
from tests.promises.traces_in_pictures import PICTURES, TRACES, exif, jpeg

door = program.load()


def found(data):
    """Which traces stand anywhere in a file, however they are packed or written."""
    pile = [data]
    if data.startswith(b"PK"):
        archive = zipfile.ZipFile(io.BytesIO(data))
        pile += [
            archive.comment,
            *(name.encode() for name in archive.namelist()),
            *map(archive.read, archive.namelist()),
        ]
    elif b"%PDF-" in data:
        plain = io.BytesIO()
        with pikepdf.open(io.BytesIO(data)) as document:
            raw = [thing.read_raw_bytes() for thing in document.objects if isinstance(thing, pikepdf.Stream)]
            document.save(plain, qdf=True, object_stream_mode=pikepdf.ObjectStreamMode.disable)
        pile += [zlib.decompress(one) for one in raw if one.startswith(b"\x78\x9c")]  # pictures packed once more
        pile.append(plain.getvalue())
    spellings = [trace.encode(way) for trace in TRACES for way in ("utf-8", "utf-16-le", "utf-16-be")]
    return [spelling for spelling in spellings if any(spelling in piece for piece in pile)]


def cleaned(data):
    line, content = door.clean(data)
    assert line.startswith("cleaned ")
    return content


def text(data):
    """Everything that a reader reads, in its order."""
    if data.startswith(b"PK"):
        archive = zipfile.ZipFile(io.BytesIO(data))
        names = [name for name in archive.namelist() if name in ("content.xml", "word/document.xml")]
        (root,) = (etree.fromstring(archive.read(name)) for name in names)
        for made in root.xpath("//*[local-name()='annotation' or local-name()='change-info']/*[local-name()!='p']"):
            made.clear()
        for made in root.xpath(
            "//comment()|//processing-instruction()|//*[local-name()='desc']|//*[local-name()='instrText']"
            "|//*[local-name()='fldData']|//*[local-name()='meta']"
        ):
            made.getparent().remove(made)
        return "".join(root.itertext())
    return [page.extract_text().split() for page in pypdf.PdfReader(io.BytesIO(data)).pages]


PLACES = [
    pytest.param(make, plant, id=f"{kind}, {what}")
    for kind, (places, make) in FORMATS.items()
    for what, plant in places.items()
]


@pytest.mark.parametrize(("make", "plant"), PLACES)
def test_of_a_trace_in_one_place_nothing_is_left_and_the_text_is_the_same(make, plant):
    data = make(plant)
    copy = cleaned(data)
    if plant is not FORMATS["pdf"][0]["an object that nothing refers to"]:  # which the tool that makes it leaves out
        assert found(data)
    assert not found(copy)
    assert text(copy) == text(data)


@pytest.mark.parametrize("kind", FORMATS)
def test_there_are_enough_places(kind):
    assert len(FORMATS[kind][0]) >= 12


def test_an_older_version_inside_the_file_does_not_come_along():
    assert found(older_version())
    assert not found(cleaned(older_version()))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("tail", [b"Amina Canary", b"PK\x03\x04 of another kind", b"<script>alert(1)</script>"])
def test_what_hangs_on_the_end_does_not_come_along(kind, tail):
    data = FORMATS[kind][1]()
    copy = cleaned(data + tail if kind == "pdf" else data)
    assert tail not in copy
    assert text(copy) == text(data)


def test_a_copy_of_the_same_file_is_the_same_and_says_nothing_about_when_it_was_made():
    for kind, (_places, make) in FORMATS.items():
        data = make()
        assert cleaned(data) == cleaned(data), kind


@pytest.mark.django_db
@pytest.mark.parametrize("kind", FORMATS)
def test_of_all_of_them_at_once_none_is_left_in_the_copy_that_is_handed_out(settings, tmp_path, kind):
    settings.PRIVATE_FILES = tmp_path / "private"
    places, make = FORMATS[kind]
    data = make(*places.values())
    assert len(found(data)) >= 3
    verdict = SimpleNamespace(content_type=kind, name=f"submission.{kind}")
    application = ApplicationFactory(complete=False)
    application.attach(upload(data), Attachment.Kind.UPR_SUBMISSION, verdict, now=MONDAY)
    assert cleaning.look_through(MONDAY) == {"checked": 1}
    file = Attachment.objects.get()
    copy = vault.storage.open(file.cleaned).read()
    assert not found(copy)
    assert text(copy) == text(data)
    assert vault.storage.open(file.stored).read() == data  # the original stays what was received, and stays locked


# --- What must not be lost ------------------------------------------------------------------------------------------


def test_a_photograph_keeps_its_pixels_and_which_side_is_up():
    pictures = program.sys.modules["pictures"]
    name, photo = PICTURES["a photograph"]
    copy = pictures.clean(photo)
    scan = jpeg()[jpeg().index(b"\xff\xdb") :]
    assert copy.endswith(scan)
    assert pictures._orientation(copy[copy.index(b"Exif") + 6 :]) == 6
    assert b"Exif" not in pictures.clean(jpeg([(0xE1, exif(orientation=1))]))  # upright needs no word
    assert name == "jpg"


def test_pictures_of_windows_scans_and_drawings_still_show_what_they_showed():
    clean = program.sys.modules["pictures"].clean
    assert clean(PICTURES["a picture of Windows"][1]).endswith(b"\1\2\3\0")
    assert clean(PICTURES["a map"][1]).endswith(b"\x7f")
    assert struct.pack("<LHHH", 5, 0x0213, 5, 5) in clean(PICTURES["an old drawing of Windows"][1])
    drawing = clean(PICTURES["a drawing of Windows with a comment"][1])
    assert struct.pack("<LLLL", 54, 16, 5, 5) in drawing
    assert struct.unpack_from("<LL", drawing, 48) == (len(drawing), 3)
    style = b"<style>.a{fill:#c00}</style>"
    lines = clean(
        b'<svg xmlns="http://www.w3.org/2000/svg">' + style + b'<path id="b" class="a"/><use href="#b"/></svg>'
    )
    assert style in lines
    assert b'<path id="b" class="a"/><use href="#b"/>' in lines


@pytest.mark.parametrize("what", PICTURES)
def test_no_cut_of_a_picture_stops_the_cleaning(what):
    pictures, (_name, whole) = program.sys.modules["pictures"], PICTURES[what]
    for end in range(4, len(whole), 7):
        with suppress(struct.error, IndexError, etree.XMLSyntaxError):  # such a file is refused in words
            assert len(pictures.clean(whole[:end])) <= len(whole) + len(pictures.BLANK)


def part(data, name):
    return zipfile.ZipFile(io.BytesIO(data)).read(name).decode()


def test_references_inside_a_word_document_still_lead_to_their_bookmarks():
    copy = part(cleaned(ordinary_docx()), "word/document.xml")
    assert 'w:name="_Toc1"' in copy
    assert " PAGEREF _Toc1 " in copy
    for reference in ('w:name="b2"', 'w:anchor="b2"', " REF b2 ", '"https://example.org/Here" \\l "b2"'):
        assert reference in copy
    for code in (" PAGE ", ' TOC \\o "1-3" \\h ', " MACROBUTTON NoMacro [write here] "):
        assert code in copy


def test_references_inside_an_opendocument_text_still_lead_to_their_bookmarks():
    copy = part(cleaned(ordinary_odt()), "content.xml")
    for reference in ('text:name="n1"', 'xlink:href="#n1"', 'text:ref-name="n1"', 'xlink:href="https://example.org/"'):
        assert reference in copy


def test_fonts_are_fonts_or_are_left_out():
    fonts = [("Fonts/a.ttf", b"\0\1\0\0 a font"), ("Fonts/b.ttf", EICAR)]
    names = zipfile.ZipFile(io.BytesIO(cleaned(hostile.odt(parts=fonts)))).namelist()
    assert "Fonts/a.ttf" in names
    assert "Fonts/b.ttf" not in names
    hidden = hostile.docx(
        links=relationship("font", "fonts/font1.odttf", "Internal"), parts=[("word/fonts/font1.odttf", EICAR)]
    )
    assert "word/fonts/font1.odttf" not in zipfile.ZipFile(io.BytesIO(cleaned(hidden))).namelist()


def test_links_to_the_web_layers_forms_and_bookmarks_stay():
    def plant(document):
        page = document.pages[0].obj
        web = pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("https://example.org/"))
        link = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=web)
        page.Annots = pikepdf.Array([document.make_indirect(link)])
        field = pikepdf.Dictionary(
            FT=pikepdf.Name.Tx, T=pikepdf.String("Name of institution"), V=pikepdf.String("Rights Now")
        )
        document.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([document.make_indirect(field)]))
        with document.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem("Chapter one", 0))
        document.Root.Lang = pikepdf.String("fr")

    with pikepdf.open(io.BytesIO(cleaned(pdf(plant)))) as copy:
        assert str(copy.pages[0].Annots[0].A.URI) == "https://example.org/"
        assert str(copy.Root.AcroForm.Fields[0].V) == "Rights Now"
        assert str(copy.Root.AcroForm.Fields[0].T) == "Name of institution"
        assert str(copy.Root.Outlines.First.Title) == "Chapter one"
        assert str(copy.Root.Lang) == "fr"
