"""Missions, invitations and opened links for tests. The series is Pre-sessions 54 of tests/upr/factories.py.

MissionFactory(iso2="KE")                Kenya's mission, reachable at ke@mission.example.org
MissionFactory(iso2="KE", email=None)    the same without an address
MissionFactory(observer="VA", name_en="Holy See")
invite("KE", series=..., now=...)        its invitation, and the path of a link to it as a letter would carry
has_left(invitation)                     a letter with a link to it has been sent
"""

from datetime import UTC, datetime

import factory
from django.utils import translation

from missions import confirming
from missions.models import Invitation, MissionAddress, PermanentMission
from presessions.mail import links, outbox, registry
from presessions.mail.models import Letter
from tests.upr.factories import StateFactory

LONG_AGO = datetime(2026, 1, 5, 9, tzinfo=UTC)


class MissionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PermanentMission
        django_get_or_create = ("code",)
        exclude = ("iso2", "observer")

    iso2 = factory.Sequence(lambda n: StateFactory().pk)
    observer = None
    code = factory.LazyAttribute(lambda mission: mission.observer or mission.iso2)
    kind = factory.LazyAttribute(lambda mission: "observer" if mission.observer else "state")
    state = factory.LazyAttribute(lambda mission: None if mission.observer else StateFactory(iso2=mission.iso2))
    in_geneva = "yes"
    email = factory.LazyAttribute(lambda mission: f"{mission.code.lower()}@mission.example.org")

    @classmethod
    def _create(cls, model, *args, email, **facts):
        mission = super()._create(model, *args, **facts)
        if email and not mission.addresses.exists():
            AddressFactory(mission=mission, email=email)
        return mission


class AddressFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = MissionAddress

    mission = factory.SubFactory(MissionFactory, email=None)
    position = 1
    email = factory.Sequence(lambda n: f"box{n}@mission.example.org")


def invite(mission, *, series, now=LONG_AGO, language="en"):
    """(Invitation, path of its page)."""
    mission = mission if isinstance(mission, PermanentMission) else MissionFactory(iso2=mission)
    invitation = Invitation.objects.write_down(series, [mission], now)[mission.pk]
    return invitation, open_link(invitation, now=now, language=language)


def has_left(invitation):
    """A letter with a link to it has left us."""
    key, receipt = f"reply_confirmed:{invitation.reference}:0", confirming.to_mission(invitation, now=LONG_AGO)
    letter = outbox.put(kind="reply_confirmed", key=key, recipient=receipt, now=LONG_AGO)
    Letter.objects.filter(pk=letter.pk).update(state=Letter.State.SENT, sent_at=LONG_AGO, next_attempt_at=None)


def open_link(invitation, *, now=LONG_AGO, language="en", purpose="invitation"):
    """The path of one more link to an invitation; or, of the purpose "colleague", to a Colleague's."""
    token = links.mint(purpose, invitation.reference, letter=None, now=now)
    with translation.override(language):
        return registry.PURPOSES[purpose].path(token)
