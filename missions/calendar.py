"""Meetings as entries for somebody's own calendar (RFC 5545). Room: missions; imports the calendar's models.

Published, never requested: a request would open a second way to answer, by a mail that nobody here reads and anybody
can forge. So there is no ATTENDEE either. Nor is any applicant ever named, published agenda or not: what stands in a
calendar cannot be taken back when consent is. An entry leads to the page, which knows who may be named today.
"""

from datetime import UTC, timedelta

import icalendar
from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

ASK_AGAIN = timedelta(hours=6)  # how often a program should fetch a feed
GENEVA_CLOCK = """\
BEGIN:VTIMEZONE
TZID:Europe/Zurich
BEGIN:DAYLIGHT
DTSTART:19960331T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
"""


def entry(meeting, *, now):
    """The bytes of an .ics file. Opened again it replaces the first: same UID, higher SEQUENCE.

    meeting -- with its State and series, and a known start; called off, the file takes the entry out of the calendar
    """
    return entries([meeting], now=now)


def entries(meetings, *, now):
    """One file for several meetings, as for a letter; b"" while none of them has an hour. What is called off among
    them is taken out of the calendar.

    meetings -- with their States and series
    """
    timed = [meeting for meeting in meetings if meeting.starts_at]
    if not timed:
        return b""
    calendar = _calendar("PUBLISH" if any(meeting.goes_ahead for meeting in timed) else "CANCEL")
    for meeting in timed:
        calendar.add_component(_event(meeting, now))
    return calendar.to_ical()


def feed(meetings, *, now, name, source="", busy=True, for_all=False):
    """The bytes of a calendar to subscribe to, which a program fetches again and again; a meeting that has no hour yet
    joins it once it has one.

    name -- what the reader's program calls it; source -- its own address, where that is no secret
    busy -- whether its hours are the reader's own; for_all -- anybody may read it: then without the way in online
    """
    calendar = _calendar("PUBLISH")
    for label in ("name", "x-wr-calname"):  # of RFC 7986, and what programs knew before it
        calendar.add(label, name)
    calendar.add("refresh-interval", ASK_AGAIN, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", icalendar.vDuration(ASK_AGAIN))
    if source:
        calendar.add("source", source, parameters={"value": "URI"})
    timed = [meeting for meeting in meetings if meeting.starts_at]
    for meeting in timed:
        event = _event(meeting, now, for_all=for_all)
        event.add("transp", "OPAQUE" if busy else "TRANSPARENT")
        calendar.add_component(event)
    if not timed:  # the standard knows no calendar without a component
        calendar.add_component(icalendar.Timezone.from_ical(GENEVA_CLOCK))
    return calendar.to_ical()


def _calendar(method):
    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//UPR Info//Pre-sessions//{(get_language() or 'en').upper()}")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    return calendar


def _event(meeting, now, *, for_all=False):
    series = meeting.series
    event = icalendar.Event()
    event.add("uid", f"{meeting.uid}@{settings.MAIL_DOMAIN}")
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", meeting.starts_at.astimezone(UTC))
    event.add("dtend", meeting.ends_at.astimezone(UTC))
    event.add("summary", _("Pre-session on %(state)s") % {"state": meeting.state.name})
    event.add("location", place(meeting))
    event.add("description", _description(meeting, for_all))
    event.add("url", page(meeting))
    event.add("status", "CONFIRMED" if meeting.goes_ahead else "CANCELLED")
    organizer = icalendar.vCalAddress(f"mailto:{series.reply_to or settings.MAIL_REPLY_TO}")
    organizer.params["cn"] = str(settings.ORGANISATION)
    event.add("organizer", organizer)
    return event


def page(meeting):
    """The whole address of what everybody may read of a meeting, in the language of the words around it."""
    return settings.PUBLIC_URL + reverse("applications:meeting", args=[meeting.series.number, meeting.state.pk])


def place(meeting):
    """Where it is, in words: room and venue, or online, or that the room is still to be confirmed."""
    series = meeting.series
    if series.format == series.Format.VIRTUAL:
        return _("online")
    return ", ".join(filter(None, [meeting.room or _("room to be confirmed"), series.venue]))


def _description(meeting, for_all):
    lines = [
        _("UPR Info, Pre-sessions %(number)s") % {"number": meeting.series.number},
        _("Demonstration: this meeting is invented.") if meeting.series.demonstration else "",
        "" if for_all or not meeting.online_link else _("Taking part online: %(link)s") % {"link": meeting.online_link},
        "" if meeting.goes_ahead else _("This meeting will not take place."),
        _("Programme and agenda: %(address)s") % {"address": page(meeting)},
    ]
    return "\n".join(filter(None, lines))
