"""Members of staff for tests."""

import factory
from django.utils import timezone

from presessions.accounts.models import Authenticator, User

KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # of every phone in tests


class StaffFactory(factory.django.DjangoModelFactory):
    """A member of staff with every right."""

    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"staff{n}@example.org")
    name = factory.Sequence(lambda n: f"Staff {n}")
    is_staff = is_superuser = True


def phone_of(user):
    """The Authenticator of a person, made if there is none."""
    facts = {"key": KEY, "name": "phone", "made_at": timezone.now()}
    return Authenticator.objects.get_or_create(user=user, confirmed=True, defaults=facts)[0]
