import pytest

from tests.accounts.factories import StaffFactory
from tests.upr.conftest import calendar  # noqa: F401


@pytest.fixture
def staff(db):
    return StaffFactory()
