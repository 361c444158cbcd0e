"""Colleagues to whom a mission passes its invitation on, each with a link of their own; and a new link for whoever has
lost theirs. Room: missions; imports mail and this room's models.

A colleague's link opens the same pages as the mission's own, and closes without it. Whoever holds a link could write to
anybody in our name: so the letter holds no word of theirs, and there are not many of them.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from missions import confirming
from missions.mailings import links_end
from missions.models import Colleague, Invitation, MissionAddress, PermanentMission
from missions.rules import takes_answers
from presessions import trail, vault
from presessions.mail import languages, links, outbox, registry
from presessions.mail.models import Letter
from presessions.mail.registry import Recipient
from presessions.trail.steps import WrongStep
from presessions.upr.dates import day_of

MOST_COLLEAGUES = 10  # of one invitation, with a link that opens
LETTERS_A_DAY = 20  # to the colleagues of one invitation, because it was passed on
LINKS_A_DAY = 5  # to one mailbox, because somebody asked for a link again: anybody may, who knows its address
ONCE_WITHIN = timedelta(minutes=10)  # two clicks are one letter
PASSED_ON, LINK_AGAIN = "passed_on", "invitation_link"
ASKED_AGAIN = "passed_on_again"  # begins the keys of letters that nobody passed on, so that they count apart


# --- Passing on -------------------------------------------------------------------------------------------------------


def pass_on(invitation, *, email, name="", now, through=None, by=None, link=None):
    """Give a colleague a link of their own, by a letter; return the Colleague. Asked for again, the link comes again.
    Raises WrongStep; links.Ended when the link it came by was revoked meanwhile.

    through -- the colleague who passes it on; None: the mission itself, or `by`, a member of staff. No colleague opens
        again what was closed, nor gives another name to somebody who has one
    link -- the one by which this is asked for
    """
    try:
        with transaction.atomic():
            Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
            links.insist(link)
            known = list(invitation.colleagues.all())
            colleague = next((one for one in known if _same(one.email, email)), None)
            if through and colleague and colleague.revoked_at:
                raise WrongStep(_("This colleague’s link opens nothing any more."))
            _refuse_too_many(known, colleague, now)
            if colleague is None:
                colleague = Colleague(invitation=invitation, email=email, name=name, passed_on_at=now)
                colleague.passed_on_by = through
            elif colleague.revoked_at:
                colleague.passed_on_at, colleague.passed_on_by = now, through
            elif _written_to(colleague, now):
                return colleague
            if through is None or not colleague.name:
                colleague.name = name or colleague.name
            colleague.language = languages.spoken(get_language())
            colleague.revoked_at = colleague.bounced_at = None
            colleague.save()
            _put(colleague, invitation, now)
            trail.record(invitation, "passed_on", now=now, by=by)
            return colleague
    except WrongStep:
        trail.record(invitation, "passed_on", now=now, by=by, refused=True)
        raise


def _same(one, other):
    return vault.normal_email(one) == vault.normal_email(other)


def _refuse_too_many(known, colleague, now):
    alive = [one for one in known if not one.revoked_at]
    if len(alive) >= MOST_COLLEAGUES and (colleague is None or colleague.revoked_at):
        words = ngettext(
            "Your invitation is with %(n)s colleague already. Close a link that is no longer needed first.",
            "Your invitation is with %(n)s colleagues already. Close a link that is no longer needed first.",
            len(alive),
        )
        raise WrongStep(words % {"n": len(alive)})
    day = Letter.objects.filter(kind=PASSED_ON, recipient_id__in=[one.reference for one in known])
    day = day.filter(created_at__gt=now - timedelta(days=1))
    if day.exclude(key__startswith=f"{ASKED_AGAIN}:").count() >= LETTERS_A_DAY:
        raise WrongStep(
            _("Very many links were sent for your Mission today. Please try again tomorrow, or write to us.")
        )


def _written_to(colleague, now):
    letters = Letter.objects.filter(kind=PASSED_ON, recipient_id=colleague.reference)
    return letters.filter(created_at__gt=now - ONCE_WITHIN).exists()


def _put(colleague, invitation, now, because=PASSED_ON):
    key = f"{because}:{colleague.reference}:{now.timestamp():.0f}"
    outbox.put(kind=PASSED_ON, key=key, recipient=_as_recipient(colleague, invitation, now), now=now)


def may_close(colleague, through):
    """Whether somebody may close a colleague's link: the mission each, a colleague their own and those they gave."""
    return through is None or through.pk in (colleague.pk, colleague.passed_on_by_id)


