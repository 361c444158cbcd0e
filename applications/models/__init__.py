"""What applications keeps, from the open call to a decided application. Room: applications, floor 2; imports mail, upr
and the basement; missions may import us."""

from applications.models.afterwards import MadeRecommendation, ReviewOutcome, SpeakerFeedback, TakenUp
from applications.models.application import Application, Closed, Incomplete, closed_words
from applications.models.asked import InformationRequest
from applications.models.calls import Call, StateCall, Theme
from applications.models.contact import Contact
from applications.models.organisation import KnownName, Organisation
from applications.models.panel import Agenda, Panel, Seat
from applications.models.parts import Assessment, Attachment, Consent, Needs, Recommendation, Speaker
from applications.models.uploads import Piece, Upload

__all__ = [
    "Agenda",
    "Application",
    "Assessment",
    "Attachment",
    "Call",
    "Closed",
    "Consent",
    "Contact",
    "Incomplete",
    "InformationRequest",
    "KnownName",
    "MadeRecommendation",
    "Needs",
    "Organisation",
    "Panel",
    "Piece",
    "Recommendation",
    "ReviewOutcome",
    "Seat",
    "Speaker",
    "SpeakerFeedback",
    "StateCall",
    "TakenUp",
    "Theme",
    "Upload",
    "closed_words",
]
