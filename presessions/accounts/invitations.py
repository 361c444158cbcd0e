"""A link to choose a password, by mail: for new people, and for those who have forgotten theirs. Room: accounts.

The letter goes the way of every letter (presessions/mail/backend.py), so that asking takes no longer for those whom we
know. It names nobody, and the link is good once.
"""

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _

from presessions import trail
from presessions.accounts.models import User


def send_link(user, *, by, now):
    """Write the letter. by -- a member of staff who invites, or None: the person has asked"""
    uid, token = urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)
    link = settings.PUBLIC_URL + reverse("admin:new_password", args=[uid, token])
    facts = {"link": link, "hours": settings.PASSWORD_RESET_TIMEOUT // 3600, "invited": by is not None}
    with translation.override(user.language), transaction.atomic():
        body = render_to_string("admin/accounts/link.txt", facts)
        send_mail(_("Your log-in at the Pre-sessions desk"), body, None, [user.email])
        trail.record(user, "link_sent", now=now, by=by)


def person_behind(uid):
    """Whom a link is for, if she may still come in; else None."""
    try:
        key = int(urlsafe_base64_decode(uid))
    except (ValueError, OverflowError):
        return None
    return User.objects.filter(pk=key, is_active=True, is_staff=True).first() if 0 < key < 2**63 else None