def close(colleague, *, now, by=None, reason="", link=None):
    """Close a colleague's link, and those of whom they passed the invitation on to, and they to others. Raises
    WrongStep where it is closed already; links.Ended as `pass_on` does."""
    invitation = colleague.invitation
    with transaction.atomic():
        Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
        links.insist(link)
        moved = Colleague.objects.filter(pk=colleague.pk, revoked_at=None).exists()
        for one in _and_below(colleague) if moved else ():
            Colleague.objects.filter(pk=one.pk).update(revoked_at=now)
            links.revoke("colleague", one.reference, now)
            trail.record(invitation, "colleague_closed", now=now, by=by, reason=reason)
        if not moved:
            trail.record(invitation, "colleague_closed", now=now, by=by, refused=True, reason=reason)
    if not moved:  # outside the block: a refusal must not undo its own event
        raise WrongStep(_("This link is closed already."))


def _and_below(colleague):
    """A colleague, and all with an open link to whom it came through them."""
    everybody, found, above = list(colleague.invitation.colleagues.all()), [colleague], {colleague.pk}
    while below := [one for one in everybody if one.passed_on_by_id in above and one not in found]:
        found += below
        above = {one.pk for one in below}
    return [one for one in found if one == colleague or not one.revoked_at]


# --- A new link for whoever has lost theirs ---------------------------------------------------------------------------


def new_link(invitation, *, by, now, close_others=False, reason=""):
    """A letter with a new link, for staff. Raises WrongStep where the mission cannot be written to.

    close_others -- as when a link went astray: every link mailed before is closed, those of colleagues too
    """
    address = invitation.mission.addresses.valid(day_of(now)).first()
    try:
        with transaction.atomic():
            if address is None:
                raise WrongStep(_("This mission has no valid address. Please enter one first."))
            if close_others:
                invitation.close_links(by=by, now=now, reason=reason)
            Invitation.objects.filter(pk=invitation.pk).update(revoked_at=None)  # it counts as one that has a link
            invitation.revoked_at = None
            _put_link(invitation, address, now)
            trail.record(invitation, "new_link", now=now, by=by, reason=reason)
    except WrongStep:
        trail.record(invitation, "new_link", now=now, by=by, refused=True, reason=reason)
        raise


def send_again(email, *, now):
    """Write to an address each link that it may have: a mission's own, or a colleague's. To another address nothing;
    nor to a mission to which none has gone out yet, or of which staff closed them all: that is for staff to undo."""
    addresses = MissionAddress.objects.valid(day_of(now)).with_email(email).filter(mission__invitations__isnull=False)
    by_mission = {address.mission_id: address for address in addresses}
    for invitation in Invitation.objects.with_names().filter(mission__in=by_mission):
        if _is_open(invitation.series, now):
            _again_to_mission(invitation, by_mission[invitation.mission_id], now)
    known = Colleague.objects.filter(email_index__in=vault.blind_indexes("email", email), revoked_at=None)
    for colleague in known.select_related("invitation__mission__state", "invitation__series__session"):
        if _is_open(colleague.invitation.series, now):
            _again_to_colleague(colleague, now)


@transaction.atomic
def _again_to_mission(invitation, address, now):
    locked = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if locked.revoked_at or not _has_gone_out(invitation) or _enough(LINK_AGAIN, invitation, now):
        return
    _put_link(invitation, address, now)
    trail.record(invitation, "new_link", now=now)


@transaction.atomic
def _again_to_colleague(colleague, now):
    Invitation.objects.select_for_update().get(pk=colleague.invitation_id)
    alive = Colleague.objects.filter(pk=colleague.pk, revoked_at=None).exists()
    if alive and not _written_to(colleague, now) and not _enough(ASKED_AGAIN, colleague, now):
        _put(colleague, colleague.invitation, now, because=ASKED_AGAIN)


def _has_gone_out(invitation):
    """Whether a letter with a link to it has left us, or may have."""
    carried = Letter.objects.filter(links__purpose="invitation", links__target_id=invitation.reference)
    return carried.filter(Q(sent_at__isnull=False) | Q(uncertain_at__isnull=False)).exists()


