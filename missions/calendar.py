"""A meeting as an entry for somebody's own calendar (RFC 5545). Room: missions; imports the calendar's models.

Published, never requested: a request would open a second way to answer, by a mail that nobody here reads and anybody
can forge. So there is no ATTENDEE either, and nobody's name.
"""

from datetime import UTC

import icalendar
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _


def entry(meeting, *, now):
    """The bytes of an .ics file. Opened again it replaces the first: same UID, higher SEQUENCE.

    meeting -- with its State and series, and a known start; called off, the file takes the entry out of the calendar
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//UPR Info//Pre-sessions//{(get_language() or 'en').upper()}")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH" if meeting.goes_ahead else "CANCEL")
    calendar.add_component(_event(meeting, now))
    return calendar.to_ical()


def _event(meeting, now):
    series = meeting.series
    event = icalendar.Event()
    event.add("uid", f"{meeting.uid}@{settings.MAIL_DOMAIN}")
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", meeting.starts_at.astimezone(UTC))
    event.add("dtend", meeting.ends_at.astimezone(UTC))
    event.add("summary", _("Pre-session on %(state)s") % {"state": meeting.state.name})
    event.add("location", place(meeting))
    event.add("description", _description(meeting))
    event.add("status", "CONFIRMED" if meeting.goes_ahead else "CANCELLED")
    organizer = icalendar.vCalAddress(f"mailto:{series.reply_to or settings.MAIL_REPLY_TO}")
    organizer.params["cn"] = str(settings.ORGANISATION)
    event.add("organizer", organizer)
    return event


def place(meeting):
    """Where it is, in words: room and venue, or online, or that the room is still to be confirmed."""
    series = meeting.series
    if series.format == series.Format.VIRTUAL:
        return _("online")
    return ", ".join(filter(None, [meeting.room or _("room to be confirmed"), series.venue]))


def _description(meeting):
    lines = [
        _("UPR Info, Pre-sessions %(number)s") % {"number": meeting.series.number},
        meeting.online_link and _("Taking part online: %(link)s") % {"link": meeting.online_link},
        "" if meeting.goes_ahead else _("This meeting will not take place."),
    ]
    return "\n".join(filter(None, lines))
