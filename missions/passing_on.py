"""Colleagues to whom a mission passes its invitation on, each with a link of their own. Room: missions; imports mail
and this room's models.

A colleague's link opens the same pages as the mission's own, and closes without it.
"""

from django.urls import reverse

from missions.mailings import links_end
from missions.models import Colleague, Invitation
from presessions.mail import registry


def _expires(link):
    """As the mission's own link."""
    colleague = Colleague.objects.select_related("invitation__series__session").filter(reference=link.target_id).first()
    return colleague and links_end(colleague.invitation.series)


def _answered(link):
    """When somebody answered last by this colleague's link."""
    answered = Invitation.objects.filter(answered_by__reference=link.target_id)
    return answered.values_list("answered_at", flat=True).first()


registry.link_purpose(
    "colleague",
    path=lambda token: reverse("missions:invitation", args=[token]),
    expires=_expires,
    answered=_answered,
)
