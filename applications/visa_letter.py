"""The letter that helps a speaker to a visa, as a PDF in English or French. Room: applications; imports `seat`.

It is made when it is asked for and never stored. It goes with the speaker through airports, perhaps those of the State
under Review: so it names neither that State, nor a theme, nor anybody else.
"""

import io
import unicodedata
from datetime import date
from xml.sax.saxutils import escape

from django.conf import settings
from django.utils import dateformat, translation
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

from applications import seat
from presessions.upr import dates

MARGIN = 25 * mm
PADDING = 6  # points, of ReportLab's own frame
BAND, SOFT, RULE = HexColor("#16305c"), HexColor("#515c70"), HexColor("#c9c4b6")
TEXT = ParagraphStyle("text", fontName="Times-Roman", fontSize=11.5, leading=16.5, spaceAfter=9)
BOLD = ParagraphStyle("bold", TEXT, fontName="Times-Bold", fontSize=13, spaceBefore=8, spaceAfter=12)
LABEL = ParagraphStyle("label", TEXT, fontName="Helvetica", fontSize=9.5, leading=14, textColor=SOFT, spaceAfter=0)
VALUE = ParagraphStyle("value", TEXT, spaceAfter=0)
ADDRESS = ParagraphStyle("address", TEXT, spaceAfter=0)
RIGHT = ParagraphStyle("right", TEXT, alignment=TA_RIGHT)


def language_of(application):
    """The letter's own: embassies of Switzerland read both."""
    return "fr" if application.language == "fr" else "en"


def make(application, needs, *, now):
    """The letter's bytes. needs -- with the data of the passport"""
    with translation.override(language_of(application)):
        return _typeset(_story(application, needs, now))


def _story(application, needs, now):
    series = application.state_call.series
    today = now.astimezone(dates.GENEVA).date()
    first_day, last_day = seat.days_in_geneva(application.meeting)
    words = {
        "number": series.number,
        "today": _day(today),
        "address": series.reply_to or settings.MAIL_REPLY_TO,
        "reference": application.reference,
    }
    yield _paragraph(_("Geneva, %(today)s") % words, RIGHT)
    yield _paragraph(_("Reference: %(reference)s") % words, LABEL)
    yield Spacer(1, 8 * mm)
    yield _paragraph(_("To the representation of Switzerland"))
    yield _paragraph(_("Invitation to the UPR Info Pre-sessions %(number)s in Geneva") % words, BOLD)
    yield _paragraph(_("Dear Sir or Madam,"))
    yield _paragraph(
        _(
            "UPR Info, a non-governmental organisation in Geneva, invites the following person to take part in its "
            "Pre-sessions as a speaker:"
        )
    )
    yield _table(
        (_("Name"), needs.passport_name),
        (_("Date of birth"), _day(date.fromisoformat(needs.born_on))),
        (_("Nationality"), needs.nationality),
        (_("Passport number"), needs.passport_number),
    )
    yield _paragraph(
        _(
            "The Pre-sessions are public meetings of one hour each, held before a session of the Working Group on the "
            "Universal Periodic Review of the United Nations Human Rights Council. Permanent Missions to the United "
            "Nations in Geneva, national human rights institutions and civil society organisations take part."
        )
    )
    yield _table(
        (_("Days"), _when(first_day, last_day)),
        (_("Place"), series.venue or _("Geneva, Switzerland")),
    )
    yield _paragraph(_("We should be grateful if you would grant this person a visa for these days and the journey."))
    yield _paragraph(
        _(
            "To verify this letter, please write to %(address)s and name the reference %(reference)s; we answer from "
            "that address. The letter was issued electronically and bears no signature."
        )
        % words
    )
    yield _paragraph(_("Yours faithfully,"))
    for text in settings.ORGANISATION_ADDRESS:
        yield _paragraph(text, ADDRESS)


def _day(day):
    """As letters and passports write a date: without the weekday."""
    first_of_french = translation.get_language() == "fr" and day.day == 1
    return dateformat.format(day, r"j\e\r F Y" if first_of_french else "j F Y")


def _when(first_day, last_day):
    first, last = dates.day_in_words(first_day), dates.day_in_words(last_day)
    return first if first == last else _("%(first)s to %(last)s") % {"first": first, "last": last}


def _paragraph(text, style=TEXT):
    return Paragraph(escape(printable(text)), style)


def _table(*rows):
    cells = [[_paragraph(label, LABEL), _paragraph(value, VALUE)] for label, value in rows]
    lines = [
        ("LINEBELOW", (0, 0), (-1, -1), 0.5, RULE),
        ("LINEABOVE", (0, 0), (-1, 0), 0.5, RULE),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
    ]
    return Table(cells, colWidths=[40 * mm, None], style=lines, hAlign="LEFT", spaceAfter=12)


def _typeset(story):
    kept = io.BytesIO()
    page = SimpleDocTemplate(
        kept, pagesize=A4,
        leftMargin=MARGIN - PADDING, rightMargin=MARGIN - PADDING, topMargin=48 * mm, bottomMargin=28 * mm,
        title=_("Letter of invitation"), author="UPR Info", creator="UPR Info", lang=translation.get_language(),
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
