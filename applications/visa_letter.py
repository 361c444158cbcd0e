"""The letter that helps a speaker to a visa, as a PDF in English or French. Room: applications; imports `seat`.

It is made when it is asked for and never stored. It goes with the speaker through airports, perhaps those of the State
under Review: so it names neither that State, nor a theme, nor anybody else.
"""

from datetime import date

from django.conf import settings
from django.utils import dateformat, translation
from django.utils.translation import gettext as _
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Spacer

from applications import seat
from applications.paper import BOLD, LABEL, TEXT, VALUE, paragraph, table, typeset
from presessions.upr import dates

RIGHT = ParagraphStyle("right", TEXT, alignment=TA_RIGHT)


def language_of(application):
    """The letter's own: embassies of Switzerland read both."""
    return "fr" if application.language == "fr" else "en"


def make(application, needs, *, now):
    """The letter's bytes. needs -- with the data of the passport"""
    with translation.override(language_of(application)):
        return typeset(_story(application, needs, now), title=_("Letter of invitation"))


def _story(application, needs, now):
    series = application.state_call.series
    today = dates.day_of(now)
    first_day, last_day = seat.days_in_geneva(application.meeting)
    words = {
        "number": series.number,
        "today": _day(today),
        "address": series.reply_to or settings.MAIL_REPLY_TO,
        "reference": application.reference,
    }
    yield paragraph(_("Geneva, %(today)s") % words, RIGHT)
    yield paragraph(_("Reference: %(reference)s") % words, LABEL)
    yield Spacer(1, 8 * mm)
    yield paragraph(_("To the representation of Switzerland"))
    yield paragraph(_("Invitation to the UPR Info Pre-sessions %(number)s in Geneva") % words, BOLD)
    yield paragraph(_("Dear Sir or Madam,"))
    yield paragraph(
        _(
            "UPR Info, a non-governmental organisation in Geneva, invites the following person to take part in its "
            "Pre-sessions as a speaker:"
        )
    )
    yield _facts(
        (_("Name"), needs.passport_name),
        (_("Date of birth"), _day(date.fromisoformat(needs.born_on))),
        (_("Nationality"), needs.nationality),
        (_("Passport number"), needs.passport_number),
    )
    yield paragraph(
        _(
            "The Pre-sessions are public meetings of one hour each, held before a session of the Working Group on the "
            "Universal Periodic Review of the United Nations Human Rights Council. Permanent Missions to the United "
            "Nations in Geneva, national human rights institutions and civil society organisations take part."
        )
    )
    yield _facts(
        (_("Days"), _when(first_day, last_day)),
        (_("Place"), series.venue or _("Geneva, Switzerland")),
    )
    yield paragraph(_("We should be grateful if you would grant this person a visa for these days and the journey."))
    yield paragraph(
        _(
            "To verify this letter, please write to %(address)s and name the reference %(reference)s; we answer from "
            "that address. The letter was issued electronically and bears no signature."
        )
        % words
    )
    yield paragraph(_("Yours faithfully,"))
    for text in settings.ORGANISATION_ADDRESS:
        yield paragraph(text, VALUE)


def _day(day):
    """As letters and passports write a date: without the weekday."""
    first_of_french = translation.get_language() == "fr" and day.day == 1
    return dateformat.format(day, r"j\e\r F Y" if first_of_french else "j F Y")


def _when(first_day, last_day):
    first, last = dates.day_in_words(first_day), dates.day_in_words(last_day)
    return first if first == last else _("%(first)s to %(last)s") % {"first": first, "last": last}


def _facts(*rows):
    return table([[paragraph(label, LABEL), paragraph(value, VALUE)] for label, value in rows], widths=[40 * mm, None])
