"""What the PDFs of the house have in common: letterhead, type, tables. Room: applications; imports nothing of ours.

The fonts are those that every reader has and know Western letters only: see `printable`.
"""

import io
import unicodedata
from xml.sax.saxutils import escape

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

MARGIN = 25 * mm
PADDING = 6  # points, of ReportLab's own frame
BAND, SOFT, RULE = HexColor("#16305c"), HexColor("#515c70"), HexColor("#c9c4b6")
TEXT = ParagraphStyle("text", fontName="Times-Roman", fontSize=11.5, leading=16.5, spaceAfter=9)
BOLD = ParagraphStyle("bold", TEXT, fontName="Times-Bold", fontSize=13, spaceBefore=8, spaceAfter=12)
LABEL = ParagraphStyle("label", TEXT, fontName="Helvetica", fontSize=9.5, leading=14, textColor=SOFT, spaceAfter=0)
VALUE = ParagraphStyle("value", TEXT, spaceAfter=0)


def paragraph(text, style=TEXT):
    """One or more lines as they are: nothing in them is markup."""
    return Paragraph(escape(printable(text)).replace("\n", "<br/>"), style)


def table(cells, *, widths):
    """Rows between thin lines. cells -- rows of paragraphs; widths -- of the columns, None for the rest of the page"""
    lines = [
        ("LINEBELOW", (0, 0), (-1, -1), 0.5, RULE),
        ("LINEABOVE", (0, 0), (-1, 0), 0.5, RULE),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
    ]
    return Table(cells, colWidths=widths, style=lines, hAlign="LEFT", spaceAfter=12)


def typeset(story, *, title):
    """The bytes of a PDF in the active language."""
    kept = io.BytesIO()
    page = SimpleDocTemplate(
        kept, pagesize=A4,
        leftMargin=MARGIN - PADDING, rightMargin=MARGIN - PADDING, topMargin=48 * mm, bottomMargin=28 * mm,
        title=title, author="UPR Info", creator="UPR Info", lang=translation.get_language(),
    )  # fmt: skip
    page.build(list(story), onFirstPage=_letterhead, onLaterPages=_letterhead)
    return kept.getvalue()


def _letterhead(canvas, page):
    width, height = page.pagesize
    canvas.saveState()
    canvas.setFillColor(BAND)
    canvas.rect(0, height - 6 * mm, width, 6 * mm, stroke=0, fill=1)
    canvas.setFont("Times-Bold", 22)
    canvas.drawString(MARGIN, height - 25 * mm, "UPR Info")
    canvas.setFont("Helvetica", 9.5)
    canvas.setFillColor(SOFT)
    canvas.drawString(MARGIN, height - 31 * mm, printable(_("Geneva, Switzerland")))
    for line, text in enumerate((settings.MAIL_REPLY_TO, settings.PUBLIC_URL)):
        canvas.drawRightString(width - MARGIN, height - (25 + 6 * line) * mm, printable(text))
    canvas.setStrokeColor(RULE)
    canvas.line(MARGIN, height - 36 * mm, width - MARGIN, height - 36 * mm)
    canvas.line(MARGIN, 20 * mm, width - MARGIN, 20 * mm)
    canvas.drawString(MARGIN, 14 * mm, printable(_("UPR Info Pre-sessions, Geneva")))
    canvas.restoreState()


def printable(text):
    """In signs that the letter's fonts have; a letter with a mark that they lack is printed without the mark."""
    return "".join(_printable(sign) for sign in unicodedata.normalize("NFC", str(text)))


def _printable(sign):
    for form in (
        sign,
        "".join(part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part)),
    ):
        try:
            form.encode("cp1252")
        except UnicodeEncodeError:
            continue
        return form
    return "?"
