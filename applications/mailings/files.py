"""The letter about a file that could not be kept, registered with mail at start. Room: applications; imports mail."""

from django.utils.translation import gettext_lazy as _

from applications import letters
from applications.mailings.people import again
from applications.models import Attachment
from presessions.mail import registry


def _refused_last(application):
    """For "send again": the file that was refused last, or nobody where none is."""
    refused = application.attachments.filter(state=Attachment.State.REFUSED).order_by("uploaded_at", "pk").last()
    return refused and letters.refused_file(refused)


registry.occasion(
    "file_refused",
    label=_("a file could not be kept"),
    template="mail/file_refused",
    link="application",
    rewrite=again(_refused_last),
)
