"""The papers of the demonstration, as they arrive from a form: one page of text, as PDF or for Word. Wiring."""

import io
import zipfile

import pikepdf

from presessions import vault


def upload(lines, *, docx):
    """A paper as it arrives from the form: streamed into the vault, never plain on disk."""
    arrived = vault.EncryptedUpload.create("submission.docx" if docx else "submission.pdf")
    arrived.write(_docx(lines) if docx else _pdf(lines))
    arrived.finish()
    return arrived


def lines_of(text, width=78):
    words, line = text.split(), ""
    for word in words:
        if len(line) + len(word) > width:
            yield line
            line = ""
        line = f"{line} {word}".strip()
    yield line


def _pdf(lines):
    """One page of plain text."""
    pdf = pikepdf.new()
    text = "\n".join(f"({line.translate(str.maketrans('()', '[]'))}) Tj T*" for line in lines)
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type1,
        BaseFont=pikepdf.Name.Helvetica,
        Encoding=pikepdf.Name.WinAnsiEncoding,
    )
    page = pdf.add_blank_page(page_size=(595, 842))
    page.Contents = pdf.make_stream(f"BT /F1 12 Tf 18 TL 60 770 Td\n{text}\nET".encode("cp1252", "replace"))
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    target = io.BytesIO()
    pdf.save(target)
    return target.getvalue()


def _docx(lines):
    """The smallest document that Word opens."""
    office = "http://schemas.openxmlformats.org"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    document = f"{office}/officeDocument/2006/relationships/officeDocument"
    paragraphs = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in lines)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{office}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{office}/package/2006/relationships"><Relationship Id="r1" '
        f'Type="{document}" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{office}/wordprocessingml/2006/main">'
        f"<w:body>{paragraphs}</w:body></w:document>",
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{text}')
    return target.getvalue()
