import pytest

from tests.accounts.factories import StaffFactory
from tests.mail.fixtures import sink  # noqa: F401
from tests.upr.conftest import calendar  # noqa: F401


@pytest.fixture
def staff(db):
    return StaffFactory()
