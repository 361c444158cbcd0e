"""Members of staff for tests."""

import factory

from presessions.accounts.models import User


class StaffFactory(factory.django.DjangoModelFactory):
    """A member of staff with every right."""

    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"staff{n}@example.org")
    name = factory.Sequence(lambda n: f"Staff {n}")
    is_staff = is_superuser = True
