"""The letters about a seat, registered with mail at start. Room: applications; imports mail and its letters."""

from django.utils.translation import gettext_lazy as _

from applications import agenda, letters
from applications.mailings.people import again
from applications.models import Attachment
from presessions.mail import registry


def _newest_paper(application):
    """For "send again": the paper that came last, or nobody where none is there any more."""
    kinds = (Attachment.Kind.STATEMENT, Attachment.Kind.FACT_SHEET)
    papers = application.attachments.filter(kind__in=kinds).exclude(state=Attachment.State.ERASED)
    newest = papers.order_by("uploaded_at", "pk").last()
    return newest and letters.paper(application, newest)


for _kind, _label, _recipient in (
    ("seat_confirmed", _("seat confirmed"), letters.seat_answer),
    ("seat_given_up", _("seat given up"), letters.seat_answer),
    ("statement_received", _("statement or fact sheet received"), _newest_paper),
    ("agenda", _("agenda"), agenda.recipient),
):
    registry.occasion(_kind, label=_label, template=f"mail/{_kind}", link="application", rewrite=again(_recipient))
