"""What timed mail keeps, one module per thing. Room: mail, floor 1; imports upr and the basement."""

from presessions.mail.models.inbox import Report
from presessions.mail.models.letters import PUT_OFF, Attempt, Letter, Pace
from presessions.mail.models.links import LinkVisit, PersonalLink
from presessions.mail.models.mailings import Mailing, mailing_changed
from presessions.mail.models.switch import PROBE_EVERY, Switch
from presessions.mail.models.texts import SeriesText
from presessions.mail.models.watch import Alarm, Journal, Pulse

__all__ = [
    "PROBE_EVERY",
    "PUT_OFF",
    "Alarm",
    "Attempt",
    "Journal",
    "Letter",
    "LinkVisit",
    "Mailing",
    "Pace",
    "PersonalLink",
    "Pulse",
    "Report",
    "SeriesText",
    "Switch",
    "mailing_changed",
]
