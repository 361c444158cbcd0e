"""What applications keeps, from the open call to a decided application. Room: applications, floor 2; imports mail, upr
and the basement; missions may import us."""

from applications.models.application import Application, Closed, Incomplete, closed_words
from applications.models.calls import Call, StateCall, Theme
from applications.models.contact import Contact
from applications.models.organisation import Organisation
from applications.models.parts import Assessment, Attachment, Consent, Needs, Recommendation, Speaker
from applications.models.uploads import Piece, Upload

__all__ = [
    "Application",
    "Assessment",
    "Attachment",
    "Call",
    "Closed",
    "Consent",
    "Contact",
    "Incomplete",
    "Needs",
    "Organisation",
    "Piece",
    "Recommendation",
    "Speaker",
    "StateCall",
    "Theme",
    "Upload",
    "closed_words",
]