def _enough(because, whose, now):
    """Whether a link was sent again within minutes, or often today. whose -- an Invitation or a Colleague"""
    day = Letter.objects.filter(key__startswith=f"{because}:{whose.reference}:", created_at__gt=now - timedelta(days=1))
    return day.filter(created_at__gt=now - ONCE_WITHIN).exists() or day.count() >= LINKS_A_DAY


def _put_link(invitation, address, now):
    """A letter that carries a link again."""
    outbox.put(
        kind=LINK_AGAIN,
        key=f"{LINK_AGAIN}:{invitation.reference}:{now.timestamp():.0f}",
        recipient=_mission(invitation, address, now),
        now=now,
    )


def _is_open(series, now):
    end = links_end(series)
    return series.closed_at is None and (end is None or now < end)


# --- The letters ------------------------------------------------------------------------------------------------------


def _facts(invitation, now):
    meetings = invitation.series.meetings().with_state()
    return {
        "series": invitation.series,
        "mission": invitation.mission,
        "meetings": [meeting for meeting in meetings if takes_answers(meeting, now)],
    }


def _mission(invitation, address, now):
    mission = invitation.mission
    return Recipient(
        kind="mission",
        id=str(mission.pk),
        to=address.email,
        language=mission.language,
        context=_facts(invitation, now),
        link_target=invitation.reference,
    )


def _as_recipient(colleague, invitation, now):
    return Recipient(
        kind="colleague",
        id=colleague.reference,
        to=colleague.email,
        language=colleague.language,
        context=_facts(invitation, now),
    )


def _link_again(letter):
    """For "send again": a link of today, to where the mission is reached today."""
    invitation = Invitation.objects.with_names().get(reference=letter.key.split(":")[1])
    now = timezone.now()
    address = invitation.mission.addresses.valid(day_of(now)).first()
    return address and _mission(invitation, address, now)


def _passed_on_again(letter):
    colleague = _of(letter)
    if colleague is None or colleague.revoked_at:
        return None
    invitation = Invitation.objects.with_names().get(pk=colleague.invitation_id)
    return _as_recipient(colleague, invitation, timezone.now())


registry.occasion(
    LINK_AGAIN,
    label=gettext_lazy("new link to the invitation"),
    template="mail/invitation_link",
    link="invitation",
    rewrite=_link_again,
)
registry.occasion(
    PASSED_ON,
    label=gettext_lazy("invitation passed on to a colleague"),
    template="mail/passed_on",
    link="colleague",
    rewrite=_passed_on_again,
)


# --- What mail asks about a colleague ---------------------------------------------------------------------------------


def _of(letter):
    return Colleague.objects.filter(reference=letter.recipient_id).first()


def _still_wanted(letter):
    """Not once the link is closed: it would open nothing. Nor what a newer letter says anew."""
    if confirming.is_overtaken(letter):
        return False
    return Colleague.objects.filter(reference=letter.recipient_id, revoked_at=None).exists()


def _has_address(letter):
    colleague = _of(letter)
    return colleague is not None and colleague.bounced_at is None and _same(colleague.email, letter.to)


def _admin_url(letter):
    colleague = _of(letter)
    return colleague and reverse("admin:missions_invitation_change", args=[colleague.invitation_id])


def _find(text):
    """Colleagues by the name of their mission."""
    missions = PermanentMission.objects.named_like(text)
    return Colleague.objects.filter(invitation__mission__in=missions.values("pk")).values_list("reference", flat=True)


def _label(letters):
    asked = {letter.recipient_id for letter in letters}
    found = Colleague.objects.filter(reference__in=asked).select_related("invitation__mission__state")
    return {one.reference: _("%(mission)s, a colleague") % {"mission": one.invitation.mission.name} for one in found}


def _bounced(letter, now, code, dead):
    """Mark an address that does not work, so that whoever passed the invitation on sees it on their page."""
    if dead:
        known = Colleague.objects.filter(reference=letter.recipient_id, bounced_at=None)
        colleague = known.select_related("invitation").first()
        if colleague and known.update(bounced_at=now):
            trail.record(colleague.invitation, "colleague_bounced", now=now)


registry.recipient(
    "colleague",
    still_wanted=_still_wanted,
    has_address=_has_address,
    admin_url=_admin_url,
    find=_find,
    label=_label,
    on_bounce=_bounced,
)


# --- Their links ------------------------------------------------------------------------------------------------------


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
    counted=True,
)
