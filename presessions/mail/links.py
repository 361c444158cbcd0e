"""Personal links: how somebody without an account comes back. Room: mail; imports its models and registry.

A token is 256 random bits, minted for one letter when it is frozen, and stands nowhere but in that letter: we keep its
SHA-256. Many live links to one thing are normal. When it stops opening is asked each time it is opened.
"""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.utils import translation

from presessions.mail import languages, registry
from presessions.mail.models import LinkVisit, PersonalLink

FILTERS_COME_WITHIN = timedelta(minutes=2)


class Ended(Exception):
    """A link was revoked while what came by it was on its way."""


def new_token():
    return secrets.token_urlsafe(32)


def mint(purpose, target_id, *, letter, now, token=None):
    """Open a door for a letter; returns the token. Only the outbox calls it: previews mint none."""
    token = token or new_token()
    PersonalLink.objects.create(
        purpose=purpose, target_id=str(target_id), token_hash=_hash(token), letter=letter, made_at=now
    )
    return token


def url(purpose, token, language):
    """The address to print in a letter: the page in its reader's language."""
    with translation.override(languages.of_pages(language)):
        return settings.PUBLIC_URL + registry.PURPOSES[purpose].path(token)


def find(token, *purposes, now, revoked_too=False):
    """The link behind a token, or None: unknown, of another purpose, revoked and expired all look the same.

    They ask the database the same, too: who guesses learns nothing from the clock.

    purposes -- one, or those of which each opens the page
    revoked_too -- for what may be asked for again without harm, such as to be written to no more
    """
    found = PersonalLink.objects.select_related("letter").filter(token_hash=_hash(token), purpose__in=purposes)
    link = found.first() or PersonalLink(purpose=purposes[0], made_at=now)
    ends = {purpose: registry.PURPOSES[purpose].expires(link) for purpose in purposes}  # each is asked, whichever it is
    expires = ends[link.purpose]
    if link.pk is None or (link.revoked_at and not revoked_too) or (expires and expires <= now):
        return None
    return link


def visited(link, request, now):
    """Note that the page was fetched. A machine that looks into mail comes at once, or asks for the head only."""
    sent_at = link.letter and link.letter.sent_at
    soon = link.letter is not None and (sent_at is None or now - sent_at < FILTERS_COME_WITHIN)
    return LinkVisit.objects.create(
        link=link, at=now, method=(request.method or "")[:8], maybe_filter=soon or request.method == "HEAD"
    )


def insist(link):
    """Ask again, once the row is locked that whoever revokes it locks first. Raises Ended.

    link -- None where nobody came by one
    """
    if link and not PersonalLink.objects.filter(pk=link.pk, revoked_at=None).exists():
        raise Ended


def revoke(purpose, target_id, now):
    """Close every door to one thing; returns how many were open."""
    return PersonalLink.objects.filter(purpose=purpose, target_id=str(target_id), revoked_at=None).update(
        revoked_at=now
    )


def _hash(token):
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
